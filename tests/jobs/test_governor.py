"""The governor at work: simulated pressure through every level and back, admission, idle models."""

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from conftest import planned, wait_until

from tools.serving import CEILING
from transcrevai_core import demo, workers
from transcrevai_core.codes import Note, Stage
from transcrevai_core.doctor.freeing import free_memory
from transcrevai_core.errors import WorkerDied
from transcrevai_core.jobs import runner as jobs
from transcrevai_core.jobs import tasks
from transcrevai_core.jobs.attempt import RETRIES
from transcrevai_core.jobs.direct import open_job, run
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library import cache
from transcrevai_core.library.store import Store
from transcrevai_core.memory import plan as budget
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.memory.plan import Need, Plan
from transcrevai_core.memory.readings import MB, Machine, Reading
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.types import Job, Segment
from transcrevai_core.workers import admission

pytestmark = pytest.mark.slow

pytestmark = pytest.mark.slow


class Pressure:
    """Readings of a machine that is as full as the test says, with the real workers."""

    def __init__(self) -> None:
        self.share = 0.1

    def __call__(self) -> Reading:
        now = workers.take_reading()
        machine = Machine(round(self.share * 8_000 * MB), 8_000 * MB)
        return Reading(now.time, machine, 100 * MB, now.workers)


LEVELS = {"degraded_percent": 75, "emergency_percent": 80, "kill_percent": 85}


@pytest.fixture
def pressure() -> Pressure:
    return Pressure()


@pytest.fixture
def governed(store: Store, pressure: Pressure) -> Iterator[Any]:
    settings = load_settings(**LEVELS, memory_budget_mb=4_000, work_cores=2)
    with Governor(store, settings, pressure) as governor:
        yield governor


def causes(governor: Governor, kind: str) -> list[str]:
    return [str(event.cause) for event in governor.journal.events() if event.kind == kind]


def plan(megabytes: int, cores: int = 1) -> Plan:
    needs = {"prepare": Need("prepare", megabytes * MB, megabytes * MB)}
    return Plan(Shape("demo"), needs, False, cores, 100 * MB)


def test_every_level_and_back_is_recorded_with_its_cause(governed: Any, pressure: Pressure) -> None:
    for share in (0.5, 0.76, 0.81, 0.86, 0.82, 0.78, 0.74, 0.69):
        pressure.share = share
        governed.check()
    events = [event for event in governed.journal.events() if event.kind == "level"]
    assert [(event.level, str(event.cause)) for event in events] == [
        ("degraded", "76% of this computer's memory is in use"),
        ("emergency", "81% of this computer's memory is in use"),
        ("kill", "86% of this computer's memory is in use"),
        ("emergency", "78% of this computer's memory is in use"),
        ("degraded", "74% of this computer's memory is in use"),
        ("normal", "69% of this computer's memory is in use"),
    ]
    assert [kept.level for kept in governed.journal.readings()] == [
        "normal", "degraded", "emergency", "kill", "kill", "emergency", "degraded", "normal",
    ]  # fmt: skip


def test_idle_models_leave_and_caches_shrink_as_memory_gets_short(
    governed: Any, pressure: Pressure, store: Store
) -> None:
    with governed.transcriber(Shape("demo"), "job") as worker:
        pid = worker.call(os.getpid)
    kept = cache.Cache(store, governed.settings)
    for name in ("a", "b", "c"):
        kept.path(name).write_bytes(b"voices")
        kept.keep(name, "voices", name)
    governed.check()
    assert worker.pid == pid
    pressure.share = 0.76
    governed.check()
    wait_until(lambda: worker.pid is None and workers.live() == [])
    wait_until(lambda: [tier.entries for tier in kept.stats()] == [1, 0, 0])
    wait_until(lambda: len(causes(governed, "action")) == 2)
    assert [cause.split(":")[0] for cause in causes(governed, "action")] == [
        "1 idle worker ended", "2 entries left the cache",
    ]  # fmt: skip


