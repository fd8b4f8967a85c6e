"""The real pipeline on the demo model: whole jobs, interrupted ones, failing ones."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SETTINGS, beginning, known, planned, wait_until, worker_named
from helpers import run_cli

from tools.serving import CEILING
from transcrevai_core import demo, export, transcribe, wer, workers
from transcrevai_core.codes import Note
from transcrevai_core.errors import StorageError, TranscrevaiError
from transcrevai_core.jobs import direct, tasks
from transcrevai_core.jobs.attempt import RETRIES, Attempt
from transcrevai_core.jobs.direct import open_job
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.jobs.runner import Runner
from transcrevai_core.jobs.transcribe import Transcription
from transcrevai_core.library import rows
from transcrevai_core.library.store import Store
from transcrevai_core.messages import load
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.transcript.rttm import read_rttm
from transcrevai_core.transcript.turns import overlapping
from transcrevai_core.types import ACTIVE_STATES, Chunk, Segment
from transcrevai_core.workers.worker import Worker

pytestmark = pytest.mark.slow

PT = demo.sample_path("pt")  # a minute
SHORT_CHUNKS = {"model": "demo", "language": "pt", "chunk_seconds": 5, "beam_size": 1}


@pytest.fixture(scope="module", params=["pt", "en"])
def heard(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Any]:
    """A bundled sample's name, and its transcript as one line of Python gives it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSCREVAI_HOME", str(tmp_path_factory.mktemp("heard") / "home"))
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        return request.param, transcribe(demo.sample_path(request.param), model="demo")


def decodes(store: Store, job_id: str) -> list[Any]:
    with sqlite3.connect(store.home / "library.sqlite3") as db:
        rows = db.execute("SELECT decodes FROM chunks WHERE job = ? ORDER BY number", (job_id,))
        return [row[0] for row in rows]


def finished(store: Store, job_id: str) -> Any:
    with sqlite3.connect(store.home / "library.sqlite3") as db:
        return db.execute(
            "SELECT count(*) FROM chunks WHERE job = ? AND done", (job_id,)
        ).fetchone()[0]


def assert_kept(before: Any, after: Any) -> None:
    """The same words under the same ids: not written again, though speakers may have come since."""
    words = [word for segment in before for word in segment.words]
    assert words == [word for segment in after for word in segment.words][: len(words)]
    assert {segment.id for segment in before} <= {segment.id for segment in after}


def test_a_sample_becomes_a_transcript_in_one_line(heard: tuple[Any, Any]) -> None:
    name, transcript = heard
    assert wer(demo.reference_text(name), transcript.text) <= 0.05
    assert transcript.language == name and transcript.language_probability > 0.9
    assert Note.DEMO() in transcript.notes
    assert {(s.model, s.compute_type) for s in transcript.segments} == {("demo", "int8_float32")}
    starts = [w.start for s in transcript.segments for w in s.words]
    assert starts == sorted(starts) and starts[-1] < transcript.duration


def test_word_times_agree_with_the_reference(heard: tuple[Any, Any]) -> None:
    name, transcript = heard
    ctm = demo.sample_path(name).with_suffix(".ctm").read_text(encoding="utf-8").splitlines()
    reference = [(f[4], float(f[2])) for f in map(str.split, ctm) if f]
    found = [(w.text, w.start) for s in transcript.segments for w in s.words]
    errors = []
    from difflib import SequenceMatcher

    from transcrevai_core.evaluation.normalisation import normalise

    matcher = SequenceMatcher(
        None, [normalise(w) for w, _ in reference], [normalise(w) for w, _ in found], False
    )
    for block in matcher.get_matching_blocks():
        for i in range(block.size):
            errors.append(abs(reference[block.a + i][1] - found[block.b + i][1]))
    assert len(errors) > 0.9 * len(reference)
    assert np.median(errors) <= 0.1


