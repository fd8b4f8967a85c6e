"""Settings as widgets: meanings, ranges and units come from their declaration."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from transcrevai_core.i18n import _, capital, decimal, mark
from transcrevai_core.ui import escape

_LABELS = {
    "model": mark("Model"),
    "language": mark("Language"),
    "task": mark("Task"),
    "device": mark("Device"),
    "compute_type": mark("Numeric type"),
    "threads": mark("Threads"),
    "beam_size": mark("Beam size"),
    "chunk_seconds": mark("Longest chunk"),
    "vad_threshold": mark("Speech threshold"),
    "track": mark("Sound track"),
    "initial_prompt": mark("Initial prompt"),
    "hotwords": mark("Hotwords"),
    "condition_on_previous_text": mark("Carry text onwards"),
    "diarize": mark("Find who speaks when"),
    "speakers": mark("Number of speakers"),
    "min_speakers": mark("At least"),
    "max_speakers": mark("At most"),
    "embedding": mark("Voice model"),
    "overlap": mark("Two at once"),
    "clustering": mark("Grouping of voices"),
    "counting": mark("Counting of speakers"),
    "speaker_threshold": mark("Threshold of likeness"),
    "min_speaker_share": mark("Smallest share of speech"),
    "window_seconds": mark("Window of a voice"),
    "hop_seconds": mark("Step between windows"),
    "resegment_rounds": mark("Rounds of resegmentation"),
    "min_turn_seconds": mark("Shortest turn"),
    "channels": mark("Channels"),
    "home": mark("Data directory"),
    "preload": mark("Load the model at the start"),
    "interface_language": mark("Language of the pages"),
    "author": mark("Your name"),
    "begin_at_once": mark("Begin at once"),
    "resume_seconds": mark("Go back after a pause"),
    "model_idle_seconds": mark("Idle model leaves after"),
    "download_stall_seconds": mark("Longest silence of a download"),
    "agreement_percent": mark("Least agreement with float32"),
    "memory_budget_mb": mark("Budget of the program"),
    "degraded_percent": mark("No new jobs from"),
    "emergency_percent": mark("Smallest model from"),
    "kill_percent": mark("Largest worker ended from"),
    "prepare_limit_mb": mark("Reading of recordings"),
    "diarization_limit_mb": mark("Telling speakers apart"),
    "work_cores": mark("Processors"),
    "restart_seconds": mark("Pause before a restart"),
    "hang_seconds": mark("Longest silence of a worker"),
    "cache_hours": mark("Kept for"),
    "cache_entries": mark("Entries at most"),
    "cache_mb": mark("Room on disk"),
    "sound_days": mark("Days until sound is deleted"),
    "job_days": mark("Days until all is deleted"),
}
_CHOICES = {
    "en": "English",
    "pt_BR": "Português",
    "auto": mark("Automatic"),
    "transcribe": mark("Transcribe"),
    "translate": mark("Translate into English"),
    "cpu": mark("CPU"),
    "cuda": mark("GPU (CUDA)"),
    "agglomerative": mark("Agglomerative"),
    "spectral": mark("Spectral"),
    "vbx": mark("VBx"),
    "evidence": mark("Evidence"),
    "likeness": mark("Likeness"),
    "silhouette": mark("Silhouette"),
    "eigengap": mark("Eigengap"),
    "mix": mark("Mixed together"),
    "speakers": mark("One speaker each"),
}
_EMBEDDINGS = ("auto", "campplus", "voice", "ivector", "mfcc")
_SAME: Any = object()
OTHER = ""  # among the names of a list: one that is not in it


def group(model: type[BaseModel], name: str) -> list[str]:
    """Return the settings whose declaration names a group."""
    return [field for field, info in model.model_fields.items() if group_of(info) == name]


def group_of(info: FieldInfo) -> str:
    """Return the group that a setting's declaration names; empty for none."""
    extra = info.json_schema_extra
    return str(extra.get("group", "")) if isinstance(extra, Mapping) else ""


def label_of(name: str, unit: str = "") -> str:
    """Return what a setting is called on screen.

    >>> label_of("beam_size", "beams"), label_of("chunk_seconds", "s")
    ('Beam size', 'Longest chunk (s)')
    """
    label = _(_LABELS[name])
    return label + (f" ({unit})" if len(unit) in (1, 2) else "")  # longer ones are in the name


def meaning(info: FieldInfo) -> str:
    """Write what a setting does as a sentence in Markdown."""
    return escape(capital(_(str(info.description))) + ".")


