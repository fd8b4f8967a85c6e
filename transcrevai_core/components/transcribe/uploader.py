"""A drop zone that streams files to the server: plain HTML, CSS and JavaScript beside this file."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from transcrevai_core import i18n
from transcrevai_core.i18n import _, mark
from transcrevai_core.web.origin import TOKEN, TOKEN_HEADER
from transcrevai_core.web.uploads import UPLOAD_URL

_HERE = Path(__file__).parent
_TEXTS = {  # what the drop zone says; it fills the places itself
    "drop": mark("Drop recordings here"),
    "kinds": mark("Audio or video, several at once"),
    "browse": mark("Choose files"),
    "recordings": mark("Recordings"),
    "uploads": mark("Uploads"),
    "waiting": mark("Waiting"),
    "cancel": mark("Cancel"),
    "dismiss": mark("Dismiss"),
    "again": mark("Try again"),
    "sending": mark("Uploading {name}"),
    "sent": mark("Uploaded, {size} MB"),
    "arrived": mark("{name} is uploaded"),
    "cancelled": mark("Upload of {name} cancelled"),
    "bar": mark("Upload of {name}"),
    "large": mark("{name} is larger than {size} MB; give its path on this computer instead."),
    "refused": mark("The server did not take the file."),
    "broken": mark("The connection to TranscrevAI broke off; is it still running?"),
    "progress": mark("{done} of {all} MB · {percent}% · {time} left"),
}


@dataclass(frozen=True, slots=True)
class Uploads:
    """Finished uploads, by the id that `uploads.find_upload` takes, and how many are coming."""

    finished: tuple[str, ...] = ()
    pending: int = 0


@cache
def _renderer() -> Any:
    # registered with the first page, not at import: the server's runtime must exist by then
    html, css, js = (
        (_HERE / f"uploader.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    return st.components.v2.component("transcrevai_uploader", html=html, css=css, js=js)


def uploader(*, key: str, max_bytes: int) -> Uploads:
    """Draw a drop zone that streams files to the server, and return what has come of it so far."""
    data: dict[str, Any] = {
        "url": UPLOAD_URL,
        "header": TOKEN_HEADER,
        "token": TOKEN,
        "max_bytes": max_bytes,
    }
    data["language"] = i18n.language()
    # as JSON: Streamlit would look for a table in a dictionary, and load pandas for it
    data["texts"] = json.dumps({name: _(text) for name, text in _TEXTS.items()})
    result = _renderer()(key=key, data=data, on_uploads_change=lambda: None)
    uploads = result.uploads or {}
    return Uploads(tuple(uploads.get("finished", ())), uploads.get("pending", 0))
