"""One pass of Whisper over a window of sound: its text word by word, and how sure it is.

The passes are our own where faster-whisper's loop moves a window of 30 s over the sound: what is
heard here is speech cut at silences, so the encoder need not see 30 s (its cost falls faster than
the length), no timestamps need be written, and nothing is skipped without being noticed. The
tokenizer, the features and the alignment of words are faster-whisper's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from transcrevai_core.audio.speech import TAIL
from transcrevai_core.transcription.loading import Loaded
from transcrevai_core.transcription.loops import repeats
from transcrevai_core.types import SAMPLE_RATE, Word

if TYPE_CHECKING:
    from ctranslate2 import StorageView
    from faster_whisper.tokenizer import Tokenizer

MAX_COMPRESSION = 2.4  # above it a text repeats itself (Radford et al. 2022, section 4.5)
MIN_LOGPROB = -1.0  # below it a text is a guess (ibid.)
MAX_NO_SPEECH = 0.6  # above it, where the text is a guess, nothing was said (ibid.)
TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0)  # to be tried, in order, where the likeliest text fails
_SAMPLES = 3  # texts drawn at each temperature, of which the likeliest is taken
# tokens: enough for fast speech, and few enough to end a loop early; what does not fit is a gap
_FEWEST_TOKENS, _TOKENS_PER_SECOND = 30, 10
_FRAMES_PER_SECOND, _POSITIONS_PER_SECOND = 100, 50  # of the features, and of the encoder's output
_OPENING, _CLOSING = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"  # marks that belong to the word beside


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder made of a window: `output` of shape (1, positions, width)."""

    output: "StorageView"
    seconds: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What one pass wrote; the words' times are those of the window, in s."""

    text: str
    words: tuple[Word, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float

    @property
    def is_silence(self) -> bool:
        """Whether the model holds that nothing was said."""
        return self.no_speech_prob > MAX_NO_SPEECH and self.avg_logprob < MIN_LOGPROB

    @property
    def is_looping(self) -> bool:
        """Whether the text says the same again and again."""
        return self.compression_ratio > MAX_COMPRESSION or repeats(self.text.split())

    @property
    def fails(self) -> bool:
        """Whether the text is no transcript: a guess, or a loop."""
        return not self.is_silence and (self.avg_logprob < MIN_LOGPROB or self.is_looping)

    @property
    def probability(self) -> float:
        """The mean probability of the words, 0.0 where there are none."""
        return sum(w.probability for w in self.words) / max(1, len(self.words))


def longest_seconds(loaded: Loaded) -> float:
    """Return how many seconds of sound the model hears at once, with the silence after them."""
    return float(loaded.model.feature_extractor.chunk_length)


def encode(loaded: Loaded, samples: np.ndarray) -> Encoded:
    """Have the encoder hear samples (float32, (samples,), 16 kHz) and a little silence."""
    model, window = loaded.model, longest_seconds(loaded)
    samples = samples[: round(window * SAMPLE_RATE)]
    features = model.feature_extractor(samples)[:, :-1]  # (mels, frames)
    longest = round(window * _FRAMES_PER_SECOND)
    features = features[:, :longest]
    padded = min(longest, features.shape[1] + round(TAIL * _FRAMES_PER_SECOND))
    padded += padded % 2  # the encoder halves them
    features = np.pad(features, ((0, 0), (0, padded - features.shape[1])))
    return Encoded(model.encode(features.astype(np.float32)), len(samples) / SAMPLE_RATE)


def language_probabilities(
    loaded: Loaded, encoded: Encoded, start: float = 0.0, end: float | None = None
) -> dict[str, float]:
    """Return the probability of each language in a stretch of a window, likeliest first."""
    from ctranslate2 import DataType, Device, StorageView

    first = round(start * _POSITIONS_PER_SECOND)
    last = round((encoded.seconds if end is None else end) * _POSITIONS_PER_SECOND)
    output = np.asarray(encoded.output.to_device(Device.cpu).to(DataType.float32))
    stretch = np.ascontiguousarray(output[:, first : max(first + 1, last)])
    found = loaded.model.model.detect_language(StorageView.from_array(stretch))[0]
    return {token[2:-2]: float(probability) for token, probability in found}


def hear(
    loaded: Loaded,
    encoded: Encoded,
    language: str,
    options: Mapping[str, Any],
    temperatures: Sequence[float] = (0.0,),
) -> Heard:
    """Return what is said in a window, by the first of the temperatures that gives a sound text.

    `options`: `task`, `beam_size`, `initial_prompt` and `hotwords` as faster-whisper has them.
    Where none gives one, the likeliest of all is returned; without words where it is the only
    one, as timing a loop takes memory, and it is to be tried otherwise.
    """
    tokenizer = _tokenizer(loaded, language, options.get("task", "transcribe"))
    tried = []
    for temperature in temperatures:
        tokens, logprob, no_speech = _generate(loaded, encoded, tokenizer, options, temperature)
        text = tokenizer.decode(tokens)
        heard = Heard(text, (), logprob, no_speech, compression(text), temperature)
        tried.append((heard, tokens))
        if not heard.fails:
            break
    else:
        plain = [pair for pair in tried if not pair[0].is_looping]
        heard, tokens = max(plain or tried, key=lambda pair: pair[0].avg_logprob)
    if heard.is_silence or (heard.fails and len(tried) == 1):
        return heard
    return replace(heard, words=tuple(_words(loaded, encoded, tokenizer, tokens)))


def compression(text: str) -> float:
    """Return how many times smaller zlib makes a text; below 1 for a short one."""
    from faster_whisper.transcribe import get_compression_ratio

    return float(get_compression_ratio(text.strip())) if text.strip() else 0.0


def _tokenizer(loaded: Loaded, language: str, task: str) -> "Tokenizer":
    from faster_whisper.tokenizer import Tokenizer

    model = loaded.model
    return Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task=task, language=language)


