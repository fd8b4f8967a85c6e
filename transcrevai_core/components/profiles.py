"""Profiles in a form: settings of diarization under a name, chosen and taken over at once."""

from typing import Any

import streamlit as st

from transcrevai_core import profiles, ui
from transcrevai_core.experiments import named
from transcrevai_core.texts import _, decimal


def profile_field(key: str) -> dict[str, Any]:
    """Draw the choice of a profile, where there are any; return its settings, else nothing.

    What is returned goes over the other options of a job.
    """
    kept = {profile.name: profile for profile in profiles.every(ui.store())}
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
    told = named(profile.options)
    if rate is not None:
        told = _("DER {rate} % where it was found; {settings}", rate=decimal(100 * rate, 1),
                 settings=told)  # fmt: skip
    st.caption(ui.escape(told))
    return {**profile.options, "diarize": True}
