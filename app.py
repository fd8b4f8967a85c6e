"""The web app: `streamlit run app.py`. Pages, HTTP routes, and the runner that works on jobs."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.i18n import _, mark
from transcrevai_core.jobs.runner import Runner
from transcrevai_core.tuning import laboratory
from transcrevai_core.web import uploads

log = logging.getLogger("transcrevai")

_CALM = mark(
    "Something went wrong here; your recordings and transcripts are safe. Reload the page, and "
    "if it happens again, the program's log says what it was."
)


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Run jobs for as long as the server runs; interrupted ones go on first."""
    try:
        runner = Runner(ui.store(), ui.settings())
        uploads.remove_abandoned(ui.store().home)
    except TranscrevaiError as error:  # every page says so, and how to put it right
        log.error("%s", error)
        yield
        return
    runner.start()
    try:
        yield
    finally:
        runner.stop()
        laboratory.stop_all()


def on_script_error(error: Exception) -> bool:
    """Draw one sentence; the stack trace belongs in the log."""
    if isinstance(error, TranscrevaiError):
        log.warning("%s", error)
        st.error(ui.say(error), icon=":material/error:")
    else:
        log.exception("a page failed", exc_info=error)
        st.error(_(_CALM), icon=":material/error:")
    return True


app = st.App(
    Path(__file__).parent / "pages" / "_router.py",
    routes=uploads.build_routes(ui.store, uploads.max_upload_bytes),
    lifespan=lifespan,
    on_script_error=on_script_error,
)
