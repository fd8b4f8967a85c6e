"""A stretch of a job's sound, played exactly from its start to its end, which `st.audio` cannot."""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.i18n import _, decimal
from transcrevai_core.web.uploads import AUDIO_URL

_HERE = Path(__file__).parent


@cache
def _renderer() -> Any:
    # registered with the first page, not at import: the server's runtime must exist by then
    html, css, js = (
        (_HERE / f"clip.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    return st.components.v2.component("transcrevai_clip", html=html, css=css, js=js)


def clip(job_id: str, start: float, end: float, *, clicks: int, key: str, who: str = "") -> None:
    """Draw a play button for a stretch, in seconds; each further click plays it at once.

    `who` speaks there, where one is known to.
    """
    times = _("{start} s to {end} s", start=decimal(start, 2), end=decimal(end, 2))
    data = {
        "url": f"{AUDIO_URL}/{job_id}", "start": start, "end": end, "clicks": clicks,
        "play": _("Play"), "stop": _("Stop"), "times": times,
        "clock": f"{ui.clock(start)} · {who}" if who else ui.clock(start),
    }  # fmt: skip
    _renderer()(key=key, data=data)
