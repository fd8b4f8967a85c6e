"""The options of a job as a form: meanings, ranges and units come from their declaration."""

from collections.abc import Callable, Collection, Mapping
from itertools import islice
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.codes import Note
from transcrevai_core.components import fetching
from transcrevai_core.components.fields import OTHER, choice_or_text, field, fields, group, meaning
from transcrevai_core.components.idle import IdleNotes
from transcrevai_core.components.profiles import profile_field
from transcrevai_core.components.search import fold
from transcrevai_core.errors import ModelError, TranscrevaiError
from transcrevai_core.i18n import _, decimal, mark
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.memory.forecast import Shape, transcription_bytes
from transcrevai_core.models.catalogue import (
    AUTO,
    DEMO,
    MODELS,
    NONE,
    SPARE,
    check_name,
    locate,
    usable,
)
from transcrevai_core.options import JobOptions

ANOTHER = mark("Another model")
MODEL_ID = mark("/home/maria/models/mine or owner/name")
_WHICH = mark("a folder or a Hugging Face id")
_GOOD_FOR = {
    "tiny": mark("quick drafts"),
    "base": mark("clear speech, fast"),
    "small": mark("good balance for meetings"),
    "medium": mark("more accurate, slower"),
    "large-v1": mark("an older large one"),
    "large-v2": mark("an older large one"),
    "large-v3": mark("the most accurate, the slowest"),
    "large-v3-turbo": mark("nearly the most accurate, much faster"),
}
_COMMON_LANGUAGES = ("pt", "en", "es")
_ASIDE = " · "  # between a model's name and what is said of it
_ALIASES = ("large", "turbo")  # second names of models that the list has already
_FIELDS = JobOptions.model_fields


_SPEAKERS = group(JobOptions, "speakers")


def defaults() -> JobOptions:
    """Return what a form of new recordings begins with: a model that is here, if none is set."""
    settings = ui.settings()
    options = settings.job_options()
    if "model" in settings.model_fields_set or locate(options.model):
        return options
    here = [*recent(), instead_of(options.model_dump())]
    model = next((name for name in here if name and locate(name)), options.model)
    return options.model_copy(update={"model": model})


def recent(most: int = 3) -> list[str]:
    """Return the models that worked last and are still here, the latest first."""
    done = (str(job.options.get("model")) for job in ui.store().jobs(["done"]))
    names = (name for name in dict.fromkeys(done) if name not in (AUTO, NONE, DEMO.name))
    return [name for name in islice(names, most) if locate(name)]


def options_form(key: str, defaults: JobOptions) -> dict[str, Any]:
    """Draw the options of a job and return them for `ui.job_options`.

    What was chosen lasts as long as the session.
    """
    values = model_fields(key, defaults, below=lambda name: _below(name, key))
    if _can_come(values["model"]):
        instead = None if locate(values["model"]) else instead_of(values)
        fetching.offer(values["model"], instead, f"{key}_model")
    with st.expander(_("Speakers"), icon=":material/group:"):
        alone = values["model"] == NONE
        values |= profile_field(key) or _speaker_fields(key, defaults, alone)
    with st.expander(_("More options"), icon=":material/tune:"):
        names = [name for name in _FIELDS if name not in values and name not in _SPEAKERS]
        values |= fields(names, key, defaults)
    return values


