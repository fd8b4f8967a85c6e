"""One chunk of speech becomes segments: decoded, checked for loops, cleared of invented text."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from transcrevai_core.audio.speech import speech_share
from transcrevai_core.errors import ModelError
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.transcription.loading import Loaded
from transcrevai_core.types import SAMPLE_RATE, Chunk, Segment, Word

MAX_COMPRESSION = 2.4  # above it a text repeats itself (Radford et al. 2022, section 4.5)
MAX_PROMPT_TOKENS = 110  # of hotwords, and of the prompt: half of the decoder stays for the text
MIN_LOGPROB = -1.0  # below it a text is a guess (ibid.), ...
MIN_PROBABILITY = 0.6  # ... as where its words have less than this on average
MIN_SPEECH_SHARE = 0.2  # a segment with less of it lies over silence or noise
# what breaks a loop: no repeated 4-grams, a price on repetition, some chance, no prompt
_SECOND_TRY = {
    "no_repeat_ngram_size": 4,
    "repetition_penalty": 1.2,
    "temperature": [0.2, 0.4, 0.6],
    "beam_size": 1,
    "initial_prompt": None,
    "condition_on_previous_text": False,
}


def check_language(loaded: Loaded, language: str | None, task: str) -> None:
    """Raise ModelError where the model cannot do `task` in `language` (None: to be detected)."""
    model = loaded.model
    if not model.model.is_multilingual:
        if language not in (None, "en") or task == "translate":
            raise ModelError(
                "The model {model} understands English only; a model without .en in its name "
                "would be right.",
                model=loaded.name,
            )
    elif language and model.hf_tokenizer.token_to_id(f"<|{language}|>") is None:
        known = [c for c in LANGUAGES if model.hf_tokenizer.token_to_id(f"<|{c}|>") is not None]
        raise ModelError(
            "The model {model} does not know {language}; it knows {languages}.",
            model=loaded.name,
            language=LANGUAGES[language],
            languages=", ".join(LANGUAGES[code] for code in known),
        )


def detect_language(loaded: Loaded, samples: np.ndarray) -> tuple[str, float]:
    """Return the language code of up to 30 s of speech, and its probability.

    `samples`: float32 in -1 to 1, shape (samples,), 16 kHz.
    """
    if not loaded.model.model.is_multilingual:
        return "en", 1.0
    language, probability, _ = loaded.model.detect_language(audio=samples)
    return language, float(probability)


def decode_chunk(
    loaded: Loaded, samples: np.ndarray, chunk: Chunk, options: Mapping[str, Any]
) -> tuple[list[Segment], int]:
    """Transcribe one chunk; return its segments in order, and how many were dropped.

    `samples`: float32 in -1 to 1, shape (samples,), 16 kHz, the sound of `chunk`; `options`:
    arguments of `faster_whisper.WhisperModel.transcribe`. A segment that loops is decoded once
    more with other settings and marked where it still loops; one over non-speech is dropped, as
    is one that the model is unsure of where `no_speech_threshold` is None, which keeps all.
    """
    eager = options.get("no_speech_threshold", 0.0) is None
    kept: list[Segment] = []
    dropped = 0
    for segment in _transcribe(loaded, samples, chunk.start, options):
        if is_looping(segment):
            first = round((segment.start - chunk.start) * SAMPLE_RATE)
            last = round((segment.end - chunk.start) * SAMPLE_RATE)
            again = list(
                _transcribe(loaded, samples[first:last], segment.start, {**options, **_SECOND_TRY})
            )
            cured = bool(again) and not any(is_looping(s) for s in again)
            found = again if cured else [dataclasses.replace(segment, looping=True)]
        else:
            found = [segment]
        for candidate in found:
            share = speech_share(candidate.start, candidate.end, chunk.speech)
            if share < MIN_SPEECH_SHARE or (eager and _is_guess(candidate)):
                dropped += 1
            else:
                kept.append(_within(candidate, chunk))
    return kept, dropped


def fit_prompts(loaded: Loaded, options: Mapping[str, Any]) -> dict[str, str | None]:
    """Return `hotwords` and `initial_prompt` cut to what leaves room for the text itself.

    Whisper's decoder holds 448 tokens in all; faster-whisper cuts each of the two to 223, which
    together with a full prompt leaves none. The beginning of the hotwords and the end of the
    prompt are kept.
    """
    tokenizer = loaded.model.hf_tokenizer

    def cut(text: str | None, kept: slice) -> str | None:
        if not text:
            return None
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        return text if len(ids) <= MAX_PROMPT_TOKENS else tokenizer.decode(ids[kept]).strip()

    return {
        "hotwords": cut(options.get("hotwords"), slice(MAX_PROMPT_TOKENS)),
        "initial_prompt": cut(options.get("initial_prompt"), slice(-MAX_PROMPT_TOKENS, None)),
    }


def _transcribe(
    loaded: Loaded, samples: np.ndarray, offset: float, options: Mapping[str, Any]
) -> Iterator[Segment]:
    """Yield faster-whisper's segments with text, in our words, at times of the recording."""
    segments, _ = loaded.model.transcribe(
        samples, word_timestamps=True, vad_filter=False, **options
    )
    for s in segments:
        if not s.text.strip():
            continue
        words = tuple(
            Word(round(offset + w.start, 3), round(offset + w.end, 3), w.word, w.probability)
            for w in s.words or ()
        )
        # the words know better than the segment, which begins with the window it was found in
        start = words[0].start if words else offset + s.start
        end = words[-1].end if words else offset + s.end
        yield Segment(
            start=round(start, 3),
            end=round(max(start, end), 3),
            text=s.text,
            words=words,
            avg_logprob=s.avg_logprob,
            no_speech_prob=s.no_speech_prob,
            compression_ratio=s.compression_ratio,
            temperature=s.temperature or 0.0,
            model=loaded.name,
            compute_type=loaded.compute_type,
        )


def _is_guess(segment: Segment) -> bool:
    """Tell whether the model was unsure of a segment, of the whole or of its words."""
    heard = [word.probability for word in segment.words]
    return segment.avg_logprob < MIN_LOGPROB or (
        bool(heard) and sum(heard) / len(heard) < MIN_PROBABILITY
    )


def is_looping(segment: Segment) -> bool:
    """Tell whether a segment repeats itself: packs too well, or says one n-gram again and again."""
    return segment.compression_ratio > MAX_COMPRESSION or repeats(segment.text.split())


def repeats(words: Iterable[str]) -> bool:
    """Tell whether up to 8 words follow themselves at once, 4 times and over 8 words or more.

    >>> repeats("a ata da reunião a ata da reunião a ata da reunião a ata da reunião".split())
    True
    >>> repeats("não não não isso não".split())
    False
    """
    plain = [re.sub(r"\W", "", word).lower() for word in words]
    for size in range(1, 9):
        times = max(4, -(-8 // size))
        run = 0  # how many words in a row equal the word `size` before them
        for before, word in zip(plain, plain[size:], strict=False):
            run = run + 1 if word == before else 0
            if run >= size * (times - 1):
                return True
    return False


def _within(segment: Segment, chunk: Chunk) -> Segment:
    """Cut a segment's times at its chunk's edges, which Whisper's padding may overstep."""

    def clip(time: float) -> float:
        return min(max(time, chunk.start), chunk.end)

    return dataclasses.replace(
        segment,
        start=clip(segment.start),
        end=clip(segment.end),
        words=tuple(
            dataclasses.replace(w, start=clip(w.start), end=clip(w.end)) for w in segment.words
        ),
    )