def test_words_of_the_samples_have_their_speakers(heard: tuple[Any, Any]) -> None:
    name, transcript = heard
    turns = read_rttm(demo.sample_path(name).with_suffix(".rttm"))
    reference, people = overlapping(turns), {turn.speaker for turn in turns}
    said: dict[str, dict[str, int]] = {}
    for segment in transcript.segments:
        for word in segment.words:
            middle = (word.start + word.end) / 2
            for turn in reference(middle, middle + 0.01):
                counts = said.setdefault(segment.speaker, {})
                counts[turn.speaker] = counts.get(turn.speaker, 0) + 1
    right = sum(max(counts.values()) for counts in said.values())
    assert right / sum(sum(counts.values()) for counts in said.values()) >= 0.97
    assert {max(counts, key=counts.__getitem__) for counts in said.values()} == people
    assert set(transcript.speakers) == set(said) and len(said) == len(people)
    assert transcript.diarization["speakers"] == len(people)
    assert str(load(transcript.diarization["why"])).startswith("vbx: ")


def test_a_recording_without_speech_ends_as_an_empty_transcript_that_says_so(
    make_sound: Callable[..., Path],
) -> None:
    transcript = transcribe(make_sound(seconds=3, hertz=440), model="demo")
    assert transcript.segments == ()
    assert Note.NO_SPEECH() in transcript.notes
    assert transcript.duration == pytest.approx(3)


def test_a_killed_worker_costs_no_more_than_the_chunk_in_hand(
    store: Store, governor: Governor
) -> None:
    job = open_job(store, PT, JobOptions(**SHORT_CHUNKS))
    thread = threading.Thread(target=direct.run, args=(governor, job), daemon=True)
    thread.start()
    for number in (3, 8):
        wait_until(lambda: finished(store, job.id) >= number)  # noqa: B023
        os.kill(known(known(worker_named("transcription")).pid), signal.SIGKILL)
    thread.join(CEILING)
    assert store.job(job.id).state == "done"
    counts = decodes(store, job.id)
    assert set(counts) <= {1, 2}
    assert counts.count(2) <= 2
    assert wer(demo.reference_text("pt"), store.transcript(job.id).text) < 0.3


def test_a_killed_program_goes_on_from_its_last_finished_chunk(
    store: Store, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "transcrevai_core"]
    options = [f"--{name}={value}" for name, value in SHORT_CHUNKS.items()]
    process = subprocess.Popen(
        [*command, "transcribe", str(PT), "--output_dir", str(tmp_path), *options],
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: store.jobs() and finished(store, store.jobs()[0].id) >= 4)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (job,) = store.jobs()
    before, count = store.segments(job.id), finished(store, job.id)
    assert job.state == "transcribing" and len(before) >= 3

    runner = Runner(store, load_settings())  # what the app does at its start
    runner.start()
    wait_until(lambda: store.job(job.id).state == "done")
    runner.stop()
    assert_kept(before, store.segments(job.id))
    counts = decodes(store, job.id)
    assert counts[:count] == [1] * count
    assert counts[count] in (1, 2) and set(counts[count + 1 :]) == {1}


def test_the_same_call_again_goes_on_with_an_interrupted_job(store: Store) -> None:
    options = JobOptions(**SHORT_CHUNKS)
    interrupted = store.add_job(PT, options.model_dump())
    assert open_job(store, PT, options).id == interrupted.id
    assert open_job(store, PT, options).id != interrupted.id  # ours now, and running


def test_cancelling_keeps_what_is_finished_and_the_job_can_go_on(
    store: Store, governor: Governor
) -> None:
    job = open_job(store, PT, JobOptions(**SHORT_CHUNKS))
    run = threading.Thread(target=direct.run, args=(governor, job), daemon=True)
    run.start()
    wait_until(lambda: finished(store, job.id) >= 3)
    store.cancel(job.id)
    run.join(CEILING)
    assert store.job(job.id).state == "cancelled"
    kept = store.segments(job.id)
    assert kept and not store.job(job.id).error
    store.requeue(job.id)
    direct.run(governor, known(store.claim(job.id)))
    assert store.job(job.id).state == "done"
    assert_kept(kept, store.segments(job.id))


def crash_on_third(
    spec: Any, wav: Path, chunk: Any, options: Any, longest: float
) -> tuple[list[Segment], int]:
    if chunk.index == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    return [Segment(chunk.start, chunk.end, f"chunk {chunk.index}")], 0


