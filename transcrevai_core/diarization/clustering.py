"""Clusterings of voice vectors. Labels are int arrays, 0 to K - 1; rows are windows.

All are deterministic, and none builds a matrix over more than `SAMPLE` windows: a longer
recording is clustered on windows spread evenly, and the others join the nearest centroid.
"""

import warnings
from functools import cache
from typing import Protocol

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.linalg import eigh

SAMPLE = 2_000
SPECTRAL_SAMPLE = 500  # eigenvectors cost the cube of it, 20 times
GAPS = 8  # eigengaps that p is judged by, however few speakers are asked for
_STARTS = 10  # of k-means


def normalise(vectors: np.ndarray) -> np.ndarray:
    """Scale rows to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12))


def evenly(count: int, most: int) -> np.ndarray:
    """Indices of at most `most` of `count` rows, spread evenly.

    >>> evenly(10, 4)
    array([0, 2, 5, 7])
    """
    return np.arange(count) if count <= most else np.arange(most) * count // most


def compact(labels: np.ndarray) -> np.ndarray:
    """Renumber labels 0 to K - 1 in order of first appearance.

    >>> compact(np.array([7, 7, 2, 7, 5]))
    array([0, 0, 1, 0, 2])
    """
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def centroids(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean of the rows of each label: (K, dims); labels are 0 to K - 1."""
    sums = np.zeros((labels.max() + 1, vectors.shape[1]))
    for label in range(len(sums)):
        sums[label] = vectors[labels == label].sum(axis=0, dtype=np.float64)
    return np.asarray(sums / np.maximum(np.bincount(labels), 1)[:, None])


def nearest(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Index of the centre with the highest cosine for each row."""
    return np.asarray((normalise(vectors) @ normalise(centres).T).argmax(axis=1))


class Clusterer(Protocol):
    """Divides the same vectors into any number of clusters."""

    def __call__(self, count: int) -> np.ndarray:
        """Labels, compact, of at most `count` clusters."""
        ...


def agglomerative(vectors: np.ndarray) -> Clusterer:
    """Average linkage by cosine; one tree serves every count."""
    rows = evenly(len(vectors), SAMPLE)
    tree = average_tree(vectors[rows]) if len(rows) > 1 else None

    def cluster(count: int) -> np.ndarray:
        if tree is None:
            return np.zeros(len(vectors), int)
        return spread_labels(vectors, rows, compact(fcluster(tree, count, "maxclust")))

    return cluster


def average_tree(vectors: np.ndarray) -> np.ndarray:
    """Average linkage by cosine, as scipy writes trees; two rows at least."""
    # a row of zeros has no direction, and scipy no distance for it
    return np.asarray(linkage(normalise(vectors) + 1e-9, "average", "cosine"))


def k_means_cosine(vectors: np.ndarray) -> Clusterer:
    """k-means on vectors of length 1."""
    rows = evenly(len(vectors), SAMPLE)
    unit = normalise(vectors[rows])
    return cache(lambda count: spread_labels(vectors, rows, k_means(unit, count)))


def spread_labels(vectors: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Give the rows that were left out of a sample the label of the nearest centroid."""
    if len(rows) == len(vectors):
        return labels
    found = nearest(vectors, centroids(normalise(vectors[rows]), labels))
    found[rows] = labels
    return compact(found)


def k_means(vectors: np.ndarray, count: int) -> np.ndarray:
    """k-means of at most `count` clusters, the best of 10 starts; returns labels, compact."""
    count = min(count, len(vectors))
    if count < 2:
        return np.zeros(len(vectors), int)
    from sklearn.cluster import KMeans  # here: 140 MB that the default way can do without
    from sklearn.exceptions import ConvergenceWarning

    method = KMeans(count, n_init=_STARTS, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal points make fewer clusters
        return compact(method.fit_predict(np.asarray(vectors, np.float64)))


def spectral(vectors: np.ndarray, most: int) -> tuple[Clusterer, np.ndarray]:
    """NME-SC (Park et al. 2019, doi:10.1109/LSP.2019.2961071): a clusterer, and every count's gap.

    The affinity (cosine) is pruned to each row's best p, p chosen where p over the eigengap is
    least, so that nothing need be tuned. Gaps, (most,), are relative to the largest eigenvalue;
    the widest tells the count.
    """
    rows = evenly(len(vectors), SPECTRAL_SAMPLE)
    size = len(rows)
    unit = normalise(vectors[rows])
    affinity = unit @ unit.T
    order = np.argsort(-affinity, axis=1, kind="stable")
    judged = max(most, GAPS)
    wanted = min(judged + 1, size)
    best_ratio, gaps, basis = np.inf, np.zeros(judged), np.ones((size, 1))
    for p in np.unique(np.linspace(2, max(2, 0.3 * size), 20).astype(int)) if size > 2 else ():
        pruned = np.zeros_like(affinity)
        np.put_along_axis(pruned, order[:, :p], 1.0, axis=1)
        pruned = (pruned + pruned.T) / 2
        laplacian = np.diag(pruned.sum(axis=1)) - pruned
        values, vectors_of = eigh(laplacian, subset_by_index=[0, wanted - 1])
        found = np.zeros(judged)
        found[: wanted - 1] = np.diff(values) / max(_largest_eigenvalue(laplacian), 1e-12)
        ratio = (p / size) / max(found.max(), 1e-12)
        if ratio < best_ratio:
            best_ratio, gaps, basis = ratio, found, vectors_of
    return cache(lambda count: spread_labels(vectors, rows, k_means(basis[:, :count], count))), gaps


def _largest_eigenvalue(matrix: np.ndarray) -> float:
    """Power iteration from a fixed start; a percent or two is near enough here."""
    vector = np.cos(np.arange(len(matrix)) * 1.7) + 0.01
    for _ in range(30):
        vector = matrix @ vector
        vector /= max(float(np.linalg.norm(vector)), 1e-30)
    return float(vector @ matrix @ vector)


def likeness(vectors: np.ndarray, labels: np.ndarray) -> float:
    """Cosine of the two centroids that are most alike; -1 for a single cluster.

    >>> round(likeness(np.array([[1.0, 0], [0, 1], [-1, 0]]), np.array([0, 1, 2])), 3)
    0.0
    """
    centres = normalise(centroids(normalise(vectors), labels))
    if len(centres) < 2:
        return -1.0
    return float((centres @ centres.T - 3.0 * np.eye(len(centres))).max())


def absorb(
    vectors: np.ndarray, labels: np.ndarray, seconds: np.ndarray, least: float, fewest: int = 1
) -> np.ndarray:
    """While the smallest cluster covers less than `least` seconds, give its windows to others.

    `seconds`: what each window stands for, (windows,). Each window goes to the nearest centroid.
    """
    labels = compact(labels)
    while labels.max() + 1 > max(1, fewest):
        held = np.bincount(labels, weights=seconds)
        smallest = int(held.argmin())
        if held[smallest] >= least:
            break
        centres = centroids(vectors, labels)
        centres[smallest] = 0.0  # cosine 0 could win against negative ones, so bar it
        lost = labels == smallest
        cosine = normalise(vectors[lost]) @ normalise(centres).T
        cosine[:, smallest] = -np.inf
        labels = labels.copy()
        labels[lost] = cosine.argmax(axis=1)
        labels = compact(labels)
    return labels
