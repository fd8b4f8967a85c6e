"""Sums on turns: who spoke how long, views without overlap, and what a correction changes."""

import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence

from transcrevai_core.i18n import _, in_language
from transcrevai_core.types import Turn

_TOUCHING = 1e-3  # seconds; turns are kept in milliseconds


def talk_times(turns: Iterable[Turn]) -> dict[str, float]:
    """Seconds that each speaker speaks, overlaps counted for each, in order of first speech.

    >>> talk_times([Turn(0, 2, "A"), Turn(1, 4, "B"), Turn(5, 6, "A")])
    {'A': 3, 'B': 3}
    """
    found: dict[str, float] = {}
    for turn in sorted(turns, key=lambda turn: turn.start):
        found[turn.speaker] = found.get(turn.speaker, 0) + turn.duration
    return found


def overlapping(turns: Iterable[Turn]) -> Callable[[float, float], list[Turn]]:
    """Return a function that finds, quickly, the turns that share time with a stretch.

    >>> overlapping([Turn(0, 9, "A"), Turn(2, 3, "B"), Turn(9, 10, "C")])(4, 9)
    [Turn(start=0, end=9, speaker='A')]
    """
    ordered = sorted(turns, key=lambda turn: turn.start)
    starts = [turn.start for turn in ordered]
    latest = list(itertools.accumulate((turn.end for turn in ordered), max))

    def find(start: float, end: float) -> list[Turn]:
        near = ordered[bisect_right(latest, start) : bisect_left(starts, end)]
        return [turn for turn in near if turn.end > start]

    return find


def exclusive(turns: Iterable[Turn]) -> list[Turn]:
    """Turns that never overlap: where several speak, the one whose turn is longest goes on.

    Whoever holds the floor keeps it; what is said meanwhile is mostly assent.

    >>> exclusive([Turn(0, 5, "A"), Turn(2, 3, "B"), Turn(4, 9, "C")])
    [Turn(start=0, end=5, speaker='A'), Turn(start=5, end=9, speaker='C')]
    """
    turns = sorted(turns, key=lambda turn: (turn.start, turn.end))
    edges = sorted({time for turn in turns for time in (turn.start, turn.end)})
    pieces, active, following = [], [], 0
    for start, end in itertools.pairwise(edges):
        while following < len(turns) and turns[following].start <= start:
            active.append(turns[following])
            following += 1
        active = [turn for turn in active if turn.end > start]
        if active:
            # the earlier one where two are equally long
            holder = max(active, key=lambda turn: (turn.duration, -turn.start))
            pieces.append(Turn(start, end, holder.speaker))
    return joined(pieces)


def joined(turns: Iterable[Turn], gap: float = _TOUCHING) -> list[Turn]:
    """Turns in order of time, those of one speaker joined where at most `gap` seconds part them.

    >>> joined([Turn(2, 3, "A"), Turn(0, 2, "A"), Turn(2, 4, "B")])
    [Turn(start=0, end=3, speaker='A'), Turn(start=2, end=4, speaker='B')]
    """
    latest: dict[str, int] = {}
    out: list[Turn] = []
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker)):
        place = latest.get(turn.speaker)
        if place is not None and turn.start <= out[place].end + gap:
            out[place] = Turn(out[place].start, max(out[place].end, turn.end), turn.speaker)
        else:
            latest[turn.speaker] = len(out)
            out.append(turn)
    return out


def reassigned(
    turns: Iterable[Turn], start: float, end: float, old: str | None, new: str
) -> list[Turn]:
    """Give what `old` says between two times to `new`; where nobody spoke, `new` now does.

    >>> reassigned([Turn(0, 9, "A")], 2, 4, "A", "B")
    [Turn(start=0, end=2, speaker='A'), Turn(start=2, end=4, speaker='B'), \
Turn(start=4, end=9, speaker='A')]
    """
    kept, given = [], []
    for turn in turns:
        low, high = max(turn.start, start), min(turn.end, end)
        if turn.speaker != old or low >= high:
            kept.append(turn)
            continue
        sides = [Turn(turn.start, low, turn.speaker), Turn(high, turn.end, turn.speaker)]
        kept += [side for side in sides if side.duration > 0]
        given.append(Turn(low, high, new))
    return joined([*kept, *(given or [Turn(start, end, new)])])


def match_speakers(old: Sequence[Turn], new: Sequence[Turn]) -> dict[str, str]:
    """Which speaker of `new` each one of `old` is: those who share most time, one to one.

    >>> match_speakers([Turn(0, 4, "A"), Turn(4, 9, "B")], [Turn(0, 5, "X"), Turn(5, 9, "Y")])
    {'A': 'X', 'B': 'Y'}
    """
    shared: dict[tuple[str, str], float] = {}
    find = overlapping(new)
    for a in old:
        for b in find(a.start, a.end):
            pair, seconds = (a.speaker, b.speaker), min(a.end, b.end) - max(a.start, b.start)
            shared[pair] = shared.get(pair, 0) + seconds
    found: dict[str, str] = {}
    for a_name, b_name in sorted(shared, key=lambda pair: -shared[pair]):
        if a_name not in found and b_name not in found.values():
            found[a_name] = b_name
    return found


def display_name(label: str, names: Mapping[str, str]) -> str:
    """Return the name that the user gave to a speaker, else one in the reader's language.

    >>> display_name("SPEAKER_00", {"SPEAKER_00": "Ana"}), display_name("SPEAKER_01", {})
    ('Ana', 'Speaker 2')
    """
    number = label_number(label)
    plain = label if number is None else _("Speaker {number}", number=number + 1)
    return names.get(label) or plain


def default_name(label: str, language: str | None) -> str:
    """Return the name of a speaker without one in the language of the speech.

    Files go from hand to hand, and are read by whoever understands what is said in them.

    >>> [default_name(label, "pt") for label in ("SPEAKER_01", "Ana")]
    ['Falante 2', 'Ana']
    >>> default_name("SPEAKER_01", None)
    'Speaker 2'
    """
    number = label_number(label)
    if number is None:
        return label
    return in_language(language, "Speaker {number}", number=number + 1)


def label_number(label: str) -> int | None:
    """Return the number in a label that diarization gave, else None.

    >>> label_number("SPEAKER_07"), label_number("Ana")
    (7, None)
    """
    found = re.fullmatch(r"SPEAKER_(\d+)", label)
    return int(found[1]) if found else None


def clock(seconds: float) -> str:
    """Write a time of a recording, rounded down.

    >>> clock(7.9), clock(754), clock(3725)
    ('0:07', '12:34', '1:02:05')
    """
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
