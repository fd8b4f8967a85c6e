"""What a user changed is taken back and made again, across restarts, or refused where it cannot."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import known

from transcrevai_core.errors import InputError, Outdated
from transcrevai_core.library import cuts, edits, history
from transcrevai_core.library.shelf import search
from transcrevai_core.library.store import Store
from transcrevai_core.types import Chunk, Job, Region, Segment, Turn, Word

A, B, C = "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"
TURNS = [Turn(0, 3, A), Turn(3, 6, B)]


@pytest.fixture
def job(store: Store, make_sound: Callable[..., Path]) -> Job:
    """A finished job of two segments of three words, a second each, spoken by two."""
    job = store.add_job(make_sound(), {})
    store.save_plan(job.id, [Chunk(0, 0, 6, (Region(0, 6),))])
    store.save_chunk(job.id, 0, [said(0, "Bom dia, pessoal."), said(3, "Tudo bem? Sim.")],
                     dropped=0, seconds=1)  # fmt: skip
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    return store.job(job.id)


def said(start: float, text: str) -> Segment:
    words = [Word(start + n, start + n + 1, f" {w}", 0.9) for n, w in enumerate(text.split())]
    return Segment(start, words[-1].end, f" {text}", tuple(words))


def state(store: Store, job: Job) -> tuple[tuple[Segment, ...], list[Turn], Mapping[str, str]]:
    transcript = store.transcript(job.id)
    return transcript.segments, sorted(transcript.turns, key=lambda t: t.start), transcript.names


def first(store: Store, job: Job) -> int:
    return known(store.segments(job.id)[0].id)


EDITS: dict[str, Callable[[Store, Job], Any]] = {
    "text": lambda s, j: edits.edit_text(s, first(s, j), "Boa tarde, pessoal."),
    "replace": lambda s, j: edits.replace_all(s, j.id, "o", "0"),
    "split": lambda s, j: cuts.split_segment(s, first(s, j), 1),
    "merge": lambda s, j: cuts.merge_segments(s, first(s, j)),
    "speaker": lambda s, j: edits.assign_segment(s, first(s, j), C),
    "speakers": lambda s, j: edits.merge_speakers(s, j.id, B, A),
    "name": lambda s, j: edits.rename_speaker(s, j.id, A, "Ana"),
    "note": lambda s, j: edits.set_note(s, first(s, j), "ask again"),
    "highlight": lambda s, j: edits.set_highlight(s, first(s, j), True),
}


def every(store: Store, job: Job) -> list[int]:
    return [known(segment.id) for segment in store.segments(job.id)]


MANY: dict[str, Callable[[Store, Job], Any]] = {
    "speaker": lambda s, j: edits.assign_segments(s, j.id, every(s, j), C),
    "highlight": lambda s, j: edits.highlight_segments(s, j.id, every(s, j), True),
    "empty": lambda s, j: edits.empty_segments(s, j.id, every(s, j)),
    "merge": lambda s, j: cuts.merge_runs(s, j.id, every(s, j)),
}


@pytest.mark.parametrize("what", MANY)
def test_a_change_of_many_is_one_change(store: Store, job: Job, what: Any) -> None:
    before = state(store, job)
    change = MANY[what](store, job)
    after = state(store, job)
    assert change.what == what and after != before
    assert change.number == (1 if what == "merge" else 2)
    assert history.undo(store, job.id).what == what and state(store, job) == before
    assert history.redo(store, job.id).what == what and state(store, job) == after


def test_a_change_of_many_is_done_whole_or_not_at_all(store: Store, job: Job) -> None:
    before = state(store, job)
    one, two = every(store, job)
    for numbers, error, said in (
        ([one, 10**9], Outdated, "is gone"),
        ([], InputError, "No segment is selected"),
    ):
        with pytest.raises(error, match=said):
            edits.highlight_segments(store, job.id, numbers, True)
    cuts.split_segment(store, one, 1)
    with pytest.raises(InputError, match="follow each other"):
        cuts.merge_runs(store, job.id, [one, two])
    history.undo(store, job.id)
    assert state(store, job) == before


@pytest.mark.parametrize("what", EDITS)
def test_each_change_is_taken_back_and_made_again(store: Store, job: Job, what: Any) -> None:
    before = state(store, job)
    change = EDITS[what](store, job)
    after = state(store, job)
    assert change.what == what and after != before
    assert change.speakers == (what in ("merge", "speaker", "speakers", "name"))
    fresh = Store(store.home)  # as after a restart
    assert history.undo(fresh, job.id).what == what
    assert state(fresh, job) == before
    assert history.redo(fresh, job.id).what == what
    assert state(fresh, job) == after
    assert history.undo(fresh, job.id).segments == change.segments


def test_all_changes_are_taken_back_in_turn_and_made_again(store: Store, job: Job) -> None:
    states = [state(store, job)]
    for edit in EDITS.values():
        edit(store, job)
        states.append(state(store, job))
    for expected in reversed(states[:-1]):
        history.undo(store, job.id)
        assert state(store, job) == expected
    assert not history.undo(store, job.id).what
    for expected in states[1:]:
        history.redo(store, job.id)
        assert state(store, job) == expected
    assert not history.redo(store, job.id).what


def test_a_new_change_ends_what_could_be_made_again(store: Store, job: Job) -> None:
    EDITS["note"](store, job)
    history.undo(store, job.id)
    with store.database.read() as db:
        assert history.history(db, job.id) == ("", "note")
    EDITS["highlight"](store, job)
    with store.database.read() as db:
        assert history.history(db, job.id) == ("highlight", "")
    assert not history.redo(store, job.id).what


def test_what_changes_nothing_is_no_change(store: Store, job: Job) -> None:
    with store.database.read() as db:
        version = history.version(db, job.id)
    edits.set_note(store, first(store, job), " ")
    edits.edit_text(store, first(store, job), "Bom dia, pessoal.")
    with store.database.read() as db:
        assert history.version(db, job.id) == version
    assert not history.undo(store, job.id).what


def test_search_follows_what_is_taken_back(store: Store, job: Job) -> None:
    EDITS["text"](store, job)
    assert search(store, "tarde") and not search(store, "bom")
    history.undo(store, job.id)
    assert search(store, "bom") and not search(store, "tarde")


@pytest.mark.parametrize("anew", ["clustering", "chunk", "plan"])
def test_what_is_made_anew_is_not_written_over(store: Store, job: Job, anew: str) -> None:
    EDITS["highlight"](store, job)
    if anew == "clustering":
        store.save_diarization(job.id, [Turn(0, 6, A)], {"speakers": 1})
        assert store.segments(job.id)[0].highlighted
    elif anew == "chunk":
        store.save_chunk(job.id, 0, [said(0, "Outra coisa.")], dropped=0, seconds=1)
    else:
        store.save_plan(job.id, [Chunk(0, 0, 6)])
    before = state(store, job)
    assert not history.undo(store, job.id).what
    assert state(store, job) == before


def test_a_chunk_that_comes_later_takes_nothing_away(
    store: Store, make_sound: Callable[..., Path]
) -> None:
    job = store.add_job(make_sound(), {})
    store.save_plan(job.id, [Chunk(0, 0, 3), Chunk(1, 3, 6)])
    store.save_chunk(job.id, 0, [said(0, "Bom dia, pessoal.")], dropped=0, seconds=1)
    EDITS["note"](store, job)
    store.save_chunk(job.id, 1, [said(3, "Tudo bem? Sim.")], dropped=0, seconds=1)
    assert history.undo(store, job.id).what == "note"
    assert len(store.segments(job.id)) == 2


def test_rows_that_something_else_changed_are_left_alone(store: Store, job: Job) -> None:
    EDITS["text"](store, job)
    with store.database.write() as db:
        db.execute("UPDATE segments SET edited = 'else' WHERE id = ?", (first(store, job),))
    with pytest.raises(InputError, match="made anew since"):
        history.undo(store, job.id)
    assert store.segments(job.id)[0].edited == "else"
    assert not history.undo(store, job.id).what


def test_a_number_given_away_meanwhile_is_no_hindrance(
    store: Store, job: Job, make_sound: Callable[..., Path]
) -> None:
    before = [(s.start, s.text) for s in store.segments(job.id)]
    EDITS["merge"](store, job)  # the last number in the library is free now
    other = store.add_job(make_sound(), {})
    store.save_plan(other.id, [Chunk(0, 0, 3)])
    store.save_chunk(other.id, 0, [said(0, "Bom dia, pessoal.")], dropped=0, seconds=1)
    history.undo(store, job.id)
    assert [(s.start, s.text) for s in store.segments(job.id)] == before
    history.redo(store, job.id)
    assert len(store.segments(job.id)) == 1 and len(store.segments(other.id)) == 1
    history.undo(store, job.id)
    assert [(s.start, s.text) for s in store.segments(job.id)] == before


def test_the_last_two_hundred_are_kept(store: Store, job: Job) -> None:
    for n in range(history.KEPT + 5):
        edits.set_note(store, first(store, job), f"note {n}")
    for n in range(history.KEPT):
        assert history.undo(store, job.id).what == "note", n
    assert not history.undo(store, job.id).what
    assert store.segments(job.id)[0].note == "note 4"


def test_changes_leave_with_their_job(store: Store, job: Job) -> None:
    EDITS["note"](store, job)
    store.delete_job(job.id)
    with store.database.read() as db:
        assert db.execute("SELECT count(*) FROM changes").fetchone()[0] == 0
