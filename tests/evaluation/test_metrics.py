"""Word error rates that can be counted on one's fingers."""

import unicodedata

import pytest

from transcrevai_core.evaluation.metrics import wer
from transcrevai_core.evaluation.normalisation import normalise


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Olá, MUNDO!", "olá mundo"),
        ("don’t stop", "don't stop"),
        ("d‘água, ‘citado’", "d'água citado"),
        ("segunda\u2010feira, guarda\u2011chuva", "segunda-feira guarda-chuva"),
        ("segunda-feira - às 3,5 h.", "segunda-feira às 3,5 h"),
        ("São 62%...", "são 62%"),
        ("62 % de 3.5 ou 3,5", "62% de 3,5 ou 3,5"),
        ("1.500, 2,000,000 e 12.345,67", "1500 2000000 e 12345,67"),
        ("3.14159 em 12.05.2026", "3,14159 em 12,05,2026"),
        ("don't pra", "don't pra"),  # contractions stay
        ("'citado' e snake_case", "citado e snake case"),
        ("cafe\u0301", "café"),  # an accent written as its own character
        ("  \n", ""),
        ("मैं दिल्ली में, रहता हूँ।", "मैं दिल्ली में रहता हूँ"),  # vowel signs are marks
        ("ผู้ใหญ่ที่นี่", unicodedata.normalize("NFKC", "ผู้ใหญ่ที่นี่")),
        ("كَتَبَ، شَيْئًا", "كَتَبَ شَيْئًا"),
        ("ṛ̃́ x̱á", "ṛ̃́ x̱á"),  # accents that no letter is composed with
        ("می\u200cخواهم", "میخواهم"),
        ("extra\u00adordinário \u200epois", "extraordinário pois"),
        ("İstanbul", "istanbul"),
        ("oi ❤\ufe0f 👩🏽‍💻 \u0301tudo", "oi tudo"),  # marks of what is no word
    ],
)
def test_normalise(text: str, normal: str) -> None:
    assert normalise(text) == normal


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        ("um dois três quatro", "um dois três quatro", 0.0),
        ("um dois três quatro", "Um, dois; três: QUATRO.", 0.0),
        ("um dois três quatro", "um dois seis quatro", 1 / 4),  # substituted
        ("um dois três quatro", "um dois quatro", 1 / 4),  # deleted
        ("um dois três quatro", "um dois e três quatro", 1 / 4),  # inserted
        ("um dois três quatro", "um e dois seis", 3 / 4),  # one of each
        ("um", "dois três", 2.0),  # more errors than words
        ("मैं दिल्ली में रहता हूँ", "मैं दिल्ली मे रहता हूं", 2 / 5),
        ("שָׁלוֹם", "שלום", 1.0),
        ("avó", "avô", 1.0),  # accents tell words apart
        ("um dois", "", 1.0),
        ("", "", 0.0),
        ("?!", "um", 1.0),  # nothing but punctuation is an empty reference
    ],
)
def test_wer(reference: str, hypothesis: str, rate: float) -> None:
    assert wer(reference, hypothesis) == pytest.approx(rate)
