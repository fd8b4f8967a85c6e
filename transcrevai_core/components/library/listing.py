"""The recordings as a list: a component, and what it is told of each.

Plain HTML, CSS and JavaScript beside this file. What is asked for there comes back as one value.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from transcrevai_core import i18n, ui
from transcrevai_core.components.search import fold
from transcrevai_core.i18n import _, mark
from transcrevai_core.library.shelf import Labels
from transcrevai_core.types import ACTIVE_STATES, Job

_HERE = Path(__file__).parent
COLUMNS = {
    "title": mark("Title"),
    "date": mark("Date"),
    "length": mark("Length"),
    "language": mark("Language"),
    "speakers": mark("Speakers"),
    "state": mark("State"),
    "tags": mark("Project and tags"),
}
ACTS = {  # what can be done with many, and its icon
    "export": (mark("Export"), "ios_share"),
    "tag": (mark("Tags"), "label"),
    "move": (mark("Project"), "folder"),
    "again": (mark("Run again"), "replay"),
    "resume": (mark("Resume"), "refresh"),
    "cancel": (mark("Cancel"), "cancel"),
    "delete": (mark("Delete"), "delete"),
}
_KINDS = {"done": "good", "failed": "bad", "cancelled": ""}
Asked = Mapping[str, Any]


@cache
def _renderer() -> Any:
    # registered with the first page, not at import: the server's runtime must exist by then
    html, css, js = (
        (_HERE / f"listing.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    return st.components.v2.component("transcrevai_listing", html=html, css=css, js=js)


def listing(jobs: Sequence[Job], kept: Mapping[str, Labels], sort: str, down: bool) -> Asked | None:
    """Draw recordings in their order; return what was asked for, under `do`, else None.

    `open` and the names of `ACTS` come with `ids`, `sort` with `name` and `down`.
    """
    told = {
        "columns": [(name, _(title)) for name, title in COLUMNS.items()],
        "sort": {"name": sort, "down": down},
        "acts": [(name, _(title), icon) for name, (title, icon) in ACTS.items()],
        "labels": {
            "caption": _("Recordings"),
            "all": _("Select all that are shown"),
            "none": _("Select nothing"),
            "actions": _("What to do with the selected recordings"),
            "speakers": _("speakers"),
            "chosen": _("Selected: {number}", number="{number}"),
        },
        "rows": [_row(job, kept.get(job.id, Labels())) for job in jobs],
    }
    # as JSON: Streamlit would look for a table in a dictionary, and load pandas for it
    result = _renderer()(
        key="listing", data={"told": json.dumps(told)}, on_asked_change=lambda: None
    )
    asked: Asked | None = result.asked
    return asked


def _row(job: Job, kept: Labels) -> dict[str, Any]:
    active = job.state in ACTIVE_STATES
    page = "transcript" if job.state == "done" else ""
    return {
        "id": job.id,
        "title": job.title,
        "href": f"/{page}?job={job.id}",
        "date": ui.date(job.created),
        "length": ui.clock(job.duration) if job.duration else "",
        "language": ui.language_name(job.language) if job.language else "",
        "speakers": str(speakers(job) or ""),
        "names": ", ".join(kept.names),
        "state": _(ui.STATES[job.state][0]),
        "kind": "busy" if active else _KINDS[job.state],
        "share": round(job.progress, 2) if active and job.state != "queued" else None,
        "error": i18n.say(job.error) if job.state == "failed" else "",
        "project": kept.project,
        "tags": list(kept.tags),
    }


def speakers(job: Job) -> int:
    """Return how many people were found to speak; 0 where nobody looked."""
    found = job.diarization.get("speakers")
    return found if isinstance(found, int) else 0


def sorted_by(jobs: Sequence[Job], kept: Mapping[str, Labels], sort: str, down: bool) -> list[Job]:
    """Return recordings in the order of a column; those that are alike there by date."""

    def key(job: Job) -> tuple[Any, ...]:
        labels = kept.get(job.id, Labels())
        value = {
            "title": fold(job.title),
            "date": job.created,
            "length": job.duration or 0.0,
            "language": ui.language_name(job.language) if job.language else "",
            "speakers": speakers(job),
            "state": _(ui.STATES[job.state][0]),
            "tags": (fold(labels.project), *map(fold, labels.tags)),
        }[sort]
        return value, job.created

    return sorted(jobs, key=key, reverse=down)
