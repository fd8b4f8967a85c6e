"""Where segments begin and end: split in two, and merged with those after them."""

import sqlite3
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from transcrevai_core.errors import InputError
from transcrevai_core.library.edits import (
    ORDER,
    check_shown,
    reassign_turns,
    rows_of,
    said,
    segment_change,
)
from transcrevai_core.library.history import Change, recorded
from transcrevai_core.library.rows import segment_from_row, write_segments
from transcrevai_core.library.store import Store
from transcrevai_core.transcript.retiming import timed_words
from transcrevai_core.types import Segment, Word


def split_segment(store: Store, segment_id: int, word: int, *, shown: str | None = None) -> Change:
    """Make two segments of one: the second begins with its word number `word`, counted from 0.

    The words are those of `retiming.timed_words`; an edited text is cut there too. A note stays
    with the first. Raises InputError where that would leave one of the two without a word.
    """
    with segment_change(store, segment_id, "split") as (db, row, change):
        check_shown(shown, said(row))
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
    with segment_change(store, segment_id, "merge") as (db, row, change):
        if not merge_next(db, row):
            raise InputError("This is the last segment; there is none after it to merge it with.")
    return change


def merge_next(db: sqlite3.Connection, row: sqlite3.Row) -> bool:
    """Make a segment's row and the next one a single one; tell whether there is a next one."""
    # as (start, end, id) orders them on every page
    after = db.execute(
        'SELECT * FROM segments WHERE job = ? AND ("start", "end", id) > (?, ?, ?) '
        f"{ORDER} LIMIT 1",
        (row["job"], row["start"], row["end"], row["id"]),
    ).fetchone()
    if after is None:
        return False
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
        **_notes(first, second),
        highlighted=first.highlighted or second.highlighted,
    )
    write_segments(db, row["job"], row["chunk"], [whole])
    db.execute(
        "UPDATE segments SET edited = ? WHERE id = ?",
        (" ".join(filter(None, texts)) if edited else None, row["id"]),
    )
    db.execute("DELETE FROM segments WHERE id = ?", (second.id,))
    if speaker and second.speaker and speaker != second.speaker:
        reassign_turns(db, row["job"], second.start, second.end, second.speaker, speaker)
    return True


def _notes(first: Segment, second: Segment) -> dict[str, Any]:
    """Return the notes of two segments as one, with the names of both who wrote them."""
    noted = [segment for segment in (first, second) if segment.note]
    authors = dict.fromkeys(segment.noted_by for segment in noted if segment.noted_by)
    return {
        "note": "\n".join(segment.note for segment in noted),
        "noted_by": ", ".join(authors),
        "noted_at": max((segment.noted_at or 0.0 for segment in noted), default=0.0) or None,
    }


def merge_runs(store: Store, job_id: str, segments: Sequence[int]) -> Change:
    """Make one segment of all that follow each other among `segments`.

    Raises InputError where no two of them do.
    """
    chosen = set(segments)
    with recorded(store, job_id, "merge") as (db, change):
        rows_of(db, job_id, segments)
        every = db.execute(f"SELECT id FROM segments WHERE job = ? {ORDER}", (job_id,)).fetchall()
        first: int | None = None
        for number in (row["id"] for row in every):
            if number not in chosen:
                first = None
            elif first is None:
                first = number
            else:
                whole = db.execute("SELECT * FROM segments WHERE id = ?", (first,)).fetchone()
                change.number += merge_next(db, whole)
        if not change.number:
            raise InputError(
                "No two of the selected segments follow each other; neighbours would be right."
            )
    return change
