"""What a job would need before it is begun, and what an earlier end of the program left."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.fetching import tell_absent
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.i18n import _, decimal
from transcrevai_core.jobs.planning import pace_for
from transcrevai_core.library.journal import Journal
from transcrevai_core.memory.levels import limits_of
from transcrevai_core.memory.readings import MB
from transcrevai_core.models.catalogue import AUTO
from transcrevai_core.workers.processes import this_process

_NEWS_SECONDS = 600.0


def forecast(options: Mapping[str, Any], durations: Sequence[float] = ()) -> bool:
    """Draw what recordings of so many seconds would take, or that they do not fit and what would.

    Tell whether they fit.
    """
    try:
        plan = ui.plan(options, max(durations, default=None))
    except TranscrevaiError as error:
        st.error(ui.say(error), icon=":material/memory:")
        st.page_link(ui.MEMORY, label=_("Change the budget"), icon=":material/tune:")
        return False
    limits = limits_of(ui.settings())
    said = _(
        "About **{needed} MB** of memory at the peak, of a budget of {budget} MB",
        needed=decimal(plan.total_bytes / MB),
        budget=decimal(limits.budget_bytes / MB),
    )
    if options["model"] == AUTO:
        tell_absent(plan.shape.model)
        largest = _("The model {model} is the largest that fits.",
                    model=ui.escape(plan.shape.model))  # fmt: skip
        said = f"{largest} {said}"
    if "transcription" in plan.needs and "diarization" in plan.needs:
        after = _("with text and speakers one after the other")
        said += f", {_('with text and speakers side by side') if plan.side_by_side else after}"
    if durations:
        paces = (pace_for(ui.store(), plan, duration) for duration in durations)
        seconds = sum(pace.total for pace in paces)
        took = _("About **{time}** of work", time=ui.clock(seconds))
        said = f"{took}. {said}"
    icon = ":material/timer:" if durations else ":material/memory:"
    st.caption(f"{icon} {said}.")
    return True


def recovered() -> None:
    """Say which jobs of an earlier run of the program go on."""
    journal = Journal(ui.store().database, this_process())
    since = time.time() - _NEWS_SECONDS
    for event in journal.events(since=since):
        if event.kind == "recovered":
            kept = _("what was finished is kept, and the rest goes on.")
            st.success(f"{ui.say(event.cause)}: {kept}", icon=":material/restore:")
