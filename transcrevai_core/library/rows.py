"""How jobs, chunks, segments and turns are written as rows of the database, and read back."""

import itertools
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transcrevai_core.codes import Note, Stage
from transcrevai_core.errors import InputError
from transcrevai_core.messages import dump, load
from transcrevai_core.transcript.alignment import align
from transcrevai_core.transcript.turns import match_speakers, overlapping
from transcrevai_core.types import Chunk, Job, Region, Segment, Turn, Word

_DETAILS = (
    "avg_logprob", "no_speech_prob", "compression_ratio", "temperature", "looping", "model",
    "compute_type", "continues", "language", "noted_by", "noted_at",
)  # fmt: skip
_NEAR = 10.0  # seconds around a chunk in which its words' speakers are looked for


def job_from_row(row: sqlite3.Row) -> Job:
    """Read a row of `jobs`."""
    values = dict(row)
    values["source"] = Path(values["source"])
    values["options"] = json.loads(values["options"])
    values["notes"] = tuple(load(note) for note in json.loads(values["notes"]))
    values |= {name: load(values[name]) for name in ("stage", "error")}
    values["diarization"] = json.loads(values["diarization"])
    values["cancel_requested"] = bool(values["cancel_requested"])
    return Job(**values)


def job_columns(changes: dict[str, Any]) -> dict[str, Any]:
    """Turn changed fields of a Job into values that SQLite takes."""
    if unknown := set(changes) - set(Job.__dataclass_fields__):
        raise ValueError(f"unknown job fields {sorted(unknown)}")
    return {name: _column(name, value) for name, value in changes.items()}


def _column(name: str, value: Any) -> Any:
    if name in ("stage", "error"):
        return dump(value)
    if name == "notes":
        return json.dumps([dump(note) for note in value])
    return json.dumps(value) if name in ("options", "diarization") else value


def chunk_from_row(row: sqlite3.Row) -> Chunk:
    """Read a row of `chunks`."""
    speech = tuple(Region(start, end) for start, end in json.loads(row["speech"]))
    return Chunk(row["number"], row["start"], row["end"], speech)


def chunk_row(job_id: str, chunk: Chunk) -> tuple[Any, ...]:
    """Write job, number, start, end, speech."""
    speech = json.dumps([(region.start, region.end) for region in chunk.speech])
    return job_id, chunk.index, chunk.start, chunk.end, speech


def segment_from_row(row: sqlite3.Row) -> Segment:
    """Read a row of `segments`."""
    return Segment(
        row["start"],
        row["end"],
        row["text"],
        tuple(Word(*word) for word in json.loads(row["words"])),
        row["speaker"],
        edited=row["edited"],
        note=row["note"],
        highlighted=bool(row["highlighted"]),
        id=row["id"],
        **json.loads(row["details"]),
    )


def segment_row(job_id: str, chunk: int, segment: Segment) -> tuple[Any, ...]:
    """Write job, chunk, start, end, text, speaker, words, details, note, highlighted."""
    words = [(w.start, w.end, w.text, round(w.probability, 3)) for w in segment.words]
    details = {name: getattr(segment, name) for name in _DETAILS}
    return (
        job_id, chunk, segment.start, segment.end, segment.text, segment.speaker,
        json.dumps(words), json.dumps(details), segment.note, int(segment.highlighted),
    )  # fmt: skip


def read_turns(
    db: sqlite3.Connection, job_id: str, start: float = -1.0, end: float = 1e9
) -> list[Turn]:
    """Read who spoke when, in order of time; all, or what touches a stretch."""
    rows = db.execute(
        'SELECT "start", "end", speaker FROM turns WHERE job = ? AND "start" < ? AND "end" > ? '
        'ORDER BY "start", "end"',
        (job_id, end, start),
    )
    return [Turn(*row) for row in rows]


def write_turns(db: sqlite3.Connection, job_id: str, turns: Iterable[Turn]) -> None:
    """Write who spoke when, in place of what was known."""
    db.execute("DELETE FROM turns WHERE job = ?", (job_id,))
    db.executemany(
        'INSERT INTO turns (job, "start", "end", speaker) VALUES (?, ?, ?, ?)',
        [(job_id, turn.start, turn.end, turn.speaker) for turn in turns],
    )


