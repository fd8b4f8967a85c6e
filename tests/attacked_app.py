"""The app over stages that go wrong: `ATTACKS=folder streamlit run tests/attacked_app.py`."""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
import attacks  # noqa: E402

from app import lifespan  # noqa: E402

attacks.begin()
app = st.App(ROOT / "pages" / "_router.py", lifespan=lifespan)
