"""Word error rate between a reference and a hypothesis, with its normalisation stated."""

import re
import unicodedata

# Word-internal apostrophes, hyphens, decimal marks and the percent sign carry meaning
# ("don't", "segunda-feira", "3,5", "62%"); every other mark is punctuation.
_PUNCTUATION = re.compile(r"[^\w%'\-.,]|_|(?<!\d)[.,]|[.,](?!\d)|(?<!\w)['\-]|['\-](?!\w)")


def normalise(text: str) -> str:
    """Lower-case `text` in NFKC form without punctuation, accents kept, spaces single.

    The same rules serve Portuguese and English; numbers stay as they are written.

    >>> normalise("Bom dia, pessoal: são 3,5% na segunda-feira!")
    'bom dia pessoal são 3,5% na segunda-feira'
    """
    text = unicodedata.normalize("NFKC", text).replace("’", "'").lower()
    return " ".join(_PUNCTUATION.sub(" ", text).split())


def wer(reference: str, hypothesis: str) -> float:
    """Word error rate, as a fraction of the reference's words, after `normalise`.

    An empty reference gives 0.0 for an empty hypothesis and 1.0 otherwise.

    >>> wer("Bom dia, pessoal.", "bom dia Pascoal")
    0.3333333333333333
    """
    reference, hypothesis = normalise(reference), normalise(hypothesis)
    if not reference:
        return float(bool(hypothesis))
    import jiwer  # here, because only scoring needs it

    return float(jiwer.wer(reference, hypothesis))
