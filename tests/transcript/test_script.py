"""Letters, words and pieces of lines in scripts of many kinds."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcrevai_core.transcript.script import MARKS, PIECE, columns

SOUTHEAST = st.one_of(
    *(st.characters(min_codepoint=first, max_codepoint=last)
      for first, last in ((0xE01, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3000, 0x30FF))),
    st.sampled_from(" a1-.\u200b「」é"),
)  # fmt: skip


def test_every_mark_of_unicode_is_known() -> None:
    is_mark = re.compile(f"[{MARKS}]").fullmatch
    missing = [
        code
        for code in range(sys.maxunicode)
        if unicodedata.category(chr(code))[0] == "M" and not is_mark(chr(code))
    ]
    assert missing == [] and not is_mark("a") and not is_mark("-")


@settings(deadline=None)
@given(st.text(SOUTHEAST, max_size=60))
def test_pieces_lose_no_character(text: str) -> None:
    assert "".join("".join(PIECE.findall(text)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("bom dia, José\u0301!", ["bom", " dia,", " José\u0301!"]),
        ("เขาเกิดปี๒๕๖๓ที่นำ", ["เขา", "เกิ", "ด", "ปี", "๒๕๖๓", "ที่", "นำ"]),
        ("สัปดาห์", ["สั", "ป", "ดาห์"]),
        ("မန္တလေးမြန်မာ", ["မန္တ", "လေး", "မြန်", "မာ"]),
        ("ភាសាខ្មែរ", ["ភា", "សា", "ខ្មែ", "រ"]),
        ("「パー」と、", ["「パー」", "と、"]),
        ("か\u3099っこう", ["か\u3099っ", "こ", "う"]),
    ],
)
def test_pieces(text: str, pieces: list[str]) -> None:
    assert PIECE.findall(text) == pieces


def test_columns() -> None:
    assert [columns(text) for text in ("olá", "今天", "한국", "ｱＡ", "วันนี้", "")] == [
        3,
        4,
        4,
        3,
        6,
        0,
    ]
