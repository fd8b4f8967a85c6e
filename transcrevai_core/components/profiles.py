"""What becomes of settings of diarization: used on a recording, kept as a profile, chosen again."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.fields import choice_name, label_of, written
from transcrevai_core.components.recording import open_page
from transcrevai_core.errors import InputError
from transcrevai_core.i18n import _, decimal
from transcrevai_core.tuning import parameters, profiles
from transcrevai_core.types import Job


def value_name(value: Any) -> str:
    """Write the value of a setting as it reads on screen."""
    if value is None:
        return _("Automatic")
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return choice_name(value) if isinstance(value, str) else written(value)


def settings_text(values: Mapping[str, Any]) -> str:
    """Write settings in short, as they are called on screen."""
    return ", ".join(f"{label_of(name)}: {value_name(value)}" for name, value in values.items())


def profile_field(key: str) -> dict[str, Any]:
    """Draw the choice of a profile, where there are any; return its settings, else nothing.

    What is returned goes over the other options of a job.
    """
    kept = {profile.name: profile for profile in profiles.list_profiles(ui.store())}
    if not kept:
        return {}
    name = st.selectbox(
        _("Profile of speakers"),
        [*kept],
        index=None,
        placeholder=_("None: the settings below"),
        help=_("Settings that were found and saved on the page Tuning; they go over those below."),
        key=f"{key}_profile",
        persist_state="session",
    )
    if name is None or name not in kept:
        return {}
    profile = kept[name]
    rate = profile.source.get("der")
    shown = settings_text(profile.options)
    if rate is not None:
        shown = _("DER {rate}% where it was found; {settings}", rate=decimal(100 * rate, 1),
                 settings=shown)  # fmt: skip
    st.caption(ui.escape(shown))
    return profiles.apply(profile, {})


def warn_of_loss(job: Job) -> None:
    """Say what finding a job's speakers again costs, where they were found before."""
    if job.diarization:
        st.caption(
            _(
                "Texts stay, and names where a speaker is the same. Who says what is found "
                "anew: what you corrected or merged there is lost, and what was changed before "
                "cannot be undone any more."
            )
        )


def use_button(job: Job, values: Mapping[str, Any], key: str) -> None:
    """Offer to find a job's speakers again with these settings."""
    with st.popover(_("Use on this recording"), icon=":material/check:", type="primary"):
        warn_of_loss(job)
        if st.button(_("Find again"), key=f"{key}_use", icon=":material/search:", type="primary"):
            with ui.show_errors():
                options = {**job.options, **values, "diarize": True}
                if not ui.store().requeue(job.id, ui.job_options(options)):
                    raise InputError(
                        "{title} is being worked on; its end comes first.", title=job.title
                    )
                open_page(ui.TRANSCRIPT, job.id)


def profile_form(job: Job, values: Mapping[str, Any], score: Mapping[str, Any], key: str) -> None:
    """Offer to keep settings under a name, for the form of new jobs."""
    with (
        st.form(f"{key}_profile", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input(
            _("Name of a profile"),
            max_chars=profiles.LONGEST_NAME,
            placeholder=_("interviews"),
            help=_("Kept for other recordings, under a name that the form of new ones offers."),
        )
        if st.form_submit_button(_("Save as profile"), icon=":material/bookmark:"):
            with ui.show_errors():
                source = {"digest": job.digest, "title": job.title, **score}
                kept = profiles.save(ui.store(), name, values, source)
                st.success(_("The profile {name} is saved.", name=ui.escape(kept.name)))


def profile_list() -> None:
    """List the profiles, each with what it changes, and let them be deleted."""
    for profile in profiles.list_profiles(ui.store()):
        settings = settings_text(parameters.changed(profile.options))
        shown = ui.escape(settings) or _("all settings automatic")
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{ui.escape(profile.name)}** &nbsp; :small[{shown}]", width="stretch")
            ui.icon_button(
                ":material/delete:",
                _("Delete the profile {name}", name=ui.escape(profile.name)),
                f"forget_{profile.name}",
                on_click=profiles.delete,
                args=(ui.store(), profile.name),
            )


def origin(job: Job, values: Mapping[str, Any]) -> None:
    """Say what a result was made of: the sound, the voices, and the settings."""
    model = parameters.model_of(values)
    settings = settings_text(parameters.changed(values))
    st.caption(
        _(
            "Sound {digest} · voices by {model}, revision {revision} · {settings}",
            digest=job.digest[:12],
            model=ui.escape(model["embedding"]),
            revision=model["revision"],
            settings=ui.escape(settings) or _("all settings automatic"),
        )
    )
