"""Sweeps as the library keeps them: what is tried against which reference, and what came of it."""

import hashlib
import json
import sqlite3
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transcrevai_core.cache import write
from transcrevai_core.errors import InputError
from transcrevai_core.experiments import Values, checked, export, points
from transcrevai_core.processes import is_alive
from transcrevai_core.rttm import parse_rttm
from transcrevai_core.store import Store
from transcrevai_core.types import Job

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
        return _runs(self.state, self.owner)

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

    @property
    def judged_by(self) -> str:
        """The SHA-256 of the reference."""
        return hashlib.sha256(self.plan["reference"].encode()).hexdigest()


def _runs(state: str, owner: str | None) -> bool:
    return state == "running" and is_alive((owner or "").partition(" ")[0])


def reference_file(store: Store, job_id: str) -> Path:
    """Return where the reference of a job's turns is, if there is one."""
    return store.job_dir(job_id) / "reference.rttm"


def check_reference(text: str) -> str:
    """Return the text of an RTTM; raises InputError with one sentence where it is none."""
    if len(text) > _MOST_REFERENCE or not parse_rttm(text):
        raise InputError(
            "That file holds no turns; an RTTM with lines such as SPEAKER name 1 start duration "
            "<NA> <NA> speaker would be right."
        )
    return text


def keep_reference(store: Store, job: Job, text: str) -> None:
    """Keep an RTTM with a job, once it is checked."""
    write(reference_file(store, job.id), check_reference(text).encode())


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
    """Write a plan in place of the job's earlier ones, and return the sweep's id."""
    sweep_id = uuid.uuid4().hex
    with store.database.write() as db:
        rows = db.execute("SELECT id, state, owner FROM sweeps WHERE job = ?", (job.id,)).fetchall()
        gone = [(row["id"],) for row in rows if not _runs(row["state"], row["owner"])]
        db.executemany("DELETE FROM sweeps WHERE id = ?", gone)
        db.execute(
            "INSERT INTO sweeps (id, job, created, state, plan) VALUES (?, ?, ?, 'waiting', ?)",
            (sweep_id, job.id, time.time(), json.dumps(planned)),
        )
    return sweep_id


def find(store: Store, sweep_id: str, plan: Mapping[str, Any] | None = None) -> Sweep:
    """Return a sweep as far as it has come; raises InputError where there is none.

    A `plan` that is known already is not read again: its reference may be long.
    """
    with store.database.read() as db:
        row = db.execute("SELECT * FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
        if row is None:
            raise InputError("That sweep is gone; a new one would be right.")
        return _from_row(db, row, plan)


def latest(store: Store, job_id: str) -> Sweep | None:
    """Return a job's last sweep."""
    with store.database.read() as db:
        row = db.execute(
            "SELECT * FROM sweeps WHERE job = ? ORDER BY created DESC LIMIT 1", (job_id,)
        ).fetchone()
        return _from_row(db, row) if row else None


def _from_row(
    db: sqlite3.Connection, row: sqlite3.Row, plan: Mapping[str, Any] | None = None
) -> Sweep:
    rows = db.execute(
        "SELECT number, result FROM sweep_results WHERE sweep = ? ORDER BY number", (row["id"],)
    )
    results = {found["number"]: json.loads(found["result"]) for found in rows}
    return Sweep(
        row["id"], row["job"], row["created"], row["state"], plan or json.loads(row["plan"]),
        results, row["owner"], row["error"],
    )  # fmt: skip


def cancel(store: Store, sweep_id: str) -> None:
    """Ask for the end of a sweep; what is done stays."""
    with store.database.write() as db:
        db.execute(
            "UPDATE sweeps SET state = 'cancelled' WHERE id = ? AND state != 'done'", (sweep_id,)
        )


def exported(job: Job, sweep: Sweep) -> dict[str, Any]:
    """Return a sweep with all that it takes to do it again; `parameters` are the best ones.

    `reference` is the SHA-256 of the one that judged.
    """
    best = next(iter(sweep.ranked()), None)
    found: dict[str, Any] = {"facts": {}, "turns": []}
    values = sweep.plan["base"] if best is None else sweep.settings(best)
    score = None if best is None else dict(sweep.results[best])
    rows = [{"settings": sweep.plan["points"][n], **r} for n, r in sweep.results.items()]
    tried = {
        "grid": sweep.plan["grid"], "collar": sweep.plan["collar"], "reference": sweep.judged_by,
        "results": rows,
    }  # fmt: skip
    return {**export(job, values, found, score), "sweep": tried}
