"""What is said in a recording, read from files: references, and hypotheses of other programs.

txt, srt, vtt, stm, rttm, and the program's own json.
"""

import html
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from transcrevai_core.errors import InputError, refusal
from transcrevai_core.transcript.rttm import parse_rttm
from transcrevai_core.types import Region, Transcript, Turn, Word

SUFFIXES = ("txt", "srt", "vtt", "stm", "rttm", "json")
# those that tell enough, the one that tells most first
WITH_TEXT, WITH_TURNS = ("stm", "json", "vtt", "srt", "txt"), ("rttm", "stm", "json")

_IGNORED = "ignore_time_segment_in_scoring"
_GAP = "inter_segment_gap"
# `Ana: `, `SPEAKER_00: `, `Dr. João Silva: `
_LABEL = re.compile(r"\s*([^\W\d][^:!?\n]{0,39}):\s+")
_VOICE = re.compile(r"<v(?:\.[^ >]*)?\s+([^>]*)>")
_CUE = re.compile(r"^[^\n]*-->.*?(?=\n[ \t]*\n|\Z)", re.DOTALL | re.MULTILINE)
_TAG = re.compile(r"<[^>]*>")


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


def recording_name(name: str) -> str:
    """Return the name under which references know a recording with this file name or title.

    >>> recording_name("talks/Ata de maio.wav")
    'Ata_de_maio'
    """
    return "_".join(Path(name).stem.split())


def read(path: Path) -> dict[str, Annotation]:
    """Read a file as `parse` does its content."""
    try:
        return parse(str(path), path.read_bytes())
    except OSError as error:
        raise InputError(
            "{path} cannot be read ({reason}).", path=str(path), reason=refusal(error)
        ) from None


def parse(name: str, data: bytes, kind: str = "") -> dict[str, Annotation]:
    """Return what a file tells, by recording; its name says of which `kind` it is, if nobody does.

    A recording is named by its file, or by the name inside where a file (stm, rttm) holds
    several; spaces in names are underscores. Raises InputError with one sentence.
    """
    kind = kind or Path(name).suffix.lower().removeprefix(".")
    if kind not in SUFFIXES:
        raise InputError(
            "{name} is in no format that is read here; {formats} or {last} would be right.",
            name=name, formats=", ".join(SUFFIXES[:-1]), last=SUFFIXES[-1],
        )  # fmt: skip
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            "{name} is no text in UTF-8; the same file saved as UTF-8 would be right.", name=name
        ) from None
    stem = recording_name(name)
    try:
        if kind in ("stm", "rttm"):
            found = _stm(text) if kind == "stm" else _rttm(text)
            return found if len(found) > 1 else {stem: next(iter(found.values()))}
        if kind in ("srt", "vtt"):
            return {stem: _cues(text, kind)}
        return {stem: _txt(text) if kind == "txt" else _json(text)}
    except InputError as error:
        raise InputError("{name}: {reason}", name=name, reason=error.message) from None


def _txt(text: str) -> Annotation:
    """Read one utterance a line; names count as speakers where every line begins with one."""
    return Annotation(_labelled([Utterance(line) for line in text.splitlines() if line.strip()]))


def _labelled(utterances: Sequence[Utterance]) -> tuple[Utterance, ...]:
    """Take `Name: ` for the speaker where each of two or more utterances begins so."""
    matches = [_LABEL.match(utterance.text) for utterance in utterances]
    if len(matches) < 2 or not all(matches):
        return tuple(utterances)
    return tuple(
        replace(utterance, text=utterance.text[match.end() :], speaker=match[1].strip())
        for utterance, match in zip(utterances, matches, strict=True)
        if match
    )


def _cues(text: str, kind: str) -> Annotation:
    """Read subtitles; the ends of cues are for reading, so they tell no turns."""
    from pysubs2 import SSAFile
    from pysubs2.exceptions import Pysubs2Error

    try:
        spoken = _cues_alone(text) if kind == "vtt" else text
        cues = SSAFile.from_string(spoken, format_=kind, keep_html_tags=True)
    except (Pysubs2Error, ValueError):
        cues = SSAFile()
    if text.strip().removeprefix("WEBVTT").strip() and not len(cues):
        raise InputError(
            "The file holds no cue; a line 00:00:01{point}000 --> 00:00:02{point}000 with text "
            "below it would be right.",
            point="," if kind == "srt" else ".",
        )
    found = []
    for cue in sorted(cues, key=lambda cue: (cue.start, cue.end)):
        line = cue.text.replace(r"\N", " ")
        # several voices may speak in a cue, each from its tag on
        for part in re.split(r"(?=<v[.\s])", line) if kind == "vtt" else [line]:
            voice = _VOICE.match(part) if kind == "vtt" else None
            said = html.unescape(_TAG.sub("", part))
            name = html.unescape(voice[1]).strip() if voice else None
            if said.strip():
                found.append(Utterance(said, cue.start / 1000, cue.end / 1000, name or None))
    return Annotation(_labelled(found) if kind == "srt" else tuple(found))


