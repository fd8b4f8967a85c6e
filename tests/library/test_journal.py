"""Readings, events and runs in the library: rings, corrections, and what has become worse."""

import time
from typing import Any

import pytest

from transcrevai_core.library import journal
from transcrevai_core.library.journal import Journal, Run, degrading
from transcrevai_core.library.store import Store
from transcrevai_core.memory.readings import MB, Machine, Reading, WorkerReading
from transcrevai_core.messages import Message


@pytest.fixture
def mine(store: Store) -> Journal:
    return Journal(store.database, "1:mine")


def reading(at: float) -> Reading:
    worker = WorkerReading("transcription", 7, True, 3, 2, 4, 5, 1, 0.5, "job")
    return Reading(at, Machine(60, 100), 20, (worker,))


def test_a_reading_comes_back_as_it_was(mine: Journal, store: Store) -> None:
    mine.add_reading(reading(10.0), "degraded", 500)
    (kept,) = mine.readings()
    assert (kept.reading, kept.level, kept.budget_bytes) == (reading(10.0), "degraded", 500)
    assert mine.readings(since=11.0) == []
    assert Journal(store.database, "2:other").readings() == []


def test_the_oldest_readings_and_events_leave(
    mine: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "KEPT_READINGS", 5)
    monkeypatch.setattr(journal, "KEPT_EVENTS", 3)
    for number in range(20):
        mine.add_reading(reading(float(number)), "normal", 1)
        mine.add_event("level", "normal", Message(f"event {number}"), "a" if number % 2 else "b")
    assert [kept.reading.time for kept in mine.readings()] == [15.0, 16.0, 17.0, 18.0, 19.0]
    assert [str(event.cause) for event in mine.events()] == ["event 17", "event 18", "event 19"]
    assert [str(event.cause) for event in mine.events(job="b")] == ["event 18"]
    assert mine.events(since=time.time() + 1) == []


def run(
    key: str = "base",
    table: int = 100,
    peak: int = 100,
    seconds: float = 30.0,
    forecast: Any = None,
) -> Run:
    forecast = table if forecast is None else forecast
    return Run(0.0, "job", "transcription", key, table, forecast, peak, seconds, 60.0)


def test_a_forecast_learns_from_what_its_like_needed(mine: Journal) -> None:
    assert mine.correction("base") == 1.0
    mine.add_run(run(peak=130))
    assert mine.correction("base") == pytest.approx(1.3)
    assert mine.correction("small") == 1.0
    mine.add_run(run(peak=120, forecast=130))  # corrected already: what the table says counts
    assert mine.correction("base") == pytest.approx(1.3)
    for _ in range(5):
        mine.add_run(run(peak=110))
    assert mine.correction("base") == pytest.approx(1.1)  # the last five
    for _ in range(5):
        mine.add_run(run(peak=10))
    assert mine.correction("base") == 0.8  # never far below the table
    mine.add_run(run(peak=900))
    assert mine.correction("base") == 2.0


def test_runs_are_found_by_stage_and_key(mine: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    mine.add_run(run(peak=100 * MB))
    mine.add_run(run("small"))
    assert [r.key for r in mine.runs()] == ["base", "small"]
    assert mine.runs("prepare") == [] and mine.runs(key="small") == [run("small")]
    monkeypatch.setattr(journal, "KEPT_RUNS", 2)
    mine.add_run(run("tiny"))
    assert [r.key for r in mine.runs()] == ["small", "tiny"]


def test_what_becomes_worse_is_said_and_what_does_not_is_not() -> None:
    steady = [run() for _ in range(20)]
    assert not degrading(steady)
    slower = steady + [run(seconds=60.0)] * 5
    assert (
        str(degrading(slower))
        == "Of late base takes longer: 2.0 times the mean of the runs before."
    )
    larger = steady + [run(peak=150)] * 5
    assert "base needs more memory: 1.5 times" in str(degrading(larger))
    assert not degrading(steady + [run("small", peak=900, seconds=600.0)] * 5)  # another kind
    assert not degrading(steady + [run(seconds=33.0)] * 5)  # within the tolerance
    assert not degrading([run(seconds=60.0)] * 5)  # nothing to hold it against
    # what memory ended has no time that others could be held against
    assert not degrading([run(seconds=0.0), run()] * 5 + [run()] * 5)
