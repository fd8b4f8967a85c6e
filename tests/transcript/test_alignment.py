"""Words, turns and segments: answers that can be checked by hand."""

import itertools
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from transcrevai_core.transcript.alignment import align, word_speakers
from transcrevai_core.transcript.turns import exclusive, joined, overlapping, reassigned, talk_times
from transcrevai_core.types import Segment, Turn, Word

A, B = "SPEAKER_00", "SPEAKER_01"


def said(text: str, start: float = 0.0, step: float = 0.5, **more: Any) -> Segment:
    """A segment whose words take half a second each, without pauses."""
    words = tuple(
        Word(start + i * step, start + (i + 1) * step, f" {word}", 0.9)
        for i, word in enumerate(text.split())
    )
    return Segment(start, words[-1].end, f" {text}", words, **more)


def test_a_segment_is_split_where_the_speaker_changes_inside_it() -> None:
    segment = said("Shall we begin? Yes, let us begin.", id=7)
    first, second = align([segment], [Turn(0, 1.5, A), Turn(1.5, 3.5, B)])
    assert (first.speaker, first.text, first.start, first.end, first.id) == (
        A, " Shall we begin?", 0, 1.5, 7,
    )  # fmt: skip
    assert (second.speaker, second.text, second.start, second.end, second.id) == (
        B, " Yes, let us begin.", 1.5, 3.5, None,
    )  # fmt: skip
    assert first.words + second.words == segment.words


def test_pieces_are_one_again_where_one_speaker_is_heard_after_all() -> None:
    segment = said("Shall we begin? Yes, let us begin.", id=7)
    turns = [Turn(0, 1.5, A), Turn(1.5, 3.5, B)]
    pieces = align([segment], turns)
    assert [piece.continues for piece in pieces] == [False, True]
    assert align(pieces, turns) == pieces
    assert align(pieces, [Turn(0, 9, A)]) == [replace(segment, speaker=A)]
    # what the user has edited is never put together with anything
    edited = [pieces[0], replace(pieces[1], edited="Yes!")]
    assert [s.edited for s in align(edited, [Turn(0, 9, A)])] == [None, "Yes!"]
    # neither are two segments that were two from the first
    two = [said("One."), said("Two.", 0.5)]
    assert len(align(two, [Turn(0, 9, A)])) == 2


def test_an_edge_a_little_off_does_not_tear_a_word_from_its_phrase() -> None:
    segment = said("we meet again on Monday")
    # the turn's edge cuts into the last word: a little more than half of it lies beyond
    (whole,) = align([segment], [Turn(0, 2.2, A), Turn(2.2, 9, B)])
    assert whole.speaker == A


def test_a_short_answer_between_two_sentences_is_heard() -> None:
    segment = said("Is it done? Yes. Good then.")
    pieces = align([segment], [Turn(0, 1.5, A), Turn(1.5, 2, B), Turn(2, 3, A)])
    assert [(p.speaker, p.text.strip()) for p in pieces] == [
        (A, "Is it done?"), (B, "Yes."), (A, "Good then."),
    ]  # fmt: skip


def test_words_outside_all_turns_go_with_their_neighbours() -> None:
    words = said("one two three").words
    assert word_speakers(words, [Turn(0, 0.5, B)]) == [B, B, B]


def test_edited_text_stays_whole_with_whoever_says_most_of_it() -> None:
    segment = said("Shall we? Yes.", edited="Shall we go? Yes!")
    (whole,) = align([segment], [Turn(0, 1.0, A), Turn(1.0, 1.5, B)])
    assert (whole.speaker, whole.text, whole.edited) == (A, segment.text, segment.edited)


def test_a_segment_without_words_has_the_speaker_who_covers_it_best() -> None:
    segment = Segment(0, 4, " text")
    (whole,) = align([segment], [Turn(0, 1, A), Turn(1, 4, B)])
    assert whole.speaker == B
    assert align([segment], []) == [segment]


turns_of_three = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20), st.sampled_from("ABC")), max_size=12
).map(lambda rows: [Turn(a / 4, (a + n) / 4, who) for a, n, who in rows])


@given(turns_of_three, st.lists(st.integers(1, 8), min_size=1, max_size=5))
def test_whatever_the_turns_no_word_is_lost_and_order_is_kept(
    turns: Any, lengths: list[int]
) -> None:
    segments, start = [], 0.0
    for number, length in enumerate(lengths):
        segments.append(said(" ".join("abcdefgh"[:length]), start, id=number))
        start = segments[-1].end
    aligned = align(segments, turns)
    assert [w for s in aligned for w in s.words] == [w for s in segments for w in s.words]
    assert [s.id for s in aligned if s.id is not None] == list(range(len(lengths)))
    assert align(aligned, turns) == aligned or not turns
    assert all((s.speaker is None) == (not turns) for s in aligned)


@given(turns_of_three)
def test_the_exclusive_view_covers_the_same_time_once(turns: Any) -> None:
    alone = exclusive(turns)
    assert all(a.end <= b.start for a, b in itertools.pairwise(alone))
    for tick in range(330):
        moment = tick / 4 + 0.125
        speaking = {t.speaker for t in turns if t.start <= moment < t.end}
        left = {t.speaker for t in alone if t.start <= moment < t.end}
        assert left <= speaking and bool(left) == bool(speaking)


@given(turns_of_three, st.integers(0, 80), st.integers(1, 20))
def test_reassigning_moves_time_from_one_speaker_to_the_other(
    turns: Any, start: int, length: int
) -> None:
    turns = [t for who in "ABC" for t in joined(x for x in turns if x.speaker == who)]
    begins, ends = start / 4, (start + length) / 4
    after = reassigned(turns, begins, ends, "A", "B")
    for tick in range(420):
        moment = tick / 4 + 0.125
        before = {t.speaker for t in turns if t.start <= moment < t.end}
        now = {t.speaker for t in after if t.start <= moment < t.end}
        inside = begins <= moment < ends
        if inside and "A" in before:
            assert now == before - {"A"} | {"B"}
        elif not inside:
            assert now == before


def test_talk_time_counts_overlap_for_both() -> None:
    assert talk_times([Turn(0, 2, A), Turn(1, 4, B)]) == {A: 2, B: 3}
    assert overlapping([Turn(0, 9, A), Turn(1, 2, B)])(3, 4) == [Turn(0, 9, A)]
