import gettext
import re

import pytest

from transcrevai_core import i18n as texts


@pytest.fixture
def portuguese(monkeypatch):
    """Read Portuguese, from a catalogue of a few texts."""
    catalogue = gettext.NullTranslations()
    catalogue._catalog = {
        "Speakers": "Falantes",
        "the budget": "o orçamento",
        "There is no file {a}; {b} would be right.": "Não existe o arquivo {a}; {b} seria o certo.",
        "{name}: {what}": "{what} ({name})",
        "{number} MB of {a} are in use": "{a} usa {number} MB",
    }
    catalogue.gettext = lambda text: catalogue._catalog.get(text, text)
    texts._patterns.cache_clear()
    monkeypatch.setattr(texts, "_catalogue", lambda code: catalogue)
    monkeypatch.setattr(texts, "_find", lambda: "pt_BR")
    yield catalogue
    texts._patterns.cache_clear()


def test_texts_are_english_unless_someone_says_otherwise(monkeypatch):
    assert texts.language() == "en" and texts._("Speakers") == "Speakers"
    monkeypatch.setattr(texts, "_find", lambda: "tlh")
    assert texts.language() == "en"


def test_what_the_core_said_is_translated_with_what_stood_in_it(portuguese):
    said = "There is no file /a b.wav; the budget would be right."
    assert texts.told(said) == "Não existe o arquivo /a b.wav; o orçamento seria o certo."
    assert texts.told("12 MB of Ana are in use") == "Ana usa 12 MB"
    # a recording may have any title
    said = "There is no file Speakers; the budget would be right."
    assert texts.told(said) == "Não existe o arquivo Speakers; o orçamento seria o certo."


def test_what_no_pattern_fits_stays_as_it_is(portuguese):
    assert texts.told("Nobody has written this.") == "Nobody has written this."
    assert texts.told("a: b") == "a: b"  # a pattern without words would fit anything


def test_numbers_are_written_as_the_language_does(portuguese):
    assert texts.decimal(1234.5, 1) == "1.234,5"
    assert re.fullmatch("2 speakers", texts.plural("{number} speaker", "{number} speakers", 2))
