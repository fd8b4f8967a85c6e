"""Where words are: an alignment's times put into the speech, and the speech that has no words.

Whisper's alignment (dynamic time warping over the decoder's attention) leaves no time out: what is
silent, or was skipped by the text, is given to the word before or after it.
"""

import dataclasses
from collections.abc import Sequence

from transcrevai_core.audio.speech import LEAST_GAP, without_words
from transcrevai_core.transcription.window import Window
from transcrevai_core.types import Region, Word

_WORD_SECONDS, _CHARACTER_SECONDS = 0.3, 0.1  # a word takes no longer than this, ...
_DIGIT = 4  # ... where a digit is as long as so many letters
_SAME = 0.3  # s between two words that follow each other
_EARLY = 0.05  # s; so much too early the alignment is (median, against words timed by hand)
_MARGIN = 0.1  # s; a region begins so long before its first word at least
# where a word seems to take longer than this, it is what is before it that takes the time
_USUAL_SECONDS, _USUAL_CHARACTER = 0.2, 0.07


def place_words(words: Sequence[Word], window: Window) -> tuple[Word, ...]:
    """Return words that a window's alignment has timed, with their times in the recording.

    Each lies within the one region of speech in which most of it is heard. One that is too long
    for a word has swallowed what was not written: it goes to its beginning where it follows on
    another word, else to its end.
    """
    spans = [(window.time(word.start) + _EARLY, window.time(word.end) + _EARLY) for word in words]
    rooms = [_longest(word.text) for word in words]
    swollen = [
        end - start > room + LEAST_GAP for (start, end), room in zip(spans, rooms, strict=True)
    ]
    for i in range(len(words) - 1, -1, -1):  # what goes to its end makes room for those before it
        if not swollen[i]:
            continue
        start, end = spans[i]
        if i and not swollen[i - 1] and _follows(spans[i - 1], start, window.regions):
            spans[i] = start, start + rooms[i]
        else:
            end = spans[i + 1][0] if i + 1 < len(words) and swollen[i + 1] else end
            spans[i] = end - rooms[i], end
    return tuple(
        _placed(word, start, end, window.regions)
        for word, (start, end) in zip(words, spans, strict=True)
    )


def _placed(word: Word, start: float, end: float, regions: Sequence[Region]) -> Word:
    """Put a word into the region in which most of it is heard, and its start behind silence."""
    region = max(regions, key=lambda r: min(end, r.end) - max(start, r.start))
    if start < region.end and end > region.start:
        start, end = max(start, region.start), min(end, region.end)
        if start - region.start < _MARGIN:
            start = min(region.start + _MARGIN, end)
    start = max(start, end - _USUAL_SECONDS - _USUAL_CHARACTER * _length(word.text))
    start = round(start, 3)
    return dataclasses.replace(word, start=start, end=max(start, round(end, 3)))


def gaps_of(window: Window, words: Sequence[Word]) -> list[Window]:
    """Return the stretches of a window's speech without words, those with none between as one."""
    spans = [(word.start, word.end) for word in words]
    gaps = []
    for run in without_words(window.regions, spans):
        before = [end for start, end in spans if start < run[0].start + 0.05]
        after = [start for start, _ in spans if start >= run[-1].end - 0.05]
        low, high = max(before, default=window.low), min(after, default=window.high)
        gaps.append(Window(tuple(run), min(low, run[0].start), max(high, run[-1].end)))
    return gaps


def _longest(text: str) -> float:
    """Return how many seconds a word can take.

    >>> round(_longest(" casa"), 3), round(_longest(" 607"), 3)
    (0.7, 1.5)
    """
    return _WORD_SECONDS + _CHARACTER_SECONDS * _length(text)


def _length(text: str) -> int:
    return sum(_DIGIT if c.isdigit() else 1 for c in text.strip())


def _follows(before: tuple[float, float], start: float, regions: Sequence[Region]) -> bool:
    """Tell whether a word that begins at `start` is in one region with the word before it."""
    return start - before[1] < _SAME and any(
        region.start <= before[0] < region.end and start < region.end for region in regions
    )
