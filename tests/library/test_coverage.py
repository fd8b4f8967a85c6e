"""Speech without words: found by hand-made plans, and transcribed again by the real pipeline."""

import json
import os
import shutil
import signal
import sqlite3
import threading
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SETTINGS, known, wait_until, worker_named
from paging import checked, open_page, press
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner, Result

from tools.serving import CEILING
from transcrevai_core import demo, wer
from transcrevai_core.cli import app as cli
from transcrevai_core.codes import Note, Stage
from transcrevai_core.errors import InputError
from transcrevai_core.jobs import direct, tasks
from transcrevai_core.jobs import runner as jobs
from transcrevai_core.jobs.direct import open_job
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library import coverage, edits
from transcrevai_core.library.coverage import Gap, cover, of_job, transcribe_again
from transcrevai_core.library.rows import requeue
from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.types import Chunk, Job, Region, Segment, Turn, Word

OPTIONS = {"model": "demo", "language": "pt", "beam_size": 1, "chunk_seconds": 5}


def words(*spans: Any, **changes: Any) -> Segment:
    made = tuple(Word(start, end, " sim", 0.9) for start, end in spans)
    return Segment(made[0].start, made[-1].end, " sim" * len(made), made, **changes)


def chunk(index: Any, *regions: Any) -> Chunk:
    spoken = tuple(Region(*region) for region in regions)
    return Chunk(index, spoken[0].start, spoken[-1].end, spoken)


def spans(found: Any) -> list[tuple[Any, Any]]:
    return [(gap.start, gap.end) for gap in found.gaps]


# -- what a gap is -----------------------------------------------------------------------------


def test_a_stretch_without_words_is_a_gap_and_a_shorter_pause_is_none() -> None:
    plan = [chunk(0, (0, 10), (11, 12))]
    found = cover(plan, [words((0, 2), (3.4, 4), (5.5, 10))])
    assert spans(found) == [(4, 5.5), (11, 12)]
    assert found.speech == 11 and found.share == pytest.approx(8.5 / 11)


def test_silence_is_no_gap() -> None:
    found = cover([chunk(0, (0, 2), (8, 10))], [words((0, 2)), words((8, 10))])
    assert found.share == 1.0 and not found.gaps
    assert cover([], []).share == 1.0


def test_regions_between_which_nobody_is_written_are_one_gap_up_to_a_chunk() -> None:
    plan = [chunk(0, (0, 4), (5, 9), (20, 24)), chunk(1, (31, 33))]
    found = cover(plan, [words((0, 4))], longest=30)
    assert spans(found) == [(5, 33)] and found.gaps[0].seconds == 10
    assert spans(cover(plan, [words((0, 4))], longest=15)) == [(5, 9), (20, 33)]
    assert spans(cover(plan, [words((0, 4), (12, 13))])) == [(5, 9), (20, 33)]


def test_the_text_of_the_user_covers_its_whole_segment() -> None:
    plan = [chunk(0, (0, 10))]
    heard = words((0, 1), (9, 10))
    assert spans(cover(plan, [heard])) == [(1, 9)]
    assert not cover(plan, [replace(heard, edited="")]).gaps
    assert not cover(plan, [Segment(0, 10, " sem palavras")]).gaps
    # ... that begins long before
    others = [words((n, n + 0.1)) for n in range(1, 10)]
    assert not cover([chunk(0, (0, 30))], [Segment(0, 30, " tudo"), *others]).gaps


def test_what_is_unfinished_is_no_gap_yet() -> None:
    plan = [chunk(0, (0, 10)), chunk(1, (10, 20))]
    found = cover(plan, [words((0, 10))], unfinished=plan[1:])
    assert found.share == 1.0 and found.speech == 10


def test_a_gap_remembers_that_it_was_tried() -> None:
    plan = [chunk(0, (0, 10)), chunk(1, (12, 20)), chunk(2, (4, 6))]
    text = [words((0, 4), (6, 10)), words((12, 15), (17, 20))]
    found = cover(plan, text)
    assert [(gap.start, gap.state) for gap in found.gaps] == [(4, "tried"), (15, "new")]
    assert found.speech == 18  # the gap is not counted twice
    assert cover(plan, text, unfinished=plan[2:]).gaps[0].state == "waiting"


