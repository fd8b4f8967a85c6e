"""Speakers under the names that the user gave them, no two alike."""

import re
from collections.abc import Callable
from dataclasses import replace

from transcrevai_core.i18n import date
from transcrevai_core.transcript.script import composed
from transcrevai_core.transcript.turns import joined
from transcrevai_core.types import Transcript, Turn

# Between a speaker's name and what they say, in files; a no-break space, which no text has, tells
# the name from what was said before a colon.
AFTER_NAME = ":\N{NO-BREAK SPACE}"
_NO_TEXT = re.compile("[\ufffe\uffff]")  # no characters, by Unicode's and XML's word
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
_SHORTEST_TURN = 1e-3  # seconds; what the formats write


def one_line(text: str) -> str:
    r"""Make every run of white space, line breaks included, one space; drop control characters.

    >>> one_line(" Bom\tdia,\n pessoal ")
    'Bom dia, pessoal'
    """
    return " ".join(_CONTROLS.sub("", text).split())


def clean(text: str) -> str:
    """Make `text` one line of characters that UTF-8 and XML have; others are dropped or `?`."""
    return one_line(printable(text))


def printable(text: str) -> str:
    r"""Return `text` without what no file and no database takes; lines and spaces stay.

    >>> printable("um\0\ndois \ud83d")
    'um\ndois ?'
    """
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return _NO_TEXT.sub("", _CONTROLS.sub("", whole))


def with_names(transcript: Transcript, unnamed: Callable[[str], str] = str) -> Transcript:
    """Give a transcript whose segments and turns tell names in place of labels.

    Whoever has none is called what `unnamed` makes of the label. The result's own `names` lead
    back, from the name shown to the label, in order of first speech. Two speakers stay two: where
    they have one name, or names that differ only in spaces and underscores (RTTM has no spaces) or
    in how accents are composed, the later ones are numbered. A label of nothing but white space and
    control characters is nobody, unless it has a name.
    """
    wanted = {
        label: clean(transcript.names.get(label, "")) or clean(unnamed(label))
        for label in transcript.speakers
    }
    taken, given = {_key(name) for name in wanted.values()}, set[str]()
    shown: dict[str, str] = {}
    for label, name in wanted.items():
        if not name:
            continue
        candidate, number = name, 1
        # the first who asks for a name gets it; a number must not make the name of another
        while _key(candidate) in given or (number > 1 and _key(candidate) in taken):
            number += 1
            candidate = f"{name} {number}"
        given.add(_key(candidate))
        shown[label] = candidate
    return replace(
        transcript,
        segments=tuple(
            replace(segment, speaker=shown.get(segment.speaker) if segment.speaker else None)
            for segment in transcript.segments
        ),
        turns=tuple(
            Turn(turn.start, turn.end, shown[turn.speaker])
            for turn in transcript.turns
            if turn.speaker in shown
        ),
        names={name: label for label, name in shown.items()},
    )


def _key(name: str) -> str:
    return composed("_".join(name.split()))


def speaker_turns(transcript: Transcript) -> list[Turn]:
    """Who spoke when, in order of time: the turns, else those that the segments' speakers make."""
    turns = list(transcript.turns) or joined(
        Turn(segment.start, segment.end, segment.speaker)
        for segment in transcript.segments
        if segment.speaker
    )
    turns = [turn for turn in turns if turn.duration >= _SHORTEST_TURN]
    return sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))


def signature(author: str, written: float | None) -> str:
    """Say who wrote a note and when (Unix time), as far as that is known.

    >>> signature("Ana", None), signature("", None)
    ('Ana', '')
    """
    return " · ".join(filter(None, (author, "" if written is None else date(written))))
