"""The app with a page that takes long to draw: `streamlit run tests/slow_app.py`."""

import sys
import time
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from app import lifespan, on_script_error  # noqa: E402
from transcrevai_core import ui, web  # noqa: E402
from transcrevai_core.components import recording  # noqa: E402

SECONDS = 3.0  # longer than what a slow line holds back
look_at = recording.look_at


def look_slowly_at(job_id: str) -> None:
    look_at(job_id)
    time.sleep(SECONDS)


recording.look_at = look_slowly_at
app = st.App(
    ROOT / "pages" / "_router.py",
    routes=web.build_routes(ui.store, web.max_upload_bytes),
    lifespan=lifespan,
    on_script_error=on_script_error,
)