# -- in the library ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def transcribed(short_recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one transcript, made once."""
    home = tmp_path_factory.mktemp("coverage") / "home"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        store = Store(home)
        with Governor(store, load_settings(home=home)) as governor:
            job = direct.run(governor, open_job(store, short_recording, JobOptions(**OPTIONS)))
    assert job.state == "done" and not of_job(store, job.id).gaps
    return home


@pytest.fixture
def done(store: Store, transcribed: Path) -> Job:
    shutil.copytree(transcribed / "jobs", store.home / "jobs", dirs_exist_ok=True)
    with (
        sqlite3.connect(transcribed / "library.sqlite3") as full,
        sqlite3.connect(store.home / "library.sqlite3") as own,
    ):
        full.backup(own)
    return store.jobs()[0]


def lose(store: Store, job: Job, number: int) -> None:
    """Take the text of a chunk away, as a model that stayed silent would."""
    with store.database.write() as db:
        db.execute("DELETE FROM segments WHERE job = ? AND chunk = ?", (job.id, number))


def go_on(store: Store, governor: Governor, job: Job) -> Job:
    return direct.run(governor, known(store.claim(job.id)))


@pytest.mark.slow
def test_a_gap_that_is_transcribed_again_is_text_again_and_nothing_else_changes(
    store: Store, governor: Governor, done: Job
) -> None:
    before = store.transcript(done.id)
    edits.edit_text(store, known(before.segments[0].id), "Outra coisa.")
    lose(store, done, 1)
    kept, runs = store.segments(done.id), governor.journal.runs()
    (gap,) = of_job(store, done.id).gaps
    lost = store.chunks(done.id)[1]
    assert lost.start <= gap.start and gap.end <= lost.end
    transcribe_again(store, done, [gap])
    assert (
        store.job(done.id).state == "queued" and of_job(store, done.id).gaps[0].state == "waiting"
    )
    assert go_on(store, governor, done).state == "done"
    after = store.transcript(done.id)
    assert not of_job(store, done.id).gaps
    assert wer(before.text, replace(after, segments=tuple(
        replace(s, edited=None) for s in after.segments)).text) < 0.1  # fmt: skip
    assert [s for s in after.segments if s in kept] == kept and kept[0].edited == "Outra coisa."
    assert after.turns == before.turns
    new = [s for s in after.segments if s not in kept]
    assert {s.speaker for s in new} <= set(before.speakers) and all(s.speaker for s in new)
    assert [s.start for s in after.segments] == sorted(s.start for s in after.segments)
    assert governor.journal.runs() == runs  # a part tells nothing of the whole
    with pytest.raises(InputError, match="no gap"):  # a page that was drawn before asks again
        transcribe_again(store, store.job(done.id), [gap])


@pytest.mark.slow
def test_a_kill_in_between_keeps_the_rest_and_the_gaps_go_on(
    store: Store, governor: Governor, done: Job
) -> None:
    for number in (0, 2):
        lose(store, done, number)
    kept = store.segments(done.id)
    first, second = of_job(store, done.id).gaps
    transcribe_again(store, done, [first, second])
    run = threading.Thread(target=go_on, args=(store, governor, done), daemon=True)
    run.start()
    wait_until(lambda: store.job(done.id).stage.code is Stage.TRANSCRIBING)
    if worker := worker_named("transcription"):
        os.kill(known(worker.pid), signal.SIGKILL)
    store.cancel(done.id)
    run.join(CEILING)
    assert [s for s in store.segments(done.id) if s in kept] == kept
    assert store.job(done.id).state == "done"  # as it was before; what was not tried can be again
    if left := of_job(store, done.id).gaps:
        transcribe_again(store, store.job(done.id), left)
        go_on(store, governor, done)
    assert not of_job(store, done.id).gaps
    assert [s for s in store.segments(done.id) if s in kept] == kept


@pytest.mark.slow
def test_where_nothing_is_said_nothing_is_invented_and_the_gap_says_so(
    store: Store, governor: Governor, done: Job
) -> None:
    wav = store.wav(done.id)
    with wave.open(str(wav)) as sound:
        length = sound.getnframes()
    with wave.open(str(wav), "wb") as sound:  # what was taken for speech is silence
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(2 * length))
    lose(store, done, 1)
    kept = store.segments(done.id)
    transcribe_again(store, done, of_job(store, done.id).gaps)
    assert go_on(store, governor, done).state == "done"
    assert store.segments(done.id) == kept
    (gap,) = of_job(store, done.id).gaps
    assert gap.state == "tried"


