"""Jobs as they run: drawn once, and again only where something other than a bar has changed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components import fetching
from transcrevai_core.components.following.bar import draw_progress, watch, watch_all, watch_text
from transcrevai_core.components.following.herald import tell_switch
from transcrevai_core.components.options import (
    instead_of,
    model_fields,
    model_here,
)
from transcrevai_core.components.recording import WATCHED, known_job, open_page
from transcrevai_core.components.transcript.speakers import requeue
from transcrevai_core.errors import SettingError
from transcrevai_core.i18n import _
from transcrevai_core.jobs.attempt import stored_options
from transcrevai_core.jobs.queue import queue
from transcrevai_core.library.rows import read_names
from transcrevai_core.models.catalogue import NONE
from transcrevai_core.options import JobOptions
from transcrevai_core.types import ACTIVE_STATES, Job, Segment
from transcrevai_core.web.progress import wants_model

SHOWN_SEGMENTS = 30  # drawn with each that comes; the transcript page shows them all


def watch_job(job_id: str) -> None:
    """Draw one job: how far it is, the text as it grows, and what can be done about it."""
    job = known_job(job_id)
    if st.session_state.get(WATCHED) == job_id and job.state == "done":
        open_page(ui.TRANSCRIPT, job_id)
    st.title(ui.escape(job.title), anchor=False)
    if job.state not in ACTIVE_STATES:
        _ended(job)
        return
    st.session_state[WATCHED] = job_id
    if wants_model(job):
        _wanting(job)
    else:
        draw_progress(job)
        with st.container(horizontal=True, vertical_alignment="center"):
            _cancel(job)
            tell_switch()
        st.fragment(_growing)(job_id)


def watch_jobs(also: Collection[str] = ()) -> None:
    """List what runs or waits, whoever began it, and the jobs of `also` when they have ended."""
    order = queue(ui.store())
    ended = [job for job in ui.store().jobs() if job.id in also and job.state not in ACTIVE_STATES]
    if not order and not ended:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(_("In progress") if order else _("Just finished"), anchor=False)
        if order:
            watch_all(order)
            tell_switch()
    for job in [*ended, *order]:
        _row(job, order)


def _cancel(job: Job) -> None:
    st.button(
        _("Cancel"),
        icon=":material/close:",
        disabled=job.cancel_requested,
        on_click=ui.store().cancel,
        args=(job.id,),
    )


def _wanting(job: Job) -> None:
    """Draw a job whose model cannot be had: why, and what it can go on with at once."""
    with st.container(gap=None):
        watch(job)
        ui.badge(job)
    st.warning(ui.say(job.error), icon=":material/cloud_off:")
    fetching.watch()
    options = _options_left(job)
    if options:
        _another_model(job, options, ready=False)
    with st.container(horizontal=True):
        if st.button(_("Try to download it again"), icon=":material/refresh:"):
            ui.store().requeue(job.id)
            st.rerun()
        _cancel(job)
    _text(job.id, growing=False)


def _ended(job: Job) -> None:
    ui.badge(job)
    if job.state == "failed":
        st.error(ui.say(job.error), icon=":material/error:")
    elif job.state == "cancelled":
        st.caption(_("What was finished is kept; the rest can follow at any time."))
    ui.notes(job)
    left = None if job.state == "done" else _options_left(job)
    ready = left is None or job.state == "cancelled" or bool(model_here(left.model_dump()))
    with st.container(horizontal=True):
        if job.state != "done":
            label = _("Retry") if job.state == "failed" else _("Resume")
            if st.button(label, type=ui.importance(ready), icon=":material/refresh:"):
                ui.store().requeue(job.id)
                st.rerun()
        done = job.state == "done"
        label = _("Open the transcript") if done else _("See what is finished")
        kept = done or job.diarization or ui.store().segments(job.id, last=1)
        if kept and st.button(label, type=ui.importance(done), icon=":material/article:"):
            open_page(ui.TRANSCRIPT, job.id)
    if left and (job.digest or not ready):  # else it ended before any model was needed
        _another_model(job, left, ready)
    _text(job.id, growing=False)


def _another_model(job: Job, options: JobOptions, ready: bool) -> None:
    """Offer to go on with another model, where text is still to be written; all else stays."""
    label = _("Go on with another model")
    if ready:
        drawn: Any = st.expander(label, icon=":material/swap_horiz:")
    else:  # what can be had comes first: the same once more would end as before
        drawn = st.container(border=True)
        best = instead_of(options.model_dump()) or NONE
        options = options.model_copy(update={"model": best})
    with drawn:
        if not ready:
            kept = _("What is done of this recording is kept.")
            here = (
                fetching.what_is_here() if fetching.size(best) == "" else ""
            )  # else it stands below
            st.markdown(f"**{label}.** {kept} {here}")
        values = model_fields(f"other_{job.id}", options)
        name = values["model"]
        go = _("Go on") if name == NONE else _("Go on with {name}", name=ui.escape(name))
        go, kind = go + fetching.size(name), ui.importance(not ready)
        if st.button(go, key=f"go_{job.id}", type=kind, icon=":material/play_arrow:"):
            requeue(job, values | ({"diarize": True} if values["model"] == NONE else {}))


def _options_left(job: Job) -> JobOptions | None:
    """Return a job's options where they ask for text that is still to be written."""
    try:
        options = stored_options(job)
    except SettingError:  # of another version
        return None
    written = job.digest and not ui.store().chunks(job.id, unfinished=True)
    return None if written or options.model == NONE else options


def _growing(job_id: str) -> None:
    with st.container(gap=None):
        watch_text(ui.store().job(job_id))
        _text(job_id, growing=True)


def _text(job_id: str, growing: bool) -> None:
    library = ui.store()
    segments = library.segments(job_id, last=SHOWN_SEGMENTS)
    if not segments:
        return
    if len(segments) == SHOWN_SEGMENTS:
        st.caption(_("The latest {number} segments", number=SHOWN_SEGMENTS))
    # the text scrolls only while it grows: the keyboard cannot reach into such a box everywhere
    height: int | Literal["content"] = 360 if growing else "content"
    with st.container(height=height, autoscroll=growing, border=True):
        st.markdown("  \n".join(_lines(segments, _names(job_id))))


def _names(job_id: str) -> dict[str, str]:
    with ui.store().database.read() as db:
        return read_names(db, job_id)


def _lines(segments: Sequence[Segment], names: Mapping[str, str]) -> Iterator[str]:
    """Write segments as Markdown, with the speaker's name where another one begins."""
    before: str | None = None
    for segment in segments:
        if segment.speaker and segment.speaker != before:
            yield ui.chip(segment.speaker, names)
        before = segment.speaker
        yield f"`{ui.clock(segment.start)}` {ui.marked_text(segment)}"


def _row(job: Job, order: Sequence[Job]) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{ui.escape(job.title)}**", width="stretch")
            ui.badge(job)
            if st.button(_("Open"), key=f"open_{job.id}"):
                page = ui.TRANSCRIPT if job.state == "done" else ui.TRANSCRIBE
                open_page(page, job.id)
        if job.state in ACTIVE_STATES:
            draw_progress(job, order)
        elif job.state == "failed":
            st.caption(ui.say(job.error))
