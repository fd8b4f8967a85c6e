"""Figures of words and speakers that can be counted on one's fingers."""

import json
import random
import sys
from typing import Any

import pytest
from conftest import known

from transcrevai_core import demo
from transcrevai_core.errors import InputError
from transcrevai_core.evaluation import scoring
from transcrevai_core.evaluation.annotation import Annotation, Utterance
from transcrevai_core.evaluation.cpwer import cpwer
from transcrevai_core.evaluation.metrics import align_words, character_errors, count_words
from transcrevai_core.evaluation.normalisation import Policy
from transcrevai_core.evaluation.references import choose_recording, parse, read
from transcrevai_core.types import Region, Turn

RIGHT = Annotation(
    (
        Utterance("bom dia a todos", 0, 2, "Ana"),
        Utterance("tudo bem", 2, 3, "Zé"),
        Utterance("até logo", 3, 4, "Ana"),
    ),
    (Turn(0, 2, "Ana"), Turn(2, 3, "Zé"), Turn(3, 4, "Ana")),
)


def said(*pairs: Any) -> Annotation:
    return Annotation(tuple(Utterance(text, n, n + 1, who) for n, (who, text) in enumerate(pairs)))


def test_every_kind_of_error_is_marked_word_by_word() -> None:
    pieces = align_words("O gato preto dorme na sala hoje", "o gato branco dorme sala hoje sim")
    assert pieces == [
        ("equal", "o gato", "o gato"),
        ("substitute", "preto", "branco"),
        ("equal", "dorme", "dorme"),
        ("delete", "na", ""),
        ("equal", "sala hoje", "sala hoje"),
        ("insert", "", "sim"),
    ]
    errors = count_words(pieces)
    assert (errors.words, errors.substitutions, errors.deletions, errors.insertions) == (7, 1, 1, 1)
    assert errors.rate == 3 / 7
    assert count_words(align_words("", "um dois")).rate == 1.0


def test_characters_are_counted_with_the_spaces_between_words() -> None:
    assert character_errors("bom dia", "bom-dia!") == (1, 7)
    assert character_errors("", "ab") == (2, 0)


def test_speakers_are_paired_so_that_errors_are_fewest() -> None:
    # X says all of Ana's words, Y one of two of Zé's
    pairs = cpwer(RIGHT.speakers, said(("Y", "tudo"), ("X", "bom dia a todos até logo")).speakers)
    assert [(p.reference, p.hypothesis, p.errors.errors) for p in pairs] == [
        ("Ana", "X", 0), ("Zé", "Y", 1),
    ]  # fmt: skip
    assert scoring.sum_pairs(pairs).rate == 1 / 8


def test_a_speaker_without_a_counterpart_is_missing_or_too_much() -> None:
    one = cpwer(RIGHT.speakers, {"X": "bom dia a todos até logo"})
    assert [(p.reference, p.hypothesis, p.errors.deletions) for p in one] == [
        ("Ana", "X", 0), ("Zé", None, 2),
    ]  # fmt: skip
    three = cpwer({"Ana": "oi"}, {"X": "oi", "Y": "não", "Z": "sim sim"})
    assert [(p.reference, p.hypothesis, p.errors.insertions) for p in three] == [
        ("Ana", "X", 0), (None, "Y", 1), (None, "Z", 2),
    ]  # fmt: skip
    assert cpwer({}, {}) == []


def test_the_same_cpwer_as_meeteval() -> None:
    published = pytest.importorskip(
        "meeteval.wer", reason="meeteval is not installed: it needs a C++ compiler to be built"
    )
    dice = random.Random(7)

    def talk(speakers: int) -> Any:
        return {f"s{n}": " ".join(dice.choices("abcdef", k=dice.randint(0, 12)))
                for n in range(speakers)}  # fmt: skip

    for _ in range(60):
        reference, hypothesis = talk(dice.randint(1, 5)), talk(dice.randint(1, 5))
        theirs = published.cp_word_error_rate(list(reference.values()), list(hypothesis.values()))
        mine = scoring.sum_pairs(cpwer(reference, hypothesis))
        assert (mine.errors, mine.words) == (theirs.errors, theirs.length)


