"""Numbers in words made numbers in digits, in Portuguese and in English, so that both count as one.

Whole numbers with their feminine and plural forms, ordinals, decimals, halves, percent and money.
Times of day, fractions, Roman numerals and numbers said digit by digit stay as they are written.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from transcrevai_core.evaluation.number_words import LANGUAGES, NumberWords
from transcrevai_core.transcript.script import without_accents

_DIGITS = re.compile(r"\d+(?:,\d+)?")
_ORDINAL = re.compile(r"(\d+)(?:(o|a)s?|st|nd|rd|th)")


_AMOUNT = r"\d(?:[\d.,]*\d)?(?:\s+(?:{scales})\b)?"


def signs_in_words(text: str, language: str) -> str:
    """Put the signs of money behind their numbers, as words, and take dots out of ordinals.

    >>> signs_in_words("r$ 1,5 milhão, 5 € e o 1.o", "pt")
    '1,5 milhão reais, 5 euros e o 1o'
    """
    money = LANGUAGES[language].money
    signs = "|".join(re.escape(sign) for sign in money if not sign.isalpha())
    scales = (
        "mil|milh(?:ão|ões)|bilh(?:ão|ões)|trilh(?:ão|ões)|(?:thous|mill|bill|trill)(?:and|ion)"
    )
    amount = _AMOUNT.format(scales=scales)
    text = re.sub(rf"(?<!\w)({signs})\s*({amount})", lambda m: f"{m[2]} {money[m[1]]}", text)
    text = re.sub(rf"({amount})\s*({signs})", lambda m: f"{m[1]} {money[m[2]]}", text)
    return re.sub(r"(?<=\d)\.(?=[oa]s?\b)", "", text)


def in_digits(words: Sequence[str], language: str) -> list[tuple[str, int]]:
    """Return words with their numbers in digits, each with the place of its first word.

    `words` are normalised: lower case, no punctuation, 1500 and 3,5 and 15%. Ordinals become 3o
    and 3a (Portuguese) or 3th (English), money its amount and its plural.

    >>> " ".join(word for word, _ in in_digits("mil novecentos e noventa e nove".split(), "pt"))
    '1999'
    >>> " ".join(word for word, _ in in_digits("a vinte e três por cento e dois".split(), "pt"))
    'a 23% e 2'
    """
    known = LANGUAGES[language]
    split: list[tuple[str, str, int]] = []  # a word, the same without accents, its place
    for place, word in enumerate(words):
        plain = without_accents(word)
        parts = plain.split("-")
        if len(parts) > 1 and all(map(known.knows, parts)):  # twenty-three
            split += [(part, part, place) for part in parts]
        else:
            split.append((word, plain, place))
    reader = _Reader(known, [plain for _, plain, _ in split])
    out: list[tuple[str, int]] = []
    at = 0
    while at < len(split):
        found, after = reader.read(at)
        out.append((found or split[at][0], split[at][2]))
        at = after
    return out


class _Reader:
    """Reads numbers off a list of words; each method returns what it read and where it ended."""

    def __init__(self, known: NumberWords, words: list[str]):
        self.known, self.words = known, words

    def word(self, at: int) -> str:
        return self.words[at] if at < len(self.words) else ""

    def follows(self, at: int, phrases: Sequence[Sequence[str]]) -> int:
        """Return the place after that of `phrases` which stands here, else 0."""
        ends = (at + len(p) for p in phrases if self.words[at : at + len(p)] == list(p))
        return next(ends, 0)

    def read(self, at: int) -> tuple[str, int]:
        """Read whatever number begins here; "" where none does."""
        if found := self.ordinal(at):
            return found
        value, after = self.number(at)
        if value is None:
            return "", at + 1
        if end := self.follows(after, self.known.percent):
            return f"{_written(value)}%", end
        return self.money(value, after)

    def money(self, value: Decimal, at: int) -> tuple[str, int]:
        """Read what a number is an amount of, and the cents."""
        end = at + (self.word(at) == "de" and self.word(at + 1) in self.known.money)
        if unit := self.known.money.get(self.word(end)):
            end += 1
            joined = end + (self.word(end) == self.known.joined_by)
            cents, after = self.number(joined)
            if cents is not None and cents < 100 and self.word(after) in self.known.cents:
                value, end = value + cents / 100, after + 1
        elif unit := self.known.cents.get(self.word(at)):
            value, end = value / 100, at + 1
        else:
            return _written(value), at
        whole = value == value.to_integral_value()
        return f"{_written(value) if whole else f'{value:.2f}'.replace('.', ',')} {unit}", end

    def ordinal(self, at: int) -> tuple[str, int] | None:
        if written := _ORDINAL.fullmatch(self.word(at)):
            return written[1] + (written[2] or "th"), at + 1
        value, room, after = 0, 10**4, at
        if not self.known.always_joined and self.known.small.get(self.word(at), 0) >= 20:
            value, room, after = self.known.small[self.word(at)], 10, at + 1  # twenty third
        first = after
        while 0 < (part := self.known.ordinals.get(self.word(after), 0)) < room:
            value, room, after = value + part, max(_room(part), 10 * (part == 10)), after + 1
        if after == first:
            return None
        feminine = self.word(after - 1).rstrip("s").endswith("a")
        return f"{value}{('a' if feminine else 'o') if self.known.always_joined else 'th'}", after

    def number(self, at: int) -> tuple[Decimal | None, int]:
        """Read a cardinal number, in words or digits, with what follows its decimal mark."""
        value, after, scale = self.cardinal(at)
        if value is None:
            return None, at
        if end := self.follows(after, self.known.halves):
            return value + Decimal(scale) / 2, end
        if self.word(after) in self.known.points:
            digits, end = self.decimals(after + 1)
            if digits and value == int(value):
                value = Decimal(f"{int(value)}.{digits}")
                scale = self.known.scales.get(self.word(end), 0)  # três vírgula cinco milhões
                return (value * scale, end + 1) if scale else (value, end)
        return value, after

    def decimals(self, at: int) -> tuple[str, int]:
        digits = ""
        while (part := self.known.small.get(self.word(at))) is not None:
            if part >= 10:
                number, at, _ = self.cardinal(at, scaled=False)
                return f"{digits}{number}", at
            digits, at = f"{digits}{part}", at + 1
        if not digits and self.word(at).isdecimal():
            return self.word(at), at + 1
        return digits, at

    def cardinal(self, at: int, scaled: bool = True) -> tuple[Decimal | None, int, int]:
        """Read a number without decimal words; and the last scale that it has, or 1."""
        known, start = self.known, at
        total, room = Decimal(0), 1000
        group: Decimal | None = None
        least = last = 10**15  # the least scale so far, which the next one must be below
        if self.word(at) in known.ones and self.word(at + 1) in known.scales:
            group, at = Decimal(1), at + 1
        while True:
            word = self.word(at)
            joined = at > start and word == known.joined_by
            part = self.word(at + joined)
            bare = joined or group is None or not known.always_joined
            if bare and (value := known.small.get(part, room)) < room:
                if value == 0 and at > start:
                    break
                group, room, at = (group or Decimal(0)) + value, _room(value), at + joined + 1
                last = 1
            elif (
                group is None and _DIGITS.fullmatch(part) and self.fits(at + joined, least, joined)
            ):
                group, room, at = Decimal(part.replace(",", ".")), 0, at + joined + 1
                last = 1
            elif (
                scaled
                and not joined
                and (scale := known.scales.get(word, 0))
                and self.scales(scale, group, least)
            ):
                if scale == 100:  # which multiplies its group alone
                    group, room, at, last = (group or Decimal(1)) * 100, 100, at + 1, 100
                    continue
                total, group, room, at = total + (group or Decimal(1)) * scale, None, 1000, at + 1
                least = last = scale
            else:
                break
        if at == start:
            return None, start, 1
        whole = total + (group or Decimal(0))
        if not known.always_joined and not total and 10 <= whole <= 20:
            year, after, _ = self.cardinal(at)  # nineteen ninety nine
            if year is not None and 10 <= year < 100:
                return whole * 100 + year, after, 1
        return whole, at, last

    def fits(self, at: int, least: int, joined: bool) -> bool:
        """Tell whether digits may go on with a number: 2 mil e 500, 2 million 500 thousand."""
        if least == 10**15:
            return True
        scaled = self.known.scales.get(self.word(at + 1), 0)
        number = Decimal(self.word(at).replace(",", "."))
        return (joined and number < least) if not scaled else number * scaled < least

    def scales(self, scale: int, group: Decimal | None, least: int) -> bool:
        """Tell whether a scale may stand here: mil, dois mil, um milhão e mil."""
        if scale == 100:
            return group is not None and 0 < group < 100 and group == int(group)
        return scale < least and (bool(group) or (group is None and scale == 1000))


def _room(value: int) -> int:
    """Return what the next part of a number must be below."""
    if value >= 100:
        return 100
    return 10 if value >= 20 else 0


def _written(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text and value == value.to_integral_value():
        text = text.split(".")[0]
    return text.replace(".", ",")
