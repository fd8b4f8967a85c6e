"""What a sudden end, a full disk, a locked database or a deleted file leave, and how it goes on."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import known, wait_until, worker_named

from transcrevai_core import demo
from transcrevai_core.jobs import tasks
from transcrevai_core.jobs.direct import open_job, run
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.jobs.queue import queue
from transcrevai_core.jobs.runner import Runner
from transcrevai_core.library import database
from transcrevai_core.library.journal import Journal
from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.types import Segment
from transcrevai_core.workers import admission

pytestmark = pytest.mark.slow

pytestmark = pytest.mark.slow

OPTIONS = {"model": "demo", "language": "pt", "beam_size": 1, "chunk_seconds": 5}
WORDS = {"model": "demo", "language": "pt", "beam_size": 1, "diarize": False}  # in one chunk


def recovered(store: Store) -> list[str]:
    events = Journal(store.database, "").events()
    return [str(event.cause) for event in events if event.kind == "recovered"]


PROGRAM = """
import sys, pathlib
from transcrevai_core.jobs.runner import Runner
from transcrevai_core.jobs.queue import queue
from transcrevai_core.settings import load_settings
from transcrevai_core.library.store import Store
settings = load_settings(work_cores=4)
runner = Runner(Store(settings.home), settings)
runner.start()
sys.stdin.read()
"""


def test_jobs_of_a_killed_program_go_on_and_it_says_how_many(
    store: Store, short_recording: Path, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.wav"
    gone.write_bytes(short_recording.read_bytes())
    added = [store.add_job(short_recording, WORDS) for _ in range(2)]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: len(store.jobs(("preparing", "transcribing"))) == 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lost = store.add_job(gone, WORDS)
    gone.unlink()
    runner = Runner(store, load_settings())
    runner.start()
    wait_until(lambda: all(store.job(job.id).state == "done" for job in added))
    runner.stop()
    assert recovered(store) == ["Recovered 2 jobs"]
    failed = store.job(lost.id)
    assert failed.state == "failed" and str(failed.error) == (
        "gone.wav is gone from where it was; with the recording in its place, the job can go on."
    )
    gone.write_bytes(short_recording.read_bytes())
    store.requeue(lost.id)
    runner = Runner(store, load_settings())
    runner.start()
    wait_until(lambda: store.job(lost.id).state == "done")
    runner.stop()
    assert recovered(store) == ["Recovered 2 jobs"]  # nothing was interrupted since


def fill_the_disk(source: Path, wav: Path, *_: Any) -> None:
    wav.with_suffix(".part").write_bytes(b"half")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_ends_the_job_with_one_sentence(
    store: Store, governor: Governor, short_recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "prepare", fill_the_disk)
    job = run(governor, open_job(store, short_recording, JobOptions(**OPTIONS)))
    assert job.state == "failed"
    assert (
        str(job.error)
        == "The disk is full; make room and go on with short.wav, what is done is kept."
    )
    assert not [*store.job_dir(job.id).glob("*.part")]


def vanish(
    spec: Any, wav: Path, chunk: Any, options: Any, longest: float
) -> tuple[list[Segment], int]:
    if chunk.index == 2:
        wav.unlink()
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(wav))
    return [Segment(chunk.start, chunk.end, f"chunk {chunk.index}")], 0


def test_a_file_deleted_in_mid_job_is_one_sentence_and_nothing_done_is_lost(
    store: Store, governor: Governor, short_recording: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "decode", vanish)
        job = run(governor, open_job(store, short_recording, JobOptions(**OPTIONS)))
    assert job.state == "failed" and str(job.error) == (
        "A file of short.wav was removed while it was worked on; with the recording in its place, "
        "the job can go on."
    )
    kept = store.segments(job.id)
    assert len(kept) == 2
    store.requeue(job.id)
    job = run(governor, known(store.claim(job.id)))
    assert job.state == "done"
    assert [s.id for s in kept] == [s.id for s in store.segments(job.id)][:2]
    assert kept[0].text == "chunk 0" == store.segments(job.id)[0].text


def test_a_locked_database_holds_a_job_up_and_breaks_nothing(
    store: Store,
    short_recording: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(Runner, "_retry_seconds", 0.3)
    job = store.add_job(short_recording, OPTIONS)
    runner = Runner(store, load_settings())
    runner.start()
    wait_until(lambda: store.segments(job.id))
    other = sqlite3.connect(store.home / "library.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    wait_until(lambda: f"job {job.id} was left" in caplog.text)
    other.execute("ROLLBACK")
    wait_until(lambda: store.job(job.id).state == "done")
    runner.stop()
    assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    counts = [n for (n,) in other.execute("SELECT decodes FROM chunks")]
    assert set(counts) <= {1, 2} and counts.count(2) <= 1
    other.close()


def test_sessions_take_turns_and_what_was_interrupted_goes_first(store: Store) -> None:
    def add(session: Any, **changes: Any) -> Any:
        job = store.add_job(demo.sample_path("pt"), {}, session=session)
        if changes:
            store.update_job(job.id, **changes)
        return job.id

    many = [add("many") for _ in range(3)]
    one = add("one")
    nobody = add("")
    interrupted = add("many", state="transcribing")
    order = [many[0], one, nobody, many[1], many[2]]
    assert [job.id for job in queue(store)] == [interrupted, *order]


def test_one_place_goes_round_the_sessions(store: Store) -> None:
    names = {}
    for session in ("many", "many", "many", "one", "other", "one"):
        job = store.add_job(demo.sample_path("pt"), {}, session=session)
        names[job.id] = session
    served = []
    while waiting := queue(store):
        served.append(names[waiting[0].id])
        store.update_job(waiting[0].id, state="done", started=float(len(served)))
    assert served == ["many", "one", "other", "many", "one", "many"]


def run_until_done(store: Store, *job_ids: Any, **settings: Any) -> None:
    runner = Runner(store, load_settings(**settings))
    runner._retry_seconds = 0.3
    runner.start()
    try:
        wait_until(lambda: all(store.job(i).state in ("done", "failed") for i in job_ids))
    finally:
        runner.stop()


def test_a_claim_that_fails_keeps_no_room(
    store: Store, make_sound: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from transcrevai_core.errors import StorageError

    real = store.claim
    refusals: list[Any] = []

    def claim(job_id: str) -> Any:
        if len(refusals) < 2:
            if not refusals:
                store.cancel(job_id)  # it never comes back for its room
            refusals.append(job_id)
            raise StorageError("The library refused: database is locked.")
        return real(job_id)

    monkeypatch.setattr(store, "claim", claim)
    ids = [store.add_job(make_sound(), OPTIONS).id for _ in range(3)]
    run_until_done(store, *ids[1:], work_cores=1)
    assert [store.job(i).state for i in ids] == ["cancelled", "done", "done"]
    assert refusals == ids[:2]


def test_options_of_another_version_end_their_job_only(
    store: Store, make_sound: Callable[..., Path]
) -> None:
    sound = make_sound()
    bad = store.add_job(sound, {"model": "demo", "beam_size": 99})
    worse = store.add_job(sound, {"model": "demo", "unheard_of": 1})
    good = store.add_job(sound, OPTIONS)
    run_until_done(store, bad.id, worse.id, good.id)
    assert store.job(good.id).state == "done"
    assert str(store.job(bad.id).error).startswith("beam_size is 99; it should be")
    assert "There is no setting named unheard_of" in str(store.job(worse.id).error)


def test_a_folder_that_cannot_be_looked_into_does_not_stop_the_runner(
    store: Store, make_sound: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    job = store.add_job(make_sound(), OPTIONS)
    hidden = store.add_job(Path("/hidden/a.wav"), OPTIONS)
    real = Path.is_file

    def is_file(self: Path) -> bool:
        if str(self).startswith("/hidden"):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return real(self)

    monkeypatch.setattr(Path, "is_file", is_file)
    run_until_done(store, job.id, hidden.id)
    assert store.job(job.id).state == "done" and store.job(hidden.id).state == "failed"


def test_a_killed_idle_worker_costs_the_next_job_nothing(
    store: Store, governor: Governor, short_recording: Path
) -> None:
    options = JobOptions(**WORDS)
    first = run(governor, open_job(store, short_recording, options))
    idle = worker_named("transcription")
    os.kill(known(known(idle).pid), signal.SIGKILL)
    wait_until(lambda: not worker_named("transcription"))
    added = store.add_job(short_recording, options.model_dump())
    second = run(governor, known(store.claim(added.id)))
    assert (first.state, second.state, str(second.error)) == ("done", "done", "")


def test_a_recording_longer_than_was_thought_is_checked_again(
    store: Store, governor: Governor, short_recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transcrevai_core.memory import forecast

    # what was not read yet is taken for an hour
    monkeypatch.setattr(
        forecast,
        "diarization_bytes",
        lambda _, seconds, **more: 10**8 if seconds == 3600 else 10**13,
    )
    job = run(governor, open_job(store, short_recording, JobOptions(**OPTIONS)))
    assert job.state == "failed" and "MB can be planned; " in str(job.error)
    assert store.chunks(job.id) and not admission.kept()


def test_a_job_waits_for_its_turn_and_positions_are_told(store: Store) -> None:
    ids = [store.add_job(demo.sample_path("pt"), {"model": "demo"}).id for _ in range(3)]
    assert [job.id for job in queue(store)] == ids
    store.cancel(ids[0])
    assert [job.id for job in queue(store)] == ids[1:]
