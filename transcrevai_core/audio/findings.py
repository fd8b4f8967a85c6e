"""What decoding found out, as notes for who reads the transcript."""

from transcrevai_core.audio.clock import Clock
from transcrevai_core.codes import Note
from transcrevai_core.messages import Message
from transcrevai_core.types import Region

_LEAST_SECONDS = 1.0  # what is missing less is rounding, or how a codec ends
_LEAST_SHARE = 0.002
_MOST_HOLES = 3  # named one by one
_QUIET_DECIBELS = -40.0  # speech whose loudest moment lies below is hardly found


def notes(
    clock: Clock, seconds: float, stated: float | None, *, damaged: bool
) -> tuple[Message, ...]:
    """Say which sound is missing, and where, of a recording of which `seconds` were read.

    `stated` is its length as the file states it; `damaged` says that reading it failed at the end.
    """
    found: list[Message] = []
    missing = 0.0 if stated is None else stated - max(seconds, clock.reached)
    inside = [at for at in clock.breaks if at < seconds - _LEAST_SECONDS]
    holes = [hole for hole in clock.holes if hole.duration >= _LEAST_SECONDS]
    short = stated is not None and missing > max(_LEAST_SECONDS, _LEAST_SHARE * stated)
    if short:
        read = seconds - sum(hole.duration for hole in holes if hole.end <= seconds)
        values = {"read": read, "stated": stated}
        if inside:
            found.append(Note.CUT_NEAR(**values, at=inside[0], missing=missing))
        else:
            found.append(Note.CUT(**values))
    elif damaged or not clock.whole:
        found.append(Note.DAMAGED(seconds=seconds))
    if inside and not short:
        found.append(Note.BROKEN(at=inside[0]))
    return (*found, *_holes(holes))


def _holes(holes: list[Region]) -> list[Message]:
    if len(holes) <= _MOST_HOLES:
        return [Note.HOLE(start=hole.start, end=hole.end) for hole in holes]
    seconds = sum(hole.duration for hole in holes)
    first = holes[0]
    return [Note.HOLES(number=len(holes), seconds=seconds, start=first.start, end=first.end)]


def doubts(peak: float | None, *, opposed: float) -> tuple[Message, ...]:
    """Say what may be the reason where no speech is found.

    `peak` is the loudest moment in dB of full scale, None in digital silence; `opposed` the share
    of time (0 to 1) in which channels opposed each other.
    """
    if peak is None:
        return (Note.SILENT(),)
    loudness = Note.QUIET if peak < _QUIET_DECIBELS else Note.LOUD
    return (loudness(peak=peak), *([Note.OPPOSED(share=opposed)] if opposed > 0.01 else []))
