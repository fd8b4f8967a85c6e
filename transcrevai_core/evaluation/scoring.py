"""A hypothesis scored against its reference: words, words by speaker, turns, as plain values.

Light to import; what scores is imported by the functions that need it, which the web process
calls in a worker.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from transcrevai_core.errors import InputError, SettingError
from transcrevai_core.evaluation.annotation import Annotation
from transcrevai_core.evaluation.cpwer import SpeakerPair, cpwer
from transcrevai_core.evaluation.metrics import (
    DiarizationErrors,
    Piece,
    WordErrors,
    align_words,
    character_errors,
    count_words,
    der,
)
from transcrevai_core.evaluation.normalisation import PLAIN, Policy, normalise, word_counts
from transcrevai_core.evaluation.references import choose_recording, parse
from transcrevai_core.i18n import mark
from transcrevai_core.messages import Message

CPWER = mark(
    "cpWER: all words of a speaker in order of time, speakers paired so that word errors are "
    "fewest; who has no counterpart counts as missing or as too much."
)


class Line(NamedTuple):
    """An utterance of the reference: when it begins, who speaks, and how many words it has."""

    start: float | None
    speaker: str | None
    words: int


@dataclass(frozen=True, slots=True)
class Score:
    """What could be scored; what could not is None or empty, and `missing` says why, in words.

    `characters` are the errors of characters and how many the reference has; `lines` are the
    reference's utterances; `speakers` how many the reference and the hypothesis have. `collar` in
    seconds on each side.
    """

    words: WordErrors | None = None
    characters: tuple[int, int] = (0, 0)
    pieces: tuple[Piece, ...] = ()
    lines: tuple[Line, ...] = ()
    pairs: tuple[SpeakerPair, ...] = ()
    turns: DiarizationErrors | None = None
    speakers: tuple[int, int] = (0, 0)
    collar: float = 0.0
    skip_overlap: bool = False
    policy: Policy = PLAIN
    missing: tuple[Message, ...] = ()


def score_file(
    file: str,
    content: bytes,
    title: str,
    hypothesis: Annotation,
    collar: float = 0.0,
    skip_overlap: bool = False,
    policy: Policy = PLAIN,
) -> Score:
    """Score what was found in the recording `title` by a reference's file: a worker's task.

    Raises InputError with one sentence for a file that cannot be used.
    """
    if not content.strip():
        raise InputError(
            "{file} is empty; what is said in the recording would be right.", file=file
        )
    reference = choose_recording(parse(file, content), file, title)
    if not reference.turns:  # which can be scored without words
        check_reference(file, [reference])
    return score(reference, hypothesis, collar, skip_overlap, policy)


def check_reference(name: str, references: Iterable[Annotation]) -> None:
    """Raise InputError where references are to tell words, and none of them holds one."""
    if not any(one.utterances is None or normalise(one.text) for one in references):
        raise InputError(
            "{file} holds no word; what is said in the recording would be right.", file=name
        )


def score(
    reference: Annotation,
    hypothesis: Annotation,
    collar: float = 0.0,
    skip_overlap: bool = False,
    policy: Policy = PLAIN,
) -> Score:
    """Score all that both of them tell."""
    hypothesis = hypothesis.without(reference.unscored)
    found: dict[str, Any] = {"collar": collar, "skip_overlap": skip_overlap, "policy": policy}
    missing: list[Message] = []
    if reference.utterances is None:
        missing.append(Message("The reference has no text, so words are not scored."))
    elif hypothesis.utterances is None:
        missing.append(Message("The recording has no text yet, so words are not scored."))
    else:
        pieces = align_words(reference.text, hypothesis.text, policy)
        found["words"], found["pieces"] = count_words(pieces), tuple(pieces)
        found["lines"] = tuple(
            Line(said.start, said.speaker, words)
            for said, words in zip(
                reference.utterances,
                word_counts((said.text for said in reference.utterances), policy),
                strict=True,
            )
        )
        found["characters"] = character_errors(reference.text, hypothesis.text, policy)
        if not reference.speakers:
            missing.append(
                Message("The reference does not say who says what, so cpWER is not scored.")
            )
        elif not hypothesis.speakers:
            missing.append(
                Message("The recording's words have no speakers, so cpWER is not scored.")
            )
        else:
            found["pairs"] = tuple(cpwer(reference.speakers, hypothesis.speakers, policy))
    if reference.turns is None:
        missing.append(Message("The reference does not say who speaks when, so DER is not scored."))
    elif hypothesis.turns is None:
        missing.append(Message("The recording has no speakers yet, so DER is not scored."))
    else:
        try:
            found["turns"] = turn_errors(reference, hypothesis, collar, skip_overlap)
        except SettingError as error:  # the extra is missing, and words are scored without it
            missing.append(error.message)
        found["speakers"] = count_speakers(reference), count_speakers(hypothesis)
    return Score(**found, missing=tuple(missing))


def error_rate(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the word error rate over pairs of a reference and a hypothesis: a worker's task.

    >>> error_rate([("bom dia", "bom dia"), ("até logo", "até")])
    0.25
    """
    counts = (count_words(align_words(right, mine)) for right, mine in pairs)
    return sum(counts, WordErrors()).rate


