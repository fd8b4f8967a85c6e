"""What the voice network hears while it is trained, and what its teacher says of it.

Every file of speech is a voice at each of several speeds, in rooms and by telephone; crops of it
are changed further, at random, each time they are heard. Used by `tools.train_voicenet`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import signal
from torch import nn

from tools.train_ivector import read_flac, room, telephone
from transcrevai_core.diarization.embeddings.features import log_mel
from transcrevai_core.diarization.embeddings.voicenet import FLOOR, levelled
from transcrevai_core.types import SAMPLE_RATE

SPEEDS = ((1, 1), (5, 4), (8, 7), (16, 15), (15, 16), (7, 8), (4, 5))  # resampling up, down
CLEAN, ROOM, LARGER_ROOM, TELEPHONE = range(4)
TEACHER_FRAMES = 160  # what the teacher hears at once, 1.6 s
STEP_FRAMES = 40  # from one of its windows to the next
SHORTEST = 4.2  # seconds of a file: at the highest speed it still holds a crop


@dataclass(frozen=True)
class Voice:
    """A speaker at one speed: log-mel frames in each condition, and what the teacher says."""

    speaker: str
    heard: np.ndarray  # float16, (conditions, frames, 40), levelled
    taught: np.ndarray  # float32, (windows, 256), a window every 0.4 s


def load_teacher() -> nn.Module:
    """The GE2E encoder that comes with resemblyzer."""
    from resemblyzer import VoiceEncoder

    return VoiceEncoder("cpu", verbose=False)


def teach(teacher: nn.Module, samples: np.ndarray) -> np.ndarray:
    """The teacher's vectors of 1.6 s windows every 0.4 s: float32, (windows, 256)."""
    from resemblyzer.audio import normalize_volume, wav_to_mel_spectrogram

    mel = wav_to_mel_spectrogram(normalize_volume(samples, -30, increase_only=True))
    starts = range(0, len(mel) - TEACHER_FRAMES, STEP_FRAMES)
    windows = np.stack([mel[s : s + TEACHER_FRAMES] for s in starts])
    with torch.inference_mode():
        return np.concatenate(
            [teacher(torch.from_numpy(block)).numpy() for block in np.array_split(windows, 2)]
        )


def voices_of(path: Path, teacher: nn.Module, rng: np.random.Generator) -> list[Voice]:
    """A file at every speed in every condition."""
    original = read_flac(path)
    found: list[Voice] = []
    if len(original) < SHORTEST * SAMPLE_RATE:
        return found
    for up, down in SPEEDS:
        clean = signal.resample_poly(original, up, down).astype(np.float32)
        taught = teach(teacher, clean)
        larger = room(room(clean, rng), rng)
        heard = [clean, room(clean, rng), larger, telephone(clean, rng)]
        mels = np.stack([levelled(log_mel(x)).astype(np.float16) for x in heard])
        found.append(Voice(path.name.split("-")[0], mels, taught))
    return found


def disturb(mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change crops (batch, frames, 40), levelled, as rooms, lines and microphones may."""
    out = mel.astype(np.float32)
    batch, frames, bins = out.shape
    place = np.linspace(0, 1, bins, dtype=np.float32)
    for row in range(batch):
        if rng.random() < 0.85:  # a microphone's own colour, smooth over frequency: 5 dB or so
            waves = np.cos(np.pi * np.outer(np.arange(1, 7), place))
            slopes = rng.normal(0, 1.0, 6) / np.sqrt(np.arange(1, 7))
            out[row] += (slopes @ waves).astype(np.float32)
        chance = rng.random()
        if chance < 0.4:  # noise, 3 to 25 dB below, falling with frequency
            depth = rng.uniform(0.7, 5.8)
            shape = -depth + rng.uniform(-3, 1) * (place - 0.3)
            grain = rng.standard_gamma(4.0, (frames, bins)) / 4.0
            out[row] = np.logaddexp(out[row], shape + np.log(grain + 1e-3))
        elif chance < 0.55:  # somebody else, 6 to 20 dB below
            other = mel[rng.integers(batch)].astype(np.float32) - rng.uniform(1.4, 4.6)
            out[row] = np.logaddexp(out[row], other)
        if rng.random() < 0.15:  # a narrow band
            low, high = rng.integers(1, 7), rng.integers(24, 39)
            out[row, :, :low] -= rng.uniform(2, 9)
            out[row, :, high:] -= rng.uniform(2, 9)
        if rng.random() < 0.5:  # a few bins unheard
            first, count = rng.integers(0, bins - 8), rng.integers(1, 8)
            out[row, :, first : first + count] = out[row].mean()
        level = np.log(np.exp(out[row]).mean())
        out[row] = np.maximum(out[row] - level, FLOOR) + rng.normal(0, 0.7)
    return np.maximum(out, FLOOR)
