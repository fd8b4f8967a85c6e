"""Speakers as a stage of a job: with words, without them, after them, and when things go wrong."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from conftest import known, planned, wait_until

from tools.serving import CEILING
from transcrevai_core import demo, diarize
from transcrevai_core.audio import decode
from transcrevai_core.codes import Note, Stage
from transcrevai_core.diarization.recipes import REVISION
from transcrevai_core.errors import InputError
from transcrevai_core.jobs import diarize as speakers
from transcrevai_core.jobs import direct, pipeline
from transcrevai_core.jobs.attempt import Attempt
from transcrevai_core.jobs.direct import open_job
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.jobs.runner import Runner
from transcrevai_core.library import cache, edits
from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.transcript.rttm import read_rttm
from transcrevai_core.types import Job, Turn
from transcrevai_core.workers.worker import Worker

pytestmark = pytest.mark.slow

PT = demo.sample_path("pt")
WORDS: dict[str, Any] = {"model": "demo", "language": "pt", "beam_size": 1}


def run(
    store: Store, governor: Governor, job: Job | None = None, source: Path = PT, **options: Any
) -> Job:
    """Bring a new job, or one that was opened again, to its end."""
    job = job or open_job(store, source, JobOptions(**options))
    return direct.run(governor, job)


def have_cores(governor: Governor, number: int) -> None:
    """Let words and speakers be found side by side, with two, or one after the other."""
    governor.settings = governor.settings.model_copy(update={"work_cores": number})


def again(store: Store, governor: Governor, job: Job, **changes: Any) -> Job:
    store.requeue(job.id, {**job.options, **changes})
    return run(store, governor, store.claim(job.id))


def asked(store: Store) -> dict[str, tuple[int, int]]:
    """How often each tier of the cache had an answer, and had none."""
    stats = cache.Cache(store, load_settings()).stats()
    return {tier.tier: (tier.hits, tier.misses) for tier in stats}


def test_words_and_speakers_come_the_same_way_one_after_the_other(
    store: Store, governor: Governor, short_recording: Path
) -> None:
    have_cores(governor, 2)
    side_by_side = run(store, governor, source=short_recording, **WORDS)
    have_cores(governor, 1)
    cache.Cache(store, load_settings()).clear()
    in_turn = run(store, governor, source=short_recording, **WORDS)
    first, second = store.transcript(side_by_side.id), store.transcript(in_turn.id)
    assert first.turns == second.turns
    assert [(s.speaker, s.text) for s in first.segments] == [
        (s.speaker, s.text) for s in second.segments
    ]


def test_they_do_run_side_by_side(
    store: Store, governor: Governor, short_recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_cores(governor, 2)
    find, waited = speakers.find, []

    def find_late(attempt: Any, in_front: Any) -> None:
        # speakers come only once words are there: one after the other would never end
        wait_until(lambda: store.segments(attempt.job.id))
        waited.append(in_front())
        find(attempt, in_front)

    monkeypatch.setattr(speakers, "find", find_late)
    job = run(store, governor, source=short_recording, chunk_seconds=5, **WORDS)
    assert job.state == "done" and waited == [False]
    speaking = {segment.speaker for segment in store.segments(job.id)}
    assert len(speaking) > 1 and speaking <= {*store.transcript(job.id).speakers}


def test_the_second_time_answers_come_from_the_cache(store: Store, governor: Governor) -> None:
    run(store, governor, model="none")
    assert asked(store) == {"voices": (0, 1), "turns": (0, 1), "sounds": (0, 0)}
    job = run(store, governor, model="none")
    assert asked(store) == {"voices": (0, 1), "turns": (1, 1), "sounds": (0, 0)}

    def unneeded(*_: Any) -> None:
        raise AssertionError("a worker was asked for what the cache knows")

    kept = cache.Cache(store, load_settings())
    attempt = Attempt(governor, job, planned(governor, job), lambda: False)
    turns, facts = speakers._find(kept, attempt, unneeded)
    assert tuple(turns) == store.transcript(job.id).turns
    assert {**facts, "seconds": 0} == {**job.diarization, "seconds": 0}
    # another number of speakers needs the voices only
    two = again(store, governor, job, speakers=2)
    assert asked(store)["voices"] == (1, 1)
    assert two.diarization["speakers"] == len(store.transcript(job.id).speakers) == 2


def test_a_broken_entry_of_the_cache_is_made_anew(store: Store, governor: Governor) -> None:
    first = run(store, governor, model="none")
    for file, wrong in zip((store.home / "cache").iterdir(), (b"{}", b"?"), strict=True):
        file.write_bytes(wrong)
    second = run(store, governor, model="none")
    assert second.state == "done"
    assert store.transcript(second.id).turns == store.transcript(first.id).turns


def test_words_can_follow_without_finding_the_speakers_again(
    store: Store, governor: Governor
) -> None:
    job = run(store, governor, model="none")
    assert (job.state, job.model, store.segments(job.id)) == ("done", "", [])
    turns = store.transcript(job.id).turns
    edits.rename_speaker(store, job.id, "SPEAKER_00", "Carlos")
    before = asked(store)
    done = again(store, governor, job, **WORDS)
    assert done.state == "done" and asked(store) == before
    transcript = store.transcript(job.id)
    assert transcript.turns == turns and transcript.names == {"SPEAKER_00": "Carlos"}
    assert {s.speaker for s in transcript.segments} == set(transcript.speakers)


def test_without_speakers_the_words_come_all_the_same(
    store: Store, governor: Governor, short_recording: Path
) -> None:
    gone = str(PT.parent / "gone.onnx")
    for together in (True, False):
        have_cores(governor, 1 + together)
        job = run(store, governor, source=short_recording, embedding=gone, **WORDS)
        assert job.state == "done" and len(store.segments(job.id)) > 3
        assert any(note.code is Note.NO_SPEAKERS for note in job.notes)
    mended = again(store, governor, job, embedding="ivector")
    assert not any(note.code is Note.NO_SPEAKERS for note in mended.notes)
    with pytest.raises(
        InputError, match="embedding is 'unheard-of'; it should be voice, campplus, ivector, "
    ):
        run(store, governor, model="none", embedding="unheard-of")


def test_who_wants_no_speakers_gets_none(
    store: Store, governor: Governor, short_recording: Path
) -> None:
    job = run(store, governor, source=short_recording, diarize=False, **WORDS)
    assert job.diarization == {} and store.transcript(job.id).speakers == ()
    found = again(store, governor, job, diarize=True)  # they can follow, too
    assert len(store.transcript(found.id).speakers) > 1


def kill_when_started(name: str) -> tuple[Callable[..., Any], list[int]]:
    """Kill the next worker process of that stage."""
    started = Worker._start

    def start(self: Worker) -> Any:
        running = started(self)
        if self.name == name and not killed:

            def strike() -> None:
                wait_until(lambda: self.pid)
                time.sleep(0.4)
                killed.append(known(self.pid))
                os.kill(killed[0], signal.SIGKILL)

            if not killing:
                killing.append(threading.Thread(target=strike))
                killing[0].start()
        return running

    killing: list[threading.Thread] = []
    killed: list[int] = []
    return start, killed


def test_a_killed_worker_is_replaced(
    store: Store, governor: Governor, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, killed = kill_when_started("diarization")
    monkeypatch.setattr(Worker, "_start", start)
    job = run(store, governor, model="none")
    assert killed[0] and job.state == "done"
    assert len(store.transcript(job.id).speakers) == 3


def test_a_killed_program_finds_the_speakers_at_its_next_start(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / "long.wav"
    decode.decode(PT, long)
    samples = np.tile(np.fromfile(long, "<i2", offset=44), 5)  # far longer than a kill takes
    import wave

    with wave.open(str(long), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    process = subprocess.Popen(
        [sys.executable, "-m", "transcrevai_core", "diarize", str(long), "--json"],
        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: store.jobs() and store.jobs()[0].stage.code is Stage.DIARIZING)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (job,) = store.jobs()
    assert job.state == "transcribing" and job.digest and job.diarization == {}
    runner = Runner(store, load_settings())
    runner.start()
    wait_until(lambda: store.job(job.id).state == "done")
    runner.stop()
    assert len(store.transcript(job.id).speakers) == 3


def test_a_cancel_ends_words_and_speakers(
    store: Store, governor: Governor, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_cores(governor, 2)
    job = open_job(store, PT, JobOptions(model="demo", chunk_seconds=5))
    thread = threading.Thread(target=direct.run, args=(governor, job), daemon=True)
    thread.start()
    wait_until(lambda: store.segments(job.id))
    store.cancel(job.id)
    thread.join(CEILING)
    assert not thread.is_alive()
    assert store.job(job.id).state == "cancelled" and store.segments(job.id)


@pytest.mark.parametrize("way", ["cancel", "end"])
def test_a_stop_while_only_speakers_are_left_does_not_end_as_done(
    store: Store,
    governor: Governor,
    short_recording: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    have_cores(governor, 2)
    ending, find = threading.Event(), speakers.find

    def never(attempt: Any, in_front: Any) -> None:
        wait_until(lambda: in_front() or attempt.should_stop())
        (lambda: store.cancel(attempt.job.id) if way == "cancel" else ending.set())()
        wait_until(attempt.should_stop)
        find(attempt, in_front)

    monkeypatch.setattr(speakers, "find", never)
    job = open_job(store, short_recording, JobOptions(**WORDS))
    job = pipeline.run_job(governor, job, planned(governor, job), ending.is_set)
    assert job.state == ("cancelled" if way == "cancel" else "transcribing")
    assert job.diarization == {} and store.segments(job.id)
    monkeypatch.setattr(speakers, "find", find)
    if way == "cancel":
        store.requeue(job.id)
    job = run(store, governor, store.claim(job.id))
    assert job.state == "done" and job.diarization["speakers"] > 1


def test_a_fault_in_the_search_for_speakers_leaves_the_words_alone(
    store: Store, governor: Governor, short_recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(attempt: Any, in_front: Any = None) -> None:
        raise OSError("no room")

    monkeypatch.setattr(speakers, "find", fail)
    for together in (True, False):
        have_cores(governor, 1 + together)
        job = run(store, governor, source=short_recording, **WORDS)
        assert job.state == "done" and len(store.segments(job.id)) > 3
        assert "Who spoke when could not be found: no room." in map(str, job.notes)


def test_a_useless_cache_costs_time_only(store: Store, governor: Governor) -> None:
    (store.home / "cache").write_text("a file where a folder should be")
    job = run(store, governor, model="none")
    assert job.state == "done" and job.diarization["speakers"] == 3


def test_a_deleted_job_takes_its_voices_along(store: Store, governor: Governor) -> None:
    first, second = run(store, governor, model="none"), run(store, governor, model="none")
    store.delete_job(first.id)
    assert len(list((store.home / "cache").iterdir())) == 2  # the same sound is there still
    store.delete_job(second.id)
    assert list((store.home / "cache").iterdir()) == []
    assert [tier.entries for tier in cache.Cache(store, load_settings()).stats()] == [0, 0, 0]


def test_the_range_does_not_matter_where_the_number_is_given(
    store: Store, governor: Governor
) -> None:
    run(store, governor, model="none", speakers=2)
    run(store, governor, model="none", speakers=2, max_speakers=9)
    assert asked(store)["turns"] == (1, 1)


def test_a_newer_way_of_finding_speakers_leaves_those_that_are_there(
    store: Store, governor: Governor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = run(store, governor, model="none")
    options = JobOptions(**job.options)
    monkeypatch.setattr(speakers, "REVISION", REVISION + 1)
    assert not speakers.wanted(job, options)
    assert speakers.wanted(job, options.model_copy(update={"speakers": 2}))
    older = {k: v for k, v in job.diarization["settings"].items() if k != "channels"}
    from dataclasses import replace

    job = replace(job, diarization=job.diarization | {"settings": older})
    assert not speakers.wanted(job, options)
    assert speakers.wanted(job, options.model_copy(update={"channels": "speakers"}))


def stereo(path: Path, left: Any, right: Any) -> Path:
    """Write two channels of 16-bit samples at 16 kHz as FLAC."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=16_000, layout="stereo", format="s16")
        both = np.stack([left, right], axis=1).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
        frame.rate = 16_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return path


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Turn], list[Turn]]:
    """A recorded call: each speaker of the sample on a channel, the other one leaking in softly."""
    folder = tmp_path_factory.mktemp("call")
    decode.decode(PT, folder / "pt.wav")
    samples = np.fromfile(folder / "pt.wav", "<i2", offset=44).astype(float)
    turns = read_rttm(PT.with_suffix(".rttm"))
    first = sorted({turn.speaker for turn in turns})[0]
    mine = np.zeros(len(samples), bool)
    for turn in turns:
        if turn.speaker == first:
            mine[round(turn.start * 16_000) : round(turn.end * 16_000)] = True
    left, right = np.where(mine, samples, 0), np.where(mine, 0, samples)
    left, right = left + 0.03 * right, right + 0.03 * left
    path = stereo(folder / "call.flac", left.astype(np.int16), right.astype(np.int16))
    return path, [t for t in turns if t.speaker == first], [t for t in turns if t.speaker != first]


