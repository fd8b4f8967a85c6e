"""Names of speakers before a colon, in plain text and in subtitles.

A colon stands in what people say too ("Ele disse: vem"), and then no word may be taken for a name.
So a line's beginning is a speaker's name

1. where a no-break space follows the colon, as in every file that is exported here, whatever the
   name is;
2. where it is a name that the first rule has found in the file, or one that speakers without a
   name go by: Speaker 1, SPEAKER_00;
3. where nothing is known by the first rule, and each of two or more lines begins with what looks
   like a name: it is a single word, or each of its words has no small first letter, is a particle
   of names ("da", "van"), or stands in brackets.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from transcrevai_core.evaluation.annotation import Utterance
from transcrevai_core.transcript.names import AFTER_NAME

_MARKED = re.compile(rf"\s*(.+?){AFTER_NAME}\s*")
_PLAIN = re.compile(r"\s*([^:!?\n]{1,60}):(?:\s+|$)")
_UNNAMED = re.compile(r"(?:speaker|falante)[ _]?\d+", re.IGNORECASE)
_PARTICLES = frozenset(
    ("and", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "e", "el",
     "la", "le", "of", "ten", "ter", "the", "van", "von", "y", "zu")
)  # fmt: skip


def labelled(utterances: Sequence[Utterance]) -> tuple[Utterance, ...]:
    """Take names before a colon for speakers, by the rules above.

    >>> labelled([Utterance("Ana Paula: bom dia"), Utterance("Dr. Silva (juiz): olá")])[1].speaker
    'Dr. Silva (juiz)'
    >>> labelled([Utterance("Ele disse: vem"), Utterance("Ela disse: não")])[0].speaker is None
    True
    """
    marked = [_MARKED.match(utterance.text) for utterance in utterances]
    plain = [_PLAIN.match(utterance.text) for utterance in utterances]
    known = {_name(match) for match in marked if match}
    everywhere = (len(utterances) > 1 and not known) and all(
        match and _looks_like_a_name(_name(match)) for match in plain
    )
    found = []
    for utterance, sure, match in zip(utterances, marked, plain, strict=True):
        if not sure and match:
            name = _name(match)
            sure = match if everywhere or name in known or _UNNAMED.fullmatch(name) else None
        if sure:
            text = utterance.text[sure.end() :]
            utterance = replace(utterance, text=text, speaker=_name(sure))
        found.append(utterance)
    return tuple(found)


def _name(match: re.Match[str]) -> str:
    return " ".join(match[1].split())


def _looks_like_a_name(name: str) -> bool:
    words = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", lambda aside: aside[0].title(), name).split()
    return len(words) == 1 or all(
        word in _PARTICLES or not next((c for c in word if c.isalnum()), "").islower()
        for word in words
    )
