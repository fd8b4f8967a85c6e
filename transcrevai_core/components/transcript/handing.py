"""A transcript handed on: copied, in Word, or in a format that another program reads."""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from transcrevai_core import export, report, ui
from transcrevai_core.components.transcript.report import written
from transcrevai_core.i18n import _, language, mark
from transcrevai_core.types import Transcript
from transcrevai_core.web import transcript_routes

_HERE = Path(__file__).parent
WORD = "docx"
_NAMES = {WORD: "Word", "textgrid": "TextGrid"}
_FOR = {  # what each format is for; those that most people want first
    WORD: mark("to correct, comment and send; with names in colour and times"),
    "txt": mark("plain text, a line for each segment"),
    "srt": mark("subtitles for video players and YouTube"),
    "vtt": mark("subtitles for web pages"),
    "tsv": mark("a table of times and texts, for spreadsheets"),
    "json": mark("everything, with each word's time, for programs"),
    "rttm": mark("who speaks when, for diarization tools"),
    "ctm": mark("each word with its time, for speech tools"),
    "textgrid": mark("for Praat"),
    "eaf": mark("for ELAN"),
}
_USUAL = 5  # of them, before the others are asked for


@cache
def _renderer() -> Any:
    # registered with the first page, not at import: the server's runtime must exist by then
    html, css, js = (
        (_HERE / f"copy.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    return st.components.v2.component("transcrevai_copy", html=html, css=css, js=js)


def export_menu(transcript: Transcript) -> None:
    """Offer the ways out of the program, the simplest first."""
    with st.popover(_("Copy or export"), icon=":material/ios_share:"):
        _menu(
            transcript.job_id,
            transcript.title,
            export.applicable(transcript),
            bool(transcript.segments),
            bool(transcript.speakers),
        )


@st.fragment
def _menu(job_id: str, title: str, formats: list[str], has_text: bool, has_speakers: bool) -> None:
    edited = st.toggle(_("With my corrections"), True) if has_text else True
    if has_text:
        _copy(job_id, has_speakers, edited)
        formats = [WORD, *formats]
    usual = [name for name in formats if name in [*_FOR][:_USUAL]] or formats
    all_of_them = len(usual) == len(formats) or st.toggle(_("More formats"))
    chosen = st.radio(
        _("Format"),
        sorted(formats, key=[*_FOR].index) if all_of_them else usual,
        format_func=lambda name: f"**{_NAMES.get(name, name.upper())}**: {_(_FOR[name])}",
    )
    name = str(chosen)
    as_word = (ui.store().home, job_id, WORD, language(), "", True, edited)
    st.download_button(
        _("Download {format}", format=_NAMES.get(name, name.upper())),
        # read and written only when clicked, corrections of this minute included
        (lambda: written(*as_word))
        if name == WORD
        else lambda: export.write(ui.store().transcript(job_id), name, edited=edited),
        f"{export.file_stem(title)}.{WORD}"
        if name == WORD
        else export.file_name(export.file_stem(title), name),
        report.mime_type(name) if name == WORD else export.mime_type(name),
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def _copy(job_id: str, has_speakers: bool, edited: bool) -> None:
    with st.container(horizontal=True):
        times = st.checkbox(_("With times"), key=f"copy_times_{job_id}")
        speakers = has_speakers and st.checkbox(_("With speakers"), True, key=f"copy_who_{job_id}")
    wanted = {"times": times, "speakers": speakers, "edited": edited}
    asked = "&".join(f"{name}={int(value)}" for name, value in wanted.items())
    address = f"{transcript_routes.URL}/{job_id}/text?{asked}&language={language()}"
    data = {
        "url": address, "copy": _("Copy the text"), "copied": _("Copied"),
        "failed": _("The browser did not let the text be copied; download it instead."),
    }  # fmt: skip
    _renderer()(key=f"copy_{job_id}", data=data)
