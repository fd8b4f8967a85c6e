"""Augmentation of raw log-mel windows: voices, channels, noise, level, and SpecAugment."""

from __future__ import annotations

import random

import numpy as np

from tools.demo_speech.espeak import SAMPLE_RATE
from tools.demo_speech.features import MELS, Mel, raw_log_mel, scaled

NOISE_SHARE = 0.5
#: Exponents of 1/f noise (in amplitude), from white to brown.
_NOISE_SLOPES = (0.0, 0.5, 1.0, 0.35, 0.7)
_NOISE_SECONDS = 25


def make_noises(seed: int) -> list[Mel]:
    """Raw log-mel of 25 s of noises: 1/f of several slopes, and mains hum."""
    rng = np.random.default_rng(seed)
    count = SAMPLE_RATE * _NOISE_SECONDS
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 20)
    waves = []
    for slope in _NOISE_SLOPES:
        spectrum = np.fft.rfft(rng.standard_normal(count)) / frequencies**slope
        waves.append(np.fft.irfft(spectrum, count))
    time = np.arange(count) / SAMPLE_RATE
    harmonics = sum(np.sin(2 * np.pi * 60 * k * time) / k for k in range(1, 9))
    waves.append(waves[2] / waves[2].std() + harmonics)
    return [raw_log_mel((wave / wave.std() * 0.1).astype(np.float32)) for wave in waves]


class Augmenter:
    """Random changes of one window after another, drawn from one generator."""

    def __init__(self, noises: list[Mel], rng: random.Random) -> None:
        self._noises, self._rng = noises, rng
        self._numpy = np.random.default_rng(rng.getrandbits(64))

    def apply(self, raw: Mel, silent: bool) -> Mel:
        """Raw log-mel (frames, 80) in, scaled and augmented log-mel out."""
        rng = self._rng
        if not silent and rng.random() < 0.45:
            raw = _warped(raw, rng.uniform(0.93, 1.08))
        if rng.random() < 0.5:
            tilt = np.interp(np.arange(MELS), np.linspace(0, 79, 6), self._numpy.normal(0, 0.22, 6))
            raw = raw + tilt.astype(np.float32) * (raw > -9.9)
        if silent or rng.random() < NOISE_SHARE:
            raw = self._noisy(raw, silent)
        if silent:
            louder = rng.choice([0.0, rng.uniform(0, 4)])
        else:
            louder = rng.choice([0.0, 0.0, rng.uniform(0, 0.8)])
        # Recordings differ in level: log10 power changed by x moves the scaled features by x / 4.
        mel = scaled(raw, louder) + np.float32(rng.uniform(-1, 0.7) / 4)
        return self._masked(mel) if rng.random() < 0.45 else mel

    def _noisy(self, raw: Mel, silent: bool) -> Mel:
        """Adds noise, 9 to 42 dB below the speech's louder frames."""
        rng = self._rng
        noise = rng.choice(self._noises)
        first = rng.randrange(len(noise) - len(raw))
        noise = noise[first : first + len(raw)]
        if silent:
            level = rng.uniform(-6, 0)
        else:
            speech = np.percentile(raw.max(1), 90)
            level = speech - rng.uniform(0.9, 4.2) - np.percentile(noise.max(1), 90)
        return np.log10(10**raw + 10 ** (noise + np.float32(level))).astype(np.float32)

    def _masked(self, mel: Mel) -> Mel:
        """SpecAugment (Park et al., 2019) without its time warping."""
        rng = self._rng
        mel = mel.copy()
        mean = mel.mean()
        for _ in range(rng.randint(0, 2)):
            width = rng.randint(1, 10)
            first = rng.randrange(MELS - width)
            mel[:, first : first + width] = mean
        for _ in range(max(1, len(mel) // 250)):
            width = rng.randint(1, 8)
            first = rng.randrange(max(1, len(mel) - width))
            mel[first : first + width] = mean
        return mel


def _warped(raw: Mel, factor: float) -> Mel:
    """Stretches the mel axis: a longer or shorter vocal tract (Jaitly and Hinton, 2013)."""
    source = np.clip(np.arange(MELS) * factor, 0, MELS - 1)
    below = np.minimum(source.astype(int), MELS - 2)
    weight = (source - below).astype(np.float32)
    between: Mel = raw[:, below] * (1 - weight) + raw[:, below + 1] * weight
    return between
