"""A job whose model cannot be had: it waits, others do not, and it goes on once it can."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until
from helpers import run_cli
from paging import put_model

from transcrevai_core import demo, transcribe
from transcrevai_core.codes import Stage
from transcrevai_core.errors import ModelAbsent, TranscrevaiError
from transcrevai_core.jobs import models, pipeline
from transcrevai_core.jobs.queue import queue
from transcrevai_core.jobs.runner import Runner
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.types import Job

OPTIONS = JobOptions(language="pt", diarize=False).model_dump()


@pytest.fixture
def asked(hub: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were asked for, in vain."""
    names: list[str] = []

    def refuse(name: str, *args: Any, **more: Any) -> None:
        names.append(name)
        raise ModelAbsent(
            "The model {name} could not be downloaded ({reason}); base would be right.",
            name=name,
            reason=Message("the hub could not be reached"),
        )

    monkeypatch.setattr(pipeline, "fetch_model", refuse)
    return names


@pytest.fixture
def begin(store: Store) -> Iterator[Callable[[], Runner]]:
    runners: list[Runner] = []

    def start() -> Runner:
        runners.append(Runner(store, load_settings()))
        runners[-1].start()
        return runners[-1]

    yield start
    for runner in runners:
        runner.stop()


def waits(store: Store, job: Job) -> bool:
    return store.job(job.id).stage.code is Stage.WAITING_FOR_MODEL


@pytest.mark.slow
def test_it_waits_through_a_restart_while_others_go_on_and_follows_with_other_options(
    store: Store, asked: list[str], begin: Callable[[], Runner], short_recording: Path
) -> None:
    first = store.add_job(short_recording, {**OPTIONS, "model": "small"}, session="a")
    runner = begin()
    wait_until(lambda: waits(store, first))
    second = store.add_job(short_recording, {**OPTIONS, "model": "demo"}, session="a")
    wait_until(lambda: store.job(second.id).state == "done")
    runner.stop()
    begin()
    third = store.add_job(short_recording, {**OPTIONS, "model": "demo"}, session="a")
    wait_until(lambda: store.job(third.id).state == "done")
    assert waits(store, first) and asked == ["small"]
    store.requeue(first.id)  # to try again
    wait_until(lambda: asked == ["small", "small"] and waits(store, first))
    store.requeue(first.id, {**OPTIONS, "model": "demo"})
    wait_until(lambda: store.job(first.id).state == "done")
    assert not store.job(first.id).error


@pytest.mark.slow
def test_it_goes_on_by_itself_once_its_model_is_here(
    store: Store,
    hub: Path,
    asked: list[str],
    begin: Callable[[], Runner],
    short_recording: Path,
) -> None:
    job = store.add_job(short_recording, {**OPTIONS, "model": "tiny"})
    begin()
    wait_until(lambda: waits(store, job))
    made = put_model(hub.parent / "aside", "Systran/faster-whisper-tiny")
    for file in demo.MODEL_DIR.iterdir():
        (made / "snapshots" / "1" / file.name).write_bytes(file.read_bytes())
    hub.mkdir(exist_ok=True)
    made.rename(hub / made.name)
    wait_until(lambda: store.job(job.id).state == "done")
    assert asked == ["tiny"]


def test_it_comes_last_and_takes_no_turn(store: Store) -> None:
    jobs = [
        store.add_job(Path(f"/{n}.wav"), OPTIONS, session=session)
        for n, session in enumerate("aab")
    ]
    stage = Stage.WAITING_FOR_MODEL(model="small", reason=Message("no hub"))
    store.update_job(jobs[0].id, stage=stage)
    assert [job.id for job in queue(store)] == [jobs[1].id, jobs[2].id, jobs[0].id]


def test_what_auto_means_may_come(store: Store, hub: Path) -> None:
    job = store.add_job(Path("/a.wav"), {**OPTIONS, "model": "auto"})
    stage = Stage.WAITING_FOR_MODEL(model="small", reason=Message("no hub"))
    store.update_job(job.id, stage=stage)
    assert models.lacks_model(store, load_settings(), store.job(job.id))
    put_model(hub, "Systran/faster-whisper-base")
    assert not models.lacks_model(store, load_settings(), store.job(job.id))


def test_it_can_be_cancelled_and_resumed(store: Store) -> None:
    job = store.add_job(Path("/a.wav"), OPTIONS)
    stage = Stage.WAITING_FOR_MODEL(model="small", reason=Message("no hub"))
    store.update_job(job.id, stage=stage)
    store.cancel(job.id)
    assert store.job(job.id).state == "cancelled"
    assert store.requeue(job.id) and not store.job(job.id).stage


@pytest.mark.slow
def test_whoever_asked_for_it_directly_gets_the_sentence_and_the_job_is_kept(
    store: Store, asked: list[str], short_recording: Path, tmp_path: Path
) -> None:
    ran = run_cli(
        "transcribe", str(short_recording), "--model", "small", "--output_dir", str(tmp_path)
    )
    assert ran.returncode == 1
    assert "small could not be downloaded (the hub could not be reached); base would" in ran.stderr
    (job,) = store.jobs()
    assert job.state == "failed" and "base would be right" in str(job.error)
    with pytest.raises(TranscrevaiError, match="base would be right"):
        transcribe(short_recording, model="small")
