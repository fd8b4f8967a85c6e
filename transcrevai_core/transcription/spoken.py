"""Which language is spoken in which part of a window."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from transcrevai_core.transcription import hearing
from transcrevai_core.transcription.hearing import Encoded
from transcrevai_core.transcription.loading import Loaded
from transcrevai_core.transcription.window import Read, Window

SURE = 0.9  # probability from which another language than the one before is believed
STRETCH = 3.0  # s of speech, of which a language is decided at least: a name or a laugh is less


def detect_language(
    loaded: Loaded, samples: np.ndarray, languages: Sequence[str] = ()
) -> tuple[str, float]:
    """Return the likeliest of the languages (none given: of all), and its probability.

    `samples`: float32 in -1 to 1, shape (samples,), 16 kHz, up to 30 s of speech.
    """
    if not loaded.model.model.is_multilingual:
        return "en", 1.0
    return _likeliest(loaded, hearing.encode(loaded, samples), 0.0, None, languages)


def languages_of(
    loaded: Loaded, read: Read, window: Window, options: Mapping[str, Any]
) -> Iterator[tuple[Window, str, Encoded | None]]:
    """Yield the parts of a window that are spoken in one language, with it, in order.

    The third is what the encoder made of it, where it is the whole. `options`: `languages` that
    may be spoken (none: any; one: it is), and `language`, that of the speech before. The language
    changes only where the model is sure of another one over `STRETCH` seconds of speech.
    """
    languages, language = options.get("languages", ()), options["language"]
    if len(languages) == 1 or not loaded.model.model.is_multilingual:
        yield window, language, None
        return
    encoded = hearing.encode(loaded, window.samples(read))
    found: list[tuple[int, int, str]] = []
    for first, last in _stretches(window):
        start = window.heard(window.regions[first].start)
        end = window.heard(window.regions[last - 1].end)
        likeliest, probability = _likeliest(loaded, encoded, start, end, languages)
        long_enough = window.part(first, last).speech_seconds >= STRETCH / 2
        if likeliest != language and probability >= SURE and long_enough:
            language = likeliest
        if found and found[-1][2] == language:
            first = found.pop()[0]
        found.append((first, last, language))
    for first, last, language in found:
        whole = last - first == len(window.regions)
        yield window.part(first, last), language, encoded if whole else None


def _likeliest(
    loaded: Loaded, encoded: Encoded, start: float, end: float | None, languages: Sequence[str]
) -> tuple[str, float]:
    found = hearing.language_probabilities(loaded, encoded, start, end)
    known = {code: p for code, p in found.items() if not languages or code in languages}
    best = max(known, key=lambda code: known[code])
    return best, known[best] / max(sum(known.values()), 1e-9)


def _stretches(window: Window) -> Iterator[tuple[int, int]]:
    """Yield from which region to which the language is decided at once."""
    first = 0
    for last in range(1, len(window.regions) + 1):
        rest = sum(region.duration for region in window.regions[last:])
        if last == len(window.regions) or (
            window.part(first, last).speech_seconds >= STRETCH and rest >= STRETCH / 2
        ):
            yield first, last
            first = last
