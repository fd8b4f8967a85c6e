"""What is said, as a template in English and the values in its places: made into words when shown.

State (the stage of a job, its notes, the cause of an event) is a `Code` with values; errors carry
a template of their own. Both are a `Message`, which the library keeps as JSON, so that one library
serves readers of all languages: `i18n.say` writes it in the reader's, `str` in English.
"""

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class EnglishFormatter(string.Formatter):
    """Fills places; what is a message itself is said, with `{name:part}` as part of a sentence."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return what stands in a place, as it asks for it."""
        if isinstance(value, Message | Code):
            said = self.say(value if isinstance(value, Message) else value())
            return said.rstrip(".") if format_spec == "part" else said
        return self.number(value, format_spec) if isinstance(value, int | float) else str(value)

    def say(self, message: "Message") -> str:
        """Return what stands in a place as a text."""
        return str(message)

    def number(self, value: float, format_spec: str) -> str:
        """Return a number as its place asks for it."""
        return format(value, format_spec)


@dataclass(frozen=True, slots=True)
class Message:
    """An English template with `{name}` places, and what stands in them.

    Values are numbers, strings, codes and other messages. A number's place says how it is written
    (`{share:.0%}`). `code` tells messages apart where something is decided by them.

    >>> str(Message("{number} of {all:.1f} MB", {"number": 1, "all": 3.04}))
    '1 of 3.0 MB'
    """

    text: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    code: "Code | None" = None

    def __str__(self) -> str:
        return self.fill(self.text, EnglishFormatter())

    def __bool__(self) -> bool:
        return bool(self.text)

    def __hash__(self) -> int:
        return hash((self.text, self.code, tuple(sorted(self.values))))

    def fill(self, text: str, formatter: string.Formatter) -> str:
        """Return `text`, the template in some language, with the values in its places."""
        return formatter.vformat(text, (), self.values) if self.values else text


NOTHING = Message()


def joined(messages: Sequence[Message]) -> Message:
    """Return messages as a list in one.

    >>> str(joined([Message("one"), Message("two")]))
    'one, two'
    """
    values = {f"m{number}": message for number, message in enumerate(messages)}
    text = ", ".join(f"{{{name}}}" for name in values)
    return Message(text, values)


class Code(StrEnum):
    """A state or a cause as a code; `text` is the template of its words in English.

    A member that is called with values makes the message. Values of all codes differ from each
    other, so that a code that was kept can be found again.
    """

    text: str

    def __new__(cls, code: str, text: str) -> Self:
        """Make a member of its code and its template."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.text = text
        return member

    def __call__(self, **values: Any) -> Message:
        """Return the message of this code with these values."""
        return Message(self.text, values, self)

    def __str__(self) -> str:
        return self.text


def of(value: "Message | Code") -> Message:
    """Return a message, also of a code that needs no values."""
    return value() if isinstance(value, Code) else value


def dump(message: "Message | Code") -> str:
    """Return a message as JSON; empty for none."""
    return json.dumps(_plain(message), ensure_ascii=False) if of(message) else ""


def load(text: str) -> Message:
    """Read what `dump` wrote; what is no JSON of ours is a message as it stands.

    >>> load(dump(Message("{a} is here", {"a": "x"})))
    Message(text='{a} is here', values={'a': 'x'}, code=None)
    """
    try:
        found = json.loads(text) if text.startswith("{") else None
    except ValueError:
        found = None
    return _message(found) if isinstance(found, dict) else Message(text)


def _plain(message: "Message | Code") -> dict[str, Any]:
    message = of(message)
    name = {"code": message.code.value} if message.code else {"text": message.text}
    values = {
        key: {"message": _plain(value)} if isinstance(value, Message | Code) else value
        for key, value in message.values.items()
    }
    return {**name, "values": values} if values else name


def _message(found: Mapping[str, Any]) -> Message:
    values = {
        key: _message(value["message"]) if isinstance(value, dict) else value
        for key, value in found.get("values", {}).items()
    }
    if "code" not in found:
        return Message(found.get("text", ""), values)
    name = str(found["code"])
    code = _codes().get(name)
    return code(**values) if code else Message(name, values)


def _codes() -> dict[str, Code]:
    return {member.value: member for kind in Code.__subclasses__() for member in kind}
