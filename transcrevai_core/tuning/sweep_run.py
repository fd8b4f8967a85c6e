"""Many settings tried against a reference, one after another, each result on disk before the next.

A sweep that was cancelled, or whose program was killed, goes on where it was.
"""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from transcrevai_core.errors import Cancelled, InputError, WorkerDied
from transcrevai_core.jobs.attempt import why_failed
from transcrevai_core.jobs.diarize import voices_key
from transcrevai_core.library.cache import Cache
from transcrevai_core.library.store import Store
from transcrevai_core.messages import NOTHING, Message, dump
from transcrevai_core.settings import Settings
from transcrevai_core.tuning import laboratory, tasks
from transcrevai_core.tuning.laboratory import Laboratory
from transcrevai_core.tuning.sweeps import Sweep, find
from transcrevai_core.types import Job
from transcrevai_core.workers.background import Task
from transcrevai_core.workers.processes import this_process
from transcrevai_core.workers.worker import Worker

_RETRIES = 3  # times that a setting is tried again whose worker died


def start(lab: Laboratory, sweep_id: str) -> Task:
    """Run a sweep in a thread, beside the pages; it is running when this returns."""
    sweep = _claim(lab.store, sweep_id)

    def work(task: Task) -> None:  # what came of it is on disk, and not kept here
        _run_points(lab.store, lab.settings, sweep, task.should_stop)

    return lab.start_task(sweep_id, work)


def run(
    store: Store,
    settings: Settings,
    sweep_id: str,
    should_stop: Callable[[], bool] = lambda: False,
    on_result: Callable[[Sweep], None] | None = None,
) -> Sweep:
    """Try what is still to be tried; returns the sweep with what came of it.

    Raises Cancelled where someone asked for the end, InputError where someone else works on it or
    there is no room. Either way what is done is kept.
    """
    return _run_points(store, settings, _claim(store, sweep_id), should_stop, on_result)


def _run_points(
    store: Store,
    settings: Settings,
    sweep: Sweep,
    should_stop: Callable[[], bool],
    on_result: Callable[[Sweep], None] | None = None,
) -> Sweep:
    job = store.job(sweep.job)
    worker = Worker("sweep")

    def stops() -> bool:
        return should_stop() or not _is_owned(store, sweep)

    try:
        for place in range(len(sweep.plan["points"])):
            if place in sweep.results:
                continue
            if stops():
                raise Cancelled("The sweep was cancelled.")
            begun = time.monotonic()
            result = _score_point(store, settings, worker, job, sweep, place, stops)
            result["took"] = round(time.monotonic() - begun, 3)
            with store.database.write() as db:
                db.execute(
                    "INSERT OR REPLACE INTO sweep_results (sweep, number, result) VALUES (?, ?, ?)",
                    (sweep.id, place, json.dumps(result)),
                )
            if on_result:
                on_result(find(store, sweep.id, sweep.plan))
        _end(store, sweep, "done")
    except Cancelled:
        _end(store, sweep, "cancelled")
        raise
    except Exception as error:  # whatever it was, it must not look as if it ran for ever
        _end(store, sweep, "failed", why_failed(error))
        raise
    finally:
        laboratory.release_worker(worker)
    return find(store, sweep.id, sweep.plan)


def _is_owned(store: Store, sweep: Sweep) -> bool:
    """Tell whether a sweep is still to be worked on by the run that claimed it."""
    with store.database.read() as db:
        where = "id = ? AND owner = ? AND state = 'running'"
        row = db.execute(f"SELECT 1 FROM sweeps WHERE {where}", (sweep.id, sweep.owner)).fetchone()
    return row is not None


def _end(store: Store, sweep: Sweep, state: str, error: Message = NOTHING) -> None:
    """Write how a run ended, unless the sweep was cancelled or taken up by another since."""
    with store.database.write() as db:
        db.execute(
            "UPDATE sweeps SET state = ?, error = ? WHERE id = ? AND owner = ? "
            "AND state = 'running'",
            (state, dump(error), sweep.id, sweep.owner),
        )


def _claim(store: Store, sweep_id: str) -> Sweep:
    """Give a sweep to a new run, which tries again what failed; raises InputError if it runs."""
    sweep = find(store, sweep_id)
    with store.database.write() as db:
        taken = (
            not sweep.is_running
            and db.execute(
                "UPDATE sweeps SET state = 'running', owner = ?, error = '' "
                "WHERE id = ? AND owner IS ? AND state = ?",
                (f"{this_process()} {uuid.uuid4().hex}", sweep_id, sweep.owner, sweep.state),
            ).rowcount
        )
        if not taken:
            raise InputError("This sweep runs already; its end would be worth waiting for.")
        failed = "json_extract(result, '$.error') IS NOT NULL"
        db.execute(f"DELETE FROM sweep_results WHERE sweep = ? AND {failed}", (sweep_id,))
    return find(store, sweep_id, sweep.plan)


def _score_point(
    store: Store,
    settings: Settings,
    worker: Worker,
    job: Job,
    sweep: Sweep,
    place: int,
    should_stop: Callable[[], bool],
) -> dict[str, Any]:
    """Return the score of a point, or in one sentence why there is none."""
    values = sweep.settings(place)
    key = voices_key(job.digest, values)
    for retry in range(_RETRIES + 1):
        try:
            voices = Cache(store, settings).peek(key)
            if voices is None:
                trial = laboratory.find_voices(
                    store, settings, job, values, lambda done: None, should_stop
                )
            else:
                trial = tasks.Trial(voices, store.wav(job.id), values)
            laboratory.prepare_worker(worker, settings, job, values)
            reference, collar = sweep.plan["reference"], sweep.plan["collar"]
            return worker.call(tasks.score, trial, reference, collar, should_stop=should_stop)
        except WorkerDied as death:
            if retry == _RETRIES or death.cause == "memory":
                return {"error": str(death)}
    raise AssertionError("the last try returns or raises")
