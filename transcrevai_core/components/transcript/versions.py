"""A transcript's versions: kept under a name, brought back, and checked by somebody."""

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.i18n import _
from transcrevai_core.library import versions
from transcrevai_core.library.versions import Version
from transcrevai_core.types import Transcript

_DELETED = "version_to_delete"  # in the session


def check_mark(job_id: str) -> None:
    """Draw who has checked a transcript last, and whether it reads otherwise since."""
    checked = next((one for one in versions.versions(ui.store(), job_id) if one.checked), None)
    if checked:
        said = _("Checked by {name} on {date}", name=checked.author, date=ui.date(checked.time))
        if checked.changed:
            said += f" · {_('changed since')}"
        st.caption(f":material/verified: {ui.escape(said)}")


def versions_menu(transcript: Transcript) -> None:
    """Offer to keep a transcript as it is, to vouch for it, and to go back."""
    if transcript.segments:
        with st.popover(_("Versions"), icon=":material/history:"):
            _keep(transcript.job_id)
            for version in versions.versions(ui.store(), transcript.job_id):
                _row(transcript.job_id, version)


def _keep(job_id: str) -> None:
    with st.form(f"version_{job_id}", border=False, clear_on_submit=False):
        name = st.text_input(_("Name of the version"), placeholder=_("first draft"))
        author = st.text_input(_("Your name"), ui.author())
        checked = st.checkbox(_("I have checked it against the sound"))
        if st.form_submit_button(_("Keep this version"), type="primary"):
            with ui.show_errors():
                versions.save(ui.store(), job_id, name, author, checked=checked)
                ui.name_author(author)
                st.rerun()


def _row(job_id: str, version: Version) -> None:
    icon = ":material/verified: " if version.checked else ""
    name = version.name or _("checked")
    with st.container(horizontal=True, vertical_alignment="center"):
        by = f"{version.author} · " if version.author else ""
        st.markdown(
            f"{icon}**{ui.escape(name)}**  \n:small[{ui.escape(by + ui.date(version.time))}]",
            width="stretch",
        )
        if st.button(_("Bring back"), key=f"back_{version.id}", disabled=not version.changed):
            with ui.show_errors():
                versions.bring_back(ui.store(), job_id, version.id)
                st.rerun()
        if st.session_state.get(_DELETED) == version.id:  # asked once, as there is no way back
            if st.button(_("Delete for good?"), key=f"gone_{version.id}", type="primary"):
                versions.remove(ui.store(), job_id, version.id)
                st.rerun()
        elif ui.icon_button(":material/delete:", _("Delete this version"), f"drop_{version.id}"):
            st.session_state[_DELETED] = version.id
            st.rerun()
