"""How much of the speech became text, and the gaps, to be played and transcribed again."""

import math
from collections.abc import Sequence

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.clip import clip
from transcrevai_core.i18n import _, decimal, plural
from transcrevai_core.library import coverage
from transcrevai_core.library.coverage import Coverage, Gap
from transcrevai_core.library.rows import sound_gone
from transcrevai_core.types import ACTIVE_STATES, Job, Transcript

_SHOWN = 20  # gaps
_PLAYED = "gap_heard"  # in the session: what is played, and how often that was asked for


def coverage_panel(job: Job, transcript: Transcript, found: Coverage) -> None:
    """Draw the share of speech that is text, where a transcript is not in its first making."""
    growing = job.state in ACTIVE_STATES and all(gap.state != "waiting" for gap in found.gaps)
    if growing or not transcript.segments:
        return
    share = decimal(math.floor(100 * found.share))  # 100 only where there is no gap
    label = _("All of the speech is text")
    if found.gaps:
        label = plural(
            "{share}% of the speech is text, with {number} gap",
            "{share}% of the speech is text, with {number} gaps",
            len(found.gaps),
            share=share,
        )
    with st.expander(label, icon=":material/rule:"):
        if not found.gaps:
            st.caption(_("No longer stretch of speech is without words."))
            return
        _gaps(job, found.gaps)


@st.fragment
def _gaps(job: Job, gaps: Sequence[Gap]) -> None:
    st.caption(
        _(
            "Here someone seems to speak, and no words were written. Listen, and have a gap "
            "transcribed again by itself; the text that is there stays as it is."
        )
    )
    gone = sound_gone(job, ui.store().wav(job.id))
    if gone:
        st.caption(f":material/info: {ui.say(gone)}")
    still = job.state in ACTIVE_STATES or bool(gone)
    fresh = [gap for gap in gaps if gap.state == "new"]
    if len(fresh) > 1 and st.button(
        plural("Transcribe {number} gap again", "Transcribe {number} gaps again", len(fresh)),
        icon=":material/refresh:",
        type="primary",
        disabled=still,
    ):
        _ask(job, fresh)
    with st.container(gap="xsmall"):
        for gap in gaps[:_SHOWN]:
            _row(job, gap, still)
    if len(gaps) > _SHOWN:
        st.caption(plural("and {number} more", "and {number} more", len(gaps) - _SHOWN))
    played, clicks = st.session_state.get(_PLAYED, (None, 0))
    if played in gaps:
        clip(job.id, played.start, played.end, clicks=clicks, key="gap_clip")


def _row(job: Job, gap: Gap, still: bool) -> None:
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
        st.button(
            f"{ui.clock(gap.start)} – {ui.clock(gap.end)}",
            key=f"gap_{gap.start:.2f}",
            icon=":material/play_arrow:",
            help=_("Hear it"),
            on_click=_play,
            args=(gap,),
        )
        notes = [_("{seconds} s of speech", seconds=decimal(gap.seconds, 1))]
        if gap.state == "tried":
            notes.append(_("transcribed again: no words were found"))
        elif gap.state == "waiting":
            notes.append(_("waits to be transcribed again"))
        st.caption(" · ".join(notes), width="stretch")
        said = _("Transcribe {place} again", place=ui.clock(gap.start))
        if gap.state != "waiting" and ui.icon_button(
            ":material/refresh:", said, f"again_{gap.start:.2f}", disabled=still
        ):
            _ask(job, [gap])


def _play(gap: Gap) -> None:
    _gap, clicks = st.session_state.get(_PLAYED, (None, 0))
    st.session_state[_PLAYED] = gap, clicks + 1


def _ask(job: Job, gaps: Sequence[Gap]) -> None:
    with ui.show_errors():
        coverage.transcribe_again(ui.store(), job, gaps)
        st.rerun()