def fields(
    names: Sequence[str],
    key: str,
    values: BaseModel,
    *,
    off: bool | Collection[str] = False,
    persist: bool = True,
    below: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """Draw some settings in two columns, and return what they are set to.

    `off` turns all of them off, or some; with `persist` what was chosen lasts as long as the
    session; `below` draws what stands below each.
    """
    chosen = {}
    for row in range(0, len(names), 2):  # row by row, so that narrow screens keep the order
        for column, name in zip(st.columns(2), names[row : row + 2], strict=False):
            is_off = off if isinstance(off, bool) else name in off
            with column, st.container(gap="xxsmall"):
                chosen[name] = field(name, key, values, off=is_off, persist=persist)
                below(name)
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
        return choice_or_text(
            label,
            known,
            value,
            another=_("Another voice model"),
            placeholder=_("Hugging Face id, or a file"),
            format_func=choice_name,
            **kept,
        )
    if get_origin(info.annotation) is Literal:
        choices = get_args(info.annotation)
        kept |= {"index": choices.index(value), "format_func": choice_name}
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
        if type(None) in get_args(info.annotation):
            kept["placeholder"] = default_of(name, type(values))
        return st.number_input(label, low, high, value, step=step, **kept)
    return st.text_input(label, value or "", **kept)


def choice_or_text(
    label: str,
    names: Sequence[str],
    value: str,
    *,
    another: str,
    placeholder: str,
    key: str,
    which: str = "",
    format_func: Callable[[str], str] = str,
    **kept: Any,
) -> str:
    """Draw a list of names that ends with another one, which is asked for in a field of its own.

    `which` says what another one may be.

    Return what was chosen or typed; `value`, with which it begins, where nothing was. A list that
    takes new options would keep only those that end with Enter, and drop what is left otherwise.
    """
    last = f"{another}: {which}" if which else f"{another} …"
    chosen = st.selectbox(
        label,
        [*names, OTHER],
        names.index(value) if value in names else 0,
        format_func=lambda name: last if name == OTHER else format_func(name),
        filter_mode=None,  # nothing can be typed into it that would be lost
        key=key,
        **kept,
    )
    if chosen != OTHER:
        return chosen or value
    kept.pop("help", None)
    typed = st.text_input(another, key=f"{key}_other", placeholder=placeholder, **kept)
    return typed.strip() or value


def choice_name(name: str) -> str:
    """Return how one of a setting's choices reads."""
    return _(_CHOICES.get(name, name))


def default_of(name: str, model: type[BaseModel]) -> str:
    """Write what a setting is where nobody has set it.

    >>> from transcrevai_core.options import JobOptions
    >>> default_of("chunk_seconds", JobOptions), default_of("threads", JobOptions)
    ('30', 'Automatic')
    """
    value = model.model_fields[name].default
    if value is None:
        info = model.model_fields[name]
        text = {"language": _("Detect")}.get(name, _("empty"))
        number = int in get_args(info.annotation) or float in get_args(info.annotation)
        absent = _("never") if group_of(info) == "retention" else _("Automatic")
        return absent if number else text
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return choice_name(value) if isinstance(value, str) else written(value)


def bounds(name: str, model: type[BaseModel]) -> str:
    """Write the default of a setting, and from where to where it may be, in its unit.

    >>> from transcrevai_core.options import JobOptions
    >>> bounds("chunk_seconds", JobOptions)
    'Default: 30 · 5 to 30 s'
    """
    info = model.model_fields[name]
    said = _("Default: {default}", default=default_of(name, model))
    if low := [limit.ge for limit in info.metadata if hasattr(limit, "ge")]:
        high = written(_limit(info, "le"))
        said += " · " + _("{low} to {high}", low=written(low[0]), high=high)
        said += f" {unit}" if len(unit := unit_of(info)) in (1, 2) else ""
    return said


def written(value: float) -> str:
    """Write a number with the digits that it has, as the reader's language does.

    >>> written(0.003), written(100_000)
    ('0.003', '100,000')
    """
    return decimal(value, len(f"{value:.6f}".rstrip("0").partition(".")[2]))


def unit_of(info: FieldInfo) -> str:
    """Return the unit that a setting is in; empty where it has none."""
    extra = info.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, Mapping) else ""


def _limit(info: FieldInfo, name: str) -> Any:
    return next(getattr(limit, name) for limit in info.metadata if hasattr(limit, name))
