"""How far jobs are: bars that move by themselves, while the page around them stands still.

The page is drawn anew only where something else has changed: a state, or the text that grows.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from transcrevai_core import i18n, ui
from transcrevai_core.jobs.queue import queue
from transcrevai_core.types import Job
from transcrevai_core.web import progress

_HERE = Path(__file__).parent


@cache
def renderer(name: str) -> Any:
    """Return a component of this folder; what follows jobs shares one way of asking for them."""
    # registered with the first page, not at import: the server's runtime must exist by then
    files = {kind: _HERE / f"{name}.{kind}" for kind in ("html", "css")}
    parts: dict[str, Any] = {
        kind: f.read_text(encoding="utf-8") for kind, f in files.items() if f.is_file()
    }
    scripts = (_HERE / "polling.js", _HERE / f"{name}.js")
    js = "".join(script.read_text(encoding="utf-8") for script in scripts)
    return st.components.v2.component(f"transcrevai_{name}", js=js, **parts)


def source() -> dict[str, str]:
    """Return where the browser asks for jobs, and in which language."""
    return {"url": progress.URL, "language": i18n.language()}


def draw_progress(job: Job, order: Sequence[Job] | None = None) -> None:
    """Draw what a job waits for or does, and how much of it is done; `order` is the queue.

    The page is drawn anew as soon as the job's state is another one.
    """
    told = progress.told(ui.store(), job, queue(ui.store()) if order is None else order)
    _page(job.id, "mark", told["mark"], job.id, share=told["share"], text=told["text"])


def watch(job: Job) -> None:
    """Draw nothing, and the page anew as soon as a job's state is another one."""
    _page(job.id, "mark", progress.told(ui.store(), job, ())["mark"], job.id)


def watch_all(order: Sequence[Job]) -> None:
    """Draw nothing, and the page anew where other jobs run or wait; `order` is the queue."""
    mark = progress.mark_of_all(order)
    _page(progress.ALL, "mark", mark, mark)


def watch_text(job: Job) -> None:
    """Draw nothing, and the fragment that this stands in anew where a job has new text."""
    _listen(job.id, "grown", progress.told(ui.store(), job, ())["grown"], job.id)


def _page(of: str, watched: str, seen: str, jobs: str, **bar: Any) -> None:
    # in a fragment: one that is gone with its page is asked for in vain, and no page comes back
    st.fragment(_listen)(of, watched, seen, jobs, True, **bar)


def _listen(of: str, watched: str, seen: str, jobs: str, whole: bool = False, **bar: Any) -> None:
    # ids in one text: Streamlit would look for a table in a list, and load pandas for it
    data = {**source(), "of": of, "watched": watched, "seen": seen, "jobs": jobs, **bar}
    told = renderer("bar")(
        key=f"{watched}_{of}",
        data=data,
        width="stretch" if bar else "content",
        on_changed_change=lambda: None,
    )
    if told.changed and whole:
        st.rerun()