def test_all_that_both_tell_is_scored() -> None:
    found = scoring.score(RIGHT, RIGHT)
    assert (
        known(found.words).rate
        == scoring.sum_pairs(found.pairs).rate
        == known(found.turns).rate
        == 0
    )
    assert (found.speakers, found.missing) == ((2, 2), ())
    told = scoring.as_dict(found)
    assert json.loads(json.dumps(told)) == told
    assert told["words"]["wer"] == told["speakers"]["cpwer"] == told["turns"]["der"] == 0
    assert "lower case" in told["normalisation"] and "no collar" in told["turns"]["policy"]


def test_what_cannot_be_scored_is_said_with_the_reason() -> None:
    text = Annotation((Utterance("bom dia"),))
    found = scoring.score(text, RIGHT)
    assert found.words is not None and not found.pairs and found.turns is None
    assert [*map(str, found.missing)] == [
        "The reference does not say who says what, so cpWER is not scored.",
        "The reference does not say who speaks when, so DER is not scored.",
    ]
    assert [*map(str, scoring.score(RIGHT, text).missing)] == [
        "The recording's words have no speakers, so cpWER is not scored.",
        "The recording has no speakers yet, so DER is not scored.",
    ]
    turns = Annotation(turns=RIGHT.turns)
    assert [*map(str, scoring.score(turns, RIGHT).missing)] == [
        "The reference has no text, so words are not scored.",
    ]
    assert [*map(str, scoring.score(RIGHT, turns).missing)] == [
        "The recording has no text yet, so words are not scored.",
    ]


def test_stretches_that_are_not_to_be_scored_count_for_nothing() -> None:
    reference = Annotation(
        (Utterance("bom dia", 0, 2, "Ana"),), (Turn(0, 2, "Ana"),), (Region(2, 4),)
    )
    hypothesis = Annotation(
        (Utterance("bom dia", 0, 2, "X"), Utterance("e muito mais", 2, 4, "Y")),
        (Turn(0, 2, "X"), Turn(2, 4, "Y")),
    )
    found = scoring.score(reference, hypothesis)
    assert known(found.words).errors == 0 and known(found.turns).rate == 0
    plain = scoring.score(Annotation(reference.utterances, reference.turns), hypothesis)
    assert known(plain.words).insertions == 3 and known(plain.turns).rate == 1.0


def test_the_recording_of_that_name_is_picked() -> None:
    stm = b"one 1 A 0 1 bom dia\ntwo 1 A 0 1 boa noite\n"
    mine = said(("X", "boa noite"))
    assert known(scoring.score_file("many.stm", stm, "two.wav", mine).words).errors == 0
    with pytest.raises(InputError, match="holds 2 recordings, and none of them is called three"):
        scoring.score_file("many.stm", stm, "three", mine)
    assert choose_recording(parse("x.txt", b"oi"), "x.txt", "whatever").text == "oi"
    with pytest.raises(InputError, match=r"x\.txt is empty"):
        scoring.score_file("x.txt", b" \n", "x", mine)
    with pytest.raises(InputError, match=r"x\.vtt holds no word; what is said"):
        scoring.score_file("x.vtt", b"WEBVTT\n", "x", mine)


def test_the_samples_own_references_agree_with_themselves() -> None:
    (text,) = read(demo.sample_path("en").with_suffix(".txt")).values()
    found = scoring.score(text, text)
    assert known(found.words).rate == 0 and known(found.words).words > 100


def test_words_are_scored_where_the_extra_for_speakers_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyannote.core", None)
    found = scoring.score(RIGHT, RIGHT)
    assert known(found.words).rate == 0 and found.turns is None
    assert str(found.missing[0]).startswith(
        "Scoring speakers needs `pip install transcrevai[score]`"
    )


def test_a_number_that_goes_on_in_the_next_line_is_in_the_first_ones_row() -> None:
    lines = ("são mil novecentos", "e noventa e nove dias", "e três")
    reference = Annotation(tuple(Utterance(line, float(n)) for n, line in enumerate(lines)))
    found = scoring.score(reference, Annotation((Utterance("são 1999 dias e 4"),)),
                          policy=Policy(numbers="pt"))  # fmt: skip
    assert known(found.words).errors == 1 and known(found.words).words == 5
    assert [
        (line.start, [piece.reference for piece in pieces]) for line, pieces in scoring.rows(found)
    ] == [(0.0, ["são 1999"]), (1.0, ["dias"]), (2.0, ["e", "3"])]
