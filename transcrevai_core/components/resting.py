"""Above every page while nobody works on recordings: that it is so, and why."""

import streamlit as st

from transcrevai_core import supervisor, ui
from transcrevai_core.texts import _


def resting_notice() -> None:
    """Say that work rests, and why, for as long as that is so; draw the page anew after that."""
    if supervisor.resting():
        _notice()


@st.fragment(run_every=supervisor.EVERY)
def _notice() -> None:
    if not (why := supervisor.resting()):
        st.rerun()
    st.warning(
        _("Work rests, and goes on by itself as soon as it can: {why}", why=ui.said(why)),
        icon=":material/pause_circle:",
    )
