"""Errors between a reference and a hypothesis, of words and of speakers, with policies stated."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transcrevai_core.errors import SettingError
from transcrevai_core.types import Turn

# Word-internal apostrophes, hyphens, decimal marks and the percent sign carry meaning
# ("don't", "segunda-feira", "3,5", "62%"); every other mark is punctuation.
_PUNCTUATION = re.compile(r"[^\w%'\-.,]|_|(?<!\d)[.,]|[.,](?!\d)|(?<!\w)['\-]|['\-](?!\w)")


def normalise(text: str) -> str:
    """Lower-case `text` in NFKC form without punctuation, accents kept, spaces single.

    The same rules serve Portuguese and English; numbers stay as they are written.

    >>> normalise("Bom dia, pessoal: são 3,5% na segunda-feira!")
    'bom dia pessoal são 3,5% na segunda-feira'
    """
    text = unicodedata.normalize("NFKC", text).replace("’", "'").lower()
    return " ".join(_PUNCTUATION.sub(" ", text).split())


def wer(reference: str, hypothesis: str) -> float:
    """Word error rate, as a fraction of the reference's words, after `normalise`.

    An empty reference gives 0.0 for an empty hypothesis and 1.0 otherwise.

    >>> wer("Bom dia, pessoal.", "bom dia Pascoal")
    0.3333333333333333
    """
    reference, hypothesis = normalise(reference), normalise(hypothesis)
    if not reference:
        return float(bool(hypothesis))
    import jiwer  # here, because only scoring needs it

    return float(jiwer.wer(reference, hypothesis))


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
) -> DiarizationErrors:
    """Errors of a diarization, speakers matched so that confusion is least, by pyannote.metrics.

    `collar` is in seconds on each side of every boundary of the reference; what it covers is not
    scored. pyannote.metrics calls the whole width, twice that, its collar. Overlapped speech is
    scored unless `skip_overlap`. Raises SettingError where the extra `score` is missing.

    >>> found = der([Turn(0, 8, "a"), Turn(8, 10, "b")], [Turn(0, 9, "x"), Turn(9, 11, "y")])
    >>> found.total, found.missed, found.false_alarm, found.confusion, found.rate
    (10.0, 0.0, 1.0, 1.0, 0.2)
    """
    try:
        from pyannote.core import Annotation, Segment, Timeline
        from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate
    except ImportError as error:
        raise SettingError(
            f"Scoring speakers needs `pip install transcrevai[score]` ({error})."
        ) from None

    def annotation(turns: Sequence[Turn]) -> Any:
        out = Annotation()
        for number, turn in enumerate(turns):
            out[Segment(turn.start, turn.end), number] = turn.speaker
        return out

    truth, found = annotation(reference), annotation(hypothesis)
    end = max((turn.end for turn in (*reference, *hypothesis)), default=0.0)
    whole = Timeline([Segment(0, end)])
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
