"""Playing stretches of a recording in the laboratory: clicked, chosen, or turn by turn."""

from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from transcrevai_core.components.clip import clip
from transcrevai_core.i18n import _
from transcrevai_core.transcript.turns import display_name
from transcrevai_core.types import Turn


def player(job_id: str, turns: Sequence[Turn], names: Mapping[str, str]) -> None:
    """Draw what plays, and the way from turn to turn for those who use no mouse."""
    stretch = st.session_state.get(_key(job_id))
    now = stretch[:2] if stretch else (-1.0, -1.0)
    spans = {(turn.start, turn.end): turn.speaker for turn in turns}
    with st.container(horizontal=True, vertical_alignment="center"):
        if stretch:
            who = display_name(spans[now], names) if now in spans else ""
            clip(job_id, *now, clicks=stretch[2], key=f"lab_play_{job_id}", who=who)
        else:
            st.caption(_("Click a turn, or a dot of the map, to hear it; drag to zoom."))
        earlier = max((span for span in spans if span < now), default=None)
        later = min((span for span in spans if span > now), default=None)
        _step(job_id, "previous", earlier)
        _step(job_id, "next", later)


def play(job_id: str, start: float, end: float) -> None:
    """Let a stretch, in seconds, be played with the next run of the page."""
    clicks = (st.session_state.get(_key(job_id)) or (0, 0, 0))[2]
    st.session_state[_key(job_id)] = start, end, clicks + 1


def last_played(job_id: str) -> tuple[float, float] | None:
    """Return the stretch, in seconds, that was asked for last; None where none was."""
    stretch = st.session_state.get(_key(job_id))
    return stretch and stretch[:2]


def clicked(job_id: str, key: str) -> None:
    """Play what was clicked in the chart of that key, whose customdata are starts and ends."""
    points = st.session_state[key]["selection"]["points"]
    data = points[-1].get("customdata") if points else None
    if isinstance(data, Mapping):  # arrays can arrive with their places as names
        data = [data.get("0"), data.get("1")]
    if isinstance(data, list) and len(data) == 2:
        play(job_id, float(data[0]), float(data[1]))


def _key(job_id: str) -> str:
    return f"lab_clip_{job_id}"


def _step(job_id: str, way: Literal["previous", "next"], span: tuple[float, float] | None) -> None:
    st.button(
        _("Previous turn") if way == "previous" else _("Next turn"),
        icon=f":material/skip_{way}:",
        key=f"lab_{way}_{job_id}",
        disabled=span is None,
        on_click=play,
        args=(job_id, *(span or ())),
    )
