"""The options of a job as a form: meanings, ranges and units come from their declaration."""

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from transcrevai_core import demo
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.options import JobOptions
from transcrevai_core.transcription.catalogue import DEMO, MODELS, locate
from transcrevai_core.ui import escape

_LABELS = {
    "chunk_seconds": "Longest chunk",
    "vad_threshold": "Speech threshold",
    "condition_on_previous_text": "Carry text onwards",
}
_CHOICES = {
    "auto": "Automatic",
    "transcribe": "Transcribe",
    "translate": "Translate into English",
    "cpu": "CPU",
    "cuda": "GPU (CUDA)",
}
_COMMON_LANGUAGES = ("pt", "en", "es")
_ALIASES = ("large", "turbo")  # second names of models that the list has already
_FIELDS = JobOptions.model_fields


def options_form(key: str, defaults: JobOptions) -> dict[str, Any]:
    """Draw the options of a job and return them for `Settings.job_options`.

    What was chosen lasts as long as the session.
    """
    left, right = st.columns(2)
    with left:
        values: dict[str, Any] = {"model": _model(f"{key}_model", defaults.model)}
    with right:
        values["language"] = _language(f"{key}_language", defaults.language)
    _tell_about(values["model"])
    with st.expander("More options", icon=":material/tune:"):
        columns = st.columns(2)
        for number, name in enumerate(name for name in _FIELDS if name not in values):
            with columns[number % 2]:
                values[name] = _field(name, getattr(defaults, name), f"{key}_{name}")
    return values


def _model(key: str, default: str) -> str:
    names = [name for name in MODELS if name not in _ALIASES and name != DEMO.name]
    names.sort(key=lambda name: locate(name) is None)  # those on this computer first
    names.append(DEMO.name)
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
    model = MODELS.get(name)
    if model is DEMO:
        return "demo (samples only)"
    where = f"{model.download_mb} MB to download" if model else "to be downloaded"
    where = "on this computer" if locate(name) else where
    return f"{name} ({where}{', English' if model and model.languages == 'en' else ''})"


def _language(key: str, default: str | None) -> str:
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
    )


def _tell_about(name: str) -> None:
    if name == DEMO.name:
        st.warning(
            f"{demo.NOTE} For your own recordings, choose another model.",
            icon=":material/warning:",
        )
    elif not locate(name):
        size = f", {MODELS[name].download_mb} MB," if name in MODELS else ""
        st.caption(
            f":material/download: The model {escape(name)}{size} is downloaded once, when the "
            "first recording starts. After that, everything works offline."
        )


def _help(name: str) -> str:
    text = _FIELDS[name].description or ""
    return escape(text[:1].upper() + text[1:] + ".")


def _field(name: str, value: Any, key: str) -> Any:
    """Draw the widget that suits a field's type, within the field's limits."""
    field = _FIELDS[name]
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, Mapping) else ""
    label = _LABELS.get(name, name.replace("_", " ").capitalize())
    label += f" ({unit})" if len(unit) in (1, 2) else ""  # a spelt-out unit is in the name already
    kept: dict[str, Any] = {"help": _help(name), "key": key, "persist_state": "session"}
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
        step = number(1) if high - low > 2 else 0.05
        return st.number_input(label, low, high, value, step=step, **kept)
    return st.text_input(label, value or "", **kept)


def _limit(field: FieldInfo, name: str) -> Any:
    return next(getattr(limit, name) for limit in field.metadata if hasattr(limit, name))
