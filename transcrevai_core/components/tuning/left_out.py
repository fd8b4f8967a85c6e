"""What the settings that other recordings chose come to on each one."""

from collections.abc import Sequence

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.profiles import settings_text
from transcrevai_core.components.tables import table
from transcrevai_core.i18n import _, decimal
from transcrevai_core.tuning import leave_one_out
from transcrevai_core.tuning.leave_one_out import LeftOut
from transcrevai_core.tuning.sweeps import Sweep


def left_out(sweep: Sweep) -> None:
    """Draw the errors on each recording with the same sweep, once it had no say in the choice."""
    sweeps = leave_one_out.comparable(ui.store(), sweep) if sweep.state == "done" else []
    if len(sweeps) < 2:
        st.caption(
            _(
                "With the same sweep and collar on a second recording, it is told here how well "
                "the settings that one chooses do on the other."
            )
        )
        return
    with ui.show_errors():
        _table(sweep, leave_one_out.leave_one_out(sweeps))


def _table(sweep: Sweep, found: Sequence[LeftOut]) -> None:
    st.markdown(
        _(
            "**On recordings that did not choose: DER {rate}%**, the mean of {number}",
            rate=decimal(100 * leave_one_out.mean(found), 1),
            number=decimal(len(found)),
        )
    )
    rows = [
        [
            ui.escape(ui.store().job(one.job).title),
            ui.escape(settings_text(sweep.plan["points"][one.place])),
            decimal(100 * one.der, 1),
            decimal(100 * one.best, 1),
        ]
        for one in found
    ]
    head = [_("Left out"), _("Best on the others"), "DER ", _("DER of its own best") + " "]
    table(head, rows, 620)
    st.caption(
        _(
            "Each recording is left out once: the settings with the least mean DER on the others "
            "are judged on it. The more recordings there are, the better does the mean tell what "
            "to expect of a new one."
        )
    )
