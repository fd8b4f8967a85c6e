"""A laboratory: other settings for the speakers of a recording, and at once what they change."""

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.lab import laboratory_of
from transcrevai_core.texts import _
from transcrevai_core.types import Job

library = ui.store()
st.set_page_config(layout="wide")  # the settings, and beside them what they change


def choose(jobs: list[Job]) -> Job:
    """Draw which recordings there are, and return the one that is meant; the address keeps it."""
    known = {job.id: job for job in jobs}
    asked = st.query_params.get("job")
    if asked is not None and asked not in known:
        library.job(asked)  # says so where there is none
        st.info(_("That recording is not done, or its sound is gone; another one is shown."))
    start = asked if asked in known else jobs[0].id
    chosen = st.selectbox(
        _("Recording"),
        list(known),
        index=list(known).index(start),
        format_func=lambda job_id: f"{known[job_id].title} ({ui.date(known[job_id].created)})",
    )
    if chosen != asked:  # so that a reload shows the same one
        st.query_params["job"] = chosen
    return known[chosen]


st.title(_("Tuning"), anchor=False)
jobs = [job for job in library.jobs(["done"]) if library.wav(job.id).is_file()]
if not jobs:
    ui.invite(
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
laboratory_of(choose(jobs))
