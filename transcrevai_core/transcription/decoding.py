"""One chunk of speech becomes segments: heard, and heard again where text loops or is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from transcrevai_core.audio.speech import WINDOW, room, speech_share
from transcrevai_core.errors import ModelError
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.transcription import hearing
from transcrevai_core.transcription.hearing import MIN_LOGPROB, Encoded, Heard
from transcrevai_core.transcription.loading import Loaded
from transcrevai_core.transcription.placing import gaps_of, place_words
from transcrevai_core.transcription.segmenting import split_words
from transcrevai_core.transcription.spoken import languages_of
from transcrevai_core.transcription.window import Read, Window
from transcrevai_core.types import Chunk, Segment, Word

MAX_PROMPT_TOKENS = 110  # of hotwords, and of the prompt: half of the decoder stays for the text
MIN_PROBABILITY = 0.5  # a text that was asked for again is a guess where words have less on average
MIN_SPEECH_SHARE = 0.2  # a segment with less of it lies over silence or noise
_SHORT = 8.0  # s of sound that is not cut further, but tried with some chance
_SEED = 1  # of what is drawn where a text fails, so that a file gives the same text each time


@dataclass(frozen=True, slots=True)
class _Passage:
    """What was heard in one pass, its words at times of the recording; `again` after a gap."""

    heard: Heard
    words: tuple[Word, ...]
    language: str
    again: bool = False


def check_languages(loaded: Loaded, languages: Sequence[str], task: str) -> None:
    """Raise ModelError where the model cannot do `task` in `languages` (none: to be detected)."""
    model = loaded.model
    unknown = [code for code in languages if model.hf_tokenizer.token_to_id(f"<|{code}|>") is None]
    if not model.model.is_multilingual:
        if set(languages) - {"en"} or task == "translate":
            raise ModelError(
                "The model {model} understands English only; a model without .en in its name "
                "would be right.",
                model=loaded.name,
            )
    elif unknown:
        known = [c for c in LANGUAGES if model.hf_tokenizer.token_to_id(f"<|{c}|>") is not None]
        raise ModelError(
            "The model {model} does not know {language}; it knows {languages}.",
            model=loaded.name,
            language=LANGUAGES[unknown[0]],
            languages=", ".join(LANGUAGES[code] for code in known),
        )


def decode_chunk(
    loaded: Loaded, read: Read, chunk: Chunk, options: Mapping[str, Any], longest: float = WINDOW
) -> tuple[list[Segment], int]:
    """Transcribe one chunk; return its segments in order, and how many were dropped.

    `read` gives the recording's sound. `options`: `task`, `beam_size`, `initial_prompt`,
    `hotwords`, and `language`, or the `languages` that may be spoken (none given: any) with
    `language` as what was spoken before. No more than `longest` seconds, nor than the model can
    take in, are heard at once. A chunk whose text fails is heard in halves, a stretch of
    speech without words once more; text over non-speech is dropped, as is a guess at a gap.
    """
    if not chunk.speech:
        return [], 0
    import ctranslate2

    ctranslate2.set_random_seed(_SEED)
    listener = _Listener(loaded, read, options)
    whole = Window(chunk.speech, chunk.start, chunk.end)
    again = options.get("eager", False)
    passages: list[_Passage] = []
    for window in whole.fitting(room(longest, hearing.longest_seconds(loaded)), read):
        for part, language, encoded in languages_of(loaded, read, window, options):
            passages += listener.listen(part, language, encoded, again)
            options = {**options, "language": language}
    sound = [passage for passage in passages if not (passage.again and _is_guess(passage.heard))]
    segments = _segments(loaded, sound)
    kept = [s for s in segments if speech_share(s.start, s.end, chunk.speech) >= MIN_SPEECH_SHARE]
    return kept, len(segments) - len(kept) + len(passages) - len(sound)


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


@dataclass(frozen=True, slots=True)
class _Listener:
    """A model that hears windows of one recording."""

    loaded: Loaded
    read: Read
    options: Mapping[str, Any]

    def listen(
        self, window: Window, language: str, encoded: Encoded | None = None, again: bool = False
    ) -> list[_Passage]:
        """Return what is said in a window: as a whole, in halves where that fails, and its gaps."""
        encoded = encoded or hearing.encode(self.loaded, window.samples(self.read))
        heard = hearing.hear(self.loaded, encoded, language, self.options)
        if heard.fails:
            if len(window.regions) > 1 or window.speech_seconds > _SHORT:
                return self.listen_in_halves(window, language, again)
            # no prompt either: a loop may come from it
            bare = {**self.options, "initial_prompt": None}
            heard = hearing.hear(self.loaded, encoded, language, bare, hearing.TEMPERATURES)
        words = place_words(heard.words, window)
        passages = [_Passage(heard, words, language, again)]
        for gap in gaps_of(window, words):
            if gap.speech_seconds < 0.8 * window.speech_seconds:
                passages += self.listen(gap, language, again=True)
            elif len(gap.regions) > 1:
                passages += self.listen_in_halves(gap, language, again=True)
        return passages

    def listen_in_halves(self, window: Window, language: str, again: bool) -> list[_Passage]:
        """Return what is said in each half of a window."""
        first, second = window.halves(self.read)
        return [
            *self.listen(first, language, again=again),
            *self.listen(second, language, again=again),
        ]


def _segments(loaded: Loaded, passages: Sequence[_Passage]) -> list[Segment]:
    """Return the segments of all passages in order of time.

    A passage that fills a gap of another one parts its words in two.
    """
    said = sorted(
        ((word, passage) for passage in passages for word in passage.words),
        key=lambda pair: pair[0].start,
    )
    return [
        _segment(loaded, passage, words)
        for passage, run in groupby(said, key=lambda pair: pair[1])
        for words in split_words([word for word, _ in run])
    ]


def _segment(loaded: Loaded, passage: _Passage, words: tuple[Word, ...]) -> Segment:
    heard = passage.heard
    return Segment(
        start=words[0].start,
        end=max(words[0].start, words[-1].end),
        text="".join(word.text for word in words),
        words=words,
        avg_logprob=heard.avg_logprob,
        no_speech_prob=heard.no_speech_prob,
        compression_ratio=heard.compression_ratio,
        temperature=heard.temperature,
        looping=heard.is_looping,
        language=passage.language,
        model=loaded.name,
        compute_type=loaded.compute_type,
    )


def _is_guess(heard: Heard) -> bool:
    """Tell whether the model was unsure of a text, of the whole or of its words."""
    return bool(heard.words) and (
        heard.avg_logprob < MIN_LOGPROB or heard.probability < MIN_PROBABILITY
    )
