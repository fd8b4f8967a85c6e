"""Every setting there is, with what it begins with; models, and what is kept on disk."""

import streamlit as st

from transcrevai_core.components.profiles import profile_list
from transcrevai_core.components.settings import storage
from transcrevai_core.components.settings.preferences import (
    INTERFACE,
    LATER,
    MEMORY,
    MODELS,
    RECORDINGS,
    SPEAKERS,
    STORAGE,
    preferences_form,
)
from transcrevai_core.i18n import _


def recordings() -> None:
    st.caption(_("What the form of new recordings begins with; each of them can have its own."))
    preferences_form("recordings", RECORDINGS, LATER)


def speakers() -> None:
    st.caption(_("How it is found who speaks when, where nothing else is chosen."))
    preferences_form("speakers", SPEAKERS, LATER)
    st.subheader(_("Profiles"), anchor=False)
    st.caption(
        _("Settings of speakers under a name, saved on the page Tuning; new recordings offer them.")
    )
    profile_list()


def memory() -> None:
    preferences_form("memory", MEMORY)


def models() -> None:
    storage.models()
    st.subheader(_("How models are had"), anchor=False)
    preferences_form("models", MODELS)


def disk() -> None:
    storage.disk_use()
    st.subheader(_("How long recordings are kept"), anchor=False)
    storage.retention_form()
    st.subheader(_("Cache"), anchor=False)
    st.caption(_("Voices and turns that were found once, and may be wanted again."))
    preferences_form("cache", STORAGE)


def interface() -> None:
    preferences_form("interface", INTERFACE)


st.title(_("Settings"), anchor=False)
st.caption(_("They are kept in config.toml in the data directory, for this and later sessions."))
SECTIONS = {
    f":material/mic: {_('New recordings')}": recordings,
    f":material/group: {_('Speakers')}": speakers,
    f":material/memory: {_('Memory')}": memory,
    f":material/neurology: {_('Models')}": models,
    f":material/hard_drive: {_('Storage')}": disk,
    f":material/translate: {_('Interface')}": interface,
}
tabs = st.tabs(list(SECTIONS), key="settings_section", on_change="rerun")
for tab, draw in zip(tabs, SECTIONS.values(), strict=True):
    if tab.open:  # the others cost nothing
        with tab:
            draw()
