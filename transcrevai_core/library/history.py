"""The history of what a user changes in a transcript, so that it can be taken back.

Each change keeps the rows as they were and as they became, only what is different in them; taking
it back writes the one over the other. It outlives reloads and restarts, and ends where the rows
are made anew: by another finding of the speakers, or another decoding.
"""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from transcrevai_core.errors import InputError
from transcrevai_core.library.rows import forget_changes, read_names
from transcrevai_core.library.store import Store

KEPT = 200  # changes of one job that can be taken back
_COLUMNS = (
    "chunk", "start", "end", "text", "edited", "words", "speaker", "details", "note", "highlighted",
)  # fmt: skip

State = dict[str, Any]


@dataclass(slots=True)
class Change:
    """What a change was: in one word, which segments it touched, whether who speaks when.

    `number` is how many segments there are that it touched on purpose, as replacing does;
    `before` and `version` tell the states of the transcript that it came between.
    """

    what: str = ""
    segments: list[int] = field(default_factory=list)
    speakers: bool = False
    number: int = 0
    before: str = ""
    version: str = ""


@contextmanager
def recorded(
    store: Store, job_id: str, what: str, *, only: int | None = None
) -> Iterator[tuple[sqlite3.Connection, Change]]:
    """Give a transaction, and remember what is different in the job's rows after it.

    `only` is the number of the one segment that is touched, where no other is: looking at all of
    a long recording takes longer than the change itself.
    The Change is filled in when the transaction ends. What was undone before cannot be redone
    after a new change.
    """
    change = Change(what)
    with store.database.write() as db, _between(db, job_id, change):
        numbers = None if only is None else [only]
        before = _state(db, job_id, numbers)
        yield db, change
        old, new = _difference(before, _state(db, job_id, numbers))
        if not new:
            return
        _describe(change, old, new)
        db.execute("DELETE FROM changes WHERE job = ? AND undone", (job_id,))
        db.execute(
            "INSERT INTO changes (job, time, what, before, after) VALUES (?, ?, ?, ?, ?)",
            (job_id, time.time(), what, json.dumps(old), json.dumps(new)),
        )
        db.execute(
            "DELETE FROM changes WHERE job = ?1 AND id <= "
            "(SELECT id FROM changes WHERE job = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (job_id, KEPT),
        )


def snapshot(db: sqlite3.Connection, job_id: str) -> State:
    """Return a job's rows as they are now, for `bring_back`."""
    state = _state(db, job_id)
    return {**state, "turns": [*state["turns"].elements()]}


def bring_back(store: Store, job_id: str, then: State) -> Change:
    """Make a job's rows what they were at a snapshot, as a change that can be undone."""
    then = {**then, "turns": Counter(map(tuple, then["turns"]))}
    with recorded(store, job_id, "version") as (db, change):
        old, new = _difference(_state(db, job_id), then)
        if new:
            _write(db, job_id, old, new)
    return change


def last_change(db: sqlite3.Connection, job_id: str) -> int:
    """Return the number of the change that was made last and stands; 0 where there is none."""
    row = db.execute(
        "SELECT max(id) FROM changes WHERE job = ? AND NOT undone", (job_id,)
    ).fetchone()
    return row[0] or 0


def undo(store: Store, job_id: str) -> Change:
    """Take back the last change; a Change of nothing where there is none.

    Raises InputError where its rows are no longer what the change made of them.
    """
    return _step(store, job_id, back=True)


def redo(store: Store, job_id: str) -> Change:
    """Make again what was undone last; as `undo` otherwise."""
    return _step(store, job_id, back=False)


def history(db: sqlite3.Connection, job_id: str) -> tuple[str, str]:
    """Tell what could be undone and redone next: each in one word, or empty."""
    undoable, redoable = _next(db, job_id, back=True), _next(db, job_id, back=False)
    return undoable["what"] if undoable else "", redoable["what"] if redoable else ""


def version(db: sqlite3.Connection, job_id: str) -> str:
    """Tell one state of a transcript from another."""
    row = db.execute(
        "SELECT jobs.updated, max(changes.id), sum(changes.undone), "
        "(SELECT count(*) FROM segments WHERE job = jobs.id) "
        "FROM jobs LEFT JOIN changes ON changes.job = jobs.id WHERE jobs.id = ?",
        (job_id,),
    ).fetchone()
    return "/".join(str(value or 0) for value in row)


@contextmanager
def _between(db: sqlite3.Connection, job_id: str, change: Change) -> Iterator[None]:
    """Note the states before and after, inside the transaction: no other change is in between."""
    change.before = version(db, job_id)
    yield
    change.version = version(db, job_id)


# -- taking back -------------------------------------------------------------------------------


def _next(db: sqlite3.Connection, job_id: str, *, back: bool) -> sqlite3.Row | None:
    order = "NOT undone ORDER BY id DESC" if back else "undone ORDER BY id"
    found: sqlite3.Row | None = db.execute(
        f"SELECT * FROM changes WHERE job = ? AND {order} LIMIT 1", (job_id,)
    ).fetchone()
    return found


def _step(store: Store, job_id: str, *, back: bool) -> Change:
    change = Change()
    with store.database.write() as db, _between(db, job_id, change):
        row = _next(db, job_id, back=back)
        if row is None:
            return change
        before, after = json.loads(row["before"]), json.loads(row["after"])
        now, then = (after, before) if back else (before, after)
        fits = _holds(db, job_id, now)
        if fits:
            change.what = row["what"]
            _describe(change, now, _write(db, job_id, now, then))
            db.execute("UPDATE changes SET undone = ? WHERE id = ?", (back, row["id"]))
        else:
            forget_changes(db, job_id)
    if not fits:
        raise InputError(
            "What was changed here has been made anew since, and can no longer be taken back."
        )
    return change


