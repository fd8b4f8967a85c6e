"""How far jobs are, in the asker's words: told over HTTP, so that a page can stand still meanwhile.

A page asks for what it shows, moves its bars, and is drawn anew only where a mark has changed.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from transcrevai_core.codes import Note, Stage
from transcrevai_core.errors import InputError, TranscrevaiError
from transcrevai_core.i18n import _, capital, say
from transcrevai_core.jobs.progress import how_far
from transcrevai_core.jobs.queue import queue
from transcrevai_core.library import preferences
from transcrevai_core.library.store import Store
from transcrevai_core.transcript.turns import clock
from transcrevai_core.types import ACTIVE_STATES, Job
from transcrevai_core.web import transcript_routes

URL = "/api/progress"
ALL = "all"  # beside the ids of jobs: what is said of all that run or wait


def build_routes(find_store: Callable[[], Store]) -> list[Route]:
    """Return the route; `find_store` is asked at each request, when settings are known."""

    async def progress(request: Request) -> Response:
        transcript_routes.LANGUAGE.set(request.query_params.get("language", ""))
        try:
            told = await run_sync(_told, find_store, request.query_params.getlist("job"))
        except TranscrevaiError as error:
            return transcript_routes.error_response(error, 507)
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    return [Route(URL, progress, methods=["GET"])]


def _told(find_store: Callable[[], Store], job_ids: Sequence[str]) -> dict[str, Any]:
    """Answer for each job that is asked for and still there, and for all that run or wait."""
    store = find_store()
    order = queue(store)
    answer: dict[str, Any] = {ALL: {"mark": mark_of_all(order)}}
    for job_id in job_ids:
        with suppress(InputError):  # it was deleted
            answer[job_id] = told(store, store.job(job_id), order)
    return answer


def mark_of_all(order: Sequence[Job]) -> str:
    """Return what changes where other jobs run or wait; `order` is the queue."""
    return " ".join(job.id for job in order)


def told(store: Store, job: Job, order: Sequence[Job]) -> dict[str, Any]:
    """Return what a page shows of a job; `order` is the queue.

    `mark` changes where the page is to be drawn anew, `grown` where there is new text.
    """
    share, text = 1.0 if job.state == "done" else 0.0, ""
    if job.state in ACTIVE_STATES:
        share, text = _bar(store, job, order)
    last = store.segments(job.id, last=1)
    return {
        "title": job.title,
        "state": job.state,
        "mark": f"{job.state} {job.cancel_requested} {wants_model(job)}",
        "grown": f"{last[0].id if last else ''} {bool(job.diarization)}",
        "share": share,
        "text": text,
    }


def wants_model(job: Job) -> bool:
    """Tell whether a job waits for a model that cannot be had."""
    return job.stage.code is Stage.WAITING_FOR_MODEL


def _bar(store: Store, job: Job, order: Sequence[Job]) -> tuple[float, str]:
    """Say what a job waits for or does, and how much of it is done."""
    if job.state == "queued" and not job.cancel_requested:
        return 0.0, _waits(job, order)
    share, left = how_far(store, preferences.current(), job)
    if job.cancel_requested:
        return share, _("Cancelling")
    text = capital(say(job.stage)) if job.stage else _("Preparing")
    if _beside(job):
        text = _("Transcribing and telling the speakers apart")
    text += f", {share:.0%}" if share else ""
    if job.started:
        text += " · " + _("{time} elapsed", time=clock(time.time() - job.started))
    if left is not None:
        text += " · " + _("about {time} left", time=clock(max(1, left)))
    return share, text


def _waits(job: Job, order: Sequence[Job]) -> str:
    """Say what a job waits for, and how many that wait go before it."""
    waiting = [other.id for other in order if other.state == "queued"]
    before = waiting.index(job.id) if job.id in waiting else 0
    if job.stage and (wants_model(job) or not before):
        return capital(say(job.stage))
    if before:
        return _("Waiting: {number} before it", number=before)
    alone = len(waiting) == len(order)
    return _("Waiting: starts in a moment") if alone else _("Waiting: the next to start")


def _beside(job: Job) -> bool:
    """Tell whether speakers are being found while the words are."""
    missed = any(note.code is Note.NO_SPEAKERS for note in job.notes)
    wanted = job.options.get("diarize", True) and not job.diarization and not missed
    return wanted and job.stage.code is Stage.TRANSCRIBING
