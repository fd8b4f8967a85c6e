"""One rule for all workers: what room they have, who is ended, and what is learnt from an end."""

import dataclasses
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import planned

from transcrevai_core import demo, workers
from transcrevai_core.codes import Stage
from transcrevai_core.doctor.costs import bounded_worker
from transcrevai_core.errors import WorkerDied
from transcrevai_core.jobs import pipeline, tasks
from transcrevai_core.jobs.attempt import Attempt
from transcrevai_core.jobs.direct import open_job, run
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.jobs.transcribe import Transcription
from transcrevai_core.library.store import Store
from transcrevai_core.memory import forecast
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.memory.levels import limits_of
from transcrevai_core.memory.plan import base_bytes, need_of
from transcrevai_core.memory.readings import MB, Machine, Reading
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.types import Segment
from transcrevai_core.workers import admission, clock
from transcrevai_core.workers.background import Task
from transcrevai_core.workers.oneshot import one_shot_worker
from transcrevai_core.workers.worker import Worker

OPTIONS = {"model": "demo", "language": "pt", "chunk_seconds": 15, "diarize": False}


def crowded() -> Any:
    """Read a machine that is full as long as some worker has 300 MB."""
    now = workers.take_reading()
    full = any(worker.resident_bytes > 300 * MB for worker in now.workers)
    return Reading(now.time, Machine(9 if full else 1, 10), 100 * MB, now.workers)


@pytest.fixture
def crowd(store: Store) -> Iterator[Any]:
    settings = load_settings(
        memory_budget_mb=4_000, degraded_percent=75, emergency_percent=80, kill_percent=85
    )
    with Governor(store, settings, crowded) as governor:
        yield governor


def swell(megabytes: int) -> Any:
    held = b"x" * (megabytes * MB)
    time.sleep(600)
    return held


def test_a_report_that_takes_too_much_is_ended_and_not_the_job_beside_it(crowd: Governor) -> None:
    def work(task: Task) -> None:
        limits = limits_of(crowd.settings)
        with one_shot_worker("report", 900 * MB, limits, should_stop=task.should_stop) as worker:
            worker.call(swell, 550, should_stop=task.should_stop)

    with crowd.transcriber(Shape("demo"), "job") as worker:
        pid = worker.call(os.getpid)
        task = Task(work)
        try:
            with pytest.raises(WorkerDied, match=r"^The report worker was ended because 90% of"):
                task.result()
        finally:
            task.cancel()
        assert worker.call(os.getpid) == pid
    assert not admission.kept()


def test_a_job_waits_for_a_report_to_give_its_room_back(store: Store, governor: Governor) -> None:
    job = open_job(store, demo.sample_path("pt"), JobOptions(**OPTIONS))
    plan = planned(governor, job)
    limits = dataclasses.replace(
        governor.limits, budget_bytes=base_bytes() + plan.workers_bytes + 300 * MB
    )
    with one_shot_worker("report", 200 * MB, limits):
        asked = ("a", plan.workers_bytes + 200 * MB, limits, workers.take_reading())
        assert admission.request(*asked) == Stage.WAITING_FOR_JOB()
    assert not admission.request(*asked)
    admission.release("a")
    assert not admission.kept()


