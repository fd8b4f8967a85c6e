"""Two at once: who else speaks where the segmentation hears more than one."""

import itertools
from collections.abc import Sequence

import numpy as np

from transcrevai_core.diarization.embeddings.features import FRAMES_PER_SECOND
from transcrevai_core.diarization.resegmentation import viterbi_of

NOBODY = -1
BOTH = 0.5  # how likely two have to be
_CHANGE = 5.0  # nats that a change of speaker costs, which spares slivers at boundaries
_FLOOR = 0.02  # of a frame's votes, so that none is quite without a speaker
_NEAR = 3 * FRAMES_PER_SECOND  # frames to who may speak too


def decide(votes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the likeliest speaker of each frame, of regions' votes (frames, speakers)."""
    together = np.concatenate(votes)
    shares = together / np.maximum(together.sum(axis=1, keepdims=True), 1e-9)
    paths = viterbi_of(np.log(shares + _FLOOR), [len(region) for region in votes], _CHANGE)
    return [path.astype(np.int8) for path in paths]


def second_speakers(
    spans: Sequence[tuple[int, int]], labels: Sequence[np.ndarray], both: np.ndarray
) -> list[np.ndarray]:
    """Return who speaks beside the speaker of `labels` in each frame of regions, else `NOBODY`.

    `spans` are the regions' first and last + 1 frames in the recording, `both` tells for each of
    its frames, up to the end of the last region, whether two talk. It is whoever else speaks
    nearest in time, within 3 s.

    >>> labels, both = [np.array([0, 0, 0, 1, 1])], np.array([0, 0, 1, 1, 0], bool)
    >>> second_speakers([(0, 5)], labels, both)
    [array([-1, -1,  1,  0, -1], dtype=int8)]
    """
    who = np.full(max((last for _, last in spans), default=0), NOBODY, np.int8)
    for (first, last), own in zip(spans, labels, strict=True):
        who[first:last] = own
    before, ago = _nearest_other(who)
    after, ahead = (side[::-1] for side in _nearest_other(who[::-1]))
    other = np.where(ago <= ahead, before, after)
    other[np.minimum(ago, ahead) > _NEAR] = NOBODY
    other[(who == NOBODY) | ~both[: len(who)]] = NOBODY
    return [other[first:last] for first, last in spans]


def _nearest_other(who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each frame who spoke last before it but its own speaker, and how many frames ago.

    Far away, and `NOBODY`, where there is none.
    """
    edges = [0, *(np.flatnonzero(np.diff(who)) + 1).tolist(), len(who)]
    other, ago = np.full(len(who), NOBODY, np.int8), np.full(len(who), len(who) + 2 * _NEAR)
    ended: dict[int, int] = {}  # by speaker, the latest last
    for a, b in itertools.pairwise(edges):
        if a == b:
            continue
        own = int(who[a])
        late = next((name for name in reversed(ended) if name != own), None)
        if late is not None:
            other[a:b] = late
            ago[a:b] = np.arange(a, b) - ended[late] + 1
        if own != NOBODY:
            ended.pop(own, None)
            ended[own] = b
    return other, ago
