"""How two texts are made comparable before their words are: rules that always hold, and choices."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from transcrevai_core.errors import SettingError
from transcrevai_core.evaluation.number_words import LANGUAGES
from transcrevai_core.evaluation.numbers import in_digits, signs_in_words
from transcrevai_core.i18n import mark
from transcrevai_core.messages import Message
from transcrevai_core.transcript.script import INSIDE, MARKS, without_accents

# Word-internal apostrophes, hyphens, decimal marks and the percent sign carry meaning
# ("don't", "segunda-feira", "3,5", "62%"); every other mark is punctuation.
_PUNCTUATION = re.compile(
    rf"[^{INSIDE}%'\-.,]|_|(?<![{INSIDE}])[{MARKS}]+|(?<!\d)[.,]|[.,](?!\d)|(?<![{INSIDE}])['\-]|['\-](?![{INSIDE}])"
)
# What nobody sees or hears: soft hyphens, joiners, marks of direction, choices of a glyph. A
# zero-width space parts words, and so stays.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u200c-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
    "\U000e0100-\U000e01ef]"
)

# apostrophes and hyphens as typesetters write them
_SAME = str.maketrans("‘’\N{HYPHEN}\N{NON-BREAKING HYPHEN}", "''--")

# the digits between which a mark only groups thousands: 1.500, 1,234,567, but not 3.14159
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:(?:\.\d{3})+|(?:,\d{3})+)(?!\d)")

# what `normalise` does, in words
NORMALISATION = mark(
    "Both texts are compared in lower case and without punctuation; accents stay, and so do "
    "hyphens and apostrophes inside words. In numbers 1.500 and 1,500 count as 1500, 3.5 as 3,5 "
    "and 15 % as 15%. Numbers in words stay words, and contractions stay as they are written "
    "(don't is not do not, pra is not para). The rules are the same in Portuguese and English."
)
_NAMES = {"pt": mark("Portuguese"), "en": mark("English")}
NUMBERS = mark(
    "Here, though, numbers in words count as the same in digits, in {language}: “vinte e três” is "
    "23, “mil novecentos e noventa e nove” 1999, “três vírgula cinco” 3,5, “dez por cento” 10%, "
    "“cinco reais” R$ 5, “terceiro” 3º, “twenty-three” 23. A number is one word, and um, uma, one "
    "and 1 are the same wherever they stand. Times of day, fractions and numbers said digit by "
    "digit stay as they are written."
)
ACCENTS = mark("Here, though, accents and cedillas do not count: “avó” is “avo”, “ação” “acao”.")
HYPHENS = mark("Here, though, hyphens count as spaces: “segunda-feira” is “segunda feira”.")


@dataclass(frozen=True, slots=True)
class Policy:
    """What else counts as equal, beyond `NORMALISATION`.

    `numbers` is the language ("pt", "en") whose number words count as digits, or "" for none;
    without `accents`, and without `hyphens`, these do not tell words apart. Raises SettingError
    for another language.
    """

    numbers: str = ""
    accents: bool = True
    hyphens: bool = True

    def __post_init__(self) -> None:
        if self.numbers and self.numbers not in LANGUAGES:
            raise SettingError(
                "Numbers in words are known in {known}, not in {language!r}; one of them, or "
                "none, would be right.",
                known=", ".join(LANGUAGES),
                language=self.numbers,
            )

    def sentences(self) -> list[Message]:
        """Say in words how texts are compared."""
        said = [Message(NORMALISATION)]
        if self.numbers:
            said.append(Message(NUMBERS, {"language": Message(_NAMES[self.numbers])}))
        said += [Message(ACCENTS)] * (not self.accents) + [Message(HYPHENS)] * (not self.hyphens)
        return said

    def __str__(self) -> str:
        return " ".join(map(str, self.sentences()))


PLAIN = Policy()


def normalise(text: str, policy: Policy = PLAIN) -> str:
    """Return `text` as it is compared: see `NORMALISATION` and `policy`. NFKC, spaces single.

    >>> normalise("Bom dia, pessoal: são 3,5% na segunda-feira!")
    'bom dia pessoal são 3,5% na segunda-feira'
    >>> normalise("1.500 reais, or 2,000.50 dollars; 15 %")
    '1500 reais or 2000,50 dollars 15%'
    """
    words = _words(text, policy)
    if policy.numbers:
        words = [word for word, _ in in_digits(words, policy.numbers)]
    return _joined(words, policy)


def word_counts(texts: Iterable[str], policy: Policy = PLAIN) -> list[int]:
    """Return how many words each text has, as parts of one that is normalised whole.

    A number that goes on in the next text is a word of the one in which it begins.

    >>> word_counts(["são vinte", "e três dias"], Policy(numbers="pt"))
    [2, 1]
    """
    parts = [_words(text, policy) for text in texts]
    owners = [number for number, words in enumerate(parts) for _ in words]
    whole = [word for words in parts for word in words]
    numbered = in_digits(whole, policy.numbers) if policy.numbers else [*zip(whole, count())]
    counts = [0] * len(parts)
    for word, place in numbered:
        counts[owners[place]] += len(_joined([word], policy).split())
    return counts


def _words(text: str, policy: Policy) -> list[str]:
    text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).translate(_SAME).lower()
    text = text.replace("i\N{COMBINING DOT ABOVE}", "i")  # what İ is in lower case
    if policy.numbers:
        text = signs_in_words(text, policy.numbers)
    text = _THOUSANDS.sub(lambda number: re.sub("[.,]", "", number[0]), text)
    text = re.sub(r"(?<=\d)\.(?=\d)", ",", text)
    text = re.sub(r"(?<=\d)\s+%", "%", text)
    text = _PUNCTUATION.sub(" ", text)
    return (text if policy.hyphens else text.replace("-", " ")).split()


def _joined(words: Iterable[str], policy: Policy) -> str:
    text = " ".join(words)
    return text if policy.accents else without_accents(text)
