"""What a report of a meeting is made of: plain values in the reader's language, for any writer."""

from dataclasses import dataclass

from transcrevai_core.types import Turn


@dataclass(frozen=True, slots=True)
class Moment:
    """A time (seconds) that leads to its passage, and to the sound where there is an address."""

    start: float
    passage: int


@dataclass(frozen=True, slots=True)
class Speaker:
    """A participant: the label has the colour, the name is shown, the number is in the picture."""

    label: str
    name: str
    number: int


Cell = str | Speaker | tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A table under a heading; where it has no rows, `empty` says so."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody noted beside a text; `author` may be empty."""

    text: str
    author: str


@dataclass(frozen=True, slots=True)
class Passage:
    """What one speaker says in one go."""

    moment: Moment
    end: float
    speaker: Speaker | None
    text: str
    notes: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """The picture of who speaks when: a lane a speaker, with the turns (seconds) on it."""

    heading: str
    alt: str
    end: float
    lanes: tuple[tuple[Speaker, tuple[Turn, ...]], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that the writers lay out; `address` is the app's page of the transcript, or empty."""

    title: str
    language: str
    facts: tuple[tuple[str, str], ...]
    timeline: Timeline | None
    sections: tuple[Section, ...]
    heading: str
    passages: tuple[Passage, ...]
    listen_label: str
    address: str = ""

    def link(self, moment: Moment) -> str:
        """Return the address where the app plays a moment."""
        return f"{self.address}&t={moment.start:.2f}"
