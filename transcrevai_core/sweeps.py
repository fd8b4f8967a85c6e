"""Many settings tried against a reference, one after another, each result on disk before the next.

A sweep that was cancelled, or whose program was killed, goes on where it was.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transcrevai_core import bench, laboratory
from transcrevai_core.attempt import sentence
from transcrevai_core.background import Task
from transcrevai_core.bench import Bench
from transcrevai_core.cache import Cache, write
from transcrevai_core.errors import Cancelled, InputError, WorkerDied
from transcrevai_core.experiments import Values, checked, export, points
from transcrevai_core.processes import is_alive, this_process
from transcrevai_core.rttm import parse_rttm
from transcrevai_core.settings import Settings
from transcrevai_core.store import Store
from transcrevai_core.types import Job
from transcrevai_core.workers import Worker

_RETRIES = 3  # times that a setting is tried again whose worker died
_MOST_REFERENCE = 20_000_000  # characters of an RTTM: some 300,000 turns


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is tried on a job's voices, and what has come of it.

    `plan`: `base` (all settings), `grid` (names and values), `points` (what changes of `base`),
    `collar` (seconds on each side), `reference` (RTTM). `results`, by place in the plan: what
    `laboratory.score` returned, or `error` in one sentence.
    """

    id: str
    job: str
    created: float
    state: str
    plan: Mapping[str, Any]
    results: Mapping[int, Mapping[str, Any]]
    owner: str | None = None
    error: str = ""

    @property
    def runs(self) -> bool:
        """Whether someone works on it."""
        return self.state == "running" and is_alive(self.owner)

    @property
    def share(self) -> float:
        """What is done of it, 0 to 1."""
        return len(self.results) / max(1, len(self.plan["points"]))

    @property
    def left(self) -> float | None:
        """The seconds that remain, guessed by what is done; None where nothing is."""
        if not self.results:
            return None
        took = [result["took"] for result in self.results.values()]
        return sum(took) / len(took) * (len(self.plan["points"]) - len(took))

    @property
    def elapsed(self) -> float:
        """The seconds that were spent on what is done."""
        return sum(float(result["took"]) for result in self.results.values())

    def settings(self, place: int) -> Values:
        """Return all settings of a point."""
        return {**self.plan["base"], **self.plan["points"][place]}

    def ranked(self) -> list[int]:
        """Return the places that were scored, least DER first, the earlier first of equal ones."""
        scored = [n for n, result in self.results.items() if "der" in result]
        return sorted(scored, key=lambda n: (self.results[n]["der"], n))


def reference_file(store: Store, job_id: str) -> Path:
    """Return where the reference of a job's turns is, if there is one."""
    return store.job_dir(job_id) / "reference.rttm"


def keep_reference(store: Store, job: Job, text: str) -> None:
    """Keep an RTTM with a job; raises InputError with one sentence where it is none."""
    if len(text) > _MOST_REFERENCE or not parse_rttm(text):
        raise InputError(
            "That file holds no turns; an RTTM with lines such as SPEAKER name 1 start duration "
            "<NA> <NA> speaker would be right."
        )
    write(reference_file(store, job.id), text.encode())


def plan(
    base: Mapping[str, Any],
    grid: Mapping[str, Sequence[Any]],
    reference: str,
    *,
    collar: float = 0.0,
    number: int | None = None,
) -> dict[str, Any]:
    """Return what is to be tried: all of a grid, or `number` points of it at random.

    Raises SettingError for a setting out of its range, InputError without a reference.
    """
    if not parse_rttm(reference):
        raise InputError("A sweep needs a reference to be judged by; an RTTM file would be right.")
    tried = points(grid, number)
    for point in tried:
        checked({**base, **point})
    names = {name: list(values) for name, values in grid.items()}
    return {
        "base": dict(base), "grid": names, "points": tried, "collar": collar,
        "reference": reference,
    }  # fmt: skip


def begin(store: Store, job: Job, planned: Mapping[str, Any]) -> str:
    """Write a plan and return the sweep's id; `run` works on it."""
    sweep_id = uuid.uuid4().hex
    with store.database.write() as db:
        db.execute(
            "INSERT INTO sweeps (id, job, created, state, plan) VALUES (?, ?, ?, 'waiting', ?)",
            (sweep_id, job.id, time.time(), json.dumps(planned)),
        )
    return sweep_id


