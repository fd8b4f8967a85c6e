"""Errors between a reference and a hypothesis, of words and of speakers, with policies stated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from transcrevai_core.errors import SettingError
from transcrevai_core.evaluation.normalisation import PLAIN, Policy, normalise
from transcrevai_core.types import Region, Turn


class Piece(NamedTuple):
    """A stretch of the alignment of two texts: words that are equal, or one error.

    Words are as `normalise` writes them; equal ones are joined by spaces, and a side that has
    none is empty.
    """

    kind: Literal["equal", "substitute", "delete", "insert"]
    reference: str
    hypothesis: str


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Errors of words, that sum over recordings with `+`; `words` are the reference's."""

    words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def errors(self) -> int:
        """Errors of all three kinds."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors as a fraction of the reference's words; of none, 1.0 where there are any."""
        return self.errors / self.words if self.words else float(self.errors > 0)

    def __add__(self, other: "WordErrors") -> "WordErrors":
        return WordErrors(
            self.words + other.words,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


def align_words(reference: str, hypothesis: str, policy: Policy = PLAIN) -> list[Piece]:
    """Align two texts after `normalise` so that errors are fewest (Levenshtein, by jiwer).

    >>> [piece.kind for piece in align_words("Bom dia a todos!", "bom dia todos")]
    ['equal', 'delete', 'equal']
    """
    import jiwer  # here, because only scoring needs it

    found = jiwer.process_words(normalise(reference, policy), normalise(hypothesis, policy))
    left, right = found.references[0], found.hypotheses[0]
    pieces: list[Piece] = []
    for part in found.alignments[0]:
        mine = left[part.ref_start_idx : part.ref_end_idx]
        other = right[part.hyp_start_idx : part.hyp_end_idx]
        if part.type == "equal":
            pieces.append(Piece("equal", " ".join(mine), " ".join(other)))
        elif part.type == "substitute":
            pieces += [Piece("substitute", *pair) for pair in zip(mine, other, strict=True)]
        elif part.type == "delete":
            pieces += [Piece("delete", word, "") for word in mine]
        else:
            pieces += [Piece("insert", "", word) for word in other]
    return pieces


def count_words(pieces: Iterable[Piece]) -> WordErrors:
    """Count the errors of an alignment."""
    words, counts = 0, {"equal": 0, "substitute": 0, "delete": 0, "insert": 0}
    for piece in pieces:
        words += len(piece.reference.split())
        counts[piece.kind] += 1
    return WordErrors(words, counts["substitute"], counts["delete"], counts["insert"])


def wer(reference: str, hypothesis: str, policy: Policy = PLAIN) -> float:
    """Word error rate, as a fraction of the reference's words, after `normalise`.

    An empty reference gives 0.0 for an empty hypothesis and 1.0 otherwise.

    >>> wer("Bom dia, pessoal.", "bom dia Pascoal")
    0.3333333333333333
    >>> wer("são vinte e três", "são 23", Policy(numbers="pt"))
    0.0
    """
    return count_words(align_words(reference, hypothesis, policy)).rate


def character_errors(reference: str, hypothesis: str, policy: Policy = PLAIN) -> tuple[int, int]:
    """Return the errors of characters after `normalise`, and the reference's number of them.

    The spaces between words are characters like the others, as jiwer counts them.

    >>> character_errors("um dia", "um tia")
    (1, 6)
    """
    import jiwer

    reference, hypothesis = normalise(reference, policy), normalise(hypothesis, policy)
    if not reference:
        return len(hypothesis), 0
    found = jiwer.process_characters(reference, hypothesis)
    return found.substitutions + found.deletions + found.insertions, len(reference)


@dataclass(frozen=True, slots=True)
class DiarizationErrors:
    """What `der` found, in seconds that sum over recordings with `+`.

    `total` is the scored speech of the reference, overlapped speech once for each speaker.
    `jaccard` sums each reference speaker's Jaccard error (0 to 1) over `speakers` of them, at
    collar 0 with overlap, whatever the rest is scored by (Ryant et al. 2019, arXiv:1906.07839).
    """

    total: float = 0.0
    missed: float = 0.0
    false_alarm: float = 0.0
    confusion: float = 0.0
    jaccard: float = 0.0
    speakers: int = 0

    @property
    def rate(self) -> float:
        """Diarization error rate, a fraction of `total`; 1.0 where speech is found in none."""
        return self.share(self.missed + self.false_alarm + self.confusion)

    @property
    def jer(self) -> float:
        """Jaccard error rate: the mean over the reference's speakers."""
        return self.jaccard / self.speakers if self.speakers else float(self.false_alarm > 0)

    def share(self, seconds: float) -> float:
        """Seconds of one kind of error as a fraction of `total`."""
        return seconds / self.total if self.total else float(seconds > 0)

    def __add__(self, other: "DiarizationErrors") -> "DiarizationErrors":
        return DiarizationErrors(
            self.total + other.total,
            self.missed + other.missed,
            self.false_alarm + other.false_alarm,
            self.confusion + other.confusion,
            self.jaccard + other.jaccard,
            self.speakers + other.speakers,
        )


def der(
    reference: Sequence[Turn],
    hypothesis: Sequence[Turn],
    *,
    collar: float = 0.0,
    skip_overlap: bool = False,
    unscored: Sequence[Region] = (),
) -> DiarizationErrors:
    """Errors of a diarization, speakers matched so that confusion is least, by pyannote.metrics.

    `collar` is in seconds on each side of every boundary of the reference; what it covers is not
    scored. pyannote.metrics calls the whole width, twice that, its collar. Overlapped speech is
    scored unless `skip_overlap`, and nothing is in the stretches of `unscored`; nobody overlaps
    with themselves. Raises SettingError where the extra `score` is missing.

    >>> found = der([Turn(0, 8, "a"), Turn(8, 10, "b")], [Turn(0, 9, "x"), Turn(9, 11, "y")])
    >>> found.total, found.missed, found.false_alarm, found.confusion, found.rate
    (10.0, 0.0, 1.0, 1.0, 0.2)
    """
    try:
        from pyannote.core import Annotation, Segment, Timeline
        from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate
    except ImportError as error:
        raise SettingError(
            "Scoring speakers needs `pip install transcrevai[score]` ({error}).", error=str(error)
        ) from None

    def annotation(turns: Sequence[Turn]) -> Any:
        out = Annotation()
        for number, turn in enumerate(_merged(turns)):
            out[Segment(turn.start, turn.end), number] = turn.speaker
        return out

    truth, found = annotation(reference), annotation(hypothesis)
    end = max((turn.end for turn in (*reference, *hypothesis)), default=0.0)
    left_out = Timeline([Segment(region.start, region.end) for region in unscored])
    whole = left_out.gaps(support=Segment(0, end)) if unscored else Timeline([Segment(0, end)])
    rate = DiarizationErrorRate(collar=2 * collar, skip_overlap=skip_overlap)
    parts = rate.compute_components(truth, found, uem=whole)
    speakers = len(truth.labels())
    each = JaccardErrorRate().compute_components(truth, found, uem=whole) if speakers else {}
    return DiarizationErrors(
        total=float(parts["total"]),
        missed=float(parts["missed detection"]),
        false_alarm=float(parts["false alarm"]),
        confusion=float(parts["confusion"]),
        jaccard=float(each.get("speaker error", 0.0)),
        speakers=speakers,
    )


def _merged(turns: Sequence[Turn]) -> list[Turn]:
    """Return turns of which no two of one speaker overlap; those that only touch stay two."""
    out: list[Turn] = []
    for turn in sorted(turns, key=lambda turn: (turn.speaker, turn.start)):
        last = out[-1] if out else turn
        if out and last.speaker == turn.speaker and turn.start < last.end:
            turn = Turn(last.start, max(last.end, turn.end), turn.speaker)
            out.pop()
        out.append(turn)
    return out
