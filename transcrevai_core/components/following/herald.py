"""What a tab says of jobs on every page: how far in its title, and by the browser when one ends."""

import json
from contextlib import suppress

from transcrevai_core import ui
from transcrevai_core.components.following.bar import renderer, source
from transcrevai_core.components.recording import open_page
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.i18n import _
from transcrevai_core.types import ACTIVE_STATES


def herald(title: str, about: str) -> None:
    """Follow the jobs of this session and the one that the page is `about`, on every page.

    `title` is the tab's own; a click on what the browser says opens the recording.
    """
    active: dict[str, str] = {}
    with suppress(TranscrevaiError):  # the page says it
        active = {job.id: job.session for job in ui.store().jobs(ACTIVE_STATES)}
    shown = about if about in active else ""
    jobs = [job for job, session in active.items() if session == ui.session() or job == shown]
    texts = {"done": _("The transcript is ready."), "failed": _("It failed; see why.")}
    result = renderer("herald")(
        key="herald",
        # as JSON: Streamlit would look for a table in a dictionary, and load pandas for it
        data={
            **source(),
            "title": title,
            "shown": shown,
            "jobs": " ".join(jobs),
            "texts": json.dumps(texts),
        },
        width="content",
        on_open_change=lambda: None,
    )
    if chosen := result.open:
        done = chosen["state"] == "done"
        open_page(ui.TRANSCRIPT if done else ui.TRANSCRIBE, chosen["job"])


def tell_switch() -> None:
    """Draw a switch for word from the browser when a recording is done."""
    renderer("tell")(
        key="tell",
        data={
            "name": _("Tell me when it is done"),
            "refused": _(
                "The browser does not let this page tell you; its settings can change that."
            ),
        },
        width="content",
    )
