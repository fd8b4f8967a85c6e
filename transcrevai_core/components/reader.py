"""The text of a transcript: times that seek, words in doubt marked, corrections beside."""

import streamlit as st

from transcrevai_core import edits, ui
from transcrevai_core.types import Segment

PAGE_SIZE = 50  # segments on screen at once; thousands would make the browser slow
_EDITING, _PLAYING, _SHOWN = "editing", "playing", "shown"  # in the session


@st.fragment
def reader(job_id: str, place: float | None) -> None:
    """Draw a job's segments, a page of them, and the player below; begin at `place`, in seconds."""
    page_key = f"page_{job_id}"
    if st.session_state.get(_SHOWN) != (job_id, place):  # another one, or another place in it
        st.session_state.update({_SHOWN: (job_id, place), _PLAYING: (place, 0), _EDITING: None})
        st.session_state.pop(page_key, None)
    segments = ui.store().segments(job_id)
    start, clicks = st.session_state[_PLAYING]
    # pages are cut so that the place one came for is near the top of its page
    found = max(0, sum(segment.end <= place for segment in segments) - 2) if place else 0
    cuts = range(found % PAGE_SIZE, len(segments), PAGE_SIZE)
    bounds = [*dict.fromkeys([0, *cuts]), len(segments)]
    if page_key not in st.session_state and found:
        st.session_state[page_key] = sum(cut <= found for cut in bounds[:-1])
    page = st.pagination(len(bounds) - 1, key=page_key) if len(bounds) > 2 else 1
    with st.container(gap="xsmall"):
        for segment in segments[bounds[page - 1] : bounds[page]]:
            _row(segment, current=start is not None and segment.start <= start < segment.end)
    with st.bottom:
        # a new address for each click makes the player seek even where it has been before
        url = f"{ui.audio_url(job_id)}?click={clicks}"
        st.audio(url, start_time=int(start or 0), autoplay=clicks > 0, alt="The recording")


def _row(segment: Segment, current: bool) -> None:
    editing = st.session_state[_EDITING] == segment.id
    with st.container(
        horizontal=True, wrap=False, vertical_alignment="top" if editing else "center"
    ):
        st.button(
            ui.clock(segment.start),
            key=f"play_{segment.id}",
            type=ui.importance(current),
            on_click=_play,
            args=(segment,),
        )
        if editing:
            _editor(segment)
            return
        _text(segment)
        st.button(
            ":material/edit:",
            key=f"edit_{segment.id}",
            type="tertiary",
            help="Correct this text",
            on_click=_edit,
            args=(segment.id,),
        )


def _text(segment: Segment) -> None:
    with st.container(gap=None):
        marks = " :red-badge[:material/repeat: may repeat itself]" if segment.looping else ""
        if segment.edited is not None:
            marks += " :blue-badge[edited]"
        st.markdown(ui.marked_text(segment) + marks)
        if segment.edited is not None:
            st.caption(f"The model wrote: {ui.escape(segment.text.strip())}")


def _editor(segment: Segment) -> None:
    with st.container():
        key = f"text_{segment.id}"
        st.text_area("Your text", segment.final_text.strip(), key=key, height="content")
        st.caption(f"The model wrote: {ui.escape(segment.text.strip())}")
        with st.container(horizontal=True):
            st.button("Save", type="primary", on_click=_save, args=(segment, key))
            if segment.edited is not None:
                st.button("Back to the model's text", on_click=_save, args=(segment, None))
            st.button("Cancel", on_click=_edit, args=(None,))


def _play(segment: Segment) -> None:
    _, clicks = st.session_state[_PLAYING]
    st.session_state[_PLAYING] = segment.start, clicks + 1


def _edit(segment_id: int | None) -> None:
    st.session_state[_EDITING] = segment_id


def _save(segment: Segment, key: str | None) -> None:
    edits.edit_text(ui.store(), segment.id or 0, st.session_state[key] if key else None)
    _edit(None)
