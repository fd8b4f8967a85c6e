"""Which recording a page is about, by its address or as the last one seen, and ways to others."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from transcrevai_core import ui
from transcrevai_core.errors import InputError, TranscrevaiError
from transcrevai_core.i18n import _
from transcrevai_core.types import Job

_LAST = "recording"  # in the session
WATCHED = "watched"  # in the session: the job whose transcript opens by itself when it is done


def known_job(job_id: str) -> Job:
    """Return the job that an address names; where there is none, say so and end the page."""
    try:
        return ui.store().job(job_id)
    except InputError:
        sentence = _("This recording is not in the library; it may have been deleted.")
        st.title(_("Not found"), anchor=False)
        st.error(sentence, icon=":material/error:")
        if st.button(_("Library"), icon=":material/folder_open:"):
            open_page(ui.LIBRARY)
        st.stop()


def tab_name(page: str) -> str:
    """Return what a tab of the browser is called: the recording that it is about, else the page."""
    with suppress(TranscrevaiError):
        if job_id := st.query_params.get("job"):
            return ui.store().job(job_id).title
    return page


def requested_job(jobs: Sequence[Job]) -> str | None:
    """Return the job that the address names, else the last one seen, else the first of `jobs`."""
    known = [job.id for job in jobs]
    last = st.session_state.get(_LAST)
    asked: str | None = st.query_params.get("job")
    return asked or (last if last in known else next(iter(known), None))


def remember_job(job_id: str) -> None:
    """Keep in the address and the session which recording the page is about."""
    st.session_state[_LAST] = job_id
    st.session_state.pop(WATCHED, None)  # not before: a run that is cut short would lose it
    if st.query_params.get("job") != job_id:  # so that a reload shows the same one
        st.query_params["job"] = job_id


def recording_field(jobs: Sequence[Job]) -> tuple[Job, bool]:
    """Draw which recordings there are; return one, and whether it is the one that was asked for."""
    known = {job.id: job for job in jobs}
    asked = requested_job(jobs)
    if asked not in known:
        st.info(_("That recording is not done, or it is gone; another one is shown."))
    chosen = st.selectbox(
        _("Recording"),
        list(known),
        index=list(known).index(asked) if asked in known else 0,
        format_func=lambda job_id: f"{known[job_id].title} ({ui.date(known[job_id].created)})",
    )
    remember_job(chosen)
    return known[chosen], asked in known


def invite(sentence: str, icon: str) -> None:
    """Fill an empty page: say why it is empty and lead to where recordings come from."""
    st.info(sentence, icon=icon)
    if st.button(_(ui.START), type="primary", icon=":material/mic:"):
        open_page(ui.TRANSCRIBE)


def open_page(page: str, job_id: str | None = None) -> NoReturn:
    """Leave this page for another one, about a job where one is given."""
    # A poll of this page that comes while the other is drawn would be run after it, and a run in
    # the name of this page makes the browser empty the other. No poll is taken of fragments that
    # are gone, and those that wait already are dropped by the switch.
    if context := get_script_run_ctx():
        context.fragment_storage.clear()
    st.switch_page(page, query_params={"job": job_id} if job_id else None)
