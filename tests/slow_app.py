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
remember_job = recording.remember_job


def remember_slowly(job_id: str) -> None:
    remember_job(job_id)
    time.sleep(SECONDS)


setattr(recording, "remember_job", remember_slowly)  # noqa: B010
routes = uploads.build_routes(ui.store, uploads.max_upload_bytes)
app = st.App(ROOT / "pages" / "_router.py", routes=routes)
