"""How jobs, chunks and segments are written as rows of the database, and read back."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from transcrevai_core.types import Chunk, Job, Region, Segment, Word

_DETAILS = (
    "avg_logprob", "no_speech_prob", "compression_ratio", "temperature", "looping", "model",
    "compute_type",
)  # fmt: skip


def job_from_row(row: sqlite3.Row) -> Job:
    """Read a row of `jobs`."""
    values = dict(row)
    values["source"] = Path(values["source"])
    values["options"] = json.loads(values["options"])
    values["notes"] = tuple(json.loads(values["notes"]))
    values["cancel_requested"] = bool(values["cancel_requested"])
    return Job(**values)


def job_columns(changes: dict[str, Any]) -> dict[str, Any]:
    """Turn changed fields of a Job into values that SQLite takes."""
    if unknown := set(changes) - set(Job.__dataclass_fields__):
        raise ValueError(f"unknown job fields {sorted(unknown)}")
    return {
        name: json.dumps(value) if name in ("options", "notes") else value
        for name, value in changes.items()
    }


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
        id=row["id"],
        **json.loads(row["details"]),
    )


def segment_row(job_id: str, chunk: int, segment: Segment) -> tuple[Any, ...]:
    """Write job, chunk, start, end, text, speaker, words, details."""
    words = [(w.start, w.end, w.text, round(w.probability, 3)) for w in segment.words]
    details = {name: getattr(segment, name) for name in _DETAILS}
    return (
        job_id, chunk, segment.start, segment.end, segment.text, segment.speaker,
        json.dumps(words), json.dumps(details),
    )  # fmt: skip


def fingerprint(source: Path) -> str:
    """Tell one content of a path from another: size and time of change; empty for no file."""
    try:
        found = source.stat()
    except OSError:
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}"
