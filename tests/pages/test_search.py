"""Texts with what was searched in them marked, whatever their script."""

import pytest

from transcrevai_core.components.search import fold, matches, snippet


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("A próxima reunião", "reuniao", "reunião"),
        ("a reunia\u0303o de Jose\u0301", "reunião", "reunia\u0303o"),
        ("मैं दिल्ली में", "दिल्ली", "दिल्ली"),
        ("하늘 한국", "한국", "한국"),
    ],
)
def test_what_was_searched_is_marked(text: str, query: str, marked: str) -> None:
    assert f"[{marked}]" in snippet(text, query) and matches(text, query)


def test_letters_without_accents_are_themselves() -> None:
    assert fold("Éla 한") == "ela 한" and not matches("하늘", "한국")
    assert not matches("दूल ली", "दिल्ली")
