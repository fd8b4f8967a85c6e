"""Subtitles read for what is said in them: SubRip and WebVTT, as people's programs write them.

Stricter readers lose words: of cues without milliseconds or with hours of three digits, below a
line that holds a space, and in captions with times between the words.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from transcrevai_core.errors import InputError
from transcrevai_core.evaluation.annotation import Annotation, Utterance
from transcrevai_core.evaluation.labels import labelled

_CLOCK = r"(?:(\d{1,6})\s*:\s*)?(\d{1,6})\s*:\s*(\d{1,6})(?:\s*[.,:]\s*(\d{1,9}))?"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-[- ]?>\s*{_CLOCK}(?:\s.*)?")
_BROKEN_TIMES = re.compile(r"\s*\d+\s*:\s*\d.*-->|.*-->\s*\d+\s*:\s*\d")
_ASIDE = re.compile(r"(?:NOTE|STYLE|REGION|WEBVTT)(?:\s|$)")
_VOICE = re.compile(r"<v(?:\.[^ >]*)?\s+([^>]*)>")
_READING = re.compile(r"<rt\b[^>]*>.*?(?:</rt>|$)")  # above the words in Japanese: said once
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAGS = {
    # SubRip has no escapes, so "<" may be meant; these are what players know
    "srt": re.compile(
        r"</?(?:b|i|u|s|c|v|em|strong|font|span|lang|ruby|p|div)(?:[\s.][^<>]*)?/?>|<[\d:.,]+>",
        re.IGNORECASE,
    ),
    "vtt": re.compile(r"<[^\s<>][^<>]*>"),
}
_WORD_TIME = re.compile(r"<\d")
_CODES = re.compile(
    r"\{(?:\\|[ycfsp]:)[^{}]*\}", re.IGNORECASE
)  # {\an8} and {y:i} of other formats
_TOUCHING = 0.1  # seconds between cues of which the later one may show lines of the earlier one
_FLASH = 0.05  # seconds in which nobody says anything


@dataclass(frozen=True, slots=True)
class _Cue:
    start: float
    end: float
    rows: list[str]  # without line breaks; those of mere spaces too


def read_captions(text: str, kind: str) -> Annotation:
    """Read srt or vtt; the ends of cues are for reading, so they tell no turns.

    Lines that captions roll up, and so show again in the next cue, count once. Names are those of
    voices (`<v Ana>`), else those before colons. Raises InputError with one sentence.
    """
    cues = _cues(re.split(r"\r\n?|\n", text), kind)
    if not cues and text.strip().removeprefix("WEBVTT").strip():
        raise InputError(
            "The file holds no cue; a line 00:00:01{point}000 --> 00:00:02{point}000 with text "
            "below it would be right.",
            point="," if kind == "srt" else ".",
        )
    found = []
    for cue in _once(sorted(cues, key=lambda cue: (cue.start, cue.end)), kind):
        line = " ".join(row.strip(" \t") for row in cue.rows)
        # several voices may speak in a cue, each from its tag on
        for part in re.split(r"(?=<v[.\s])", line) if kind == "vtt" else [line]:
            voice = _VOICE.match(part) if kind == "vtt" else None
            name = html.unescape(voice[1]).strip() if voice else None
            if said := _plain(part, kind):
                found.append(Utterance(said, cue.start, cue.end, name or None))
    if cues and not found:
        raise InputError(
            "The file's cues hold no word; what is said, below their times, would be right."
        )
    voices = any(utterance.speaker for utterance in found)
    return Annotation(tuple(found) if voices else labelled(found))


def _plain(row: str, kind: str) -> str:
    """Return a row as it is read on screen; no-break spaces stay."""
    row = _CODES.sub("", _BREAK.sub(" ", _READING.sub("", row)))
    row = html.unescape(_TAGS[kind].sub("", row).replace("&nbsp;", " "))
    return re.sub("[ \t]+", " ", row).strip(" \t")


def _cues(lines: Iterable[str], kind: str) -> list[_Cue]:
    """Find the lines with times, and the rows below each that belong to no other one."""
    cues: list[_Cue] = []
    before, aside, opens = "", False, True  # `opens`: the last row began after an empty line
    head = ""  # what stands last above the first times: a number, where cues are numbered
    for number, line in enumerate(lines, start=1):
        if match := _TIMES.fullmatch(line):
            if cues:
                rows = cues[-1].rows
                number = bool(rows) and rows[-1].strip().isdecimal()
                named = kind == "vtt" and opens and bool(before)
                if rows and (named or (number and (before or (opens and head.isdecimal())))):
                    rows.pop()  # the number or name of this cue
            cues.append(_Cue(_seconds(*match.groups()[:4]), _seconds(*match.groups()[4:]), []))
            aside = False
        elif _BROKEN_TIMES.match(line):
            raise InputError(
                "Line {number} is no time of a cue; 00:00:01{point}000 --> 00:00:02{point}000 "
                "would be right.", number=number, point="," if kind == "srt" else ".",
            )  # fmt: skip
        elif line:
            opens = not before
            aside = aside or (kind == "vtt" and opens and bool(_ASIDE.match(line)))
            if not cues:
                head = line.strip()
            elif not aside:
                cues[-1].rows.append(line)
        else:
            aside = False
        before = line
    return cues


def _seconds(hours: str | None, minutes: str, seconds: str, part: str | None) -> float:
    return 3600 * int(hours or 0) + 60 * int(minutes) + float(f"{seconds}.{part or 0}")


def _once(cues: list[_Cue], kind: str) -> list[_Cue]:
    """Leave out of each cue the rows that it only shows again.

    A row is shown again where it was at the end of a cue that touches this one and stands at the
    beginning here, with rows below it, or for a moment too short to say it. People say things
    twice as well, so most cues of more than one row must do so.
    """
    shown = [[row for row in (_plain(row, kind) for row in cue.rows) if row] for cue in cues]
    again = [0] * len(cues)
    longer = 0  # cues that touch the one before and have room for more than what that showed
    for place in range(1, len(cues)):
        before, cue = cues[place - 1], cues[place]
        timed = any(_WORD_TIME.search(row) for row in cue.rows[1:])  # only what is new is timed
        if cue.start - before.end > _TOUCHING and not timed:
            continue
        most = min(len(shown[place - 1]), len(shown[place]))
        same = next(
            n for n in range(most, -1, -1) if not n or shown[place - 1][-n:] == shown[place][:n]
        )
        flashes = cue.end - cue.start <= _FLASH
        longer += flashes or len(cue.rows) > max(1, same)
        again[place] = same if flashes or len(cue.rows) > same else 0
    if 2 * sum(map(bool, again)) < longer:
        return cues
    return [
        replace(cue, rows=_below(cue.rows, number, kind))
        for cue, number in zip(cues, again, strict=True)
    ]


def _below(rows: list[str], number: int, kind: str) -> list[str]:
    """Return what stands below the first `number` rows that hold a word."""
    kept = []
    for row in rows:
        if number and _plain(row, kind):
            number -= 1
        else:
            kept.append(row)
    return kept
