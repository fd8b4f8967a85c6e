"""What the user changes in a transcript: texts, names, who said what, notes and highlights.

Each change is one transaction that can be undone (see `changes`); what the model wrote stays
beside it. Changes of a segment raise Outdated where there is no such segment, or where it reads
otherwise than what was `shown` to who changes it.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from transcrevai_core.errors import InputError, Outdated
from transcrevai_core.library.history import Change, recorded
from transcrevai_core.library.rows import read_turns, segment_from_row, write_turns
from transcrevai_core.library.store import Store
from transcrevai_core.transcript.names import clean, printable
from transcrevai_core.transcript.retiming import timed_words
from transcrevai_core.transcript.script import composed, sought
from transcrevai_core.transcript.turns import joined, reassigned
from transcrevai_core.types import Turn

ORDER = 'ORDER BY "start", "end", id'  # of segments, on every page


def gone() -> Outdated:
    """Return the error of a change of what is no longer there."""
    return Outdated("What was to be changed is gone: it was merged or made anew in the meantime.")


# -- texts -------------------------------------------------------------------------------------


def edit_text(
    store: Store, segment_id: int, text: str | None, *, shown: str | None = None
) -> Change:
    """Keep the user's text beside the model's; None, or the model's own text, removes it."""
    with segment_change(store, segment_id, "text", alone=True) as (db, row, change):
        check_shown(shown, said(row))
        _write_text(db, row, text)
    return change


def replace_all(
    store: Store,
    job_id: str,
    find: str,
    replacement: str,
    *,
    whole_words: bool = False,
    match_case: bool = False,
) -> Change:
    """Replace a text wherever it is said; the Change's `number` tells how many times.

    What a letter is, and with `whole_words` a word, says `script.sought`. Raises InputError where
    there is nothing to look for.
    """
    if not find.strip():
        raise InputError("There is nothing to look for; a word, or a part of one, would be right.")
    pattern = sought(find, whole_words=whole_words, match_case=match_case)
    with recorded(store, job_id, "replace") as (db, change):
        rows = db.execute("SELECT * FROM segments WHERE job = ?", (job_id,)).fetchall()
        for row in rows:
            text, number = pattern.subn(lambda found: replacement, composed(row["current"].strip()))
            if number:
                _write_text(db, row, text)
                change.number += number
    return change


def _write_text(db: sqlite3.Connection, row: sqlite3.Row, text: str | None) -> None:
    text = None if text is None else printable(text)
    same = text is None or text.strip() == row["text"].strip()
    db.execute("UPDATE segments SET edited = ? WHERE id = ?", (None if same else text, row["id"]))


# -- who said what -----------------------------------------------------------------------------


def assign_segment(store: Store, segment_id: int, label: str) -> Change:
    """Say that a segment was spoken by another speaker; the turns follow."""
    with segment_change(store, segment_id, "speaker") as (db, row, change):
        assign_row(db, row, label)
    return change


def assign_row(db: sqlite3.Connection, row: sqlite3.Row, label: str) -> None:
    """Write who spoke a segment into its row, and into the turns."""
    db.execute("UPDATE segments SET speaker = ? WHERE id = ?", (label, row["id"]))
    reassign_turns(db, row["job"], row["start"], row["end"], row["speaker"], label)


def assign_turn(store: Store, job_id: str, turn: Turn, label: str) -> Change:
    """Say that a turn, of a recording without text, was another speaker's.

    Raises InputError where there is no such turn.
    """
    with recorded(store, job_id, "speaker") as (db, change):
        if turn not in read_turns(db, job_id, turn.start, turn.end):
            raise gone()
        reassign_turns(db, job_id, turn.start, turn.end, turn.speaker, label)
    return change


def reassign_turns(
    db: sqlite3.Connection, job_id: str, start: float, end: float, old: str | None, new: str
) -> None:
    """Give what one speaker says between two times to another."""
    write_turns(db, job_id, reassigned(read_turns(db, job_id), start, end, old, new))


def merge_speakers(store: Store, job_id: str, label: str, into: str) -> Change:
    """Make two speakers one, who keeps the label `into`, and a name if either has one."""
    if label == into:
        return Change("speakers")
    with recorded(store, job_id, "speakers") as (db, change):
        db.execute(
            "UPDATE segments SET speaker = ? WHERE job = ? AND speaker = ?", (into, job_id, label)
        )
        turns = [
            Turn(t.start, t.end, into if t.speaker == label else t.speaker)
            for t in read_turns(db, job_id)
        ]
        write_turns(db, job_id, joined(turns))
        db.execute(
            "UPDATE OR IGNORE speakers SET label = ? WHERE job = ? AND label = ?",
            (into, job_id, label),
        )
        db.execute("DELETE FROM speakers WHERE job = ? AND label = ?", (job_id, label))
    return change


def rename_speaker(store: Store, job_id: str, label: str, name: str) -> Change:
    """Give a speaker a display name, everywhere at once; a blank one removes it.

    Raises InputError where another speaker of the recording has that name.
    """
    name = composed(clean(name))
    with recorded(store, job_id, "name") as (db, change):
        db.execute("DELETE FROM speakers WHERE job = ? AND label = ?", (job_id, label))
        others = db.execute("SELECT name FROM speakers WHERE job = ?", (job_id,))
        taken = {composed(row["name"]).casefold() for row in others}
        taken |= {turn.speaker.casefold() for turn in read_turns(db, job_id)} - {label.casefold()}
        if name.casefold() in taken:
            raise InputError(
                "There is a {name} in this recording already; merge the two speakers if they "
                "are one, or choose another name.",
                name=name,
            )
        if name and name != label:
            db.execute(
                "INSERT INTO speakers (job, label, name) VALUES (?, ?, ?)", (job_id, label, name)
            )
    return change


