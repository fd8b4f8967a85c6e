"""Whether a text says the same again and again, as Whisper does where it is lost."""

import unicodedata
from collections.abc import Iterable


def repeats(words: Iterable[str]) -> bool:
    """Tell whether up to 8 words follow themselves at once, 4 times and over 8 words or more.

    >>> repeats("a ata da reunião a ata da reunião a ata da reunião a ata da reunião".split())
    True
    >>> repeats("não não não isso não".split())
    False
    """
    plain = [word for word in map(_plain, words) if word]
    for size in range(1, 9):
        times = max(4, -(-8 // size))
        run = 0  # how many words in a row equal the word `size` before them
        for before, word in zip(plain, plain[size:], strict=False):
            run = run + 1 if word == before else 0
            if run >= size * (times - 1):
                return True
    return False


def _plain(word: str) -> str:
    """Return a word's letters, marks and digits in lower case."""
    return "".join(c for c in word if unicodedata.category(c)[0] in "LMN").lower()
