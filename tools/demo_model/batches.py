"""Batches of training windows: how long the windows are at each stage, and arrays for torch."""

from __future__ import annotations

import random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tools.demo_model.augment import Augmenter, make_noises
from tools.demo_model.windows import Window, WindowMaker
from tools.demo_speech.features import FRAME_RATE, Mel
from tools.demo_speech.pool import POSITION_RATE, Pool
from tools.demo_speech.tokenizer import Vocabulary

PROMPT_SHARE = 0.36
#: Encoder positions in a batch, padding aside.
BATCH_POSITIONS = 4800
IGNORED = -100


Spans = npt.NDArray[np.int32]


class Batch(NamedTuple):
    """B windows of equal length: S encoder positions, L tokens."""

    mel: Mel  # (B, 80, 2 S + 4)
    inputs: npt.NDArray[np.int64]  # (B, L)
    targets: npt.NDArray[np.int64]  # (B, L), IGNORED where nothing is to be learned
    #: Encoder positions (first, last) of the token just read [0] and of the one to predict [1];
    #: -1 where there are none. (2, B, L, 2)
    spans: Spans
    phonemes: npt.NDArray[np.int64]  # (B, S)


#: (share of the steps until which it lasts, longest window in seconds). Attention has to find
#: the words in short windows before it can in long ones.
STAGES = ((0.14, 3), (0.24, 5), (0.36, 7), (1.0, 10))


def stage_seconds(progress: float) -> int:
    """Longest window, in seconds, at a share 0..1 of the training."""
    return next((seconds for until, seconds in STAGES if progress < until), STAGES[-1][1])


class Composer:
    """Makes batches; batch k depends on the seed and k only."""

    def __init__(self, pool: Pool, vocabulary: Vocabulary, seed: int) -> None:
        self._pool = pool
        self._vocabulary = vocabulary
        self._seed = seed
        self._noises = make_noises(seed)

    def batch(self, step: int, steps: int) -> Batch:
        """The batch of one step of a training of so many steps."""
        rng = random.Random(f"{self._seed} step {step}")
        seconds = stage_seconds(step / steps)
        kind, frames = _shape(seconds, rng)
        size = max(6, BATCH_POSITIONS // (frames // 2 + 10))
        augmenter = Augmenter(self._noises, rng)
        maker = WindowMaker(self._pool, self._vocabulary, rng, augmenter)
        with_prompt = seconds > STAGES[0][1] and rng.random() < PROMPT_SHARE / 0.85
        windows = [
            maker.window(frames, kind, with_prompt and rng.random() < 0.85) for _ in range(size)
        ]
        return _collate(windows, self._vocabulary, frames // 2)


def _shape(seconds: int, rng: random.Random) -> tuple[str, int]:
    """Kind and frames of a batch's windows: "short" one sentence, "fill" whole ones, "cut"."""
    if seconds == STAGES[0][1]:
        return "short", rng.choice([200, 260, 320, 400])
    draw = rng.random()
    if draw < 0.17:
        return "short", rng.choice([240, 320, 420])
    if draw < 0.40:
        return "fill", round(seconds * rng.choice([50, 65, 80])) // 2 * 2
    return ("fill" if draw < 0.62 else "cut"), seconds * FRAME_RATE


def _collate(windows: list[Window], vocabulary: Vocabulary, positions: int) -> Batch:
    length = max(len(window.tokens) for window in windows) - 1
    shape = (len(windows), length)
    inputs = np.full(shape, vocabulary.end_of_text, np.int64)
    targets = np.full(shape, IGNORED, np.int64)
    spans = np.full((2, *shape, 2), -1, np.int32)
    for row, window in enumerate(windows):
        count = len(window.tokens) - 1
        inputs[row, :count] = window.tokens[:-1]
        targets[row, window.prompt : count] = window.tokens[window.prompt + 1 :]
        if window.silent:
            # Right after <|startoftranscript|> is where Whisper reads the no-speech probability.
            targets[row, window.prompt] = vocabulary.no_speech
        for index, span in enumerate(window.spans):
            if span is None:
                continue
            # Two positions (40 ms) of tolerance either side.
            first = min(positions - 1, max(0, int(span[0] * POSITION_RATE) - 2))
            last = min(positions - 1, int(span[1] * POSITION_RATE) + 2)
            if index < count:
                spans[0, row, index] = first, last
            spans[1, row, index - 1] = first, last
    mel = np.stack([window.mel.T for window in windows])
    return Batch(mel, inputs, targets, spans, np.stack([window.phonemes for window in windows]))
