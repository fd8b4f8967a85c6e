"""The synthesized utterances as training sees them: log-mel, tokens with times, phoneme labels."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tools.demo_speech.features import Mel
from tools.demo_speech.grammar import PUNCTUATION
from tools.demo_speech.heldout import excluded_from_training
from tools.demo_speech.synthesis import Utterance, read_inventory, read_utterances, shard_paths
from tools.demo_speech.tokenizer import SPACE, Vocabulary

#: The encoder has 50 positions a second: every second frame.
POSITION_RATE = 50


class PoolUtterance(NamedTuple):
    """One utterance; times are seconds from its beginning."""

    #: (frames, 80), a view into the shard's file.
    mel: npt.NDArray[np.float16]
    end: float
    #: Token ids, and the (start, end) of each: a word's tokens share its time by their letters.
    ids: npt.NDArray[np.int16]
    token_spans: npt.NDArray[np.float32]
    #: (start, end) of every word, and how many tokens it has.
    word_spans: npt.NDArray[np.float32]
    tokens_per_word: npt.NDArray[np.uint8]
    #: Phoneme class of every encoder position, 0 for pauses.
    phonemes: npt.NDArray[np.uint8]

    def log_mel(self, first: int = 0) -> Mel:
        """Frames from ``first`` on, as float32."""
        return self.mel[first:].astype(np.float32)


class Pool:
    """All utterances of a folder of shards, by language."""

    def __init__(self, folder: Path, shards: int, vocabulary: Vocabulary) -> None:
        self.utterances: dict[str, list[PoolUtterance]] = {"pt": [], "en": []}
        excluded = excluded_from_training()
        self._classes = {name: index + 1 for index, name in enumerate(read_inventory(folder))}
        self._pieces: dict[str, tuple[list[int], list[int]]] = {}
        for shard in range(shards):
            mel = np.load(shard_paths(folder, shard)[0], mmap_mode="r")
            for utterance in read_utterances(folder, shard):
                # Synthesis leaves held-out sentences out; a script edited since must not slip in.
                if " ".join(utterance["words"]) not in excluded:
                    self.utterances[utterance["language"]].append(
                        self._labelled(utterance, mel, vocabulary)
                    )

    def _labelled(
        self, utterance: Utterance, mel: npt.NDArray[np.float16], vocabulary: Vocabulary
    ) -> PoolUtterance:
        first, frames = utterance["first_frame"], utterance["frames"]
        ids: list[int] = []
        spans: list[tuple[float, float]] = []
        counts: list[int] = []
        for word, (start, end) in zip(utterance["words"], utterance["spans"], strict=True):
            word_ids, letters = self._word_pieces(word, vocabulary)
            edges = start + (end - start) * np.cumsum([0, *letters]) / sum(letters)
            ids += word_ids
            spans += list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
            counts.append(len(word_ids))
        return PoolUtterance(
            mel=mel[first : first + frames],
            end=utterance["end"],
            ids=np.array(ids, np.int16),
            token_spans=np.array(spans, np.float32),
            word_spans=np.array(utterance["spans"], np.float32),
            tokens_per_word=np.array(counts, np.uint8),
            phonemes=self._phoneme_labels(utterance),
        )

    def _word_pieces(self, word: str, vocabulary: Vocabulary) -> tuple[list[int], list[int]]:
        """Token ids of a word and the letters that each stands for (at least one)."""
        if word not in self._pieces:
            ids = vocabulary.encode(f" {word}")
            names = [vocabulary.tokenizer.id_to_token(i) or "" for i in ids]
            letters = [max(1, len(name.strip(SPACE + PUNCTUATION))) for name in names]
            self._pieces[word] = ids, letters
        return self._pieces[word]

    def _phoneme_labels(self, utterance: Utterance) -> npt.NDArray[np.uint8]:
        labels = np.zeros(utterance["frames"] // 2 + 2, np.uint8)
        phonemes = utterance["phonemes"]
        ends = [start for start, _ in phonemes[1:]] + [utterance["end"]]
        for (start, name), end in zip(phonemes, ends, strict=True):
            if not name.startswith("_"):
                labels[round(start * POSITION_RATE) : round(end * POSITION_RATE)] = self._classes[
                    name
                ]
        return labels
