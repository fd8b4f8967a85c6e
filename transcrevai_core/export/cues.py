"""Subtitle cues: text broken into short lines, each shown while its own words are spoken.

Outside this module times are float seconds; a finished Cue has integer milliseconds, because
subtitle files have no finer time and only whole numbers can be compared without surprises.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from transcrevai_core.transcript.names import AFTER_NAME, one_line
from transcrevai_core.transcript.retiming import Piece, timed_pieces
from transcrevai_core.transcript.script import MARKS, columns
from transcrevai_core.types import Segment, Transcript

LINE_WIDTH = 42  # columns; what a viewer reads at a glance, as broadcasters have settled it
LINES_PER_CUE = 2


@dataclass(frozen=True, slots=True)
class Cue:
    """What is on the screen at once, from `start` to `end` in milliseconds."""

    start: int
    end: int
    lines: tuple[str, ...]
    speaker: str | None = None


def segment_texts(transcript: Transcript, edited: bool) -> Iterator[tuple[Segment, str]]:
    """Give each segment that has text, with that text on one line and free of control characters.

    A segment that the user emptied is left out.
    """
    for segment in transcript.segments:
        if text := one_line(segment.final_text if edited else segment.text):
            yield segment, text


def cues(transcript: Transcript, edited: bool, *, label: bool = False) -> list[Cue]:
    """Break a transcript into cues in order of time, none overlapping the next.

    With `label` each cue's first line begins with the speaker and AFTER_NAME, inside the line's
    width; a name too long for one line is cut. A cue that a later one would overlap ends early.
    """
    found = []
    for segment, text in segment_texts(transcript, edited):
        speaker = one_line(segment.speaker or "") or None
        prefix = f"{_cut(speaker, LINE_WIDTH - 2)}{AFTER_NAME}" if label and speaker else ""
        for lines in _balance(_fitting(timed_pieces(segment, text)), prefix):
            pieces = [piece for line in lines for piece in line]
            drawn = ["".join(piece.text for piece in line).strip() for line in lines]
            drawn[0] = prefix + drawn[0]
            start, end = pieces[0].start, max(piece.end for piece in pieces)
            found.append(Cue(round(start * 1000), round(end * 1000), tuple(drawn), speaker))
    return without_overlap(found)


def _cut(text: str, width: int) -> str:
    """Cut a text to so many columns, after a whole letter."""
    if columns(text) <= width:
        return text
    rest = ""
    while text and (columns(text) > width - 1 or re.match(f"[{MARKS}]", rest)):
        text, rest = text[:-1], text[-1:]
    return text.rstrip() + "…"


def _fitting(pieces: Iterable[Piece]) -> list[Piece]:
    """Cut pieces of wide letters that are wider than a line, as Korean without spaces may be.

    Other words are left whole: a name of a file that is cut is a name no more.
    """
    out: list[Piece] = []
    for piece in pieces:
        text = piece.text
        if columns(text.strip()) <= LINE_WIDTH or columns(text) == len(text):
            out.append(piece)
            continue
        second = (piece.end - piece.start) / len(text)
        first = 0
        for letter in re.finditer(rf"\s*[^\s][{MARKS}]*", text):
            if columns(text[first : letter.end()].strip()) > LINE_WIDTH:
                out.append(_part(piece, first, letter.start(), second))
                first = letter.start()
        out.append(_part(piece, first, len(text), second))
    return out


def _part(piece: Piece, first: int, last: int, second: float) -> Piece:
    start = piece.start + first * second
    return Piece(piece.text[first:last], start, piece.start + last * second)


def _fill(pieces: Sequence[Piece], width: int, prefix: str) -> list[list[list[Piece]]]:
    """Fill lines up to `width` from left to right: cues of at most two lines of pieces."""
    filled: list[list[list[Piece]]] = []
    room = -1
    for piece in pieces:
        length = columns(piece.text.strip())
        if filled and columns(piece.text) <= room:
            filled[-1][-1].append(piece)
            room -= columns(piece.text)
        elif filled and len(filled[-1]) < LINES_PER_CUE:
            filled[-1].append([piece])
            room = width - length
        elif prefix and columns(prefix) + length > width:
            filled.append([[], [piece]])  # the name alone, then the word that does not fit by it
            room = width - length
        else:
            filled.append([[piece]])
            room = width - length - columns(prefix)
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


def without_overlap(found: Iterable[Cue]) -> list[Cue]:
    """Put cues in order of their starts, end each before the next, leave each at least 1 ms."""
    out: list[Cue] = []
    for cue in sorted(found, key=lambda cue: cue.start):
        start = cue.start
        if out:
            start = max(start, out[-1].start + 1)
            out[-1] = replace(out[-1], end=min(out[-1].end, start))
        out.append(replace(cue, start=start, end=max(cue.end, start + 1)))
    return out
