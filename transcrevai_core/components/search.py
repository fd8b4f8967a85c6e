"""Searching in texts, where case and accents do not matter, and showing what was found."""

import re
import unicodedata

from transcrevai_core import ui
from transcrevai_core.transcript.script import composed


def fold(text: str) -> str:
    """Return a text without accents and capitals, to search in it or to sort by it."""
    # one character for one, so that places in the folded text are places in the text
    return "".join(_base(char).lower() for char in text)


def _base(char: str) -> str:
    """Return a character without accents; syllables of Korean are no letters with accents."""
    apart = unicodedata.normalize("NFD", char)
    return apart[0] if all(map(unicodedata.combining, apart[1:])) else char


def snippet(text: str, query: str, width: int = 90) -> str:
    """Write the part of a text around what was searched as Markdown, with the words marked.

    >>> snippet("A próxima reunião", "reuniao")
    'A próxima :primary-background[reunião]'
    """
    # an accent may be a character of its own in the text
    words = [
        "".join(f"{re.escape(char)}[\u0300-\u036f]*" for char in fold(composed(word)))
        for word in query.split()
    ]
    places = [m.span() for m in re.finditer("|".join(words), fold(text))] if words else []
    first = places[0][0] if places else 0
    begin, end = max(0, first - width), first + width
    out, at = "…" if begin else "", begin
    for start, stop in places:
        if start >= at and stop <= end:
            marked = f":primary-background[{ui.escape(text[start:stop])}]"
            out, at = out + ui.escape(text[at:start]) + marked, stop
    return out + ui.escape(text[at:end]) + ("…" if end < len(text) else "")


def matches(text: str, query: str) -> bool:
    """Tell whether a text holds every word of a query; case and accents do not matter."""
    return all(word in fold(composed(text)) for word in fold(composed(query)).split())
