"""Which of several sound tracks is heard: that with the speech, the file's default where it can."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from transcrevai_core.audio.opening import sound_tracks
from transcrevai_core.codes import Note
from transcrevai_core.errors import AudioError
from transcrevai_core.types import AudioInfo, Region

log = logging.getLogger(__name__)

_LEAST_SECONDS = 1.0  # with less speech, or a smaller share of it, others are tried as well
_LEAST_SHARE = 0.02
_DEFAULT_COUNTS = 2.0  # times as much speech another track needs to be taken instead

Heard = tuple[AudioInfo, list[Region]]


def hear(source: Path, asked: int | None, listen: Callable[[int], Heard]) -> Heard:
    """Return what `listen` finds on the sound track `asked` for, else on the one with the speech.

    `listen` takes a track's number, from 1, and leaves its sound where it belongs; it is called
    for the chosen one last. The first track that clearly holds speech is taken, and where none
    does, that with the most. Which one it was is among the notes, where there are several.
    """
    numbers = sound_tracks(source)
    if asked is not None or len(numbers) == 1:
        info, regions = listen(asked or 1)
        if len(numbers) > 1:
            info = _noted(info, asked or 1, len(numbers))
            others = Note.OTHER_TRACKS(all=len(numbers))
            info = replace(info, doubts=(*info.doubts, others))
        return info, regions
    best, most, last, refused = 0, -1.0, 0, None
    found: Heard | None = None
    for number in numbers:
        try:
            last = number
            info, regions = listen(number)
        except AudioError as error:
            log.info("sound track %d: %s", number, error)
            refused = refused or error
            continue
        speech = sum(region.duration for region in regions)
        weighed = speech * (_DEFAULT_COUNTS if number == numbers[0] else 1.0)
        if weighed > most:
            best, most, found = number, weighed, (info, regions)
        if speech >= max(_LEAST_SECONDS, _LEAST_SHARE * info.duration):
            break
    if found is None:
        assert refused is not None
        raise refused
    info, regions = found if best == last else listen(best)
    info = _noted(info, best, len(numbers))
    return replace(info, doubts=(*info.doubts, Note.NO_TRACK(all=len(numbers)))), regions


def _noted(info: AudioInfo, number: int, all: int) -> AudioInfo:
    return replace(info, notes=(Note.TRACK(number=number, all=all), *info.notes))
