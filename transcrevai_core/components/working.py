"""Something long that a page begins: it goes on in the background, is watched, and can be ended.

What comes of it is for the session that began it. A session ends where its page is loaded anew, and
its work goes on: so the address names whose work it is, for as long as there is any.
"""

import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.errors import Cancelled, TranscrevaiError
from transcrevai_core.i18n import _, capital, decimal
from transcrevai_core.workers.background import Task

EVERY = 1.0  # seconds between two looks
_OWNER = "work"  # in the session, and in the address
_MOST = 20  # results that wait for whoever began the work, who may never come back
_begun: dict[tuple[Path, str, str], Task] = {}  # by library, name and owner
_beginning = threading.Lock()


def owner() -> str:
    """Name whose work this session begins and takes the results of, after a reload as before."""
    if _OWNER not in st.session_state:
        st.session_state[_OWNER] = st.query_params.get(_OWNER) or uuid.uuid4().hex
    return str(st.session_state[_OWNER])


def keep_owner(waits: bool = False) -> None:
    """Let the address name the owner while there is own work, or the session `waits` for other.

    So the page is the owner's when it is loaded anew; an address that is passed on later is not.
    """
    if not (waits or any(place[2] == owner() for place in list(_begun))):
        st.query_params.pop(_OWNER, None)
    elif st.query_params.get(_OWNER) != owner():
        st.query_params[_OWNER] = owner()


def start(key: str, call: Callable[[Task], Any], *, alone: bool = False) -> None:
    """Begin the work of that name, unless it goes on already, and draw the page anew with it.

    With `alone`, work of that name that anybody has begun is waited for.
    """
    with _beginning:
        if not is_running(key, anybody=alone):
            ended = [place for place, task in _begun.items() if not task.is_alive()]
            for place in ended[:-_MOST]:
                del _begun[place]
            _begun[_place(key)] = Task(call)
    st.rerun()


def is_running(key: str, *, anybody: bool = False) -> bool:
    """Tell whether own work of that name goes on, or anybody's."""
    return _running(key, anybody) is not None


def show_progress(key: str, *, anybody: bool = False) -> None:
    """Draw how far own work of that name is, or anybody's, where it goes on."""
    # own work that has ended since the page asked for its result is asked for anew
    if task := _begun.get(_place(key)) or _running(key, anybody):
        show_task(task, f"{key}_cancel")
    keep_owner()


def take_result(key: str) -> Any:
    """Return what own work of that name came to, once; None where it is not done or was ended.

    The sentence of an error is drawn.
    """
    task = _begun.get(_place(key))
    if task is None or task.is_alive():
        return None
    _begun.pop(_place(key), None)
    keep_owner()
    try:
        return task.result()
    except Cancelled:
        st.info(_("Cancelled; nothing was kept."), icon=":material/block:")
    except TranscrevaiError as error:
        st.error(ui.say(error), icon=":material/error:")
    return None


def _place(key: str) -> tuple[Path, str, str]:
    return ui.store().home, key, owner()


def _running(key: str, anybody: bool) -> Task | None:
    own = _place(key)
    for place, task in list(_begun.items()):
        if task.is_alive() and (place == own or (anybody and place[:2] == own[:2])):
            return task
    return None


def show_task(task: Task, key: str) -> None:
    """Draw a task while it goes on, and the page anew when it has ended."""
    st.fragment(_watched, run_every=EVERY)(task)
    st.button(
        _("Cancel"),
        key=key,
        icon=":material/close:",
        disabled=task.should_stop(),
        on_click=task.cancel,
    )


def _watched(task: Task) -> None:
    if not task.is_alive():
        st.rerun()
    progress_bar(capital(ui.say(task.stage)), task.share, task.elapsed, task.left)


def progress_bar(stage: str, share: float, elapsed: float, left: float | None) -> None:
    """Draw how far something is, in the reader's words; times in seconds."""
    text = f"{stage}, {decimal(100 * share)}%" if share else stage
    text += " · " + _("{time} elapsed", time=ui.clock(elapsed))
    if left is not None:
        text += " · " + _("about {time} left", time=ui.clock(max(1.0, left)))
    st.progress(min(1.0, share), text=text)
