"""Read, hear, correct and export one transcript, with its speakers."""

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.codes import Stage
from transcrevai_core.components.following.bar import draw_progress
from transcrevai_core.components.recording import (
    invite,
    known_job,
    remember_job,
    requested_job,
)
from transcrevai_core.components.transcript.coverage import coverage_panel
from transcrevai_core.components.transcript.handing import export_menu
from transcrevai_core.components.transcript.reader import reader
from transcrevai_core.components.transcript.report import report_menu
from transcrevai_core.components.transcript.speakers import add_text, find_again, rename, speakers
from transcrevai_core.components.transcript.versions import check_mark, versions_menu
from transcrevai_core.i18n import _
from transcrevai_core.library import coverage
from transcrevai_core.types import ACTIVE_STATES, Job, Transcript

library = ui.store()


def facts(transcript: Transcript) -> None:
    known = [f":material/schedule: {ui.clock(transcript.duration)}"]
    if transcript.segments:
        spoken = (segment.language for segment in transcript.segments)
        codes = [code for code in dict.fromkeys([transcript.language, *spoken]) if code]
        language = ", ".join(map(ui.language_name, codes)) or ui.language_name(None)
        if transcript.language_probability is not None and len(codes) == 1:
            share = f"{transcript.language_probability:.0%}"
            language += ", " + _("probability {share} by the model", share=share)
        known.append(f":material/translate: {language}")
        model = f"{ui.escape(transcript.model)}, {transcript.compute_type}, {transcript.device}"
        known.append(f":material/memory: {model}")
    st.caption(" &nbsp; ".join(known))


def unfinished(job: Job, transcript: Transcript) -> None:
    going, label = job.state in ACTIVE_STATES, _("Watch it grow")
    whole = bool(transcript.segments) and not library.chunks(job.id, unfinished=True)
    if whole and job.state == "failed":
        sentence = _("The text is whole, but who speaks could not be found.")
        sentence += f" {ui.say(job.error)}"
        label = ""
    elif not going:
        sentence, label = _("This transcript is not complete."), _("See why, and how to go on")
    elif whole and (job.state == "queued" or job.stage.code is Stage.DIARIZING):
        sentence, label = _("The speakers are being found; the text stays as it is."), ""
    else:
        sentence = _("This is still being transcribed.")
    st.info(sentence, icon=":material/hourglass:")
    if going:
        draw_progress(job)
    if label:
        st.page_link(ui.TRANSCRIBE, label=label, query_params={"job": job.id})


def head(job: Job, transcript: Transcript) -> None:
    """Name the recording, and hand it on."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(ui.escape(transcript.title), anchor=False, width="stretch")
        if transcript.segments or transcript.turns:
            with st.container(horizontal=True, width="content"):
                export_menu(transcript)
                report_menu(job, transcript)
                versions_menu(transcript)


def how_to_read(transcript: Transcript) -> None:
    how = _("Click a row or a lane to hear it; ? shows all keys.")
    if transcript.segments:
        how = _(":orange-background[Marked words] are those that the model was unsure of.")
        how += " " + _("Click a word to hear it, twice to edit it; ? shows all keys.")
    st.markdown(f":small[{how}]")  # a caption would be too pale


job_id = requested_job(library.jobs(["done"]))
if job_id is None:
    st.title(_("Transcript"), anchor=False)
    invite(_("There is no transcript yet."), ":material/article:")
    st.stop()
job = known_job(job_id)
remember_job(job_id)
with library.database.snapshot():
    transcript = library.transcript(job_id)
    covered = coverage.of_job(library, job_id, transcript.segments)
head(job, transcript)
if transcript.model or transcript.turns:
    facts(transcript)
if job.state != "done":
    unfinished(job, transcript)
ui.notes(job)
check_mark(job_id)
if not transcript.segments and not transcript.turns:
    if job.state == "done":
        sentence = _("There is no text: no speech was found in this recording.")
        invite(sentence, ":material/mic_off:")
    st.stop()
text, side = st.columns([5, 2], gap="medium")
with side, st.container(key="beside"):
    if transcript.speakers:
        speakers(job, transcript)
    elif job.state not in ACTIVE_STATES:
        find_again(job, _("Find who speaks when"), _("Find"))
    coverage_panel(job, transcript, covered)
    how_to_read(transcript)
with text:
    if not transcript.segments and job.state not in ACTIVE_STATES:
        add_text(job)
    if label := reader(job_id, transcript.language, ui.number(st.query_params.get("t"))):
        rename(transcript, label)
