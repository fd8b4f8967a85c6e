"""The limits that memory is kept in, as a form over `config.toml`."""

import streamlit as st

from transcrevai_core import preferences, texts, ui
from transcrevai_core.components.fields import fields, group, label_of
from transcrevai_core.errors import SettingError
from transcrevai_core.settings import Settings
from transcrevai_core.texts import _

NAMES = [*group(Settings, "memory"), "model_idle_seconds"]
_DRAWN, _SAID = "limits_drawn", "limits_said"  # in the session


def limits_form() -> None:
    """Draw the limits, and keep what is changed in them."""
    settings = ui.settings()
    fixed = preferences.overruled(NAMES)
    # a new key for each kept change lets the fields begin with what is kept now
    drawn = st.session_state.setdefault(_DRAWN, 0)
    with st.form("limits"):
        values = fields(NAMES, f"limits{drawn}", settings, off=fixed.keys(), persist=False)
        for name, variable in fixed.items():
            said = _(
                "{setting} is set by {variable} in the environment; what is saved here counts "
                "once that is gone.",
                setting=label_of(name),
                variable=ui.escape(variable),
            )
            st.caption(f":material/lock: {said}")
        with st.container(horizontal=True):
            save = st.form_submit_button(_("Save"), type="primary", icon=":material/save:")
            reset = st.form_submit_button(_("Back to the defaults"), icon=":material/undo:")
    changes = {
        name: value
        for name, value in values.items()
        if name not in fixed and value != getattr(settings, name)
    }
    if save or reset:
        with ui.told():
            _keep(dict.fromkeys(NAMES) if reset else changes)
            st.session_state[_DRAWN] = drawn + 1
            st.session_state[_SAID] = (
                _("The defaults count again.")
                if reset
                else _("Saved; running jobs keep to it at once.")
            )
            st.rerun()
    if said := st.session_state.pop(_SAID, None):
        st.success(said, icon=":material/check:")


def _keep(changes: dict[str, object]) -> None:
    """Save, and speak of settings by the names that they have on screen."""
    try:
        preferences.save(changes)
    except SettingError as error:
        sentence = texts.told(str(error))
        for name in NAMES:
            sentence = sentence.replace(name, f"“{label_of(name)}”")
        raise SettingError(sentence) from None
