"""What is wrong with a value that was given for a setting, and what would be right."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from transcrevai_core.i18n import mark
from transcrevai_core.messages import Message

# what would be right, by pydantic's types of errors and two of our own
RULES = {
    "greater_than_equal": mark("greater than or equal to {ge:.10g}"),
    "less_than_equal": mark("less than or equal to {le:.10g}"),
    "finite_number": mark("a finite number"),
    "bool_parsing": mark("a valid boolean, unable to interpret input"),
    "int_parsing": mark("a valid integer, unable to parse string as an integer"),
    "float_parsing": mark("a valid number, unable to parse string as a number"),
    "other_setting": mark("at least {other}"),
    "unknown_language": mark("a language that Whisper knows, such as pt, en or es"),
}


def unfit(rule: str, **values: Any) -> PydanticCustomError:
    """Return the error that a validator raises, which names one of `RULES` and fills its places."""
    return PydanticCustomError(rule, RULES[rule], values)


def complaint(error: ValidationError, fields: Mapping[str, FieldInfo]) -> Message:
    """Say pydantic's first complaint: the setting, the value, what would be right, its meaning."""
    first = error.errors()[0]
    name, kind = str(first["loc"][0]) if first["loc"] else "settings", first["type"]
    field = fields.get(name)
    if field is None:
        known = {"name": name, "known": ", ".join(sorted(fields))}
        return Message("There is no setting named {name}; the settings are {known}.", known)
    values = {"name": name, "value": repr(first["input"]), **first.get("ctx", {})}
    values["meaning"] = Message(str(field.description))
    if kind == "literal_error":
        values["known"] = ", ".join(map(repr, get_args(field.annotation)))
        return Message("{name} is {value}; it should be one of {known} ({meaning}).", values)
    if kind == "string_too_short":
        return Message(
            "{name} is {value}; it should have at least {min_length} character ({meaning}).", values
        )
    own = first["msg"].removeprefix("Input should be ")  # as pydantic says it
    values["rule"] = Message(RULES[kind], first.get("ctx", {})) if kind in RULES else Message(own)
    return Message("{name} is {value}; it should be {rule} ({meaning}).", values)
