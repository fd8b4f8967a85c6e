"""The speakers of one recording, from sound to turns.

speech probabilities -> regions -> windows -> voice vectors     embed_recording: slow, once
vectors -> clusters -> count -> small ones absorbed             grouping.group: quick, repeatable
windows' speakers -> frames' speakers -> turns                  windows_to_turns
"""

import itertools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from transcrevai_core.audio import pcm, speech, vad
from transcrevai_core.diarization import counting, overlap, resegmentation, segmentation
from transcrevai_core.diarization.counting import Count, corrected
from transcrevai_core.diarization.embeddings.extractors import Embedding, load
from transcrevai_core.diarization.embeddings.features import FRAMES_PER_SECOND, Features, Read
from transcrevai_core.diarization.embeddings.windows import plan_windows, vote
from transcrevai_core.diarization.grouping import ClusterInput, Grouping, group
from transcrevai_core.diarization.recipes import RECIPES, Recipe
from transcrevai_core.i18n import mark
from transcrevai_core.messages import Message
from transcrevai_core.transcript.turns import joined
from transcrevai_core.types import SAMPLE_RATE, Region, Turn

_LONGEST_REGION = 600.0  # seconds: what is divided at once
_SILERO = 0.6  # how much it counts beside the segmentation: conversations and meetings agree on it
_MOST_WINDOWS = 40_000  # 2.8 hours of speech at 0.25 s


@dataclass(frozen=True)
class Voices:
    """The voice vectors of a recording: enough to cluster it again without its sound."""

    regions: tuple[Region, ...]
    windows: np.ndarray  # (windows, 2) seconds
    vectors: np.ndarray  # (windows, dims)
    between: np.ndarray | None  # between-speaker variances, (dims,), where the embedding knows
    two: np.ndarray | None = None  # how likely two speak, (frames of `segmentation`,), if asked

    @cached_property
    def cluster_input(self) -> ClusterInput:
        """What is clustered, with all that clusterings by other settings have in common."""
        return ClusterInput(self.vectors, self.windows, self.between)

    def save(self, path: Path) -> None:
        """Write the arrays; a reader never meets half a file."""
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        spans = np.array([(r.start, r.end) for r in self.regions]).reshape(-1, 2)
        between = np.zeros(0) if self.between is None else self.between
        two = np.zeros(0) if self.two is None else self.two
        try:
            with part.open("wb") as file:
                np.savez(
                    file, regions=spans, windows=self.windows, vectors=self.vectors,
                    between=between, two=two,
                )  # fmt: skip
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> "Voices":
        """Read what `save` wrote."""
        with np.load(path) as stored:
            regions = tuple(Region(float(a), float(b)) for a, b in stored["regions"])
            between, two = stored["between"], stored["two"]
            return cls(
                regions,
                stored["windows"],
                stored["vectors"],
                between if len(between) else None,
                two if len(two) else None,
            )


@dataclass(frozen=True)
class Diarization:
    """Who speaks when, in order of time; speakers are SPEAKER_00 ... in order of first speech.

    `absorbed` is how many phantom speakers, with too little speech to be believed, were given
    to the others; `why` says how the voices were clustered.
    """

    turns: tuple[Turn, ...]
    count: Count
    absorbed: int
    why: Message


def diarize(
    wav: Path,
    *,
    speakers: int | tuple[int, int] = (1, 6),
    recipe: Recipe = RECIPES["voice"],
    on_progress: Callable[[float], None] = lambda done: None,
) -> Diarization:
    """Find who speaks when in a file that `audio.decode` wrote.

    `speakers` is their number, or the fewest and most there may be. `on_progress` receives the
    finished share (0 to 1). Raises SettingError for a number out of range.
    """
    counting.check_range(speakers)
    voices = embed_recording(wav, recipe, on_progress=lambda done: on_progress(0.9 * done))
    found = cluster(voices, speakers, recipe, reader(wav))
    on_progress(1.0)
    return found


def embed_recording(
    wav: Path,
    recipe: Recipe,
    *,
    probabilities: Iterable[np.ndarray] | None = None,
    on_progress: Callable[[float], None] = lambda done: None,
) -> Voices:
    """Return the voice vectors of the speech in a file: the slow part, done once.

    `probabilities` of speech, block by block, are found where they are not given.
    """
    if probabilities is None:
        blocks = pcm.blocks(wav, vad.BLOCK_SECONDS, on_progress=lambda done: on_progress(done / 2))
        probabilities = vad.speech_probabilities(blocks)
    read, two = reader(wav), None
    if recipe.overlap:
        seconds = pcm.samples_in(wav) / SAMPLE_RATE
        quarter = lambda done: on_progress(0.5 + done / 4)  # noqa: E731
        speech_there, two = segmentation.activity(read, seconds, on_progress=quarter).T
        probabilities = [agreed(np.concatenate(list(probabilities)), speech_there)]
    regions = find_regions(probabilities, recipe)
    embedding = load(recipe.embedding)
    found = embed_regions(read, regions, embedding, window=recipe.window, hop=recipe.hop)
    on_progress(1.0)
    return replace(found, two=None if two is None else two.astype(np.float16))


