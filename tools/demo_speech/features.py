"""Raw log-mel features along the same path as faster-whisper's, and the reverberation of rooms."""

from __future__ import annotations

import functools
import random

import numpy as np
import numpy.typing as npt
from faster_whisper.feature_extractor import FeatureExtractor

from tools.demo_speech.espeak import SAMPLE_RATE, Audio

#: Mel bands, and frames a second (a hop of 160 samples).
MELS = 80
FRAME_RATE = 100
#: Longest window that the model is to read, in seconds (``chunk_length`` of the feature extractor).
WINDOW_SECONDS = 10

Mel = npt.NDArray[np.float32]


@functools.cache
def _extractor() -> FeatureExtractor:
    return FeatureExtractor(chunk_length=WINDOW_SECONDS)


def raw_log_mel(audio: Audio) -> Mel:
    """log10 of the mel powers, (frames, 80): FeatureExtractor up to its floor and scaling.

    The floor is relative to the loudest point of a recording, hence applied to whole windows.
    """
    extractor = _extractor()
    window = np.hanning(extractor.n_fft + 1)[:-1].astype(np.float32)
    spectrum = extractor.stft(
        audio.astype(np.float32),
        extractor.n_fft,
        extractor.hop_length,
        window=window,
        return_complex=True,
    ).astype(np.complex64)
    power = np.abs(spectrum[..., :-1]) ** 2
    mel = np.log10(np.clip(extractor.mel_filters @ power, 1e-10, None))
    return np.ascontiguousarray(mel.T, dtype=np.float32)


def scaled(raw: Mel, louder_elsewhere: float = 0.0) -> Mel:
    """Whisper's floor (80 dB under the maximum) and scaling.

    ``louder_elsewhere`` says by how much (log10 power) the recording's maximum, outside this
    window, exceeds the window's own.
    """
    floored = np.maximum(raw, raw.max() + np.float32(louder_elsewhere - 8))
    scaled: Mel = ((floored + 4) / 4).astype(np.float32)
    return scaled


def add_reverberation(audio: Audio, rng: random.Random) -> Audio:
    """Convolves with exponentially decaying noise: a small room of 80 to 350 ms."""
    length = int(rng.uniform(0.08, 0.35) * SAMPLE_RATE)
    noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(length)
    response = noise * np.exp(-6.9 * np.arange(length) / length)  # 60 dB down at the end
    response *= rng.uniform(0.1, 0.4) / np.sqrt((response**2).sum())
    response[0] = 1  # the direct sound
    size = 1 << (len(audio) + length - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(response, size))
    return wet[: len(audio) + length // 3].astype(np.float32)