def find(store: Store, sweep_id: str) -> Sweep:
    """Return a sweep as far as it has come; raises InputError where there is none."""
    with store.database.read() as db:
        row = db.execute("SELECT * FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
        if row is None:
            raise InputError("That sweep is gone; a new one would be right.")
        return _from_row(db, row)


def latest(store: Store, job_id: str) -> Sweep | None:
    """Return a job's last sweep."""
    with store.database.read() as db:
        row = db.execute(
            "SELECT * FROM sweeps WHERE job = ? ORDER BY created DESC LIMIT 1", (job_id,)
        ).fetchone()
        return _from_row(db, row) if row else None


def _from_row(db: sqlite3.Connection, row: sqlite3.Row) -> Sweep:
    rows = db.execute(
        "SELECT number, result FROM sweep_results WHERE sweep = ? ORDER BY number", (row["id"],)
    )
    results = {found["number"]: json.loads(found["result"]) for found in rows}
    return Sweep(
        row["id"], row["job"], row["created"], row["state"], json.loads(row["plan"]), results,
        row["owner"], row["error"],
    )  # fmt: skip


def cancel(store: Store, sweep_id: str) -> None:
    """Ask for the end of a sweep; what is done stays."""
    _change(store, sweep_id, "cancelled")


def _change(store: Store, sweep_id: str, state: str, error: str = "") -> None:
    with store.database.write() as db:
        db.execute(
            "UPDATE sweeps SET state = ?, error = ? WHERE id = ? AND state != 'done'",
            (state, error, sweep_id),
        )


def start(place: Bench, sweep_id: str) -> Task:
    """Run a sweep in a thread, beside the pages; it is running when this returns."""
    _claim(place.store, sweep_id)
    return Task(lambda task: _work(place.store, place.settings, sweep_id, task.stops))


def run(
    store: Store,
    settings: Settings,
    sweep_id: str,
    should_stop: Callable[[], bool] = lambda: False,
    on_result: Callable[[Sweep], None] = lambda sweep: None,
) -> Sweep:
    """Try what is still to be tried; returns the sweep with what came of it.

    Raises Cancelled where someone asked for the end, InputError where someone else works on it or
    there is no room. Either way what is done is kept.
    """
    _claim(store, sweep_id)
    return _work(store, settings, sweep_id, should_stop, on_result)


def _work(
    store: Store,
    settings: Settings,
    sweep_id: str,
    should_stop: Callable[[], bool],
    on_result: Callable[[Sweep], None] = lambda sweep: None,
) -> Sweep:
    sweep = find(store, sweep_id)
    job = store.job(sweep.job)
    worker = Worker("sweep")

    def stops() -> bool:
        return should_stop() or _state(store, sweep_id) != "running"

    try:
        for place in range(len(sweep.plan["points"])):
            if place in sweep.results:
                continue
            if stops():
                raise Cancelled("The sweep was cancelled.")
            begun = time.monotonic()
            result = _try(store, settings, worker, job, sweep, place, stops)
            result["took"] = round(time.monotonic() - begun, 3)
            with store.database.write() as db:
                db.execute(
                    "INSERT OR REPLACE INTO sweep_results (sweep, number, result) VALUES (?, ?, ?)",
                    (sweep_id, place, json.dumps(result)),
                )
            on_result(find(store, sweep_id))
        _change(store, sweep_id, "done")
    except Cancelled:
        _change(store, sweep_id, "cancelled")
        raise
    except Exception as error:  # whatever it was, it must not look as if it ran for ever
        _change(store, sweep_id, "failed", sentence(error))
        raise
    finally:
        worker.stop()
    return find(store, sweep_id)


def _state(store: Store, sweep_id: str) -> str:
    """Return a sweep's state; "cancelled" where it is gone."""
    with store.database.read() as db:
        row = db.execute("SELECT state FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
    return str(row["state"]) if row else "cancelled"


def _claim(store: Store, sweep_id: str) -> None:
    sweep = find(store, sweep_id)
    with store.database.write() as db:
        taken = db.execute(
            "UPDATE sweeps SET state = 'running', owner = ?, error = '' "
            "WHERE id = ? AND owner IS ? AND state = ?",
            (this_process(), sweep_id, sweep.owner, sweep.state),
        ).rowcount
    if sweep.runs or not taken:
        raise InputError("This sweep runs already; its end would be worth waiting for.")


def _try(
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
    key = bench.voices_key(job.digest, values)
    for retry in range(_RETRIES + 1):
        try:
            voices = Cache(store, settings).peek(key)
            if voices is None:
                question = bench.hear(store, settings, job, values, lambda done: None, should_stop)
            else:
                question = laboratory.Question(voices, store.wav(job.id), values)
            bench.ready(worker, store, settings, job, values["embedding"])
            reference, collar = sweep.plan["reference"], sweep.plan["collar"]
            return worker.call(
                laboratory.score, question, reference, collar, should_stop=should_stop
            )
        except WorkerDied as death:
            if retry == _RETRIES:
                return {"error": str(death)}
    raise AssertionError("the last try returns or raises")


def exported(job: Job, sweep: Sweep) -> dict[str, Any]:
    """Return a sweep with all that it takes to do it again; `parameters` are the best ones."""
    best = next(iter(sweep.ranked()), None)
    found: dict[str, Any] = {"facts": {}, "turns": []}
    values = sweep.plan["base"] if best is None else sweep.settings(best)
    score = None if best is None else dict(sweep.results[best])
    rows = [{"settings": sweep.plan["points"][n], **r} for n, r in sweep.results.items()]
    tried = {"grid": sweep.plan["grid"], "collar": sweep.plan["collar"], "results": rows}
    return {**export(job, values, found, score), "sweep": tried}
