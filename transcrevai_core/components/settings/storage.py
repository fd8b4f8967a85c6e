"""What lies on disk, how long it stays, and the models: seen, fetched and deleted."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from transcrevai_core import demo, ui, workers
from transcrevai_core.components import fetching
from transcrevai_core.components.fields import choice_or_text
from transcrevai_core.components.options import ANOTHER, MODEL_ID
from transcrevai_core.components.settings.preferences import (
    RETENTION,
    Changes,
    Keep,
    preferences_form,
)
from transcrevai_core.components.tables import numeric, table, unbroken
from transcrevai_core.doctor.environment import local_models
from transcrevai_core.figures import memory_meters
from transcrevai_core.i18n import _, decimal
from transcrevai_core.jobs import retention
from transcrevai_core.library.leftovers import size_of
from transcrevai_core.models import catalogue
from transcrevai_core.models.catalogue import DEMO, MODELS, VOICES, known, locate
from transcrevai_core.types import ACTIVE_STATES, Job

_NAMED = 5  # recordings that are named before they are deleted


def disk_use() -> None:
    """Draw what takes room on disk."""
    store = ui.store()
    sizes = {
        _("Sound of recordings"): size_of(store.home / "jobs"),
        _("Uploads that no job has taken yet"): size_of(store.home / "uploads"),
        _("Cache"): size_of(store.home / "cache"),
        _("Texts and everything else"): sum(
            file.stat().st_size for file in store.home.iterdir() if file.is_file()
        ),
        _("Models"): sum(model.disk_bytes for model in local_models()),
    }
    rows = [[name, unbroken(memory_meters.size(size))] for name, size in sizes.items()]
    rows.append(
        [f"**{_('Together')}**", f"**{unbroken(memory_meters.size(sum(sizes.values())))}**"]
    )
    table([_("What"), numeric(_("On disk"))], rows, 300)
    folder = _("The data directory is {path}; TRANSCREVAI_HOME in the environment names another.",
               path=ui.escape(str(store.home)))  # fmt: skip
    st.caption(f":material/folder: {folder}")


def retention_form() -> None:
    """Draw for how long recordings are kept; what would go at once is asked for first."""
    st.caption(
        _("Nothing is deleted by itself unless a number stands here. What is deleted is told "
          "among the events of the memory page.")
    )  # fmt: skip
    preferences_form("retention", RETENTION, ask=_confirm_first)


def _confirm_first(changes: Changes, keep: Keep) -> bool:
    settings = ui.settings().model_copy(update=changes)
    due = retention.due(ui.store(), settings)
    if due.sound or due.whole:
        st.dialog(_("Delete now?"))(_confirm)(due, keep)
    return bool(due.sound or due.whole)


def _confirm(due: retention.Due, keep: Keep) -> None:
    _name(_("These recordings are deleted for good, with all that was made of them:"), due.whole)
    _name(_("Of these recordings the sound is deleted; their text stays:"), due.sound)
    st.caption(_("{size} on disk become free. This cannot be undone.",
                 size=memory_meters.size(due.bytes)))  # fmt: skip
    with st.container(horizontal=True):
        if st.button(_("Save and delete"), type="primary", icon=":material/delete:") and keep():
            with ui.show_errors():
                retention.clean(ui.store(), ui.settings())
                st.rerun()
        if st.button(_("Leave it as it is")):
            st.rerun()


def _name(head: str, jobs: Sequence[Job]) -> None:
    if jobs:
        names = [f"- {ui.escape(job.title)}" for job in jobs[:_NAMED]]
        if more := len(jobs[_NAMED:]):
            names.append("- " + _("and {number} more", number=more))
        st.markdown("\n".join([head, "", *names]))


# -- models ------------------------------------------------------------------------------------


def models() -> None:
    """List the models on this computer, and offer to fetch others."""
    needs = {model.name: model for model in local_models()}
    brought = [name for name, model in VOICES.items() if model.repo and locate(name)]
    for name in dict.fromkeys([DEMO.name, *catalogue.cached(), *brought]):
        place = _place(name)
        size = place.stat().st_size if place.is_file() else size_of(place)
        facts = [_("{size} on disk", size=memory_meters.size(size))]
        if name in needs:
            needed = memory_meters.size(needs[name].need_bytes)
            facts.append(_("needs about {size} of memory", size=needed))
        if name in VOICES:
            facts += [_(VOICES[name].use), VOICES[name].licence]
        if not locate(name):
            facts.append(_("not complete"))
        _row(name, facts)
    st.subheader(_("Download a model"), anchor=False)
    if not fetching.watch():
        _fetch()


def _place(name: str) -> Path:
    """Return what of a model is on disk, whole or not."""
    cached = catalogue.folder_of(name)
    here = demo.MODEL_DIR if name == DEMO.name else locate(name)
    return cached if cached.is_dir() or here is None else here


def _row(name: str, facts: Sequence[str]) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap="xxsmall"):
            st.markdown(f"**{ui.escape(name)}**")
            st.caption(" · ".join(facts))
        if name == DEMO.name:
            st.badge(_("comes with the program"), color="gray")
            return
        if not catalogue.folder_of(name).is_dir():
            st.badge(_("in a folder of yours"), color="gray")
            return
        reason = _used(name)
        if st.button(_("Delete"), key=f"remove_{name}", icon=":material/delete:",
                     disabled=bool(reason), help=reason or None):  # fmt: skip
            st.dialog(_("Delete the model?"))(_remove)(name)


def _used(name: str) -> str:
    """Say what a model is needed for now."""
    for job in ui.store().jobs(ACTIVE_STATES):
        if name in (job.options.get("model"), job.model):  # as asked for, or as chosen since
            return _("A recording is waiting for it.")
    checking = any(worker.name == "check" for worker in workers.live())
    return _("Models are being checked.") if checking else ""


def _remove(name: str) -> None:
    st.markdown(_("**{name}** can be downloaded again at any time.", name=ui.escape(name)))
    with st.container(horizontal=True):
        if st.button(_("Delete"), type="primary", icon=":material/delete:"):
            with ui.show_errors():
                catalogue.remove(name)
                st.rerun()
        if st.button(_("Keep it")):
            st.rerun()


def _fetch() -> None:
    every = MODELS | VOICES
    names = [name for name, model in every.items() if model.repo and not locate(name)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = choice_or_text(
            _("Model"),
            names,
            "",
            another=_(ANOTHER),
            placeholder=_(MODEL_ID),
            key="fetch",
            format_func=_to_download,
        )
        if st.button(_("Download"), type="primary", icon=":material/download:") and name:
            fetching.begin(name)
            st.rerun()


def _to_download(name: str) -> str:
    model = known(name)
    if model is None:
        return name
    size = decimal(model.download_mb)
    use = f": {_(model.use)}" if model.use else ""
    return f"{name}{use} ({_('{size} MB to download', size=size)})"
