"""Something long that a page begins: it goes on in the background, is watched, and can be ended."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.background import Background
from transcrevai_core.errors import Cancelled, TranscrevaiError
from transcrevai_core.texts import _, told

EVERY = 0.5  # seconds between two looks


@dataclass
class Work:
    """Something long that a page has begun: how far it is, and how it ends early."""

    call: Callable[["Work"], Any]
    begun: float = field(default_factory=time.monotonic)
    stage: str = ""
    done: float = 0.0
    ending: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.thread = Background(lambda: self.call(self))

    def tell(self, stage: str, done: float) -> None:
        """Take down how far it is: the stage in English, and the share done (0 to 1)."""
        self.stage, self.done = stage, done


def begin(key: str, call: Callable[[Work], Any]) -> None:
    """Begin the session's work of that name, and draw the page anew with it."""
    if not busy(key):
        st.session_state[key] = Work(call)
    st.rerun()


def busy(key: str) -> bool:
    """Tell whether the session's work of that name goes on."""
    work: Work | None = st.session_state.get(key)
    return work is not None and work.thread.is_alive()


def working(key: str) -> None:
    """Draw how far the session's work of that name is, where there is any."""
    if key in st.session_state:
        st.fragment(_watched, run_every=EVERY)(key)


def finished(key: str) -> Any:
    """Return what the work of that name came to, once; None where it is not done or was ended.

    The sentence of an error is drawn.
    """
    work: Work | None = st.session_state.get(key)
    if work is None or busy(key):
        return None
    del st.session_state[key]
    try:
        return work.thread.result()
    except Cancelled:
        st.info(_("Cancelled; nothing was kept."), icon=":material/block:")
    except TranscrevaiError as error:
        st.error(ui.escape(told(str(error))), icon=":material/error:")
    return None


def _watched(key: str) -> None:
    work: Work = st.session_state[key]
    if not work.thread.is_alive():
        st.rerun()
    elapsed = time.monotonic() - work.begun
    stage = told(work.stage)
    text = stage[:1].upper() + stage[1:]
    if work.done:
        text += f", {work.done:.0%}"
    text += " · " + _("{time} elapsed", time=ui.clock(elapsed))
    if work.done > 0.02:
        left = elapsed * (1 - work.done) / work.done
        text += " · " + _("about {time} left", time=ui.clock(max(1, left)))
    st.progress(min(1.0, work.done), text=text)
    st.button(
        _("Cancel"),
        key=f"{key}_cancel",
        icon=":material/close:",
        disabled=work.ending.is_set(),
        on_click=work.ending.set,
    )
