"""Frames back to speakers: boundaries sharper than windows can tell, and no slivers."""

import itertools
import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from transcrevai_core.diarization.embeddings.features import FRAMES_PER_SECOND, Features
from transcrevai_core.diarization.embeddings.ivector import log_likelihoods

_FRAMES_A_COMPONENT = 100
_COMPONENTS = 8
_TRAINING_FRAMES = 6_000  # of a speaker, spread evenly: a minute
_ROUNDS = 20
_FRAMES_AT_ONCE = 90_000  # 15 minutes of speech
_BLOCK = 4_000  # frames that are scored together: what comes of them fits into a cache
_FLOOR = 0.01  # of the variance over all speech
SHORTEST_RUN = round(0.3 * FRAMES_PER_SECOND)


def fit_mixture(
    frames: np.ndarray, deviation: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit a diagonal Gaussian mixture of at most 8 by EM; returns weights, means, variances.

    `deviation`, (dims,), is that of all speech: variances are kept off 0 by a share of it.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    count = max(1, min(_COMPONENTS, len(frames) // _FRAMES_A_COMPONENT))
    method = GaussianMixture(
        count, covariance_type="diag", reg_covar=_FLOOR, max_iter=_ROUNDS, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # some rounds are near enough
        method.fit(np.asarray(frames / deviation, np.float64))
    return method.weights_, method.means_ * deviation, method.covariances_ * deviation**2


def mixture_scores(
    frames: np.ndarray, mixtures: list[tuple[np.ndarray, np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Log densities of frames under each mixture: (frames, mixtures)."""
    together = [np.concatenate(parts).astype(np.float32) for parts in zip(*mixtures, strict=True)]
    bounds = np.cumsum([len(weights) for weights, _, _ in mixtures])[:-1]
    scores = np.empty((len(frames), len(mixtures)))
    for first in range(0, len(frames), _BLOCK):
        rows = slice(first, first + _BLOCK)
        every = log_likelihoods(frames[rows], *together)
        for column, joint in enumerate(np.split(every, bounds, axis=1)):
            best = joint.max(axis=1, keepdims=True)
            scores[rows, column] = best[:, 0] + np.log(np.exp(joint - best).sum(axis=1))
    return scores


def viterbi(scores: np.ndarray, switch: float) -> np.ndarray:
    """Best path through log scores (frames, speakers) where each change costs `switch` nats.

    >>> viterbi(np.array([[0, 3], [2, 0], [0, 3]]), switch=5.0)
    array([1, 1, 1])
    >>> viterbi(np.array([[0, 3], [2, 0], [0, 3]]), switch=0.5)
    array([1, 0, 1])
    """
    return viterbi_of(scores, [len(scores)], switch)[0]


def viterbi_of(scores: np.ndarray, lengths: Sequence[int], switch: float) -> list[np.ndarray]:
    """Best paths through stretches of so many frames that follow each other in `scores`.

    All go forward side by side, the longest first, so that Python counts the frames of the longest
    alone.
    """
    longest_first = np.argsort(-np.asarray(lengths), kind="stable")
    sizes = np.asarray(lengths)[longest_first]
    if not sizes.any():
        return [np.zeros(0, int) for _ in lengths]
    # at frame t the first alive[t] stretches go on; their scores stand together from row[t] on
    alive = np.searchsorted(-sizes, -np.arange(int(sizes[0])), side="left")
    row = np.concatenate([[0], np.cumsum(alive)])
    begins = np.concatenate([[0], np.cumsum(lengths)])[longest_first]
    together = np.empty((len(scores), scores.shape[1]))
    for rank, (begin, size) in enumerate(zip(begins, sizes, strict=True)):
        together[row[:size] + rank] = scores[begin : begin + size]
    changed = np.zeros(together.shape, bool)
    came_from = np.zeros(len(scores), np.int16)
    ends = np.zeros(len(sizes), int)  # where each path ends
    best = together[: alive[0]]
    for t in range(1, len(alive)):
        rows = slice(row[t], row[t + 1])
        if alive[t] < alive[t - 1]:
            ends[alive[t] : alive[t - 1]] = best[alive[t] :].argmax(axis=1)
            best = best[: alive[t]]
        came_from[rows] = best.argmax(axis=1)
        other = best.max(axis=1, keepdims=True) - switch
        np.greater(other, best, out=changed[rows])
        best = np.maximum(other, best) + together[rows]
    ends[: alive[-1]] = best.argmax(axis=1)
    path = np.empty(len(scores), int)
    for t in range(len(alive) - 1, -1, -1):
        now = ends[: alive[t]]
        path[row[t] : row[t + 1]] = now
        stays = ~changed[np.arange(row[t], row[t + 1]), now]
        ends[: alive[t]] = np.where(stays, now, came_from[row[t] : row[t + 1]])
    found = [path[row[:size] + rank] for rank, size in enumerate(sizes)]
    return [found[rank] for rank in np.argsort(longest_first)]


def smooth(labels: np.ndarray, shortest: int = SHORTEST_RUN) -> np.ndarray:
    """Give runs shorter than `shortest` frames to their longer neighbour, shortest runs first.

    >>> smooth(np.array([0, 0, 0, 1, 2, 2]), 2)
    array([0, 0, 0, 0, 2, 2])
    """
    edges = np.flatnonzero(np.diff(labels)) + 1
    bounds = [0, *edges.tolist(), len(labels)]
    runs = [[b - a, int(labels[a])] for a, b in itertools.pairwise(bounds) if b > a]
    while len(runs) > 1:
        at = min(range(len(runs)), key=lambda i: runs[i][0])
        if runs[at][0] >= shortest:
            break
        sides = [i for i in (at - 1, at + 1) if 0 <= i < len(runs)]
        runs[at][1] = runs[max(sides, key=lambda i: runs[i][0])][1]
        joined: list[list[int]] = []
        for length, label in runs:
            if joined and joined[-1][1] == label:
                joined[-1][0] += length
            else:
                joined.append([length, label])
        runs = joined
    found = np.repeat([label for _, label in runs], [length for length, _ in runs])
    return found.astype(labels.dtype)


def resegment(
    features: Features, spans: list[tuple[int, int]], labels: list[np.ndarray], switch: float
) -> list[np.ndarray]:
    """Fit a mixture to each speaker's frames and find the best path through each region.

    `spans`: first and last + 1 frame of each region; `labels`: speaker of each of its frames.
    """
    speakers = max((int(found.max()) for found in labels if len(found)), default=-1) + 1
    if speakers < 2:
        return labels
    total = np.bincount(np.concatenate(labels), minlength=speakers)
    every = np.maximum(1, total // _TRAINING_FRAMES)  # thin out evenly what is plenty
    held: list[list[np.ndarray]] = [[] for _ in range(speakers)]
    for (first, last), found in zip(spans, labels, strict=True):
        frames = features.frames(first, last)
        for speaker in np.unique(found[: len(frames)]):
            own = frames[found[: len(frames)] == speaker]
            held[speaker].append(own[:: every[speaker]].copy())  # a view would keep all
    pooled = [np.concatenate(parts) if parts else np.zeros((0, 1)) for parts in held]
    if min(map(len, pooled)) < 2:
        return labels
    deviation = np.maximum(np.concatenate(pooled).std(axis=0), 1e-6)
    mixtures = [fit_mixture(frames, deviation) for frames in pooled]
    out = list(labels)
    for some in _batches(spans):
        pieces = [features.frames(*spans[n]) for n in some]
        scores = mixture_scores(np.concatenate(pieces), mixtures)
        for n, path in zip(some, viterbi_of(scores, [*map(len, pieces)], switch), strict=True):
            out[n] = labels[n].copy()
            out[n][: len(path)] = path
    return out


def _batches(spans: list[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield which regions are gone through at once: alike in length, and bounded in memory."""
    some: list[int] = []
    held = 0
    for n in sorted(range(len(spans)), key=lambda n: spans[n][0] - spans[n][1]):
        length = spans[n][1] - spans[n][0]
        if some and held + length > _FRAMES_AT_ONCE:
            yield some
            some, held = [], 0
        some.append(n)
        held += length
    yield some
