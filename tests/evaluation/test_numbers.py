"""Numbers in words and in digits that say the same, and words that are no numbers."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcrevai_core.errors import SettingError
from transcrevai_core.evaluation.metrics import wer
from transcrevai_core.evaluation.normalisation import Policy, normalise, word_counts
from transcrevai_core.evaluation.number_words import LANGUAGES
from transcrevai_core.evaluation.numbers import in_digits

PORTUGUESE, ENGLISH = Policy(numbers="pt"), Policy(numbers="en")


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("vinte e três", "23"),
        ("três vírgula cinco milhões de reais", "3500000 reais"),
        ("R$ 3,5 milhões", "3500000 reais"),
        ("dois vírgula vinte e cinco mil", "2250"),
        ("mil novecentos e noventa e nove", "1999"),
        ("dois mil e vinte e seis", "2026"),
        ("duas mil e duzentas", "2200"),
        ("um milhão e duzentos mil", "1200000"),
        ("um milhão duzentos e trinta e quatro mil quinhentos e sessenta e sete", "1234567"),
        ("três vírgula cinco", "3,5"),
        ("três vírgula zero cinco", "3,05"),
        ("três vírgula catorze", "3,14"),
        ("dez por cento", "10%"),
        ("23 por cento", "23%"),
        ("cinco reais", "5 reais"),
        ("r$ 5", "5 reais"),
        ("um real", "1 reais"),
        ("r$ 5,50", "5,50 reais"),
        ("cinco reais e cinquenta centavos", "5,50 reais"),
        ("r$ 1,5 milhão", "1500000 reais"),
        ("um milhão e meio de reais", "1500000 reais"),
        ("dois e meio", "2,5"),
        ("30 mil", "30000"),
        ("3,5 mil", "3500"),
        ("2 mil e 500", "2500"),
        ("vigésimo terceiro", "23o"),
        ("vigésima terceira", "23a"),
        ("23o", "23o"),
        ("1.o", "1o"),
        ("primeiro", "1o"),
        ("um dois três", "1 2 3"),
        ("um e dois", "1 e 2"),
        ("vinte e vinte", "20 e 20"),
        ("cem", "100"),
        ("cento e um", "101"),
        ("dois mil", "2000"),
        ("mil e uma noites", "1001 noites"),
        ("segunda-feira", "segunda-feira"),
        ("vinte e três e quinze", "23 e 15"),
        ("cinquenta centavos", "0,50 reais"),
        ("casa e três", "casa e 3"),
        ("e três", "e 3"),
        ("mil", "1000"),
        ("por cento", "por 100"),
        ("zero", "0"),
        ("dezesseis mil e quatro", "16004"),
        ("us$ 20", "20 dólares"),
        ("20 €", "20 euros"),
        ("cinco dólares", "5 dólares"),
        ("um bilhão", "1000000000"),
        ("milhões de pessoas", "milhões de pessoas"),
        ("2026", "2026"),
        ("entre dez e vinte", "entre 10 e 20"),
        ("tres", "3"),
        ("zero vírgula vinte e cinco por cento", "0,25%"),
        ("r$ 5,00", "5 reais"),
        ("trezentas e duas", "302"),
        ("mil reais", "1000 reais"),
        ("quinhentos milhões de dólares", "500000000 dólares"),
        ("uma", "1"),
        ("dois terços", "2 terços"),
        ("centésimo", "100o"),
        ("décimo primeiro", "11o"),
        ("sete e meia", "7,5"),
        ("cem mil", "100000"),
        ("novecentos e noventa e nove mil novecentos e noventa e nove", "999999"),
        ("3ª", "3a"),
        ("3.º", "3o"),
        ("R$ 1.500,00", "1500 reais"),
        ("R$5", "5 reais"),
        ("US$ 20", "20 dólares"),
        ("Vinte e três.", "23"),
        ("15 %", "15%"),
        ("1.500", "1500"),
        ("vinte e três", "23"),
    ],
)
def test_numbers_in_portuguese(text: str, normal: str) -> None:
    assert normalise(text, PORTUGUESE) == normal
    assert normalise(normal, PORTUGUESE) == normal


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("twenty three", "23"),
        ("twenty-three", "23"),
        ("nineteen ninety nine", "1999"),
        ("nineteen ninety-nine", "1999"),
        ("one hundred and twenty three", "123"),
        ("a hundred", "100"),
        ("two thousand and twenty six", "2026"),
        ("twenty twenty six", "2026"),
        ("one million two hundred thousand", "1200000"),
        ("three point one four", "3,14"),
        ("ten percent", "10%"),
        ("ten per cent", "10%"),
        ("$5", "5 dollars"),
        ("five dollars", "5 dollars"),
        ("five dollars and fifty cents", "5,50 dollars"),
        ("$5,50", "5,50 dollars"),
        ("twenty-third", "23th"),
        ("23rd", "23th"),
        ("first", "1th"),
        ("one two three", "1 2 3"),
        ("two and a half", "2,5"),
        ("1,5 million", "1500000"),
        ("nineteen hundred", "1900"),
        ("a million and a half", "1500000"),
        ("two thousand five hundred", "2500"),
        ("a house", "a house"),
        ("five hundred thousand", "500000"),
        ("twelve hundred", "1200"),
        ("three hundred million", "300000000"),
        ("twenty first century", "21th century"),
        ("one hundred percent", "100%"),
        ("$5.50", "5,50 dollars"),
        ("the 3rd", "the 3th"),
    ],
)
def test_numbers_in_english(text: str, normal: str) -> None:
    assert normalise(text, ENGLISH) == normal
    assert normalise(normal, ENGLISH) == normal


UNITS, TEENS, TENS, HUNDREDS = (
    line.split()
    for line in (
        "zero um dois três quatro cinco seis sete oito nove",
        "dez onze doze treze catorze quinze dezesseis dezessete dezoito dezenove",
        "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
        "cento duzentos trezentos quatrocentos quinhentos seiscentos setecentos oitocentos "
        "novecentos",
    )
)


def said(number: int) -> str:
    if number >= 1000:
        thousands, rest = divmod(number, 1000)
        head = "mil" if thousands == 1 else f"{said(thousands)} mil"
        joined = " e " if rest < 100 or not rest % 100 else " "
        return head + (joined + said(rest) if rest else "")
    if number == 100:
        return "cem"
    if number > 100:
        hundreds, rest = divmod(number, 100)
        return HUNDREDS[hundreds - 1] + (f" e {said(rest)}" if rest else "")
    if number >= 20:
        tens, unit = divmod(number, 10)
        return TENS[tens - 2] + (f" e {UNITS[unit]}" if unit else "")
    return TEENS[number - 10] if number >= 10 else UNITS[number]


def test_every_number_up_to_a_million_is_read() -> None:
    for number in (*range(1200), *range(1200, 1_000_000, 997), 999_999):
        assert normalise(said(number), PORTUGUESE) == str(number)


def vocabulary(language: str) -> list[str]:
    known = LANGUAGES[language]
    phrases = {word for phrase in (*known.percent, *known.halves) for word in phrase}
    money = {word for word in known.money if word.isalpha()}  # a sign belongs to its number
    words = {*known.small, *known.scales, *known.ordinals, *known.points, *money, *phrases}
    return sorted(
        {*words, *known.cents, "casa", "de", "15%", "3,5", "20", "1500", "7o", "vinte-um"}
    )


@pytest.mark.parametrize("language", LANGUAGES)
@settings(deadline=None)
@given(data=st.data())
def test_no_word_is_lost_whatever_their_order(language: str, data: st.DataObject) -> None:
    words = data.draw(st.lists(st.sampled_from(vocabulary(language)), max_size=12))
    found = in_digits(words, language)
    places = [place for _, place in found]
    assert places == sorted(places) and places[:1] == [0] * bool(words)
    plain = [word for word in words if word == "casa"]
    assert [word for word, _ in found if word == "casa"] == plain
    assert sum(word_counts(words, Policy(language))) == len(
        normalise(" ".join(words), Policy(language)).split()
    )


def test_the_default_leaves_words_words() -> None:
    assert wer("são vinte e três", "são 23") == 0.75
    assert wer("são vinte e três", "são 23", PORTUGUESE) == 0.0
    assert wer("custa cinco reais", "custa R$ 5,00", PORTUGUESE) == 0.0
    assert wer("avó e ação", "avo e acao", Policy(accents=False)) == 0.0
    assert wer("में", "मे", Policy(accents=False)) == 1.0  # a vowel is no accent
    assert wer("segunda-feira", "segunda feira", Policy(hyphens=False)) == 0.0
    every = Policy("pt", accents=False, hyphens=False)
    assert wer("A vigésima terceira segunda-feira", "a 23ª segunda feira", every) == 0.0


def test_what_counts_as_equal_is_said() -> None:
    told = str(Policy("en", accents=False, hyphens=False))
    assert all(word in told for word in ("in digits, in English", "accents and", "hyphens count"))
    with pytest.raises(SettingError, match=re.escape("are known in pt, en, not in 'de';")):
        Policy("de")
    assert set(LANGUAGES) == {"pt", "en"}
