"""Any recording that PyAV opens, decoded in blocks to 16 kHz mono PCM on disk.

The PCM is kept as a WAV file: browsers play it, and `read` maps stretches of it into memory, so
that a 12-hour recording costs no more memory than a 1-minute one.
"""

import hashlib
import logging
import os
import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from transcrevai_core.errors import AudioError, StorageError, refusal
from transcrevai_core.types import SAMPLE_RATE, AudioInfo

log = logging.getLogger(__name__)

_BLOCK_SAMPLES = SAMPLE_RATE * 10  # about as many are written and hashed at once
_LONGEST_SAMPLES = (2**32 - 1_000) // 2  # a WAV file states its length in 32 bits: 37 hours


def decode(
    source: Path,
    target: Path,
    *,
    channel: int | None = None,
    on_progress: Callable[[float], None] = lambda done: None,
) -> AudioInfo:
    """Decode the first sound track of `source` to `target`, a 16 kHz mono 16-bit WAV file.

    All channels are mixed, or `channel` (0 for the first) alone is taken. `on_progress` receives
    the finished share (0 to 1) where the container states its length.
    A recording that breaks off is kept up to the damage, which `damaged_at` tells in seconds.

    Raises AudioError with one sentence where no sound can be had, StorageError on a full disk.
    """
    with _recording(source) as container:
        stream = container.streams.audio[0]
        length = _length(container, stream)
        digest, samples, damaged = hashlib.sha256(), 0, None
        partial = target.with_suffix(".part")
        try:
            with partial.open("wb") as raw, wave.open(raw, "wb") as wav:
                wav.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
                try:
                    for block in _blocks(container, stream, channel):
                        if samples + len(block) > _LONGEST_SAMPLES:
                            raise AudioError(
                                "{name} is longer than 37 hours; cut into shorter parts it "
                                "would be right.",
                                name=source.name,
                            )
                        wav.writeframesraw(block.tobytes())
                        digest.update(block.tobytes())
                        samples += len(block)
                        if length:
                            on_progress(min(1.0, samples / SAMPLE_RATE / length))
                except (av.error.FFmpegError, ValueError) as error:
                    if samples == 0:
                        log.info("%s cannot be decoded: %s", source.name, error)
                        raise AudioError(
                            "The sound of {name} cannot be decoded; a file that plays "
                            "elsewhere would be right.",
                            name=source.name,
                        ) from None
                    damaged = samples / SAMPLE_RATE
                if samples == 0:
                    raise AudioError(
                        "{name} holds no sound: it is 0 seconds long.", name=source.name
                    )
                wav.close()  # writes the length into the header
                raw.flush()
                os.fsync(raw.fileno())  # after a power cut a file of this name is whole
            partial.replace(target)
        except OSError as error:
            raise StorageError(
                "The sound of {name} could not be written: {reason}.",
                name=source.name,
                reason=refusal(error),
            ) from None
        finally:
            partial.unlink(missing_ok=True)
        return AudioInfo(samples / SAMPLE_RATE, digest.hexdigest(), damaged)


def _recording(source: Path) -> "av.container.InputContainer":
    """Open a file that has a sound track."""
    _check_file(source)
    try:
        container = _open(source)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        log.info("%s cannot be opened: %s", source.name, error)
        raise AudioError(
            "{name} is not a recording that can be read; audio or video such as wav, mp3, "
            "m4a, mp4, ogg, opus, flac, webm, mkv or mov would be right.",
            name=source.name,
        ) from None
    if not container.streams.audio:
        container.close()
        raise AudioError(
            "{name} has no sound track; a recording with sound would be right.", name=source.name
        )
    return container


def _open(source: Path) -> "av.container.InputContainer":
    if int(av.__version__.split(".")[0]) >= 19:
        return av.open(str(source))
    # older ones take no recording whose title is not UTF-8, unless they are told to
    return av.open(str(source), metadata_errors="ignore")


