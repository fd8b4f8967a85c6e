"""Read, hear, correct and export one transcript."""

import streamlit as st

from transcrevai_core import export, ui
from transcrevai_core.types import ACTIVE_STATES, Segment, Transcript

PAGE_SIZE = 50  # segments on screen at once; thousands would make the browser slow

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


def play(segment: Segment) -> None:
    _, clicks = st.session_state["playing"]
    st.session_state["playing"] = segment.start, clicks + 1


def edit(segment_id: int | None) -> None:
    st.session_state["editing"] = segment_id


def save(segment: Segment, key: str | None) -> None:
    library.edit_segment(segment.id or 0, st.session_state[key] if key else None)
    edit(None)


@st.fragment
def reader(job_id: str, place: float | None) -> None:
    segments = library.segments(job_id)
    start, clicks = st.session_state["playing"]
    # pages are cut so that the place one came for is near the top of its page
    found = sum(segment.end <= place for segment in segments) if place else 0
    cuts = range(max(0, found - 2) % PAGE_SIZE, len(segments), PAGE_SIZE)
    bounds = [*dict.fromkeys([0, *cuts]), len(segments)]
    key = f"page_{job_id}"
    if key not in st.session_state and place:
        st.session_state[key] = sum(cut <= max(0, found - 2) for cut in bounds[:-1])
    page = st.pagination(len(bounds) - 1, key=key) if len(bounds) > 2 else 1
    for segment in segments[bounds[page - 1] : bounds[page]]:
        row(segment, current=start is not None and segment.start <= start < segment.end)
    with st.bottom:
        # a new address for each click makes the player seek even where it has been before
        url = f"{ui.audio_url(job_id)}?click={clicks}"
        st.audio(url, start_time=int(start or 0), autoplay=clicks > 0, alt="The recording")


def row(segment: Segment, current: bool) -> None:
    editing = st.session_state["editing"] == segment.id
    with st.container(
        horizontal=True, wrap=False, vertical_alignment="top" if editing else "center"
    ):
        st.button(
            ui.clock(segment.start),
            key=f"play_{segment.id}",
            type=ui.importance(current),
            on_click=play,
            args=(segment,),
        )
        if editing:
            editor(segment)
            return
        text(segment)
        st.button(
            ":material/edit:",
            key=f"edit_{segment.id}",
            type="tertiary",
            help="Correct this text",
            on_click=edit,
            args=(segment.id,),
        )


def text(segment: Segment) -> None:
    with st.container(gap=None):
        marks = " :red-badge[:material/repeat: may repeat itself]" if segment.looping else ""
        if segment.edited is not None:
            marks += " :blue-badge[edited]"
        st.markdown(ui.marked_text(segment) + marks)
        if segment.edited is not None:
            st.caption(f"The model wrote: {ui.escape(segment.text.strip())}")


def editor(segment: Segment) -> None:
    with st.container():
        key = f"text_{segment.id}"
        st.text_area("Your text", segment.final_text.strip(), key=key, height="content")
        st.caption(f"The model wrote: {ui.escape(segment.text.strip())}")
        with st.container(horizontal=True):
            st.button("Save", type="primary", on_click=save, args=(segment, key))
            if segment.edited is not None:
                st.button("Back to the model's text", on_click=save, args=(segment, None))
            st.button("Cancel", on_click=edit, args=(None,))


@st.fragment
def export_menu(transcript: Transcript) -> None:
    formats = list(export.FORMATS)
    chosen = st.segmented_control(
        "Format", formats, default=formats[0], format_func=str.upper, required=True
    )
    edited = st.toggle("With my corrections", True)
    st.download_button(
        f"Download {str(chosen).upper()}",
        # read and written only when clicked, corrections of this minute included
        lambda: export.write(library.transcript(transcript.job_id), chosen, edited=edited),
        f"{export.file_stem(transcript.title)}.{chosen}",
        "application/json" if chosen == "json" else "text/plain",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


newest = next((job.id for job in library.jobs(["done"])), None)
job_id = st.query_params.get("job", newest)
if job_id is None:
    st.title("Transcript", anchor=False)
    st.info("There is no transcript yet.", icon=":material/info:")
    st.page_link(ui.TRANSCRIBE, label="Transcribe a recording or try a sample")
    st.stop()
if "job" not in st.query_params:  # so that a reload shows the same one
    st.query_params["job"] = job_id

job = library.job(job_id)
transcript = library.transcript(job_id)
at = ui.number(st.query_params.get("t"))
if st.session_state.get("shown") != (job_id, at):  # another one, or another place in it
    st.session_state["shown"] = job_id, at
    st.session_state["playing"] = at, 0
    st.session_state["editing"] = None
    st.session_state.pop(f"page_{job_id}", None)

st.title(ui.escape(transcript.title), anchor=False)
facts(transcript)
if job.state in ACTIVE_STATES:
    st.info("This is still being transcribed.", icon=":material/hourglass:")
    st.page_link(ui.TRANSCRIBE, label="Watch it", query_params={"job": job_id})
ui.notes(job)
if not transcript.segments:
    st.info("There is no text: no speech was found in this recording.", icon=":material/mic_off:")
    st.page_link(ui.TRANSCRIBE, label="Transcribe another recording")
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    st.caption(
        ":orange-background[Marked words] are those that the model was unsure of. "
        "Click a time to hear it."
    )
    with st.popover("Export", icon=":material/download:"):
        export_menu(transcript)
reader(job_id, at)
