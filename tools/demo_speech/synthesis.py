"""The pool of training utterances: shards of raw log-mel with words and phonemes.

Every shard depends on the seed and its own number only, so that shards can be made in any order,
by any number of processes, and a stopped run goes on where it was.
"""

from __future__ import annotations

import json
import multiprocessing
import random
from pathlib import Path
from typing import TypedDict

import numpy as np

from tools.demo_speech.espeak import Espeak
from tools.demo_speech.features import add_reverberation, raw_log_mel
from tools.demo_speech.grammar import Sentence, draw_sentence, draw_words, written
from tools.demo_speech.heldout import excluded_from_training
from tools.demo_speech.voices import training_voice

SHARD_SIZE = 2000
#: English is harder here (reduced vowels, short words): it gets nearly half of the pool.
ENGLISH_SHARE = 0.46
RANDOM_WORDS_SHARE = 0.18
REVERBERANT_SHARE = 0.25
#: Longer ones would not leave room for the pauses around them in a window of 10 s.
LONGEST_SECONDS = 8.5
INVENTORY = "phonemes.json"


class Utterance(TypedDict):
    """What is known of one utterance; times are seconds from its beginning."""

    language: str
    voice: str
    words: list[str]
    spoken: list[str]
    spans: list[tuple[float, float]]
    phonemes: list[tuple[float, str]]
    end: float
    #: Where its frames lie in the shard's array.
    first_frame: int
    frames: int


def shard_paths(folder: Path, shard: int) -> tuple[Path, Path]:
    """Files of a shard: float16 log-mel (frames, 80), and one Utterance a line."""
    return folder / f"{shard:03d}.npy", folder / f"{shard:03d}.jsonl"


def _draw(language: str, rng: random.Random, seen: set[str]) -> Sentence:
    """A new sentence that is not held out; each is heard at most once a shard."""
    while True:
        if rng.random() < RANDOM_WORDS_SHARE:
            return draw_words(language, rng)
        sentence = draw_sentence(language, rng)
        text = written(sentence)
        if text not in seen and text not in excluded_from_training():
            seen.add(text)
            return sentence


def make_shard(folder: Path, shard: int, seed: int) -> None:
    """Synthesizes one shard, unless its files are there."""
    array_path, lines_path = shard_paths(folder, shard)
    if array_path.exists() and lines_path.exists():
        return
    rng = random.Random(f"{seed} shard {shard}")
    espeak = Espeak()
    seen: set[str] = set()
    mels: list[np.ndarray] = []
    utterances: list[Utterance] = []
    first_frame = 0
    while len(utterances) < SHARD_SIZE:
        language = "en" if rng.random() < ENGLISH_SHARE else "pt"
        sentence = _draw(language, rng, seen)
        voice = training_voice(language, rng)
        speech = espeak.say(
            sentence,
            voice,
            rate=rng.randint(138, 192),
            pitch=rng.randint(25, 75),
            pitch_range=rng.randint(30, 80),
            word_gap=rng.choice([0, 0, 0, 1]),
        )
        audio = speech.audio
        reverberant = rng.random() < REVERBERANT_SHARE
        if speech.end > LONGEST_SECONDS or np.abs(audio).max() < 0.01:
            continue
        if reverberant:
            audio = add_reverberation(audio, rng)
        mel = raw_log_mel(audio * (0.7 / np.abs(audio).max())).astype(np.float16)
        mels.append(mel)
        utterances.append(
            Utterance(
                language=language,
                voice=voice,
                words=[unit.written for unit in sentence],
                spoken=[unit.spoken for unit in sentence],
                spans=[(round(span.start, 3), round(span.end, 3)) for span in speech.words],
                phonemes=[(round(p.start, 3), p.name) for p in speech.phonemes],
                end=round(speech.end, 3),
                first_frame=first_frame,
                frames=len(mel),
            )
        )
        first_frame += len(mel)
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(utterance, ensure_ascii=False) + "\n" for utterance in utterances)
    lines_path.write_text(lines, encoding="utf-8")
    # The array comes last and under its final name at once: half a shard is never taken for one.
    partial = array_path.with_suffix(".partial.npy")
    np.save(partial, np.concatenate(mels))
    partial.rename(array_path)
    print(f"shard {shard}: {len(utterances)} utterances, {first_frame / 360_000:.2f} h", flush=True)


def make_pool(folder: Path, shards: int, seed: int, processes: int = 2) -> None:
    """Makes shards 0..shards-1, several at once, and lists the phonemes in them."""
    jobs = [(folder, shard, seed) for shard in range(shards)]
    # A process for each shard: espeak-ng keeps state, and a shard must not depend on another.
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, maxtasksperchild=1) as pool:
        pool.starmap(make_shard, jobs, chunksize=1)
    write_inventory(folder, shards)


def write_inventory(folder: Path, shards: int) -> None:
    """Lists the phonemes heard in the shards, pauses aside."""
    names: set[str] = set()
    for shard in range(shards):
        for utterance in read_utterances(folder, shard):
            names.update(name for _, name in utterance["phonemes"])
    sounds = sorted(name for name in names if not name.startswith("_"))
    (folder / INVENTORY).write_text(json.dumps(sounds, ensure_ascii=False), encoding="utf-8")


def read_inventory(folder: Path) -> list[str]:
    """Names of the phonemes, in the order of their classes."""
    sounds: list[str] = json.loads((folder / INVENTORY).read_text(encoding="utf-8"))
    return sounds


def read_utterances(folder: Path, shard: int) -> list[Utterance]:
    """The utterances of a shard, in the order of their frames."""
    with shard_paths(folder, shard)[1].open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
