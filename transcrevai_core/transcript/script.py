"""How the world's scripts are written: what belongs to a word, and what to a letter.

Python's `\\w` leaves out the marks that are vowels, accents and joins in many scripts (Devanagari,
Thai, Arabic, Latin in decomposed form), so words are looked for with the classes of this module.
"""

import re
import unicodedata
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
LETTER_ENDS = rf"(?![{MARKS}])"


def composed(text: str) -> str:
    """Return `text` in Unicode's form NFC, in which letters with the same accents are the same."""
    return unicodedata.normalize("NFC", text)


def sought(find: str, *, whole_words: bool = False, match_case: bool = False) -> re.Pattern[str]:
    """Return the pattern that finds a text in a `composed` one, letter by whole letter.

    With `whole_words` only where no other letter, digit or mark touches it, nor an apostrophe,
    hyphen or decimal mark inside a word. Apostrophes and hyphens may be typeset ones.

    >>> sought("jose").findall("Jose, José, Josefa"), sought("um", whole_words=True).findall("rum")
    (['Jose', 'Jose'], [])
    """
    plain = re.escape(composed(find))
    plain = re.sub(rf"\\?[{APOSTROPHES}]", f"[{APOSTROPHES}]", plain)
    plain = re.sub(rf"\\?[{HYPHENS}]", f"[{HYPHENS}]", plain)
    pattern = f"{WORD_BEGINS}{plain}{WORD_ENDS}" if whole_words else f"{plain}{LETTER_ENDS}"
    return re.compile(pattern, 0 if match_case else re.IGNORECASE)
