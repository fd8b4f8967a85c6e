"""What a user changes about speakers is kept, everywhere at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import known

from transcrevai_core.errors import InputError
from transcrevai_core.library import cuts, edits
from transcrevai_core.library.shelf import search
from transcrevai_core.library.store import Store
from transcrevai_core.types import Chunk, Job, Region, Segment, Turn, Word

A, B, C = "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"
TURNS = [Turn(0, 2, A), Turn(2, 4, B), Turn(4, 6, A)]


@pytest.fixture
def job(store: Store, make_sound: Callable[..., Path]) -> Job:
    """A finished job of six words, a second each, in two chunks, before anyone is known."""
    job = store.add_job(make_sound(), {})
    regions = (Region(0, 3),), (Region(3, 6),)
    store.save_plan(job.id, [Chunk(i, 3.0 * i, 3.0 * i + 3, regions[i]) for i in (0, 1)])
    for chunk in (0, 1):
        words = tuple(Word(3 * chunk + i, 3 * chunk + i + 1, f" w{i}.", 0.9) for i in range(3))
        text = "".join(word.text for word in words)
        segment = Segment(3 * chunk, 3 * chunk + 3, text, words)
        store.save_chunk(job.id, chunk, [segment], dropped=0, seconds=1)
    return store.job(job.id)


def spoken(store: Store, job: Job) -> list[tuple[float, float, str | None]]:
    return [(s.start, s.end, s.speaker) for s in store.segments(job.id)]


def test_turns_give_speakers_to_text_that_was_there_before(store: Store, job: Job) -> None:
    ids = [s.id for s in store.segments(job.id)]
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    assert spoken(store, job) == [(0, 2, A), (2, 3, B), (3, 4, B), (4, 6, A)]
    assert set(ids) < {s.id for s in store.segments(job.id)}
    assert store.job(job.id).diarization == {"speakers": 2}
    assert store.transcript(job.id).turns == tuple(TURNS)


def test_a_new_clustering_puts_together_what_an_old_one_has_split(store: Store, job: Job) -> None:
    before = [(s.id, s.text, s.words) for s in store.segments(job.id)]
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    assert len(store.segments(job.id)) == 4
    store.save_diarization(job.id, [Turn(0, 6, A)], {"speakers": 1})
    assert [(s.id, s.text, s.words) for s in store.segments(job.id)] == before
    assert len(search(store, "w2")) == 2


def test_a_last_word_without_length_stays_before_the_next_segment(
    store: Store, make_sound: Callable[..., Path]
) -> None:
    job = store.add_job(make_sound(), {})
    store.save_plan(job.id, [Chunk(0, 0, 8, (Region(0, 8),))])
    words = [Word(i, i + 1, f" a{i}", 0.9) for i in range(5)] + [Word(5, 5, " sim.", 0.9)]
    first = Segment(0, 5, "".join(w.text for w in words), tuple(words))
    second = Segment(5, 8, " Vamos ver.", (Word(5, 7, " Vamos", 0.9), Word(7, 8, " ver.", 0.9)))
    store.save_chunk(job.id, 0, [first, second], dropped=0, seconds=1)
    before = [(s.text, s.words) for s in store.segments(job.id)]
    for _ in range(2):
        store.save_diarization(job.id, [Turn(0, 5, A), Turn(5, 8, B)], {"speakers": 2})
        assert [w for s in store.segments(job.id) for w in s.words] == [*words, *second.words]
    store.save_diarization(job.id, [Turn(0, 8, A)], {"speakers": 1})
    assert [(s.text, s.words) for s in store.segments(job.id)] == before


def test_nobody_is_left_where_nobody_is_found(store: Store, job: Job) -> None:
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    store.save_diarization(job.id, [], {"speakers": 0})
    assert {s.speaker for s in store.segments(job.id)} == {None}


def test_a_speaker_said_by_hand_is_not_everyone_afterwards(store: Store, job: Job) -> None:
    edits.assign_segment(store, known(store.segments(job.id)[0].id), A)
    later = Segment(3, 6, " w0. w1.", (Word(3, 4, " w0.", 0.9), Word(4, 6, " w1.", 0.9)))
    store.save_chunk(job.id, 1, [later], dropped=0, seconds=1)
    assert [s.speaker for s in store.segments(job.id)] == [A, None]


def test_a_correction_of_what_is_gone_is_not_lost_in_silence(store: Store) -> None:
    with pytest.raises(InputError, match="gone"):
        edits.edit_text(store, 10**6, "Bom dia.")


def test_text_that_comes_later_is_split_the_same_way(store: Store, job: Job) -> None:
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    before = spoken(store, job)
    words = tuple(Word(3 + i, 4 + i, f" w{i}.", 0.9) for i in range(3))
    again = Segment(3, 6, " w0. w1. w2.", words)
    store.save_chunk(job.id, 1, [again], dropped=0, seconds=1)
    assert spoken(store, job) == before


def test_search_finds_each_piece(store: Store, job: Job) -> None:
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    assert len(search(store, "w2")) == 2
    assert {s.speaker for _, s in search(store, "w0")} == {A, B}


def test_a_name_is_everywhere_and_survives_a_new_clustering(store: Store, job: Job) -> None:
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    edits.rename_speaker(store, job.id, B, "  Ana  Lima ")
    transcript = store.transcript(job.id)
    assert transcript.names == {B: "Ana Lima"}
    assert transcript.speakers == (A, B)
    # the same two, found in the other order, and a third
    store.save_diarization(job.id, [Turn(0, 2, C), Turn(2, 4, A), Turn(4, 6, B)], {"speakers": 3})
    assert store.transcript(job.id).names == {A: "Ana Lima"}
    edits.rename_speaker(store, job.id, A, " ")
    assert store.transcript(job.id).names == {}


def test_two_speakers_cannot_have_one_name(store: Store, job: Job) -> None:
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    edits.rename_speaker(store, job.id, A, "Ana")
    with pytest.raises(InputError, match="There is a ana in this recording already; merge"):
        edits.rename_speaker(store, job.id, B, "ana")
    with pytest.raises(InputError, match="There is a SPEAKER_00 "):
        edits.rename_speaker(store, job.id, B, A)
    assert store.transcript(job.id).names == {A: "Ana"}


def test_a_segment_given_to_another_speaker_takes_its_turn_along(store: Store, job: Job) -> None:
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    segment = store.segments(job.id)[1]
    assert edits.new_label(store.transcript(job.id).speakers) == C
    edits.assign_segment(store, known(segment.id), C)
    assert spoken(store, job)[1] == (2, 3, C)
    assert Turn(2, 3, C) in store.transcript(job.id).turns
    assert Turn(3, 4, B) in store.transcript(job.id).turns
    with pytest.raises(InputError, match="gone"):
        edits.assign_segment(store, 10**6, A)


def test_merged_speakers_are_one_with_a_name(store: Store, job: Job) -> None:
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    edits.rename_speaker(store, job.id, B, "Ana")
    edits.merge_speakers(store, job.id, B, A)
    transcript = store.transcript(job.id)
    assert transcript.turns == (Turn(0, 6, A),)
    assert {s.speaker for s in transcript.segments} == {A}
    assert transcript.names == {A: "Ana"}
    edits.merge_speakers(store, job.id, A, A)
    assert store.transcript(job.id).turns == transcript.turns


# -- where segments begin and end --------------------------------------------------------------


def texts(store: Store, job: Job) -> list[tuple[float, float, str, str | None]]:
    return [(s.start, s.end, s.text, s.edited) for s in store.segments(job.id)]


def test_a_split_segment_is_two_with_their_own_words(store: Store, job: Job) -> None:
    first = store.segments(job.id)[0]
    edits.set_note(store, known(first.id), "ask")
    cuts.split_segment(store, known(first.id), 2)
    assert texts(store, job)[:2] == [(0, 2, " w0. w1.", None), (2, 3, " w2.", None)]
    one, two = store.segments(job.id)[:2]
    assert one.words + two.words == first.words
    assert (one.id, one.note, two.note) == (first.id, "ask", "")


def test_an_edited_text_is_split_too(store: Store, job: Job) -> None:
    segment = store.segments(job.id)[0]
    edits.edit_text(store, known(segment.id), "Oi, W1 e w2.")
    cuts.split_segment(store, known(segment.id), 1)
    one, two = store.segments(job.id)[:2]
    assert (one.edited, two.edited) == ("Oi,", "W1 e w2.")
    assert (one.text, two.text) == (" w0.", " w1. w2.")
    assert two.start == 1
    edits.edit_text(store, known(two.id), None)
    assert store.segments(job.id)[1].final_text == " w1. w2."


@pytest.mark.parametrize("word", [0, 3, -1, 99])
def test_a_split_leaves_no_part_empty(store: Store, job: Job, word: int) -> None:
    with pytest.raises(InputError, match="between two words"):
        cuts.split_segment(store, known(store.segments(job.id)[0].id), word)
    assert len(store.segments(job.id)) == 2


def test_what_the_user_has_split_stays_split(store: Store, job: Job) -> None:
    cuts.split_segment(store, known(store.segments(job.id)[0].id), 1)
    store.save_diarization(job.id, [Turn(0, 6, A)], {"speakers": 1})
    assert [s.text for s in store.segments(job.id)] == [" w0.", " w1. w2.", " w0. w1. w2."]


def test_merged_segments_are_one(store: Store, job: Job) -> None:
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    one, two, *_rest = store.segments(job.id)  # 0-2 by A, 2-3 by B
    edits.edit_text(store, known(two.id), "W2!")
    edits.set_note(store, known(one.id), "ask", author="Ana")
    edits.set_note(store, known(two.id), "again", author="Bia")
    edits.set_highlight(store, known(two.id), True)
    cuts.merge_segments(store, known(one.id))
    whole = store.segments(job.id)[0]
    assert (whole.start, whole.end, whole.speaker) == (0, 3, A)
    assert (whole.text, whole.edited) == (" w0. w1. w2.", "w0. w1. W2!")
    assert (whole.note, whole.noted_by, whole.highlighted) == ("ask\nagain", "Ana, Bia", True)
    assert whole.words == one.words + two.words
    assert store.transcript(job.id).turns == (Turn(0, 3, A), Turn(3, 4, B), Turn(4, 6, A))
    with pytest.raises(InputError, match="last segment"):
        cuts.merge_segments(store, known(store.segments(job.id)[-1].id))


def test_notes_and_highlights_outlive_a_new_clustering(store: Store, job: Job) -> None:
    first, last = store.segments(job.id)
    edits.set_note(store, known(first.id), "ask")
    edits.set_highlight(store, known(last.id), True)
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    marks = [(s.start, s.note, s.highlighted) for s in store.segments(job.id)]
    assert marks == [(0, "ask", False), (2, "", False), (3, "", True), (4, "", True)]
    # a piece that alone has a note stays a piece, for the note is about it
    edits.set_note(store, known(store.segments(job.id)[1].id), "here")
    store.save_diarization(job.id, [Turn(0, 6, A)], {"speakers": 1})
    marks = [(s.start, s.note, s.highlighted) for s in store.segments(job.id)]
    assert marks == [(0, "ask", False), (2, "here", False), (3, "", True)]


# -- replacing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("find", "options", "number", "texts"),
    [
        ("w1", {}, 2, ["w0. X. w2.", "w0. X. w2."]),
        ("W1", {"match_case": True}, 0, [None, None]),
        ("w", {}, 6, ["X0. X1. X2.", "X0. X1. X2."]),
        ("w", {"whole_words": True}, 0, [None, None]),
        (".", {}, 6, ["w0X w1X w2X", "w0X w1X w2X"]),  # no pattern, but a full stop
        ("w0.", {"whole_words": True}, 2, ["X w1. w2.", "X w1. w2."]),
    ],
)
def test_a_text_is_replaced_wherever_it_is_said(
    store: Store, job: Job, find: str, options: dict[str, Any], number: int, texts: list[Any]
) -> None:
    change = edits.replace_all(store, job.id, find, "X", **options)
    assert change.number == number
    assert [s.edited for s in store.segments(job.id)] == texts


def test_a_replacement_is_taken_as_it_is(store: Store, job: Job) -> None:
    edits.replace_all(store, job.id, "w1", r"\1 \g<0> $&")
    assert store.segments(job.id)[0].edited == r"w0. \1 \g<0> $&. w2."
    edits.replace_all(store, job.id, r"\1 \g<0> $&", "w1")
    assert store.segments(job.id)[0].edited is None  # the model's own text again
    with pytest.raises(InputError, match="nothing to look for"):
        edits.replace_all(store, job.id, " ", "x")


DECOMPOSED = "Jose\u0301 e Jose, Jose\u0301"


@pytest.mark.parametrize(
    ("said", "find", "whole_words", "number", "text"),
    [
        ("कि की का क", "क", True, 1, "कि की का X"),  # a vowel sign is a part of its letter
        ("कि की का क", "क", False, 1, "कि की का X"),
        ("กิน กา ก", "ก", True, 1, "กิน กา X"),
        ("كَتَبَ كتب", "كتب", True, 1, "كَتَبَ X"),
        (DECOMPOSED, "Jose", True, 1, "José e X, José"),
        (DECOMPOSED, "Jose", False, 1, "José e X, José"),
        (DECOMPOSED, "José", True, 2, "X e Jose, X"),
        ("José e Jose", "jose\u0301", True, 1, "X e Jose"),
        ("می\u200cخواهم خواهم", "خواهم", True, 1, "می\u200cخواهم X"),
        ("می\u200cخواهم خواهم", "می", False, 1, "X\u200cخواهم خواهم"),
        ("d’água, água", "água", True, 1, "d’água, X"),
        ("copo d’água", "d'água", True, 1, "copo X"),
        ("guarda-chuva: chuva -chuva-", "chuva", True, 2, "guarda-chuva: X -X-"),
        ("custa 3,5 ou 3, 1.500 ou 500.", "3", True, 1, "custa 3,5 ou X, 1.500 ou 500."),
        ("custa 3,5 ou 3, 1.500 ou 500.", "500", True, 1, "custa 3,5 ou 3, 1.500 ou X."),
        (r"a\'b\-c [x]", r"\'b\-c [x]", False, 1, "aX"),
        ("'um' e rum", "um", True, 1, "'X' e rum"),
    ],
)
def test_words_and_letters_are_replaced_whole(
    store: Store, job: Job, said: str, find: str, whole_words: bool, number: int, text: str
) -> None:
    first = known(store.segments(job.id)[0].id)
    edits.edit_text(store, first, said)
    change = edits.replace_all(store, job.id, find, "X", whole_words=whole_words)
    assert (change.number, store.segments(job.id)[0].final_text) == (number, text)


def test_a_turn_without_text_is_given_to_somebody_else(store: Store, job: Job) -> None:
    store.save_diarization(job.id, TURNS, {"speakers": 2})
    edits.assign_turn(store, job.id, Turn(2, 4, B), C)
    assert store.transcript(job.id).turns == (Turn(0, 2, A), Turn(2, 4, C), Turn(4, 6, A))
    with pytest.raises(InputError, match="gone"):
        edits.assign_turn(store, job.id, Turn(2, 4, B), A)
