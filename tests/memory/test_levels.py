"""The pure function that decides about memory, over its whole table."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from transcrevai_core.memory.levels import (
    LEVELS,
    Level,
    Limits,
    admits,
    decide,
    is_emergency,
    limits_of,
    share,
)
from transcrevai_core.memory.readings import MB, Machine, Reading, WorkerReading
from transcrevai_core.settings import load_settings

LIMITS = Limits(budget_bytes=850 * MB)  # so that own MB read like thousandths of the scale


def worker(pid: int, resident: int = 100, busy: bool = True, job: str = "job") -> WorkerReading:
    return WorkerReading("test", pid, busy, resident * MB, resident * MB, 0, 0, 0, 0.0, job)


def reading(
    pressure: float = 0.1, own: int = 100, workers: Sequence[WorkerReading] = ()
) -> Reading:
    return Reading(0.0, Machine(round(pressure * 10_000), 10_000), own * MB, tuple(workers))


# from which level, at which share of the memory, to which level: every cell of the table
TABLE = {
    #           0.699     0.70        0.749       0.75        0.799       0.80         0.849
    "normal": ("normal", "normal", "normal", "degraded", "degraded", "emergency", "emergency"),
    "degraded": ("normal", "degraded", "degraded", "degraded", "degraded", "emergency",
                 "emergency"),
    "emergency": ("normal", "degraded", "degraded", "emergency", "emergency", "emergency",
                  "emergency"),
    "kill": ("normal", "degraded", "degraded", "emergency", "emergency", "kill", "kill"),
}  # fmt: skip
SHARES = (0.699, 0.70, 0.749, 0.75, 0.799, 0.80, 0.849)
CELLS = [
    (state, full, level)
    for state, row in TABLE.items()
    for full, level in (
        *zip(SHARES, row, strict=True),
        (0.85, "kill"),
        (1.0, "kill"),
        (0, "normal"),
    )
]


@pytest.mark.parametrize(("state", "full", "level"), CELLS)
@pytest.mark.parametrize("of", ["machine", "budget"])
def test_each_cell_of_the_table(state: Any, full: Any, level: Any, of: str) -> None:
    seen = reading(pressure=full) if of == "machine" else reading(own=round(full * 1_000))
    assert share(seen, LIMITS) == pytest.approx(full, abs=0.1001 if full == 0 else 1e-6)
    decision = decide(seen, LIMITS, state)
    assert (decision.level, decision.changed) == (level, level != state)


@pytest.mark.parametrize(("state", "full", "level"), CELLS)
@pytest.mark.parametrize("workers", [(), ("idle",), ("busy",), ("busy", "idle")])
def test_what_is_done_in_each_cell(
    state: Any, full: Any, level: Any, workers: tuple[Any, ...]
) -> None:
    present = [
        worker(number, 100 * number, kind == "busy", "job" if kind == "busy" else "")
        for number, kind in enumerate(workers, start=1)
    ]
    decision = decide(reading(pressure=full, workers=present), LIMITS, state)
    assert decision.end_idle == (level != "normal" and "idle" in workers)
    assert decision.shrink_caches == (state == "normal" and level != "normal")
    # only where the share is there now: while kill lasts by hysteresis, nobody is ended
    assert decision.kill == (1 if full >= 0.85 and "busy" in workers else None)


def test_the_largest_of_those_at_work_is_ended() -> None:
    present = [worker(1, 200), worker(2, 300), worker(3, 900, False, "")]
    assert decide(reading(pressure=0.9, workers=present), LIMITS, "emergency").kill == 2
    between = worker(5, 400, busy=False)  # of a job that writes down what it was given
    assert decide(reading(pressure=0.9, workers=[*present, between]), LIMITS, "kill").kill == 5


def test_the_largest_is_ended_whoever_asked_for_it() -> None:
    present = [worker(1, 60), worker(2, 550, job="")]  # of a job; of a report
    assert decide(reading(own=900, workers=present), LIMITS, "normal").kill == 2


def test_levels_say_what_may_begin() -> None:
    assert [admits(level) for level in LEVELS] == [True, False, False, False]
    assert [is_emergency(level) for level in LEVELS] == [False, False, True, True]


def test_the_cause_is_what_fills_the_memory_more() -> None:
    assert str(decide(reading(pressure=0.82), LIMITS, "normal").cause) == (
        "82% of this computer's memory is in use"
    )
    assert str(decide(reading(own=800), LIMITS, "normal").cause) == (
        "the program takes 800 MB of its budget of 850 MB"
    )


def test_every_way_up_and_back_ends_where_the_table_says() -> None:
    for path in itertools.product((0.5, 0.76, 0.81, 0.86), repeat=4):
        level: Level = "normal"
        for full in path:
            level = decide(reading(pressure=full), LIMITS, level).level
        assert LIMITS.begins(level) - 0.05 <= path[-1]
        assert decide(reading(pressure=0.5), LIMITS, level).level == "normal"


def test_limits_come_from_the_settings_and_leave_room_in_the_plan() -> None:
    settings = load_settings(
        memory_budget_mb=600, degraded_percent=75, emergency_percent=80, kill_percent=85
    )
    limits = limits_of(settings)
    assert limits == Limits(600 * MB, 0.75, 0.80, 0.85)
    assert limits.plan_bytes // MB == 529
    assert limits_of(load_settings()).budget_bytes > 200 * MB


def test_a_cause_is_the_same_while_it_reads_the_same() -> None:
    causes = [decide(reading(pressure=share), LIMITS, "normal").cause for share in (0.8201, 0.8199)]
    assert causes[0] == causes[1]
