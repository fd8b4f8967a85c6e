"""Subtitle cues: text broken into short lines, each shown while its own words are spoken.

Outside this module times are float seconds; a finished Cue has integer milliseconds, because
subtitle files have no finer time and only whole numbers can be compared without surprises.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise

from transcrevai_core.types import Segment, Transcript, Word

LINE_WIDTH = 42  # characters; what a viewer reads at a glance, as broadcasters have settled it
LINES_PER_CUE = 2
# Text spread thinner than this cannot have been spoken there: the fastest speech is near 25
# characters a second.
_SHORTEST_CHARACTER = 0.02  # seconds

# Chinese and Japanese have no spaces between words, so a line may end after each character
# (and the marks that follow it); everything else is broken at spaces only.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_PIECE = re.compile(rf"\s*(?:[{_CJK}][^\w\s]*|[^\s{_CJK}]+)")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True, slots=True)
class Piece:
    """The least that a line holds: a word with the space before it, if any, and its times."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Cue:
    """What is on the screen at once, from `start` to `end` in milliseconds."""

    start: int
    end: int
    lines: tuple[str, ...]
    speaker: str | None = None


def texts(transcript: Transcript, edited: bool) -> Iterator[tuple[Segment, str]]:
    """Give each segment that has text, with that text on one line and free of control characters.

    A segment that the user emptied is left out.
    """
    for segment in transcript.segments:
        if text := one_line(segment.final_text if edited else segment.text):
            yield segment, text


def one_line(text: str) -> str:
    r"""Make every run of white space, line breaks included, one space; drop control characters.

    >>> one_line(" Bom\tdia,\n pessoal ")
    'Bom dia, pessoal'
    """
    return " ".join(_CONTROLS.sub("", text).split())


def cues(transcript: Transcript, edited: bool, *, label: bool = False) -> list[Cue]:
    """Break a transcript into cues in order of time, none overlapping the next.

    With `label` each cue's first line begins with the speaker and a colon, inside the line's
    width; a name too long for one line is cut. A cue that a later one would overlap ends early.
    """
    found = []
    for segment, text in texts(transcript, edited):
        speaker = one_line(segment.speaker or "") or None
        prefix = f"{_cut(speaker, LINE_WIDTH - 1)}:" if label and speaker else ""
        for lines in _balance(timed_pieces(segment, text), prefix):
            pieces = [piece for line in lines for piece in line]
            drawn = ["".join(piece.text for piece in line).strip() for line in lines]
            drawn[0] = f"{prefix} {drawn[0]}".strip()
            start, end = pieces[0].start, max(piece.end for piece in pieces)
            found.append(Cue(round(start * 1000), round(end * 1000), tuple(drawn), speaker))
    return apart(found)


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
    return pieces


def _split(text: str) -> list[str]:
    return [re.sub(r"^\s+", " ", found) for found in _PIECE.findall(text)]


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
        return re.sub(r"\W", "", text).casefold() or text.strip()

    matcher = SequenceMatcher(None, [*map(key, old)], [*map(key, new)], autojunk=False)
    blocks = matcher.get_matching_blocks()
    return [(block.a + k, block.b + k) for block in blocks for k in range(block.size)]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def _fill(pieces: Sequence[Piece], width: int, prefix: str) -> list[list[list[Piece]]]:
    """Fill lines up to `width` from left to right: cues of at most two lines of pieces."""
    filled: list[list[list[Piece]]] = []
    room = -1
    for piece in pieces:
        length = len(piece.text.strip())
        if filled and len(piece.text) <= room:
            filled[-1][-1].append(piece)
            room -= len(piece.text)
        elif filled and len(filled[-1]) < LINES_PER_CUE:
            filled[-1].append([piece])
            room = width - length
        elif prefix and len(prefix) + 1 + length > width:
            filled.append([[], [piece]])  # the name alone, then the word that does not fit by it
            room = width - length
        else:
            filled.append([[piece]])
            room = width - length - (len(prefix) + 1 if prefix else 0)
    return filled


def _balance(pieces: Sequence[Piece], prefix: str) -> list[list[list[Piece]]]:
    """Break into as few cues as the width allows, of lines about equally long.

    The narrowest lines that need no more cues leave no single word for a last cue that flashes by.
    """
    best = _fill(pieces, LINE_WIDTH, prefix)
    if len(best) == 1 and len(best[0]) == 1:
        return best
    for width in range(LINE_WIDTH - 1, 0, -1):
        narrower = _fill(pieces, width, prefix)
        if len(narrower) > len(best):
            break
        best = narrower
    return best


def apart(found: Iterable[Cue]) -> list[Cue]:
    """Put cues in order of their starts, end each before the next, leave each at least 1 ms."""
    out: list[Cue] = []
    for cue in sorted(found, key=lambda cue: cue.start):
        start = cue.start
        if out:
            start = max(start, out[-1].start + 1)
            out[-1] = replace(out[-1], end=min(out[-1].end, start))
        out.append(replace(cue, start=start, end=max(cue.end, start + 1)))
    return out
