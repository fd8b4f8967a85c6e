"""Any recording that PyAV opens, decoded in blocks to 16 kHz mono PCM on disk.

The PCM is kept as a WAV file: browsers play it, and `read` maps stretches of it into memory, so
that a 12-hour recording costs no more memory than a 1-minute one.
"""

import hashlib
import logging
import math
import os
import wave
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import numpy as np

from transcrevai_core.audio.clock import Clock
from transcrevai_core.audio.findings import doubts, notes
from transcrevai_core.audio.mixing import Mono
from transcrevai_core.audio.opening import open_recording, pick_track, undecodable
from transcrevai_core.audio.stated import length, stated_length
from transcrevai_core.errors import AudioError, StorageError, refusal
from transcrevai_core.types import SAMPLE_RATE, AudioInfo

log = logging.getLogger(__name__)

_BLOCK_SAMPLES = SAMPLE_RATE * 10  # about as many are written and hashed at once
_LONGEST_SAMPLES = (2**32 - 1_000) // 2  # a WAV file states its length in 32 bits: 37 hours


def decode(
    source: Path,
    target: Path,
    *,
    track: int = 1,
    channel: int | None = None,
    on_progress: Callable[[float], None] = lambda done: None,
) -> AudioInfo:
    """Decode a sound track of `source` to `target`, a 16 kHz mono 16-bit WAV file.

    `track` counts from 1. All channels are mixed, or `channel` (0 for the first) alone is taken.
    `on_progress` receives the finished share (0 to 1) where the container's length is known.
    A recording that breaks off is kept up to the damage, and stretches that are missing become
    silence, so that times are those of the file; the notes of what is returned say so.

    Raises AudioError with one sentence where no sound can be had, StorageError on a full disk.
    """
    with open_recording(source) as container:
        stream = pick_track(source, container, track)
        known, stated = length(container, stream), stated_length(source, container, stream)
        clock = Clock(source, container, stream, stated)
        mono = Mono(channel)
        digest, samples, peak, damaged = hashlib.sha256(), 0, 0, False
        partial = target.with_suffix(".part")
        try:
            with partial.open("wb") as raw, wave.open(raw, "wb") as wav:
                wav.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
                try:
                    for block in _blocks(clock, mono):
                        if samples + len(block) > _LONGEST_SAMPLES:
                            raise AudioError(
                                "{name} is longer than 37 hours; cut into shorter parts it "
                                "would be right.",
                                name=source.name,
                            )
                        wav.writeframesraw(block.tobytes())
                        digest.update(block.tobytes())
                        samples += len(block)
                        peak = max(peak, int(block.max()), -int(block.min()))
                        if known:
                            on_progress(min(1.0, samples / SAMPLE_RATE / known))
                except (av.error.FFmpegError, ValueError) as error:
                    if samples == 0:
                        log.info("%s cannot be decoded: %s", source.name, error)
                        raise undecodable(source) from None
                    damaged = True
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
        seconds = samples / SAMPLE_RATE
        return AudioInfo(
            seconds,
            digest.hexdigest(),
            notes(clock, seconds, stated, damaged=damaged),
            doubts(20.0 * math.log10(peak / 2**15) if peak else None, opposed=mono.opposed),
        )


def count_channels(source: Path, track: int = 1) -> int:
    """Return how many channels a sound track has; raises as `decode` does."""
    with open_recording(source) as container:
        return pick_track(source, container, track).layout.nb_channels


def _blocks(clock: Clock, mono: Mono) -> Iterator[np.ndarray]:
    """Yield int16 arrays, 16 kHz mono, on the recording's own clock: about 10 s each.

    What was decoded before an error is yielded before the error is passed on.
    """
    resampler, shape, held = _resampler(), None, 0
    pending: list[np.ndarray] = []
    problem: Exception | None = None
    try:
        for hole, frame in clock:
            now = (frame.format.name, frame.layout.name, frame.sample_rate)
            if now != shape:  # recordings that were joined may change in the middle
                pending += _resampled(resampler, [*mono.flush(), None])
                resampler, shape = _resampler(), now
            if hole:
                pending += _resampled(resampler, mono.flush())
                yield from _drain(pending)
                yield from _silence(hole)
                held = 0
            for piece in _resampled(resampler, mono.take(frame)):
                pending.append(piece)
                held += len(piece)
            if held >= _BLOCK_SAMPLES:
                yield from _drain(pending)
                held = 0
    except (av.error.FFmpegError, ValueError) as error:
        problem = error
    pending += _resampled(resampler, [*mono.flush(), None])
    yield from _drain(pending)
    if problem:
        raise problem


def _resampler() -> "av.AudioResampler":
    return av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)


def _resampled(
    resampler: "av.AudioResampler", frames: Iterable["av.AudioFrame | None"]
) -> Iterator[np.ndarray]:
    for frame in frames:
        if frame is not None:
            frame.pts = None  # stamps that run backwards would be errors to the resampler
        for piece in resampler.resample(frame):
            yield piece.to_ndarray()[0]


def _drain(pending: list[np.ndarray]) -> Iterator[np.ndarray]:
    if pending:
        yield np.concatenate(pending)
        pending.clear()


def _silence(seconds: float) -> Iterator[np.ndarray]:
    left = round(seconds * SAMPLE_RATE)
    while left > 0:
        yield np.zeros(min(left, _BLOCK_SAMPLES), np.int16)
        left -= _BLOCK_SAMPLES
