import errno
import json
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from conftest import known
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transcrevai_core.codes import Cause, Note, Stage
from transcrevai_core.errors import InputError, StorageError
from transcrevai_core.library import database, edits, leftovers, rows
from transcrevai_core.library.journal import Journal
from transcrevai_core.library.migrations import MIGRATIONS
from transcrevai_core.library.shelf import search
from transcrevai_core.library.store import Store
from transcrevai_core.types import Chunk, Job, Region, Segment, Turn, Word


@pytest.fixture
def job(store: Store, tmp_path: Path) -> Job:
    return store.add_job(tmp_path / "reunião.wav", {"model": "demo"})


def segment(text: str, start: float = 0.0, end: float = 1.0) -> Segment:
    return Segment(start, end, text, (Word(start, end, text, 0.5),), avg_logprob=-0.25)


def finish(store: Store, job: Job, *texts: Any) -> None:
    chunks = [Chunk(i, i, i + 1, (Region(i, i + 1),)) for i in range(len(texts))]
    store.save_plan(job.id, chunks)
    for chunk, text in zip(chunks, texts, strict=True):
        store.save_chunk(
            job.id, chunk.index, [segment(text, chunk.start, chunk.end)], dropped=1, seconds=0.5
        )


def test_the_library_is_private_to_the_user(store: Store, home: Path, tmp_path: Path) -> None:
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "library.sqlite3").stat().st_mode & 0o777 == 0o600
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    Store(shared)
    assert shared.stat().st_mode & 0o777 == 0o755  # it was the user's before
    assert (shared / "jobs").stat().st_mode & 0o777 == 0o700


def test_a_finished_chunk_is_read_back_as_it_was(store: Store, job: Job) -> None:
    finish(store, job, " Olá.", " Tchau.")
    assert store.segments(job.id) == [
        Segment(0, 1, " Olá.", (Word(0, 1, " Olá.", 0.5),), avg_logprob=-0.25, id=1),
        Segment(1, 2, " Tchau.", (Word(1, 2, " Tchau.", 0.5),), avg_logprob=-0.25, id=2),
    ]
    after = store.job(job.id)
    assert (after.progress, after.seconds, after.dropped_segments) == (1.0, 1.0, 2)
    assert store.chunks(job.id, unfinished=True) == []
    assert Store(store.home).transcript(job.id).text == "Olá.\nTchau."


def test_writing_a_chunk_again_replaces_it_and_a_new_plan_begins_anew(
    store: Store, job: Job
) -> None:
    finish(store, job, " Olá.", " Tchau.")
    store.save_chunk(job.id, 0, [segment(" Oi.")], dropped=0, seconds=0.5)
    assert [s.text for s in store.segments(job.id)] == [" Oi.", " Tchau."]
    store.save_plan(job.id, [Chunk(0, 0, 1)])
    after = store.job(job.id)
    assert (store.segments(job.id), after.dropped_segments, after.progress) == ([], 0, 0)


def test_both_versions_of_an_edited_text_are_kept(store: Store, job: Job) -> None:
    finish(store, job, " Bom dia Pascoal.")
    edits.edit_text(store, 1, "Bom dia, pessoal.")
    (edited,) = store.segments(job.id)
    assert (edited.text, edited.final_text) == (" Bom dia Pascoal.", "Bom dia, pessoal.")
    edits.edit_text(store, 1, "Bom dia Pascoal.")  # back to the model's words
    assert store.segments(job.id)[0].edited is None


def test_search_is_blind_to_case_and_accents_and_follows_edits(
    store: Store, job: Job, tmp_path: Path
) -> None:
    other = store.add_job(tmp_path / "other.wav", {})
    finish(store, job, " A reunião começa.", " Nada aqui.")
    finish(store, other, " Reuniões e atas.")
    assert [(j.id, s.start) for j, s in search(store, "REUNIAO")] == [(job.id, 0.0)]
    assert {j.id for j, _ in search(store, "reuni")} == {job.id, other.id}
    edits.edit_text(store, known(store.segments(job.id)[0].id), "O encontro começa.")
    assert search(store, "reunião") == []
    assert len(search(store, "encontro comec")) == 1
    assert search(store, '"') == search(store, "") == search(store, "' OR 1=1 --") == []