@pytest.mark.slow
def test_only_a_job_that_has_ended_takes_gaps(store: Store, done: Job) -> None:
    with pytest.raises(InputError, match="no gap"):
        transcribe_again(store, done, [])
    lose(store, done, 1)
    gaps = of_job(store, done.id).gaps
    store.update_job(done.id, state="transcribing")
    with pytest.raises(InputError, match="worked on"):
        transcribe_again(store, done, gaps)
    assert len(store.chunks(done.id)) == len(coverage.split(store.chunks(done.id))[0])


@pytest.mark.slow
def test_a_recording_that_was_replaced_never_costs_the_text(
    store: Store, governor: Governor, done: Job, tmp_path: Path
) -> None:
    edits.edit_text(store, known(store.segments(done.id)[0].id), "Outra coisa.")
    lose(store, done, 1)
    kept, gaps = store.segments(done.id), of_job(store, done.id).gaps
    store.wav(done.id).unlink()
    other = tmp_path / "other.mp3"
    other.write_bytes(demo.sample_path("en").read_bytes())
    store.update_job(done.id, source=str(other))
    job = store.job(done.id)
    for ask in (
        lambda: transcribe_again(store, job, gaps),
        lambda: store.requeue(job.id, {**job.options, "speakers": 1}),
    ):
        with pytest.raises(InputError, match="gone or has changed"):
            ask()
    with store.database.write() as db:  # as if it had been replaced after it was asked for
        requeue(db, job.id, {**job.options, "diarize": True, "speakers": 1})
    assert "no longer the recording" in str(go_on(store, governor, job).error)
    assert store.segments(job.id) == kept and kept[0].edited and not store.wav(job.id).exists()


@pytest.mark.slow
def test_gaps_that_come_to_nothing_leave_the_transcript_done(
    store: Store, governor: Governor, done: Job
) -> None:
    lose(store, done, 1)
    kept, (gap,) = store.segments(done.id), of_job(store, done.id).gaps
    transcribe_again(store, done, [gap])
    store.cancel(done.id)
    assert store.job(done.id).state == "done" and of_job(store, done.id).gaps == (gap,)
    transcribe_again(store, done, [gap])
    store.wav(done.id).unlink()
    store.update_job(done.id, source="/gone.mp3")
    job = go_on(store, governor, done)
    assert job.state == "done" and not job.error and job.notes[-1].code is Note.GAPS_LEFT
    assert store.segments(done.id) == kept and of_job(store, done.id).gaps == (gap,)


@pytest.mark.slow
def test_gaps_for_which_there_is_no_room_leave_the_transcript_done(store: Store, done: Job) -> None:
    lose(store, done, 1)
    transcribe_again(store, done, of_job(store, done.id).gaps)
    runner = jobs.Runner(store, load_settings(memory_budget_mb=200))
    assert not runner._begin(store.job(done.id), 1)
    job = store.job(done.id)
    assert job.state == "done" and job.notes[-1].code is Note.GAPS_LEFT


def unsure(
    spec: Any, wav: Path, chunk: Any, options: Any, longest: float
) -> tuple[list[Segment], int]:
    """Tell what a gap is decoded with, in place of its text."""
    return [Segment(chunk.start, chunk.end, json.dumps(options))], 0


@pytest.mark.slow
def test_a_gap_is_decoded_eagerly_and_without_what_was_said_last(
    store: Store, governor: Governor, done: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "decode", unsure)
    lose(store, done, 1)
    with store.database.write() as db:
        options = JobOptions(**OPTIONS, condition_on_previous_text=True).model_dump()
        db.execute("UPDATE jobs SET options = ?", (json.dumps(options),))
    transcribe_again(store, store.job(done.id), of_job(store, done.id).gaps)
    assert go_on(store, governor, done).state == "done"
    told = next(s for s in store.segments(done.id) if s.text.startswith("{"))
    options = json.loads(told.text)
    assert options["eager"] and options["initial_prompt"] is None


# -- command line and page ---------------------------------------------------------------------


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(cli, ["coverage", *arguments])


