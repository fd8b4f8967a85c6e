"""How likely each frame is speech: Silero VAD, heard at a level it knows, and asked twice.

The network is Silero VAD v6 (https://github.com/snakers4/silero-vad), as faster-whisper ships it.
Two things of it lose speech, and both are mended here: it is deaf to sound far below full scale,
and its recurrent state, after some passages, misses loud speech that it finds when started afresh.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from transcrevai_core.types import SAMPLE_RATE

FRAME = 512  # samples that Silero judges at once
FRAME_SECONDS = FRAME / SAMPLE_RATE
BLOCK_SECONDS = 512 * FRAME_SECONDS  # 16 s: large enough to be fast, small enough for memory
_CONTEXT = 64  # samples before each frame that Silero looks back at
# how loud a block is made: to this peak, by no more than that, and not at once after a louder one,
# beside which what is quiet may well be silence
_PEAK, _MOST_GAIN, _FADE = 0.5, 300.0, 0.9
# what is asked again: at least so many frames (0.5 s) with less than this probability, ...
_DOUBT, _LEAST = 0.24, 15
# ... in pieces of 4 s, each heard after 1 s of what is before it, and louder where it is quiet
_PIECE, _WARM = 125, 31
_QUIET_PEAK, _QUIET_GAIN = 0.05, 30.0


def speech_probabilities(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the probability of speech of each 32 ms frame, block by block.

    `blocks`: float32 in -1 to 1, shape (samples,), 16 kHz, of `BLOCK_SECONDS` each, as levels and
    second opinions go by blocks; the last may be shorter. Yields float32 of shape (frames,); the
    very last frame is filled with zeros.
    """
    from faster_whisper.vad import get_vad_model  # heavy: only a worker comes here

    session = get_vad_model().session
    h, c = _fresh_state()
    before = np.zeros((_WARM, _CONTEXT + FRAME), np.float32)  # the last frames of the block before
    level = 0.0
    for block in blocks:
        level = max(float(np.abs(block).max()), _FADE * level)
        block = block * np.float32(min(_MOST_GAIN, max(1.0, _PEAK / max(level, 1e-9))))
        frames = np.pad(block, (0, -len(block) % FRAME)).reshape(-1, FRAME)
        looked_back = np.concatenate([before[-1:, -_CONTEXT:], frames[:-1, -_CONTEXT:]])
        inputs = np.concatenate([before, np.concatenate([looked_back, frames], axis=1)])
        output, h, c = session.run(None, {"input": inputs[_WARM:], "h": h, "c": c})
        probabilities = output.reshape(-1)
        for start, end in _doubtful(probabilities):
            heard = _afresh(session, inputs, _WARM + start, _WARM + end)
            probabilities[start:end] = np.maximum(probabilities[start:end], heard)
        before = inputs[-_WARM:]
        yield probabilities


def _fresh_state() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32)


def _doubtful(probabilities: np.ndarray) -> list[tuple[int, int]]:
    """Return from where to where there is hardly speech, for long enough to be asked again."""
    low = np.concatenate([[False], probabilities < _DOUBT, [False]])
    edges = np.flatnonzero(np.diff(low.astype(np.int8)))
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= _LEAST]


def _afresh(session: Any, inputs: np.ndarray, start: int, end: int) -> np.ndarray:
    """Return the probabilities of some frames, heard without what the network remembers."""
    found = []
    for first in range(start, end, _PIECE):
        last = min(end, first + _PIECE)
        peak = max(float(np.abs(inputs[first:last]).max()), 1e-9)
        gain = np.float32(max(1.0, min(_QUIET_GAIN, _QUIET_PEAK / peak)))
        h, c = _fresh_state()
        heard = inputs[max(0, first - _WARM) : last] * gain
        output, _, _ = session.run(None, {"input": heard, "h": h, "c": c})
        found.append(output.reshape(-1)[first - last :])
    return np.concatenate(found)
