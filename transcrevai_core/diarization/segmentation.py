"""Who speaks at once, by the segmentation of pyannote: speech and overlap in frames of 17 ms.

The network (Plaquet & Bredin 2023, arXiv:2310.13025) hears 10 s at a time and says for each frame
which of up to three speakers talk, two at once at most (powerset). Who they are in the whole
recording it cannot tell; here it answers only how many talk.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from transcrevai_core.diarization.embeddings import onnx
from transcrevai_core.diarization.embeddings.features import Read
from transcrevai_core.models.catalogue import SEGMENTATION
from transcrevai_core.types import SAMPLE_RATE

NAME = SEGMENTATION
STEP = 270 / SAMPLE_RATE  # seconds from frame to frame
_FIRST = 495.5 / SAMPLE_RATE  # the middle of the first frame of a window
_WINDOW = 160_000  # samples
_HOP = 296 * 270  # samples, about 5 s, whole frames: every moment is heard twice


def activity(
    read: Read,
    seconds: float,
    path: Path | None = None,
    on_progress: Callable[[float], None] = lambda done: None,
) -> np.ndarray:
    """Return how likely somebody, and more than one, speaks: float32, (frames, 2).

    `read(start, end)` gives samples of a recording of so many seconds; frames are `STEP` apart.
    Raises ModelAbsent where the network is not here.
    """  # fmt: skip
    session = onnx.session(path or onnx.fetched(NAME), NAME)
    name = session.get_inputs()[0].name
    frames = int(np.ceil(seconds / STEP)) + 1
    total, weight = np.zeros((frames, 2), np.float32), np.zeros(frames, np.float32)
    last = max(0, round(seconds * SAMPLE_RATE) - 1)
    for start in range(0, last + 1, _HOP):
        if start and start + _WINDOW - _HOP > last:
            break  # the window before reaches to the end
        sound = read(start / SAMPLE_RATE, (start + _WINDOW) / SAMPLE_RATE)
        sound = np.pad(sound, (0, _WINDOW - len(sound))).astype(np.float32)
        (scores,) = session.run(None, {name: sound[None, None]})
        powers = np.exp(scores[0] - scores[0].max(axis=1, keepdims=True))
        powers /= powers.sum(axis=1, keepdims=True)
        found = np.stack([1.0 - powers[:, 0], powers[:, 4:].sum(axis=1)], axis=1)
        # a window knows its middle best
        height = np.hamming(len(found)).astype(np.float32)
        first = start // 270
        span = slice(first, min(frames, first + len(found)))
        count = span.stop - span.start
        total[span] += (height[:, None] * found)[:count]
        weight[span] += height[:count]
        on_progress(min(1.0, (start + _WINDOW) / max(last, 1)))
    return total / np.maximum(weight, 1e-6)[:, None]


def at(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return values of frames, (frames,), at other times in seconds, in a straight line between."""
    middles = _FIRST + STEP * np.arange(len(values))
    return np.asarray(np.interp(times, middles, values), np.float32)