def labels_of(db: sqlite3.Connection, job_id: str) -> list[str]:
    """Labels of all who speak, in order of first speech, as `Transcript.speakers`."""
    rows = db.execute(
        'SELECT speaker FROM (SELECT speaker, "start" FROM turns WHERE job = ?1 '
        "UNION ALL SELECT speaker, \"start\" FROM segments WHERE job = ?1 AND speaker != '') "
        'GROUP BY speaker ORDER BY min("start"), speaker',
        (job_id,),
    )
    return [row["speaker"] for row in rows]


def new_label(labels: Sequence[str]) -> str:
    """Return the label of one speaker more.

    >>> new_label(("SPEAKER_00", "SPEAKER_02"))
    'SPEAKER_01'
    """
    return next(name for n in range(len(labels) + 1) if (name := f"SPEAKER_{n:02d}") not in labels)


# -- marks -------------------------------------------------------------------------------------


def set_note(
    store: Store, segment_id: int, note: str, *, author: str = "", shown: str | None = None
) -> Change:
    """Write a note on a segment, which bears the author's name; a blank one removes it."""
    with segment_change(store, segment_id, "note", alone=True) as (db, row, change):
        check_shown(shown, row["note"])
        written, name = printable(note).strip(), printable(author).strip()
        if written != row["note"]:
            db.execute(
                "UPDATE segments SET note = ?, details = json_set(details, '$.noted_by', ?, "
                "'$.noted_at', ?) WHERE id = ?",
                (written, name, time.time(), segment_id),
            )
    return change


def set_highlight(store: Store, segment_id: int, highlighted: bool) -> Change:
    """Highlight a segment, or no longer."""
    with segment_change(store, segment_id, "highlight", alone=True) as (db, _row, change):
        db.execute(
            "UPDATE segments SET highlighted = ? WHERE id = ?", (int(highlighted), segment_id)
        )
    return change


# -- many at once ----------------------------------------------------------------------------


def assign_segments(store: Store, job_id: str, segments: Sequence[int], label: str) -> Change:
    """Say that segments were spoken by another speaker; the turns follow."""
    return _each(store, job_id, segments, "speaker", lambda db, row: assign_row(db, row, label))


def highlight_segments(store: Store, job_id: str, segments: Sequence[int], on: bool) -> Change:
    """Highlight segments, or no longer."""
    return _each(store, job_id, segments, "highlight", _writing("highlighted", int(on)))


def empty_segments(store: Store, job_id: str, segments: Sequence[int]) -> Change:
    """Delete the texts of segments; what the model wrote stays beside them, as with any edit."""
    return _each(store, job_id, segments, "empty", _writing("edited", ""))


def _writing(column: str, value: object) -> Callable[[sqlite3.Connection, sqlite3.Row], object]:
    return lambda db, row: db.execute(
        f"UPDATE segments SET {column} = ? WHERE id = ?", (value, row["id"])
    )


def _each(
    store: Store,
    job_id: str,
    segments: Sequence[int],
    what: str,
    act: Callable[[sqlite3.Connection, sqlite3.Row], object],
) -> Change:
    with recorded(store, job_id, what) as (db, change):
        for row in rows_of(db, job_id, segments):
            act(db, row)
            change.number += 1
    return change


def rows_of(db: sqlite3.Connection, job_id: str, segments: Sequence[int]) -> list[sqlite3.Row]:
    """Return the rows of segments; raises Outdated where one of them is gone."""
    if not segments:
        raise InputError("No segment is selected; one or more would be right.")
    rows = db.execute(
        f"SELECT * FROM segments WHERE job = ? AND id IN (SELECT value FROM json_each(?)) {ORDER}",
        (job_id, json.dumps([*segments])),
    ).fetchall()
    if len(rows) < len(set(segments)):
        raise gone()
    return rows


@contextmanager
def segment_change(
    store: Store, segment_id: int, what: str, *, alone: bool = False
) -> Iterator[tuple[sqlite3.Connection, sqlite3.Row, Change]]:
    """Give a segment's row in a transaction that is remembered; `alone` touches no other.

    Raises Outdated where there is no such segment.
    """
    find = "SELECT * FROM segments WHERE id = ?"
    with store.database.read() as db:
        row = db.execute(find, (segment_id,)).fetchone()
    if row is None:
        raise gone()
    only = segment_id if alone else None
    with recorded(store, row["job"], what, only=only) as (db, change):
        if (row := db.execute(find, (segment_id,)).fetchone()) is None:
            raise gone()
        yield db, row, change


def said(row: sqlite3.Row) -> str:
    """Return what a segment says, as the words in which it is shown."""
    return "".join(word.text for word in timed_words(segment_from_row(row)))


def check_shown(shown: str | None, now: str) -> None:
    """Raise Outdated where what reads `now` is not what was `shown`."""
    if shown is not None and shown != now:
        raise Outdated(
            "This has been changed in the meantime; it reads now: “{now}”.", now=now.strip()
        )
