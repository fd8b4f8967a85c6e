"""The options of a job as a form: meanings, ranges and units come from their declaration."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from transcrevai_core import demo
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.options import JobOptions
from transcrevai_core.transcription.catalogue import AUTO, DEMO, MODELS, NONE, locate
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
    "channels": "Channels",
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
_COMMON_LANGUAGES = ("pt", "en", "es")
_EMBEDDINGS = ("voice", "ivector", "mfcc")  # those that come with the program
_ALIASES = ("large", "turbo")  # second names of models that the list has already
_FIELDS = JobOptions.model_fields


def _in_group(name: str, group: str) -> bool:
    extra = _FIELDS[name].json_schema_extra
    return isinstance(extra, Mapping) and extra.get("group") == group


_SPEAKERS = [name for name in _FIELDS if _in_group(name, "speakers")]


def options_form(key: str, defaults: JobOptions) -> dict[str, Any]:
    """Draw the options of a job and return them for `ui.job_options`.

    What was chosen lasts as long as the session.
    """
    values = model_fields(key, defaults)
    with st.expander("Speakers", icon=":material/group:"):
        values |= _speaker_fields(key, defaults, alone=values["model"] == NONE)
    with st.expander("More options", icon=":material/tune:"):
        names = [name for name in _FIELDS if name not in values]
        values |= fields(names, key, defaults)
    return values


def model_fields(key: str, defaults: JobOptions, *, text: bool = False) -> dict[str, Any]:
    """Draw which model is to listen for which language; with `text`, only what writes one."""
    left, right = st.columns(2)
    with left:
        values: dict[str, Any] = {"model": _model(f"{key}_model", defaults.model, text)}
    with right:
        off = values["model"] == NONE
        values["language"] = _language(f"{key}_language", defaults.language, off)
    _tell_about(values["model"])
    return values


def fields(
    names: Sequence[str], key: str, defaults: JobOptions, *, off: bool = False
) -> dict[str, Any]:
    """Draw some options in two columns, as their declarations say."""
    values = {}
    for row in range(0, len(names), 2):  # row by row, so that narrow screens keep the order
        for column, name in zip(st.columns(2), names[row : row + 2], strict=False):
            with column:
                values[name] = _field(name, getattr(defaults, name), f"{key}_{name}", off)
    return values


def _speaker_fields(key: str, defaults: JobOptions, alone: bool) -> dict[str, Any]:
    """Draw what is about speakers, the obvious first; `alone`: nothing else is asked for."""
    wanted = _field("diarize", defaults.diarize or alone, f"{key}_diarize", alone) or alone
    values: dict[str, Any] = {"diarize": wanted}
    numbers = ("speakers", "min_speakers", "max_speakers")
    for column, name in zip(st.columns(3), numbers, strict=True):
        given = name != "speakers" and values["speakers"] is not None
        with column:
            value = getattr(defaults, name)
            values[name] = _field(name, value, f"{key}_{name}", given or not wanted)
    rest = [name for name in _SPEAKERS if name not in values]
    return values | fields(rest, key, defaults, off=not wanted)


def _model(key: str, default: str, text: bool) -> str:
    hidden = (*_ALIASES, DEMO.name, NONE, AUTO)
    names = [name for name in MODELS if name not in hidden]
    names.sort(key=lambda name: locate(name) is None)  # those on this computer first
    names = [AUTO, *names, *([] if text else [NONE]), DEMO.name]
    if text and default == NONE:
        default = names[1]
    if default not in names:
        names.insert(0, default)
    chosen = st.selectbox(
        "Model",
        names,
        index=names.index(default),
        format_func=_model_label,
        accept_new_options=True,
        help=_help("model"),
        key=key,
        persist_state="session",
    )
    return chosen or default


def _model_label(name: str) -> str:
    if name == AUTO:
        return "auto (the largest that fits the memory budget)"
    if name == NONE:
        return "Only who speaks when (no text)"
    model = MODELS.get(name)
    if model is DEMO:
        return "demo (samples only)"
    where = f"{model.download_mb} MB to download" if model else "to be downloaded"
    where = "on this computer" if locate(name) else where
    return f"{name} ({where}{', English' if model and model.languages == 'en' else ''})"


def _language(key: str, default: str | None, off: bool) -> str:
    codes = ["auto", *_COMMON_LANGUAGES]
    codes += [code for code in LANGUAGES if code not in codes]
    return st.selectbox(
        "Language",
        codes,
        index=codes.index(default or "auto"),
        format_func=lambda code: "Detect" if code == "auto" else LANGUAGES[code],
        help=_help("language"),
        key=key,
        persist_state="session",
        disabled=off,
    )


def _tell_about(name: str) -> None:
    if name == NONE:
        st.caption(
            ":material/group: Needs no download. The recording can be transcribed later, without "
            "finding the speakers again."
        )
    elif name == DEMO.name:
        st.warning(
            f"{demo.NOTE} For your own recordings, choose another model.",
            icon=":material/warning:",
        )
    elif name != AUTO and not locate(name):
        size = f", {MODELS[name].download_mb} MB," if name in MODELS else ""
        st.caption(
            f":material/download: The model {escape(name)}{size} is downloaded once, when the "
            "first recording starts. After that, everything works offline."
        )


def _help(name: str) -> str:
    text = _FIELDS[name].description or ""
    return escape(text[:1].upper() + text[1:] + ".")


def _field(name: str, value: Any, key: str, off: bool = False) -> Any:
    """Draw the widget that suits a field's type, within the field's limits."""
    field = _FIELDS[name]
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, Mapping) else ""
    label = _LABELS.get(name, name.replace("_", " ").capitalize())
    label += f" ({unit})" if len(unit) in (1, 2) else ""  # a spelt-out unit is in the name already
    kept: dict[str, Any] = {"help": _help(name), "key": key, "persist_state": "session"}
    kept["disabled"] = off
    if name == "embedding":
        known = [*dict.fromkeys([*_EMBEDDINGS, value])]
        kept |= {"index": known.index(value), "accept_new_options": True}
        return st.selectbox(label, known, **kept) or value
    if get_origin(field.annotation) is Literal:
        choices = get_args(field.annotation)
        kept |= {"index": choices.index(value), "format_func": lambda c: _CHOICES.get(c, c)}
        return st.selectbox(label, choices, **kept)
    if field.annotation is bool:
        return st.toggle(label, value, **kept)
    number: Any = next(
        (t for t in (int, float) if t in (field.annotation, *get_args(field.annotation))), None
    )
    if number:
        low, high = number(_limit(field, "ge")), number(_limit(field, "le"))
        step = number(1) if high - low > 2 else 0.05 if high - low > 0.5 else 0.001
        kept |= {"format": "%.3f"} if step == 0.001 else {}
        kept |= {"placeholder": "Automatic"} if type(None) in get_args(field.annotation) else {}
        return st.number_input(label, low, high, value, step=step, **kept)
    return st.text_input(label, value or "", **kept)


def _limit(field: FieldInfo, name: str) -> Any:
    return next(getattr(limit, name) for limit in field.metadata if hasattr(limit, name))