def test_a_diagnosis_takes_no_more_than_the_budget_leaves() -> None:
    settings = load_settings(memory_budget_mb=200 + base_bytes() // MB)
    assert MB <= bounded_worker("transcription", settings).limit_bytes <= 250 * MB


# -- a forecast that was too low ---------------------------------------------------------------


def rise(megabytes: int) -> int:
    held = []
    for _ in range(megabytes):
        held.append(b"x" * MB)
        time.sleep(0.01)  # 100 MB a second
    return len(held)


@pytest.mark.parametrize(("room", "goes_on"), [(4_000, True), (350, False)])
def test_a_worker_goes_on_beyond_its_limit_where_the_budget_has_room(
    store: Store, room: int, goes_on: bool
) -> None:
    settings = load_settings(memory_budget_mb=room + base_bytes() // MB)
    with (
        Governor(store, settings) as governor,
        governor.transcriber(Shape("demo"), "job", 150 * MB) as worker,
    ):
        admission.amend("job", 0)
        now = workers.take_reading()
        assert not admission.request("job", 110 * MB, governor.limits, now)
        try:
            if goes_on:
                assert worker.call(rise, 400) == 400
                assert worker.limit_bytes > 400 * MB
                assert admission.kept()["job"].bytes > 400 * MB
                governor.check()
                said = [str(event.cause) for event in governor.journal.events()]
                assert any("needed more than its limit of 150 MB" in cause for cause in said)
            else:
                with pytest.raises(WorkerDied, match="needed more memory than its limit"):
                    worker.call(rise, 400)
        finally:
            admission.release("job")


# -- a download is tried again -----------------------------------------------------------------


def fetch_or_die(name: Any, ask_hub: Any) -> Any:
    from pathlib import Path

    tried = Path(os.environ["TRANSCREVAI_HOME"]) / "tried"
    if not tried.exists():
        tried.touch()
        os._exit(1)
    return tried


def test_a_download_of_a_job_is_tried_again(
    store: Store, governor: Governor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "fetch_model", fetch_or_die)
    job = open_job(store, demo.sample_path("pt"), JobOptions(**OPTIONS))
    plan = dataclasses.replace(planned(governor, job), shape=Shape("owner/not-here"))
    pipeline._fetch_model(Attempt(governor, job, plan, lambda: False))
    assert [event.kind for event in governor.journal.events()] == ["died", "restart"]


# -- what an end by memory teaches -------------------------------------------------------------


class Dying:
    """A worker whose every call ends it, for its memory."""

    def __init__(self, worker: Worker, peak_bytes: Any) -> None:
        self.worker, self.peak_bytes = worker, peak_bytes

    def __call__(self, *args: Any, **more: Any) -> None:
        self.worker.peak_bytes = self.peak_bytes
        raise WorkerDied("It was ended.", "memory")


@pytest.fixture
def transcription(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A transcription in float32, whose worker is ended at each call, with a peak of `peak`."""
    with Governor(store, load_settings(restart_seconds=0)) as governor:

        def make(peak: Any) -> Any:
            options = OPTIONS | {"compute_type": "float32", "threads": 2}
            job = open_job(store, demo.sample_path("pt"), JobOptions(**options))
            attempt = Attempt(governor, job, planned(governor, job), lambda: False)
            worker = governor.worker("transcription", job.id)
            monkeypatch.setattr(worker, "call", Dying(worker, peak))
            found = Transcription(attempt, worker)
            found.describe_model("cpu")
            return found

        yield make


def end_in_vain(transcription: Any) -> Any:
    with pytest.raises(WorkerDied):
        transcription.run_with_model(lambda: (tasks.detect_language,))
    return transcription.attempt.governor.journal


def test_an_end_by_memory_never_lowers_a_forecast(transcription: Any) -> None:
    work = transcription(10 * MB)  # others had taken the memory
    key = work.need().key
    journal = end_in_vain(work)
    assert journal.runs() == [] and journal.correction(key) == 1.0


def test_what_an_end_by_memory_shows_is_kept_under_the_shape_of_that_time(
    transcription: Any,
) -> None:
    work = transcription(500 * MB)
    usual = work.shape
    shapes = [usual, dataclasses.replace(usual, threads=1)]
    shapes.append(dataclasses.replace(shapes[-1], chunk_seconds=10.0))
    shapes.append(dataclasses.replace(shapes[-1], compute_type="int8"))
    runs = end_in_vain(work).runs()
    needs = [need_of(shape, lambda key: 1.0) for shape in shapes]
    assert [(run.key, run.table_bytes) for run in runs] == [
        (need.key, need.table_bytes) for need in needs
    ]
    assert {run.peak_bytes for run in runs} == {500 * MB}
    assert runs[0].key != runs[-1].key


def refuse_first(spec: Any, language: Any, task: Task) -> Any:
    from pathlib import Path

    tried = Path(os.environ["TRANSCREVAI_HOME"]) / "tried"
    if not tried.exists():
        tried.touch()
        raise MemoryError
    return tasks.ModelReport("cpu", "int8", ())


def say(spec: Any, wav: Any, chunk: Any, options: Any, longest: Any) -> Any:
    return [Segment(chunk.start, chunk.end, "Olá.")], 0


def test_a_lighter_run_is_kept_under_its_own_shape(
    store: Store, governor: Governor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "load_model", refuse_first)
    monkeypatch.setattr(tasks, "decode", say)
    job = open_job(store, demo.sample_path("pt"), JobOptions(**OPTIONS, threads=2))
    first = planned(governor, job)
    done = run(governor, job)
    assert done.state == "done"
    died, made = governor.journal.runs("transcription")
    need, lighter = (first.needs["transcription"], dataclasses.replace(first.shape, threads=1))
    # it had its limit at least when it was refused more
    assert (died.table_bytes, died.seconds) == (need.table_bytes, 0.0)
    assert died.peak_bytes >= need.bytes / 0.75 - 1
    assert made.table_bytes == forecast.transcription_bytes(lighter) < need.table_bytes
    assert made.seconds > 0
    assert governor.journal.correction(need.key) > 1.3


# -- time of work ------------------------------------------------------------------------------

PAUSE, FETCH = 4.0, 3.0


def fetch_slowly(*args: Any, **more: Any) -> None:
    time.sleep(FETCH)


def test_only_work_counts_as_the_time_of_a_job(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "load_model", refuse_first)
    monkeypatch.setattr(tasks, "decode", say)
    monkeypatch.setattr(pipeline, "locate", lambda name: None)
    monkeypatch.setattr(pipeline, "fetch_model", fetch_slowly)
    with Governor(store, load_settings(restart_seconds=PAUSE)) as governor:
        job = open_job(store, demo.sample_path("pt"), JobOptions(**OPTIONS, threads=2))
        begun = time.monotonic()
        done = run(governor, job)
        took = time.monotonic() - begun
        runs = {run.stage: run for run in governor.journal.runs()}
    assert done.state == "done"
    assert 0 < runs["job"].seconds <= took - PAUSE - FETCH
    assert 0 < runs["transcription"].seconds <= runs["job"].seconds
    assert 0 < done.seconds <= runs["job"].seconds


def test_a_job_waits_while_all_of_its_threads_do(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    working = clock.Clock()
    before = working.mine()
    now[0] += 5
    with working.paused(), working.paused():
        now[0] += 7
    assert (working.mine() - before, working.seconds()) == (5, 5)
    with working.beside():  # the other thread works on
        with working.paused():
            now[0] += 11
        now[0] += 1
    assert (working.mine() - before, working.seconds()) == (6, 17)
