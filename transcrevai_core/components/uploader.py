"""A drop zone that streams files to the server: plain HTML, CSS and JavaScript beside this file."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from transcrevai_core.senders import TOKEN, TOKEN_HEADER
from transcrevai_core.web import UPLOAD_URL

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Uploads:
    """Finished uploads, by the id that `web.find_upload` takes, and how many are on their way."""

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
    data = {"url": UPLOAD_URL, "header": TOKEN_HEADER, "token": TOKEN, "max_bytes": max_bytes}
    result = _renderer()(key=key, data=data, on_uploads_change=lambda: None)
    uploads = result.uploads or {}
    return Uploads(tuple(uploads.get("finished", ())), uploads.get("pending", 0))
