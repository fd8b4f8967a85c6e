"""The language of the pages: the reader's own, and a switch that keeps another."""

from contextlib import suppress

import streamlit as st

from transcrevai_core import i18n, ui
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.i18n import _
from transcrevai_core.library import preferences

_SWITCHED = "language_switched"  # in the session: the language is another one since the last run


def choose_language() -> None:
    """Let this session have its language: the one that is kept, else the browser's."""
    if ui.LANGUAGE not in st.session_state:
        kept = "auto"
        with suppress(TranscrevaiError):  # the page, which needs more of the settings, will say it
            kept = ui.settings().interface_language
        best = i18n.best(st.context.locale)
        st.session_state[ui.LANGUAGE] = best if kept == "auto" else kept


def language_switch() -> None:
    """Draw the languages to choose from; the choice is kept for later sessions too."""
    now = i18n.language()
    # the page's own statement of it, which Streamlit leaves at English, is for screen readers
    script = f"document.documentElement.lang = '{i18n.tag()}'"
    if st.session_state.pop(_SWITCHED, False):
        script = "location.reload()"  # else lists that were drawn keep what they show, untranslated
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True, width="content")
    st.segmented_control(
        _("Language of the pages"),
        list(i18n.LANGUAGES),
        default=now,
        required=True,
        format_func=i18n.LANGUAGES.__getitem__,
        # a key for each, so that the one in use is shown as chosen
        key=f"language_{now}",
        on_change=_switch,
        args=(f"language_{now}",),
        label_visibility="collapsed",
    )


def _switch(key: str) -> None:
    st.session_state[ui.LANGUAGE] = st.session_state[key]
    with ui.show_errors():
        preferences.save({"interface_language": st.session_state[key]})
        st.session_state[_SWITCHED] = True
