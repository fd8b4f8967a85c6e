"""From voice vectors of windows to speakers: which clustering, how many, and no phantoms."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from transcrevai_core.diarization import clustering, counting, plda, vbx
from transcrevai_core.diarization.counting import Count, corrected
from transcrevai_core.diarization.recipes import Clustering, Recipe
from transcrevai_core.i18n import mark
from transcrevai_core.messages import Message

_PHANTOMS = 3  # clusters of noise or laughter that are looked for beside the speakers
_FEW_WINDOWS = 30
_CLEARLY_APART = 0.33  # silhouette
_FROM_SPECTRUM = ("eigengap", "silhouette")  # ways of counting that need a spectrum


@dataclass(frozen=True)
class Grouping:
    """Which speaker each window belongs to, how many there are, and how many were absorbed."""

    labels: np.ndarray  # (windows,), 0 to speakers - 1
    count: Count
    absorbed: int
    why: Message


class ClusterInput:
    """The vectors to cluster, and what clusterings by any settings share, made when first needed.

    `vectors`: (windows, dims) in order of time; `windows`: (windows, 2) seconds; `between`: see
    `Embedding`.
    """

    def __init__(
        self, vectors: np.ndarray, windows: np.ndarray, between: np.ndarray | None
    ) -> None:
        self.vectors, self.between = vectors, between
        self.scaled = vectors
        if between is not None:  # by how much each dimension depends on the speaker, after noise
            self.scaled = vectors * np.sqrt(between / (between + 1.0))
        self.seconds = covered_seconds(windows)
        self._spectra: dict[int, tuple[clustering.Clusterer, np.ndarray]] = {}

    @cached_property
    def partitions(self) -> list[plda.Partition]:
        """The merging by evidence; only where there is `between`."""
        assert self.between is not None
        return plda.agglomerate(self.vectors, self.between, self.seconds)

    @cached_property
    def agglomerative(self) -> clustering.Clusterer:
        """Average linkage."""
        return clustering.agglomerative(self.scaled)

    @cached_property
    def k_means(self) -> clustering.Clusterer:
        """k-means."""
        return clustering.k_means_cosine(self.scaled)

    def spectral(self, most: int) -> tuple[clustering.Clusterer, np.ndarray]:
        """NME-SC, and the gaps of at least `most` counts."""
        judged = max(most, clustering.GAPS)  # fewer make no difference
        if judged not in self._spectra:
            self._spectra[judged] = clustering.spectral(self.scaled, judged)
        return self._spectra[judged]


def group(cluster_input: ClusterInput, fewest: int, most: int, recipe: Recipe) -> Grouping:
    """Divide windows among `fewest` to `most` speakers, as `recipe` says."""
    scaled, between = cluster_input.scaled, cluster_input.between
    most = min(most, len(scaled))
    fewest = min(fewest, most)
    prune = _pruner(cluster_input, recipe)
    method: Clustering = recipe.clustering
    why = Message("as set")
    if method == "auto":
        method, why = choose_clustering(cluster_input, most)
    if method == "vbx" and between is not None and recipe.counting not in _FROM_SPECTRUM:
        count, labels, clusters = _from_partitions(
            scaled, cluster_input.partitions, fewest, most, recipe, prune
        )
    else:
        gaps = np.zeros(0)
        if method == "spectral" or (fewest < most and recipe.counting in _FROM_SPECTRUM):
            cluster, gaps = cluster_input.spectral(most)
        if method == "agglomerative":
            cluster = cluster_input.agglomerative
        elif method != "spectral":
            cluster = cluster_input.k_means
        count = _count(scaled, cluster, gaps, fewest, most, recipe, prune)
        labels, clusters = _without_phantoms(cluster, prune, count.number)
    if method == "vbx" and between is not None and count.number > 1:
        share = vbx.refine(cluster_input.vectors, between, labels, recipe.vbx)
        refined = prune(share.argmax(axis=1), fewest)
        if refined.max() + 1 >= fewest:
            labels = refined
    number = int(labels.max()) + 1
    explained = Message("{method}: {reason}", {"method": method, "reason": why})
    return Grouping(labels, corrected(count, number), max(0, clusters - number), explained)


def _from_partitions(
    vectors: np.ndarray,
    partitions: list[plda.Partition],
    fewest: int,
    most: int,
    recipe: Recipe,
    prune: Callable[..., np.ndarray],
) -> tuple[Count, np.ndarray, int]:
    """The count, its labels, and how many clusters there were with the phantoms."""
    found = plda.by_clusters(partitions, prune)
    if fewest == most:
        count = Count(fewest)
    elif recipe.counting == "evidence":
        count = counting.by_evidence(
            {n: partition.evidence for n, partition in found.items()},
            fewest,
            most,
            threshold=recipe.evidence,
            halves=clustering.likeness(vectors, found[2].labels) if 2 in found else 1.0,
            two=recipe.alike_two,
        )
    else:
        count = counting.by_likeness(
            vectors,
            lambda n: found[min((m for m in found if m >= n), default=max(found))].labels,
            fewest,
            most,
            threshold=recipe.alike,
            two=recipe.alike_two,
        )
    if count.number in found:
        partition = found[count.number]
        return count, partition.labels, partition.clusters
    clusters = min(count.number, len(partitions))
    return count, prune(partitions[-clusters].labels, clusters), clusters


def _pruner(cluster_input: ClusterInput, recipe: Recipe) -> Callable[..., np.ndarray]:
    """Return what gives clusters that are too small to be a speaker to the others."""
    seconds = cluster_input.seconds
    least = max(recipe.least_seconds, recipe.least_share * float(seconds.sum()))

    def prune(labels: np.ndarray, keep: int = 1) -> np.ndarray:
        return clustering.absorb(cluster_input.scaled, labels, seconds, least, keep)

    return prune


def evidence_by_count(
    cluster_input: ClusterInput, most: int, recipe: Recipe
) -> list[dict[str, float | int | None]]:
    """Return the evidence for each number of speakers, clustered as `recipe` says.

    `silhouette` (-1 to 1, high is good) is that of `counting`; `eigengap` the gap after so many
    eigenvalues, as a share of the largest (high is good); `likeness` the cosine of the two most
    alike speakers (low is good); `evidence` the nats for their being one (below 0 is good), where
    the embedding knows how voices vary. None where a number has none.
    """
    most = min(most, len(cluster_input.scaled))
    prune = _pruner(cluster_input, recipe)
    method = (
        choose_clustering(cluster_input, most)[0]
        if recipe.clustering == "auto"
        else recipe.clustering
    )
    spectral, gaps = cluster_input.spectral(most)
    of_method = {"spectral": spectral, "agglomerative": cluster_input.agglomerative}
    cluster = of_method.get(method, cluster_input.k_means)
    partitions = {}
    if cluster_input.between is not None:
        partitions = plda.by_clusters(cluster_input.partitions, prune)
    rows: list[dict[str, float | int | None]] = []
    for n in range(1, most + 1):
        partition = partitions.get(n)
        labels = partition.labels if partition and method == "vbx" else cluster(n)
        several = n > 1 and labels.max() + 1 == n
        known = partition and np.isfinite(partition.evidence)
        rows.append({
            "speakers": n,
            "silhouette": counting.silhouette(cluster_input.scaled, labels) if several else None,
            "eigengap": float(gaps[n - 1]) if n <= len(gaps) else None,
            "likeness": clustering.likeness(cluster_input.scaled, labels) if several else None,
            "evidence": partition.evidence if partition and known else None,
        })  # fmt: skip
    return rows


def choose_clustering(cluster_input: ClusterInput, most: int) -> tuple[Clustering, Message]:
    """Return the clustering that suits, and why.

    The limits come from labelled conversations and
    meetings; see benchmarks/diarization.py.
    """
    vectors = cluster_input.scaled
    count, windows = len(vectors), {"count": len(vectors)}
    if cluster_input.between is not None:
        template = mark("{count} windows in time, and the embedding knows how voices vary")
        return "vbx", Message(template, windows)
    if count < _FEW_WINDOWS:
        template = mark("{count} windows are few, and a tree weighs every pair")
        return "agglomerative", Message(template, windows)
    if count > clustering.SAMPLE:
        template = mark("{count} windows are many, and centroids need few of them")
        return "k-means", Message(template, windows)
    cluster = cluster_input.k_means
    apart = max((counting.silhouette(vectors, cluster(n)) for n in range(2, most + 1)), default=1.0)
    silhouette = {"silhouette": float(apart)}
    if apart < _CLEARLY_APART:
        template = mark("voices are hardly apart (silhouette {silhouette:.2f}), so neighbours tell")
        return "spectral", Message(template, silhouette)
    template = mark("voices are clearly apart (silhouette {silhouette:.2f})")
    return "k-means", Message(template, silhouette)


def _count(
    vectors: np.ndarray,
    cluster: clustering.Clusterer,
    gaps: np.ndarray,
    fewest: int,
    most: int,
    recipe: Recipe,
    prune: Callable[[np.ndarray], np.ndarray],
) -> Count:
    if fewest == most:
        return Count(fewest)
    if recipe.counting == "eigengap":
        return counting.by_gaps(gaps, fewest, most)
    if recipe.counting == "silhouette":
        single = int(gaps.argmax()) == 0
        return counting.by_silhouette(vectors, cluster, fewest, most, single=single)
    return counting.by_likeness(
        vectors,
        lambda n: prune(cluster(n)),
        fewest,
        most,
        threshold=recipe.alike,
        two=recipe.alike_two,
    )


def _without_phantoms(
    cluster: clustering.Clusterer, prune: Callable[..., np.ndarray], number: int
) -> tuple[np.ndarray, int]:
    """Divide so that `number` speakers remain once phantoms are absorbed.

    A phantom would otherwise take the place of a real speaker, whom another one swallows.
    Returns labels and how many clusters there were with the phantoms.
    """
    for clusters in range(number, number + _PHANTOMS + 1):
        labels = prune(cluster(clusters))
        if labels.max() + 1 == number:
            return labels, clusters
    return prune(cluster(number), number), number


def covered_seconds(windows: np.ndarray) -> np.ndarray:
    """How much of the recording each window stands for: up to the start of the next one."""
    ends = np.append(np.minimum(windows[1:, 0], windows[:-1, 1]), windows[-1:, 1])
    return np.asarray(ends - windows[:, 0])
