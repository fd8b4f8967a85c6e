"""RTTM, the format in which diarization is exchanged and scored.

One line a turn, `SPEAKER file 1 start duration <NA> <NA> speaker <NA> <NA>`; see appendix A of
the NIST RT-09 evaluation plan.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from transcrevai_core.errors import InputError
from transcrevai_core.types import Turn

_UNKNOWN = "<NA>"
_NOTHING = (_UNKNOWN, "NA", "-")  # what stands in a field that tells nothing


def format_rttm(turns: Iterable[Turn], name: str) -> str:
    """Return turns as RTTM text of the recording `name`, whose spaces become underscores.

    >>> format_rttm([Turn(0.5, 2.0, "SPEAKER_00")], "my talk")
    'SPEAKER my_talk 1 0.500 1.500 <NA> <NA> SPEAKER_00 <NA> <NA>\\n'
    """
    name = "_".join(name.split()) or "recording"
    return "".join(
        f"SPEAKER {name} 1 {turn.start:.3f} {turn.duration:.3f} <NA> <NA> "
        f"{_in_a_field(turn.speaker)} <NA> <NA>\n"
        for turn in turns
    )


def _in_a_field(speaker: str) -> str:
    name = "_".join(speaker.split())
    return name if name != _UNKNOWN else f"{name}_"  # somebody who is called so is not unknown


def recordings(text: str) -> list[str]:
    """Return the names of the recordings whose turns RTTM text holds, in order."""
    return list(dict.fromkeys(fields[1] for _, fields in _speaker_lines(text) if fields[1:]))


def parse_rttm(text: str, name: str | None = None) -> list[Turn]:
    """Return the turns of RTTM text in order of time; of the recording `name` only, if given.

    Lines of other types are passed over. Raises InputError with one sentence for a broken line,
    and for one whose fields do not fit, as a space in a name makes them.
    """
    turns = []
    for number, fields in _speaker_lines(text):
        if name is not None and fields[1:2] != [name]:
            continue
        try:
            start, duration, speaker = float(fields[3]), float(fields[4]), fields[7]
            if not (math.isfinite(start) and 0 < duration < math.inf):
                raise ValueError
        except (IndexError, ValueError):
            raise InputError(
                "Line {number} of the RTTM is broken; SPEAKER name 1 start duration <NA> <NA> "
                "speaker, with a duration above 0, would be right.",
                number=number,
            ) from None
        if not _fits(fields):
            raise InputError(
                "Line {number} of the RTTM has {fields} fields that do not fit, as with a space in "
                "a name; SPEAKER name 1 start duration <NA> <NA> speaker <NA> <NA>, with _ for "
                "spaces in names, would be right.",
                number=number,
                fields=len(fields),
            )
        turns.append(Turn(start, start + duration, speaker))
    return sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))


def _speaker_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, fields in enumerate((line.split() for line in text.splitlines()), start=1):
        if fields and fields[0].upper() == "SPEAKER":
            yield number, fields


def _fits(fields: list[str]) -> bool:
    """Tell whether the fields around a speaker's name hold what belongs there."""
    _, _, _, _, _, spelling, kind, speaker, *ends = fields
    return (
        len(ends) <= 2
        and not any(_is_number(value) for value in (spelling, kind))
        and speaker != _UNKNOWN
        and all(value.upper() in _NOTHING or _is_number(value) for value in ends)
    )


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def read_rttm(path: Path, name: str | None = None) -> list[Turn]:
    """Read a file as `parse_rttm` does its text."""
    return parse_rttm(path.read_text(encoding="utf-8"), name)


def write_rttm(path: Path, turns: Iterable[Turn], name: str) -> None:
    """Write turns as `format_rttm` makes them."""
    path.write_text(format_rttm(turns, name), encoding="utf-8")
