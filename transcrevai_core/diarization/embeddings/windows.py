"""Where voice vectors are taken, their sound, and how their labels become labels of frames."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from transcrevai_core.diarization.embeddings.features import (
    FRAME_LENGTH,
    FRAME_STEP,
    FRAMES_PER_SECOND,
    Read,
)
from transcrevai_core.types import SAMPLE_RATE, Region

_SHORTEST = 1.0  # seconds: a shorter stretch tells too little of a voice
_GROUP_SAMPLES = 60 * SAMPLE_RATE  # of a recording that is worked on at once


def plan_windows(regions: Sequence[Region], length: float, hop: float) -> np.ndarray:
    """Windows of `length` seconds every `hop` seconds inside regions: float64, (windows, 2).

    The last window of a region ends with it; a region shorter than a window gives one window.

    >>> plan_windows([Region(0, 2.1), Region(5, 5.5)], 1.5, 0.5)
    array([[0. , 1.5],
           [0.5, 2. ],
           [0.6, 2.1],
           [5. , 5.5]])
    """
    rows: list[tuple[float, float]] = []
    for region in regions:
        if region.duration <= length:
            rows.append((region.start, region.end))
            continue
        count = int((region.duration - length) / hop + 1e-6) + 1
        rows += [(region.start + i * hop, region.start + i * hop + length) for i in range(count)]
        if region.end - rows[-1][1] > 1e-3:
            rows.append((region.end - length, region.end))
    return np.array(rows, np.float64).reshape(-1, 2).round(6)


def widen(windows: np.ndarray, shortest: float = _SHORTEST) -> np.ndarray:
    """Return windows of at least `shortest` seconds around the same middles, from 0 s on.

    >>> widen(np.array([[0.1, 0.5], [3.0, 4.5]]))
    array([[0. , 1. ],
           [3. , 4.5]])
    """
    lacking = np.maximum(0.0, shortest - (windows[:, 1] - windows[:, 0]))
    starts = np.maximum(0.0, windows[:, 0] - lacking / 2)
    return np.stack([starts, np.maximum(windows[:, 1] + lacking / 2, starts + shortest)], axis=1)


def vote(
    windows: np.ndarray, weights: np.ndarray, first: int, last: int, step: float
) -> np.ndarray:
    """Sum the windows' weights for each speaker over the frames that they cover.

    `windows`: (windows, 2) seconds; `weights`: (windows, speakers). Frames are `first` to `last`
    (not included) of `step` seconds each. A window counts most in its middle: 1 - 0.9 |2u - 1|
    with u the position in it. Returns float64, (frames, speakers).
    """
    begins, ends = np.ceil(windows / step - 0.5).astype(int).T
    offsets = np.arange(max(0, (ends - begins).max(initial=0)))
    frames = begins[:, None] + offsets  # (windows, frames of the longest)
    starts, stops = windows[:, :1], windows[:, 1:]
    place = ((frames + 0.5) * step - starts) / (stops - starts)
    height = 1.0 - 0.9 * np.abs(2.0 * place - 1.0)
    height[(frames >= ends[:, None]) | (frames < first) | (frames >= last)] = 0.0
    slots = np.clip(frames - first, 0, last - first - 1).ravel()
    columns = [
        np.bincount(slots, (height * weight[:, None]).ravel(), last - first) for weight in weights.T
    ]
    return np.stack(columns, axis=1)


def with_samples(read: Read, windows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield samples of about a minute and the windows in them as spans of samples, in order.

    Windows shorter than 1 s are widened, all are rounded to 10 ms and end with the recording;
    each has at least the samples of one frame.
    """
    wide = np.round(widen(windows) * FRAMES_PER_SECOND).astype(int) * FRAME_STEP
    first = 0
    while first < len(wide):
        last = first + int(np.searchsorted(wide[first:, 0], wide[first, 0] + _GROUP_SAMPLES))
        spans = wide[first:last]
        offset = int(spans[:, 0].min())
        samples = read(offset / SAMPLE_RATE, int(spans[:, 1].max()) / SAMPLE_RATE)
        samples = np.pad(samples, (0, max(0, FRAME_LENGTH - len(samples))))
        spans = spans - offset
        starts = np.minimum(spans[:, 0], (len(samples) - FRAME_LENGTH) // FRAME_STEP * FRAME_STEP)
        yield samples, np.stack([starts, np.minimum(spans[:, 1], len(samples))], axis=1)
        first = last


def frames_of(start: int, end: int) -> slice:
    """Frames that lie whole between two samples, `start` being the first of a frame.

    >>> frames_of(160, 160 + 400 + 160)
    slice(1, 3, None)
    """
    first = start // FRAME_STEP
    return slice(first, first + (end - start - FRAME_LENGTH) // FRAME_STEP + 1)


def in_batches(
    pieces: Sequence[np.ndarray], run: Callable[[np.ndarray], np.ndarray], most: int
) -> np.ndarray:
    """Run pieces of the same length together, at most `most` at once; rows keep their order."""
    lengths = np.array([len(piece) for piece in pieces])
    out: list[np.ndarray] = [np.zeros(0)] * len(pieces)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        for first in range(0, len(rows), most):
            some = rows[first : first + most]
            for row, vector in zip(some, run(np.stack([pieces[i] for i in some])), strict=True):
                out[row] = vector
    return np.stack(out)
