"""The words of the field, as frozen values. Times are float seconds from the recording's start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from transcrevai_core.messages import NOTHING, Message

if TYPE_CHECKING:
    from pandas import DataFrame
    from plotly.graph_objects import Figure

SAMPLE_RATE = 16_000
WAV_HEADER_BYTES = 44

JobState = Literal["queued", "preparing", "transcribing", "done", "failed", "cancelled"]
ACTIVE_STATES: tuple[JobState, ...] = ("queued", "preparing", "transcribing")


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of speech found by voice activity detection.

    >>> Region(1.0, 2.5).duration
    1.5
    """

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch in which one speaker speaks, as RTTM means it; turns may overlap.

    >>> Turn(1.0, 2.5, "SPEAKER_00").duration
    1.5
    """

    start: float
    end: float
    speaker: str

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is decoded at once: from `start` to `end`, with the speech regions inside it."""

    index: int
    start: float
    end: float
    speech: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """One word as Whisper aligned it; `text` keeps its leading space, as Whisper writes it."""

    start: float
    end: float
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text as Whisper means it, with what made it.

    `edited` is the user's text, `text` stays what the model wrote; `note`, by whom and when (Unix
    time), and `highlighted` are the user's too. `continues` says that it was one with the segment
    before until two speakers were heard in it. `id` is the store's number.
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    speaker: str | None = None
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    compression_ratio: float = 0.0
    temperature: float = 0.0
    looping: bool = False
    language: str | None = None
    model: str = ""
    compute_type: str = ""
    continues: bool = False
    edited: str | None = None
    note: str = ""
    noted_by: str = ""
    noted_at: float | None = None
    highlighted: bool = False
    id: int | None = None

    @property
    def uncertain(self) -> bool:
        """Whether chance had to help, and what came of it is a guess all the same."""
        return is_uncertain(self.temperature, self.avg_logprob)

    @property
    def final_text(self) -> str:
        """What the user made of the text, else what the model wrote."""
        return self.text if self.edited is None else self.edited


def is_uncertain(temperature: float, avg_logprob: float) -> bool:
    """Tell whether a text was drawn by chance and is improbable (Radford et al. 2022, 4.5)."""
    return temperature > 0 and avg_logprob < -1.0


@dataclass(frozen=True, slots=True)
class Media:
    """What a recording says of itself before it is read.

    `duration` in s, None where it is not stated; `languages` has a code for each sound track,
    empty where the file names none.
    """

    duration: float | None
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What decoding found out about a recording; `digest` is the SHA-256 of its 16 kHz PCM.

    `notes` say which sound is missing; `doubts` what may be the reason where no speech is found.
    """

    duration: float
    digest: str
    notes: tuple[Message, ...] = ()
    doubts: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the store holds of a recording: its segments in order of time, and how they came.

    `turns` is who spoke when, as far as known; `names` the display names that the user gave to
    speakers' labels; `diarization` how the turns were found (see `Job`).
    """

    title: str
    duration: float
    language: str | None
    language_probability: float | None
    model: str
    compute_type: str
    segments: tuple[Segment, ...]
    job_id: str = ""
    digest: str = ""
    device: str = "cpu"
    notes: tuple[Message, ...] = ()
    dropped_segments: int = 0
    turns: tuple[Turn, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    diarization: Mapping[str, Any] = field(default_factory=dict)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Labels of all who speak, in order of first speech."""
        first: dict[str, float] = {}
        known = [(turn.speaker, turn.start) for turn in self.turns]
        known += [(s.speaker, s.start) for s in self.segments if s.speaker]
        for label, start in known:
            first[label] = min(start, first.get(label, start))
        return tuple(sorted(first, key=lambda label: (first[label], label)))

    @property
    def text(self) -> str:
        """The whole text, edits included, one segment a line."""
        return "\n".join(segment.final_text.strip() for segment in self.segments)

    # the modules that draw it are imported only when a notebook asks for them

    def _repr_html_(self) -> str:
        from transcrevai_core import notebook

        return notebook.as_html(self)

    def to_frame(self, rows: Literal["segments", "words", "turns"] = "segments") -> "DataFrame":
        """Return the segments, words or turns as a data frame; see `views.as_frame`."""
        from transcrevai_core import notebook

        return notebook.as_frame(self, rows)

    def timeline(self) -> "Figure":
        """Draw who speaks when, one lane a speaker; see `figures.timeline`."""
        from transcrevai_core import notebook

        return notebook.timeline(self)


@dataclass(frozen=True, slots=True)
class Job:
    """One recording on its way to a transcript, as the store knows it.

    `fingerprint` tells whether the file at `source` is still the one that was added.
    `progress` is the finished share of the present stage (0 to 1); `started` and `updated` are
    Unix times; `seconds` is the processing time spent so far, over all attempts. `diarization`
    says how the turns were found, and is empty where they were not: the settings, and what came
    of them (see `diarization.pipeline.Diarization`). `session` tells who asked, for a fair queue;
    `forecast` is the predicted peak of the whole program, in bytes; `project` what it is in.
    """

    id: str
    title: str
    source: Path
    fingerprint: str
    state: JobState
    options: dict[str, Any]
    created: float
    updated: float
    started: float | None = None
    seconds: float = 0.0
    stage: Message = NOTHING
    progress: float = 0.0
    duration: float | None = None
    digest: str = ""
    language: str | None = None
    language_probability: float | None = None
    model: str = ""
    compute_type: str = ""
    device: str = ""
    error: Message = NOTHING
    notes: tuple[Message, ...] = ()
    dropped_segments: int = 0
    diarization: dict[str, Any] = field(default_factory=dict)
    owner: str | None = None
    cancel_requested: bool = False
    session: str = ""
    forecast: int = 0
    project: str = ""
