"""Sentences of the demo grammar: drawn at random, recognised, or as strings of random words.

A sentence is a tuple of units; a unit is one written word and what is said for it ("25%" is said
"vinte e cinco por cento"). Punctuation stays with the word it follows, in both forms, because
espeak-ng makes its pauses from it.
"""

from __future__ import annotations

import functools
import math
import random
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tools.demo_speech.lexicon import SLOTS, TEMPLATES, NumberSlot
from tools.demo_speech.numbers import say_en, say_pt, say_year_pt

LANGUAGES = ("pt", "en")
PUNCTUATION = ".,?!"

_SLOT = re.compile(r"\{(\w+)\}")
_SPOKEN: dict[tuple[str, str], Callable[[int], tuple[str, str]]] = {
    ("pt", "masculine"): lambda n: (f"{n}", say_pt(n)),
    ("pt", "feminine"): lambda n: (f"{n}", say_pt(n, feminine=True)),
    ("pt", "percent"): lambda n: (f"{n}%", f"{say_pt(n)} por cento"),
    ("pt", "year"): lambda n: (f"{n}", say_year_pt(n)),
    ("en", "cardinal"): lambda n: (f"{n}", say_en(n)),
    ("en", "percent"): lambda n: (f"{n}%", f"{say_en(n)} percent"),
}


class Unit(NamedTuple):
    """One word as it is written and as it is said."""

    written: str
    spoken: str


Sentence = tuple[Unit, ...]


def written(sentence: Iterable[Unit]) -> str:
    """The text that the model is to write."""
    return " ".join(unit.written for unit in sentence)


def spoken(sentence: Iterable[Unit]) -> str:
    """The text that the synthesizer is to read."""
    return " ".join(unit.spoken for unit in sentence)


@functools.cache
def fillings(language: str, slot: str) -> dict[str, Sentence]:
    """Everything that may stand in a slot, by its written form."""
    values = SLOTS[language][slot]
    if isinstance(values, NumberSlot):
        say = _SPOKEN[language, values.kind]
        units = [(Unit(*say(number)),) for number in range(values.low, values.high + 1)]
        return {unit[0].written: unit for unit in units}
    return {
        phrase: tuple(Unit(word, word) for word in phrase.split()) for phrase in values.split(",")
    }


def _draw(language: str, slot: str, rng: random.Random) -> str:
    values = SLOTS[language][slot]
    choices = list(fillings(language, slot))
    if isinstance(values, NumberSlot) and values.kind != "year":
        # People say round and small numbers more often than others.
        draw = rng.random()
        if draw < 0.3:
            choices = [c for c in choices if int(c.rstrip("%")) % 5 == 0] or choices
        elif draw < 0.5:
            choices = [c for c in choices if int(c.rstrip("%")) <= 12] or choices
    return rng.choice(choices)


def _with_capital(units: list[Unit]) -> Sentence:
    first = units[0]
    units[0] = Unit(
        first.written[0].upper() + first.written[1:], first.spoken[0].upper() + first.spoken[1:]
    )
    return tuple(units)


def _fill(language: str, template: str, chosen: list[str]) -> Sentence:
    """The units of a template whose slots, in order, are filled with the chosen written forms."""
    rest = iter(chosen)
    units: list[Unit] = []
    for word in template.split():
        slot = _SLOT.match(word)
        if slot is None:
            units.append(Unit(word, word))
            continue
        units.extend(fillings(language, slot[1])[next(rest)])
        suffix = word[slot.end() :]
        units[-1] = Unit(units[-1].written + suffix, units[-1].spoken + suffix)
    return _with_capital(units)


def draw_sentence(language: str, rng: random.Random) -> Sentence:
    """A random sentence: templates equally likely, save those without slots (less often)."""
    template = rng.choice(TEMPLATES[language])
    if "{" not in template and rng.random() < 0.6:
        template = rng.choice(TEMPLATES[language])
    return _fill(
        language, template, [_draw(language, slot, rng) for slot in _SLOT.findall(template)]
    )


@functools.cache
def _patterns(language: str) -> list[tuple[str, re.Pattern[str]]]:
    patterns = []
    for template in TEMPLATES[language]:
        parts = _SLOT.split(template)  # text, slot, text, slot, ..., text
        for index, part in enumerate(parts):
            if index % 2:
                forms = sorted(fillings(language, part), key=len, reverse=True)
                parts[index] = f"({'|'.join(map(re.escape, forms))})"
            else:
                parts[index] = re.escape(part)
        patterns.append((template, re.compile("".join(parts))))
    return patterns


def template_of(language: str, text: str) -> str:
    """The template that makes a written sentence; ValueError if none does."""
    for template, pattern in _patterns(language):
        if pattern.fullmatch(text):
            return template
    raise ValueError(f"no template of {language!r} makes {text!r}")


def parse(language: str, text: str) -> Sentence:
    """The units of a written sentence of the grammar; ValueError if the grammar cannot make it."""
    template = template_of(language, text)
    match = dict(_patterns(language))[template].fullmatch(text)
    return _fill(language, template, list(match.groups()) if match else [])


def variants(language: str, template: str) -> int:
    """How many sentences a template makes."""
    return math.prod(len(fillings(language, slot)) for slot in _SLOT.findall(template))


@functools.cache
def vocabulary(language: str) -> tuple[Unit, ...]:
    """Every word that the grammar can make, without punctuation, in a fixed order."""
    units: set[Unit] = set()
    for template in TEMPLATES[language]:
        for word in template.split():
            slot = _SLOT.match(word)
            if slot:
                for filling in fillings(language, slot[1]).values():
                    units.update(filling)
            else:
                bare = word.strip(PUNCTUATION)
                units.add(Unit(bare, bare))
    return tuple(sorted(units))


def draw_words(language: str, rng: random.Random) -> Sentence:
    """Two to eight random words: they keep the decoder from reciting templates unheard."""
    numbers = [unit for unit in vocabulary(language) if unit.written[0].isdigit()]
    words = [unit for unit in vocabulary(language) if not unit.written[0].isdigit()]
    units: list[Unit] = []
    for _ in range(rng.randint(2, 8)):
        # Never two numbers in a row: "twenty" "four" could not be told from "twenty four".
        after_number = bool(units) and units[-1] in numbers
        units.append(rng.choice(numbers if rng.random() < 0.15 and not after_number else words))
    units[-1] = Unit(units[-1].written + ".", units[-1].spoken + ".")
    return _with_capital(units)
