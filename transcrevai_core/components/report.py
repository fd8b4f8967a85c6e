"""The report of a meeting, written by a worker of a moment when someone wants it."""

from urllib.parse import urlsplit

import streamlit as st

from transcrevai_core import reporting, ui, watcher
from transcrevai_core.memory import MB
from transcrevai_core.texts import _, language
from transcrevai_core.types import Job, Transcript
from transcrevai_core.workers import Worker

_LIMIT_BYTES = 600 * MB  # a day of talk, as a Word document, takes half of it
_NAMES = {"docx": "Word", "html": "HTML", "md": "Markdown"}


def report_menu(job: Job, transcript: Transcript) -> None:
    """Offer the report of a transcript that has text."""
    if transcript.segments:
        with st.popover(_("Report"), icon=":material/summarize:"):
            _menu(job.id, transcript.title)


@st.fragment
def _menu(job_id: str, title: str) -> None:
    st.caption(
        _(
            "Participants, key terms, questions, numbers and dates, each with a link to where it "
            "was said, and the text by turns."
        )
    )
    chosen = st.segmented_control(
        _("File"),
        [*_NAMES],
        default="docx",
        format_func=_NAMES.__getitem__,
        required=True,
        key=f"report_{job_id}",
    )
    address = ""
    if chosen != "docx" and st.toggle(
        _("Links that play the sound"),
        key=f"report_links_{job_id}",
        help=_("They open this program, where it runs at this address."),
    ):
        page = urlsplit(st.context.url or "")
        address = f"{page.scheme}://{page.netloc}/transcript"
    home, tongue = ui.store().home, language()
    st.download_button(
        _("Download the report"),
        # written only when clicked, corrections of this minute included
        lambda: written(home, job_id, str(chosen), tongue, address),
        reporting.file_name(title, str(chosen)),
        reporting.mime_type(str(chosen)),
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def written(*asked: object) -> bytes:
    """Return what `reporting.make` makes of these arguments, outside of this process."""
    worker = Worker("report", _LIMIT_BYTES)
    try:
        return worker.call(reporting.make, *asked)
    finally:
        worker.stop()
        watcher.end_trackers()
