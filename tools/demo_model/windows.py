"""Training windows of up to 10 s, composed on the fly from the utterance pool.

They imitate what sequential decoding meets: windows that begin in the tail of a sentence already
transcribed, long silences before the first one, last sentences that the window cuts, previous
text as a prompt, and silence.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tools.demo_model.augment import Augmenter
from tools.demo_speech.features import FRAME_RATE, MELS, Mel
from tools.demo_speech.pool import Pool, PoolUtterance
from tools.demo_speech.synthesis import ENGLISH_SHARE
from tools.demo_speech.tokenizer import Vocabulary

SILENT_SHARE = 0.035
TIMESTAMPS_SHARE = 0.6
#: Tokens of previous text that faster-whisper keeps: half of the decoder's 448, less one.
PROMPT_LIMIT = 448 // 2 - 1
#: faster-whisper lets the first timestamp be 1.00 s at most.
LATEST_FIRST_TIMESTAMP = 1.0
Token = tuple[int, float, float]


class Segment(NamedTuple):
    """One sentence in a window; times are seconds of the window."""

    start: float
    #: None if the window cuts the sentence.
    end: float | None
    tokens: list[Token]


class Window(NamedTuple):
    """One training example."""

    #: Scaled log-mel, (frames + 4, 80); the last four frames are zero: the first padding.
    mel: Mel
    tokens: list[int]
    #: Seconds at which each token is heard; None for those that are not.
    spans: list[tuple[float, float] | None]
    #: Tokens of previous text, which are not to be predicted.
    prompt: int
    #: Phoneme class of every encoder position, (frames / 2).
    phonemes: npt.NDArray[np.int64]
    silent: bool


class WindowMaker:
    """Draws windows with one generator."""

    def __init__(
        self, pool: Pool, vocabulary: Vocabulary, rng: random.Random, augmenter: Augmenter
    ) -> None:
        self._pool, self._vocabulary = pool, vocabulary
        self._rng, self._augmenter = rng, augmenter

    def window(self, frames: int, kind: str, with_prompt: bool) -> Window:
        """One window of so many frames."""
        rng = self._rng
        language = "en" if rng.random() < ENGLISH_SHARE else "pt"
        raw = np.full((frames, MELS), -10, np.float32)
        phonemes = np.zeros(frames // 2, np.int64)
        silent = rng.random() < SILENT_SHARE
        segments: list[Segment] = []
        end = frames
        if not silent:
            segments = self._place(raw, phonemes, language, kind)
            last = segments[-1].end if segments else None
            if last is not None:
                # The recording may end before the window does: the rest is padding.
                after = rng.uniform(0.05, 0.7) if rng.random() < 0.85 else rng.uniform(0.7, 6)
                end = min(frames, int((last + after) * FRAME_RATE))
        mel = np.zeros((frames + 4, MELS), np.float32)
        mel[:end] = self._augmenter.apply(raw[:end], silent)
        prompt = self._prompt(language) if with_prompt else []
        tokens, spans = self._labels(segments, language, silent, frames / FRAME_RATE)
        unheard: list[tuple[float, float] | None] = [None] * len(prompt)
        return Window(mel, prompt + tokens, unheard + spans, len(prompt), phonemes, silent)

    def _place(
        self, raw: Mel, phonemes: npt.NDArray[np.int64], language: str, kind: str
    ) -> list[Segment]:
        """Writes sentences into the raw log-mel and returns their segments."""
        rng = self._rng
        pool = self._pool.utterances[language]
        seconds = len(raw) / FRAME_RATE
        time = self._first_time(kind, seconds)
        if kind != "short" and rng.random() < 0.3:
            # The tail of a sentence already transcribed: its end timestamp came too early.
            utterance = rng.choice(pool)
            first = max(0, len(utterance.mel) - int(FRAME_RATE * rng.uniform(0.05, 0.6)))
            _write(raw, phonemes, utterance, 0, first, 0.0)
            time = (len(utterance.mel) - first) / FRAME_RATE + rng.uniform(0.05, 1)
        from_within = kind == "cut" and rng.random() < 0.08
        segments: list[Segment] = []
        failures = 0
        while True:
            utterance = rng.choice(pool)
            gain = rng.uniform(-0.6, 0.3) if rng.random() < 0.5 else 0.0
            skip = 0.0
            if from_within and not segments and utterance.end > 2:
                skip, time = rng.uniform(0.3, utterance.end - 1), 0.0
            if time + utterance.end - skip > seconds - 0.05 and kind != "cut":
                failures += 1
                if ((segments or kind == "short") and failures > 3) or failures > 40:
                    return segments
                continue
            at, first = round(time * FRAME_RATE), round(skip * FRAME_RATE)
            _write(raw, phonemes, utterance, at, first, gain)
            segment = _segment(utterance, (at - first) / FRAME_RATE, seconds)
            segments.append(segment)
            time = (at - first) / FRAME_RATE + utterance.end
            time += rng.uniform(0.05, 0.9) if rng.random() < 0.85 else rng.uniform(0.9, 3.5)
            if segment.end is None or time > seconds - 0.4 or kind == "short":
                return segments
            if kind == "fill" and rng.random() < 0.12:
                return segments

    def _first_time(self, kind: str, seconds: float) -> float:
        rng = self._rng
        if kind == "short":
            return rng.uniform(0, 0.5)
        if rng.random() < 0.13:
            return rng.uniform(1, seconds / 2)
        return rng.uniform(0, rng.choice([0.15, 0.6, 1.4]))

    def _labels(
        self, segments: list[Segment], language: str, silent: bool, seconds: float
    ) -> tuple[list[int], list[tuple[float, float] | None]]:
        vocabulary = self._vocabulary
        tokens = [
            vocabulary.start_of_transcript,
            vocabulary.languages[language],
            vocabulary.transcribe,
        ]
        spans: list[tuple[float, float] | None] = [None] * len(tokens)

        def put(token: int, span: tuple[float, float] | None = None) -> None:
            tokens.append(token)
            spans.append(span)

        timestamps = self._rng.random() < TIMESTAMPS_SHARE
        if not timestamps:
            put(vocabulary.no_timestamps)
        elif silent:
            put(vocabulary.timestamp(0))
        for index, segment in enumerate(segments):
            if timestamps and index and segment.end is None:
                # A cut sentence is left to the next window: its start alone is marked.
                if seconds - segment.start > 0.15:
                    put(vocabulary.timestamp(segment.start), (segment.start, segment.start))
                break
            if timestamps:
                start = segment.start if index else min(segment.start, LATEST_FIRST_TIMESTAMP)
                put(vocabulary.timestamp(start), (segment.start, segment.start))
            for token, start, end in segment.tokens:
                put(token, (start, end))
            if timestamps and segment.end is not None:
                put(vocabulary.timestamp(segment.end), (segment.end, segment.end))
        put(vocabulary.end_of_text)
        return tokens, spans

    def _prompt(self, language: str) -> list[int]:
        """Previous text of 3 to 223 tokens, as faster-whisper's, with or without timestamps."""
        rng, vocabulary = self._rng, self._vocabulary
        longest = PROMPT_LIMIT
        wanted = rng.choice(
            [rng.randint(3, 60), rng.randint(40, 140), rng.randint(120, longest), longest]
        )
        timestamps = rng.random() < 0.7
        tokens: list[int] = []
        time = 0.0
        while len(tokens) < wanted:
            other = "en" if language == "pt" else "pt"
            utterance = rng.choice(self._pool.utterances[other if rng.random() < 0.1 else language])
            ids = utterance.ids.tolist()
            if timestamps:
                tokens.append(vocabulary.timestamp(time))
                ids.append(vocabulary.timestamp(time + utterance.end))
                time = time + utterance.end + 0.5 if time + utterance.end < 8.5 else 0.0
            tokens += ids
        return [vocabulary.start_of_previous, *tokens[-wanted:]]


