"""The formats without subtitle cues: plain text, tab-separated values and JSON."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from transcrevai_core.export.cues import segment_texts
from transcrevai_core.messages import load
from transcrevai_core.transcript.certainty import with_margin
from transcrevai_core.transcript.names import AFTER_NAME, one_line, speaker_turns, with_names
from transcrevai_core.transcript.turns import clock, exclusive, talk_times
from transcrevai_core.types import Segment, Transcript, Turn


def write_txt(transcript: Transcript, edited: bool) -> str:
    """Write one segment a line, after `Name: ` (see AFTER_NAME) where it has a speaker."""
    lines = []
    for segment, text in segment_texts(transcript, edited):
        speaker = one_line(segment.speaker or "")
        lines.append(f"{speaker}{AFTER_NAME}{text}\n" if speaker else f"{text}\n")
    return "".join(lines)


def as_text(transcript: Transcript, *, times: bool, speakers: bool, edited: bool) -> str:
    """Give the text to be read or pasted, a paragraph for all that one speaker says in one go.

    A paragraph begins with its time in brackets and its speaker's name where they are asked for;
    what nobody is known to say has one for each segment.
    """
    said: list[tuple[Segment, list[str]]] = []
    for segment, text in segment_texts(transcript, edited):
        if said and segment.speaker and segment.speaker == said[-1][0].speaker:
            said[-1][1].append(text)
        else:
            said.append((segment, [text]))
    paragraphs = []
    for segment, pieces in said:
        begin = [f"[{clock(segment.start)}]"] if times else []
        begin += [f"{one_line(segment.speaker)}:"] if speakers and segment.speaker else []
        paragraphs.append(" ".join([*begin, *pieces]))
    return "\n\n".join(paragraphs)


def write_tsv(transcript: Transcript, edited: bool) -> str:
    """Write start and end in whole milliseconds and the text, as openai/whisper does.

    Nothing is quoted, as there: quotation marks belong to the text.
    """
    rows = [
        f"{round(segment.start * 1000)}\t{round(segment.end * 1000)}\t{text}\n"
        for segment, text in segment_texts(transcript, edited)
    ]
    return "start\tend\ttext\n" + "".join(rows)


def write_json(transcript: Transcript, edited: bool) -> str:
    """Write `as_dict` as JSON, letters with accents as they are."""
    return json.dumps(_shape(transcript, edited), ensure_ascii=False, indent=2) + "\n"


def as_dict(transcript: Transcript, *, edited: bool = True) -> dict[str, Any]:
    """Give the transcript in the shape of openai/whisper's result, with a few keys of ours.

    Ours are title, duration (seconds), model, compute_type, language_probability, notes,
    dropped_segments, digest, speakers, turns, exclusive_turns (the same without overlap) and
    diarization (how the turns were found; its margin, 0 to 1, tells how clearly the number of
    speakers stood out, and is no probability), and on a segment speaker, language, looping,
    uncertain, original_text, and the user's note (with noted_by, and noted_at as Unix time) and
    highlighted where they apply. A speaker is named everywhere; speakers has the label to each
    name, with the seconds spoken and their share (0 to 1) of what all speak. The words of a segment
    are what the model heard, so where there is an original_text they spell that. A number that the
    model left undefined is null.
    """
    return _shape(with_names(transcript), edited)


def _shape(transcript: Transcript, edited: bool) -> dict[str, Any]:
    turns = speaker_turns(transcript)
    seconds = talk_times(turns)
    spoken = sum(seconds.values())
    segments = [
        _segment(number, segment, edited) for number, segment in enumerate(transcript.segments)
    ]
    return {
        "title": transcript.title,
        "text": " ".join(one_line(segment["text"]) for segment in segments).strip(),
        "segments": segments,
        "language": transcript.language,
        "language_probability": _number(transcript.language_probability),
        "duration": _number(transcript.duration),
        "model": transcript.model,
        "compute_type": transcript.compute_type,
        "notes": [str(note) for note in transcript.notes],
        "dropped_segments": transcript.dropped_segments,
        "digest": transcript.digest,
        "speakers": [
            {
                "label": label,
                "name": name,
                "seconds": _number(seconds.get(name, 0.0)),
                "share": _number(seconds.get(name, 0.0) / (spoken or 1.0)),
            }
            for name, label in transcript.names.items()
        ],
        "turns": _turns(turns),
        "exclusive_turns": _turns(exclusive(turns)),
        "diarization": _without_folders(transcript.diarization),
    }


def _turns(turns: Iterable[Turn]) -> list[dict[str, Any]]:
    return [
        {"start": _number(turn.start), "end": _number(turn.end), "speaker": turn.speaker}
        for turn in turns
    ]


def _without_folders(facts: Mapping[str, Any]) -> dict[str, Any]:
    """How the turns were found; of a model's file only the name, as folders name people."""
    settings = dict(facts.get("settings", {}))
    if settings.get("embedding"):
        name = settings["embedding"]
        settings["embedding"] = Path(name).name if Path(name).is_absolute() else name
    return {**explained(facts), "settings": settings} if facts else {}


def explained(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return how turns were found, and why so in English, for other programs to read."""
    found = with_margin(facts)
    return {**found, "why": str(load(facts["why"]))} if facts.get("why") else found


def _segment(number: int, segment: Segment, edited: bool) -> dict[str, Any]:
    text = segment.final_text if edited else segment.text
    shape: dict[str, Any] = {
        "id": number,
        "start": _number(segment.start),
        "end": _number(segment.end),
        "text": text,
        "temperature": _number(segment.temperature),
        "avg_logprob": _number(segment.avg_logprob),
        "compression_ratio": _number(segment.compression_ratio),
        "no_speech_prob": _number(segment.no_speech_prob),
        "words": [
            {
                "word": word.text,
                "start": _number(word.start),
                "end": _number(word.end),
                "probability": _number(word.probability),
            }
            for word in segment.words
        ],
    }
    if segment.speaker:
        shape["speaker"] = segment.speaker
    if segment.language:
        shape["language"] = segment.language
    if text != segment.text:
        shape["original_text"] = segment.text
    marks = {
        "looping": segment.looping,
        "uncertain": segment.uncertain,
        "note": segment.note,
        "noted_by": segment.note and segment.noted_by,
        "noted_at": segment.note and segment.noted_at,
        "highlighted": segment.highlighted,
    }
    shape |= {name: value for name, value in marks.items() if value}
    return shape


def _number(value: float | None) -> float | None:
    """Round to what the sound can tell; JSON has no word for infinity or not-a-number."""
    return round(value, 4) if value is not None and math.isfinite(value) else None
