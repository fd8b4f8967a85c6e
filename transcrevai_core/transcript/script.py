"""How the world's scripts are written: what belongs to a word, and what to a letter.

Python's `\\w` leaves out the marks that are vowels, accents and joins in many scripts (Devanagari,
Thai, Arabic, Latin in decomposed form), so words are looked for with the classes of this module.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import chain

# where Unicode has combining marks: ideographs and planes that are not assigned lie between
_PLANES = (range(0x300, 0x3400), range(0xA000, 0xAC00), range(0xF900, 0x20000),
           range(0xE0100, 0xE01F0))  # fmt: skip
_JOINERS = (0x200C, 0x200D)  # of letters, in Persian and in Indian scripts


def _marks() -> str:
    """Return all combining marks, and the two joiners of letters, as ranges of a regex's class."""
    ranges: list[list[int]] = []
    for code in chain(*_PLANES):
        if unicodedata.category(chr(code))[0] != "M" and code not in _JOINERS:
            continue
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


MARKS = _marks()  # inside a regex's class: what follows a letter and belongs to it
INSIDE = rf"\w{MARKS}"  # inside a class: what words are made of
APOSTROPHES = "'’ʼ"
HYPHENS = "-\N{HYPHEN}\N{NON-BREAKING HYPHEN}"
# Where a word may begin and end: "d'água", "don't", "segunda-feira" and "3,5" are single words.
_JOINTS = f"{HYPHENS}{APOSTROPHES}"
WORD_BEGINS = rf"(?<![{INSIDE}])(?<![{INSIDE}][{_JOINTS}])(?<!\d[.,])"
WORD_ENDS = rf"(?![{INSIDE}])(?![{_JOINTS}][{INSIDE}])(?![.,]\d)"
# A letter is whole with all its marks: "Jose" is not in "José", however that is composed.
LETTER_ENDS = rf"(?=[^{MARKS}]|[\u200c\u200d]|\Z)"

# Chinese and Japanese, and scripts of Southeast Asia, have no spaces between words.
_CJK = (
    "\u3005-\u3007\u3040-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u33ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua000-\ua4cf\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_FULL_WIDTH = "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"  # Latin letters and digits among them
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e5b\u0e80-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17da\u17e0-\u17ff"
)
_UNSPACED += "\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\ua980-\ua9ff\uaa00-\uaadf"
_OPENING = "「『（【〈《〔［｛“‘"
_SMALL = (
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰ-ㇿー々〻ゝゞヽヾｧ-ｰ"  # never begin a line
)
_LEADING = "\u0e40-\u0e44\u0ec0-\u0ec4"  # vowels of Thai and Lao before their consonant
_TRAILING = (
    "\u0e2f\u0e30\u0e32\u0e33\u0e45\u0e46\u0eaf\u0eb0\u0eb2\u0eb3\u0ebd\u0ec6"  # and behind it
)
# a consonant that ends a syllable: with asat or stacked upon the next one (Burmese), mute (Thai)
_FINAL = rf"[{_UNSPACED}](?=\u1037?[\u1039\u103a]|[\u0e34-\u0e3a]?\u0e4c)[{MARKS}]*"
_STACKED = rf"(?:(?<=[\u1039\u17d2])[{_UNSPACED}][{MARKS}]*)*"
_SYLLABLE = rf"[{_LEADING}]?[{_UNSPACED}][{MARKS}]*{_STACKED}[{_TRAILING}]*(?:{_FINAL}{_STACKED})*"
# The least that a line holds, with the space before it: a word, or where words have no spaces
# between them a letter with its marks, and with what may not begin or end a line beside it.
PIECE = re.compile(
    rf"\s*(?:[{_OPENING}]*(?:[{_CJK}][{_SMALL}{MARKS}]*|[{_FULL_WIDTH}]+|(?=[{_UNSPACED}])(?:\d+|{_SYLLABLE}))"
    rf"[^\w\s{_OPENING}]*|[^\s{_CJK}{_FULL_WIDTH}{_UNSPACED}]+)"
)
UNSPACED = re.compile(f"[{_UNSPACED}]")


@lru_cache(20_000)
def columns(text: str) -> int:
    """Return the width of a text in columns of a screen.

    Chinese, Japanese and Korean letters take two (Unicode Standard Annex 11); a mark counts as
    one, so that a line has no more characters than columns either.

    >>> columns("olá"), columns("今天")
    (3, 4)
    """
    return len(text) + sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)


def composed(text: str) -> str:
    """Return `text` in Unicode's form NFC, in which letters with the same accents are the same."""
    return unicodedata.normalize("NFC", text)


def without_accents(text: str) -> str:
    """Return `text` without accents, cedillas, and the vowel points of Arabic and Hebrew.

    Marks of other scripts are letters as others are, and stay.

    >>> without_accents("ação, में")
    'acao, में'
    """
    # classes of marks below, above and through a letter, and those of points
    kept = (
        letter
        for letter in unicodedata.normalize("NFD", text)
        if (kind := unicodedata.combining(letter)) < 200 and not 10 <= kind <= 36
    )
    return composed("".join(kept))


def sought(find: str, *, whole_words: bool = False, match_case: bool = False) -> re.Pattern[str]:
    """Return the pattern that finds a text in a `composed` one, letter by whole letter.

    With `whole_words` only where no other letter, digit or mark touches it, nor an apostrophe,
    hyphen or decimal mark inside a word. Apostrophes and hyphens may be typeset ones.

    >>> sought("jose").findall("Jose, José, Josefa"), sought("um", whole_words=True).findall("rum")
    (['Jose', 'Jose'], [])
    """
    plain = "".join(
        next((f"[{same}]" for same in (APOSTROPHES, HYPHENS) if letter in same), re.escape(letter))
        for letter in composed(find)
    )
    pattern = f"{WORD_BEGINS}{plain}{WORD_ENDS}" if whole_words else f"{plain}{LETTER_ENDS}"
    return re.compile(pattern, 0 if match_case else re.IGNORECASE)