def test_search_tells_words_by_their_marks(store: Store, job: Job) -> None:
    finish(store, job, " मैं दिल्ली में", " दूल ली का", " reunia\u0303o de Jose\u0301")
    starts = {
        query: [segment.start for _, segment in search(store, query)]
        for query in ("दिल्ली", "दिल", "का", "की", "मे", "reunião", "reuniao", "José")
    }
    first, second, third = (segment.start for segment in store.segments(job.id))
    assert starts == {
        "दिल्ली": [first], "दिल": [first], "का": [second], "की": [], "मे": [first],
        "reunião": [third], "reuniao": [third], "José": [third],
    }  # fmt: skip


def test_deleting_is_for_good(store: Store, job: Job) -> None:
    finish(store, job, " Segredo.")
    store.wav(job.id).write_bytes(b"sound")
    store.delete_job(job.id)
    assert store.jobs() == [] and search(store, "segredo") == []
    assert not store.job_dir(job.id).exists()
    for gone in (job.id, ""):
        with pytest.raises(InputError, match=f"There is no job '{gone}';"):
            store.job(gone)


def test_a_job_has_one_owner_until_that_process_dies(store: Store, job: Job) -> None:
    program = (
        "import sys, pathlib; from transcrevai_core.library.store import Store;"
        "print(Store(pathlib.Path(sys.argv[1])).claim(sys.argv[2]) is not None, flush=True);"
        "sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(store.home), job.id],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert known(other.stdout).readline() == "True\n"
    assert store.claim(job.id) is None
    with pytest.raises(InputError, match="cancel it first"):
        store.delete_job(job.id)
    other.kill()
    other.wait()
    assert known(store.claim(job.id)).id == job.id


def test_one_of_many_threads_that_claim_at_once_gets_the_job(store: Store, job: Job) -> None:
    got = []

    def claim() -> None:
        got.append(store.claim(job.id))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [j.id for j in got if j] == [job.id]


def test_a_job_that_nobody_works_on_is_cancelled_at_once_and_can_go_on(
    store: Store, job: Job
) -> None:
    store.cancel(job.id)
    assert store.job(job.id).state == "cancelled"
    assert store.claim(job.id) is None
    store.update_job(job.id, started=1.0)
    store.requeue(job.id)
    waiting = store.claim(job.id)
    assert (known(waiting).cancel_requested, known(waiting).started) == (False, None)


def test_cancelling_what_has_just_been_done_changes_nothing(store: Store, job: Job) -> None:
    store.update_job(job.id, state="done")
    store.cancel(job.id)
    assert (store.job(job.id).state, store.job(job.id).cancel_requested) == ("done", False)


def test_a_job_that_was_taken_in_between_is_not_deleted(
    store: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.job

    def look_then_lose(job_id: str) -> Any:
        seen = real(job_id)
        monkeypatch.setattr(store, "job", real)
        assert store.claim(job_id)
        return seen

    monkeypatch.setattr(store, "job", look_then_lose)
    finish(store, job, " Olá.")
    with pytest.raises(InputError, match="is being worked on"):
        store.delete_job(job.id)
    assert len(store.segments(job.id)) == 1


def test_names_that_cannot_be_written_down_get_one_sentence(store: Store) -> None:
    with pytest.raises(InputError, match="is not UTF-8"):
        store.add_job(Path(os.fsdecode(b"reuni\xe3o.wav")), {})
    assert store.jobs() == [] and not list((store.home / "jobs").iterdir())


def test_a_library_of_a_newer_program_is_left_alone(store: Store) -> None:
    with sqlite3.connect(store.home / "library.sqlite3") as db:
        db.execute("PRAGMA user_version = 999")
    with pytest.raises(StorageError, match="was made by a newer TranscrevAI"):
        Store(store.home)


def test_a_job_is_found_by_the_beginning_of_its_id(store: Store, job: Job, tmp_path: Path) -> None:
    assert store.find(job.id[:12]) == job
    store.add_job(tmp_path / "b.wav", {})
    for beginning in ("", "*", job.id[:3], "zzzz"):
        with pytest.raises(InputError, match="No jobs have an id"):
            store.find(beginning)


def test_migrations_are_applied_once_and_in_order(store: Store) -> None:
    Store(store.home)
    with sqlite3.connect(store.home / "library.sqlite3") as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_what_an_older_library_says_reads_the_same_and_what_decides_is_a_code(home: Path) -> None:
    home.mkdir()
    db = sqlite3.connect(home / "library.sqlite3", isolation_level=None)
    for migration in MIGRATIONS[:7]:
        migration(db)
    db.execute("PRAGMA user_version = 7")
    notes = [
        "The sound was deleted, because its days were over.",
        "Who spoke when could not be found: no room.",
        "int8 on cpu was refused: it is not offered.",
        "The gaps were not transcribed again: There is no network.",
    ]
    db.execute(
        "INSERT INTO jobs (id, title, source, state, options, created, updated, stage, error, "
        "notes) VALUES ('a', 'old', '/old.mp3', 'queued', '{}', 1, 1, 'waiting for memory: 80%', "
        "'It holds no sound.', ?)",
        (json.dumps(notes),),
    )
    db.executemany(
        "INSERT INTO events (program, time, kind, level, job, cause) VALUES ('', 1, ?, ?, '', ?)",
        [("level", "degraded", "Degraded: 80% is in use"), ("action", "kill", "Kill: one ended")],
    )
    db.close()
    store = Store(home)
    job = store.job("a")
    assert [str(note) for note in job.notes] == notes
    codes = [note.code for note in job.notes]
    assert codes == [Note.SOUND_GONE, Note.NO_SPEAKERS, None, Note.GAPS_LEFT]
    assert str(job.error) == "It holds no sound." and not job.stage
    causes = [str(event.cause) for event in Journal(store.database, "").events()]
    assert causes == ["80% is in use", "Kill: one ended"]


def test_stages_errors_and_notes_are_kept_with_their_codes_and_values(
    store: Store, short_recording: Path
) -> None:
    job = store.add_job(short_recording, {})
    stage = Stage.WAITING_FOR_MEMORY(cause=Cause.MACHINE(share=0.8))
    error = InputError("{path} is gone.", path=short_recording).message
    notes = (Note.DEMO(), Note.NO_SPEAKERS(reason=error))
    store.update_job(job.id, stage=stage, error=error, notes=notes)
    kept = Store(store.home).job(job.id)
    assert (kept.stage, kept.error, kept.notes) == (stage, error, notes)
    assert kept.stage.code is Stage.WAITING_FOR_MEMORY and kept.notes[0].code is Note.DEMO
    assert str(kept.error) == f"{short_recording} is gone."
    assert store.transcript(job.id).notes == notes


def test_a_library_of_before_speakers_opens_with_all_it_holds(home: Path) -> None:
    home.mkdir()
    db = sqlite3.connect(home / "library.sqlite3", isolation_level=None)
    for migration in MIGRATIONS[:2]:
        migration(db)
    db.execute("PRAGMA user_version = 2")
    db.execute(
        "INSERT INTO jobs (id, title, source, state, options, created, updated) "
        "VALUES ('a', 'old', '/old.mp3', 'done', '{\"model\": \"tiny\"}', 1, 1)"
    )
    db.execute(
        'INSERT INTO segments (job, chunk, "start", "end", text, words, details) '
        "VALUES ('a', 0, 0, 1, ' Bom dia.', '[]', '{\"looping\": false}')"
    )
    db.close()
    store = Store(home)
    transcript = store.transcript("a")
    assert (transcript.text, transcript.turns, transcript.diarization) == ("Bom dia.", (), {})
    store.save_diarization("a", [Turn(0, 1, "SPEAKER_00")], {"speakers": 1})
    assert [s.speaker for s in Store(home).segments("a")] == ["SPEAKER_00"]


def test_a_damaged_library_and_a_useless_home_get_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "library.sqlite3").write_bytes(b"not a database, but long enough to look" * 50)
    with pytest.raises(StorageError, match="refused: file is not a database"):
        Store(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot be used"):
        Store(tmp_path / "file")


# -- nothing is lost, nothing is read half, nothing stays --------------------------------------


@pytest.fixture
def upload(home: Path) -> Path:
    file = home / "uploads" / "0" / "ata.mp3"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"sound")
    return file


def test_an_upload_stays_where_it_is_while_the_library_refuses(
    store: Store, upload: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.1)
    other = sqlite3.connect(store.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"):
        Store(store.home).add_job(upload, {}, take=True)
    assert upload.read_bytes() == b"sound" and [*(store.home / "jobs").iterdir()] == []
    other.execute("ROLLBACK")
    job = store.add_job(upload, {}, take=True)
    assert job.source.read_bytes() == b"sound" and not upload.exists()


def test_an_upload_goes_back_where_its_job_cannot_be_written(
    store: Store, upload: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "fingerprint", lambda source: object())  # SQLite takes no such thing
    with pytest.raises(StorageError):
        store.add_job(upload, {}, take=True)
    assert upload.read_bytes() == b"sound" and [*(store.home / "jobs").iterdir()] == []


def test_an_upload_whose_program_ended_in_between_is_adopted(store: Store, upload: Path) -> None:
    code = (
        "import os, sys, pathlib; from transcrevai_core.library import rows\n"
        "from transcrevai_core.library.store import Store\n"
        "rows.fingerprint = lambda source: os._exit(9)\n"  # after the move, before the row
        "Store(pathlib.Path(sys.argv[1])).add_job(pathlib.Path(sys.argv[2]), {}, take=True)"
    )
    died = subprocess.run([sys.executable, "-c", code, str(store.home), str(upload)], check=False)
    assert died.returncode == 9 and not upload.exists() and store.jobs() == []
    assert leftovers.sweep(store.home, store.database) == 1
    (job,) = store.jobs()
    assert (job.title, job.state, job.source.read_bytes()) == ("ata.mp3", "cancelled", b"sound")
    assert leftovers.sweep(store.home, store.database) == 0 and store.requeue(job.id)


def test_sound_of_a_library_that_was_lost_is_left_alone(store: Store) -> None:
    lone = store.home / "jobs" / "f"
    (lone / "source").mkdir(parents=True)
    (lone / "source" / "a.mp3").write_bytes(b"sound")
    (lone / "audio.wav").write_bytes(b"RIFF")
    assert leftovers.sweep(store.home, store.database) == 0
    assert (lone / "source" / "a.mp3").exists() and store.jobs() == []


def test_what_the_disk_does_not_let_go_is_said_and_deleted_at_the_next_start(
    store: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.wav(job.id).write_bytes(b"private")
    unlink = os.unlink

    def refuse(path: Path, *arguments: Any, **more: Any) -> None:
        if "audio.wav" in str(path):
            raise PermissionError(errno.EACCES, "no", str(path))
        unlink(path, *arguments, **more)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(StorageError, match=r"permission is missing.*next start"):
        store.delete_job(job.id)
    assert store.jobs() == [] and len([*store.home.glob("deleted/*/audio.wav")]) == 1
    assert leftovers.sweep(store.home, store.database) == 0  # refused again, and survived
    monkeypatch.undo()
    leftovers.sweep(store.home, store.database)
    assert [*store.home.glob("deleted/*")] == []


def test_a_job_whose_folder_cannot_be_taken_out_stays_whole(
    store: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(store, job, " Olá.")

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StorageError, match="permission is missing"):
        store.delete_job(job.id)
    assert store.transcript(job.id).text == "Olá."


def test_a_job_that_was_not_deleted_after_all_has_its_folder_back(store: Store, job: Job) -> None:
    store.wav(job.id).write_bytes(b"sound")
    leftovers.discard(store.home, job.id)  # and then the program ended
    leftovers.sweep(store.home, store.database)
    assert store.wav(job.id).read_bytes() == b"sound"


def test_a_transcript_is_read_in_one_state(
    store: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(store, job, " Olá.")
    store.save_diarization(job.id, [Turn(0, 1, "SPEAKER_00")], {"why": ""})
    edits.rename_speaker(store, job.id, "SPEAKER_00", "Ana")
    read = rows.read_turns
    other = Store(store.home)

    def meanwhile(db: Any, job_id: str, *arguments: Any) -> Any:
        save = other.save_diarization
        thread = threading.Thread(
            target=save,
            args=(job.id, [Turn(5, 6, "SPEAKER_00"), Turn(0, 1, "SPEAKER_01")], {"why": ""}),
        )
        monkeypatch.setattr(rows, "read_turns", read)
        thread.start()
        thread.join()
        return read(db, job_id, *arguments)

    monkeypatch.setattr(rows, "read_turns", meanwhile)
    found = store.transcript(job.id)
    assert found.segments[0].speaker == "SPEAKER_00" and found.names == {"SPEAKER_00": "Ana"}
    assert found.turns == (Turn(0, 1, "SPEAKER_00"),)
    assert store.transcript(job.id).names == {"SPEAKER_01": "Ana"}


@given(
    query=st.text(max_size=20) | st.sampled_from(["\0", "a\0b", '"', "*", "NEAR(", "\ud800", "'"])
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_can_be_searched_replaced_noted_and_be_a_name(store: Store, query: Any) -> None:
    job = store.add_job(Path("a.wav"), {})
    finish(store, job, " Olá.")
    (segment,) = store.segments(job.id)
    search(store, query)
    if query.strip():
        edits.replace_all(store, job.id, query, query)
    edits.replace_all(store, job.id, "Olá", query)
    edits.edit_text(store, known(segment.id), query)
    edits.set_note(store, known(segment.id), query)
    edits.rename_speaker(store, job.id, "SPEAKER_00", query)
    assert "\0" not in store.transcript(job.id).text
