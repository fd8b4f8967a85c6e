"""The figures of a model: held-out sentences by held-out voices, and the sample conversations."""

from __future__ import annotations

import difflib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from faster_whisper import WhisperModel

from tools.demo_speech.espeak import SAMPLE_RATE, Audio, Espeak
from tools.demo_speech.features import add_reverberation
from tools.demo_speech.grammar import LANGUAGES, written
from tools.demo_speech.heldout import test_sentences
from tools.demo_speech.samples import LabelledWord
from tools.demo_speech.voices import HELD_OUT_VARIANTS, held_out_voice
from transcrevai_core.demo import SAMPLES_DIR
from transcrevai_core.evaluation.metrics import wer
from transcrevai_core.evaluation.normalisation import normalise

#: Nominal speeds in words a minute; the sentences of training have 138 to 192.
USUAL_RATES = (145, 155, 165, 175, 185)


class Clip(NamedTuple):
    """One held-out sentence with silence around it."""

    audio: Audio
    text: str
    words: list[LabelledWord]


class Condition(NamedTuple):
    """How clips are spoken and what is done to them."""

    name: str
    rates: tuple[int, ...]
    change: Callable[[Audio, random.Random], Audio]


def _unchanged(audio: Audio, rng: random.Random) -> Audio:
    return audio


def _noisy(audio: Audio, rng: random.Random) -> Audio:
    """Adds white noise, 15 dB below the clip."""
    noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(len(audio))
    level = np.sqrt((audio**2).mean()) * 10 ** (-15 / 20)
    noisy: Audio = (audio + noise * level).astype(np.float32)
    return noisy


CONDITIONS = (
    Condition("clean", USUAL_RATES, _unchanged),
    Condition("speed 205", (205,), _unchanged),
    Condition("speed 120", (120,), _unchanged),
    Condition("noise 15 dB", USUAL_RATES, _noisy),
    Condition("reverberant", USUAL_RATES, add_reverberation),
)


def make_clips(espeak: Espeak, language: str, condition: Condition, count: int) -> list[Clip]:
    """Clips of different sentences and of all held-out voices, the same every time."""
    rng = random.Random(f"clips {language} {condition.name}")
    clips = []
    for index, sentence in enumerate(rng.sample(test_sentences(language), count)):
        variant = HELD_OUT_VARIANTS[index % len(HELD_OUT_VARIANTS)]
        voice = held_out_voice(language, variant)
        speech = espeak.say(sentence, voice, rng.choice(condition.rates), rng.randint(30, 70))
        before = round(rng.uniform(0.1, 0.6) * SAMPLE_RATE)
        after = round(rng.uniform(0.2, 0.6) * SAMPLE_RATE)
        audio = speech.audio * (0.6 / np.abs(speech.audio).max())
        audio = condition.change(np.pad(audio, (before, after)), rng)
        offset = before / SAMPLE_RATE
        words = [
            LabelledWord(unit.written, offset + span.start, offset + span.end)
            for unit, span in zip(sentence, speech.words, strict=True)
        ]
        clips.append(Clip(audio, written(sentence), words))
    return clips


@dataclass
class Score:
    """Counts over many clips."""

    clips: int = 0
    words: int = 0
    errors: float = 0.0
    languages_right: int = 0
    start_errors: list[float] = field(default_factory=list)

    def add(self, text: str, hypothesis: str, language_right: bool) -> None:
        """Counts one transcript; clips weigh by their words."""
        words = len(normalise(text).split())
        self.clips += 1
        self.words += words
        self.errors += wer(text, hypothesis) * words
        self.languages_right += language_right

    def summary(self) -> str:
        """The figures, for people."""
        parts = [
            f"WER {100 * self.errors / self.words:5.2f} %",
            f"language {self.languages_right}/{self.clips}",
        ]
        if self.start_errors:
            middle, most = np.percentile(self.start_errors, [50, 90])
            parts.append(f"word starts off by {middle:.3f} s (median), {most:.3f} s (90 %)")
        return ", ".join(parts)


def start_errors(reference: list[LabelledWord], hypothesis: list[Any]) -> list[float]:
    """Distances (seconds) of the starts of words that both have, aligned by their text."""
    left = [normalise(word.text) for word in reference]
    right = [normalise(word.word) for word in hypothesis]
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    return [
        abs(reference[block.a + k].start - hypothesis[block.b + k].start)
        for block in matcher.get_matching_blocks()
        for k in range(block.size)
    ]


def _transcribe(model: WhisperModel, audio: Any, **options: Any) -> tuple[str, str, list[Any]]:
    """Text, language and words (if asked for)."""
    segments, info = model.transcribe(audio, **options)
    found = list(segments)
    words = [word for segment in found for word in segment.words or []]
    return " ".join(segment.text.strip() for segment in found), info.language, words


def read_ctm(path: Path) -> list[LabelledWord]:
    """Words of a CTM file."""
    words = []
    for line in path.read_text(encoding="utf-8").splitlines():
        _, _, start, duration, text = line.split(" ", 4)
        words.append(LabelledWord(text, float(start), float(start) + float(duration)))
    return words


def evaluate(model_folder: Path, clips: int = 150, examples: int = 5) -> None:
    """Prints the figures of a CTranslate2 model, INT8 on the CPU, with faster-whisper's defaults.

    The first condition has so many clips of each language, the others a third of them.
    """
    model = WhisperModel(str(model_folder), device="cpu", compute_type="int8", cpu_threads=2)
    size = sum(path.stat().st_size for path in model_folder.iterdir())
    print(f"{model_folder}: {size / 1e6:.2f} MB")
    espeak = Espeak()
    for condition in CONDITIONS:
        count = clips if condition is CONDITIONS[0] else max(1, clips // 3)
        for language in LANGUAGES:
            score, wrong = Score(), []
            for clip in make_clips(espeak, language, condition, count):
                text, found, _ = _transcribe(model, clip.audio)
                score.add(clip.text, text, found == language)
                if normalise(text) != normalise(clip.text):
                    wrong.append(f"    {clip.text!r} heard as {text!r}")
                if condition is CONDITIONS[0]:
                    # Asked for apart, because word times change how decoding seeks.
                    words = _transcribe(model, clip.audio, word_timestamps=True)[2]
                    score.start_errors += start_errors(clip.words, words)
            print(f"  {condition.name}, {language}, {score.clips} clips: {score.summary()}")
            for line in wrong[:examples]:
                print(line)
    for language in LANGUAGES:
        path = SAMPLES_DIR / f"{language}.flac"
        reference = path.with_suffix(".txt").read_text(encoding="utf-8")
        for options in ({}, {"condition_on_previous_text": False}, {"word_timestamps": True}):
            text, found, words = _transcribe(model, str(path), vad_filter=True, **options)
            score = Score()
            score.add(reference, text, found == language)
            score.start_errors = start_errors(read_ctm(path.with_suffix(".ctm")), words)
            print(f"  sample {language}, VAD, {options or 'defaults'}: {score.summary()}")
