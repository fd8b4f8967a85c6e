"""What the user changes in a transcript: texts, names, and who said what.

Each change is one transaction; what the model wrote stays beside it.
"""

from transcrevai_core.errors import InputError
from transcrevai_core.records import read_turns, write_turns
from transcrevai_core.store import Store
from transcrevai_core.turns import joined, reassigned
from transcrevai_core.types import Turn

_GONE = "That segment is gone; reload the page to see what is there."


def edit_text(store: Store, segment_id: int, text: str | None) -> None:
    """Keep the user's text beside the model's; None, or the model's own text, removes it.

    Raises InputError where there is no such segment.
    """
    with store.database.write() as db:
        changed = db.execute(
            "UPDATE segments SET edited = "
            "CASE WHEN trim(text) = trim(?1) THEN NULL ELSE ?1 END WHERE id = ?2",
            (text, segment_id),
        ).rowcount
        if not changed:
            raise InputError(_GONE)


def rename_speaker(store: Store, job_id: str, label: str, name: str) -> None:
    """Give a speaker a display name, everywhere at once; a blank one removes it.

    Raises InputError where another speaker of the recording has that name.
    """
    name = " ".join(name.split())
    with store.database.write() as db:
        db.execute("DELETE FROM speakers WHERE job = ? AND label = ?", (job_id, label))
        if not name or name == label:
            return
        others = db.execute("SELECT name FROM speakers WHERE job = ?", (job_id,))
        taken = {row["name"].casefold() for row in others}
        taken |= {turn.speaker.casefold() for turn in read_turns(db, job_id)} - {label.casefold()}
        if name.casefold() in taken:
            raise InputError(
                f"There is a {name} in this recording already; merge the two speakers if they are "
                "one, or choose another name."
            )
        db.execute(
            "INSERT INTO speakers (job, label, name) VALUES (?, ?, ?)", (job_id, label, name)
        )


def assign_segment(store: Store, segment_id: int, label: str) -> None:
    """Say that a segment was spoken by another speaker; the turns follow.

    Raises InputError where there is no such segment.
    """
    with store.database.write() as db:
        row = db.execute("SELECT * FROM segments WHERE id = ?", (segment_id,)).fetchone()
        if row is None:
            raise InputError(_GONE)
        db.execute("UPDATE segments SET speaker = ? WHERE id = ?", (label, segment_id))
        turns = read_turns(db, row["job"])
        turns = reassigned(turns, row["start"], row["end"], row["speaker"], label)
        write_turns(db, row["job"], turns)


def merge_speakers(store: Store, job_id: str, label: str, into: str) -> None:
    """Make two speakers one, who keeps the label `into`, and a name if either has one."""
    if label == into:
        return
    with store.database.write() as db:
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


def new_label(labels: tuple[str, ...]) -> str:
    """Return the label of one speaker more.

    >>> new_label(("SPEAKER_00", "SPEAKER_02"))
    'SPEAKER_01'
    """
    return next(name for n in range(len(labels) + 1) if (name := f"SPEAKER_{n:02d}") not in labels)
