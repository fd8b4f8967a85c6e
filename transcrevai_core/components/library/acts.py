"""What is done with many recordings at once, each asked for and answered in a dialog."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from transcrevai_core import export, ui
from transcrevai_core.components.options import options_form
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.i18n import _, decimal, mark
from transcrevai_core.library import shelf
from transcrevai_core.options import JobOptions
from transcrevai_core.types import ACTIVE_STATES, Job

_NAMED = 8  # recordings that are named; the others are counted
_TOLD = "library_told"  # in the session: what came of the last act


def tell() -> None:
    """Draw what came of the last act, once."""
    if told := st.session_state.pop(_TOLD, None):
        done, failed = told
        if done:
            st.success(done, icon=":material/check:")
        for sentence in failed:
            st.warning(sentence, icon=":material/error:")


def act(name: str, jobs: Sequence[Job]) -> None:
    """Do what was asked for, or ask for the rest of it."""
    if name in _AT_ONCE:
        said, do, fits = _AT_ONCE[name]
        _each([job for job in jobs if fits(job)], do, _(said), left_out=jobs)
        st.rerun()
    title, draw = _ASKING[name]
    st.dialog(_(title))(draw)(jobs)


def _each(
    jobs: Sequence[Job], do: Callable[[Job], Any], said: str, left_out: Sequence[Job] = ()
) -> None:
    """Do something with each, and remember what came of it: one that fails stops no other."""
    done, failed = 0, []
    for job in jobs:
        try:
            do(job)
            done += 1
        except TranscrevaiError as error:
            failed.append(ui.say(error))
    if more := len(left_out) - len(jobs) if left_out else 0:
        failed.append(_("This does not apply to {number} of the selected recordings.", number=more))
    if len(failed) > _NAMED:
        rest = len(failed) - _NAMED
        failed = [*failed[:_NAMED], _("and {number} more", number=rest)]
    counted = f"{said} {decimal(done)}." if done else ""
    st.session_state[_TOLD] = (counted, failed)


def _name(jobs: Sequence[Job]) -> None:
    names = [f"- {ui.escape(job.title)}" for job in jobs[:_NAMED]]
    if more := len(jobs[_NAMED:]):
        names.append("- " + _("and {number} more", number=decimal(more)))
    st.markdown("\n".join(names))


# -- asked for ---------------------------------------------------------------------------------


def _export(jobs: Sequence[Job]) -> None:
    done = [job for job in jobs if job.state == "done"]
    if not done:
        st.caption(_("None of these recordings is done yet."))
        return
    _name(done)
    format = str(st.selectbox(_("Format"), list(export.FORMATS), format_func=str.upper))
    st.download_button(
        _("Download {format}", format="ZIP"),
        lambda: export.archive((ui.store().transcript(job.id) for job in done), format),
        "transcrevai.zip",
        "application/zip",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def _tag(jobs: Sequence[Job]) -> None:
    kept = shelf.labels(ui.store())
    known = sorted({tag for labels in kept.values() for tag in labels.tags})
    here = sorted({tag for job in jobs for tag in kept.get(job.id, shelf.Labels()).tags})
    _name(jobs)
    ids = [job.id for job in jobs]
    with st.form("tags", border=False):
        name = st.text_input(_("Add a tag"), placeholder=_("hearings"))
        more = st.multiselect(
            _("Tags there are"), known, placeholder=_("Choose tags"), select_all=False
        ) if known else []  # fmt: skip
        gone = st.multiselect(
            _("Take off"), here, placeholder=_("Choose tags"), select_all=False
        ) if here else []  # fmt: skip
        if st.form_submit_button(_("Save"), type="primary"):
            with ui.show_errors():
                for tag in [*more, *filter(None, [name.strip()])]:
                    shelf.tag(ui.store(), ids, tag)
                for tag in gone:
                    shelf.untag(ui.store(), ids, tag)
                st.rerun()


def _move(jobs: Sequence[Job]) -> None:
    _name(jobs)
    known = sorted({labels.project for labels in shelf.labels(ui.store()).values()} - {""})
    with st.form("project", border=False):
        chosen = st.selectbox(
            _("Project"), known, index=None, accept_new_options=True,
            placeholder=_("Choose a project, or write a new one"),
        )  # fmt: skip
        st.caption(_("Left empty, they are taken out of their project."))
        if st.form_submit_button(_("Save"), type="primary"):
            with ui.show_errors():
                shelf.move(ui.store(), [job.id for job in jobs], chosen or "")
                st.rerun()


def _again(jobs: Sequence[Job]) -> None:
    ended = [job for job in jobs if job.state not in ACTIVE_STATES]
    if not ended:
        st.caption(_("All of these are being worked on."))
        return
    st.markdown(_("These are transcribed anew; the transcripts you have stay."))
    _name(ended)
    options: dict[str, Any] = options_form("again_many", JobOptions(**ended[0].options))
    if st.button(_("Transcribe"), type="primary", icon=":material/play_arrow:"):
        with ui.show_errors():
            chosen = ui.job_options(options)
            _each(ended, lambda job: _run_again(job, chosen), _("Queued:"), left_out=jobs)
            st.rerun()


def _run_again(job: Job, options: dict[str, Any]) -> None:
    again = ui.run_again(job, options)
    shelf.keep_alike(ui.store(), again.id, job.id)


def _delete(jobs: Sequence[Job]) -> None:
    store = ui.store()
    st.markdown(
        _(
            "These recordings, their transcripts, your corrections and the sound that TranscrevAI "
            "keeps will be gone. This cannot be undone."
        )
    )
    _name(jobs)
    if any(store.job_dir(job.id) not in job.source.parents for job in jobs):
        st.caption(_("Originals that lie elsewhere on this computer stay."))
    with st.container(horizontal=True):
        if st.button(_("Delete for good"), type="primary", icon=":material/delete:"):
            _each(jobs, lambda job: store.delete_job(job.id), _("Deleted:"))
            st.rerun()
        if st.button(_("Keep them")):
            st.rerun()


_ASKING: dict[str, tuple[str, Callable[[Sequence[Job]], None]]] = {
    "export": (mark("Export"), _export),
    "tag": (mark("Tags"), _tag),
    "move": (mark("Project"), _move),
    "again": (mark("Run again"), _again),
    "delete": (mark("Delete for good?"), _delete),
}
_AT_ONCE: dict[str, tuple[str, Callable[[Job], Any], Callable[[Job], bool]]] = {
    "cancel": (
        mark("Cancelled:"),
        lambda job: ui.store().cancel(job.id),
        lambda job: job.state in ACTIVE_STATES,
    ),
    "resume": (
        mark("Queued:"),
        lambda job: ui.store().requeue(job.id),
        lambda job: job.state in ("failed", "cancelled"),
    ),
}
