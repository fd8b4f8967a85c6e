"""A stretch of sound as it looks: loudness, a spectrogram and the pitch of the voice.

`measure` runs in a worker, as librosa takes 200 MB and compiles parts of itself the first time
that it is used on a computer. What it returns is plain, small, and light to read and to keep.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transcrevai_core.types import SAMPLE_RATE

REVISION = 1  # raised when the same stretch comes to another picture
LONGEST, SHORTEST = 10.0, 1.0  # seconds that are looked at
LOWEST_PITCH, HIGHEST_PITCH = 60.0, 500.0  # Hz
QUIETEST = -70  # dB under the loudest point, where the picture ends
_STEP = 160  # samples, 10 ms
_WINDOW, _FRAME = 512, 1024  # samples: 32 ms; 64 ms, in which the lowest pitch has three periods
_BANDS = 64
_SEMITONE = 0.2  # of one, between the pitches that are looked for
_COLUMNS = 500  # of the picture: of a longer stretch it has every second frame


@dataclass(frozen=True, slots=True)
class Sound:
    """What was measured from `start` to `end`, seconds of the recording.

    Columns are every `step` seconds: `peak`, the highest amplitude (0 to 1); `loudness` in dB of
    full scale; `pitch` in Hz, None where there is no voice. `level` has a row for each of the
    bands around `hertz` (of equal width in mel) with a number for each column, in dB under the
    loudest point.
    """

    start: float
    end: float
    step: float
    hertz: list[float]
    level: list[list[int]]
    peak: list[float]
    loudness: list[float]
    pitch: list[float | None]

    @property
    def times(self) -> list[float]:
        """The second of the recording that each column is about."""
        return [round(self.start + n * self.step, 3) for n in range(len(self.pitch))]

    def as_json(self) -> bytes:
        """Write it."""
        return json.dumps(asdict(self)).encode()


def read_json(content: bytes) -> Sound:
    """Read what `Sound.as_json` wrote; raises ValueError, KeyError or TypeError for all else."""
    known: Mapping[str, Any] = json.loads(content)
    return Sound(**known)


def stretch(start: float, end: float, duration: float) -> tuple[float, float]:
    """Return what is looked at of start to end, seconds: not too long, and not too short.

    >>> stretch(3.0, 60.0, 90.0), stretch(3.0, 3.2, 90.0), stretch(0.1, 0.3, 90.0)
    ((3.0, 13.0), (2.6, 3.6), (0.0, 1.0))
    """
    if end - start < SHORTEST:
        start = min((start + end - SHORTEST) / 2, duration - SHORTEST)
        start = max(0.0, start)
        end = start + SHORTEST
    return round(start, 3), round(min(end, start + LONGEST, duration), 3)


def measure(
    wav: Path, start: float, end: float, on_loaded: Callable[[], None] = lambda: None
) -> Sound:
    """Measure a stretch of a file that `decode` wrote; tells when librosa is there.

    The pitch is found by probabilistic YIN (Mauch and Dixon, 2014).
    """
    import librosa
    import numpy as np

    from transcrevai_core.audio import pcm

    samples = pcm.read(wav, start, end)
    samples = np.pad(samples, (0, max(0, _FRAME - len(samples))))
    waves = librosa.stft(samples, n_fft=_FRAME, win_length=_WINDOW, hop_length=_STEP)
    on_loaded()
    mel = librosa.feature.melspectrogram(S=np.abs(waves) ** 2, sr=SAMPLE_RATE, n_mels=_BANDS)
    level = librosa.power_to_db(mel, ref=np.max, top_db=-QUIETEST)
    loudness = librosa.feature.rms(y=samples, frame_length=_FRAME, hop_length=_STEP)[0]
    pitch, voiced, _chance = librosa.pyin(
        samples,
        sr=SAMPLE_RATE,
        fmin=LOWEST_PITCH,
        fmax=HIGHEST_PITCH,
        frame_length=_FRAME,
        hop_length=_STEP,
        resolution=_SEMITONE,
    )
    every = -(-len(pitch) // _COLUMNS)
    wide = every * _STEP
    count = len(pitch[::every])
    peaks = np.pad(np.abs(samples), (0, wide))[: count * wide].reshape(count, wide).max(axis=1)
    return Sound(
        start,
        end,
        wide / SAMPLE_RATE,
        librosa.mel_frequencies(_BANDS + 2, fmax=SAMPLE_RATE / 2)[1:-1].round().tolist(),
        (level[:, ::every] - level.max()).round().astype(int).tolist(),
        peaks.round(3).tolist(),
        librosa.amplitude_to_db(loudness[::every], top_db=None).round(1).tolist(),
        [round(float(p), 1) if v else None for p, v in zip(pitch, voiced, strict=True)][::every],
    )
