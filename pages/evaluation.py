"""How good a transcript is: against a reference, and INT8 against float32."""

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.evaluation import (
    alignment,
    as_json,
    figures,
    policy_fields,
    scoring_work,
    speakers,
    turns,
)
from transcrevai_core.components.recording import invite, recording_field
from transcrevai_core.components.settings.precision import numbers
from transcrevai_core.components.working import is_running, show_progress, start, take_result
from transcrevai_core.evaluation.references import SUFFIXES
from transcrevai_core.export import file_stem
from transcrevai_core.i18n import _
from transcrevai_core.types import Job

MOST_MB = 5  # the text of days
WORK = "evaluation"
FOUND = "evaluation_found"  # in the session: what was compared, and what came of it


def against_reference() -> None:
    jobs = ui.store().jobs(["done"])
    if not jobs:
        sentence = _("There is no finished recording yet that could be held against a reference.")
        invite(sentence, ":material/fact_check:")
        return
    ids = {job.id: job for job in jobs}
    job, meant = recording_field(jobs)
    upload = st.file_uploader(
        _("Reference: what is really said, or who really speaks when"),
        type=[suffix for suffix in SUFFIXES if suffix != "json"],
        max_upload_size=MOST_MB,
        help=_(
            "Text (txt), subtitles (srt, vtt), segment time marks (stm) or speakers' turns (rttm), "
            "in UTF-8. Names before a colon count as speakers where every line of a text or every "
            "cue begins with one, and in files that were exported here."
        ),
    )
    with st.expander(_("How it is scored"), icon=":material/tune:"):
        edited = st.toggle(
            _("With my corrections"),
            help=_("Judge the text as you corrected it, and not as the model wrote it"),
        )
        collar = st.number_input(
            _("Collar around speakers' turns (s)"),
            0.0,
            2.0,
            0.0,
            step=0.05,
            help=_("What lies so near to a boundary of the reference, on each side, is not scored"),
        )
        skip = st.toggle(_("Leave out where speakers of the reference overlap"))
        policy = policy_fields(job.language)
    place = st.container()
    ended = take_result(WORK)  # before the button is drawn: it may end at any moment
    with place:
        asked = st.button(
            _("Compare"),
            type="primary",
            icon=":material/fact_check:",
            disabled=not upload or is_running(WORK),
        )
    if asked and upload and meant:  # not another one, where that has just gone
        st.session_state.pop(FOUND, None)
        about = job.id, upload.name, edited
        work = scoring_work(job, upload.name, upload.getvalue(), edited, collar, skip, policy)
        start(WORK, lambda task: (about, work(task)))
    if ended is not None:
        st.session_state[FOUND] = ended
    show_progress(WORK)
    result(ids)


def result(ids: dict[str, Job]) -> None:
    """Draw what the last comparison came to."""
    (job_id, file, edited), found = st.session_state.get(FOUND, (("", "", False), None))
    if job_id not in ids:
        return
    job = ids[job_id]
    with st.container(horizontal=True, vertical_alignment="center"):
        title, name = ui.escape(job.title), ui.escape(file)
        st.subheader(_("{title} against {file}", title=title, file=name), anchor=False)
        st.download_button(
            _("Download JSON"),
            lambda: as_json(job, file, edited, found),
            f"{file_stem(job.title)}.score.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
    if edited:
        st.caption(_("With your corrections."))
    figures(job, found)
    alignment(found, "evaluation")
    speakers(job, found)
    turns(found)


st.title(_("Evaluation"), anchor=False)
sections = {
    ":material/fact_check: " + _("Against a reference"): against_reference,
    ":material/compare_arrows: " + _("Numbers: INT8 against float32"): numbers,
}
tabs = st.tabs(list(sections), key="evaluation_section", on_change="rerun")
for tab, draw in zip(tabs, sections.values(), strict=True):
    if tab.open:  # the other one costs nothing
        with tab:
            draw()
