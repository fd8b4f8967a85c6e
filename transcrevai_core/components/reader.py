"""The text of a transcript: who says what, times that seek, words in doubt marked, corrections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from transcrevai_core import edits, ui
from transcrevai_core.turns import shown_name
from transcrevai_core.types import Segment, Transcript

PAGE_SIZE = 50  # segments on screen at once; thousands would make the browser slow
NEW_SPEAKER = ""  # no label is empty
# in the session
_EDITING, _PLAYING, _SHOWN = "editing", "playing", "shown"
_REGROUPED, _SOUGHT = "regrouped", "sought"


@dataclass(frozen=True, slots=True)
class _Speakers:
    """Who can have said something, and what they are called."""

    labels: tuple[str, ...]
    names: Mapping[str, str]


@st.fragment
def reader(job_id: str) -> None:
    """Draw a job's segments, a page of them, and the player below; `go_to` says from where on."""
    if st.session_state.pop(_REGROUPED, False):
        st.rerun()  # what stands above the text tells of speakers too
    place = st.session_state[_SHOWN][1]
    transcript = ui.store().transcript(job_id)
    speakers = _Speakers(transcript.speakers, transcript.names)
    rows = _rows(transcript)
    bounds = _bounds(rows, place)
    page_key = f"page_{job_id}"
    sought = st.session_state.pop(_SOUGHT, None)
    if sought is not None and len(bounds) > 2:
        found = min(len(rows) - 1, sum(row.end <= sought for row in rows))
        st.session_state[page_key] = sum(cut <= found for cut in bounds[:-1])
    start, clicks = st.session_state[_PLAYING]
    page = st.pagination(len(bounds) - 1, key=page_key) if len(bounds) > 2 else 1
    with st.container(gap="xsmall"):
        before: str | None = None
        for row in rows[bounds[page - 1] : bounds[page]]:
            current = start is not None and row.start <= start < row.end
            _row(row, speakers, current, begins=row.speaker != before)
            before = row.speaker
    with st.bottom:
        # a new address for each click makes the player seek even where it has been before
        url = f"{ui.audio_url(job_id)}?click={clicks}"
        st.audio(url, start_time=int(start or 0), autoplay=clicks > 0, alt="The recording")


def come_to(job_id: str, place: float | None) -> None:
    """Begin at `place`, in seconds, where this tab has shown something else before."""
    if st.session_state.get(_SHOWN) != (job_id, place):  # another one, or another place in it
        st.session_state.update({_SHOWN: (job_id, place), _PLAYING: (place, 0), _EDITING: None})
        st.session_state[_SOUGHT] = place or 0


def jump(seconds: float) -> None:
    """Play from a moment on, and turn to the page where it is."""
    _play(seconds)
    st.session_state[_SOUGHT] = seconds


def _rows(transcript: Transcript) -> Sequence[Segment]:
    """Return the segments, or where there is no text the turns in their place."""
    return transcript.segments or [
        Segment(turn.start, turn.end, "", speaker=turn.speaker, id=-number)
        for number, turn in enumerate(transcript.turns, 1)
    ]


def _bounds(rows: Sequence[Segment], place: float | None) -> list[int]:
    """Return where pages begin: the place one came for is near the top of its page."""
    found = max(0, sum(row.end <= place for row in rows) - 2) if place else 0
    return [*dict.fromkeys([0, *range(found % PAGE_SIZE, len(rows), PAGE_SIZE)]), len(rows)]


def _row(row: Segment, speakers: _Speakers, current: bool, begins: bool) -> None:
    editing = st.session_state[_EDITING] == row.id
    with st.container(
        horizontal=True, wrap=False, vertical_alignment="top" if editing else "center"
    ):
        st.button(
            ui.clock(row.start),
            key=f"play_{row.id}",
            type=ui.importance(current),
            on_click=_play,
            args=(row.start,),
        )
        if editing:
            _editor(row, speakers)
            return
        _text(row, ui.chip(row.speaker, speakers.names) if row.speaker and begins else "")
        if row.text:
            st.button(
                ":material/edit:",
                key=f"edit_{row.id}",
                type="tertiary",
                help="Correct the text or who says it" if speakers.labels else "Correct this text",
                on_click=_edit,
                args=(row.id,),
            )


def _text(row: Segment, chip: str) -> None:
    with st.container(gap=None):
        marks = " :red-badge[:material/repeat: may repeat itself]" if row.looping else ""
        if row.edited is not None:
            marks += " :blue-badge[edited]"
        text = ui.marked_text(row) + marks if row.text else _length(row)
        gap = "" if not chip else "  \n" if row.text else "&ensp;"
        st.markdown(f"{chip}{gap}{text}")
        if row.edited is not None:
            st.caption(f"The model wrote: {ui.escape(row.text.strip())}")


def _length(row: Segment) -> str:
    return f":gray[{max(1, round(row.end - row.start))} s]"


def _editor(row: Segment, speakers: _Speakers) -> None:
    with st.container():
        text_key, speaker_key = f"text_{row.id}", f"speaker_{row.id}"
        st.text_area("Your text", row.final_text.strip(), key=text_key, height="content")
        st.caption(f"The model wrote: {ui.escape(row.text.strip())}")
        if speakers.labels:
            choices = [*speakers.labels, NEW_SPEAKER]
            st.selectbox(
                "Spoken by",
                choices,
                index=choices.index(row.speaker) if row.speaker else None,
                format_func=lambda label: (
                    shown_name(label, speakers.names) if label else "Somebody else"
                ),
                key=speaker_key,
            )
        with st.container(horizontal=True):
            st.button(
                "Save", type="primary", on_click=_save, args=(row, text_key, speaker_key, speakers)
            )
            if row.edited is not None:
                st.button("Back to the model's text", on_click=_restore, args=(row,))
            st.button("Cancel", on_click=_edit, args=(None,))


def _play(seconds: float) -> None:
    _, clicks = st.session_state[_PLAYING]
    st.session_state[_PLAYING] = seconds, clicks + 1


def _edit(segment_id: int | None) -> None:
    st.session_state[_EDITING] = segment_id


def _save(row: Segment, text_key: str, speaker_key: str, speakers: _Speakers) -> None:
    edits.edit_text(ui.store(), row.id or 0, st.session_state[text_key])
    label = st.session_state.get(speaker_key)
    if label is not None and label != row.speaker:
        label = label or edits.new_label(speakers.labels)
        edits.assign_segment(ui.store(), row.id or 0, label)
        st.session_state[_REGROUPED] = True
    _edit(None)


def _restore(row: Segment) -> None:
    edits.edit_text(ui.store(), row.id or 0, None)
    _edit(None)
