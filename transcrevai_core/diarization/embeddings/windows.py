"""Where voice vectors are taken, and how their labels become labels of frames."""

from collections.abc import Sequence

import numpy as np

from transcrevai_core.types import Region

_SHORTEST = 1.0  # seconds: a shorter stretch tells too little of a voice


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