def test_a_chunk_that_kills_every_worker_fails_its_job_and_keeps_the_rest(
    store: Store, governor: Governor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "decode", crash_on_third)
    job = open_job(store, PT, JobOptions(**SHORT_CHUNKS))
    job = direct.run(governor, job)
    assert job.state == "failed"
    assert str(job.error).startswith("The transcription worker ended unexpectedly")
    assert [s.text for s in store.segments(job.id)] == ["chunk 0", "chunk 1"]
    assert decodes(store, job.id)[:4] == [1, 1, 1 + RETRIES, 0]


def load_on_gpu(spec: Any, language: str, task: Any) -> Any:
    device = "cpu" if spec.device == "cpu" else "cuda"
    return tasks.ModelReport(device, "float16" if device == "cuda" else "int8", ())


def run_out_of_gpu_memory(
    spec: Any, wav: Path, chunk: Any, options: Any, longest: float
) -> tuple[list[Segment], int]:
    if spec.device != "cpu":
        raise RuntimeError("CUDA failed with error out of memory")
    return [Segment(chunk.start, chunk.end, f"chunk {chunk.index}")], 0


def test_a_gpu_that_fails_in_mid_job_is_replaced_by_the_cpu_and_named(
    store: Store, governor: Governor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "load_model", load_on_gpu)
    monkeypatch.setattr(tasks, "decode", run_out_of_gpu_memory)
    job = open_job(store, PT, JobOptions(model="demo", language="pt"))
    job = direct.run(governor, job)
    assert (job.state, job.device, job.compute_type) == ("done", "cpu", "int8")
    assert (
        "The GPU gave up (CUDA failed with error out of memory); the CPU is used instead."
        in map(str, job.notes)
    )
    assert [s.text for s in store.segments(job.id)][:2] == ["chunk 0", "chunk 1"]


def test_a_failing_job_leaves_the_next_one_alone(
    store: Store, tmp_path: Path, make_sound: Callable[..., Path]
) -> None:
    text = tmp_path / "notes.wav"
    text.write_text("not a recording\n" * 100)
    bad = store.add_job(text, {"model": "demo"})
    gone = store.add_job(tmp_path / "gone.wav", {"model": "demo"})
    absent = store.add_job(PT, {"model": str(tmp_path / "no-model")})
    odd = store.add_job(PT, {"model": "demo", "task": "translate"})
    spanish = store.add_job(PT, {"model": "demo", "language": "es"})
    good = store.add_job(make_sound(), {"model": "demo"})
    runner = Runner(store, load_settings())
    runner.start()
    wait_until(lambda: not store.jobs(ACTIVE_STATES))
    runner.stop()
    assert store.job(good.id).state == "done"
    for job, reason in (
        (bad, "is not a recording"),
        (gone, "gone.wav is gone from where it was"),
        (absent, "There is no folder"),
        (odd, "cannot translate"),
        (spanish, "does not know Spanish"),
    ):
        assert store.job(job.id).state == "failed"
        assert reason in str(store.job(job.id).error)


def test_stopping_the_runner_leaves_the_job_to_the_next_start(store: Store) -> None:
    job = store.add_job(PT, SHORT_CHUNKS)
    runner = Runner(store, load_settings())
    runner.start()
    wait_until(lambda: finished(store, job.id) >= 2)
    runner.stop()
    assert store.job(job.id).state == "transcribing"
    assert workers.live() == []


def loaded_model() -> str | None:
    from transcrevai_core.jobs import tasks

    return tasks._loaded and tasks._loaded[0].name


def test_preloading_brings_the_model_before_the_first_job_and_idleness_ends_it(
    store: Store,
) -> None:
    runner = Runner(store, load_settings(model="demo", preload=True, model_idle_seconds=3))
    runner.start()
    wait_until(lambda: worker_named("transcription"))
    wait_until(lambda: known(worker_named("transcription")).call(loaded_model) == "demo")
    wait_until(lambda: not workers.live())
    runner.stop()


