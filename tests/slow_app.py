"""The app with a page that takes long to draw, and jobs that wait for ever."""

import sys
import time
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from transcrevai_core import ui  # noqa: E402
from transcrevai_core.components import recording  # noqa: E402
from transcrevai_core.web import uploads  # noqa: E402

SECONDS = 3.0  # longer than what a slow line holds back
look_at = recording.look_at


def look_slowly_at(job_id: str) -> None:
    look_at(job_id)
    time.sleep(SECONDS)


recording.look_at = look_slowly_at
routes = uploads.build_routes(ui.store, uploads.max_upload_bytes)
app = st.App(ROOT / "pages" / "_router.py", routes=routes)
