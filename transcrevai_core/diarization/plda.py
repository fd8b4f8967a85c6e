"""Agglomerative clustering that asks, of two clusters, whether one voice or two made them.

Probabilistic linear discriminant analysis (Ioffe 2006, doi:10.1007/11744085_41) answers with a
log likelihood ratio, which weighs how much speech there is on both sides: two long clusters must
be alike to be one voice, two short ones may differ by chance. Windows of one voice in one
recording are not independent, as the theory has it, so a cluster counts as `MOST_OBSERVATIONS`
independent observations of its voice at the most.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.cluster.hierarchy import fcluster

from transcrevai_core.diarization.clustering import (
    SAMPLE,
    average_tree,
    centroids,
    compact,
    evenly,
    spread_labels,
)

MOST_OBSERVATIONS = 6.0  # however long a cluster is, ...
_OBSERVATIONS_A_SECOND = 1.0  # ... and of a short one
DOUBT = 30.0  # nats against a voice that says nothing at all, ...
_DOUBT_SECONDS = 2.0  # ... and after how long a third of them is left: laughter, coughs, clicks
_FIRST_CLUSTERS = 20  # by cosine, where merging begins


@dataclass(frozen=True, slots=True)
class Partition:
    """A division on the way from many clusters to one."""

    labels: np.ndarray  # (windows,), 0 to clusters - 1
    evidence: float  # nats that speak for its likeliest merge; -inf for a single cluster
    clusters: int


def same_voice(
    means: np.ndarray, observations: np.ndarray, one: int, others: np.ndarray, between: np.ndarray
) -> np.ndarray:
    """Log likelihood ratios, one voice against two, of cluster `one` with each of `others`.

    `means`: (clusters, dims), within-speaker covariance I; `observations`: (clusters,), how many
    independent observations of a voice each mean is taken over; `between`: (dims,).
    """
    a = between + 1.0 / observations[one]
    b = between + 1.0 / observations[others][:, None]
    x, y = means[one], means[others]
    determinant = a * b - between**2
    joint = np.log(determinant) + (b * x**2 - 2.0 * between * x * y + a * y**2) / determinant
    apart = np.log(a) + x**2 / a + np.log(b) + y**2 / b
    return np.asarray(0.5 * (apart - joint).sum(axis=1))


def agglomerate(
    vectors: np.ndarray, between: np.ndarray, seconds: np.ndarray, first: int = _FIRST_CLUSTERS
) -> list[Partition]:
    """Merge the likeliest pair again and again; returns every partition, most clusters first.

    `vectors`: (windows, dims), within-speaker covariance I; `seconds`: what each window stands
    for. The first clusters are those of average linkage by cosine.
    """
    labels = _first_clusters(vectors * np.sqrt(between / (between + 1.0)), first)
    means = centroids(vectors, labels)
    held = np.bincount(labels, weights=seconds)
    alive = list(range(len(held)))

    def scores(one: int, others: list[int]) -> np.ndarray:
        observations = 1.0 / (
            1.0 / np.maximum(_OBSERVATIONS_A_SECOND * held, 1e-3) + 1.0 / MOST_OBSERVATIONS
        )
        smaller = np.minimum(held[one], held[others])
        doubt = DOUBT * np.exp(-smaller / _DOUBT_SECONDS)
        scores: np.ndarray = same_voice(means, observations, one, np.array(others), between) + doubt
        return scores

    table = np.full((len(held), len(held)), -np.inf)
    for one in alive[1:]:
        table[one, :one] = scores(one, alive[:one])
    partitions = []
    while len(alive) > 1:
        gone, kept = divmod(int(table.argmax()), len(held))
        partitions.append(Partition(compact(labels), float(table[gone, kept]), len(alive)))
        share = held[gone] / max(held[gone] + held[kept], 1e-9)
        means[kept] += share * (means[gone] - means[kept])
        held[kept] += held[gone]
        labels = np.where(labels == gone, kept, labels)
        alive.remove(gone)
        table[gone, :] = table[:, gone] = -np.inf
        rest = [k for k in alive if k != kept]
        for other, score in zip(rest, scores(kept, rest) if rest else (), strict=True):
            table[max(kept, other), min(kept, other)] = score
    partitions.append(Partition(compact(labels), -np.inf, 1))
    return partitions


def _first_clusters(vectors: np.ndarray, clusters: int) -> np.ndarray:
    rows = evenly(len(vectors), SAMPLE)
    if len(rows) < 2:
        return np.zeros(len(vectors), int)
    tree = average_tree(vectors[rows])
    return spread_labels(vectors, rows, compact(fcluster(tree, clusters, "maxclust")))


def by_clusters(
    partitions: list[Partition], prune: Callable[[np.ndarray], np.ndarray]
) -> dict[int, Partition]:
    """The partitions by how many clusters they keep once `prune` has absorbed the small ones.

    Of several that keep as many, the last: what was merged until then was likelier one voice.
    """
    found: dict[int, Partition] = {}
    for partition in partitions:
        labels = prune(partition.labels)
        found[int(labels.max()) + 1] = replace(partition, labels=labels)
    return found
