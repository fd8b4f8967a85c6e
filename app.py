"""The web app: `streamlit run app.py`. Pages, HTTP routes, and the runner that works on jobs."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

from transcrevai_core import bench, supervisor, ui, web
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.jobs import Runner
from transcrevai_core.supervisor import Supervisor
from transcrevai_core.texts import _, mark

log = logging.getLogger("transcrevai")

_CALM = mark(
    "Something went wrong here; your recordings and transcripts are safe. Reload the page, and "
    "if it happens again, the program's log says what it was."
)


def begin() -> Runner:
    """Return a runner that has begun; raises what keeps the settings or the library from use."""
    store = ui.store()
    web.remove_abandoned(store.home)
    runner = Runner(store, ui.settings())
    runner.start()
    return runner


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Run jobs for as long as the server runs; interrupted ones go on first."""
    work = Supervisor(begin)
    work.start()
    try:
        yield
    finally:
        work.stop()
        bench.stop_all()


def on_script_error(error: Exception) -> bool:
    """Draw one sentence; the stack trace belongs in the log."""
    if isinstance(error, TranscrevaiError):
        log.warning("%s", error)
        if str(error) != supervisor.resting():  # which stands above the page already
            st.error(ui.said(error), icon=":material/error:")
    else:
        log.exception("a page failed", exc_info=error)
        st.error(_(_CALM), icon=":material/error:")
    return True


app = st.App(
    Path(__file__).parent / "pages" / "_router.py",
    routes=web.build_routes(ui.store, web.max_upload_bytes),
    lifespan=lifespan,
    on_script_error=on_script_error,
)
