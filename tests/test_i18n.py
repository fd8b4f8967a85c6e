import gettext
import re
from typing import Any

import pytest

from transcrevai_core import i18n
from transcrevai_core.messages import Message


@pytest.fixture
def portuguese(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read Portuguese, from a catalogue of a few texts."""
    known = {
        "Speakers": "Falantes",
        "the budget": "o orçamento",
        "There is no file {a}; {b} would be right.": "Não existe o arquivo {a}; {b} seria o certo.",
    }
    catalogue = gettext.NullTranslations()
    monkeypatch.setattr(catalogue, "_catalog", known, raising=False)
    monkeypatch.setattr(catalogue, "gettext", lambda text: known.get(text, text))
    monkeypatch.setattr(i18n, "_catalogue", lambda code: catalogue)
    monkeypatch.setattr(i18n, "_find", lambda: "pt_BR")
    return catalogue


def test_texts_are_english_unless_someone_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert i18n.language() == "en" and i18n._("Speakers") == "Speakers"
    monkeypatch.setattr(i18n, "_find", lambda: "tlh")
    assert i18n.language() == "en"


def test_what_stands_in_a_message_is_translated_too(portuguese: Any) -> None:
    inner = Message("the budget")
    said = Message("There is no file {a}; {b} would be right.", {"a": "Speakers", "b": inner})
    assert i18n.say(said) == "Não existe o arquivo Speakers; o orçamento seria o certo."
    assert str(said) == "There is no file Speakers; the budget would be right."


def test_what_has_no_translation_stays_as_it_is(portuguese: Any) -> None:
    assert i18n.say(Message("Nobody has written {a:.1f}.", {"a": 1.5})) == "Nobody has written 1,5."


def test_numbers_are_written_as_the_language_does(portuguese: Any) -> None:
    assert i18n.decimal(1234.5, 1) == "1.234,5"
    assert re.fullmatch("2 speakers", i18n.plural("{number} speaker", "{number} speakers", 2))
