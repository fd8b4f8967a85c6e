"""The 16 kHz mono PCM that `decode` left, read in stretches, never whole."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from transcrevai_core.types import SAMPLE_RATE, WAV_HEADER_BYTES


def read(wav: Path, start: float, end: float) -> np.ndarray:
    """Return a stretch of a file that `decode` wrote, between two times in seconds.

    float32 in -1 to 1, shape (samples,). Only that stretch is mapped, and only for the call:
    pages of a longer map would count as this process's memory for as long as it lives.
    """
    first = max(0, round(start * SAMPLE_RATE))
    count = min(round(end * SAMPLE_RATE), samples_in(wav)) - first
    if count <= 0:
        return np.zeros(0, np.float32)
    offset = WAV_HEADER_BYTES + 2 * first
    mapped = np.memmap(wav, dtype="<i2", mode="r", offset=offset, shape=(count,))
    return mapped.astype(np.float32) / 32768.0


def samples_in(wav: Path) -> int:
    """Return how many samples a file that `decode` wrote holds."""
    return (wav.stat().st_size - WAV_HEADER_BYTES) // 2


def blocks(
    wav: Path, seconds: float, *, on_progress: Callable[[float], None] = lambda done: None
) -> Iterator[np.ndarray]:
    """Yield a whole file stretch by stretch, each as `read` gives it; the last may be shorter.

    `on_progress` receives the share (0 to 1) that has been given out and used.
    """
    length = samples_in(wav) / SAMPLE_RATE
    start = 0.0
    while start < length:
        yield read(wav, start, start + seconds)
        start += seconds
        on_progress(min(1.0, start / length))