def seconds_apart(reference: Any, hypothesis: Any) -> Any:
    """Seconds in which one of two speaks and the other does not."""
    grids = []
    for turns in (reference, hypothesis):
        grid = np.zeros(10_000, bool)
        for turn in turns:
            grid[round(turn.start * 100) : round(turn.end * 100)] = True
        grids.append(grid)
    return (grids[0] ^ grids[1]).sum() / 100


def test_each_channel_of_a_call_is_a_speaker(
    store: Store, governor: Governor, call: tuple[Path, list[Turn], list[Turn]]
) -> None:
    path, left, right = call
    job = run(store, governor, source=path, channels="speakers", **WORDS)
    transcript = store.transcript(job.id)
    assert transcript.speakers == ("SPEAKER_00", "SPEAKER_01")
    for label, reference in (("SPEAKER_00", left), ("SPEAKER_01", right)):
        found = [turn for turn in transcript.turns if turn.speaker == label]
        spoken = sum(turn.duration for turn in reference)
        assert seconds_apart(reference, found) < 0.15 * spoken
    assert job.diarization["by"] == "channels" and job.diarization["margin"] == 1.0
    assert len({s.speaker for s in transcript.segments}) == 2


def test_channels_can_be_asked_for_afterwards_and_keep_the_text(
    store: Store, governor: Governor, call: tuple[Path, list[Turn], list[Turn]]
) -> None:
    job = run(store, governor, source=call[0], **WORDS)
    texts = "".join(s.text for s in store.segments(job.id))
    done = again(store, governor, job, channels="speakers")
    assert done.diarization["by"] == "channels"
    assert "".join(s.text for s in store.segments(job.id)) == texts


