"""Messages: one template and its values, said in any language, kept as JSON, sent by workers."""

import ast
import errno
import pickle
import string
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from tools import structure
from transcrevai_core import errors, i18n, ui
from transcrevai_core.codes import Cause, Note, Stage
from transcrevai_core.errors import InputError, TranscrevaiError, WorkerDied, reason, refusal
from transcrevai_core.messages import NOTHING, Code, Message, dump, load


class Fruit(Code):
    APPLE = "test_apple", "an apple of {grams:.1f} g"
    BASKET = "test_basket", "a basket with {what:part}."


def test_a_code_with_values_is_a_message_that_remembers_it() -> None:
    apple = Fruit.APPLE(grams=120.25)
    assert str(apple) == "an apple of 120.2 g"
    assert apple.code is Fruit.APPLE


def test_messages_stand_in_messages_without_their_full_stop() -> None:
    inner = Fruit.BASKET(what=Fruit.APPLE(grams=1))
    assert str(inner) == "a basket with an apple of 1.0 g."
    assert str(Fruit.BASKET(what=inner)) == "a basket with a basket with an apple of 1.0 g."


def test_numbers_are_written_in_the_language_of_the_reader() -> None:
    i18n.use(lambda: "pt_BR")
    assert i18n.say(
        Message(
            "{a:.0%} {b:,.1f} {c:.1f} {d} {e:g}",
            {"a": 0.5, "b": 1234.5, "c": 0.25, "d": 7, "e": 0.5},
        )
    ) == ("50% 1.234,5 0,2 7 0,5")


@pytest.mark.parametrize(
    "message",
    [NOTHING, Message("{not a place}"), Message("{a}", {"a": "{b}"}), Fruit.APPLE(grams=2.5),
     Fruit.BASKET(what=Fruit.APPLE(grams=1)), InputError("{x} is {y}", x=1, y="é").message],
)  # fmt: skip
def test_what_is_kept_as_json_is_found_again(message: Any) -> None:
    again = load(dump(message))
    assert again == message and str(again) == str(message)


@pytest.mark.parametrize("text", ["", "The disk is full.", "{", '{"code": "gone"}', "{}"])
def test_what_is_no_json_of_ours_can_still_be_read(text: str) -> None:
    assert isinstance(str(load(text)), str)


def test_no_two_codes_are_kept_alike() -> None:
    kept = [member.value for kind in Code.__subclasses__() for member in kind]
    assert len(set(kept)) == len(kept)


def test_an_error_comes_whole_out_of_a_worker() -> None:
    error = pickle.loads(pickle.dumps(WorkerDied("The {name} died.", "memory", name="x")))
    assert (str(error), error.cause) == ("The x died.", "memory")
    assert str(TranscrevaiError.of(error.message)) == "The x died."


def test_what_is_no_number_or_message_is_kept_as_its_text() -> None:
    message = InputError("{path}: {why}", path=Path("/a"), why=OSError(2, "gone")).message
    assert load(dump(message)) == message and str(message) == "/a: [Errno 2] gone"


def test_short_numbers_have_the_decimal_sign_of_the_reader() -> None:
    i18n.use(lambda: "pt_BR")
    assert i18n.say(Message("{a:g} {b}", {"a": 0.5, "b": 1.5})) == "0,5 1,5"


def test_a_refusal_of_the_system_stands_in_a_sentence_as_a_message() -> None:
    full = refusal(OSError(errno.ENOSPC, "No space left on device"))
    assert str(Message("It failed: {reason}.", {"reason": full})) == "It failed: the disk is full."
    assert str(refusal(OSError(errno.EIO, "Input/output error"))) == "Input/output error"
    assert str(reason(ValueError("first\nsecond"))) == "first"
    assert reason(InputError("{a}", a=1)) == Message("{a}", {"a": 1})
    assert str(reason(ValueError())) == "ValueError"


@pytest.mark.parametrize("code", [member for kind in (Stage, Note, Cause) for member in kind])
def test_each_code_can_be_said_kept_and_compared(code: Any) -> None:
    parts = [part for part in Formatter().parse(code.text) if part[1]]
    message = code(
        **{name: Stage.READING() if spec == "part" else 2 for _, name, spec, _ in parts if name}
    )
    again = load(dump(message))
    assert again == message and again.code is code and "{" not in str(message)


@pytest.mark.parametrize(
    "what", [InputError("{n:.1f} *s*", n=2.5), Message("{n:.1f} *s*", {"n": 2.5})]
)
def test_pages_say_errors_and_messages_alike(what: InputError | Message) -> None:
    i18n.use(lambda: "pt_BR")
    assert ui.say(what) == r"2,5 \*s\*"


ROOT = Path(__file__).resolve().parent.parent
ERRORS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, TranscrevaiError)
}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Yield where messages and errors are made, with what they are called with."""
    for path in structure.modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield f"{path.name}:{node.lineno}", node.func.id, node


def fills(call: ast.Call, places: set[str]) -> bool:
    given = {keyword.arg for keyword in call.keywords}
    return None in given or places == given  # None: values that were put together before


def test_every_error_has_a_literal_template_whose_places_are_filled() -> None:
    faults = []
    for where, name, call in calls():
        if name in ERRORS:
            text = str(call.args[0].value) if isinstance(call.args[0], ast.Constant) else None
            places = {place for _, place, _, _ in string.Formatter().parse(text or "") if place}
            if text is None or not fills(call, places):
                faults.append(where)
    assert not faults
