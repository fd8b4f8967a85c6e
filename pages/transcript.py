"""Read, hear, correct and export one transcript."""

import streamlit as st

from transcrevai_core import export, ui
from transcrevai_core.components.reader import reader
from transcrevai_core.types import ACTIVE_STATES, Transcript

library = ui.store()


def facts(transcript: Transcript) -> None:
    language = ui.language_name(transcript.language)
    if transcript.language_probability is not None:
        language += f", {transcript.language_probability:.0%} sure"
    st.caption(
        f":material/schedule: {ui.clock(transcript.duration)} &nbsp; "
        f":material/translate: {language} &nbsp; "
        f":material/memory: {ui.escape(transcript.model)}, {transcript.compute_type}, "
        f"{transcript.device}"
    )


@st.fragment
def export_menu(transcript: Transcript) -> None:
    formats = export.applicable(transcript)
    chosen = st.segmented_control(
        "Format", formats, default=formats[0], format_func=str.upper, required=True
    )
    edited = st.toggle("With my corrections", True)
    st.download_button(
        f"Download {str(chosen).upper()}",
        # read and written only when clicked, corrections of this minute included
        lambda: export.write(library.transcript(transcript.job_id), chosen, edited=edited),
        export.file_name(export.file_stem(transcript.title), str(chosen)),
        export.mime_type(str(chosen)),
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


newest = next((job.id for job in library.jobs(["done"])), None)
job_id = st.query_params.get("job", newest)
if job_id is None:
    st.title("Transcript", anchor=False)
    ui.invite("There is no transcript yet.", ":material/article:")
    st.stop()
if "job" not in st.query_params:  # so that a reload shows the same one
    st.query_params["job"] = job_id

job = library.job(job_id)
transcript = library.transcript(job_id)
st.title(ui.escape(transcript.title), anchor=False)
if transcript.model:
    facts(transcript)
if job.state != "done":
    going = job.state in ACTIVE_STATES
    st.info(
        "This is still being transcribed." if going else "This transcript is not complete.",
        icon=":material/hourglass:",
    )
    label = "Watch it grow" if going else "See why, and how to go on"
    st.page_link(ui.TRANSCRIBE, label=label, query_params={"job": job_id})
ui.notes(job)
if not transcript.segments:
    if job.state == "done":
        sentence = "There is no text: no speech was found in this recording."
        ui.invite(sentence, ":material/mic_off:")
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    st.caption(
        ":orange-background[Marked words] are those that the model was unsure of. "
        "Click a time to hear it."
    )
    with st.popover("Export", icon=":material/download:"):
        export_menu(transcript)
reader(job_id, ui.number(st.query_params.get("t")))
