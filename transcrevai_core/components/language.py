"""The language of the pages: the reader's own, and a switch that keeps another."""

import json
from contextlib import suppress
from pathlib import Path

import streamlit as st

from transcrevai_core import i18n, ui
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.i18n import _, mark
from transcrevai_core.library import preferences

_SWITCHED = "language_switched"  # in the session: the language is another one since the last run
_SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")
# what Streamlit says by itself
STREAMLIT = (
    mark("Skip to main content"),
    mark("Navigate to home page"),
    mark("App pages"),
    mark("Main menu"),
    mark("Theme"),
    mark("System"),
    mark("Light"),
    mark("Dark"),
    mark("Print"),
    mark("Record screen"),
    mark("Copy version to clipboard"),
    mark("Expand sidebar"),
    mark("Collapse sidebar"),
    mark("Scroll tabs left"),
    mark("Scroll tabs right"),
    mark("Help"),
    mark("Help for {name}"),
    mark("Open"),
    mark("Close"),
    mark("Dismiss"),
    mark("Choose an option"),
    mark("Choose options"),
    mark("No options to select"),
    mark("No results"),
    mark("1 option available."),
    mark("{number} options available."),
    mark("{name}, selected"),
    mark("Clear all"),
    mark("Clear value"),
    mark("Remove {name}"),
    mark("Increment"),
    mark("Decrement"),
    mark("Choose date"),
    mark("Clear date"),
    mark("day, {name}"),
    mark("month, {name}"),
    mark("year, {name}"),
    mark("Upload"),
    mark("file upload"),
    mark("Drag and drop a file here"),
    mark("{size} per file"),
    mark("Record"),
    mark("Stop recording"),
    mark("Clear recording"),
    mark("This app would like to use your microphone."),
    mark("Learn how to allow access."),
    mark("Play"),
    mark("Pause"),
    mark("Reset"),
    mark("Download as WAV"),
    mark("Download as SVG: {name}"),
    mark("Fullscreen"),
    mark("Fullscreen: {name}"),
    mark("Close fullscreen"),
    mark("Copy to clipboard"),
    mark("Copied"),
    mark("Stop"),
    mark("Running..."),
    mark("Connecting"),
    mark("Connection error"),
    mark(
        "Is Streamlit still running? If you accidentally stopped Streamlit, just restart it in "
        "your terminal:"
    ),
    mark(
        "Error: Number is outside the allowed range. Please enter a value between {least} and "
        "{most}."
    ),
    mark(
        "Error: Number is below the allowed range. Please enter a value greater than or equal to "
        "{least}."
    ),
    mark(
        "Error: Number is above the allowed range. Please enter a value less than or equal to "
        "{most}."
    ),
)


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
    script = f"document.documentElement.lang = '{i18n.tag()}'\n"
    if now != i18n.SOURCE:
        words = {text: _(text) for text in STREAMLIT}
        script += f"window.words = {json.dumps(words)}\n{_SCRIPT}"
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
