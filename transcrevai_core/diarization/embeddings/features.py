"""Mel-frequency cepstra as Kaldi makes them (https://kaldi-asr.org/doc/feat.html), in numpy.

Frame `i` of a recording covers the samples from `i * 160` on, 400 of them, whichever stretch of
the recording is asked for: stretches that overlap agree where they do.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from transcrevai_core.types import SAMPLE_RATE, Region

FRAME_LENGTH = 400  # samples, 25 ms
FRAME_STEP = 160  # samples, 10 ms
FRAMES_PER_SECOND = SAMPLE_RATE // FRAME_STEP
COEFFICIENTS = 20  # with c0
_FFT = 512
_MEL_BINS = 40
_BAND = (60.0, 7600.0)  # hertz
_PREEMPHASIS = 0.97
_FLOOR = float(np.finfo(np.float32).eps)  # of a filter's energy, on the scale of 16-bit samples
_BLOCK_FRAMES = 1_000  # 10 s: spectra of 2 MB
_MEAN_SECONDS = 600.0  # of speech that the mean, or the level, is taken over
_KEPT_BLOCKS = 180  # half an hour, 14 MB

Read = Callable[[float, float], np.ndarray]  # as audio.read, with the file filled in


@cache
def mel_filters(bins: int = _MEL_BINS, band: tuple[float, float] = _BAND) -> np.ndarray:
    """Triangular filters of equal width in mel, shape (257, bins): spectrum bins to mel bins.

    `band` is from where to where they reach, in hertz. As Kaldi, mel(f) = 1127 ln(1 + f / 700), and
    triangles are straight in mel, not in hertz.
    """

    def mel(hertz: np.ndarray) -> np.ndarray:
        return np.asarray(1127.0 * np.log1p(hertz / 700.0))

    low, high = mel(np.array(band))
    edges = np.linspace(float(low), float(high), bins + 2)
    width = edges[1] - edges[0]
    places = mel(np.arange(_FFT // 2 + 1) * (SAMPLE_RATE / _FFT))
    triangles = 1.0 - np.abs(places[:, None] - edges[None, 1:-1]) / width
    filters: np.ndarray = np.maximum(triangles, 0.0).astype(np.float32)
    return filters


@cache
def cosine_transform() -> np.ndarray:
    """The orthonormal DCT-II, shape (40, 20): mel bins to cepstral coefficients."""
    angles = np.pi / _MEL_BINS * np.outer(np.arange(_MEL_BINS) + 0.5, np.arange(COEFFICIENTS))
    matrix = np.sqrt(2.0 / _MEL_BINS) * np.cos(angles)
    matrix[:, 0] /= np.sqrt(2.0)
    scaled: np.ndarray = matrix.astype(np.float32)
    return scaled


@cache
def _window() -> np.ndarray:
    """Kaldi's own window: a Hann window to the power of 0.85."""
    return (np.hanning(FRAME_LENGTH) ** 0.85).astype(np.float32)


