"""The channels of a recording become one, so that no voice on any of them is lost.

An automatic mixer by gain sharing (D. Dugan, "Automatic Microphone Mixing", Journal of the Audio
Engineering Society 23, 1975): each channel's gain is its share of the level of all, so that a
voice on one of many channels keeps its level, and channels that are equally loud are averaged.
What is always there, such as hum, hiss or a time code, counts little beside what comes and goes.
A channel that would cancel the leading one is left out, for as long as it would.
"""

from collections.abc import Sequence

import av
import numpy as np
from av.audio.plane import AudioPlane

_BATCH_SAMPLES = 2**20  # of all channels; at most as many are mixed at once
_PIECES = 10  # a second: how often gains are decided
_LAGS = 4_000  # a second
_RAMP_SECONDS = 0.01  # how long gains take to change, so that nothing clicks
_FLOOR_RISE = 1.02  # what a piece adds to a floor: 0.9 dB a second
_RELEASE = 0.96  # what is left of a voice a piece later: half of it after 1.7 s
_STEADY = 0.003  # what steady sound counts beside what comes and goes
_OPPOSED, _AGREED = -0.3, 0.1  # correlation below which a channel is left out, and comes back
_KINDS = {"u8p": "u1", "s16p": "i2", "s32p": "i4", "s64p": "i8", "fltp": "f4", "dblp": "f8"}


class Mono:
    """Makes frames of one channel of a track's frames: all of them mixed, or one alone."""

    def __init__(self, channel: int | None) -> None:
        """`channel` counts from 0, the last where there are fewer; None mixes."""
        self._channel = channel
        self._mixer: Mixer | None = None
        self._rate, self._held = 0, 0
        self._sound: list[np.ndarray] = []
        self._mixed, self._opposed = 0, 0

    @property
    def opposed(self) -> float:
        """The share of the time (0 to 1) in which a channel opposed the leading one."""
        return self._opposed / self._mixed if self._mixed else 0.0

    def take(self, frame: "av.AudioFrame") -> list["av.AudioFrame"]:
        """Return what is finished with this frame; after another format, rate or layout `flush`."""
        count = frame.layout.nb_channels
        if count == 1:
            return [frame]
        sound = _planar(frame, count)
        if self._channel is not None:
            one = _scaled(sound[min(self._channel, count - 1)])
            return [_frame(one, frame.sample_rate)]
        if self._mixer is None:
            names = [channel.name for channel in frame.layout.channels]
            self._rate, self._mixer = frame.sample_rate, Mixer(frame.sample_rate, names)
        self._sound.append(sound)
        self._held += frame.samples
        full = self._held >= self._rate or self._held * count >= _BATCH_SAMPLES
        return self._mix() if full else []

    def flush(self) -> list["av.AudioFrame"]:
        """Return what is left, before silence or the end."""
        if self._mixer is None:
            return []
        frames = self._mix() if self._sound else []
        rest = self._mixer.flush()
        self._mixed += self._mixer.pieces
        self._opposed += self._mixer.opposed
        self._mixer = None
        return [*frames, _frame(rest, self._rate)] if len(rest) else frames

    def _mix(self) -> list["av.AudioFrame"]:
        assert self._mixer is not None
        mixed = self._mixer.mix(_scaled(np.concatenate(self._sound, axis=1)))
        self._sound, self._held = [], 0
        return [_frame(mixed, self._rate)] if len(mixed) else []


