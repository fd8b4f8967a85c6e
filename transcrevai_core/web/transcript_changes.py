"""The changes of a transcript that its reader asks for, as JSON."""

from collections.abc import Mapping
from typing import Any, TypeVar

from transcrevai_core.errors import InputError
from transcrevai_core.library import cuts, edits, history
from transcrevai_core.library.history import Change
from transcrevai_core.library.store import Store
from transcrevai_core.types import Turn

T = TypeVar("T")
Asked = Mapping[str, Any]


def given(asked: Asked, name: str, kind: type[T]) -> T:
    """Return what is asked for under a name; raises InputError where it is none of its kind."""
    value = asked.get(name)
    if not isinstance(value, kind):
        raise InputError(
            "A change needs {name}, which is missing here or of another kind.", name=name
        )
    return value


def numbers_of(asked: Asked) -> list[int]:
    """Return the segments that are asked for."""
    numbers = given(asked, "segments", list)
    if not all(isinstance(number, int) for number in numbers):
        raise InputError("Segments are named by their numbers.")
    return numbers


def apply(store: Store, job_id: str, asked: Asked) -> Change:
    """Do what is asked for.

    Raises Outdated for what is not as it was shown, InputError for what cannot be done.
    """

    def value(name: str, kind: type[T]) -> T:
        return given(asked, name, kind)

    def seconds(name: str) -> float:
        return value(name, int) if isinstance(asked.get(name), int) else value(name, float)

    def segment() -> int:
        number = value("segment", int)
        with store.database.read() as db:
            if not db.execute(
                "SELECT 1 FROM segments WHERE job = ? AND id = ?", (job_id, number)
            ).fetchone():
                raise edits.gone()
        return number

    def speaker() -> str:
        return _speaker(store, job_id, asked)

    what = value("do", str)
    if what == "undo":
        return history.undo(store, job_id)
    if what == "redo":
        return history.redo(store, job_id)
    if "segments" in asked:
        return _apply_to_many(store, job_id, asked)
    if what == "text":
        return edits.edit_text(store, segment(), value("text", str), shown=value("shown", str))
    if what == "restore":
        return edits.edit_text(store, segment(), None, shown=value("shown", str))
    if what == "split":
        word = value("word", int)
        return cuts.split_segment(store, segment(), word, shown=value("shown", str))
    if what == "merge":
        return cuts.merge_segments(store, segment())
    if what == "speaker":
        return edits.assign_segment(store, segment(), speaker())
    if what == "turn":
        turn = Turn(seconds("start"), seconds("end"), value("from", str))
        return edits.assign_turn(store, job_id, turn, speaker())
    if what == "note":
        author = given(asked, "author", str) if "author" in asked else ""
        text, shown = value("text", str), value("shown", str)
        return edits.set_note(store, segment(), text, author=author, shown=shown)
    if what == "highlight":
        return edits.set_highlight(store, segment(), value("on", bool))
    if what == "replace":
        return edits.replace_all(
            store,
            job_id,
            value("find", str),
            value("text", str),
            whole_words=value("words", bool),
            match_case=value("case", bool),
        )
    raise InputError("A change called {what!r} is unknown.", what=what)


def _apply_to_many(store: Store, job_id: str, asked: Asked) -> Change:
    what, segments = given(asked, "do", str), numbers_of(asked)
    if what == "merge":
        return cuts.merge_runs(store, job_id, segments)
    if what == "speaker":
        return edits.assign_segments(store, job_id, segments, _speaker(store, job_id, asked))
    if what == "highlight":
        return edits.highlight_segments(store, job_id, segments, given(asked, "on", bool))
    if what == "empty":
        return edits.empty_segments(store, job_id, segments)
    raise InputError("A change called {what!r} is unknown.", what=what)


def _speaker(store: Store, job_id: str, asked: Asked) -> str:
    """Return the label that is asked for, or that of somebody new."""
    with store.database.read() as db:
        return given(asked, "speaker", str) or edits.new_label(edits.labels_of(db, job_id))
