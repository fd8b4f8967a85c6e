"""espeak-ng voice variants, split into those for training and those never heard in training."""

from __future__ import annotations

import random


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TRAINING_VARIANTS = _names(
    "m1 m2 m3 m5 m6 m7 m8 f1 f2 f4 f5 klatt klatt2 klatt4 klatt5 klatt6 Alex Alicia Andrea Andy "
    "Annie Denis Gene Gene2 Henrique Hugo Jacky Lee Marco Mario Michael Mike Nguyen RicishayMax "
    "RicishayMax3 Storm adam anika aunty belinda benjamin boris caleb david ed edward edward2 "
    "grandma grandpa gustave iven iven3 iven4 john kaukovalta marcelo max michel miguel norbert "
    "pablo paul quincy rob sandro shelby steph steph3 travis victor"
)
HELD_OUT_VARIANTS = _names("m4 f3 klatt3 Diogo antonio linda iven2 pedro steph2 robert")

#: Accents to draw from in training. American English counts twice: the samples speak it.
ACCENTS = {"pt": ("pt-br",), "en": ("en-us", "en-us", "en", "en-gb-x-rp")}
#: The accent of the held-out clips and of the samples.
MAIN_ACCENT = {"pt": "pt-br", "en": "en-us"}


def training_voice(language: str, rng: random.Random) -> str:
    """An espeak-ng voice name such as ``pt-br+m3``; one in twenty is the accent's plain voice."""
    accent = rng.choice(ACCENTS[language])
    return f"{accent}+{rng.choice(TRAINING_VARIANTS)}" if rng.random() < 0.95 else accent


def held_out_voice(language: str, variant: str) -> str:
    """The name of a held-out variant in the language's main accent."""
    if variant not in HELD_OUT_VARIANTS:
        raise ValueError(f"{variant!r} is not a held-out variant")
    return f"{MAIN_ACCENT[language]}+{variant}"
