"""Sweeps as the library keeps them: what is tried against which reference, and what came of it."""

import hashlib
import json
import math
import sqlite3
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transcrevai_core.errors import InputError
from transcrevai_core.evaluation.references import choose_recording, parse, recording_name
from transcrevai_core.library.cache import write
from transcrevai_core.library.store import Store
from transcrevai_core.memory.readings import MB
from transcrevai_core.messages import NOTHING, Message, load
from transcrevai_core.transcript.rttm import parse_rttm
from transcrevai_core.tuning.parameters import Values, checked, export, points
from transcrevai_core.types import Job, Turn
from transcrevai_core.workers.processes import is_alive

MOST_MB = 20  # of a reference: some 300,000 turns
_FAR = 10.0  # seconds beyond the ends of a recording: a turn there is one of another recording
NOTE = "the best settings are judged by the reference that chose them; expect more errors elsewhere"
_SAME = 1e-9  # of DER: what differs by less differs by rounding alone
_FILE = ";; file "  # begins a reference that is kept, and is a comment in RTTM


@dataclass(frozen=True, slots=True)
class Reference:
    """Who really speaks when in one recording: how the file is called that says so, and its RTTM.

    The name is empty where it was not kept.
    """

    name: str
    text: str

    @property
    def turns(self) -> list[Turn]:
        """The turns in order of time."""
        return parse_rttm(self.text)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is tried on a job's voices, and what has come of it.

    `plan`: `base` (all settings), `grid` (names and values), `points` (what changes of `base`),
    `collar` (seconds on each side), `reference` (RTTM). `results`, by place in the plan: what
    `tasks.score` returned, or `error` in one sentence.
    """

    id: str
    job: str
    created: float
    state: str
    plan: Mapping[str, Any]
    results: Mapping[int, Mapping[str, Any]]
    owner: str | None = None
    error: Message = NOTHING

    @property
    def is_running(self) -> bool:
        """Whether someone works on it."""
        return _is_running(self.state, self.owner)

    @property
    def share(self) -> float:
        """What is done of it, 0 to 1."""
        return len(self.results) / max(1, len(self.plan["points"]))

    @property
    def left(self) -> float | None:
        """The seconds that remain, guessed by what is done; None where nothing is."""
        if not self.results:
            return None
        took: list[float] = [result["took"] for result in self.results.values()]
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
    def tied(self) -> int:
        """How many of the points that were scored have the least DER."""
        rates = [self.results[n]["der"] for n in self.ranked()]
        return sum(rate - rates[0] < _SAME for rate in rates)

    @property
    def reference_digest(self) -> str:
        """The SHA-256 of the reference."""
        return hashlib.sha256(self.plan["reference"].encode()).hexdigest()


def _is_running(state: str, owner: str | None) -> bool:
    return state == "running" and is_alive((owner or "").partition(" ")[0])


def reference_file(store: Store, job_id: str) -> Path:
    """Return where the reference of a job's turns is, if there is one."""
    return store.job_dir(job_id) / "reference.rttm"


def read_reference(job: Job, name: str, data: bytes) -> Reference:
    """Read the content of an RTTM file of that name, of a job's turns.

    Of several recordings it is the one that is called as the job is. Raises InputError with one
    sentence for a file that cannot be used.
    """
    if len(data) > MOST_MB * MB:
        raise InputError(
            "{name} is longer than {most} MB; an RTTM file would be right.", name=name, most=MOST_MB
        )
    found = parse(name, data, "rttm")
    turns = choose_recording(found, name, job.title).turns
    if not turns:
        raise InputError("{name} is empty; an RTTM file would be right.", name=name)
    length = math.inf if job.duration is None else job.duration
    for turn in turns:
        if turn.start < -_FAR or turn.end > length + _FAR:
            raise InputError(
                "{name} has a turn from {start:.10g} s to {end:.10g} s, but {title} is "
                "{length:.1f} s long; a reference of this recording would be right.",
                name=name,
                start=turn.start,
                end=turn.end,
                title=job.title,
                length=length,
            )
    lines = data.decode("utf-8-sig").splitlines(keepends=True)
    if len(found) > 1:
        own = ["SPEAKER", recording_name(job.title)]
        lines = [line for line in lines if line.split()[:2] == own]
    return Reference(name, "".join(lines))


def keep_reference(store: Store, job: Job, name: str, data: bytes) -> None:
    """Keep an RTTM file with a job, once it is read."""
    text = read_reference(job, name, data).text
    write(reference_file(store, job.id), f"{_FILE}{' '.join(name.split())}\n{text}".encode())


def kept_reference(store: Store, job_id: str) -> Reference | None:
    """Return the reference that is kept with a job, if there is one."""
    try:
        text = reference_file(store, job_id).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    if not text.startswith(_FILE):
        return Reference("", text)
    first, _, text = text.partition("\n")
    return Reference(first.removeprefix(_FILE), text)


def remove_reference(store: Store, job_id: str) -> None:
    """Keep the reference of a job no longer."""
    reference_file(store, job_id).unlink(missing_ok=True)


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


def create(store: Store, job: Job, planned: Mapping[str, Any]) -> str:
    """Write a plan in place of the job's earlier ones, and return the sweep's id."""
    sweep_id = uuid.uuid4().hex
    with store.database.write() as db:
        rows = db.execute("SELECT id, state, owner FROM sweeps WHERE job = ?", (job.id,)).fetchall()
        gone = [(row["id"],) for row in rows if not _is_running(row["state"], row["owner"])]
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
        results, row["owner"], load(row["error"]),
    )  # fmt: skip


def cancel(store: Store, sweep_id: str) -> None:
    """Ask for the end of a sweep; what is done stays."""
    with store.database.write() as db:
        db.execute(
            "UPDATE sweeps SET state = 'cancelled' WHERE id = ? AND state != 'done'", (sweep_id,)
        )


def as_dict(job: Job, sweep: Sweep) -> dict[str, Any]:
    """Return a sweep with all that it takes to do it again; `parameters` are the best ones.

    `reference` is the SHA-256 of the one that judged, and that chose them: `note` says so.
    """
    best = next(iter(sweep.ranked()), None)
    found: dict[str, Any] = {"facts": {}, "turns": []}
    values = sweep.plan["base"] if best is None else sweep.settings(best)
    score = None if best is None else dict(sweep.results[best])
    rows = [{"settings": sweep.plan["points"][n], **r} for n, r in sweep.results.items()]
    tried = {
        "grid": sweep.plan["grid"], "collar": sweep.plan["collar"],
        "reference": sweep.reference_digest, "note": NOTE, "results": rows,
    }  # fmt: skip
    return {**export(job, values, found, score), "sweep": tried}
