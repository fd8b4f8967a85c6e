"""What people read, in their language: gettext catalogues in `locale`, with English as the source.

What the core says (errors, notes, stages, causes of events) is a `Message`, which `say` writes in
the reader's language where it is shown; numbers and dates are written by Babel.
"""

import gettext
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

from babel.dates import format_datetime
from babel.numbers import format_decimal, format_percent

from transcrevai_core import messages
from transcrevai_core.messages import Code, Message

LANGUAGES = {"en": "English", "pt_BR": "Português"}
_TAGS = {"en": "en", "pt_BR": "pt-BR"}  # as pages state their language
_DATES = {"en": "yyyy-MM-dd", "pt_BR": "dd/MM/yyyy"}
SOURCE = "en"
_FOLDER = Path(__file__).parent / "locale"

_find: Callable[[], str] = lambda: SOURCE  # noqa: E731


def use(find: Callable[[], str]) -> None:
    """Let `find` say, at each text, which of `LANGUAGES` it is to be in."""
    global _find
    _find = find


def language() -> str:
    """Return the language of the reader at hand."""
    found = _find()
    return found if found in LANGUAGES else SOURCE


def best(tag: str | None) -> str:
    """Return the language that suits a browser's.

    >>> best("pt-PT"), best("en-GB"), best("fr"), best(None)
    ('pt_BR', 'en', 'en', 'en')
    """
    first = (tag or "").lower().partition("-")[0]
    return next((code for code in LANGUAGES if code.lower().partition("_")[0] == first), SOURCE)


def _(text: str, **values: object) -> str:
    """Return a text in the reader's language, with `{name}`s filled in afterwards.

    >>> _("{done} of {all}", done=1, all=3)
    '1 of 3'
    """
    found = _catalogue(language()).gettext(text) if text else ""
    return found.format(**values) if values else found


def in_language(tag: str | None, text: str, **values: object) -> str:
    """Return a text in the language that suits what is spoken, whoever reads.

    >>> in_language("pt", "Speaker {number}", number=2), in_language("fr", "Speakers")
    ('Falante 2', 'Speakers')
    """
    return _catalogue(best(tag)).gettext(text).format(**values)


def plural(one: str, many: str, number: int, **values: object) -> str:
    """Return the form of a text that suits a number, which fills `{number}`.

    >>> plural("{number} speaker", "{number} speakers", 2)
    '2 speakers'
    """
    found = _catalogue(language()).ngettext(one, many, number)
    return found.format(number=decimal(number), **values)


def mark(text: str) -> str:
    """Return a text as it is; it is translated elsewhere, by `_` or `say`."""
    return text


class _ReaderFormatter(messages.EnglishFormatter):
    """Fills places in the reader's language."""

    def say(self, message: Message) -> str:
        """Return what stands in a place in the reader's language."""
        return say(message)

    def number(self, value: float, format_spec: str) -> str:
        """Return a number with the signs of the reader's language."""
        return _number(value, format_spec)


def say(message: Message | Code) -> str:
    """Return a message in the reader's language, numbers and messages in its places too.

    >>> say(Message("{share:.0%} of {size:.1f} MB", {"share": 0.5, "size": 1000.0}))
    '50% of 1000.0 MB'
    """
    message = messages.of(message)
    return message.fill(_(message.text), _ReaderFormatter())


def decimal(value: float, digits: int = 0) -> str:
    """Write a number as the reader's language does.

    >>> decimal(1234.5, 1)
    '1,234.5'
    """
    return _number(value, f",.{digits}f")


def _number(value: float, spec: str) -> str:
    """Write a number as Python's format would, with the signs of the reader's language."""
    if not spec.endswith(("f", "%")):
        return format(value, spec).replace(".", separators()[0])
    digits = spec[:-1].partition(".")[2]
    whole = "#,##0" if "," in spec else "0"
    fraction = f".{'0' * int(digits)}" if digits and digits != "0" else ""
    sign = "+" if spec.startswith("+") and value >= 0 else ""
    if spec.endswith("%"):
        return sign + format_percent(value, f"{whole}{fraction}%", language())
    return sign + format_decimal(value, f"{whole}{fraction}", language())


def separators() -> str:
    """Return the signs before decimals and between thousands, as Plotly takes them."""
    return ".," if language() == SOURCE else ",."


def date(unix: float, clock: str = " HH:mm") -> str:
    """Write a moment (Unix time) in local time as the reader's language does.

    `clock` is how the time of day follows, in the letters of CLDR; empty for the day alone.
    """
    moment = datetime.fromtimestamp(unix)
    return format_datetime(moment, _DATES[language()] + clock, locale=language())


def capital(text: str) -> str:
    """Let a text begin a sentence.

    >>> capital("80% are in use")
    '80% are in use'
    """
    return text[:1].upper() + text[1:]


def tag() -> str:
    """Return the reader's language as HTML names it."""
    return _TAGS[language()]


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.translation("transcrevai", _FOLDER, [code], fallback=True)
