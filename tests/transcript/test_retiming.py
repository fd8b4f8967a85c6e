"""Words of an edited text get times that can be checked by hand."""

from typing import Any

from transcrevai_core.transcript.retiming import timed_words
from transcrevai_core.types import Segment, Word


def said(text: str, edited: Any = None, start: float = 0.0) -> Segment:
    words = [Word(start + n, start + n + 1, f" {w}", 0.4) for n, w in enumerate(text.split())]
    return Segment(start, words[-1].end, f" {text}", tuple(words), edited=edited)


def times(segment: Segment) -> list[tuple[str, float, float]]:
    return [(word.text.strip(), word.start, word.end) for word in timed_words(segment)]


def test_without_an_edit_words_are_the_models_own() -> None:
    segment = said("bom dia")
    assert timed_words(segment) == list(segment.words)


def test_equal_words_keep_their_times_whatever_their_case_and_marks() -> None:
    assert times(said("bom dia pessoal", "Bom dia, pessoal!")) == [
        ("Bom", 0, 1), ("dia,", 1, 2), ("pessoal!", 2, 3),
    ]  # fmt: skip


def test_other_words_share_the_time_of_what_they_replace() -> None:
    assert times(said("o gato subiu", "o cão preto subiu")) == [
        ("o", 0, 1), ("cão", 1, 1.375), ("preto", 1.375, 2), ("subiu", 2, 3),
    ]  # fmt: skip


def test_words_that_are_left_out_leave_the_others_in_place() -> None:
    assert times(said("então o gato é subiu", "o gato subiu")) == [
        ("o", 1, 2), ("gato", 2, 3), ("subiu", 4, 5),
    ]  # fmt: skip


def test_what_the_user_wrote_is_sure_and_spells_the_text() -> None:
    words = timed_words(said("bom dia", "boa tarde a todos"))
    assert {word.probability for word in words} == {1.0}
    assert "".join(word.text for word in words) == "boa tarde a todos"
    assert timed_words(said("bom dia", "")) == []


def test_a_segment_without_words_is_shared_among_its_letters() -> None:
    assert times(Segment(2, 4, " ab ab")) == [("ab", 2, 3), ("ab", 3, 4)]