def _generate(
    loaded: Loaded,
    encoded: Encoded,
    tokenizer: "Tokenizer",
    options: Mapping[str, Any],
    temperature: float,
) -> tuple[list[int], float, float]:
    """Return the tokens of the text, their mean log-probability, and that of silence."""
    from faster_whisper.transcribe import get_suppressed_tokens

    model = loaded.model
    before = options.get("initial_prompt")
    prompt = model.get_prompt(
        tokenizer,
        tokenizer.encode(" " + before.strip()) if before else [],
        without_timestamps=True,
        hotwords=options.get("hotwords"),
    )
    room = _FEWEST_TOKENS + round(_TOKENS_PER_SECOND * encoded.seconds)
    how: dict[str, Any] = {"beam_size": options.get("beam_size", 5)}
    if temperature > 0:
        how = {
            "beam_size": 1,
            "num_hypotheses": _SAMPLES,
            "sampling_topk": 0,
            "sampling_temperature": temperature,
        }
    result = model.model.generate(
        encoded.output,
        [prompt],
        max_length=min(model.max_length, len(prompt) + room),
        return_scores=True,
        return_no_speech_prob=True,
        suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        **how,
    )[0]
    tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
    length = len(result.sequences_ids[0])
    return tokens, result.scores[0] * length / (length + 1), result.no_speech_prob


def _words(
    loaded: Loaded, encoded: Encoded, tokenizer: "Tokenizer", tokens: list[int]
) -> Iterable[Word]:
    """Yield the words with their times, by the attention of the decoder (see faster-whisper)."""
    from faster_whisper.transcribe import merge_punctuations

    frames = round(encoded.seconds * _FRAMES_PER_SECOND)
    (found,) = loaded.model.find_alignment(tokenizer, [tokens], encoded.output, frames)
    merge_punctuations(found, _OPENING, _CLOSING)
    for word in found:
        if word["word"].strip():
            yield Word(
                float(word["start"]), float(word["end"]), word["word"], float(word["probability"])
            )