def rows(found: Score, longest: int = 60) -> list[tuple[Line, list[Piece]]]:
    """Cut the alignment into the reference's lines, or less where one has over `longest` words.

    What was inserted stands in the line whose words it follows; where it is a lot, a row has
    `longest` pieces, and the next one no head.
    """
    cut: list[Line] = []
    for line in found.lines:
        for first in range(0, max(1, line.words), longest):
            start, speaker = (line.start, line.speaker) if not first else (None, None)
            cut.append(Line(start, speaker, min(longest, line.words - first)))
    cut = [line for line in cut if line.words] or [Line(None, None, 0)]
    out: list[tuple[Line, list[Piece]]] = [(cut[0], [])]
    left = cut[0].words
    for piece in found.pieces:
        words = piece.reference.split()
        while words:
            if not left and len(out) < len(cut):
                out.append((cut[len(out)], []))
                left = out[-1][0].words
            taken = words[: left or None]
            words = words[len(taken) :]
            left = max(0, left - len(taken))
            text = " ".join(taken)
            same = piece.kind == "equal"
            out[-1][1].append(Piece(piece.kind, text, text if same else piece.hypothesis))
        if not piece.reference:
            out[-1][1].append(piece)
    return [
        (Line(None, None, 0) if first else line, pieces[first : first + longest])
        for line, pieces in out
        for first in range(0, max(1, len(pieces)), longest)
    ]


def turn_errors(
    reference: Annotation, hypothesis: Annotation, collar: float, skip_overlap: bool
) -> DiarizationErrors:
    """Return the errors of who speaks when, outside what the reference leaves out."""
    return der(
        reference.turns or (),
        hypothesis.turns or (),
        collar=collar,
        skip_overlap=skip_overlap,
        unscored=reference.unscored,
    )


def count_speakers(spoken: Annotation) -> int:
    """Return how many speak by the turns."""
    return len({turn.speaker for turn in spoken.turns or ()})


def sum_pairs(pairs: Iterable[SpeakerPair]) -> WordErrors:
    """Return the word errors of all pairs, whose rate is cpWER."""
    return sum((pair.errors for pair in pairs), WordErrors())


def word_figures(errors: WordErrors, rate: str = "wer") -> dict[str, Any]:
    """Return counts, and the rate by its name, for JSON."""
    return {
        "words": errors.words,
        rate: round(errors.rate, 6),
        "substitutions": errors.substitutions,
        "deletions": errors.deletions,
        "insertions": errors.insertions,
    }


def turn_figures(errors: DiarizationErrors) -> dict[str, Any]:
    """Return seconds and rates for JSON."""
    return {
        "seconds": round(errors.total, 3),
        "der": round(errors.rate, 6),
        "missed": round(errors.share(errors.missed), 6),
        "false_alarm": round(errors.share(errors.false_alarm), 6),
        "confusion": round(errors.share(errors.confusion), 6),
        "jer": round(errors.jer, 6),
    }


def pair_figures(pair: SpeakerPair) -> dict[str, Any]:
    """Return a pair of speakers for JSON."""
    names = {"reference": pair.reference, "hypothesis": pair.hypothesis}
    return names | word_figures(pair.errors)


def character_rate(errors: int, characters: int) -> float:
    """Return the character error rate; of no characters, 1.0 where there are errors."""
    return errors / characters if characters else float(errors > 0)


def der_policy(collar: float, skip_overlap: bool) -> Message:
    """Say in words what was scored.

    >>> print(der_policy(0.25, False))
    DER: collar 0.25 s on each side of every reference boundary (0.5 s in all, which is what \
pyannote.metrics calls collar=0.5); overlap is scored. JER: no collar, overlap is scored.
    """
    width, overlap = Message("no collar, every moment is scored"), Message("overlap is scored")
    if collar:
        width = Message(
            "collar {collar:g} s on each side of every reference boundary ({whole:g} s in all, "
            "which is what pyannote.metrics calls collar={argument})",
            {"collar": collar, "whole": 2 * collar, "argument": f"{2 * collar:g}"},
        )
    if skip_overlap:
        overlap = Message("overlap is left out")
    return Message(
        "DER: {width}; {overlap}. JER: no collar, overlap is scored.",
        {"width": width, "overlap": overlap},
    )


def as_dict(found: Score) -> dict[str, Any]:
    """Return a score for JSON, with its policies and the alignment of the words."""
    shape: dict[str, Any] = {"missing": [str(sentence) for sentence in found.missing]}
    if found.words is not None:
        shape["normalisation"] = str(found.policy)
        shape["words"] = word_figures(found.words) | {
            "cer": round(character_rate(*found.characters), 6),
            "characters": found.characters[1],
        }
        shape["alignment"] = [piece._asdict() for piece in found.pieces]
    if found.pairs:
        shape["speakers"] = word_figures(sum_pairs(found.pairs), "cpwer") | {
            "policy": CPWER,
            "pairs": [pair_figures(pair) for pair in found.pairs],
        }
    if found.turns is not None:
        shape["turns"] = turn_figures(found.turns) | {
            "policy": str(der_policy(found.collar, found.skip_overlap)),
            "speakers_reference": found.speakers[0],
            "speakers_hypothesis": found.speakers[1],
        }
    return shape
