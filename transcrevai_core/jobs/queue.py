"""Whose turn it is, and what becomes of the jobs that an earlier program left."""

import logging

from transcrevai_core.codes import Cause, Stage
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library import leftovers
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message
from transcrevai_core.types import ACTIVE_STATES, Job
from transcrevai_core.workers.processes import is_alive

log = logging.getLogger(__name__)


def queue(store: Store) -> list[Job]:
    """Return the jobs that run or wait in the order of their turns.

    Interrupted jobs go first, those whose model cannot be had go last. Sessions take turns, the one
    that was served last goes last, so that one with fifty recordings does not keep another with
    one waiting.
    """
    jobs = sorted(store.jobs(ACTIVE_STATES), key=lambda job: job.created)
    with store.database.read() as db:
        served = dict(
            tuple(row)
            for row in db.execute(
                "SELECT session, max(started) FROM jobs WHERE session != '' GROUP BY session"
            )
        )
    turns: dict[str, int] = {}
    order = []
    for job in jobs:
        waits = job.stage.code is Stage.WAITING_FOR_MODEL
        turn = turns[job.session] = turns.get(job.session, -1) + (not waits)
        last = served.get(job.session) or 0.0
        rank = (job.state == "queued") + waits
        order.append((rank, turn if job.session else 0, last, job.created, job))
    return [job for *_, job in sorted(order, key=lambda item: item[:4])]


def recover(governor: Governor) -> None:
    """Look through what an earlier program left: go on with it, or say why that cannot be."""
    kept = 0
    try:
        leftovers.sweep(governor.store.home, governor.store.database)
        for job in governor.store.jobs(ACTIVE_STATES):
            if not is_alive(job.owner):
                kept += _is_kept(governor.store, job)
    except (TranscrevaiError, OSError) as error:
        log.warning("what was left was not looked through: %s", error)
    if kept:
        many = Cause.JOBS_RECOVERED(number=kept)
        governor.event("recovered", many if kept > 1 else Cause.JOB_RECOVERED())


def _is_kept(store: Store, job: Job) -> bool:
    """Tell whether a job was interrupted and can go on; one whose recording is gone fails."""
    try:
        gone = not job.source.is_file() and not store.wav(job.id).is_file()
    except OSError as error:  # a folder without rights, a network that does not answer
        log.warning("job %s: %s", job.id, error)
        gone = False
    if gone:
        reason = Message(
            "{name} is gone from where it was; with the recording in its place, the job can go on.",
            {"name": job.source.name},
        )
        store.end_job(job.id, state="failed", error=reason)
    return not gone and job.state != "queued"
