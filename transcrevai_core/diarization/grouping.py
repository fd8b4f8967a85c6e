"""Voice vectors of windows to speakers: which way to cluster, how many, and no phantoms."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from transcrevai_core.diarization import clustering, counting, plda, vbx
from transcrevai_core.diarization.counting import Count, corrected
from transcrevai_core.diarization.recipes import Clustering, Recipe

_PHANTOMS = 3  # clusters of noise or laughter that are looked for beside the speakers
_FEW = 30  # windows
_APART = 0.33  # silhouette
_OF_GAPS = ("eigengap", "silhouette")  # ways of counting that need a spectrum


@dataclass(frozen=True)
class Grouping:
    """Which speaker each window belongs to, how many there are, and how many were absorbed."""

    labels: np.ndarray  # (windows,), 0 to speakers - 1
    count: Count
    absorbed: int
    why: str


class Material:
    """What is grouped, and what groupings by any settings share, made when first asked for.

    `vectors`: (windows, dims) in order of time; `windows`: (windows, 2) seconds; `between`: see
    `Embedding`.
    """

    def __init__(
        self, vectors: np.ndarray, windows: np.ndarray, between: np.ndarray | None
    ) -> None:
        self.vectors, self.between = vectors, between
        self.told = vectors
        if between is not None:  # what each dimension tells of the speaker, after noise
            self.told = vectors * np.sqrt(between / (between + 1.0))
        self.seconds = held_seconds(windows)
        self._spectra: dict[int, tuple[clustering.Divider, np.ndarray]] = {}

    @cached_property
    def stages(self) -> list[plda.Stage]:
        """The merging by evidence; only where there is `between`."""
        assert self.between is not None
        return plda.agglomerate(self.vectors, self.between, self.seconds)

    @cached_property
    def tree(self) -> clustering.Divider:
        """Average linkage."""
        return clustering.agglomerative(self.told)

    @cached_property
    def means(self) -> clustering.Divider:
        """k-means."""
        return clustering.k_means_cosine(self.told)

    def spectrum(self, most: int) -> tuple[clustering.Divider, np.ndarray]:
        """NME-SC, and the gaps of at least `most` counts."""
        judged = max(most, clustering.GAPS)  # fewer make no difference
        if judged not in self._spectra:
            self._spectra[judged] = clustering.spectral(self.told, judged)
        return self._spectra[judged]


def group(material: Material, fewest: int, most: int, recipe: Recipe) -> Grouping:
    """Divide windows among `fewest` to `most` speakers, as `recipe` says."""
    told, between = material.told, material.between
    most = min(most, len(told))
    fewest = min(fewest, most)
    prune = _pruner(material, recipe)
    method: Clustering = recipe.clustering
    why = "as set"
    if method == "auto":
        method, why = choose(material, most)
    if method == "vbx" and between is not None and recipe.counting not in _OF_GAPS:
        count, labels, divided = _of_stages(told, material.stages, fewest, most, recipe, prune)
    else:
        gaps = np.zeros(0)
        if method == "spectral" or (fewest < most and recipe.counting in _OF_GAPS):
            divide, gaps = material.spectrum(most)
        if method == "agglomerative":
            divide = material.tree
        elif method != "spectral":
            divide = material.means
        count = _count(told, divide, gaps, fewest, most, recipe, prune)
        labels, divided = _divide_well(divide, prune, count.number)
    if method == "vbx" and between is not None and count.number > 1:
        share = vbx.refine(material.vectors, between, labels, recipe.vbx)
        refined = prune(share.argmax(axis=1), fewest)
        if refined.max() + 1 >= fewest:
            labels = refined
    number = int(labels.max()) + 1
    return Grouping(labels, corrected(count, number), max(0, divided - number), f"{method}: {why}")


def _of_stages(
    vectors: np.ndarray,
    stages: list[plda.Stage],
    fewest: int,
    most: int,
    recipe: Recipe,
    prune: Callable[..., np.ndarray],
) -> tuple[Count, np.ndarray, int]:
    """The count, its labels, and how many clusters there were with the phantoms."""
    found = plda.by_clusters(stages, prune)
    if fewest == most:
        count = Count(fewest)
    elif recipe.counting == "evidence":
        count = counting.by_evidence(
            {n: stage.evidence for n, stage in found.items()},
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
        stage = found[count.number]
        return count, stage.labels, stage.clusters
    clusters = min(count.number, len(stages))
    return count, prune(stages[-clusters].labels, clusters), clusters


def _pruner(material: Material, recipe: Recipe) -> Callable[..., np.ndarray]:
    """Return what gives clusters that are too small to be a speaker to the others."""
    seconds = material.seconds
    least = max(recipe.least_seconds, recipe.least_share * float(seconds.sum()))

    def prune(labels: np.ndarray, keep: int = 1) -> np.ndarray:
        return clustering.absorb(material.told, labels, seconds, least, keep)

    return prune


def weigh(material: Material, most: int, recipe: Recipe) -> list[dict[str, float | int | None]]:
    """Return what speaks for each number of speakers, once divided as `recipe` says.

    `silhouette` (-1 to 1, high is good) is that of `counting`; `eigengap` the gap after so many
    eigenvalues, as a share of the largest (high is good); `likeness` the cosine of the two most
    alike speakers (low is good); `evidence` the nats for their being one (below 0 is good), where
    the embedding knows how voices vary. None where a number has none.
    """
    most = min(most, len(material.told))
    prune = _pruner(material, recipe)
    method = choose(material, most)[0] if recipe.clustering == "auto" else recipe.clustering
    spectral, gaps = material.spectrum(most)
    of_method = {"spectral": spectral, "agglomerative": material.tree}
    divide = of_method.get(method, material.means)
    stages = {}
    if material.between is not None:
        stages = plda.by_clusters(material.stages, prune)
    rows: list[dict[str, float | int | None]] = []
    for n in range(1, most + 1):
        stage = stages.get(n)
        labels = stage.labels if stage and method == "vbx" else divide(n)
        several = n > 1 and labels.max() + 1 == n
        known = stage and np.isfinite(stage.evidence)
        rows.append({
            "speakers": n,
            "silhouette": counting.silhouette(material.told, labels) if several else None,
            "eigengap": float(gaps[n - 1]) if n <= len(gaps) else None,
            "likeness": clustering.likeness(material.told, labels) if several else None,
            "evidence": stage.evidence if stage and known else None,
        })  # fmt: skip
    return rows


def choose(material: Material, most: int) -> tuple[Clustering, str]:
    """Return the way of clustering that suits, and why in words.

    The limits come from labelled conversations and
    meetings; see benchmarks/diarization.py.
    """
    vectors = material.told
    count = len(vectors)
    if material.between is not None:
        return "vbx", f"{count} windows in time, and the embedding knows how voices vary"
    if count < _FEW:
        return "agglomerative", f"{count} windows are few, and a tree weighs every pair"
    if count > clustering.SAMPLE:
        return "k-means", f"{count} windows are many, and centroids need few of them"
    divide = material.means
    apart = max((counting.silhouette(vectors, divide(n)) for n in range(2, most + 1)), default=1.0)
    if apart < _APART:
        return "spectral", f"voices are hardly apart (silhouette {apart:.2f}), so neighbours tell"
    return "k-means", f"voices are clearly apart (silhouette {apart:.2f})"


def _count(
    vectors: np.ndarray,
    divide: clustering.Divider,
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
        return counting.by_silhouette(vectors, divide, fewest, most, single=single)
    return counting.by_likeness(
        vectors,
        lambda n: prune(divide(n)),
        fewest,
        most,
        threshold=recipe.alike,
        two=recipe.alike_two,
    )


def _divide_well(
    divide: clustering.Divider, prune: Callable[..., np.ndarray], number: int
) -> tuple[np.ndarray, int]:
    """Divide so that `number` speakers remain once phantoms are absorbed.

    A phantom would otherwise take the place of a real speaker, whom another one swallows.
    Returns labels and how many clusters there were with the phantoms.
    """
    for clusters in range(number, number + _PHANTOMS + 1):
        labels = prune(divide(clusters))
        if labels.max() + 1 == number:
            return labels, clusters
    return prune(divide(number), number), number


def held_seconds(windows: np.ndarray) -> np.ndarray:
    """How much of the recording each window stands for: up to the start of the next one."""
    ends = np.append(np.minimum(windows[1:, 0], windows[:-1, 1]), windows[-1:, 1])
    return np.asarray(ends - windows[:, 0])
