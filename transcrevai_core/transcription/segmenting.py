"""Words become segments: one a sentence or two, and none longer than one can read at once."""

import re
from collections.abc import Sequence
from itertools import pairwise

from transcrevai_core.types import Word

MAX_SECONDS, MAX_CHARACTERS = 12.0, 200  # of a segment
_PAUSE = 1.0  # s; a longer one ends a segment, whatever its words
_SHORT = 1.5  # s; a shorter sentence stays with what follows it at once
_SENTENCE_END = re.compile(r"[.?!…。？！।؟][\"'”’»)\]]*$")
_CLAUSE_END = re.compile(r"[,;:，、；—–]$")
_ABBREVIATION = re.compile(  # a dot after it ends no sentence
    r"(?:^|\W)(?:\w|dr|dra|drs|sr|sra|srs|srta|prof|profa|exmo|exma|art|av|mr|mrs|ms|st|vs|nº)\.$",
    re.IGNORECASE,
)


def split_words(words: Sequence[Word]) -> list[tuple[Word, ...]]:
    """Part words, in order of time, at ends of sentences and at pauses.

    No part is longer than `MAX_SECONDS` or `MAX_CHARACTERS`, unless it is one word.

    >>> said = [" Bom", " dia.", " Vamos", " começar."]
    >>> words = [Word(i, i + 1.0, text, 0.9) for i, text in enumerate(said)]
    >>> ["".join(word.text for word in part) for part in split_words(words)]
    [' Bom dia.', ' Vamos começar.']
    """
    parts: list[tuple[Word, ...]] = []
    start = 0
    for at, (word, after) in enumerate(pairwise(words), start=1):
        pause = after.start - word.end
        spoken = word.end - words[start].start
        ended = _ends_sentence(word) and (spoken >= _SHORT or pause > _PAUSE / 2)
        if pause > _PAUSE or ended:
            parts += _shortened(words[start:at])
            start = at
    return parts + _shortened(words[start:])


def _ends_sentence(word: Word) -> bool:
    text = word.text.strip()
    return bool(_SENTENCE_END.search(text)) and not _ABBREVIATION.search(text)


def _shortened(words: Sequence[Word]) -> list[tuple[Word, ...]]:
    """Cut what is too long for one segment, where it hurts least."""
    if not words:
        return []
    seconds = words[-1].end - words[0].start
    length = sum(len(word.text) for word in words)
    if len(words) == 1 or (seconds <= MAX_SECONDS and length <= MAX_CHARACTERS):
        return [tuple(words)]

    def merit(at: int) -> float:
        pause = max(0.0, words[at].start - words[at - 1].end)
        left = sum(len(word.text) for word in words[:at])
        clause = 0.5 * bool(_CLAUSE_END.search(words[at - 1].text))
        return min(1.0, pause) + clause + 2 * min(left, length - left) / length

    cut = max(range(1, len(words)), key=merit)
    return _shortened(words[:cut]) + _shortened(words[cut:])
