"""Sentences that training never hears: for evaluation, and those of the sample conversations."""

from __future__ import annotations

import functools
import random
from collections import Counter

from tools.demo_speech.grammar import (
    LANGUAGES,
    Sentence,
    draw_sentence,
    template_of,
    variants,
    written,
)
from tools.demo_speech.samples import script_sentences

_COUNTS = {"pt": 600, "en": 500}
#: No more of a template's sentences than this: were "Thank you all, see you on {day}." held out
#: for all seven days, training would never hear it and evaluation would ask for the impossible.
_LARGEST_SHARE = 0.2


@functools.cache
def test_sentences(language: str) -> tuple[Sentence, ...]:
    """Sentences for evaluation, always the same; sentences without variants are not held out."""
    rng = random.Random(f"held out {language}")
    scripted = script_sentences(language)
    taken = Counter(template_of(language, text) for text in scripted)
    chosen: dict[str, Sentence] = {}
    while len(chosen) < _COUNTS[language]:
        sentence = draw_sentence(language, rng)
        text = written(sentence)
        template = template_of(language, text)
        room = _LARGEST_SHARE * variants(language, template) - taken[template]
        if text not in scripted and text not in chosen and room >= 1:
            chosen[text] = sentence
            taken[template] += 1
    return tuple(chosen.values())


@functools.cache
def excluded_from_training() -> frozenset[str]:
    """Written forms of the evaluation's and the samples' sentences, of both languages."""
    texts: set[str] = set()
    for language in LANGUAGES:
        texts.update(written(sentence) for sentence in test_sentences(language))
        texts.update(script_sentences(language))
    return frozenset(texts)
