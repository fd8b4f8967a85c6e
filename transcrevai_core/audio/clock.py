"""A sound track's frames on the recording's own clock: what is missing, and where."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import av

from transcrevai_core.audio.opening import protected
from transcrevai_core.types import Region

log = logging.getLogger(__name__)

_LEAST_HOLE = 0.1  # seconds; smaller differences are rounding
_LONGEST_HOLE = 3_600.0  # seconds, where no stated length says that more is right
# their packets have no stamps of their own; FFmpeg counts what it finds
_UNSTAMPED = {"aac", "ac3", "amr", "dts", "eac3", "loas", "mp3"}
_PLACED = {"ac3", "eac3", "mp3"}  # of them, those of which FFmpeg tells the bytes it skipped
_TAGS = (b"ID3", b"TAG", b"APETAGEX")  # between recordings that were joined; not sound
_MOST_RETRIES = 10_000  # of a stretch that holds no packet


class Clock:
    """Iterates over (seconds of silence that belong before a frame, decoded frame).

    What was found is there afterwards: `seconds` on the clock, holes of sound, `breaks` after
    which it is unknown how much is missing, and `reached`, where the last packet of any track
    ends. `whole` is false where the file was not read to its end.
    """

    def __init__(
        self,
        source: Path,
        container: "av.container.InputContainer",
        stream: "av.AudioStream",
        stated: float | None,
    ) -> None:
        """Read `stream` of an open file; `stated` is the length in seconds that it states."""
        self._source, self._container, self._stream = source, container, stream
        self._limit = None if stated is None else stated + 1.0
        self._start = (container.start_time or 0) / av.time_base
        self._unstamped = container.format.name in _UNSTAMPED
        self._placed = container.format.name in _PLACED
        self.seconds = self.reached = 0.0
        self.holes: list[Region] = []
        self.breaks: list[float] = []
        self.whole = True
        self._broken = 0  # packets that could not be decoded
        self._track_reached = 0.0
        self._lost = 0.0  # seconds that skipped bytes stand for, and no silence stands for yet

    def __iter__(self) -> Iterator[tuple[float, "av.AudioFrame"]]:
        """Yield frames in order; raises av's errors where nothing more can be read."""
        held: tuple[av.AudioFrame, float] | None = None
        for frame, lost in self._frames():
            if held:
                yield self._place(*held, frame.time), held[0]
            held = frame, lost
        if held:
            yield self._place(*held, None), held[0]
        if self._broken and self._track_reached - self.seconds > 1.0:
            self.whole = False

    def _place(self, frame: "av.AudioFrame", lost: float, following: float | None) -> float:
        """Put a frame on the clock; return the seconds of silence before it."""
        seconds = frame.samples / frame.sample_rate
        hole = self._ahead(frame, lost, following)
        if hole <= _LEAST_HOLE:
            hole = 0.0
        elif self._limit is None and hole > _LONGEST_HOLE:
            log.info("%s: stamps jump by %.0f s", self._source.name, hole)
            self._start += hole  # the clock of the file was set anew
            hole = 0.0
        elif self._limit is not None and self.seconds + hole + seconds > self._limit:
            hole = 0.0  # beyond the end of the file: a wrong stamp
        if hole:
            self._lost = 0.0
            if self.seconds:
                self.holes.append(Region(self.seconds, self.seconds + hole))
        self.seconds += hole + seconds
        return hole

    def _ahead(self, frame: "av.AudioFrame", lost: float, following: float | None) -> float:
        """Return how far a frame stands ahead of the clock, as far as that can be believed."""
        self._lost += lost
        if self._unstamped:
            return self._lost
        time = frame.time
        if time is None or (following is not None and following < time):
            return 0.0  # no stamp, or one wrong one among right ones
        ahead = float(time - self._start - self.seconds)
        if ahead < -1.0:
            if following is None or following - time < 1.0:
                self._start += ahead  # recordings that were joined
            return 0.0
        return ahead

    def _frames(self) -> Iterator[tuple["av.AudioFrame", float]]:
        """Yield decoded frames, each with the seconds of bytes that were lost before it.

        A broken packet is skipped, as players do.
        """
        end: int | None = None  # of the last good packet, in bytes
        sound = good_bytes = lost_bytes = 0
        good_seconds, since = 0.0, 0
        for packet in self._packets():
            sealed = getattr(packet, "has_sidedata", None)  # older versions of PyAV have it not
            if sealed and sealed("encryption_info"):
                raise protected(self._source)
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, ValueError):
                self._broken += 1
                since += not bytes(packet)[:8].startswith(_TAGS)
                if self._broken > 100 and not good_bytes:
                    raise
                continue
            if self._placed and packet.size and packet.pos is not None:
                if end is not None and packet.pos > end:
                    lost_bytes = 0 if self._is_tag(end) else packet.pos - end
                end = packet.pos + packet.size
            good_bytes += packet.size or 0
            for frame in frames:
                lost = lost_bytes * good_seconds / sound if sound else 0.0
                if since and self._unstamped and good_seconds > 1.0 and lost < 0.5:
                    self.breaks.append(self.seconds)
                yield frame, lost
                good_seconds += frame.samples / frame.sample_rate
                lost_bytes = since = 0
            sound = good_bytes
        if self._broken and not good_bytes:
            raise av.error.InvalidDataError(0, "no packet could be decoded")

    def _packets(self) -> Iterator["av.Packet[av.AudioStream]"]:
        """Yield the track's packets, and look at those of the others for how far the file goes."""
        index, furthest, retries = self._stream.index, 0, 0
        while True:
            try:
                for packet in self._container.demux():
                    if packet.pos is not None:
                        furthest = max(furthest, packet.pos + packet.size)
                    end = 0.0
                    if packet.pts is not None and packet.time_base:
                        ticks = packet.pts + (packet.duration or 0)
                        end = float(ticks * packet.time_base) - self._start
                        self.reached = max(self.reached, end)
                    if packet.stream_index == index:
                        self._track_reached = max(self._track_reached, end)
                        yield cast("av.Packet[av.AudioStream]", packet)
                break
            except (BlockingIOError, av.error.InvalidDataError):  # it may go on behind a stretch
                self._broken += 1  # that holds no packet
                retries += 1
                if retries > _MOST_RETRIES:
                    raise
        unread = (self._container.size or 0) - furthest
        if self._broken and unread > 0.05 * furthest and not self._unstamped:
            self.whole = False

    def _is_tag(self, position: int) -> bool:
        with self._source.open("rb") as file:
            file.seek(position)
            return file.read(8).startswith(_TAGS)