def write_segments(
    db: sqlite3.Connection, job_id: str, chunk: int, segments: Iterable[Segment]
) -> None:
    """Write a chunk's segments, those with an id in place of what that row held."""
    for segment in segments:
        row = segment_row(job_id, chunk, segment)
        if segment.id is None:
            db.execute(
                'INSERT INTO segments (job, chunk, "start", "end", text, speaker, words, details, '
                "note, highlighted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        else:
            db.execute(
                'UPDATE segments SET "start" = ?, "end" = ?, text = ?, speaker = ?, words = ?, '
                "details = ?, note = ?, highlighted = ? WHERE id = ?",
                (*row[2:], segment.id),
            )


def aligned(db: sqlite3.Connection, job_id: str, segments: Sequence[Segment]) -> Sequence[Segment]:
    """Give a new chunk's segments the speakers that the job's turns tell, once there are any."""
    found = db.execute("SELECT diarization FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if not segments or not found or found[0] == "{}":
        return segments
    start, end = segments[0].start - _NEAR, max(segment.end for segment in segments) + _NEAR
    return align(segments, read_turns(db, job_id, start, end))


def align_segments(db: sqlite3.Connection, job_id: str, turns: Iterable[Turn]) -> None:
    """Give all segments of a job the speakers that its turns tell."""
    near = overlapping(turns)
    rows = db.execute(
        'SELECT * FROM segments WHERE job = ? ORDER BY chunk, "start", "end", id', (job_id,)
    ).fetchall()
    for chunk, group in itertools.groupby(rows, key=lambda row: int(row["chunk"])):
        before = [segment_from_row(row) for row in group]
        start, end = before[0].start - _NEAR, max(segment.end for segment in before) + _NEAR
        after = align(before, near(start, end))
        kept = {segment.id for segment in after}
        gone = [(segment.id,) for segment in before if segment.id not in kept]
        db.executemany("DELETE FROM segments WHERE id = ?", gone)
        known = set(before)
        write_segments(db, job_id, chunk, [s for s in after if s not in known])


def read_names(db: sqlite3.Connection, job_id: str) -> dict[str, str]:
    """Read what the user calls the speakers: label to name."""
    rows = db.execute("SELECT label, name FROM speakers WHERE job = ?", (job_id,))
    return {row["label"]: row["name"] for row in rows}


def used_names(db: sqlite3.Connection, without: str) -> list[str]:
    """Read what speakers of all jobs but one are called, the most frequent names first."""
    rows = db.execute(
        "SELECT name FROM speakers WHERE job != ? GROUP BY name ORDER BY count(*) DESC, name",
        (without,),
    )
    return [row["name"] for row in rows]


def write_diarization(
    db: sqlite3.Connection, job_id: str, turns: Sequence[Turn], facts: Mapping[str, Any]
) -> None:
    """Write who speaks when and how it was found, and let names and segments follow."""
    same = match_speakers(read_turns(db, job_id), turns)
    names = read_names(db, job_id)
    kept = [(job_id, same[label], name) for label, name in names.items() if label in same]
    db.execute("DELETE FROM speakers WHERE job = ?", (job_id,))
    db.executemany("INSERT INTO speakers (job, label, name) VALUES (?, ?, ?)", kept)
    write_turns(db, job_id, turns)
    forget_changes(db, job_id)
    align_segments(db, job_id, turns)
    db.execute(
        "UPDATE jobs SET diarization = ?, updated = ? WHERE id = ?",
        (json.dumps(dict(facts)), time.time(), job_id),
    )


def requeue(db: sqlite3.Connection, job_id: str, options: Mapping[str, Any] | None) -> bool:
    """Let a job that has ended wait again, a finished one with `options`; tell whether it does.

    One that waits for a model is tried again.
    """
    ended = "('failed', 'cancelled')" if options is None else "('failed', 'cancelled', 'done')"
    changed = db.execute(
        "UPDATE jobs SET state = 'queued', cancel_requested = 0, error = '', progress = 0, "
        "stage = '', owner = NULL, started = NULL, options = coalesce(?, options) "
        f"WHERE id = ? AND (state IN {ended} OR (owner IS NULL AND stage LIKE ?))",
        (
            None if options is None else json.dumps(dict(options)),
            job_id,
            f'{{"code": "{Stage.WAITING_FOR_MODEL.value}"%',
        ),
    )
    return changed.rowcount > 0


def give_up_gaps(db: sqlite3.Connection, job_id: str) -> None:
    """Where a job ended before its end, take back the gaps in its text that still waited.

    One whose text is whole but for these is done, as it was before they were asked for.
    """
    ended = "SELECT * FROM jobs WHERE id = ? AND state IN ('failed', 'cancelled')"
    row = db.execute(ended, (job_id,)).fetchone()
    if row is None:
        return
    gone = db.execute(  # the chunks of the plan itself never overlap
        "DELETE FROM chunks WHERE job = ? AND done = 0 AND EXISTS (SELECT 1 FROM chunks AS plan "
        'WHERE plan.job = chunks.job AND plan.number < chunks.number AND plan."end" > '
        'chunks."start" + 0.01)',
        (job_id,),
    )
    if gone.rowcount:
        job = job_from_row(row)
        left = [Note.GAPS_LEFT(reason=job.error)] if job.error else []
        db.execute(
            "UPDATE jobs SET state = 'done', progress = 1, error = '', cancel_requested = 0, "
            "notes = ?2 WHERE id = ?1 AND NOT EXISTS "
            "(SELECT 1 FROM chunks WHERE job = ?1 AND done = 0)",
            (job_id, _column("notes", [*job.notes, *left])),
        )


def forget_changes(db: sqlite3.Connection, job_id: str) -> None:
    """Give up undoing what was changed in rows that have been made anew since."""
    db.execute("DELETE FROM changes WHERE job = ?", (job_id,))


def clear_plan(db: sqlite3.Connection, job_id: str) -> None:
    """Remove a job's chunks and text, so that both can be written anew."""
    db.execute("DELETE FROM segments WHERE job = ?", (job_id,))
    db.execute("DELETE FROM chunks WHERE job = ?", (job_id,))
    db.execute("UPDATE jobs SET dropped_segments = 0, progress = 0 WHERE id = ?", (job_id,))
    forget_changes(db, job_id)


def clear_chunk(db: sqlite3.Connection, job_id: str, chunk: int) -> None:
    """Remove a chunk's segments, so that it can be written anew."""
    where = "WHERE job = ? AND chunk = ?"
    if db.execute(f"DELETE FROM segments {where}", (job_id, chunk)).rowcount:
        forget_changes(db, job_id)


def drop_cached(db: sqlite3.Connection, job: Job, folder: Path) -> None:
    """Remove what the cache has of a job's sound, unless another job has the same sound."""
    rows = db.execute(
        "DELETE FROM cache WHERE digest = ?1 AND NOT EXISTS "
        "(SELECT 1 FROM jobs WHERE digest = ?1 AND id != ?2) RETURNING key",
        (job.digest, job.id),
    )
    for row in rows.fetchall():
        (folder / row["key"]).unlink(missing_ok=True)


def sound_gone(job: Job, wav: Path) -> InputError | None:
    """Return why a job's sound can no longer be had; None where it can, or be read again."""
    if wav.is_file() or (job.fingerprint and fingerprint(job.source) == job.fingerprint):
        return None
    return InputError(
        "The sound of {title} is no longer kept, and its recording is gone or has changed; the "
        "same file in its old place would be right.",
        title=job.title,
    )


def check_sound(job: Job, wav: Path) -> None:
    """Raise InputError where a job's sound can no longer be had."""
    if gone := sound_gone(job, wav):
        raise gone


def fingerprint(source: Path) -> str:
    """Tell one content of a path from another: size and time of change; empty for no file."""
    try:
        found = source.stat()
    except OSError:
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}"
