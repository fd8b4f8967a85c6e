"""The few settings that everyone needs, in words; each is kept as soon as it is chosen."""

from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.fields import choice_name, label_of, meaning
from transcrevai_core.components.options import chosen_model
from transcrevai_core.components.settings.preferences import (
    AT_ONCE,
    LATER,
    keep_changes,
    note_fixed,
)
from transcrevai_core.i18n import _, decimal, mark
from transcrevai_core.library import preferences
from transcrevai_core.memory import readings
from transcrevai_core.memory.readings import MB
from transcrevai_core.settings import Settings

_KEY = "essentials"
_NAMES = ("interface_language", "author", "model", "memory_budget_mb", "begin_at_once")
_LANGUAGES = ("auto", "pt_BR", "en")
OWN = "own"
BUDGETS = {  # shares of this computer's memory; None: what counts where nothing is set
    "light": (0.25, mark("Light"), mark("other programs come first")),
    "normal": (None, mark("Normal"), mark("half of this computer's memory")),
    "all": (0.8, mark("All it can"), mark("for a computer that does nothing else meanwhile")),
}


def essentials() -> None:
    """Draw them."""
    settings, fixed = ui.settings(), preferences.overruled(_NAMES)
    st.session_state.setdefault(f"{_KEY}_drawn", 0)
    with st.container(border=True):
        _language(settings, "interface_language" in fixed)
        _author(settings, "author" in fixed)
    with st.container(border=True):
        _model(settings, "model" in fixed)
    with st.container(border=True):
        _memory(settings, "memory_budget_mb" in fixed)
    with st.container(border=True):
        _kept(settings)
    note_fixed(fixed)
    if note := st.session_state.pop(f"{_KEY}_said", None):
        st.success(note, icon=":material/check:")


def _key(name: str) -> str:
    """Return a field's key, another one where what counts was changed elsewhere meanwhile."""
    return f"{_KEY}_{name}_{getattr(ui.settings(), name)}"


def _change(name: str, value: Any, note: str = AT_ONCE) -> None:
    if value != getattr(ui.settings(), name) and keep_changes(_KEY, _NAMES, note, {name: value}):
        st.rerun()


def _language(settings: Settings, off: bool) -> None:
    chosen = st.radio(
        label_of("interface_language"), _LANGUAGES, _LANGUAGES.index(settings.interface_language),
        format_func=choice_name, horizontal=True, disabled=off,
        key=_key("interface_language"),
    )  # fmt: skip
    _change("interface_language", chosen)


def _author(settings: Settings, off: bool) -> None:
    name = st.text_input(
        label_of("author"), settings.author, max_chars=80, disabled=off, key=_key("author"),
        help=meaning(Settings.model_fields["author"]),
    )  # fmt: skip
    _change("author", name.strip())


def _model(settings: Settings, off: bool) -> None:
    key = _key("model")
    _change("model", chosen_model(key, settings.model, disabled=off), LATER)
    ways = {"section": "models"}
    st.page_link(
        ui.SETTINGS, label=_("Models on this computer, and others to download"),
        icon=":material/neurology:", query_params=ways,
    )  # fmt: skip


def budget_mb(name: str) -> int | None:
    """Return the memory budget that a word stands for, in MB; None for the default."""
    share = BUDGETS[name][0]
    return None if share is None else max(200, int(round(share * readings.limit_bytes() / MB, -2)))


def budget_word(budget: int | None) -> str:
    """Return the word that stands for a memory budget, or `OWN`."""
    return next((name for name in BUDGETS if budget_mb(name) == budget), OWN)


def _memory(settings: Settings, off: bool) -> None:
    now = budget_word(settings.memory_budget_mb)
    words = [*BUDGETS, *([OWN] if now == OWN else [])]

    def said(name: str) -> str:
        if name == OWN:
            return _("As set: {size} MB", size=decimal(settings.memory_budget_mb or 0))
        _share, word, meaning = BUDGETS[name]
        budget = budget_mb(name) or round(readings.limit_bytes() / 2 / MB)
        return f"**{_(word)}**: {_(meaning)} ({_('{size} MB', size=decimal(budget))})"

    chosen = st.radio(
        _("Memory that TranscrevAI may take"), words, words.index(now), format_func=said,
        disabled=off, key=_key("memory_budget_mb"),
    )  # fmt: skip
    if chosen != OWN:
        _change("memory_budget_mb", budget_mb(chosen))


def _kept(settings: Settings) -> None:
    at_once = st.toggle(
        _("Transcribe what is dropped without asking"), settings.begin_at_once,
        key=_key("begin_at_once"),
    )  # fmt: skip
    _change("begin_at_once", at_once)
    said = _("Recordings are kept until you delete them.")
    if settings.job_days:
        said = _("Recordings are deleted for good after {days} days.", days=settings.job_days)
    elif settings.sound_days:
        said = _("The sound of recordings is deleted after {days} days; their text stays.",
                 days=settings.sound_days)  # fmt: skip
    st.caption(said)
    ways = {"section": "storage"}
    st.page_link(
        ui.SETTINGS, label=_("What is kept, and for how long"), icon=":material/hard_drive:",
        query_params=ways,
    )  # fmt: skip
