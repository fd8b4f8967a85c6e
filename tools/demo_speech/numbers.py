"""Numbers from 0 to 100, and years of this century, as they are said aloud."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_PT_UNITS = _words(
    "zero um dois três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze "
    "dezesseis dezessete dezoito dezenove"
)
_PT_TENS = _words("vinte trinta quarenta cinquenta sessenta setenta oitenta noventa")
_PT_FEMININE = {"um": "uma", "dois": "duas"}
_EN_UNITS = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_EN_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")


def say_pt(number: int, feminine: bool = False) -> str:
    """Brazilian Portuguese words of 0..100; feminine agrees with "tarefas", "horas", "pessoas"."""
    if not 0 <= number <= 100:
        raise ValueError(f"only 0 to 100 can be said, not {number}")
    if number == 100:
        return "cem"
    if number < 20:
        word = _PT_UNITS[number]
        return _PT_FEMININE.get(word, word) if feminine else word
    tens, units = divmod(number, 10)
    word = _PT_TENS[tens - 2]
    return f"{word} e {say_pt(units, feminine)}" if units else word


def say_en(number: int) -> str:
    """English words of 0..100, without a hyphen (as espeak-ng reads them either way)."""
    if not 0 <= number <= 100:
        raise ValueError(f"only 0 to 100 can be said, not {number}")
    if number == 100:
        return "one hundred"
    if number < 20:
        return _EN_UNITS[number]
    tens, units = divmod(number, 10)
    word = _EN_TENS[tens - 2]
    return f"{word} {_EN_UNITS[units]}" if units else word


def say_year_pt(year: int) -> str:
    """Words of a year from 2001 to 2099: "dois mil e vinte e seis"."""
    if not 2001 <= year <= 2099:
        raise ValueError(f"only the years 2001 to 2099 can be said, not {year}")
    return f"dois mil e {say_pt(year - 2000)}"