def model_fields(
    key: str,
    defaults: JobOptions,
    *,
    text: bool = False,
    off: Collection[str] = (),
    persist: bool = True,
    below: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """Draw which model is to listen for which language; with `text`, only what writes one.

    `off`, `persist` and `below` are those of `fields`.
    """
    kept = {"persist_state": "session"} if persist else {}
    with st.container(gap="xxsmall"):
        values: dict[str, Any] = {
            "model": chosen_model(
                f"{key}_model", defaults.model, text=text, disabled="model" in off, **kept
            )
        }
        below("model")
    with st.container(gap="xxsmall"):
        no_language = values["model"] == NONE or "language" in off
        values["language"] = _language(
            f"{key}_language", defaults.language, disabled=no_language, **kept
        )
        below("language")
    _model_note(values["model"])
    return values


def _can_come(name: str) -> bool:
    """Tell whether a model can be asked for that is not on this computer."""
    try:
        check_name(name)
    except ModelError:
        return False
    return name not in (NONE, AUTO)


def _speaker_fields(key: str, defaults: JobOptions, alone: bool) -> dict[str, Any]:
    """Draw what is about speakers, the obvious first; `alone`: nothing else is asked for."""
    wanted = field("diarize", key, defaults, defaults.diarize or alone, off=alone) or alone
    values: dict[str, Any] = {"diarize": wanted}
    notes = IdleNotes()
    numbers = ("speakers", "min_speakers", "max_speakers")
    for column, name in zip(st.columns(3), numbers, strict=True):
        given = name != "speakers" and values["speakers"] is not None
        with column:
            values[name] = field(name, key, defaults, off=given or not wanted)
            notes.below(name)
    rest = [name for name in _SPEAKERS if name not in values]
    values |= fields(rest, key, defaults, off=not wanted, below=notes.below)
    if wanted:
        notes.tell(values)
        if values["embedding"] == "auto":
            fetching.offer_voices()
    return values


def chosen_model(key: str, default: str, *, text: bool = False, **kept: Any) -> str:
    """Draw which models there are, those here first, and return the one that is chosen.

    With `text` it must be one that writes some.
    """
    hidden = (*_ALIASES, DEMO.name, NONE, AUTO)
    here = [*recent(), *usable()[::-1]]
    rest = [name for name in MODELS if name not in hidden]
    names = list(dict.fromkeys([*here, AUTO, *rest, *([] if text else [NONE]), DEMO.name]))
    if text and default == NONE:
        default = next(name for name in names if name != AUTO)
    if default not in names:
        names.insert(0, default)
    shown = st.session_state.get(key) or OTHER
    if shown not in (*names, OTHER):  # a page left open sends back what the list showed before
        st.session_state[key] = shown.split(_ASIDE)[0]
    chosen = choice_or_text(
        _("Model"),
        names,
        default,
        format_func=_model_label,
        help=meaning(_FIELDS["model"]),
        another=_(ANOTHER),
        which=_(_WHICH),
        placeholder=_(MODEL_ID),
        key=key,
        **kept,
    )
    if st.session_state.get(key) == OTHER:
        fetching.brought(f"{key}_other")
    return chosen.split(_ASIDE)[0]


def _below(name: str, key: str) -> None:
    """Draw what the list does not show at first sight: any other model, and where they are kept."""
    if name != "model":
        return
    key = f"{key}_model"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.session_state.get(key) != OTHER:
            st.button(
                f"{_(ANOTHER)}: {_(_WHICH)}",
                key=f"{key}_another",
                type="tertiary",
                icon=":material/folder:",
                on_click=_choose,
                args=(key, OTHER),
            )
        st.page_link(
            ui.SETTINGS,
            label=_("Models on this computer"),
            icon=":material/neurology:",
            query_params={"section": "models"},
        )


def _choose(key: str, name: str) -> None:
    st.session_state[key] = name


def _model_label(name: str) -> str:
    """Return what the list shows: the name, what it is good for, and what it takes."""
    if name == NONE:
        return _("Only who speaks when (no text)")
    parts = [name]
    if name == AUTO:
        parts.append(_("the largest that fits the memory budget"))
    elif name == DEMO.name:
        parts.append(_("samples only"))
    else:
        good = _GOOD_FOR.get(name)
        parts += [_(good)] if good else []
        parts += [_("English alone")] if _is_english(name) else []
        if locate(name):
            parts.append(_("on this computer"))
        elif name in MODELS:
            parts.append(_("{size} MB to download", size=decimal(MODELS[name].download_mb)))
        needed = transcription_bytes(Shape(name)) / 1e9
        parts.append(_("{size} GB of memory", size=decimal(needed, 1)))
    return _ASIDE.join(parts)


def _language(key: str, default: str | None, **kept: Any) -> str:
    rest = [code for code in LANGUAGES if code not in _COMMON_LANGUAGES]
    chosen = st.multiselect(
        _("Language"),
        [*_COMMON_LANGUAGES, *sorted(rest, key=lambda code: fold(ui.language_name(code)))],
        default=default.split(",") if default else [],
        format_func=ui.language_name,
        placeholder=_("Detect"),
        select_all=False,
        help=meaning(_FIELDS["language"]),
        key=key,
        **kept,
    )
    return ",".join(chosen) or "auto"


def _model_note(name: str) -> None:
    if name == NONE:
        sentence = _(
            "Needs no download. The recording can be transcribed later, without finding the "
            "speakers again."
        )
        st.caption(f":material/group: {sentence}")
    elif name == DEMO.name:
        advice = _("For your own recordings, choose another model.")
        st.warning(f"{ui.say(Note.DEMO)} {advice}", icon=":material/warning:")
    elif name != AUTO:
        fetching.tell_absent(name)


def model_here(options: Mapping[str, Any]) -> str | None:
    """Return the model that options lead to, where it is on this computer and fits the budget."""
    try:
        name = ui.plan(options).shape.model
    except TranscrevaiError:
        return None
    return name if locate(name) else None


def instead_of(options: Mapping[str, Any]) -> str | None:
    """Return what can serve where the model of `options` is not here; None for nothing.

    The largest on this computer that fits, else the one that a package index has too.
    """
    english = options.get("language") == "en"
    names = [name for name in usable()[::-1] if english or not _is_english(name)]
    for name in (AUTO, *names):
        if found := model_here({**options, "model": name}):
            return found
    return None if options["model"] == SPARE else SPARE


def _is_english(name: str) -> bool:
    return name in MODELS and MODELS[name].languages == "en"