@pytest.mark.slow
def test_the_command_shows_gaps_and_transcribes_them_again(
    store: Store, governor: Governor, done: Job
) -> None:
    lose(store, done, 1)
    shown = run(done.id[:8])
    assert shown.exit_code == 0 and "of speech is text" in shown.stdout
    found = json.loads(run(done.id, "--json").stdout)
    assert found["share"] < 0.9 and found["gaps"][0]["state"] == "new"
    again = run(done.id, "--again", "--json")
    assert again.exit_code == 0 and "words were found" in again.stderr
    assert json.loads(again.stdout) == {"speech": found["speech"], "share": 1.0, "gaps": []}
    nothing = run(done.id, "--again")
    assert isinstance(nothing.exception, InputError) and "no gap" in str(nothing.exception)


def fill(store: Store, *plan: Any, state: str = "done") -> Job:
    job = store.add_job(Path(__file__), JobOptions().model_dump(), title="Reunião")
    store.save_plan(job.id, plan)
    for n in range(len(plan)):
        text = [words((0, 5), (8.5, 10)), words((12, 15), (17, 20))] if not n else []
        store.save_chunk(job.id, n, text, dropped=0, seconds=1.0)
    store.save_diarization(job.id, [Turn(0, 20, "SPEAKER_00")], {})
    store.update_job(job.id, state=state, duration=20.0, language="pt", model="small")
    return store.job(job.id)


def test_gaps_are_listed_heard_and_asked_for(app: AppTest, store: Store) -> None:
    job = fill(store, chunk(0, (0, 10), (12, 20)))
    open_page(app, "transcript.py", job=job.id)
    panel = next(e for e in app.expander if "of the speech is text" in e.label)
    assert panel.label == "69% of the speech is text, with 2 gaps"
    press(app, "0:05 – 0:08")
    (clip,) = [c for c in app.get("bidi_component") if "clip" in c.proto.component_name]
    heard = json.loads(clip.proto.json)
    assert (heard["start"], heard["end"], heard["clicks"]) == (5, 8.5, 1)
    checked(app.button(key="again_15.00").click().run())
    assert store.job(job.id).state == "queued"
    assert [c.start for c in store.chunks(job.id, unfinished=True)] == [15]
    checked(app.run())
    (other,) = [b for b in app.button if str(b.key).startswith("again_")]
    assert other.disabled  # until the first one is done


def test_all_gaps_are_asked_for_at_once_and_what_came_of_it_is_told(
    app: AppTest, store: Store
) -> None:
    job = fill(store, chunk(0, (0, 10), (12, 20)))
    open_page(app, "transcript.py", job=job.id)
    press(app, "Transcribe 2 gaps again")
    assert [(c.start, c.end) for c in store.chunks(job.id, unfinished=True)] == [(5, 8.5), (15, 17)]
    for gap in store.chunks(job.id, unfinished=True):
        store.save_chunk(job.id, gap.index, [], dropped=0, seconds=1.0)
    store.update_job(job.id, state="done")
    checked(app.run())
    told = [c.value for c in app.caption if "no words were found" in c.value]
    assert len(told) == 2
    assert not [b for b in app.button if b.label.startswith("Transcribe 2")]


def test_gaps_of_a_sound_that_is_gone_are_shown_and_not_offered(app: AppTest, store: Store) -> None:
    job = fill(store, chunk(0, (0, 10), (12, 20)))
    store.update_job(job.id, source="/gone.mp3")
    open_page(app, "transcript.py", job=job.id)
    assert [c.value for c in app.caption if "gone or has changed" in c.value]
    offers = [b for b in app.button if str(b.key).startswith("again_") or "gaps again" in b.label]
    assert len(offers) == 3 and all(b.disabled for b in offers)


def test_a_transcript_without_gaps_says_so(app: AppTest, store: Store) -> None:
    job = fill(store, chunk(0, (0, 5), (12, 15)))
    open_page(app, "transcript.py", job=job.id)
    assert "All of the speech is text" in [e.label for e in app.expander]
    store.update_job(job.id, state="transcribing")  # for the first time
    checked(app.run())
    assert not [e for e in app.expander if "of the speech is text" in e.label]
    assert Gap(0, 1, (Region(0, 1),)).seconds == 1
