"""The options of a job as a form: meanings, ranges and units come from their declaration."""

from typing import Any

import streamlit as st

from transcrevai_core import demo
from transcrevai_core.components.fields import field, fields, group, meaning
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.options import JobOptions
from transcrevai_core.transcription.catalogue import AUTO, DEMO, MODELS, NONE, locate
from transcrevai_core.ui import escape

_COMMON_LANGUAGES = ("pt", "en", "es")
_ALIASES = ("large", "turbo")  # second names of models that the list has already
_FIELDS = JobOptions.model_fields


_SPEAKERS = group(JobOptions, "speakers")


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


def _speaker_fields(key: str, defaults: JobOptions, alone: bool) -> dict[str, Any]:
    """Draw what is about speakers, the obvious first; `alone`: nothing else is asked for."""
    wanted = field("diarize", key, defaults, defaults.diarize or alone, off=alone) or alone
    values: dict[str, Any] = {"diarize": wanted}
    numbers = ("speakers", "min_speakers", "max_speakers")
    for column, name in zip(st.columns(3), numbers, strict=True):
        given = name != "speakers" and values["speakers"] is not None
        with column:
            values[name] = field(name, key, defaults, off=given or not wanted)
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
        help=meaning(_FIELDS["model"]),
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
        help=meaning(_FIELDS["language"]),
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
