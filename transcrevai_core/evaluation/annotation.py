"""What is said in a recording, by whom and when, as far as a file or the library tells."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from transcrevai_core.types import Region, Transcript, Turn, Word


@dataclass(frozen=True, slots=True)
class Utterance:
    """What someone says; None where the file does not tell when or who. Times in seconds."""

    text: str
    start: float | None = None
    end: float | None = None
    speaker: str | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is said in a recording; None is what its file does not tell.

    `unscored`: stretches that the file wants to be left out.
    """

    utterances: tuple[Utterance, ...] | None = None
    turns: tuple[Turn, ...] | None = None
    unscored: tuple[Region, ...] = field(default=())

    @property
    def text(self) -> str:
        """All that is said, in order of time where that is known."""
        return "\n".join(utterance.text for utterance in self.utterances or ())

    @property
    def speakers(self) -> dict[str, str]:
        """What each speaker says; words of unknown speakers have an empty name.

        Empty where nobody is known at all.
        """
        found: dict[str, list[str]] = {}
        for utterance in self.utterances or ():
            found.setdefault(utterance.speaker or "", []).append(utterance.text)
        return {name: "\n".join(said) for name, said in found.items()} if set(found) - {""} else {}

    def without(self, regions: Sequence[Region]) -> "Annotation":
        """Leave out the words whose middle is in one of `regions`; those without times stay."""
        if not regions or self.utterances is None:
            return self

        def is_in(start: float, end: float) -> bool:
            return any(region.start <= (start + end) / 2 < region.end for region in regions)

        kept = []
        for said in self.utterances:
            if said.words:
                words = [word for word in said.words if not is_in(word.start, word.end)]
                kept.append(replace(said, text="".join(word.text for word in words)))
            elif said.start is None or said.end is None or not is_in(said.start, said.end):
                kept.append(said)
        return replace(self, utterances=tuple(kept))


def from_transcript(transcript: Transcript, *, edited: bool = False) -> Annotation:
    """Return what the library holds of a recording: what the model wrote, and who speaks.

    With `edited` the text is what the user made of it.
    """
    utterances = tuple(
        Utterance(
            segment.final_text if edited else segment.text,
            segment.start,
            segment.end,
            segment.speaker,
            segment.words if not edited or segment.edited is None else (),
        )
        for segment in transcript.segments
    )
    has_text = bool(utterances or transcript.model)
    return Annotation(utterances if has_text else None, transcript.turns or None)


def in_order(said: Iterable[Utterance], unscored: Iterable[Region]) -> Annotation:
    """Put utterances in order of time; each is a turn of its speaker too."""
    ordered = tuple(sorted(said, key=lambda one: (one.start or 0.0, one.end or 0.0)))
    turns = tuple(Turn(one.start or 0.0, one.end or 0.0, one.speaker or "") for one in ordered)
    return Annotation(ordered, turns, tuple(unscored))
