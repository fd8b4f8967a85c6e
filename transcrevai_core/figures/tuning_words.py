"""What the pictures of the laboratory say, in words and numbers, for those who do not see them."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from transcrevai_core.i18n import _, decimal, mark

_MEASURES = (
    ("silhouette", mark("Silhouette: high is good")),
    ("eigengap", mark("Eigengap: high is good")),
    ("likeness", mark("Likeness of the nearest two: low is good")),
    ("evidence", mark("Nats for one voice too many: low is good")),
)


def farthest(dots: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Return the dots of a map, those farthest from the middle of their own speaker first.

    >>> farthest([(0, 0, 0, 1, "A"), (1, 0, 1, 2, "A"), (5, 0, 2, 3, "A")])[0]
    (5, 0, 2, 3, 'A')
    """
    middles = {}
    for label in {dot[4] for dot in dots}:
        own = [dot for dot in dots if dot[4] == label]
        middles[label] = [sum(dot[axis] for dot in own) / len(own) for axis in (0, 1)]
    return sorted(dots, key=lambda dot: -math.dist(dot[:2], middles[dot[4]]))


def likeness(
    matrix: Sequence[Sequence[float]], labels: Sequence[str]
) -> dict[tuple[str, str], float]:
    """Return the mean cosine of each pair of speakers; that of a window with itself is left out.

    >>> likeness([[1.0, 0.5, 0.1], [0.5, 1.0, 0.3], [0.1, 0.3, 1.0]], ["A", "A", "B"])
    {('A', 'A'): 0.5, ('A', 'B'): 0.2, ('B', 'A'): 0.2}
    """
    bounds = [0, *(n for n in range(1, len(labels)) if labels[n] != labels[n - 1]), len(labels)]
    blocks = [(labels[a], a, b) for a, b in itertools.pairwise(bounds) if b > a]
    means = {}
    for (one, a, b), (other, c, d) in itertools.product(blocks, repeat=2):
        same = b - a if one == other else 0
        if pairs := (b - a) * (d - c) - same:
            means[one, other] = (sum(sum(row[c:d]) for row in matrix[a:b]) - same) / pairs
    return means


def measures(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the measures that any row has, with their titles."""
    return [(key, _(title)) for key, title in _MEASURES if any(r[key] is not None for r in rows)]


def evidence(rows: Sequence[Mapping[str, Any]], chosen: int) -> tuple[list[str], list[list[str]]]:
    """Return what `tuning_charts.evidence` draws as a table, the chosen row in bold."""
    known = measures(rows)
    cells = []
    for row in rows:
        values = ["" if row[key] is None else decimal(row[key], 2) for key, title in known]
        bold = "**" if row["speakers"] == chosen else ""
        cells.append([f"{bold}{text}{bold}" if text else "" for text in
                      (decimal(row["speakers"]), *values)])  # fmt: skip
    return [f"{name} " for name in (_("Speakers"), *(title for _key, title in known))], cells
