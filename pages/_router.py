"""What `st.App` runs: navigation and page config, nothing else."""

from pathlib import Path

import streamlit as st

from transcrevai_core import components, ui
from transcrevai_core.texts import _

HERE = Path(__file__).resolve().parent
IMAGES = Path(components.__file__).parent

# a Material icon as page icon would be fetched from the network
st.set_page_config(page_title="TranscrevAI", page_icon=str(IMAGES / "icon.svg"), layout="centered")
wordmark = IMAGES / f"logo-{st.context.theme.type or 'light'}.svg"
st.logo(str(wordmark), size="medium")
page = st.navigation(
    [
        st.Page(
            HERE / ui.TRANSCRIBE,
            title="Transcribe",
            icon=":material/mic:",
            default=True,
            help="Turn a recording into text: a file, the microphone, or a sample.",
        ),
        st.Page(
            HERE / ui.TRANSCRIPT,
            title="Transcript",
            icon=":material/article:",
            help="Read, listen to, correct and export one transcript.",
        ),
        st.Page(
            HERE / ui.TUNING,
            title=_("Tuning"),
            icon=":material/tune:",
            help=_("Try other settings on the voices of a recording, and see what they change."),
        ),
        st.Page(
            HERE / ui.LIBRARY,
            title="Library",
            icon=":material/folder_open:",
            help="All recordings: search in what was said, open, run again, delete.",
        ),
        st.Page(
            HERE / ui.MEMORY,
            title="Memory",
            icon=":material/memory:",
            help="How much memory there is, what takes it, and the limits it is kept in.",
        ),
    ],
    position="top",
)
page.run()
