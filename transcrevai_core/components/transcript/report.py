"""The report of a meeting, written by a one-shot worker when someone wants it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from transcrevai_core import report, ui
from transcrevai_core.codes import Stage
from transcrevai_core.components.working import (
    is_running,
    show_progress,
    start,
    take_result,
)
from transcrevai_core.i18n import _, language
from transcrevai_core.library import history
from transcrevai_core.library.store import Store
from transcrevai_core.memory.forecast import report_bytes
from transcrevai_core.memory.levels import limits_of
from transcrevai_core.memory.plan import UNKNOWN_SECONDS
from transcrevai_core.messages import Message
from transcrevai_core.settings import load_settings
from transcrevai_core.types import Job, Transcript
from transcrevai_core.workers.background import Task
from transcrevai_core.workers.oneshot import one_shot_worker

_MADE = "report_made"  # in the session: the last one, and what it was made of
_NAMES = {"docx": "Word", "html": "HTML", "md": "Markdown"}


def report_menu(job: Job, transcript: Transcript) -> None:
    """Offer the report of a transcript that has text."""
    if transcript.segments:
        with st.popover(_("Report"), icon=":material/summarize:"):
            _menu(job.id, transcript.title)


@st.fragment
def _menu(job_id: str, title: str) -> None:
    st.caption(
        _(
            "Participants, key terms, questions, numbers and dates, each with a link to where it "
            "was said, and the text by turns."
        )
    )
    chosen = st.segmented_control(
        _("File"),
        [*_NAMES],
        default="docx",
        format_func=_NAMES.__getitem__,
        required=True,
        key=f"report_{job_id}",
    )
    address = ""
    if chosen != "docx" and st.toggle(
        _("Links that play the sound"),
        key=f"report_links_{job_id}",
        help=_("They open this program, where it runs at this address."),
    ):
        page = urlsplit(st.context.url or "")
        address = f"{page.scheme}://{page.netloc}/transcript"
    store, work = ui.store(), f"report_work_{job_id}"
    asked = (store.home, job_id, str(chosen), language(), address)
    state = (asked, _version(store, job_id))
    if made := take_result(work):
        st.session_state[_MADE] = made
    known, content = st.session_state.get(_MADE, (None, b""))
    if known != state:
        write = st.button(
            _("Write the report"),
            type="primary",
            icon=":material/summarize:",
            disabled=is_running(work),
        )
        if write:
            start(work, lambda task: (state, _write(task, asked)))
        show_progress(work)
        return
    st.download_button(
        _("Download the report"),
        # one that was corrected since is written anew: the reader draws no page after a correction
        lambda: content if _version(store, job_id) == known[1] else written(*asked),
        report.file_name(title, str(chosen)),
        report.mime_type(str(chosen)),
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def _write(task: Task, asked: tuple[Any, ...]) -> bytes:
    return written(*asked, should_stop=task.should_stop, tell=lambda now: task.report(now, 0.0))


def _version(store: Store, job_id: str) -> str:
    with store.database.read() as db:
        return history.version(db, job_id)


def written(
    home: Path,
    job_id: str,
    *asked: object,
    should_stop: Callable[[], bool] = lambda: False,
    tell: Callable[[Message], None] = lambda stage: None,
) -> bytes:
    """Return what `report.make` makes of these arguments, outside of this process.

    `tell` receives what it waits for, or does. Raises Cancelled where `should_stop` turns true,
    InputError where it can never fit the budget, and WorkerDied.
    """
    needed = report_bytes(Store(home).job(job_id).duration or UNKNOWN_SECONDS)
    limits = limits_of(load_settings(home=home))
    with one_shot_worker("report", needed, limits, should_stop=should_stop, on_wait=tell) as worker:
        tell(Stage.WRITING_REPORT())
        return worker.call(report.make, home, job_id, *asked, should_stop=should_stop)
