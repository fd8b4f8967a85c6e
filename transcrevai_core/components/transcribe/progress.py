"""How far a job is: one number over all that it takes, and the time that remains."""

import time
from collections.abc import Sequence
from functools import lru_cache

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.codes import Note, Stage
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.i18n import _, capital, say
from transcrevai_core.jobs import planning
from transcrevai_core.memory.pace import Pace
from transcrevai_core.types import Job

_STAGES = {  # which of a plan's stages a job is in
    Stage.DOWNLOADING_MODEL: "download",
    Stage.READING: "prepare",
    Stage.LOADING_MODEL: "transcription",
    Stage.TRANSCRIBING: "transcription",
    Stage.DIARIZING: "diarization",
}
_MOST = 0.99  # until it is done


def draw_progress(job: Job, order: Sequence[Job]) -> None:
    """Draw what a job waits for or does, and how much of it is done; `order` is the queue."""
    if job.cancel_requested:
        st.progress(min(1.0, job.progress), text=_("Cancelling"))
        return
    if job.state == "queued":
        st.progress(0.0, text=_waits(job, order))
        return
    text = capital(say(job.stage) if job.stage else _(ui.STATES[job.state][0]))
    if _beside(job):
        text = _("Transcribing and telling the speakers apart")
    elapsed = time.time() - (job.started or time.time())
    done, left = _done(job, elapsed)
    text += f", {done:.0%}" if done else ""
    if job.started:
        text += " · " + _("{time} elapsed", time=ui.clock(elapsed))
    if left is not None:
        text += " · " + _("about {time} left", time=ui.clock(max(1, left)))
    st.progress(done, text=text)


def _done(job: Job, elapsed: float) -> tuple[float, float | None]:
    """Return the share of the whole that is done, and the seconds left, where they are known."""
    stage = _STAGES.get(job.stage.code) if isinstance(job.stage.code, Stage) else None
    pace = (
        _pace(job.id, str(job.options.get("model")), job.duration)
        if stage and job.duration
        else None
    )
    if not stage or pace is None:  # nobody knows the length
        return min(1.0, job.progress), None
    done = min(_MOST, pace.share(stage, job.progress))
    return done, pace.left(done, max(elapsed, job.seconds))


@lru_cache(maxsize=64)
def _pace(job_id: str, model: str, duration: float) -> Pace | None:
    """Return how long a job takes: asked once, so that what is drawn never goes back."""
    try:
        plan = ui.plan(ui.store().job(job_id).options, duration)
    except TranscrevaiError:  # it is another plan by now
        return None
    return planning.pace_for(ui.store(), plan, duration)


def wants_model(job: Job) -> bool:
    """Tell whether a job waits for a model that cannot be had."""
    return job.stage.code is Stage.WAITING_FOR_MODEL


def _waits(job: Job, order: Sequence[Job]) -> str:
    """Say what a job waits for, and how many that wait go before it."""
    if wants_model(job):
        return ui.escape(capital(say(job.stage)))
    waiting = [other.id for other in order if other.state == "queued"]
    before = waiting.index(job.id) if job.id in waiting else 0
    if job.stage and not before:
        return ui.escape(capital(say(job.stage)))
    if before:
        return _("Waiting: {number} before it", number=before)
    alone = len(waiting) == len(order)
    return _("Waiting: starts in a moment") if alone else _("Waiting: the next to start")


def _beside(job: Job) -> bool:
    """Tell whether speakers are being found while the words are."""
    missed = any(note.code is Note.NO_SPEAKERS for note in job.notes)
    wanted = job.options.get("diarize", True) and not job.diarization and not missed
    return wanted and job.stage.code is Stage.TRANSCRIBING
