"""Memory as it is now, polled while there is something to see: meters, workers, course, events."""

import time
from collections.abc import Iterable

import streamlit as st

from transcrevai_core import ui, workers
from transcrevai_core.codes import worker_name
from transcrevai_core.components.tables import ago, numeric, table, unbroken
from transcrevai_core.doctor.freeing import free_memory
from transcrevai_core.errors import InputError
from transcrevai_core.figures import memory_history, memory_meters
from transcrevai_core.figures.timeline import shortened
from transcrevai_core.i18n import _, capital, date, mark, say
from transcrevai_core.library.journal import Event, EventKind, Journal
from transcrevai_core.memory import levels
from transcrevai_core.memory.levels import HYSTERESIS, Decision, Level, Limits
from transcrevai_core.memory.readings import Reading
from transcrevai_core.types import ACTIVE_STATES
from transcrevai_core.workers.processes import this_process

QUICK, SLOW = 1.0, 5.0  # seconds between two looks, while something runs and otherwise
FRESH = 3.0  # seconds for which the level of a reading is that of now
SHOWN_EVENTS = 20
MINUTES = (2, 10, 30)
_TITLE = 32  # characters of a job's title
_FREED = "freed"  # in the session

MEANINGS: dict[Level, tuple[str, str, ui.Color, str]] = {
    "normal": (
        mark("Normal"), ":material/check_circle:", "green",
        mark("There is enough memory: jobs begin freely."),
    ),
    "degraded": (
        mark("Degraded"), ":material/hourglass_top:", "orange",
        mark("Memory is getting short: no new job begins, and stages run one after another."),
    ),
    "emergency": (
        mark("Emergency"), ":material/warning:", "red",
        mark("Memory is short: jobs go on with the smallest model and short chunks."),
    ),
    "kill": (
        mark("Stopped"), ":material/block:", "red",
        mark("Memory has run out: the largest worker is ended, and its job waits until there is "
             "room."),
    ),
}  # fmt: skip
_KINDS: dict[EventKind, tuple[str, str, ui.Color]] = {
    "level": (mark("Level"), ":material/speed:", "gray"),
    "action": (mark("Action"), ":material/build:", "orange"),
    "died": (mark("Worker died"), ":material/error:", "red"),
    "restart": (mark("Restart"), ":material/refresh:", "blue"),
    "recovered": (mark("Recovered"), ":material/healing:", "green"),
    "lighter": (mark("Lighter"), ":material/compress:", "orange"),
    "freed": (mark("Freed"), ":material/cleaning_services:", "green"),
    "cleaned": (mark("Cleaned up"), ":material/auto_delete:", "gray"),
}


def journal() -> Journal:
    """Return the memory's pages of the library, as this program sees them."""
    return Journal(ui.store().database, this_process())


def titles(job_ids: Iterable[str]) -> dict[str, str]:
    """Return the titles of jobs as Markdown; empty for those that are gone."""
    found = {"": ""}
    for job_id in set(job_ids) - {""}:
        try:
            found[job_id] = ui.escape(shortened(ui.store().job(job_id).title, _TITLE))
        except InputError:  # it was deleted
            found[job_id] = ""
    return found


def _active() -> bool:
    return bool(workers.live()) or bool(ui.store().jobs(ACTIVE_STATES))


# -- now ---------------------------------------------------------------------------------------


def live() -> None:
    """Draw what the memory is like now and what that means, and the workers that take it."""
    active = _active()
    st.fragment(_live, run_every=QUICK if active else SLOW)(active)


def _live(polled: bool) -> None:
    if _active() != polled:
        st.rerun()  # from now on more often, or less
    reading, limits = workers.take_reading(), levels.limits_of(ui.settings())
    before = journal().readings(time.time() - FRESH)
    decision = levels.decide(reading, limits, before[-1].level if before else "normal")
    rows = memory_meters.meters_of(reading, limits, journal().peak_bytes())
    with st.container(border=True):
        _status(decision, reading, limits)
        st.echarts_chart(
            memory_meters.meters(rows, limits, ui.palette()),
            key="meters",
            height=memory_meters.ROW * len(rows),
            renderer="svg",
            alt="; ".join(f"{row.name}: {row.words}" for row in rows),
        )
        st.caption(_marks(limits))
    _workers(reading)


