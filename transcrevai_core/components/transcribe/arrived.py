"""What has arrived and waits for its button: how long each is, and what all of them will take."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from babel.core import get_global

from transcrevai_core import ui
from transcrevai_core.components.transcribe.plan import forecast
from transcrevai_core.components.working import EVERY
from transcrevai_core.i18n import _, plural
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.library import preferences
from transcrevai_core.messages import Message
from transcrevai_core.models.catalogue import NONE
from transcrevai_core.types import Media
from transcrevai_core.web import arrivals, uploads

_WAITING = "arrived"  # in the session: the paths; of uploads the address has the ids
_UPLOAD, _AT_ONCE = "upload", "begin_at_once"


def take_in(files: Iterable[Path]) -> None:
    """Let recordings wait for the button, in the order in which they came."""
    known = waiting()
    _keep([*known, *(file for file in files if file not in known)])


def leave_out(files: Iterable[Path]) -> None:
    """Let recordings wait no longer."""
    gone = {*files}
    _keep([file for file in waiting() if file not in gone])


def waiting() -> list[Path]:
    """Return what waits, after a reload as before."""
    home = ui.store().home
    if _WAITING not in st.session_state:
        ids = st.query_params.get_all(_UPLOAD)
        found = (uploads.find_upload(home, upload) for upload in ids)
        st.session_state[_WAITING] = [file for file in found if file]
    return [file for file in st.session_state[_WAITING] if file.is_file()]


def _keep(files: list[Path]) -> None:
    st.session_state[_WAITING] = files
    ids = [id for file in files if (id := uploads.upload_of(ui.store().home, file))]
    if ids != st.query_params.get_all(_UPLOAD):
        st.query_params[_UPLOAD] = ids


def waiting_list(options: Mapping[str, Any], begin: Callable[[list[Path]], None]) -> bool:
    """Draw what waits, and the button that begins it; `begin` gets what can be begun.

    Tell whether there is anything, with what it would take.
    """
    files = waiting()
    _keep(files)
    if not files:
        return False
    arrivals.look(files, ui.settings())
    with st.container(border=True):
        for file in files:
            _row(file, options)
        if any(arrivals.is_looked_into(file) for file in files):
            st.fragment(_until_seen, run_every=EVERY)(files)
            return False
        seen = {file: arrivals.seen(file) for file in files}
        good = {file: media for file, media in seen.items() if isinstance(media, Media)}
        if not good:
            return False
        fits = forecast(options, [media.duration for media in good.values() if media.duration])
        with st.container(horizontal=True, vertical_alignment="center"):
            label = _("Transcribe") if options["model"] != NONE else _("Find who speaks when")
            if len(good) > 1:
                label = f"{label} ({len(good)})"
            pressed = st.button(
                label, type="primary", icon=":material/play_arrow:", disabled=not fits, key="begin"
            )
            at_once = st.toggle(
                _("Begin at once from now on"),
                ui.settings().begin_at_once,
                key=_AT_ONCE,
                disabled=bool(preferences.overruled([_AT_ONCE])),
                on_change=_remember,
            )
        if fits and (pressed or at_once):
            with ui.show_errors():
                begin([*good])
    return True


def _remember() -> None:
    with ui.show_errors():
        preferences.save({_AT_ONCE: st.session_state[_AT_ONCE]})


def _until_seen(files: list[Path]) -> None:
    if not any(arrivals.is_looked_into(file) for file in files):
        st.rerun()


def _row(file: Path, options: Mapping[str, Any]) -> None:
    seen = arrivals.seen(file)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(gap="xxsmall", width="stretch"):
            st.markdown(f"**{ui.escape(file.name)}**")
            if seen is None:
                st.caption(_("Looking into it"))
            elif isinstance(seen, Message):
                st.markdown(f":red[{ui.say(seen)}]")
            else:
                st.caption(" · ".join(_facts(seen, options)))
        key = f"leave_{file.parent.name}_{file.name}"
        if ui.icon_button(":material/close:", _("Leave out"), key):
            uploads.forget(ui.store().home, file)
            leave_out([file])
            st.rerun()


def _facts(media: Media, options: Mapping[str, Any]) -> list[str]:
    found = [ui.clock(media.duration) if media.duration else _("of unknown length")]
    if (tracks := len(media.languages)) > 1:
        found.append(plural("{number} sound track", "{number} sound tracks", tracks))
    if options["model"] != NONE and options.get("language") in (None, "auto"):
        codes = get_global("language_aliases")  # files name languages by three letters
        named = {codes.get(tag, tag) for tag in media.languages} & LANGUAGES.keys()
        if named:
            names = ", ".join(sorted(map(ui.language_name, named)))
            found.append(_("{language}, says the file", language=names))
        else:
            found.append(_("the language is found while listening"))
    return found
