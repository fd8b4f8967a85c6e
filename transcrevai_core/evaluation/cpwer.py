"""Word errors with speakers: who is who is settled so that errors are fewest."""

from collections.abc import Mapping
from dataclasses import dataclass

from transcrevai_core.evaluation.metrics import WordErrors, align_words, count_words
from transcrevai_core.evaluation.normalisation import PLAIN, Policy


@dataclass(frozen=True, slots=True)
class SpeakerPair:
    """A speaker of the reference beside the one of the hypothesis that was taken for them.

    None is nobody: what a speaker without a counterpart says is all missing, or all too much.
    """

    reference: str | None
    hypothesis: str | None
    errors: WordErrors


def cpwer(
    reference: Mapping[str, str], hypothesis: Mapping[str, str], policy: Policy = PLAIN
) -> list[SpeakerPair]:
    """Return the concatenated minimum-permutation word errors, speaker by speaker.

    Both map each speaker to all that they say, in order of time; names need not agree. The rate
    of the summed errors is cpWER (Watanabe et al. 2020, "CHiME-6 Challenge", arXiv:2004.09249):
    speakers are paired so that word errors are fewest, which is an assignment problem over the
    errors of each pair. Where one side has more speakers, the others are paired with nobody.

    >>> pairs = cpwer({"a": "bom dia", "b": "olá"}, {"x": "olá", "y": "bom dia a todos"})
    >>> [(pair.reference, pair.hypothesis, pair.errors.errors) for pair in pairs]
    [('a', 'y', 2), ('b', 'x', 0)]
    """
    from scipy.optimize import linear_sum_assignment  # here: only scoring needs it

    size = max(len(reference), len(hypothesis))
    if not size:
        return []
    nobody = [None] * size
    left, right = [*reference, *nobody][:size], [*hypothesis, *nobody][:size]

    def errors_of(mine: str | None, other: str | None) -> WordErrors:
        said = "" if mine is None else reference[mine]
        heard = "" if other is None else hypothesis[other]
        return count_words(align_words(said, heard, policy))

    errors = [[errors_of(mine, other) for other in right] for mine in left]
    rows, columns = linear_sum_assignment([[cell.errors for cell in row] for row in errors])
    return [
        SpeakerPair(left[row], right[column], errors[row][column])
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