def _write(
    raw: Mel,
    phonemes: npt.NDArray[np.int64],
    utterance: PoolUtterance,
    at: int,
    first: int,
    gain: float,
) -> None:
    """Adds an utterance's frames from ``first`` on to the window at frame ``at``."""
    mel = utterance.log_mel(first)[: len(raw) - at] + np.float32(gain)
    np.maximum(raw[at : at + len(mel)], mel, out=raw[at : at + len(mel)])
    labels = utterance.phonemes[first // 2 :][: len(phonemes) - at // 2]
    phonemes[at // 2 : at // 2 + len(labels)] = labels


def _segment(utterance: PoolUtterance, offset: float, seconds: float) -> Segment:
    """The words of an utterance, begun at ``offset``, that lie wholly in the window."""
    tokens: list[Token] = []
    position = 0
    for (start, end), count in zip(
        utterance.word_spans.tolist(), utterance.tokens_per_word.tolist(), strict=True
    ):
        if start + offset >= -0.02 and end + offset <= seconds + 0.02:
            for token in range(position, position + count):
                first, last = utterance.token_spans[token].tolist()
                tokens.append((int(utterance.ids[token]), first + offset, last + offset))
        position += count
    end = offset + utterance.end
    return Segment(max(0.0, offset), None if end > seconds - 0.02 else end, tokens)