def _holds(db: sqlite3.Connection, job_id: str, expected: State) -> bool:
    """Tell whether the rows of a job are what a change left behind."""
    state = _state(db, job_id, [int(key) for key in expected["segments"]])
    for key, values in expected["segments"].items():
        found = state["segments"].get(key)
        if values is None or found is None:
            if values is not None:
                return False
        elif any(found[name] != value for name, value in values.items()):
            return False
    turns = Counter(map(tuple, expected["turns"])) <= state["turns"]
    return turns and bool(expected.get("names", state["names"]) == state["names"])


def _write(db: sqlite3.Connection, job_id: str, now: State, then: State) -> State:
    """Write `then` over `now`; return it with the numbers that its rows got."""
    segments: dict[str, Any] = {}
    for key, values in then["segments"].items():
        if values is None:
            db.execute("DELETE FROM segments WHERE id = ?", (int(key),))
        elif now["segments"][key] is None:
            key = _insert(db, job_id, key, values)
        else:
            names = ", ".join(f'"{name}" = ?' for name in values)
            db.execute(f"UPDATE segments SET {names} WHERE id = ?", (*values.values(), int(key)))
        segments[key] = values
    for turn in now["turns"]:
        db.execute(
            "DELETE FROM turns WHERE rowid = (SELECT rowid FROM turns WHERE job = ? "
            'AND "start" = ? AND "end" = ? AND speaker = ? LIMIT 1)',
            (job_id, *turn),
        )
    db.executemany(
        'INSERT INTO turns (job, "start", "end", speaker) VALUES (?, ?, ?, ?)',
        [(job_id, *turn) for turn in then["turns"]],
    )
    if "names" in then:
        db.execute("DELETE FROM speakers WHERE job = ?", (job_id,))
        db.executemany(
            "INSERT INTO speakers (job, label, name) VALUES (?, ?, ?)",
            [(job_id, label, name) for label, name in then["names"].items()],
        )
    return {**then, "segments": segments}


def _insert(db: sqlite3.Connection, job_id: str, key: str, values: Mapping[str, Any]) -> str:
    """Put a segment back under its number, or under another where that was given away since."""
    taken = db.execute("SELECT 1 FROM segments WHERE id = ?", (int(key),)).fetchone()
    columns = ", ".join(f'"{name}"' for name in ("id", "job", *values))
    given = db.execute(
        f"INSERT INTO segments ({columns}) VALUES ({', '.join('?' * (len(values) + 2))})",
        (None if taken else int(key), job_id, *values.values()),
    ).lastrowid
    if taken:
        rows = db.execute("SELECT id, before, after FROM changes WHERE job = ?", (job_id,))
        for row in rows.fetchall():
            states = [json.loads(row["before"]), json.loads(row["after"])]
            if key in states[0]["segments"]:
                for state in states:
                    state["segments"][str(given)] = state["segments"].pop(key)
                db.execute(
                    "UPDATE changes SET before = ?, after = ? WHERE id = ?",
                    (*map(json.dumps, states), row["id"]),
                )
    return str(given)


# -- what is different -------------------------------------------------------------------------


def _state(db: sqlite3.Connection, job_id: str, numbers: Sequence[int] | None = None) -> State:
    """Return the rows of a job, of its segments only those with these numbers."""
    columns = ", ".join(f'"{name}"' for name in _COLUMNS)
    find = f"SELECT id, {columns} FROM segments WHERE job = ?"
    if numbers is None:
        rows = db.execute(find, (job_id,))
    else:
        some = "AND id IN (SELECT value FROM json_each(?))"
        rows = db.execute(f"{find} {some}", (job_id, json.dumps(numbers)))
    turns = db.execute('SELECT "start", "end", speaker FROM turns WHERE job = ?', (job_id,))
    return {
        "segments": {str(row["id"]): dict(zip(_COLUMNS, row[1:], strict=True)) for row in rows},
        "turns": Counter(map(tuple, turns)),
        "names": read_names(db, job_id),
    }


def _difference(before: State, after: State) -> tuple[State, State]:
    """Return what only the one has and what only the other; both empty where they are the same."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for key in {**before["segments"], **after["segments"]}:
        was, becomes = before["segments"].get(key), after["segments"].get(key)
        if was and becomes:
            changed = [name for name in _COLUMNS if was[name] != becomes[name]]
            was, becomes = ({name: row[name] for name in changed} for row in (was, becomes))
        if was or becomes:
            old[key], new[key] = was, becomes
    if before == after:
        return {}, {}
    a: State = {"segments": old, "turns": [*(before["turns"] - after["turns"]).elements()]}
    b: State = {"segments": new, "turns": [*(after["turns"] - before["turns"]).elements()]}
    if before["names"] != after["names"]:
        a["names"], b["names"] = before["names"], after["names"]
    return a, b


def _describe(change: Change, old: State, new: State) -> None:
    change.segments = [int(key) for key in new["segments"]]
    rows = [row for row in new["segments"].values() if row and len(row) < len(_COLUMNS)]
    turns = bool(old["turns"] or new["turns"])
    change.speakers = turns or "names" in new or any("speaker" in row for row in rows)