def log_mel(
    samples: np.ndarray, bins: int = _MEL_BINS, band: tuple[float, float] = _BAND
) -> np.ndarray:
    """Log energies of mel filters; no dither, so that the same sound gives the same answer.

    `samples`: float32 in -1 to 1, shape (samples,), 16 kHz. Returns float32, (frames, bins), one
    frame every 10 ms for as long as 25 ms of sound are there; see `mel_filters`.
    """
    count = max(0, (len(samples) - FRAME_LENGTH) // FRAME_STEP + 1)
    out = np.empty((count, bins), np.float32)
    filters = mel_filters(bins, band)
    for first in range(0, count, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, count)
        stretch = samples[first * FRAME_STEP : (last - 1) * FRAME_STEP + FRAME_LENGTH]
        frames = np.lib.stride_tricks.sliding_window_view(stretch, FRAME_LENGTH)[::FRAME_STEP]
        frames = frames * np.float32(32768.0)  # a copy, on Kaldi's scale
        frames -= frames.mean(axis=1, keepdims=True)
        frames[:, 1:] -= np.float32(_PREEMPHASIS) * frames[:, :-1]
        frames[:, 0] *= np.float32(1.0 - _PREEMPHASIS)
        frames *= _window()
        spectrum = np.fft.rfft(frames, _FFT, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False)
        out[first:last] = np.log(np.maximum(power @ filters, _FLOOR))
    return out


def mfcc(samples: np.ndarray) -> np.ndarray:
    """Cepstral coefficients c0 to c19 of each frame: float32, (frames, 20). See `log_mel`."""
    return np.asarray(log_mel(samples) @ cosine_transform())


class Features:
    """The cepstra of one recording, minus their mean over its speech, made when asked for.

    Removing the mean takes the recording's channel and level out. `read(start, end)` gives
    samples between two times in seconds; `regions` is where speech is. They are made in blocks
    of 10 s, of which the latest are kept, half an hour of them where `most_blocks` does not say
    otherwise: memory does not grow with the recording.
    """

    def __init__(
        self, read: Read, regions: Sequence[Region], most_blocks: int = _KEPT_BLOCKS
    ) -> None:
        self._read = read
        self._most = most_blocks
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()
        self.regions = tuple(regions)
        self.mean = np.zeros(COEFFICIENTS, np.float32)
        total, count = np.zeros(COEFFICIENTS), 0
        for region in spread(self.regions, _MEAN_SECONDS):
            frames = self.between(region.start, region.end)
            total += frames.sum(axis=0, dtype=np.float64)
            count += len(frames)
        self.mean = (total / max(count, 1)).astype(np.float32)

    def between(self, start: float, end: float) -> np.ndarray:
        """Frames that begin between two times in seconds: float32, (frames, 20)."""
        return self.frames(round(start * FRAMES_PER_SECOND), round(end * FRAMES_PER_SECOND))

    def frames(self, first: int, last: int) -> np.ndarray:
        """Frames `first` to `last` (not included), fewer where the recording ends before."""
        pieces = [np.zeros((0, COEFFICIENTS), np.float32)]
        for number in range(first // _BLOCK_FRAMES, -(-last // _BLOCK_FRAMES)):
            offset = number * _BLOCK_FRAMES
            pieces.append(self._block(number)[max(0, first - offset) : last - offset])
        return np.concatenate(pieces) - self.mean

    def _block(self, number: int) -> np.ndarray:
        if number not in self._kept:
            start = number * _BLOCK_FRAMES * FRAME_STEP / SAMPLE_RATE
            tail = (FRAME_LENGTH - FRAME_STEP) / SAMPLE_RATE
            end = start + _BLOCK_FRAMES * FRAME_STEP / SAMPLE_RATE + tail
            self._kept[number] = mfcc(self._read(start, end))
        self._kept.move_to_end(number)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return self._kept[number]


def spread(regions: Sequence[Region], seconds: float, piece: float = 10.0) -> list[Region]:
    """Return `regions`, or pieces of them spread evenly that make up about `seconds`.

    >>> spread([Region(0, 100)], 30)
    [Region(start=0.0, end=10.0), Region(start=30.0, end=40.0), Region(start=60.0, end=70.0)]
    """
    total = sum(region.duration for region in regions)
    if total <= seconds:
        return list(regions)
    pieces = [
        Region(float(start), min(float(start) + piece, region.end))
        for region in regions
        for start in np.arange(region.start, region.end, piece)
    ]
    wanted = max(1, int(len(pieces) * seconds / total))
    return [pieces[i * len(pieces) // wanted] for i in range(wanted)]


def level(read: Read, regions: Sequence[Region]) -> float:
    """Root mean square of a recording's speech, as a share of full scale."""
    power, count = 0.0, 0
    for region in spread(regions, _MEAN_SECONDS):
        for start in np.arange(region.start, region.end, 60.0):
            samples = read(float(start), min(float(start) + 60.0, region.end))
            power += float(samples @ samples)
            count += len(samples)
    return float(np.sqrt(power / max(count, 1)))
