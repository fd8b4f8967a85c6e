"""Transcripts kept under a name as they were, and who has checked one against the sound."""

import json
import sqlite3
import time
import zlib
from dataclasses import dataclass

from transcrevai_core.errors import InputError
from transcrevai_core.library import history
from transcrevai_core.library.history import Change
from transcrevai_core.library.store import Store
from transcrevai_core.transcript.names import clean


@dataclass(frozen=True, slots=True)
class Version:
    """A transcript as it was at a moment (Unix time), and whose name it bears.

    `checked` tells whether the author vouches for it; `changed` whether it reads otherwise now.
    """

    id: int
    time: float
    name: str
    author: str
    checked: bool
    changed: bool


def save(store: Store, job_id: str, name: str, author: str, *, checked: bool = False) -> None:
    """Keep a transcript as it is now; raises InputError where nobody vouches for a check."""
    name, author = clean(name), clean(author)
    if checked and not author:
        raise InputError("A check needs the name of who has checked; your name would be right.")
    if not (name or checked):
        raise InputError("A version needs a name, such as first draft.")
    with store.database.write() as db:
        state = zlib.compress(json.dumps(history.snapshot(db, job_id)).encode())
        db.execute(
            "INSERT INTO versions (job, time, name, author, checked, last, state) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                job_id, time.time(), name, author, int(checked),
                history.last_change(db, job_id), state,
            ),
        )  # fmt: skip


def versions(store: Store, job_id: str) -> list[Version]:
    """Return the versions of a transcript, the latest first."""
    with store.database.read() as db:
        now = history.last_change(db, job_id)
        rows = db.execute(
            "SELECT id, time, name, author, checked, last FROM versions WHERE job = ? "
            "ORDER BY time DESC, id DESC",
            (job_id,),
        ).fetchall()
    return [
        Version(row["id"], row["time"], row["name"], row["author"], bool(row["checked"]),
                row["last"] != now)
        for row in rows
    ]  # fmt: skip


def bring_back(store: Store, job_id: str, version: int) -> Change:
    """Make a transcript what it was, as a change that can be undone.

    Raises InputError where there is no such version.
    """
    with store.database.read() as db:
        state = json.loads(zlib.decompress(_row(db, job_id, version)["state"]))
    return history.bring_back(store, job_id, state)


def remove(store: Store, job_id: str, version: int) -> None:
    """Delete a version; the transcript stays as it is."""
    with store.database.write() as db:
        db.execute("DELETE FROM versions WHERE job = ? AND id = ?", (job_id, version))


def _row(db: sqlite3.Connection, job_id: str, version: int) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM versions WHERE job = ? AND id = ?", (job_id, version)
    ).fetchone()
    if row is None:
        raise InputError("This version is gone; one of those in the list would be right.")
    return row
