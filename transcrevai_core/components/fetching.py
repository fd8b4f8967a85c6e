"""Models that are not in the list of those here: on their way, or brought in a folder.

Pages show that one is absent; how it is offered, watched, stopped and arrived; and what is wrong
with a folder.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.codes import Stage
from transcrevai_core.components import working
from transcrevai_core.components.working import EVERY, keep_owner, owner, progress_bar
from transcrevai_core.errors import Cancelled, ModelError
from transcrevai_core.i18n import _, decimal
from transcrevai_core.models import folders
from transcrevai_core.models.catalogue import (
    CAMPPLUS,
    MODELS,
    SEGMENTATION,
    VOICES,
    check_name,
    known,
    locate,
    usable,
)
from transcrevai_core.web import downloads
from transcrevai_core.workers.background import Task


def begin(name: str) -> None:
    """Begin to download a model, unless it is on its way already."""
    downloads.begin(name, ui.settings(), owner())


def watch(names: Collection[str] = ()) -> bool:
    """Draw what is on its way, all or of some names, and what came of what this session began.

    Tell whether any of it is on its way; the page is drawn anew when it has come.
    """
    going = downloads.running()
    shown = [name for name in going if not names or name in names]
    for name in shown:
        st.fragment(_download, run_every=EVERY)(name, going)
        stop = going[name].cancel
        st.button(_("Cancel"), key=f"stop_{name}", icon=":material/close:", on_click=stop)
    for name, ended in downloads.take_ended(owner()).items():
        if ended.error:
            st.error(ui.say(ended.error), icon=":material/error:")
        elif locate(name):
            said = _("{name} is on this computer now.", name=ui.escape(name))
            st.success(said, icon=":material/check:")
    keep_owner(downloads.belong_to(owner()))
    return bool(shown)


def offer(name: str, instead: str | None, field: str) -> None:
    """Offer to download a model that is not here, or to use another one `instead`.

    `field` is the key of the list that the model was chosen from.
    """
    watch([name, instead or name])
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
    model = known(name)
    if locate(name) or model is None:
        return ""
    return _(" ({size} MB)", size=decimal(model.download_mb))


def offer_voices() -> None:
    """Offer the models of voices that are fetched, where any is not here: one click agrees."""
    lacking = [name for name in (CAMPPLUS, SEGMENTATION) if not locate(name)]
    if not lacking:
        return
    if not watch(lacking):
        megabytes = decimal(sum(VOICES[name].download_mb for name in lacking))
        st.caption(
            _(
                "Speakers are told apart by the small model that comes with the program. Better "
                "ones are downloaded once: they tell telephone voices apart, and hear two at once."
            )
        )
        label = _("Download better voices ({size} MB)", size=megabytes)
        if st.button(label, key="better_voices", icon=":material/download:"):
            for name in lacking:
                begin(name)
            st.rerun()


def _use(field: str, name: str) -> None:
    st.session_state[field] = name
    if not locate(name):
        begin(name)


def _download(name: str, drawn: Mapping[str, Task]) -> None:
    if downloads.running().keys() != drawn.keys():
        st.rerun()
    task = drawn[name]
    said = _("Downloading {name}", name=ui.escape(name))
    progress_bar(said, task.share, task.elapsed, task.left)


def tell_absent(name: str) -> None:
    """Say that a model is not on this computer, what it takes to have it, and what is here.

    Nothing is drawn for one that is here, but of a folder, what is wrong with it; and nobody is
    asked over the network.
    """
    if name not in MODELS and (folder := Path(name).expanduser()).is_dir():
        tell_folder(folder)
        return
    if locate(name):
        return
    try:
        check_name(name)
    except ModelError as error:
        st.error(ui.say(error), icon=":material/error:")
        return
    said = _(
        "**The model {name} is not on this computer.** The first recording begins by downloading "
        "it once{size}, which needs a network; after that, everything works offline.",
        name=ui.escape(name),
        size=size(name),
    )
    st.info(f"{said} {what_is_here()}", icon=":material/download:")


def what_is_here() -> str:
    """Write which models are on this computer, as Markdown."""
    if names := [ui.escape(name) for name in usable()]:
        return _("On this computer now: {names}.", names=", ".join(names))
    return _(
        "Only demo is on this computer, for the samples; finding who speaks when needs no download."
    )


# -- a model that somebody brings --------------------------------------------------------------


def brought(field: str) -> None:
    """Name folders with a model, for a field that takes one: on a stick, or below what it says."""
    typed = str(st.session_state.get(field) or "").strip()
    folder = Path(typed).expanduser()
    if typed and not folder.is_dir():
        return
    found = [f for f in folders.find([folder] if typed else folders.usual_places()) if f != folder]
    if not found:
        return
    st.caption(_("Folders with a model:"))
    for here in found:
        st.button(
            ui.escape(str(here)),
            key=f"{field}_{here}",
            type="tertiary",
            icon=":material/folder:",
            on_click=_fill,
            args=(field, str(here)),
        )


def _fill(field: str, text: str) -> None:
    st.session_state[field] = text


def tell_folder(folder: Path) -> None:
    """Draw what is wrong with a folder that is to be a model, or which published one it holds."""
    wrong = folders.problems(folder)
    for message in wrong if (folder / "model.bin").is_file() else wrong[:1]:
        st.error(ui.say(message), icon=":material/error:")
    if wrong:
        return
    key = f"known_{folder}"

    def compare(task: Task) -> str:
        def look(_bytes: int) -> None:
            if task.should_stop():
                raise Cancelled("The job was cancelled.")

        task.report(Stage.COMPARING, 0.0)
        return folders.known_as(folder, look) or ""

    if (same := working.take_result(key)) is not None:
        st.session_state[f"{key}_told"] = same
    working.show_progress(key)
    told = st.session_state.get(f"{key}_told")
    if told:
        said = _("The same, byte for byte, as {name}.", name=ui.escape(told))
        st.success(said, icon=":material/verified:")
    elif told is not None:
        said = _(
            "These files are those of no published model that is known here: right for a model of "
            "your own, and wrong for a copy of a published one."
        )
        st.warning(said, icon=":material/help:")
    elif not working.is_running(key):
        st.caption(":material/folder: " + _("All that a model needs is in this folder."))
        if st.button(_("Compare it with the published models"), key=f"{key}_ask"):
            working.start(key, compare)
