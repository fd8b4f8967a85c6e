import gettext
import re
from collections.abc import Iterator
from typing import Any

import pytest

from transcrevai_core import i18n


@pytest.fixture
def portuguese(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Read Portuguese, from a catalogue of a few texts."""
    known = {
        "Speakers": "Falantes",
        "the budget": "o orçamento",
        "There is no file {a}; {b} would be right.": "Não existe o arquivo {a}; {b} seria o certo.",
        "{name}: {what}": "{what} ({name})",
        "{number} MB of {a} are in use": "{a} usa {number} MB",
    }
    catalogue = gettext.NullTranslations()
    monkeypatch.setattr(catalogue, "_catalog", known, raising=False)
    monkeypatch.setattr(catalogue, "gettext", lambda text: known.get(text, text))
    i18n._patterns.cache_clear()
    monkeypatch.setattr(i18n, "_catalogue", lambda code: catalogue)
    monkeypatch.setattr(i18n, "_find", lambda: "pt_BR")
    yield catalogue
    i18n._patterns.cache_clear()


def test_texts_are_english_unless_someone_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert i18n.language() == "en" and i18n._("Speakers") == "Speakers"
    monkeypatch.setattr(i18n, "_find", lambda: "tlh")
    assert i18n.language() == "en"


def test_what_the_core_said_is_translated_with_what_stood_in_it(portuguese: Any) -> None:
    said = "There is no file /a b.wav; the budget would be right."
    assert i18n.told(said) == "Não existe o arquivo /a b.wav; o orçamento seria o certo."
    assert i18n.told("12 MB of Ana are in use") == "Ana usa 12 MB"
    # a recording may have any title
    said = "There is no file Speakers; the budget would be right."
    assert i18n.told(said) == "Não existe o arquivo Speakers; o orçamento seria o certo."


def test_what_no_pattern_fits_stays_as_it_is(portuguese: Any) -> None:
    assert i18n.told("Nobody has written this.") == "Nobody has written this."
    assert i18n.told("a: b") == "a: b"  # a pattern without words would fit anything


def test_numbers_are_written_as_the_language_does(portuguese: Any) -> None:
    assert i18n.decimal(1234.5, 1) == "1.234,5"
    assert re.fullmatch("2 speakers", i18n.plural("{number} speaker", "{number} speakers", 2))