def test_a_finished_text_does_not_fail_for_its_speakers(
    store: Store, governor: Governor, short_recording: Path
) -> None:
    job = run(store, governor, source=short_recording, **WORDS)
    turns = store.transcript(job.id).turns
    done = again(store, governor, job, channels="speakers")  # of a recording that has one
    assert done.state == "done" and any("has one channel" in str(note) for note in done.notes)
    assert store.transcript(job.id).turns == turns
    mended = again(store, governor, done, channels="mix")
    assert not any("one channel" in str(note) for note in mended.notes)


def test_channels_of_a_recording_that_has_changed_are_refused(
    store: Store, governor: Governor, call: tuple[Path, list[Turn], list[Turn]], tmp_path: Path
) -> None:
    source = tmp_path / "call.flac"
    source.write_bytes(call[0].read_bytes())
    job = run(store, governor, source=source, model="none")
    before = store.transcript(job.id)
    source.write_bytes(PT.read_bytes())
    done = again(store, governor, job, channels="speakers")
    assert done.state == "failed" and "gone or has changed" in str(done.error)
    assert store.transcript(job.id).turns == before.turns
    assert not list(store.job_dir(job.id).glob("channel*"))


def test_one_channel_cannot_be_two_speakers(store: Store, governor: Governor) -> None:
    job = run(store, governor, model="none", channels="speakers")
    assert job.state == "failed"
    assert "has one channel" in str(job.error) and "mix" in str(job.error)


def test_python_says_it_in_one_line() -> None:
    transcript = diarize(PT, speakers=3)
    assert len(transcript.speakers) == 3 and transcript.segments == ()
    with pytest.raises(InputError):
        diarize(PT, speakers=0)
