"""Praat's TextGrid and ELAN's EAF, written through pympi: a tier a speaker.

Tiers are named after speakers; in both programs the intervals of one tier may not overlap. They
are Cues here, because subtitles follow the same rule.
"""

import tempfile
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from transcrevai_core.errors import StorageError, refusal
from transcrevai_core.export.cues import Cue, segment_texts, without_overlap
from transcrevai_core.export.nist import timed_words
from transcrevai_core.transcript.names import clean
from transcrevai_core.types import Transcript


def write_textgrid(transcript: Transcript, edited: bool) -> str:
    """Write Praat's long text format: a tier a speaker, then one of all words.

    Tiers reach from 0 to the recording's end. Raises StorageError where no temporary file can be
    written, because pympi writes to a path only.
    """
    from pympi.Praat import TextGrid  # here, because only this needs it

    tiers = _tiers(transcript, edited)
    tiers[_unused("words", tiers)] = without_overlap(
        cue
        for word in timed_words(transcript, edited)
        for cue in _cues(word.start, word.end, word.text)
    )
    ends = [cue.end for cues in tiers.values() for cue in cues]
    grid = TextGrid(xmax=max([1, round(transcript.duration * 1000), *ends]) / 1000)
    for name, cues in tiers.items():
        tier = grid.add_tier(name.replace('"', '""'))  # pympi does this to texts only
        latest = 0
        for cue in cues:
            # Pauses are intervals too. pympi would find them, and overlaps, but in time that
            # grows with the square of the length.
            if latest < cue.start:
                tier.add_interval(latest / 1000, cue.start / 1000, "", check=False)
            tier.add_interval(cue.start / 1000, cue.end / 1000, cue.lines[0], check=False)
            latest = cue.end
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "transcript.TextGrid")
            grid.to_file(str(path))
            return path.read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(
            "A temporary file could not be written: {reason}.", reason=refusal(error)
        ) from None


def write_eaf(transcript: Transcript, edited: bool) -> str:
    """Write ELAN's format, times in milliseconds: a tier a speaker, who is its participant.

    The recording is looked for beside the file, under the transcript's title.
    """
    from pympi.Elan import Eaf, to_string

    eaf = Eaf(author="TranscrevAI")
    eaf.remove_tier("default")
    # pympi writes time zones of half hours wrongly
    eaf.adocument["DATE"] = datetime.now().astimezone().isoformat(timespec="seconds")
    eaf.header = {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    if media := clean(transcript.title).replace("/", "_").replace("\\", "_"):
        eaf.add_linked_file(f"./{media}", f"./{media}", "audio/x-wav")
    for name, cues in _tiers(transcript, edited).items():
        eaf.add_tier(name, part=name if name in transcript.names else None)
        for cue in cues:
            eaf.add_annotation(name, cue.start, cue.end, cue.lines[0])
    eaf.properties = [("lastUsedAnnotationId", eaf.maxaid)]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{to_string(eaf)}'


def _tiers(transcript: Transcript, edited: bool) -> dict[str, list[Cue]]:
    """Give each speaker's texts under the name, and those of nobody under "text"."""
    tiers: dict[str, list[Cue]] = {name: [] for name in transcript.names}
    nobody: list[Cue] = []
    for segment, text in segment_texts(transcript, edited):
        tier = tiers[segment.speaker] if segment.speaker else nobody
        tier += _cues(segment.start, segment.end, text)
    if nobody or not tiers:
        tiers[_unused("text", tiers)] = nobody
    return {name: without_overlap(cues) for name, cues in tiers.items()}


def _cues(start: float, end: float, text: str) -> list[Cue]:
    text = clean(text)
    first = max(0, round(start * 1000))
    return [Cue(first, max(first, round(end * 1000)), (text,))] if text else []


def _unused(name: str, taken: Collection[str]) -> str:
    """Give `name`, with underscores after it as long as a speaker has it."""
    while name in taken:
        name += "_"
    return name