def _check_file(source: Path) -> None:
    if not source.exists():
        raise AudioError(
            "There is no file {source}; the path of a recording would be right.", source=source
        )
    if not source.is_file():
        raise AudioError(
            "{source} is not a file; the path of one recording would be right.", source=source
        )
    try:
        with source.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise AudioError(
            "{name} cannot be opened: {reason}.", name=source.name, reason=refusal(error)
        ) from None
    if empty:
        raise AudioError("{name} is empty (0 bytes); a recording would be right.", name=source.name)


def _length(container: "av.container.InputContainer", stream: "av.AudioStream") -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return float(Fraction(container.duration, av.time_base))
    return None


def _blocks(
    container: "av.container.InputContainer", stream: "av.AudioStream", channel: int | None
) -> Iterator[np.ndarray]:
    """Yield int16 arrays, 16 kHz mono, on the recording's own clock: about 10 s each.

    A sound track that begins late, or has a hole, is filled with silence, so that times are those
    of the file. What was decoded before an error is yielded before the error is passed on.
    """
    resampler, shape, clock = _resampler(channel), None, 0.0
    pending: list[np.ndarray] = []
    held = 0
    problem: Exception | None = None
    try:
        for frame in _frames(container, stream):
            now = (frame.format.name, frame.layout.name, frame.sample_rate)
            if now != shape:  # recordings that were joined may change in the middle
                pending += [_samples(p, channel) for p in resampler.resample(None)]
                resampler, shape = _resampler(channel), now
            hole = _gap_before(container, frame, clock)
            if hole:
                yield from _drain(pending)
                yield from _silence(hole)
                clock, held = clock + hole, 0
            clock += frame.samples / frame.sample_rate
            frame.pts = None  # stamps that run backwards would be errors to the resampler
            for piece in resampler.resample(frame):
                pending.append(_samples(piece, channel))
                held += len(pending[-1])
            if held >= _BLOCK_SAMPLES:
                yield from _drain(pending)
                held = 0
    except (av.error.FFmpegError, ValueError) as error:
        problem = error
    pending += [_samples(piece, channel) for piece in resampler.resample(None)]
    yield from _drain(pending)
    if problem:
        raise problem


def _resampler(channel: int | None) -> "av.AudioResampler":
    layout = "mono" if channel is None else None  # None keeps the channels that there are
    return av.AudioResampler(format="s16", layout=layout, rate=SAMPLE_RATE)


def _samples(frame: "av.AudioFrame", channel: int | None) -> np.ndarray:
    """Return one channel of a frame of interleaved samples; the last where there are fewer."""
    count = frame.layout.nb_channels
    return np.asarray(frame.to_ndarray().reshape(-1, count)[:, min(channel or 0, count - 1)])


def count_channels(source: Path) -> int:
    """Return how many channels the first sound track has; raises as `decode` does."""
    with _recording(source) as container:
        return container.streams.audio[0].layout.nb_channels


def _drain(pending: list[np.ndarray]) -> Iterator[np.ndarray]:
    if pending:
        yield np.concatenate(pending)
        pending.clear()


def _gap_before(
    container: "av.container.InputContainer", frame: "av.AudioFrame", clock: float
) -> float:
    """Return the seconds of silence that are missing before a frame; 0 where none are."""
    if frame.time is None:
        return 0.0
    ahead = frame.time - (container.start_time or 0) / av.time_base - clock
    length = (container.duration or 0) / av.time_base
    # small differences are rounding; a stamp beyond the end of the file is a wrong stamp
    return ahead if ahead > 0.1 and clock + ahead <= length + 1 else 0.0


def _silence(seconds: float) -> Iterator[np.ndarray]:
    left = round(seconds * SAMPLE_RATE)
    while left > 0:
        yield np.zeros(min(left, _BLOCK_SAMPLES), np.int16)
        left -= _BLOCK_SAMPLES


def _frames(
    container: "av.container.InputContainer", stream: "av.AudioStream"
) -> Iterator["av.AudioFrame"]:
    """Yield decoded frames; a broken packet is skipped, as players do."""
    broken = 0
    good = False
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            broken += 1
            if broken > 100 and not good:
                raise
            continue
        for frame in frames:
            good = True
            yield frame
    if broken and not good:
        raise av.error.InvalidDataError(0, "no packet could be decoded")
