"""espeak-ng in this process, through ctypes: 16 kHz audio with word and phoneme times.

Binds ``libespeak-ng.so.1`` (Debian: libespeak-ng1 and espeak-ng-data), whose interface is
documented in espeak-ng's ``speak_lib.h``. The library keeps global state: one ``Espeak`` per
process is enough, and more would share their settings.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tools.demo_speech.grammar import Sentence, spoken

SAMPLE_RATE = 16_000

Audio = npt.NDArray[np.float32]

# From speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_PHONEME_EVENTS = 1
_EVENT_LIST_TERMINATED, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "range": 4, "word_gap": 7}
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # milliseconds
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


_SynthCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Span(NamedTuple):
    """A stretch of time, in seconds from the beginning of the utterance."""

    start: float
    end: float


class Phoneme(NamedTuple):
    """The beginning (seconds) of a phoneme and its espeak-ng name; pauses begin with ``_``."""

    start: float
    name: str


class Speech(NamedTuple):
    """One spoken sentence."""

    #: Samples in -1..1 at 16 kHz, ended shortly after the last sound.
    audio: Audio
    #: One span for each unit of the sentence.
    words: list[Span]
    phonemes: list[Phoneme]
    #: Seconds at which the last sound ends.
    end: float


class Espeak:
    """The synthesizer."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self._rate: int = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, 0, None, _INITIALIZE_PHONEME_EVENTS
        )
        if self._rate <= 0:
            raise OSError("espeak-ng cannot start: is espeak-ng-data installed?")
        self._pcm: list[npt.NDArray[np.int16]] = []
        self._words: list[tuple[float, int]] = []
        self._phonemes: list[Phoneme] = []
        # The library keeps only the address: the callback must live as long as this object.
        self._callback = _SynthCallback(self._collect)
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._pcm.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _EVENT_LIST_TERMINATED:
            event = events[index]
            seconds = event.audio_position / 1000
            if event.type == _EVENT_WORD:
                self._words.append((seconds, event.text_position))
            elif event.type == _EVENT_PHONEME:
                self._phonemes.append(Phoneme(seconds, event.id.decode("utf-8", "replace")))
            index += 1
        return 0

    def say(
        self,
        sentence: Sentence,
        voice: str,
        rate: int = 160,
        pitch: int = 50,
        pitch_range: int = 50,
        word_gap: int = 0,
    ) -> Speech:
        """Speaks a sentence: rate in words a minute, pitch and range 0-99, word_gap in 10 ms."""
        text = spoken(sentence)
        self._pcm, self._words, self._phonemes = [], [], []
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        settings = {
            "rate": rate,
            "volume": 100,
            "pitch": pitch,
            "range": pitch_range,
            "word_gap": word_gap,
        }
        for name, value in settings.items():
            self._library.espeak_SetParameter(_PARAMETERS[name], value, 0)
        data = text.encode() + b"\0"
        status = self._library.espeak_Synth(
            data, ctypes.c_size_t(len(data)), 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        if status != 0 or not self._pcm:
            raise RuntimeError(f"espeak-ng failed on {text!r} (status {status})")
        self._library.espeak_Synchronize()
        pcm = np.concatenate(self._pcm).astype(np.float32) / np.float32(32768)
        audio = resample(pcm, self._rate, SAMPLE_RATE)
        end = _sound_end(self._phonemes, 0.0, len(audio) / SAMPLE_RATE)
        words = _word_spans(sentence, self._words, self._phonemes, end)
        return Speech(audio[: round((end + 0.06) * SAMPLE_RATE)], words, self._phonemes, end)


def resample(audio: Audio, rate: int, new_rate: int) -> Audio:
    """Band-limited resampling by truncating the spectrum of the whole signal.

    Exact for a periodic signal; espeak-ng's utterances begin and end in silence, so that nothing
    is heard of the wrap-around.
    """
    if rate == new_rate:
        return audio.astype(np.float32)
    step = rate // np.gcd(rate, new_rate)
    padded = -(-(len(audio) + rate // 100) // step) * step
    new_length = padded // step * (new_rate // int(np.gcd(rate, new_rate)))
    spectrum = np.fft.rfft(audio, padded)[: new_length // 2 + 1]
    full = np.zeros(new_length // 2 + 1, spectrum.dtype)
    full[: len(spectrum)] = spectrum
    out = np.fft.irfft(full, new_length) * (new_length / padded)
    resampled: Audio = out[: round(len(audio) * new_rate / rate)].astype(np.float32)
    return resampled


def _sound_end(phonemes: list[Phoneme], start: float, stop: float) -> float:
    """Where the last sound that begins in start..stop ends; stop if there is none.

    Pauses between the sounds do not end it: espeak-ng marks short ones within words too.
    """
    following = [phoneme.start for phoneme in phonemes[1:]] + [stop]
    ends = [
        end
        for phoneme, end in zip(phonemes, following, strict=True)
        if start - 0.005 <= phoneme.start < stop - 0.005 and not phoneme.name.startswith("_")
    ]
    return ends[-1] if ends else stop


def _word_spans(
    sentence: Sentence, events: list[tuple[float, int]], phonemes: list[Phoneme], end: float
) -> list[Span]:
    """Spans of the units, from (seconds, character position) pairs of espeak-ng's word events."""
    first: list[int] = []  # position of every unit in the spoken text, counted from 1
    after_text = 1
    for unit in sentence:
        first.append(after_text)
        after_text += len(unit.spoken) + 1
    starts: list[float | None] = [None] * len(sentence)
    for seconds, position in sorted(events):
        index = max((i for i, p in enumerate(first) if p <= position), default=0)
        if starts[index] is None:
            starts[index] = seconds
    starts[0] = starts[0] or 0.0
    # Short words ("de", "a") may have no event of their own: spread them by their letters.
    known = [i for i, start in enumerate(starts) if start is not None]
    positions = [first[i] for i in known] + [after_text]
    seconds_known = [s for s in starts if s is not None] + [end]
    begin = np.interp(first, positions, seconds_known)
    spans = []
    for index, start in enumerate(begin.tolist()):
        following = float(begin[index + 1]) if index + 1 < len(begin) else end
        # A word before a pause ends where its sound does, not where the next word begins.
        stop = min(following, _sound_end(phonemes, start, following))
        spans.append(Span(start, max(start + 0.03, stop)))
    return spans
