"""What one pass of the model hears: speech with its silences shortened, and the way back."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from transcrevai_core.audio.speech import EDGE, PAUSE, heard_seconds
from transcrevai_core.types import SAMPLE_RATE, Region

Read = Callable[[float, float], np.ndarray]  # sound between two times: float32, (samples,), 16 kHz


@dataclass(frozen=True, slots=True)
class Window:
    """Regions of speech, heard at once, and the `pieces` of the recording that this takes.

    `low` and `high` are the times beyond which nothing is heard: there is other speech.
    """

    regions: tuple[Region, ...]
    low: float
    high: float

    @property
    def pieces(self) -> tuple[tuple[float, float], ...]:
        """From where to where the recording is heard, in s; silences lose their middle."""
        out = []
        start = max(self.low, self.regions[0].start - EDGE)
        for before, after in pairwise(self.regions):
            if after.start - before.end > PAUSE:
                out.append((start, before.end + PAUSE / 2))
                start = after.start - PAUSE / 2
        out.append((start, min(self.high, self.regions[-1].end + EDGE)))
        return tuple(out)

    @property
    def speech_seconds(self) -> float:
        """How long one speaks in it."""
        return sum(region.duration for region in self.regions)

    def samples(self, read: Read) -> np.ndarray:
        """Return the pieces put end to end."""
        return np.concatenate([read(start, end) for start, end in self.pieces])

    def time(self, heard: float) -> float:
        """Return the recording's time of a time in what is heard.

        >>> window = Window((Region(10, 12), Region(30, 32)), 0, 40)
        >>> window.time(0.0), window.time(4.7), round(window.heard(30.0), 3)
        (9.3, 30.0, 4.7)
        """
        pieces = self.pieces
        for start, end in pieces[:-1]:
            if heard <= end - start:
                return start + heard
            heard -= end - start
        return pieces[-1][0] + heard

    def heard(self, time: float) -> float:
        """Return at what time of what is heard a time of the recording comes."""
        before = 0.0
        for start, end in self.pieces:
            if time <= end:
                return before + max(0.0, time - start)
            before += end - start
        return before

    def part(self, first: int, last: int) -> "Window":
        """Return the window of some of the regions, bounded by half of the silence around them."""
        regions = self.regions
        low = (regions[first - 1].end + regions[first].start) / 2 if first else self.low
        high = self.high
        if last < len(regions):
            high = (regions[last - 1].end + regions[last].start) / 2
        return Window(regions[first:last], low, high)

    def fitting(self, longest: float, read: Read) -> list["Window"]:
        """Return its halves, or theirs, so far that each is heard in `longest` seconds."""
        if heard_seconds(self.regions) <= longest:
            return [self]
        return [part for half in self.halves(read) for part in half.fitting(longest, read)]

    def halves(self, read: Read) -> tuple["Window", "Window"]:
        """Cut in two, at a long pause near the middle; a single region where it is quietest."""
        regions, whole = self.regions, self.speech_seconds
        if len(regions) == 1:
            cut = _quietest(regions[0], read)
            first = Region(regions[0].start, cut), Region(cut, regions[0].end)
            return Window(first[:1], self.low, cut), Window(first[1:], cut, self.high)

        def merit(i: int) -> float:
            left = sum(region.duration for region in regions[:i])
            pause = min(1.5, regions[i].start - regions[i - 1].end)
            return pause + 2 * min(left, whole - left) / whole

        cut = max(range(1, len(regions)), key=merit)
        return self.part(0, cut), self.part(cut, len(regions))


def _quietest(region: Region, read: Read) -> float:
    """Return the time in the middle half of a region at which the least is heard for 0.2 s."""
    first = region.start + region.duration / 4
    samples = read(first, region.end - region.duration / 4)
    step = SAMPLE_RATE // 50
    frames = samples[: len(samples) // step * step].reshape(-1, step)
    energy = np.convolve((frames**2).mean(axis=1), np.ones(10), "same")
    return float(first + (int(np.argmin(energy)) + 0.5) * step / SAMPLE_RATE)