def _cues_alone(text: str) -> str:
    """Leave out of WebVTT what nobody says: its head, notes, styles and the names of cues."""
    return "\n\n".join(_CUE.findall("\n".join(text.splitlines())))


def _stm(text: str) -> dict[str, Annotation]:
    """Read NIST's segment time marks: `recording channel speaker start end [<label>] text`."""
    said: dict[str, list[Utterance]] = {}
    unscored: dict[str, list[Region]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith(";;"):
            continue
        fields = line.split(maxsplit=5)
        try:
            start, end = float(fields[3]), float(fields[4])
            if not (math.isfinite(start) and start <= end < math.inf):
                raise ValueError
        except (IndexError, ValueError):
            raise InputError(
                "Line {number} of the STM is broken; recording channel speaker start end <label> "
                "text would be right.", number=number,
            ) from None  # fmt: skip
        words = re.sub(r"^<[^>]*>\s*", "", fields[5]) if len(fields) > 5 else ""
        if re.search(r"\{.*/.*\}", words):
            raise InputError(
                "Line {number} of the STM offers alternatives in braces, which cannot be scored; "
                "one text would be right.", number=number,
            )  # fmt: skip
        name, speaker = fields[0], fields[2]
        mine = said.setdefault(name, [])
        if words.strip().lower() == _IGNORED or speaker.lower() == _GAP:
            unscored.setdefault(name, []).append(Region(start, end))
        else:
            mine.append(Utterance(words, start, end, speaker))
    if text.strip() and not said:
        raise InputError("The STM holds comments only; a line for each utterance would be right.")
    return {name: _annotation(found, unscored.get(name, ())) for name, found in said.items()} or {
        "": Annotation((), ())
    }


def _annotation(said: Iterable[Utterance], unscored: Iterable[Region]) -> Annotation:
    ordered = tuple(sorted(said, key=lambda one: (one.start or 0.0, one.end or 0.0)))
    turns = tuple(Turn(one.start or 0.0, one.end or 0.0, one.speaker or "") for one in ordered)
    return Annotation(ordered, turns, tuple(unscored))


def _rttm(text: str) -> dict[str, Annotation]:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    names = dict.fromkeys(line[1] for line in lines if line[0] == "SPEAKER" and line[1:])
    if len(names) > 1:
        return {name: Annotation(turns=tuple(parse_rttm(text, name))) for name in names}
    turns = tuple(parse_rttm(text))
    if lines and not turns:
        raise InputError(
            "The file holds no turn; SPEAKER name 1 start duration <NA> <NA> speaker would be "
            "right."
        )
    return {"": Annotation(turns=turns)}


def _json(text: str) -> Annotation:
    """Read a transcript as `export.as_dict` shapes it, or as openai/whisper does."""
    try:
        whole = json.loads(text)
        said = [_utterance(segment) for segment in whole["segments"]]
        turns = tuple(
            Turn(_time(turn["start"]), _time(turn["end"]), str(turn["speaker"]))
            for turn in whole.get("turns", ())
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InputError(
            "The file is no transcript in JSON; one that was exported here would be right."
        ) from None
    return replace(_annotation(said, ()), turns=turns or None)


def _time(value: Any) -> float:
    """Return a time; raises ValueError for one that is no moment at all."""
    if not math.isfinite(seconds := float(value)):
        raise ValueError
    return seconds


def _utterance(segment: Mapping[str, Any]) -> Utterance:
    words = segment.get("words") or ()
    if "original_text" in segment or not all("start" in word and "end" in word for word in words):
        words = ()  # they are not the text, or some have no time
    speaker = segment.get("speaker")
    return Utterance(
        str(segment["text"]),
        _time(segment["start"]),
        _time(segment["end"]),
        None if speaker is None else str(speaker),
        tuple(
            Word(_time(w["start"]), _time(w["end"]), str(w["word"]), w.get("probability") or 0.0)
            for w in words
        ),
    )
