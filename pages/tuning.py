"""A laboratory: other settings for the speakers of a recording, and at once what they change."""

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.recording import invite, recording_field
from transcrevai_core.components.tuning.lab import laboratory_of
from transcrevai_core.i18n import _

library = ui.store()

st.title(_("Tuning"), anchor=False)
jobs = [job for job in library.jobs(["done"]) if library.wav(job.id).is_file()]
if not jobs:
    invite(
        _(
            "There is no finished recording yet. Once there is one, its speakers can be told apart "
            "with other settings here, and each change is answered at once."
        ),
        ":material/tune:",
    )
    st.stop()
st.caption(
    _(
        "Every change is tried on the voices that are kept, and shown at once. Nothing in the "
        "library changes before you use it."
    )
)
laboratory_of(recording_field(jobs)[0])
