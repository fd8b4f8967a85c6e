"""How much of the speech became text, and the gaps that did not, which can be decoded again.

A gap that is tried again is one more chunk of the job's plan, inside another one: what told it is
that the chunks of the plan itself never overlap. Nothing of the text that is there is touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from transcrevai_core.audio.speech import without_words
from transcrevai_core.errors import InputError
from transcrevai_core.library.rows import check_sound, chunk_row, requeue
from transcrevai_core.library.store import Store
from transcrevai_core.types import Chunk, Job, Region, Segment

_SLACK = 0.01  # seconds


@dataclass(frozen=True, slots=True)
class Gap:
    """Speech without words from `start` to `end`, in one or several regions.

    `state` tells whether it was tried again: not yet, about to be, or in vain.
    """

    start: float
    end: float
    speech: tuple[Region, ...]
    state: Literal["new", "waiting", "tried"] = "new"

    @property
    def seconds(self) -> float:
        """How long one speaks in it."""
        return sum(region.duration for region in self.speech)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Seconds of `speech` in what was decoded so far, and the gaps in order of time."""

    speech: float
    gaps: tuple[Gap, ...]

    @property
    def share(self) -> float:
        """Share (0 to 1) of the speech that is outside of gaps; 1.0 where there is no speech.

        >>> Coverage(8.0, (Gap(1.0, 3.0, (Region(1.0, 3.0),)),)).share
        0.75
        """
        missed = sum(gap.seconds for gap in self.gaps)
        return max(0.0, 1 - missed / self.speech) if self.speech else 1.0


def split(chunks: Sequence[Chunk]) -> tuple[list[Chunk], list[Chunk]]:
    """Part a job's chunks, in order of number, into those of its plan and those tried again.

    >>> plan, again = split([Chunk(0, 0, 9), Chunk(1, 9, 20), Chunk(2, 3, 5)])
    >>> [chunk.index for chunk in plan], [chunk.index for chunk in again]
    ([0, 1], [2])
    """
    planned: list[Chunk] = []
    again: list[Chunk] = []
    for chunk in chunks:
        inside = planned and chunk.start < planned[-1].end - _SLACK
        (again if inside else planned).append(chunk)
    return planned, again


def cover(
    chunks: Sequence[Chunk],
    segments: Sequence[Segment],
    unfinished: Sequence[Chunk] = (),
    longest: float = 30.0,
) -> Coverage:
    """Compare the speech of a job's chunks with its words; what is `unfinished` does not count.

    Bare stretches between which no word is said are one gap, of at most `longest` seconds.
    """
    left = {chunk.index for chunk in unfinished}
    planned, again = split(chunks)
    regions = [region for c in planned if c.index not in left for region in c.speech]
    spans = [span for segment in segments for span in _spans(segment)]
    gaps = [gap for group in without_words(regions, spans) for gap in _grouped(group, longest)]
    return Coverage(
        sum(region.duration for region in regions),
        tuple(Gap(g[0].start, g[-1].end, tuple(g), _state(g, again, left)) for g in gaps),
    )


def _spans(segment: Segment) -> Sequence[tuple[float, float]]:
    """Return where a segment's words are; the user's text stands for the whole of it."""
    if segment.edited is not None or not segment.words:
        return [(segment.start, segment.end)]
    return [(word.start, word.end) for word in segment.words]


def _grouped(stretches: Sequence[Region], longest: float) -> list[list[Region]]:
    groups: list[list[Region]] = []
    for stretch in stretches:
        if groups and stretch.end - groups[-1][0].start <= longest:
            groups[-1].append(stretch)
        else:
            groups.append([stretch])
    return groups


def _state(
    gap: Sequence[Region], again: Sequence[Chunk], left: set[int]
) -> Literal["new", "waiting", "tried"]:
    start, end = gap[0].start + _SLACK, gap[-1].end - _SLACK
    over = [chunk.index for chunk in again if chunk.start <= start and chunk.end >= end]
    return "new" if not over else "waiting" if left.intersection(over) else "tried"


# -- in the library ----------------------------------------------------------------------------


def of_job(store: Store, job_id: str, segments: Sequence[Segment] | None = None) -> Coverage:
    """Return the coverage of what is finished of a job.

    `segments` that were read in the same snapshot are not read again: words take long to parse.
    """
    with store.database.snapshot():
        unfinished, chunks = store.chunks(job_id, unfinished=True), store.chunks(job_id)
        if segments is None:
            segments = store.segments(job_id)
    return cover(chunks, segments, unfinished)


def transcribe_again(store: Store, job: Job, gaps: Sequence[Gap]) -> None:
    """Let an ended job go on with these gaps, in one transaction.

    Raises InputError where it has not ended, there is nothing to do, or its sound is gone.
    """
    asked = {(gap.start, gap.end) for gap in gaps}
    now = of_job(store, job.id).gaps  # whoever asks may have looked long ago
    wanted = [gap for gap in now if (gap.start, gap.end) in asked and gap.state != "waiting"]
    if not wanted:
        raise InputError("There is no gap in {title} to transcribe again.", title=job.title)
    check_sound(job, store.wav(job.id))
    with store.database.write() as db:
        most = db.execute("SELECT max(number) FROM chunks WHERE job = ?", (job.id,)).fetchone()[0]
        for number, gap in enumerate(wanted, most + 1):
            db.execute(
                'INSERT INTO chunks (job, number, "start", "end", speech) VALUES (?, ?, ?, ?, ?)',
                chunk_row(job.id, Chunk(number, gap.start, gap.end, gap.speech)),
            )
        if not requeue(db, job.id, job.options):
            raise InputError(
                "{title} is being worked on; its gaps can be asked for after it.", title=job.title
            )