def agreed(silero: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """Return what two networks think together of where speech is, a frame each 32 ms.

    Silero is surer of where speech begins and ends, the segmentation hears what is far away.
    """
    times = (np.arange(len(silero)) + 0.5) * vad.FRAME_SECONDS
    return _SILERO * silero + (1.0 - _SILERO) * segmentation.at(heard, times)


def reader(wav: Path) -> Read:
    """Return `pcm.read` with the file filled in."""
    return lambda start, end: pcm.read(wav, start, end)


def cluster(
    voices: Voices,
    speakers: int | tuple[int, int],
    recipe: Recipe,
    read: Read,
    features: Features | None = None,
) -> Diarization:
    """Return who speaks when, from voice vectors: the quick part, done whenever settings change.

    The sound is read again only where the recipe resegments, and `features` of it were not kept.
    """
    fewest, most = counting.check_range(speakers)
    if not len(voices.windows):
        nobody = Count(0, 1.0, None, mark("no speech"))
        return Diarization((), nobody, 0, Message("no speech was found"))
    grouping = group(voices.cluster_input, fewest, most, recipe)
    turns = tuple(windows_to_turns(voices, grouping, recipe, read, features))
    count = corrected(grouping.count, len({turn.speaker for turn in turns}))
    return Diarization(turns, count, grouping.absorbed, grouping.why)


def find_regions(probabilities: Iterable[np.ndarray], recipe: Recipe) -> list[Region]:
    """Return the regions of speech in which speakers are sought, as the recipe wants them."""
    return speech.find_regions(
        probabilities,
        threshold=recipe.vad_threshold,
        min_silence=recipe.min_silence,
        min_speech=recipe.min_speech,
        pad=recipe.pad,
        max_region=_LONGEST_REGION,
    )


def embed_regions(
    read: Read,
    regions: Iterable[Region],
    embedding: Embedding,
    *,
    window: float | None = None,
    hop: float | None = None,
) -> Voices:
    """Return the voice vectors of speech regions, with the embedding's own windows or others.

    Steps are at most half a window.
    """
    regions = tuple(regions)
    spoken = sum(region.duration for region in regions)
    # coarser steps in very long recordings, so that memory stays bounded
    length = window or embedding.window
    hop = min(max(hop or embedding.hop, spoken / _MOST_WINDOWS), length / 2)
    windows = plan_windows(regions, length, hop)
    vectors = np.zeros((0, 1), np.float32)
    if len(windows):
        vectors = embedding.embed(read, regions, windows)
    return Voices(regions, windows, vectors, embedding.between)


def windows_to_turns(
    voices: Voices,
    grouping: Grouping,
    recipe: Recipe,
    read: Read,
    features: Features | None = None,
) -> list[Turn]:
    """Turn the windows' speakers into turns, in order of time."""
    step = 1.0 / FRAMES_PER_SECOND
    spans = [
        (round(r.start * FRAMES_PER_SECOND), round(r.end * FRAMES_PER_SECOND))
        for r in voices.regions
    ]
    weights = np.eye(grouping.count.number)[grouping.labels]
    votes = []
    starts = voices.windows[:, 0]
    for region, (first, last) in zip(voices.regions, spans, strict=True):
        a, b = np.searchsorted(starts, [region.start - 1e-6, region.end - 1e-6])
        votes.append(vote(voices.windows[a:b], weights[a:b], first, last, step))
    if voices.two is None:
        labels = [found.argmax(axis=1).astype(np.int8) for found in votes]  # 100 of these a second
    else:
        labels = overlap.decide(votes)
    if recipe.resegment_rounds:
        features = features or Features(read, voices.regions)
        for _ in range(recipe.resegment_rounds):
            labels = resegmentation.resegment(features, spans, labels, recipe.switch)
            labels = [resegmentation.smooth(found) for found in labels]
    if shortest := round(recipe.min_turn * FRAMES_PER_SECOND):
        labels = [resegmentation.smooth(found, shortest) for found in labels]
    names: dict[int, str] = {}
    turns = name_turns(voices.regions, labels, names)
    if voices.two is not None and len(names) > 1:
        frames = (np.arange(spans[-1][1]) + 0.5) * step
        both = segmentation.at(voices.two, frames) >= overlap.BOTH
        beside = overlap.second_speakers(spans, labels, both)
        turns = joined([*turns, *name_turns(voices.regions, beside, names)])
    return turns


def name_turns(
    regions: Iterable[Region], labels: Iterable[np.ndarray], names: dict[int, str]
) -> list[Turn]:
    """Make a turn of every run of one label but `overlap.NOBODY`.

    `names` are those of labels so far; others get theirs in order of first speech.
    """
    turns = []
    for region, found in zip(regions, labels, strict=True):
        edges = [0, *(np.flatnonzero(np.diff(found)) + 1).tolist(), len(found)]
        for a, b in itertools.pairwise(edges):
            if a == b or found[a] == overlap.NOBODY:
                continue
            name = names.setdefault(int(found[a]), f"SPEAKER_{len(names):02d}")
            start = region.start if a == 0 else region.start + a / FRAMES_PER_SECOND
            end = region.end if b == len(found) else region.start + b / FRAMES_PER_SECOND
            turns.append(Turn(round(start, 3), round(end, 3), name))
    return turns