def test_nothing_begins_while_memory_is_short(governed: Any, pressure: Pressure) -> None:
    pressure.share = 0.76
    governed.check()
    assert str(governed.admit("a", plan(200))) == (
        "waiting for memory: 76% of this computer's memory is in use"
    )
    pressure.share = 0.72  # by hysteresis it is short still
    governed.check()
    assert str(governed.admit("a", plan(200))).startswith("waiting for memory")
    pressure.share = 0.5
    governed.check()
    assert not governed.admit("a", plan(200))


def test_never_more_than_the_budget_is_promised(
    governed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "base_bytes", lambda: 500 * MB)
    room = governed.limits.plan_bytes // MB - 500  # 3,029
    assert not governed.admit("a", plan(2_000))
    assert str(governed.admit("b", plan(room - 1_999))).startswith("waiting for other work")
    assert not governed.admit("b", plan(room - 2_001))
    assert governed.admit("c", plan(1)) == Stage.WAITING_FOR_PROCESSOR()
    governed.release("a")
    assert not governed.admit("c", plan(1))


def test_what_the_machine_has_not_is_not_promised(governed: Any, pressure: Pressure) -> None:
    pressure.share = 0.6  # 4,800 of 8,000 MB; 6,800 is where workers are ended
    governed.check()
    assert str(governed.admit("a", plan(2_100))) == (
        "waiting for memory: 2100 MB are needed and 3200 MB are free on this computer"
    )
    assert not governed.admit("a", plan(1_900))


def linger(
    spec: Any, wav: Path, chunk: Any, options: Any, longest: float
) -> tuple[list[Segment], int]:
    while chunk.index and not wav.with_name("go").exists():
        time.sleep(0.02)
    return [Segment(chunk.start, chunk.end, f"{spec.name} {longest:g}")], 0


