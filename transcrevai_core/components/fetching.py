"""Models on their way to this computer, as pages show them: offered, watched, stopped, arrived."""

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.working import EVERY, keep_owner, owner, progress_bar
from transcrevai_core.i18n import _, decimal
from transcrevai_core.transcription.catalogue import MODELS, locate
from transcrevai_core.web import downloads


def begin(name: str) -> None:
    """Begin to download a model, unless it is on its way already."""
    downloads.begin(name, ui.settings(), owner())


def watch() -> bool:
    """Draw what is on its way, and what has come of what this session began.

    Tell whether anything is on its way; the page is drawn anew when it has come.
    """
    going = bool(downloads.running())
    if going:
        st.fragment(_downloads, run_every=EVERY)()
    for name, ended in downloads.take_ended(owner()).items():
        if ended.error:
            st.error(ui.say(ended.error), icon=":material/error:")
        elif locate(name):
            said = _("{name} is on this computer now.", name=ui.escape(name))
            st.success(said, icon=":material/check:")
    keep_owner(downloads.belong_to(owner()))
    return going


def offer(name: str, instead: str | None, field: str) -> None:
    """Offer to download a model that is not here, or to use another one `instead`.

    `field` is the key of the list that the model was chosen from.
    """
    watch()
    if locate(name):
        return
    with st.container(horizontal=True):
        if name not in downloads.running():
            label = _("Download {name} now", name=ui.escape(name)) + size(name)
            st.button(label, icon=":material/download:", on_click=begin, args=(name,))
        if instead:
            label = _("Use {name} instead", name=ui.escape(instead)) + size(instead)
            st.button(label, icon=":material/swap_horiz:", on_click=_use, args=(field, instead))


def size(name: str) -> str:
    """Write how much is to be downloaded, to stand behind a name; empty for nothing or unknown."""
    if locate(name) or name not in MODELS:
        return ""
    return _(" ({size} MB)", size=decimal(MODELS[name].download_mb))


def _use(field: str, name: str) -> None:
    st.session_state[field] = name
    if not locate(name):
        begin(name)


def _downloads() -> None:
    on_their_way = downloads.running()
    if not on_their_way:
        st.rerun()
    for name, task in on_their_way.items():
        said = _("Downloading {name}", name=ui.escape(name))
        progress_bar(said, task.share, task.elapsed, task.left)
        st.button(_("Cancel"), key=f"stop_{name}", icon=":material/close:", on_click=task.cancel)
