"""Recordings as people keep them: in projects, under tags, and found by what was said in them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from transcrevai_core.errors import InputError
from transcrevai_core.library.rows import segment_from_row
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message
from transcrevai_core.transcript.names import clean
from transcrevai_core.types import Job, Segment

LONGEST = 60  # characters of a tag or a project
TAG, PROJECT = Message("A tag"), Message("A project")


@dataclass(frozen=True, slots=True)
class Labels:
    """What a recording is kept under, and the names of who speaks in it."""

    project: str = ""
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def labels(store: Store) -> dict[str, Labels]:
    """Return the labels of all recordings that have some, by job."""
    with store.database.read() as db:
        rows = db.execute(
            "SELECT id, project, "
            "(SELECT json_group_array(tag) FROM tags WHERE job = jobs.id) AS tags, "
            "(SELECT json_group_array(name) FROM speakers WHERE job = jobs.id) AS names FROM jobs"
        ).fetchall()
    found = {
        row["id"]: Labels(
            row["project"], tuple(sorted(json.loads(row["tags"]))), tuple(json.loads(row["names"]))
        )
        for row in rows
    }
    return {job: kept for job, kept in found.items() if kept != Labels()}


def tag(store: Store, jobs: Sequence[str], name: str) -> None:
    """Put a tag on recordings; raises InputError for one without a letter."""
    name = _checked(name, TAG)
    with store.database.write() as db:
        db.executemany(
            "INSERT OR IGNORE INTO tags (job, tag) SELECT id, ? FROM jobs WHERE id = ?",
            [(name, job) for job in jobs],
        )


def untag(store: Store, jobs: Sequence[str], name: str) -> None:
    """Take a tag off recordings."""
    with store.database.write() as db:
        db.executemany(
            "DELETE FROM tags WHERE job = ? AND tag = ?", [(job, clean(name)) for job in jobs]
        )


def move(store: Store, jobs: Sequence[str], project: str) -> None:
    """Keep recordings in a project, or in none where it is blank."""
    project = _checked(project, PROJECT) if project.strip() else ""
    with store.database.write() as db:
        db.executemany("UPDATE jobs SET project = ? WHERE id = ?", [(project, job) for job in jobs])


def keep_alike(store: Store, job: str, other: str) -> None:
    """Keep a recording as another one is kept: in its project, under its tags."""
    with store.database.write() as db:
        db.execute(
            "UPDATE jobs SET project = (SELECT project FROM jobs WHERE id = ?) WHERE id = ?",
            (other, job),
        )
        db.execute(
            "INSERT OR IGNORE INTO tags (job, tag) SELECT ?, tag FROM tags WHERE job = ?",
            (job, other),
        )


def _checked(name: str, what: Message) -> str:
    name = clean(name)
    if not name or len(name) > LONGEST:
        raise InputError(
            "{what} is called by 1 to {longest} characters, such as hearings 2026.",
            what=what,
            longest=LONGEST,
        )
    return name


def search(store: Store, query: str, limit: int = 100) -> list[tuple[Job, Segment]]:
    """Find segments that hold every word of `query` (the last one may be a beginning).

    Case and accents do not matter: "reuniao" finds "reunião". Best matches come first.
    """
    words = [word.replace('"', '""') for word in clean(query).split()]
    if not words:
        return []
    match = " ".join(f'"{word}"' for word in words) + "*"
    with store.database.snapshot() as db:
        found = db.execute(
            "SELECT segments.* FROM segments_fts "
            "JOIN segments ON segments.id = segments_fts.rowid "
            "WHERE segments_fts MATCH ? ORDER BY rank LIMIT ?",
            (match, limit),
        ).fetchall()
        jobs = {job_id: store.job(job_id) for job_id in {row["job"] for row in found}}
    return [(jobs[row["job"]], segment_from_row(row)) for row in found]
