"""Something long that a page begins: it goes on in the background, is watched, and can be ended."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.errors import Cancelled, TranscrevaiError
from transcrevai_core.i18n import _, capital, decimal
from transcrevai_core.workers.background import Task

EVERY = 0.5  # seconds between two looks
# by library and name: a session ends where its page is loaded anew, and its work goes on
_begun: dict[tuple[Path, str], Task] = {}


def start(key: str, call: Callable[[Task], Any]) -> None:
    """Begin the work of that name, unless it goes on already, and draw the page anew with it."""
    if not is_running(key):
        _begun[_place(key)] = Task(call)
    st.rerun()


def is_running(key: str) -> bool:
    """Tell whether the work of that name goes on."""
    task = _begun.get(_place(key))
    return task is not None and task.is_alive()


def show_progress(key: str) -> None:
    """Draw how far the work of that name is, where there is any."""
    if task := _begun.get(_place(key)):
        show_task(task, f"{key}_cancel")


def take_result(key: str) -> Any:
    """Return what the work of that name came to, once; None where it is not done or was ended.

    The sentence of an error is drawn.
    """
    task = _begun.get(_place(key))
    if task is None or task.is_alive():
        return None
    _begun.pop(_place(key), None)
    try:
        return task.result()
    except Cancelled:
        st.info(_("Cancelled; nothing was kept."), icon=":material/block:")
    except TranscrevaiError as error:
        st.error(ui.say(error), icon=":material/error:")
    return None


def _place(key: str) -> tuple[Path, str]:
    return ui.store().home, key


def show_task(task: Task, key: str) -> None:
    """Draw a task while it goes on, and the page anew when it has ended."""
    st.fragment(_watched, run_every=EVERY)(task, key)


def _watched(task: Task, key: str) -> None:
    if not task.is_alive():
        st.rerun()
    progress_bar(capital(ui.say(task.stage)), task.share, task.elapsed, task.left)
    st.button(
        _("Cancel"),
        key=key,
        icon=":material/close:",
        disabled=task.should_stop(),
        on_click=task.cancel,
    )


def progress_bar(stage: str, share: float, elapsed: float, left: float | None) -> None:
    """Draw how far something is, in the reader's words; times in seconds."""
    text = f"{stage}, {decimal(100 * share)}%" if share else stage
    text += " · " + _("{time} elapsed", time=ui.clock(elapsed))
    if left is not None:
        text += " · " + _("about {time} left", time=ui.clock(max(1.0, left)))
    st.progress(min(1.0, share), text=text)