def _status(decision: Decision, reading: Reading, limits: Limits) -> None:
    label, icon, color, sentence = MEANINGS[decision.level]
    with st.container(gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(_(label), icon=icon, color=color)
            st.markdown(f"**{_(sentence)}**", width="content")
        cause = f"{capital(say(decision.cause))}."
        if decision.level != "normal":
            cause += " " + _("Normal again below {share}.", share=_calm(reading, limits))
        st.caption(ui.escape(cause))


def _calm(reading: Reading, limits: Limits) -> str:
    """Say how far what is too high must fall: everything on the machine, or this program."""
    calm = limits.degraded - HYSTERESIS
    machine = Reading(reading.time, reading.machine, 0)
    if levels.share(machine, limits) == levels.share(reading, limits):
        return f"{calm:.0%}"
    return memory_meters.size(limits.budget_bytes * calm / limits.kill)


def _marks(limits: Limits) -> str:
    return _(
        "From {degraded} no new job begins, from {emergency} jobs go on with the smallest model, "
        "from {kill} the largest worker is ended. Red begins where the program's budget, or a "
        "worker's limit, is full.",
        degraded=f"{limits.degraded:.0%}",
        emergency=f"{limits.emergency:.0%}",
        kill=f"{limits.kill:.0%}",
    )


def _workers(reading: Reading) -> None:
    st.subheader(_("Workers"), anchor=False)
    if not reading.workers:
        st.caption(
            _(
                "No worker runs, and none takes memory: they start with a job, and leave some time "
                "after it."
            )
        )
        return
    names = titles(worker.job for worker in reading.workers)
    rows = [
        [
            say(worker_name(worker.name)),
            names[worker.job],
            f":green-badge[{_('working')}]" if worker.busy else f":gray-badge[{_('idle')}]",
            unbroken(memory_meters.sizes(worker.resident_bytes, worker.limit_bytes)),
            unbroken(memory_meters.size(worker.peak_bytes)),
            str(worker.restarts),
            unbroken(ago(worker.heard)) if worker.busy else "",
        ]
        for worker in reading.workers
    ]
    head = [
        _("Worker"), _("Works on"), _("State"), numeric(_("Memory")), numeric(_("Peak")),
        numeric(_("Restarts")), numeric(_("Sign of life")),
    ]  # fmt: skip
    table(head, rows, 640)


def free_button() -> None:
    """Offer to give memory back at once, and say how much came of it."""
    with st.container(gap="xxsmall"):
        pressed = st.button(_("Free memory now"), icon=":material/cleaning_services:")
        st.caption(
            _(
                "Ends idle workers, empties the cache and hands freed memory back to the system; "
                "running jobs go on."
            )
        )
    if pressed:
        with ui.show_errors(), st.spinner(_("Freeing memory"), show_time=False):
            freed = free_memory(ui.store(), ui.settings())
            st.session_state[_FREED] = _(
                "{size} came back. Idle workers ended: {workers}; cache entries removed: "
                "{entries}.",
                size=memory_meters.size(freed.bytes),
                workers=freed.workers,
                entries=freed.entries,
            )
            st.rerun()  # what stands above has changed
    if said := st.session_state.pop(_FREED, None):
        st.success(said, icon=":material/check:")


# -- the last minutes --------------------------------------------------------------------------


def last_minutes() -> None:
    """Draw the last minutes, with what happened in them."""
    st.subheader(_("Last minutes"), anchor=False)
    st.fragment(_last_minutes, run_every=SLOW if _active() else None)()


def _last_minutes() -> None:
    minutes = st.segmented_control(
        _("Minutes"), MINUTES, default=MINUTES[1], required=True, key="memory_minutes",
        format_func=lambda minutes: f"{minutes} min", label_visibility="collapsed",
    )  # fmt: skip
    now = time.time()
    begin = now - 60 * int(minutes or MINUTES[1])
    figure = memory_history.over_time(
        journal().course(begin, memory_history.step_of(begin, now)),
        journal().events(since=begin),
        levels.limits_of(ui.settings()),
        ui.palette(),
        begin,
        now,
    )
    if figure is not None:
        alt = _(
            "Memory in the last {minutes} minutes, in all programs and in TranscrevAI, with the "
            "levels and events",
            minutes=minutes,
        )
        st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt)
    elif journal().peak_bytes():
        st.caption(
            _("Nothing was measured in the last {minutes} minutes: no job ran.", minutes=minutes)
        )
    else:
        st.caption(_("Nothing was measured yet: memory is measured while jobs run."))
        st.page_link(ui.TRANSCRIBE, label=_(ui.START), icon=":material/mic:")


# -- events ------------------------------------------------------------------------------------


def events() -> None:
    """List what happened last."""
    st.fragment(_events, run_every=SLOW if _active() else None)()


def _events() -> None:
    found = journal().events(last=SHOWN_EVENTS)
    if not found:
        st.caption(
            _(
                "Nothing has happened yet. What the limits make happen is told here: jobs that "
                "wait, workers that end, jobs that are recovered."
            )
        )
        return
    names = titles(event.job for event in found)
    for event in sorted(found, key=lambda event: event.time, reverse=True):
        _event(event, names[event.job])


def _event(event: Event, title: str) -> None:
    label, icon, color = _KINDS.get(event.kind, _KINDS["action"])
    if event.kind == "level":
        label, icon, color = MEANINGS[event.level][:3]
    label, cause = _(label), ui.escape(capital(say(event.cause)))
    if event.kind == "recovered":
        label, cause = f"**{cause}**", ""
    today = date(time.time(), "") == date(event.time, "")
    clock = time.strftime("%H:%M:%S", time.localtime(event.time)) if today else date(event.time)
    about = f" &nbsp;:gray[{title}]" if title else ""
    st.markdown(f"`{clock}` :{color}-badge[{icon} {label}] {cause}{about}")
