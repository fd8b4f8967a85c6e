"""What the user changes in a transcript: texts, names, who said what, notes and highlights.

Each change is one transaction that can be undone (see `changes`); what the model wrote stays
beside it. Changes of a segment raise Outdated where there is no such segment, or where it reads
otherwise than what was `shown` to who changes it.
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from transcrevai_core.errors import InputError, Outdated
from transcrevai_core.library.history import Change, recorded
from transcrevai_core.library.rows import read_turns, segment_from_row, write_segments, write_turns
from transcrevai_core.library.store import Store
from transcrevai_core.transcript.names import clean, printable
from transcrevai_core.transcript.retiming import timed_words
from transcrevai_core.transcript.script import composed, sought
from transcrevai_core.transcript.turns import joined, reassigned
from transcrevai_core.types import Segment, Turn, Word


def gone() -> Outdated:
    """Return the error of a change of what is no longer there."""
    return Outdated("What was to be changed is gone: it was merged or made anew in the meantime.")


# -- texts -------------------------------------------------------------------------------------


def edit_text(
    store: Store, segment_id: int, text: str | None, *, shown: str | None = None
) -> Change:
    """Keep the user's text beside the model's; None, or the model's own text, removes it."""
    with _segment(store, segment_id, "text", alone=True) as (db, row, change):
        _check(shown, said(row))
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


# -- where segments begin and end --------------------------------------------------------------


def split_segment(store: Store, segment_id: int, word: int, *, shown: str | None = None) -> Change:
    """Make two segments of one: the second begins with its word number `word`, counted from 0.

    The words are those of `retiming.timed_words`; an edited text is cut there too. A note stays
    with the first. Raises InputError where that would leave one of the two without a word.
    """
    with _segment(store, segment_id, "split") as (db, row, change):
        _check(shown, said(row))
        first, second = _halves(segment_from_row(row), word)
        write_segments(db, row["job"], row["chunk"], [first, second])
        # what is edited is no part of what decoding writes
        db.execute("UPDATE segments SET edited = ? WHERE id = ?", (first.edited, row["id"]))
        new = "(SELECT max(id) FROM segments WHERE job = ?)"
        db.execute(f"UPDATE segments SET edited = ? WHERE id = {new}", (second.edited, row["job"]))
    return change


def _halves(segment: Segment, place: int) -> tuple[Segment, Segment]:
    shown = timed_words(segment)
    if not 0 < place < len(shown):
        raise InputError(
            "A segment can be split only between two words; click the word that the second part "
            "is to begin with."
        )
    heard = timed_words(replace(segment, edited=None))
    cut = place
    if segment.edited is not None:  # the model's words go where they were heard
        middles = [(word.start + word.end) / 2 for word in heard]
        cut = min(max(1, bisect_left(middles, shown[place].start)), len(heard) - 1)

    def part(words: Sequence[Word], spelt: Sequence[Word], **more: Any) -> Segment:
        text = "".join(word.text for word in spelt).strip()
        return replace(
            segment,
            text="".join(word.text for word in words),
            words=tuple(words) if segment.words else (),
            edited=None if segment.edited is None else text,
            **more,
        )

    first = part(heard[:cut], shown[:place], end=max(segment.start, shown[place - 1].end))
    # not a part of the one before by what was heard, but by what the user says
    fresh = {"start": shown[place].start, "id": None, "note": "", "continues": False}
    return first, part(heard[cut:], shown[place:], **fresh)


def merge_segments(store: Store, segment_id: int) -> Change:
    """Make a segment and the next one a single one, spoken by the first one's speaker.

    Raises InputError where it is the last one.
    """
    with _segment(store, segment_id, "merge") as (db, row, change):
        # as (start, end, id) orders them on every page
        after = db.execute(
            'SELECT * FROM segments WHERE job = ? AND ("start", "end", id) > (?, ?, ?) '
            'ORDER BY "start", "end", id LIMIT 1',
            (row["job"], row["start"], row["end"], segment_id),
        ).fetchone()
        if after is None:
            raise InputError("This is the last segment; there is none after it to merge it with.")
        first, second = segment_from_row(row), segment_from_row(after)
        speaker = first.speaker or second.speaker
        edited = first.edited is not None or second.edited is not None
        texts = (first.final_text.strip(), second.final_text.strip())
        whole = replace(
            first,
            end=max(first.end, second.end),
            text=first.text + second.text,
            words=first.words + second.words if first.words and second.words else (),
            speaker=speaker,
            looping=first.looping or second.looping,
            note="\n".join(note for note in (first.note, second.note) if note),
            highlighted=first.highlighted or second.highlighted,
        )
        write_segments(db, row["job"], row["chunk"], [whole])
        db.execute(
            "UPDATE segments SET edited = ? WHERE id = ?",
            (" ".join(filter(None, texts)) if edited else None, segment_id),
        )
        db.execute("DELETE FROM segments WHERE id = ?", (second.id,))
        if speaker and second.speaker and speaker != second.speaker:
            _reassign(db, row["job"], second.start, second.end, second.speaker, speaker)
    return change


# -- who said what -----------------------------------------------------------------------------


def assign_segment(store: Store, segment_id: int, label: str) -> Change:
    """Say that a segment was spoken by another speaker; the turns follow."""
    with _segment(store, segment_id, "speaker") as (db, row, change):
        db.execute("UPDATE segments SET speaker = ? WHERE id = ?", (label, segment_id))
        _reassign(db, row["job"], row["start"], row["end"], row["speaker"], label)
    return change


def assign_turn(store: Store, job_id: str, turn: Turn, label: str) -> Change:
    """Say that a turn, of a recording without text, was another speaker's.

    Raises InputError where there is no such turn.
    """
    with recorded(store, job_id, "speaker") as (db, change):
        if turn not in read_turns(db, job_id, turn.start, turn.end):
            raise gone()
        _reassign(db, job_id, turn.start, turn.end, turn.speaker, label)
    return change


def _reassign(
    db: sqlite3.Connection, job_id: str, start: float, end: float, old: str | None, new: str
) -> None:
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


def new_label(labels: Sequence[str]) -> str:
    """Return the label of one speaker more.

    >>> new_label(("SPEAKER_00", "SPEAKER_02"))
    'SPEAKER_01'
    """
    return next(name for n in range(len(labels) + 1) if (name := f"SPEAKER_{n:02d}") not in labels)


# -- marks -------------------------------------------------------------------------------------


def set_note(store: Store, segment_id: int, note: str, *, shown: str | None = None) -> Change:
    """Write a note on a segment; a blank one removes it."""
    with _segment(store, segment_id, "note", alone=True) as (db, row, change):
        _check(shown, row["note"])
        db.execute(
            "UPDATE segments SET note = ? WHERE id = ?", (printable(note).strip(), segment_id)
        )
    return change


def set_highlight(store: Store, segment_id: int, highlighted: bool) -> Change:
    """Highlight a segment, or no longer."""
    with _segment(store, segment_id, "highlight", alone=True) as (db, _row, change):
        db.execute(
            "UPDATE segments SET highlighted = ? WHERE id = ?", (int(highlighted), segment_id)
        )
    return change


@contextmanager
def _segment(
    store: Store, segment_id: int, what: str, *, alone: bool = False
) -> Iterator[tuple[sqlite3.Connection, sqlite3.Row, Change]]:
    """Give a segment's row in a transaction that is remembered; `alone` touches no other."""
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


def _check(shown: str | None, now: str) -> None:
    if shown is not None and shown != now:
        raise Outdated(
            "This has been changed in the meantime; it reads now: “{now}”.", now=now.strip()
        )