@pytest.fixture
def slow_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks that say how they were made, each but the first once `go_on` was called."""
    monkeypatch.setattr(tasks, "decode", linger)


def go_on(store: Store, job: Job) -> None:
    store.wav(job.id).with_name("go").touch()


def start(store: Store, governor: Governor, **options: Any) -> tuple[Job, Thread]:
    """Begin a job of several chunks in a thread and wait for its first one."""
    import threading

    options = {"model": "demo", "language": "pt", "chunk_seconds": 15, "diarize": False} | options
    job = open_job(store, demo.sample_path("pt"), JobOptions(**options))
    thread = threading.Thread(target=run, args=(governor, job), daemon=True)
    thread.start()
    wait_until(lambda: store.segments(job.id))
    return job, thread


def test_an_emergency_makes_the_rest_of_a_job_light_and_says_so(
    store: Store, governed: Any, pressure: Pressure, slow_words: None
) -> None:
    job, thread = start(store, governed)
    pressure.share = 0.81
    wait_until(lambda: governed.level == "emergency")
    go_on(store, job)
    thread.join(CEILING)
    done = store.job(job.id)
    assert done.state == "done"
    texts = [segment.text for segment in store.segments(job.id)]
    assert texts[0] == "demo 15" and texts[-1] == "demo 10"
    (note,) = [str(note) for note in done.notes if note.code is Note.LIGHTER_FROM]
    assert "chunks of 10 s" in note
    assert causes(governed, "lighter") == [note]


def test_at_the_kill_level_the_worker_is_ended_and_goes_on_when_there_is_room(
    store: Store, governed: Any, pressure: Pressure, slow_words: None
) -> None:
    job, thread = start(store, governed)
    pressure.share = 0.9
    wait_until(lambda: store.job(job.id).stage.code is Stage.WAITING_FOR_MEMORY)
    assert workers.live() == []
    go_on(store, job)
    pressure.share = 0.3
    thread.join(CEILING)
    assert store.job(job.id).state == "done"
    (died,) = causes(governed, "died")
    assert died == (
        "The transcription worker was ended because 90% of this computer's memory is in use; a "
        "smaller model, or fewer programs beside this one, would be right."
    )
    assert len(causes(governed, "restart")) == 1


def test_a_worker_between_two_calls_of_its_job_is_ended_too(
    governed: Any, pressure: Pressure
) -> None:
    with governed.transcriber(Shape("demo"), "job") as worker:
        pid = worker.call(os.getpid)
        pressure.share = 0.9
        wait_until(lambda: worker.pid != pid)
        with pytest.raises(WorkerDied, match="was ended because 90% of this computer's memory"):
            worker.call(os.getpid)
        pressure.share = 0.1
        governed.check()
        assert worker.call(os.getpid) != pid


def test_a_worker_is_ended_though_the_database_is_locked(
    store: Store,
    governed: Any,
    pressure: Pressure,
    slow_words: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job, thread = start(store, governed)
    other = sqlite3.connect(store.home / "library.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    (worker,) = (worker for worker in workers.live() if worker.name == "transcription")
    pid, pressure.share = worker.pid, 0.9
    wait_until(lambda: worker.pid != pid)
    other.execute("ROLLBACK")
    other.close()
    go_on(store, job)
    pressure.share = 0.3
    thread.join(CEILING)
    assert store.job(job.id).state == "done"


def test_jobs_of_other_shapes_do_not_share_a_model(governed: Any) -> None:
    with governed.transcriber(Shape("demo"), "a") as worker:
        first = worker.call(os.getpid)
    with governed.transcriber(Shape("demo", beam_size=1), "b") as worker:
        assert worker.call(os.getpid) == first
        worker.call(hold, 60)
    with governed.transcriber(Shape("demo"), "c", 60 * MB) as worker:  # it has become too large
        second = worker.call(os.getpid)
    assert second != first
    with governed.transcriber(Shape("demo", "float32"), "d") as worker:
        assert worker.call(os.getpid) not in (first, second)


def test_no_idle_worker_is_lost_sight_of(governed: Any) -> None:
    with (
        governed.transcriber(Shape("demo"), "a") as first,
        governed.transcriber(Shape("demo"), "b") as second,
    ):
        assert first.call(os.getpid) != second.call(os.getpid)
    with governed.transcriber(Shape("demo"), "c") as third:
        assert third in (first, second)
    assert governed.end_idle() == 2 and workers.live() == []


def test_a_worker_that_is_asked_just_then_ends_later(governed: Any) -> None:
    with governed.transcriber(Shape("demo"), "a") as worker:
        worker.call(os.getpid)
    with worker._busy:
        assert governed.end_idle() == 0
    assert governed.end_idle() == 1 and not worker.pid


def test_corrections_learn_from_finished_stages_alone(store: Store, governed: Any) -> None:
    options = JobOptions(model="demo", language="pt", diarize=False)
    job = open_job(store, demo.sample_path("pt"), options)
    store.cancel(job.id)
    run(governed, job)
    assert store.job(job.id).state == "cancelled" and governed.journal.runs("transcription") == []


def test_a_cancel_is_heard_while_there_is_no_memory(
    store: Store, governed: Any, pressure: Pressure, slow_words: None
) -> None:
    job, thread = start(store, governed)
    pressure.share = 0.9
    wait_until(lambda: store.job(job.id).stage.code is Stage.WAITING_FOR_MEMORY)
    store.cancel(job.id)
    thread.join(CEILING)
    assert store.job(job.id).state == "cancelled" and store.segments(job.id)


def test_speakers_give_way_to_the_words_and_follow_them(
    store: Store,
    governed: Any,
    pressure: Pressure,
    slow_words: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "diarize", hesitate)
    job, thread = start(store, governed, diarize=True)
    wait_until(lambda: {"diarization", "transcription"} <= {w.name for w in workers.live()})
    pressure.share = 0.76
    wait_until(lambda: "diarization" not in {w.name for w in workers.live()})
    assert store.job(job.id).state == "transcribing"
    go_on(store, job)
    thread.join(CEILING)
    done = store.job(job.id)
    assert done.state == "done" and done.diarization["speakers"] == 1
    assert not any(note.code is Note.NO_SPEAKERS for note in done.notes)


def hesitate(wav: Path, voices: Any, options: Any) -> tuple[list[Any], dict[str, int]]:
    """Take so long the first time that only giving way ends it."""
    before = wav.with_name("hesitated")
    if not before.exists():
        before.touch()
        time.sleep(3600)
    return [], {"speakers": 1}


def test_a_job_tells_the_next_forecast_what_it_needed(
    store: Store, governed: Any, short_recording: Path
) -> None:
    options = JobOptions(model="demo", language="pt", diarize=False)
    job = run(governed, open_job(store, short_recording, options))
    runs = {run.stage: run for run in governed.journal.runs()}
    assert set(runs) == {"prepare", "transcription", "job"}
    words = runs["transcription"]
    assert words.key == "demo, int8, beam 5" and 60 * MB < words.peak_bytes < 400 * MB
    assert runs["job"].forecast_bytes == job.forecast and runs["job"].duration == job.duration
    assert runs["job"].peak_bytes >= words.peak_bytes and runs["job"].rtf > 0
    expected = min(2.0, max(0.8, words.peak_bytes / words.table_bytes))
    assert governed.journal.correction(words.key) == pytest.approx(expected)
    again = planned(governed, job)
    assert again.needs["transcription"].bytes == pytest.approx(expected * words.table_bytes, abs=2)


def test_memory_is_given_back_on_request(store: Store, governed: Any) -> None:
    with governed.transcriber(Shape("demo"), "job") as worker:
        worker.call(hold, 50)
    freed = free_memory(store, governed.settings)
    assert freed.workers == 1 and freed.bytes > 50 * MB and workers.live() == []
    assert causes(governed, "freed") == [f"{freed.bytes / MB:.0f} MB given back on request"]


def hold(megabytes: int) -> None:
    held.append(b"x" * (megabytes * MB))


held: list[Any] = []


def test_an_idle_model_leaves_after_its_time(store: Store, governed: Any) -> None:
    governed.settings = governed.settings.model_copy(update={"model_idle_seconds": 1.0})
    with governed.transcriber(Shape("demo"), "job") as worker:
        worker.call(os.getpid)
    assert worker.pid
    wait_until(lambda: not worker.pid)


def test_settings_that_change_are_taken_on_while_it_runs(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("DEGRADED", "EMERGENCY", "KILL"):
        monkeypatch.delenv(f"TRANSCREVAI_{name}_PERCENT")
    with Governor(store, load_settings()) as governor:
        (home / "config.toml").write_text("kill_percent = 98.5\nmemory_budget_mb = 777\n")
        wait_until(lambda: governor.limits.kill == 0.985)
        assert governor.limits.budget_bytes == 777 * MB
        (home / "config.toml").write_text("kill_percent = 3\n")
        wait_until(lambda: "the changed settings cannot be used" in caplog.text)
        assert governor.limits.kill == 0.985  # what cannot be used changes nothing


def test_a_choice_that_never_fits_ends_its_job_with_the_nearest_that_does(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "base_bytes", lambda: 120 * MB)
    runner = jobs.Runner(store, load_settings(memory_budget_mb=600))
    job = store.add_job(demo.sample_path("pt"), JobOptions(model="medium").model_dump())
    runner.start()
    wait_until(lambda: store.job(job.id).state == "failed")
    runner.stop()
    error = str(store.job(job.id).error)
    assert error.startswith("The model medium needs about") and "would be right." in error


def test_pauses_before_a_restart_double_up_to_thirty_seconds(
    store: Store, governed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transcrevai_core.jobs.attempt import Attempt

    job = store.add_job(demo.sample_path("pt"), {"model": "demo"})
    attempt = Attempt(governed, job, plan(100), lambda: False)
    pauses: list[Any] = []
    monkeypatch.setattr(attempt, "pause", pauses.append)

    def die() -> None:
        raise WorkerDied("It died.")

    for first, expected in ((2.0, [2, 4, 8]), (12.0, [12, 24, 30])):
        pauses.clear()
        governed.settings = governed.settings.model_copy(update={"restart_seconds": first})
        with pytest.raises(WorkerDied):
            attempt.retry(governed.worker("transcription"), die)
        assert pauses == expected
    assert RETRIES == 3
