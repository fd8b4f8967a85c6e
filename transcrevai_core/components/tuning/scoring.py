"""The reference of a recording, and the errors of tried settings against it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.tables import table
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.i18n import _, decimal, plural
from transcrevai_core.messages import NOTHING, Message
from transcrevai_core.tuning import laboratory, sweeps, tasks
from transcrevai_core.tuning.sweeps import Reference
from transcrevai_core.tuning.tasks import Trial
from transcrevai_core.types import Job

_COLLARS = (0.0, 0.25)
_PARTS = ("der", "missed", "false_alarm", "confusion", "jer")


def reference_of(job: Job) -> Reference | None:
    """Draw which reference is kept with a job, take a new one, and return the one there is."""
    key = f"lab_reference_{job.id}"
    kept = sweeps.kept_reference(ui.store(), job.id)
    if kept:
        _kept(job, key, kept)
    else:
        st.info(
            _(
                "With a reference, an RTTM file that says who really speaks when, settings can be "
                "judged by their errors, and many of them tried at once."
            ),
            icon=":material/rule:",
        )
    st.file_uploader(
        _("Another reference (RTTM)") if kept else _("Reference (RTTM)"),
        type=["rttm", "txt"],
        max_upload_size=sweeps.MOST_MB,
        key=_field(key),
        on_change=_take,
        args=(job, key),
    )
    if refused := st.session_state.get(f"{key}_refused"):
        st.error(ui.say(refused), icon=":material/error:")
    return kept


def _field(key: str) -> str:
    """Return the key of a field that is empty again once its file was taken, or removed."""
    return f"{key}_{st.session_state.get(f'{key}_taken', 0)}"


def _renew(key: str, refused: Message = NOTHING) -> None:
    st.session_state[f"{key}_refused"] = refused
    if not refused:
        st.session_state[f"{key}_taken"] = st.session_state.get(f"{key}_taken", 0) + 1


def _kept(job: Job, key: str, kept: Reference) -> None:
    """Name the reference that is kept, and let it be removed."""
    turns = kept.turns
    many = plural("{number} turn", "{number} turns", len(turns))
    who = plural("{number} speaker", "{number} speakers", len({turn.speaker for turn in turns}))
    name = ui.escape(kept.name) or _("Reference")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/rule: **{name}** &nbsp; :small[{many} · {who}]", width="stretch")
        st.button(
            _("Remove the reference"),
            key=f"{key}_remove",
            icon=":material/delete:",
            on_click=_remove,
            args=(job, key),
        )


def _remove(job: Job, key: str) -> None:
    sweeps.remove_reference(ui.store(), job.id)
    _renew(key)


def _take(job: Job, key: str) -> None:
    """Keep the reference that was given, or say what was wrong with it."""
    given, refused = st.session_state[_field(key)], NOTHING
    try:
        if given:
            sweeps.keep_reference(ui.store(), job, given.name, given.getvalue())
    except TranscrevaiError as error:
        refused = error.message
    _renew(key, refused)


# -- errors -------------------------------------------------------------------------------------


def score_of(job: Job, trial: Trial, reference: Reference) -> dict[str, Any]:
    """Return the errors of tried settings against a reference, with the collar that is chosen."""
    collar = st.session_state.get(_collar_key(job), _COLLARS[0])
    found: dict[str, Any] = laboratory.for_store(ui.store()).run(
        job, tasks.score, trial, reference.text, collar
    )
    return found


def _collar_key(job: Job) -> str:
    return f"lab_collar_{job.id}"


def score_table(job: Job, trial: Trial, reference: Reference) -> float:
    """Draw the errors of tried settings, and return the collar that they are counted with."""
    collar = st.segmented_control(
        _("Collar on each side of a boundary"),
        _COLLARS,
        default=_COLLARS[0],
        required=True,
        format_func=lambda seconds: _("{n} s", n=decimal(seconds, 2)),
        key=_collar_key(job),
        persist_state="session",
        help=_("Around each boundary of the reference, what lies within the collar is not scored."),
    )
    table(parts_head(), [parts(score_of(job, trial, reference))], 480)
    st.caption(_("Errors in percent of the reference's speech; overlap is scored."))
    return float(collar)


def parts_head() -> list[str]:
    """Return what the columns of `parts` are called."""
    return ["DER ", _("Missed") + " ", _("False alarm") + " ", _("Confusion") + " ", "JER ",
            _("Speakers") + " "]  # fmt: skip


def parts(score: Mapping[str, Any]) -> list[str]:
    """Write a score (`tasks.score`) as a row of a table."""
    cells = [decimal(100 * score[name], 1) for name in _PARTS]
    return [*cells, _("{found} of {right}", found=score["speakers"],
                      right=score["speakers_reference"])]  # fmt: skip
