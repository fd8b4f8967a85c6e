"""What `st.App` runs: navigation, page config and the language, nothing else."""

from pathlib import Path

import streamlit as st

from transcrevai_core import components, ui
from transcrevai_core.components.following.herald import herald
from transcrevai_core.components.language import choose_language, language_switch
from transcrevai_core.components.recording import tab_name
from transcrevai_core.components.resting import resting_notice
from transcrevai_core.i18n import _

HERE = Path(__file__).resolve().parent
IMAGES = Path(components.__file__).parent
# two things beside each other, or many columns
WIDE = {Path(name).stem for name in (ui.TRANSCRIPT, ui.TUNING, ui.LIBRARY)}

# a Material icon as page icon would be fetched from the network
st.set_page_config(page_title="TranscrevAI", page_icon=str(IMAGES / "icon.svg"))
choose_language()
selected = st.get_option(f"theme.{st.context.theme.type or 'light'}.linkColor")
# Streamlit writes what is selected in the colour of buttons: on dark ground it cannot be read well,
# and no one colour could be, as their own text is always white
st.html(
    "<style>[role=tab][aria-selected=true], button[data-selected=true], "
    f"[data-testid=stSliderThumbValue] {{ color: {selected} !important }}</style>"
)
st.html(IMAGES / "page.css")
wordmark = IMAGES / f"logo-{st.context.theme.type or 'light'}.svg"
st.logo(str(wordmark), size="medium")
page = st.navigation(
    [
        st.Page(
            HERE / ui.TRANSCRIBE,
            title=_("Transcribe"),
            icon=":material/mic:",
            default=True,
            help=_("Turn a recording into text: a file, the microphone, or a sample."),
        ),
        st.Page(
            HERE / ui.TRANSCRIPT,
            title=_("Transcript"),
            icon=":material/article:",
            help=_("Read, listen to, correct and export one transcript."),
        ),
        st.Page(
            HERE / ui.TUNING,
            title=_("Tuning"),
            icon=":material/tune:",
            help=_("Try other settings on the voices of a recording, and see what they change."),
        ),
        st.Page(
            HERE / ui.LIBRARY,
            title=_("Library"),
            icon=":material/folder_open:",
            help=_("All recordings: search in what was said, open, run again, delete."),
        ),
        st.Page(
            HERE / ui.EVALUATION,
            title=_("Evaluation"),
            icon=":material/fact_check:",
            help=_("How good a text is: word and speaker errors against a reference."),
        ),
        st.Page(
            HERE / ui.MEMORY,
            title=_("Memory"),
            icon=":material/memory:",
            help=_("How much memory there is, what takes it, and the limits it is kept in."),
        ),
        st.Page(
            HERE / ui.SETTINGS,
            title=_("Settings"),
            icon=":material/settings:",
            help=_("How new recordings are worked on, models, what is kept, and the language."),
        ),
    ],
    position="top",
)
# once a run: of two layouts the browser may keep the first, where it has the second already
title = f"{tab_name(page.title)} · TranscrevAI"
st.set_page_config(
    page_title=title,
    layout="wide" if page.url_path in WIDE else "centered",
)
# the page ends in many ways, its own stop among them; the foot is drawn before and stands below
body = st.container()
st.space("small")
with st.container(horizontal=True, horizontal_alignment="right", key="foot"):
    herald(title, "" if page.url_path else st.query_params.get("job", ""))  # of Transcribe
    language_switch()
with body:
    resting_notice()
    page.run()