class Mixer:
    """Mixes one recording's channels, given in stretches of any length, on and on.

    `pieces` counts tenths of a second, `opposed` those in which a channel that would be heard
    was left out.
    """

    def __init__(self, rate: int, names: Sequence[str]) -> None:
        """`rate` in Hz; `names` are FFmpeg's of the channels: LFE, of effects, has no voice."""
        self._size = max(1, rate // _PIECES)
        self._lag = max(1, rate // _LAGS)
        self._ramp = max(1, round(rate * _RAMP_SECONDS))
        voices = np.array([name != "LFE" for name in names])
        self._heard = voices if voices.any() else ~voices
        self._signs = np.ones(len(names))
        self._gains: np.ndarray | None = None
        self._floors = np.full(len(names), np.inf)  # the power that is always there
        self._voices = np.zeros(len(names))  # the power above it, which fades
        self._out = np.zeros(len(names), bool)
        self._leader = 0
        self._kept = np.zeros((len(names), 0), np.float32)
        self.pieces = self.opposed = 0

    def mix(self, sound: np.ndarray) -> np.ndarray:
        """Return what can be mixed by now of float32 (channels, samples): float32 (samples,)."""
        sound = np.concatenate([self._kept, sound], axis=1)
        whole = sound.shape[1] // self._size * self._size
        self._kept = sound[:, whole:]
        return self._mix(sound[:, :whole].reshape(len(sound), -1, self._size))

    def flush(self) -> np.ndarray:
        """Return the rest, where the recording ends: float32 (samples,)."""
        rest, self._kept = self._kept, self._kept[:, :0]
        return self._mix(rest[:, None, :]) if rest.shape[1] else rest[0]

    def _mix(self, pieces: np.ndarray) -> np.ndarray:
        """Mix float32 (channels, pieces, samples)."""
        number, length = pieces.shape[1:]
        if number == 0:
            return np.zeros(0, np.float32)
        each = np.arange(number)
        # voices alone are to decide: differences over a quarter of a millisecond leave out hum
        voices = pieces[:, :, self._lag :] - pieces[:, :, : -self._lag]
        powers = np.einsum("cps,cps->cp", voices, voices) / max(1, voices.shape[2])
        powers *= self._heard[:, None]
        weights = np.stack([self._weigh(powers[:, p]) for p in each])  # (pieces, channels)
        leaders = [self._lead(row) for row in weights]
        shared = np.einsum("cps,ps->cp", voices, voices[leaders, each]) / max(1, voices.shape[2])
        likeness = shared / np.sqrt(powers * powers[leaders, each] + 1e-20)
        before = self._gains
        gains = np.stack([self._share(weights[p], likeness[:, p]) for p in each])
        self.pieces += number
        earlier = np.concatenate([gains[:1] if before is None else before[None], gains[:-1]])
        mixed = np.einsum("pc,cps->ps", gains.astype(np.float32), pieces)
        ramp = min(self._ramp, length)
        fade = np.linspace(1.0, 0.0, ramp, endpoint=False, dtype=np.float32)
        change = (earlier - gains).astype(np.float32)
        mixed[:, :ramp] += fade * np.einsum("pc,cps->ps", change, pieces[:, :, :ramp])
        return np.asarray(mixed.reshape(-1))

    def _weigh(self, powers: np.ndarray) -> np.ndarray:
        """Return how much each channel counts in one piece, before the channels are compared."""
        self._floors = np.minimum(powers, self._floors * _FLOOR_RISE + 1e-12)
        self._voices = np.maximum(powers - 2.0 * self._floors, self._voices * _RELEASE)
        return np.asarray(np.sqrt(self._voices + _STEADY * powers))

    def _lead(self, weights: np.ndarray) -> int:
        """Return the channel that the others are compared with, the same one while it can be."""
        first = int(np.argmax(weights))
        if weights[first] > 2.0 * weights[self._leader]:
            self._leader = first
        return self._leader

    def _share(self, weights: np.ndarray, likeness: np.ndarray) -> np.ndarray:
        """Return the gains of one piece; their sum is 1."""
        self._out = (likeness < _OPPOSED) | (self._out & (likeness < _AGREED))
        shares = np.where(self._out, 0.0, weights)
        total = shares.sum()
        self.opposed += int(total < 0.9 * weights.sum())
        if total > 0.0:
            self._gains = shares / total
        elif self._gains is None:
            self._gains = self._heard / self._heard.sum()
        return self._gains


def _planar(frame: "av.AudioFrame", count: int) -> np.ndarray:
    """Return the samples of a frame, as they are: (channels, samples)."""
    if not frame.format.is_planar:
        return np.asarray(frame.to_ndarray().reshape(-1, count).T)
    kind = _KINDS[frame.format.name]
    # each plane by its number: PyAV's own list of them runs on behind the eighth, and crashes
    planes = (AudioPlane(frame, number) for number in range(count))
    return np.stack([np.frombuffer(memoryview(plane), kind, frame.samples) for plane in planes])


def _scaled(sound: np.ndarray) -> np.ndarray:
    """Return samples of any format as float32 in -1 to 1."""
    if sound.dtype == np.uint8:
        return sound.astype(np.float32) / np.float32(2.0**7) - np.float32(1.0)
    if sound.dtype.kind == "f":
        return sound.astype(np.float32, copy=False)
    return sound.astype(np.float32) * np.float32(2.0 ** (1 - 8 * sound.dtype.itemsize))


def _frame(sound: np.ndarray, rate: int) -> "av.AudioFrame":
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(sound, np.float32)[None], format="flt", layout="mono"
    )
    frame.sample_rate = rate
    return frame