def test_a_model_that_cannot_be_loaded_in_advance_does_not_stop_the_runner(
    store: Store, make_sound: Callable[..., Path]
) -> None:
    runner = Runner(store, load_settings(model="bse", preload=True))
    runner.start()
    job = store.add_job(make_sound(), {"model": "demo"})
    wait_until(lambda: store.job(job.id).state == "done")
    runner.stop()


class FullDisk(Store):
    """A store that refuses to write while it is `full`, and counts how often."""

    full, refused = False, 0

    def update_job(self, job_id: str, **changes: Any) -> None:
        if self.full:
            self.refused += 1
            raise StorageError("The library refused: database or disk is full.")
        super().update_job(job_id, **changes)


def test_a_store_that_refuses_holds_a_job_up_only_until_there_is_room(
    home: Path, make_sound: Callable[..., Path]
) -> None:
    store = FullDisk(home)
    runner = Runner(store, load_settings())
    runner._retry_seconds = 0.2
    store.full = True
    job = store.add_job(make_sound(), {"model": "demo"})
    runner.start()
    wait_until(lambda: store.job(job.id).owner is not None)
    wait_until(lambda: store.refused > 2)
    assert store.job(job.id).state == "queued"
    store.full = False
    wait_until(lambda: store.job(job.id).state == "done")
    runner.stop()


def test_a_file_that_was_replaced_is_another_recording(store: Store, tmp_path: Path) -> None:
    path, options = tmp_path / "a.flac", JobOptions(**SHORT_CHUNKS)
    path.write_bytes(PT.read_bytes())
    first = store.add_job(path, options.model_dump())
    older = path.stat().st_mtime - 1_000
    path.write_bytes(demo.sample_path("en").read_bytes())
    os.utime(path, (older, older))
    assert open_job(store, path, options).id != first.id


def test_sound_that_was_cut_short_is_prepared_again(store: Store, governor: Governor) -> None:
    job = open_job(store, PT, JobOptions(model="demo", language="pt"))
    job = direct.run(governor, job)
    whole = store.segments(job.id)
    store.wav(job.id).write_bytes(store.wav(job.id).read_bytes()[:500_000])
    store.update_job(job.id, state="transcribing")
    direct.run(governor, known(store.claim(job.id)))
    assert [s.text for s in store.segments(job.id)] == [s.text for s in whole]
    assert set(decodes(store, job.id)) == {1}


def test_transcribe_raises_the_jobs_own_sentence(tmp_path: Path) -> None:
    with pytest.raises(TranscrevaiError, match="There is no file"):
        transcribe(tmp_path / "gone.wav", model="demo")
    with pytest.raises(TranscrevaiError, match="There is no model bse"):
        transcribe(PT, model="bse")


