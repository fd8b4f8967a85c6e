"""What is said in a recording, read from files: references, and hypotheses of other programs.

txt, srt, vtt, stm, rttm, and the program's own json.
"""

import json
import math
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from transcrevai_core.errors import InputError, refusal
from transcrevai_core.evaluation.annotation import Annotation, Utterance, in_order
from transcrevai_core.evaluation.captions import read_captions
from transcrevai_core.evaluation.labels import labelled
from transcrevai_core.evaluation.nist import read_rttm, read_stm
from transcrevai_core.types import Turn, Word

SUFFIXES = ("txt", "srt", "vtt", "stm", "rttm", "json")
# those that tell enough, the one that tells most first
WITH_TEXT, WITH_TURNS = ("stm", "json", "vtt", "srt", "txt"), ("rttm", "stm", "json")


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
    encoding = "utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
        if "\0" in text:  # UTF-16 that does not say so
            raise ValueError
    except ValueError:
        raise InputError(
            "{name} is no text in UTF-8; the same file saved as UTF-8 would be right.", name=name
        ) from None
    stem = recording_name(name)
    try:
        if kind in ("stm", "rttm"):
            found = read_stm(text) if kind == "stm" else read_rttm(text)
            return found if len(found) > 1 else {stem: next(iter(found.values()))}
        if kind in ("srt", "vtt"):
            return {stem: read_captions(text, kind)}
        return {stem: _txt(text) if kind == "txt" else _json(text)}
    except InputError as error:
        raise InputError("{name}: {reason}", name=name, reason=error.message) from None


def choose_recording(found: dict[str, Annotation], file: str, title: str) -> Annotation:
    """Return the recording of a file that is meant: its only one, or the one of that name."""
    if len(found) == 1:
        return next(iter(found.values()))
    wanted = recording_name(title)
    if wanted not in found:
        raise InputError(
            "{file} holds {number} recordings, and none of them is called {wanted}; a file of this "
            "one alone would be right.",
            file=file,
            number=len(found),
            wanted=wanted,
        )
    return found[wanted]


def _txt(text: str) -> Annotation:
    """Read one utterance a line; names before a colon are speakers as `labels` says."""
    return Annotation(labelled([Utterance(line) for line in text.splitlines() if line.strip()]))


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
    return replace(in_order(said, ()), turns=turns or None)


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
