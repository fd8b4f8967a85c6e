"""Times for a text that the user has edited, from the words that the model heard.

Both are cut into pieces, which are matched as in `difflib.SequenceMatcher`; equal ones keep their
times, and what was written in between shares the time of what it replaces.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate, pairwise

from transcrevai_core.transcript.script import INSIDE, PIECE, UNSPACED, columns, composed
from transcrevai_core.types import Segment, Word

# Text spread thinner than this cannot have been spoken there: the fastest speech is near 25
# characters a second.
_SHORTEST_CHARACTER = 0.02  # seconds

# Columns up to which what was heard as one word is kept on one line, where no spaces part words.
_LONGEST_WORD = 20
_ZERO_WIDTH = "\N{ZERO WIDTH SPACE}"


@dataclass(frozen=True, slots=True)
class Piece:
    """The least that a line holds: a word with the space before it, if any, and its times."""

    text: str
    start: float
    end: float


def timed_pieces(segment: Segment, text: str) -> list[Piece]:
    """Give the pieces of `text` their times, in order and inside the segment.

    Pieces that the model heard keep the times of its words; those that the user wrote share the
    time of what they replace, each in proportion to its characters. A segment without words is
    shared among its characters.
    """
    words = segment.words or (Word(segment.start, segment.end, text, 1.0),)
    heard = "".join(word.text for word in words)
    if letters(heard) == letters(text):
        heard = text  # the text has the better spaces, where the words were stored without theirs
    old = _place(_split(heard), _character_times(words))
    new = _split(text)
    times = _align(old, new, segment.start, segment.end)
    pieces, earliest = [], segment.start
    for piece in _place(new, times):
        start = min(max(piece.start, earliest), max(segment.start, segment.end))
        end = min(max(piece.end, start), max(segment.start, segment.end))
        pieces.append(replace(piece, start=start, end=end))
        earliest = start
    return _joined(pieces, words) if heard == text else pieces


def _joined(pieces: Sequence[Piece], words: Sequence[Word]) -> list[Piece]:
    """Join pieces to the words that they are parts of, where a script has no spaces.

    Words are parted by zero-width spaces where the text has them, else as they were heard.
    """
    if not any(UNSPACED.search(piece.text) for piece in pieces):
        return list(pieces)
    begins = {*accumulate(len(letters(word.text)) for word in words)}
    marked = any(_ZERO_WIDTH in piece.text for piece in pieces)
    groups: list[list[Piece]] = []
    at = 0
    for piece in pieces:
        last = groups[-1][-1].text if groups else ""
        apart = last.endswith(_ZERO_WIDTH) if marked else at in begins
        if groups and not apart and UNSPACED.match(piece.text) and UNSPACED.match(last.strip()):
            groups[-1].append(piece)
        else:
            groups.append([piece])
        at += len(letters(piece.text))
    out: list[Piece] = []
    for group in groups:
        text = "".join(piece.text for piece in group)
        if columns(text) <= _LONGEST_WORD:
            out.append(Piece(text, group[0].start, max(piece.end for piece in group)))
        else:  # no word, but what nobody has cut into words
            out += group
    return out


def timed_words(segment: Segment) -> list[Word]:
    """Give the words of a segment as it reads now, each with its times.

    Without an edit they are the model's own; what the user wrote is sure, and so has
    probability 1. Their texts join to the whole text.

    >>> heard = (Word(0, 1, " Bom", 0.4), Word(1, 2, " dia", 0.9))
    >>> [(w.start, w.text) for w in timed_words(Segment(0, 2, " Bom dia", heard, edited="Boa dia"))]
    [(0.0, 'Boa'), (1.0, ' dia')]
    """
    if segment.edited is None and segment.words:
        return list(segment.words)
    pieces = timed_pieces(segment, segment.final_text)
    return [Word(piece.start, piece.end, piece.text, 1.0) for piece in pieces]


def _split(text: str) -> list[str]:
    return [re.sub(r"^\s+", " ", found) for found in PIECE.findall(text)]


def letters(text: str) -> str:
    """Give `text` without its white space: what the times of characters are counted on."""
    return "".join(text.split())


def _character_times(words: Iterable[Word]) -> list[tuple[float, float]]:
    """Share each word's time evenly among its characters; white space has no time."""
    times = []
    for word in words:
        count = len(letters(word.text))
        times += _share(word.start, word.end, count)
    return times


def _share(start: float, end: float, count: int) -> list[tuple[float, float]]:
    """Cut the time from `start` to `end` into `count` equal parts."""
    edges = [start + (end - start) * index / count for index in range(count)] + [end]
    return list(pairwise(edges))


def _place(split: Sequence[str], times: Sequence[tuple[float, float]]) -> list[Piece]:
    """Give each piece the times of its first and last character; `times` has one a character."""
    pieces, first = [], 0
    for text in split:
        last = first + len(letters(text)) - 1
        pieces.append(Piece(text, times[first][0], times[last][1]))
        first = last + 1
    return pieces


def _align(
    old: Sequence[Piece], new: Sequence[str], start: float, end: float
) -> list[tuple[float, float]]:
    """Find the time of every character of `new` by matching it with `old`, piece by piece.

    Where new text has too little time to have been spoken, it shares that of its neighbours too,
    as far as needed: otherwise a sentence added at the end would flash by.
    """
    # Between two guards that stand for the segment's edges.
    pairs = [(-1, -1), *_matches([piece.text for piece in old], new), (len(old), len(new))]
    edges = {-1: (start, start), len(old): (end, end)}
    edges |= {index: (piece.start, piece.end) for index, piece in enumerate(old)}

    gaps: list[tuple[float, float, int]] = []  # start, end, characters between each two pairs
    index = 0
    while index < len(pairs) - 1:
        (old_left, new_left), (old_right, new_right) = pairs[index : index + 2]
        count = sum(len(letters(text)) for text in new[new_left + 1 : new_right])
        if old_right - old_left > 1:
            low, high = edges[old_left + 1][0], edges[old_right - 1][1]
        else:
            low, high = edges[old_left][1], edges[old_right][0]
        if count and high - low < count * _SHORTEST_CHARACTER and len(pairs) > 2:
            # Forget the matches on both sides (never the guards), and look again from there.
            pairs[max(index, 1) : min(index + 2, len(pairs) - 1)] = []
            index = max(index - 1, 0)
            del gaps[index:]
            continue
        gaps.append((low, high, count))
        index += 1

    times = []
    for (old_index, new_index), (low, high, count) in zip(pairs[:-1], gaps, strict=True):
        if old_index >= 0:
            times += _share(*edges[old_index], len(letters(new[new_index])))
        times += _share(low, max(low, high), count)
    return times


def _matches(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Pair the indices of pieces that are the same but for case and punctuation, in order."""

    def key(text: str) -> str:
        return re.sub(rf"[^{INSIDE}]", "", composed(text)).casefold() or text.strip()

    matcher = SequenceMatcher(None, [*map(key, old)], [*map(key, new)], autojunk=False)
    blocks = matcher.get_matching_blocks()
    return [(block.a + k, block.b + k) for block in blocks for k in range(block.size)]
