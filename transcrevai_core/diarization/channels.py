"""Channel as speaker: in a recorded call each side has a channel of its own."""

from pathlib import Path

import numpy as np

from transcrevai_core.audio import pcm, vad
from transcrevai_core.diarization.pipeline import find_regions
from transcrevai_core.diarization.recipes import Recipe
from transcrevai_core.types import Turn

_LEAK_DECIBELS = 12.0  # a channel so far below another one only lets that one through
_FLOOR_DECIBELS = 30.0  # so far below a channel's own loud speech there is none
_COPY_DECIBELS = 0.5  # microphones differ by more from moment to moment
_SMOOTHING = 15  # frames, half a second


def measure_channel(wav: Path) -> np.ndarray:
    """Return a row for each 32 ms frame of one channel's file: float32, (frames, 2).

    A row holds the probability of speech and the level in dB.
    """
    levels = [_decibels(block) for block in pcm.blocks(wav, vad.BLOCK_SECONDS)]
    blocks = pcm.blocks(wav, vad.BLOCK_SECONDS)
    probabilities = np.concatenate([*vad.speech_probabilities(blocks)])
    return np.stack([probabilities, np.concatenate(levels)], axis=1).astype(np.float32)


def channel_turns(channels: np.ndarray, recipe: Recipe) -> list[Turn]:
    """Return the turns of channels (channels, frames, 2), SPEAKER_00 being the first one.

    Both may speak at once. What only leaks from a louder channel is nobody's speech, and a channel
    that has the sound of an earlier one, turned round or not, is no other speaker.
    """
    kernel = np.ones(_SMOOTHING) / _SMOOTHING
    levels = np.array([np.convolve(channel[:, 1], kernel, "same") for channel in channels])
    active = levels > levels.max(axis=0) - _LEAK_DECIBELS
    active &= levels > np.percentile(levels, 99, axis=1, keepdims=True) - _FLOOR_DECIBELS
    turns = [
        Turn(round(region.start, 3), round(region.end, 3), f"SPEAKER_{number:02d}")
        for number, channel in enumerate(channels)
        if not any(_is_copy(levels[number], levels[earlier]) for earlier in range(number))
        for region in find_regions([np.where(active[number], channel[:, 0], 0.0)], recipe)
    ]
    return sorted(turns, key=lambda turn: (turn.start, turn.end))


def _is_copy(levels: np.ndarray, others: np.ndarray) -> bool:
    """Tell whether a channel's level follows another one's wherever that one is loud."""
    loud = others > np.percentile(others, 99) - _FLOOR_DECIBELS
    low, high = np.percentile((levels - others)[loud], [2, 98])
    return bool(high - low < _COPY_DECIBELS)


def _decibels(block: np.ndarray) -> np.ndarray:
    frames = np.pad(block, (0, -len(block) % vad.FRAME)).reshape(-1, vad.FRAME)
    return np.asarray(10.0 * np.log10(np.mean(frames**2, axis=1) + 1e-10))
