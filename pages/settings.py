"""Every setting there is, with what it begins with; models, and what is kept on disk."""

import streamlit as st

from transcrevai_core.components.profiles import profile_list
from transcrevai_core.components.settings import storage
from transcrevai_core.components.settings.essentials import essentials
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
from transcrevai_core.i18n import _, mark


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


ESSENTIAL, ALL = "essential", "all"  # in the address
VIEWS = {ESSENTIAL: mark("Essentials"), ALL: mark("All settings")}
SECTIONS = {
    "recordings": (f":material/mic: {_('New recordings')}", recordings),
    "speakers": (f":material/group: {_('Speakers')}", speakers),
    "memory": (f":material/memory: {_('Memory')}", memory),
    "models": (f":material/neurology: {_('Models')}", models),
    "storage": (f":material/hard_drive: {_('Storage')}", disk),
    "interface": (f":material/translate: {_('Interface')}", interface),
}
section = st.query_params.pop("section", None)
if section in SECTIONS:  # an address leads to a part, once
    st.session_state["settings_view"] = ALL
    st.session_state["settings_section"] = SECTIONS[section][0]
st.title(_("Settings"), anchor=False)
view = st.segmented_control(
    _("Settings"), list(VIEWS), default=ESSENTIAL, format_func=lambda name: _(VIEWS[name]),
    key="settings_view", required=True, label_visibility="collapsed", persist_state="session",
)  # fmt: skip
if view == ALL:
    st.caption(
        _("They are kept in config.toml in the data directory, for this and later sessions.")
    )
    tabs = st.tabs(
        [label for label, _draw in SECTIONS.values()], key="settings_section", on_change="rerun"
    )
    for tab, (_label, draw) in zip(tabs, SECTIONS.values(), strict=True):
        if tab.open:  # the others cost nothing
            with tab:
                draw()
else:
    essentials()
