"""Settings as widgets: meanings, ranges and units come from their declaration."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from transcrevai_core.ui import escape

_LABELS = {
    "chunk_seconds": "Longest chunk",
    "vad_threshold": "Speech threshold",
    "condition_on_previous_text": "Carry text onwards",
    "diarize": "Find who speaks when",
    "speakers": "Number of speakers",
    "min_speakers": "At least",
    "max_speakers": "At most",
    "embedding": "Voice model",
    "clustering": "Grouping of voices",
    "counting": "Counting of speakers",
    "speaker_threshold": "Threshold of likeness",
    "min_speaker_share": "Smallest share of speech",
    "window_seconds": "Window of a voice",
    "hop_seconds": "Step between windows",
    "resegment_rounds": "Rounds of resegmentation",
    "min_turn_seconds": "Shortest turn",
    "channels": "Channels",
    "memory_budget_mb": "Budget of the program",
    "degraded_percent": "No new jobs from",
    "emergency_percent": "Smallest model from",
    "kill_percent": "Largest worker ended from",
    "prepare_limit_mb": "Reading of recordings",
    "diarization_limit_mb": "Telling speakers apart",
    "work_cores": "Processors",
    "restart_seconds": "Pause before a restart",
    "hang_seconds": "Longest silence of a worker",
    "model_idle_seconds": "Idle model leaves after",
}
_CHOICES = {
    "auto": "Automatic",
    "transcribe": "Transcribe",
    "translate": "Translate into English",
    "cpu": "CPU",
    "cuda": "GPU (CUDA)",
    "agglomerative": "Agglomerative",
    "spectral": "Spectral",
    "vbx": "VBx",
    "evidence": "Evidence",
    "likeness": "Likeness",
    "silhouette": "Silhouette",
    "eigengap": "Eigengap",
    "mix": "Mixed together",
    "speakers": "One speaker each",
}
_EMBEDDINGS = ("voice", "ivector", "mfcc")  # those that come with the program
_SAME: Any = object()


def group(model: type[BaseModel], name: str) -> list[str]:
    """Return the settings whose declaration names a group."""
    return [
        field
        for field, info in model.model_fields.items()
        if isinstance(info.json_schema_extra, Mapping)
        and info.json_schema_extra.get("group") == name
    ]


def label_of(name: str, unit: str = "") -> str:
    """Return what a setting is called on screen.

    >>> label_of("beam_size", "beams"), label_of("chunk_seconds", "s")
    ('Beam size', 'Longest chunk (s)')
    """
    label = _LABELS.get(name, name.replace("_", " ").capitalize())
    return label + (f" ({unit})" if len(unit) in (1, 2) else "")  # longer ones are in the name


def meaning(info: FieldInfo) -> str:
    """Write what a setting does as a sentence in Markdown."""
    text = info.description or ""
    return escape(text[:1].upper() + text[1:] + ".")


def fields(
    names: Sequence[str],
    key: str,
    values: BaseModel,
    *,
    off: bool | Collection[str] = False,
    persist: bool = True,
) -> dict[str, Any]:
    """Draw some settings in two columns, and return what they are set to.

    `off` turns all of them off, or some; with `persist` what was chosen lasts as long as the
    session.
    """
    chosen = {}
    for row in range(0, len(names), 2):  # row by row, so that narrow screens keep the order
        for column, name in zip(st.columns(2), names[row : row + 2], strict=False):
            is_off = off if isinstance(off, bool) else name in off
            with column:
                chosen[name] = field(name, key, values, off=is_off, persist=persist)
    return chosen


def field(
    name: str,
    key: str,
    values: BaseModel,
    value: Any = _SAME,
    *,
    off: bool = False,
    persist: bool = True,
) -> Any:
    """Draw the widget that suits a setting's type, within its limits.

    It begins with what `values` has, or with `value`.
    """
    info = type(values).model_fields[name]
    value = getattr(values, name) if value is _SAME else value
    unit = unit_of(info)
    label = label_of(name, unit)
    kept: dict[str, Any] = {"help": meaning(info), "key": f"{key}_{name}", "disabled": off}
    kept |= {"persist_state": "session"} if persist else {}
    if name == "embedding":
        known = [*dict.fromkeys([*_EMBEDDINGS, value])]
        kept |= {"index": known.index(value), "accept_new_options": True}
        return st.selectbox(label, known, **kept) or value
    if get_origin(info.annotation) is Literal:
        choices = get_args(info.annotation)
        kept |= {"index": choices.index(value), "format_func": lambda c: _CHOICES.get(c, c)}
        return st.selectbox(label, choices, **kept)
    if info.annotation is bool:
        return st.toggle(label, value, **kept)
    number: Any = next(
        (t for t in (int, float) if t in (info.annotation, *get_args(info.annotation))), None
    )
    if number:
        low, high = number(_limit(info, "ge")), number(_limit(info, "le"))
        step = number(1) if high - low > 2 else 0.05 if high - low > 0.5 else 0.001
        step = 10 if unit == "MB" else step
        whole = number is float and step == 1
        kept |= {"format": "%.3f"} if step == 0.001 else {"format": "%g"} if whole else {}
        kept |= {"placeholder": "Automatic"} if type(None) in get_args(info.annotation) else {}
        return st.number_input(label, low, high, value, step=step, **kept)
    return st.text_input(label, value or "", **kept)


def unit_of(info: FieldInfo) -> str:
    """Return the unit that a setting is in; empty where it has none."""
    extra = info.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, Mapping) else ""


def _limit(info: FieldInfo, name: str) -> Any:
    return next(getattr(limit, name) for limit in info.metadata if hasattr(limit, name))
