"""Settings as forms over `config.toml`, with where they begin and what else may be right."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.fields import bounds, default_of, fields, group, label_of
from transcrevai_core.components.idle import IdleNotes
from transcrevai_core.components.options import model_fields
from transcrevai_core.errors import SettingError
from transcrevai_core.i18n import _, mark
from transcrevai_core.library import preferences
from transcrevai_core.messages import Message
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import Settings

SPEAKERS = group(JobOptions, "speakers")
RECORDINGS = [name for name in JobOptions.model_fields if name not in SPEAKERS]
MEMORY, MODELS = group(Settings, "memory"), group(Settings, "models")
STORAGE, RETENTION = group(Settings, "storage"), group(Settings, "retention")
INTERFACE = group(Settings, "interface")
LATER = mark("Saved; new recordings begin with it.")
AT_ONCE = mark("Saved; running jobs keep to it at once.")
_SESSION = ("new_", "again_")  # how the keys of forms begin whose choices last in a session

Changes = dict[str, Any]
Keep = Callable[[], bool]


def preferences_form(
    key: str,
    names: Sequence[str],
    saved_note: str = AT_ONCE,
    *,
    ask: Callable[[Changes, Keep], bool] = lambda changes, keep: False,
) -> None:
    """Draw some settings, and keep what is changed in them; `saved_note` is drawn then.

    `ask` may ask first, and returns whether it does; it gets the changes and what keeps them, which
    tells whether it could.
    """
    settings, fixed = ui.settings(), preferences.overruled(names)
    # a new key for each kept change lets the fields begin with what is kept now
    drawn = st.session_state.setdefault(f"{key}_drawn", 0)
    back: str | None = None
    notes = IdleNotes()

    def below(name: str) -> None:
        nonlocal back
        st.caption(bounds(name, Settings))
        default = default_of(name, Settings)
        if getattr(settings, name) != Settings.model_fields[name].default and name not in fixed:
            label = _("Back to {default}", default=default)
            if st.button(
                label, key=f"{key}{drawn}_back_{name}", type="tertiary", icon=":material/undo:"
            ):
                back = name
        notes.below(name)

    # no form: in one, a field could not call for another one
    with st.container(border=True):
        values: Changes = {}
        if "model" in names:
            values = model_fields(
                f"{key}{drawn}", settings, off=fixed.keys(), persist=False, below=below
            )
            values["language"] = None if values["language"] == "auto" else values["language"]
        rest = [name for name in names if name not in values]
        values |= fields(
            rest, f"{key}{drawn}", settings, off=fixed.keys(), persist=False, below=below
        )
        if "speakers" in names:
            notes.tell({**settings.model_dump(), **values})
        note_fixed(fixed)
        with st.container(horizontal=True):
            save = st.button(_("Save"), key=f"{key}_save", type="primary", icon=":material/save:")
            reset = st.button(_("Back to the defaults"), key=f"{key}_reset", icon=":material/undo:")
    changes = {
        name: value
        for name, value in values.items()
        if name not in fixed and (value or None) != (getattr(settings, name) or None)
    }
    changes = {name: None if value == "" else value for name, value in changes.items()}
    if back or reset:
        changes = dict.fromkeys([back] if back else names)
    kept = partial(keep_changes, key, names, saved_note, changes, reset)
    if (save or reset or back) and not ask(changes, kept) and kept():
        st.rerun()
    if note := st.session_state.pop(f"{key}_said", None):
        st.success(note, icon=":material/check:")


def note_fixed(fixed: Mapping[str, str]) -> None:
    """Say which settings the environment overrules."""
    for name, variable in fixed.items():
        said = _(
            "{setting} is set by {variable} in the environment; what is saved here counts once "
            "that is gone.",
            setting=label_of(name),
            variable=ui.escape(variable),
        )
        st.caption(f":material/lock: {said}")


def _labelled(message: Message, names: Sequence[str]) -> Message:
    """Let a message speak of settings by the names that they have on screen."""
    values = dict(message.values)
    for place, value in values.items():
        if isinstance(value, Message):
            values[place] = _labelled(value, names)
        elif value in names:
            values[place] = f"“{label_of(value)}”"
    return replace(message, values=values)


def keep_changes(
    key: str, names: Sequence[str], saved_note: str, changes: Changes, reset: bool = False
) -> bool:
    """Save, and tell it at the next drawing, which begins with what counts then.

    Tells whether it could.
    """
    with ui.show_errors():
        try:
            preferences.save(changes)
        except SettingError as error:
            raise SettingError.of(_labelled(error.message, names)) from None
        for other in list(st.session_state):
            if str(other).startswith(_SESSION):  # chosen before, when other defaults counted
                del st.session_state[other]
        if "interface_language" in changes:
            st.session_state.pop(ui.LANGUAGE, None)
        st.session_state[f"{key}_drawn"] += 1
        st.session_state[f"{key}_said"] = _("The defaults count again.") if reset else _(saved_note)
        return True
    return False