def test_the_text_before_is_given_on_only_where_that_is_asked(
    store: Store, governor: Governor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = store.add_job(tmp_path / "a.wav", {})
    store.save_plan(job.id, [Chunk(0, 0, 1)])
    store.save_chunk(job.id, 0, [Segment(0, 1, " Bom dia.")], dropped=0, seconds=1)

    def prompt(**options: Any) -> Any:
        mine = replace(job, options=JobOptions(**options).model_dump())
        attempt = Attempt(
            governor,
            mine,
            planned(governor, mine),
            lambda: False,
        )
        run = Transcription(attempt, Worker("none"))
        return run.arguments(Chunk(1, 1, 2))["initial_prompt"]

    assert prompt() is None
    assert prompt(initial_prompt="Ata:") == "Ata:"
    assert prompt(condition_on_previous_text=True) == "Bom dia."
    assert prompt(initial_prompt="Ata:", condition_on_previous_text=True) == "Ata: Bom dia."

    # what a chunk costs does not grow with what was said before
    store.save_plan(job.id, [Chunk(0, 0, 300)])
    said = [Segment(n, n + 1, f" Frase de número {n}.") for n in range(300)]
    store.save_chunk(job.id, 0, said, dropped=0, seconds=1)
    read: list[Any] = []
    real = rows.segment_from_row

    def from_row(row: Any) -> Segment:
        read.append(row)
        return real(row)

    monkeypatch.setattr(rows, "segment_from_row", from_row)
    assert prompt(condition_on_previous_text=True).endswith("Frase de número 299.")
    assert len(read) < 100


def test_control_c_keeps_what_is_finished_and_the_same_command_goes_on(
    store: Store, tmp_path: Path
) -> None:
    long = beginning(tmp_path / "long.wav", 60, times=2)  # not done while the signal is on its way
    command = [sys.executable, "-m", "transcrevai_core", "transcribe", str(long)]
    command += [f"--{name}={value}" for name, value in SHORT_CHUNKS.items()]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True,
        # what a shell has begun in the background ignores it, and so would all that it begins
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    wait_until(lambda: store.jobs() and finished(store, store.jobs()[0].id) >= 2)
    os.killpg(process.pid, signal.SIGINT)  # the terminal sends it to the whole group
    _, said = process.communicate(timeout=CEILING)
    (job,) = store.jobs()
    assert (process.returncode, job.state, job.owner) == (130, "cancelled", None)
    assert "interrupted; the same command again goes on from there" in said
    assert "Traceback" not in said
    again = open_job(store, long, JobOptions(**SHORT_CHUNKS))
    assert again.id == job.id and finished(store, job.id) >= 2


QUICK = {"transcribe": ["--model", "demo", "--no-diarize"], "diarize": ["--embedding", "mfcc"]}


@pytest.mark.parametrize("command", ["transcribe", "diarize"])
def test_what_is_no_recording_is_refused_before_it_is_queued(
    command: str, tmp_path: Path, store: Store
) -> None:
    readme = tmp_path / "README.mp3"  # by what is in it
    readme.write_text("# Notes\n" * 1000)
    done = run_cli(command, str(readme), str(PT), "--output_dir", str(tmp_path), *QUICK[command])
    assert done.returncode == 1
    assert "README.mp3 is not a recording that can be read" in done.stderr
    assert [(job.source.name, job.state) for job in store.jobs()] == [(PT.name, "done")]


def test_the_command_line_writes_every_format_and_scores(tmp_path: Path, store: Store) -> None:
    done = run_cli(
        "transcribe", "--sample", "pt", "--score", "--json", "--output-format", "all",
        "--output_dir", str(tmp_path / "out"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["wer"] <= 0.05
    assert result["language"] == "pt" and "reunião" in result["text"]
    written = {p.suffix[1:].lower() for p in (tmp_path / "out").iterdir()}
    assert written | {"rttm"} == set(export.FORMATS)  # rttm where there are speakers
    assert str(Note.DEMO) in done.stderr
    job_id = store.jobs()[0].id[:8]
    assert json.loads(run_cli("jobs", "list", "--json").stdout)[0]["state"] == "done"
    assert "reunião" in run_cli("jobs", "show", job_id).stdout
    assert run_cli("jobs", "export", job_id, "-f", "srt", "-o", str(tmp_path)).returncode == 0
    assert "-->" in (tmp_path / "pt.srt").read_text(encoding="utf-8")
    assert "is done" in run_cli("jobs", "resume", job_id).stderr
    assert "is done already" in run_cli("jobs", "cancel", job_id).stderr
    assert run_cli("jobs", "delete", job_id, "--yes").returncode == 0
    assert store.jobs() == []


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["transcribe"], 2, "needs recordings or --sample"),
        (["transcribe", "x.wav", "--beam-size", "99"], 2, "beam_size is 99"),
        (["transcribe", "x.wav", "--output_format", "pdf"], 2, "--output_format is pdf"),
        (["transcribe", "--sample", "fr"], 2, "There is no sample 'fr'"),
        (["transcribe", "gone.wav"], 1, "There is no file"),
        (["models", "path", "tiny"], 2, "tiny is not on this computer"),
        (["jobs", "show", "abc"], 2, "No jobs have an id"),
        (["transcribe", "--sample", "pt", "-o", "/dev/null/x"], 1, "Nothing can be written to"),
        (["models", "path", "m[odel]"], 2, "m[odel] is not on this computer"),
    ],
)
def test_wrong_use_gets_one_sentence_and_its_exit_code(
    arguments: list[str], code: int, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    done = run_cli(*arguments)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
