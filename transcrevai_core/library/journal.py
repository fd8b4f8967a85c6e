"""What memory did, kept in the library: readings, events, and what each stage of a job needed.

Readings and events are rings: the oldest leave as new ones come. Rows name the program (see
`processes.this_process`) that wrote them, because several may share a library.
"""

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

from transcrevai_core.i18n import mark
from transcrevai_core.library.database import Database
from transcrevai_core.memory.levels import Level
from transcrevai_core.memory.readings import Machine, Reading, WorkerReading
from transcrevai_core.messages import NOTHING, Message, dump, load

KEPT_READINGS, KEPT_EVENTS, KEPT_RUNS = 3_600, 1_000, 5_000  # 30 minutes at 2 a second
_LATEST = 5  # runs that correct a forecast

EventKind = Literal[
    "level", "action", "died", "restart", "recovered", "lighter", "freed", "cleaned"
]


@dataclass(frozen=True, slots=True)
class Kept:
    """A reading as it was written: at which level, and against which budget (bytes)."""

    reading: Reading
    level: Level
    budget_bytes: int


class Point(NamedTuple):
    """What was taken about a moment: pressure (0 to 1) of the machine, bytes of this program."""

    time: float
    pressure: float
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the budget made happen, with its cause; `time` is Unix time."""

    time: float
    kind: EventKind
    level: Level
    job: str
    cause: Message


@dataclass(frozen=True, slots=True)
class Run:
    """What one stage of a job needed, beside what was forecast.

    `stage` is prepare, transcription or diarization, whose bytes are of its worker (resident), or
    job, whose bytes are of the program and of all of the job's workers at once. `key` tells like
    from unlike: runs with the same one should need the same. `table_bytes` is the forecast before
    what earlier runs taught corrected it. `seconds` of work on `duration` seconds of sound; 0 where
    memory ended it, and it would have needed more than its peak.
    """

    time: float
    job: str
    stage: str
    key: str
    table_bytes: int
    forecast_bytes: int
    peak_bytes: int
    seconds: float
    duration: float

    @property
    def rtf(self) -> float:
        """Seconds of work per second of sound.

        >>> Run(0.0, "", "job", "", 0, 0, 0, 30.0, 60.0).rtf
        0.5
        """
        return self.seconds / self.duration if self.duration else 0.0

    @property
    def error(self) -> float:
        """How far the peak was from the forecast, as a share of it; above 0 it needed more.

        >>> Run(0.0, "", "job", "", 400, 400, 500, 30.0, 60.0).error
        0.25
        """
        return self.peak_bytes / self.forecast_bytes - 1 if self.forecast_bytes else 0.0


class Journal:
    """The memory's own pages in a library."""

    def __init__(self, database: Database, program: str):
        self.database = database
        self.program = program

    def add_reading(self, reading: Reading, level: Level, budget_bytes: int) -> None:
        """Write a reading, and let the oldest go."""
        workers = json.dumps([asdict(worker) for worker in reading.workers])
        machine = reading.machine
        with self.database.write() as db:
            row = db.execute(
                "INSERT INTO readings (program, time, level, used_bytes, limit_bytes, "
                "total_bytes, budget_bytes, workers) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self.program, reading.time, level, machine.used_bytes, machine.limit_bytes,
                    reading.total_bytes, budget_bytes, workers,
                ),
            )  # fmt: skip
            last = int(row.lastrowid or 0)
            db.execute("DELETE FROM readings WHERE id <= ?", (last - KEPT_READINGS,))

    def readings(self, since: float = 0.0) -> list[Kept]:
        """Return this program's readings from a moment (Unix time) on, in order of time."""
        with self.database.read() as db:
            rows = db.execute(
                "SELECT * FROM readings WHERE program = ? AND time >= ? ORDER BY id",
                (self.program, since),
            ).fetchall()
        return [
            Kept(
                Reading(
                    row["time"],
                    Machine(row["used_bytes"], row["limit_bytes"]),
                    row["total_bytes"],
                    tuple(WorkerReading(**worker) for worker in json.loads(row["workers"])),
                ),
                row["level"],
                row["budget_bytes"],
            )
            for row in rows
        ]

    def course(self, since: float, step: float) -> list[Point]:
        """Return the most that this program's readings show in each `step` seconds, in order.

        The steps are the same whatever the moment, so that a line does not waver as it moves.
        """
        with self.database.read() as db:
            rows = db.execute(
                "SELECT min(time), max(1.0 * used_bytes / limit_bytes), max(total_bytes) "
                "FROM readings WHERE program = ?1 AND time >= ?2 "
                "GROUP BY CAST(time / ?3 AS INTEGER) ORDER BY 1",
                (self.program, since, step),
            ).fetchall()
        return [Point(*row) for row in rows]

    def peak_bytes(self) -> int:
        """Return the most that this program took in the readings that are kept; 0 without any."""
        with self.database.read() as db:
            row = db.execute(
                "SELECT max(total_bytes) FROM readings WHERE program = ?", (self.program,)
            ).fetchone()
        return int(row[0] or 0)

    def add_event(self, kind: EventKind, level: Level, cause: Message, job: str = "") -> None:
        """Write an event, and let the oldest go."""
        with self.database.write() as db:
            row = db.execute(
                "INSERT INTO events (program, time, kind, level, job, cause) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (self.program, time.time(), kind, level, job, dump(cause)),
            )
            last = int(row.lastrowid or 0)
            db.execute("DELETE FROM events WHERE id <= ?", (last - KEPT_EVENTS,))

    def events(self, *, since: float = 0.0, job: str | None = None, last: int = 100) -> list[Event]:
        """Return the last events of every program, oldest first; all, or those of a job."""
        with self.database.read() as db:
            rows = db.execute(
                "SELECT time, kind, level, job, cause FROM events "
                "WHERE time >= ? AND (? IS NULL OR job = ?) ORDER BY id DESC LIMIT ?",
                (since, job, job, last),
            ).fetchall()
        return [
            Event(row["time"], row["kind"], row["level"], row["job"], load(row["cause"]))
            for row in reversed(rows)
        ]

    def add_run(self, run: Run) -> None:
        """Write what a stage needed."""
        with self.database.write() as db:
            row = db.execute(
                "INSERT INTO runs (time, job, stage, key, table_bytes, forecast_bytes, peak_bytes, "
                "seconds, duration) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                tuple(asdict(run).values()),
            )
            last = int(row.lastrowid or 0)
            db.execute("DELETE FROM runs WHERE id <= ?", (last - KEPT_RUNS,))

    def runs(self, stage: str | None = None, key: str | None = None, last: int = 100) -> list[Run]:
        """Return the last runs, oldest first; all, or those of a stage or with a key."""
        with self.database.read() as db:
            rows = db.execute(
                "SELECT time, job, stage, key, table_bytes, forecast_bytes, peak_bytes, seconds, "
                "duration FROM runs WHERE (?1 IS NULL OR stage = ?1) AND (?2 IS NULL OR key = ?2) "
                "ORDER BY id DESC LIMIT ?3",
                (stage, key, last),
            ).fetchall()
        return [Run(*row) for row in reversed(rows)]

    def correction(self, key: str) -> float:
        """Return what a forecast is to be multiplied by, from what its like needed here."""
        stages = [run for run in self.runs(key=key, last=2 * _LATEST) if run.stage != "job"]
        needed = [run.peak_bytes / run.table_bytes for run in stages[-_LATEST:] if run.table_bytes]
        # a forecast that is a little high is no harm; one that was much too low must learn
        return min(2.0, max(0.8, max(needed))) if needed else 1.0

    def rtf(self, stage: str, key: str) -> float | None:
        """Return how long the like took here of late for each second of sound; None if unknown."""
        found = [run.rtf for run in self.runs(stage, key, last=2 * _LATEST) if run.rtf > 0]
        return statistics.median(found[-_LATEST:]) if found else None


def degrading(runs: Sequence[Run], window: int = 5, tolerance: float = 1.25) -> Message:
    """Say where like runs have become worse of late; `NOTHING` where they have not.

    The mean RTF and peak of the last `window` runs of each key are held against those before;
    runs that did not come to their end, which have no seconds, are not looked at.
    """
    by_key: dict[str, list[Run]] = {}
    for run in (run for run in runs if run.seconds):
        by_key.setdefault(run.key, []).append(run)
    for key, mine in by_key.items():
        late, early = mine[-window:], mine[:-window]
        if len(late) < window or len(early) < window:
            continue
        for text, values in (
            (
                mark("Of late {key} takes longer: {times:.1f} times the mean of the runs before."),
                lambda run: run.rtf,
            ),
            (
                mark(
                    "Of late {key} needs more memory: {times:.1f} times the mean of the runs "
                    "before."
                ),
                lambda run: float(run.peak_bytes),
            ),
        ):
            before = statistics.fmean(map(values, early[-2 * window :]))
            now = statistics.fmean(map(values, late))
            if before and now > tolerance * before:
                return Message(text, {"key": key, "times": now / before})
    return NOTHING
