"""How many speakers there are: given, within a range, or found; and how clear that is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from transcrevai_core.diarization.clustering import (
    Clusterer,
    evenly,
    likeness,
)
from transcrevai_core.errors import SettingError

# margins that are as sure as it gets, of evidence and of the cosine of two halves
_SURE_NATS, _SURE_COSINE = 50.0, 0.2
_JUDGED = 1_000  # windows whose silhouette is taken: each is held against each


@dataclass(frozen=True, slots=True)
class Count:
    """A number of speakers, the next best one, and how it was found.

    `margin` (0 to 1) tells how clearly the number stands out; it is no probability.
    """

    number: int
    margin: float = 1.0
    runner_up: int | None = None
    by: str = "given"


def corrected(count: Count, number: int) -> Count:
    """The count, where later stages found another number than it said.

    >>> corrected(Count(3, 0.9), 2)
    Count(number=2, margin=0.5, runner_up=3, by='given')
    """
    if number == count.number:
        return count
    return replace(count, number=number, margin=min(count.margin, 0.5), runner_up=count.number)


def check_range(speakers: int | tuple[int, int]) -> tuple[int, int]:
    """Return the fewest and most speakers; raises SettingError with one sentence.

    >>> check_range(3), check_range((1, 6))
    ((3, 3), (1, 6))
    """
    fewest, most = (speakers, speakers) if isinstance(speakers, int) else speakers
    if not 1 <= fewest <= most <= 20:
        raise SettingError(
            "speakers is {speakers}; it should be a number from 1 to 20, or a range of two.",
            speakers=repr(speakers),
        )
    return fewest, most


def by_gaps(gaps: np.ndarray, fewest: int, most: int) -> Count:
    """Take the count with the widest eigengap; sure where the next gap is much smaller.

    A gap beyond the range speaks for the range's own end.

    >>> by_gaps(np.array([0.0, 0.4, 0.1]), 1, 3)
    Count(number=2, margin=0.8, runner_up=3, by='eigengap')
    >>> by_gaps(np.array([0.0, 0.1, 0.0, 0.0, 0.3]), 1, 3).number
    3
    """
    scores = np.array(gaps[fewest - 1 : most], float)
    scores[0] = max(gaps[:fewest])
    scores[-1] = max(scores[-1], *gaps[most - 1 :])
    return _best(scores, fewest, "eigengap")


def by_silhouette(
    vectors: np.ndarray, cluster: Clusterer, fewest: int, most: int, *, single: bool
) -> Count:
    """Take the count whose windows are most clearly nearer to their own cluster than to others.

    One speaker has no silhouette: `single` says whether there is but one, as the eigengap may.
    """
    if single and fewest == 1:
        return Count(1, 0.5, 2, "eigengap")
    fewest = max(2, fewest)
    scores = [max(0.0, silhouette(vectors, cluster(n))) for n in range(fewest, most + 1)]
    return _best(np.array(scores), fewest, "silhouette") if scores else Count(most)


def _best(scores: np.ndarray, fewest: int, by: str) -> Count:
    order = np.argsort(-scores, kind="stable")
    first = int(order[0])
    if len(scores) == 1 or scores[first] <= 0:
        return Count(fewest + first, 1.0 if len(scores) == 1 else 0.0, None, by)
    second = int(order[1])
    margin = float(scores[first] / (scores[first] + max(0.0, scores[second])))
    return Count(fewest + first, round(margin, 3), fewest + second, by)


def silhouette(vectors: np.ndarray, labels: np.ndarray) -> float:
    """Mean silhouette (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7) by cosine, -1 to 1.

    Of many windows, some that are spread evenly stand for all; 0 for a single cluster.

    >>> silhouette(np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]]), np.array([0, 0, 1, 1]))
    1.0
    """
    from sklearn.metrics import silhouette_score  # here: the default way can do without

    rows = evenly(len(vectors), _JUDGED)
    labels = labels[rows]
    if not 1 < len(np.unique(labels)) < len(labels):
        return 0.0
    return float(silhouette_score(vectors[rows], labels, metric="cosine"))


def by_likeness(
    vectors: np.ndarray,
    cluster: Clusterer,
    fewest: int,
    most: int,
    *,
    threshold: float,
    two: float | None = None,
) -> Count:
    """Take the largest count whose two most alike speakers are still less alike than `threshold`.

    One count too many halves a voice, and its halves are alike: that cosine leaps upwards. How
    far the two sides of the leap are from the threshold tells how sure the count is. Whether
    there are two speakers at all is judged by `two`, which is lower: where a single voice is
    halved, removing the recording's mean has put the halves on opposite sides. `cluster` may
    return fewer clusters than it was asked for, having taken phantoms away.
    """
    two = threshold if two is None else two
    alike: dict[int, float] = {}
    for count in range(2, min(most + 1, len(vectors)) + 1):
        labels = cluster(count)
        found = int(labels.max()) + 1
        if found > 1:
            alike[found] = min(likeness(vectors, labels), alike.get(found, 1.0))
    limits = {n: two if n == 2 else threshold for n in alike}
    held = [n for n in alike if fewest <= n <= most and alike[n] < limits[n]]
    number = max(held, default=fewest)
    if fewest == 1 and alike.get(2, -1.0) >= two:
        number = 1
    down = limits[number] - alike[number] if number > fewest and number in alike else np.inf
    up = alike.get(number + 1, 1.0) - limits.get(number + 1, threshold)
    up = up if number < most else np.inf
    if not np.isfinite(min(down, up)):
        return Count(number, 1.0, None, "likeness")
    # a margin of 0.2 on the cosine is as sure as it gets
    margin = 0.5 + 0.45 * min(1.0, max(0.0, min(down, up)) / 0.2)
    runner_up = number - 1 if down < up else number + 1
    return Count(number, round(margin, 3), runner_up, "likeness")


def by_evidence(
    evidence: Mapping[int, float],
    fewest: int,
    most: int,
    *,
    threshold: float,
    halves: float = -1.0,
    two: float = 1.0,
) -> Count:
    """Take the largest count of which no two clusters are likely to be one voice.

    `evidence`: for each count, the nats that speak for its likeliest merge (`plda.Partition`). How
    far the counts on both sides are from the threshold tells how sure it is. There is but one
    voice where the best division in two has `halves` alike, their cosine at least `two`.

    >>> by_evidence({4: 60.0, 3: -80.0, 2: -90.0, 1: -np.inf}, 1, 6, threshold=0.0)
    Count(number=3, margin=0.95, runner_up=4, by='evidence')
    """
    within = sorted(n for n in evidence if fewest <= n <= most)
    if not within:
        return Count(min(evidence, key=lambda n: abs(n - fewest)), 0.5, None, "evidence")
    if within[0] == 1 and halves >= two:
        sure = min(1.0, (halves - two) / _SURE_COSINE)
        return Count(1, round(0.5 + 0.45 * sure, 3), 2 if 2 in within else None, "evidence")
    number = within[-1]
    for n in reversed(within):
        number = n
        if evidence[n] < threshold:
            break
    above = [evidence[n] - threshold for n in evidence if number < n <= most]
    margins = [(min(above, default=np.inf) / _SURE_NATS, number + 1)]
    if number > fewest:
        margins.append(((threshold - evidence[number]) / _SURE_NATS, number - 1))
        if number == 2:
            margins.append(((two - halves) / _SURE_COSINE, 1))
    sure, runner_up = min(margins)
    if not np.isfinite(sure):
        return Count(number, 1.0, None, "evidence")
    return Count(number, round(0.5 + 0.45 * min(1.0, max(0.0, sure)), 3), runner_up, "evidence")
