"""The demo model's own byte-level BPE, with Whisper's special tokens and timestamps.

Byte pair encoding after Sennrich et al. (2016), on bytes as GPT-2's (Radford et al., 2019), trained
on the grammar by the `tokenizers` package. The order of the ids is Whisper's: text, special
tokens, timestamps. Timestamps are not in tokenizer.json (faster-whisper computes them).
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from tools.demo_speech.grammar import LANGUAGES, draw_sentence, written

MERGES = 700
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|pt|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
#: 0.00 to 10.00 s in steps of 20 ms.
TIMESTAMPS = 501
TIMESTAMP_STEP = 0.02
#: How byte-level BPE writes a space.
SPACE = "Ġ"


def _training_text(seed: int) -> list[str]:
    rng = random.Random(f"{seed} tokenizer")
    counts = {"pt": 30_000, "en": 24_000}
    lines = [
        " " + written(draw_sentence(language, rng))
        for language in LANGUAGES
        for _ in range(counts[language])
    ]
    # Every word again with equal weight, so that rare ones get useful pieces too.
    words = sorted({word for line in lines for word in line.split()})
    return lines + [f" {word}" for word in words for _ in range(60)]


def make_tokenizer(seed: int) -> Tokenizer:
    """Trains the tokenizer; the same seed gives the same one."""
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    draft = Tokenizer(models.BPE())
    draft.pre_tokenizer = byte_level
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + MERGES,
        initial_alphabet=alphabet,
        special_tokens=[],
        show_progress=False,
    )
    draft.train_from_iterator(_training_text(seed), trainer)
    vocabulary, merges = _pieces(draft)
    # faster-whisper suppresses the first token of " -", " '" and " ♪"; without pieces of their own
    # that would be the bare space. Digits get a piece that begins a word, to be read one by one.
    for character in ("-", "'", "â", *"0123456789"):
        piece = SPACE + character
        if piece not in vocabulary:
            vocabulary[piece] = len(vocabulary)
            merges.append((SPACE, character))
    # CTranslate2 >= 4.7 takes a model for multilingual if the empty token is in its vocabulary.
    vocabulary[""] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = byte_level
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS]
    )
    return tokenizer


def _pieces(tokenizer: Tokenizer) -> tuple[dict[str, int], list[tuple[str, str]]]:
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


class Vocabulary:
    """A tokenizer with the ids that training and export need."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        known = tokenizer.get_vocab()
        ids = {token.strip("<|>"): known[token] for token in SPECIAL_TOKENS}
        self.end_of_text = ids["endoftext"]
        self.start_of_transcript = ids["startoftranscript"]
        self.languages = {"en": ids["en"], "pt": ids["pt"]}
        self.transcribe = ids["transcribe"]
        self.start_of_previous = ids["startofprev"]
        self.no_speech = ids["nospeech"]
        self.no_timestamps = ids["notimestamps"]
        self.first_timestamp = self.no_timestamps + 1
        self.bare_space = known[SPACE]
        self.size = self.first_timestamp + TIMESTAMPS

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Reads a tokenizer.json."""
        return cls(Tokenizer.from_file(str(path)))

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without special tokens."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def timestamp(self, seconds: float) -> int:
        """Id of the timestamp nearest to a time in the window."""
        steps = round(seconds / TIMESTAMP_STEP)
        return self.first_timestamp + max(0, min(TIMESTAMPS - 1, steps))

    def tokens(self) -> list[str]:
        """Every token in the order of its id, timestamps included."""
        by_id = sorted(self.tokenizer.get_vocab().items(), key=lambda item: item[1])
        names = [token for token, _ in by_id]
        return names + [f"<|{index * TIMESTAMP_STEP:.2f}|>" for index in range(TIMESTAMPS)]
