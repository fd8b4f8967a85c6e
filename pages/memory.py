"""Whether there is enough memory, what takes it, and what can be done about it."""

import streamlit as st

from transcrevai_core import i18n, ui
from transcrevai_core.components.memory import (
    events,
    free_button,
    journal,
    last_minutes,
    live,
    titles,
)
from transcrevai_core.components.settings.preferences import MEMORY, preferences_form
from transcrevai_core.components.tables import ago, numeric, table, unbroken
from transcrevai_core.figures import memory_history, memory_meters
from transcrevai_core.i18n import _, mark
from transcrevai_core.library.cache import Cache, TierStats
from transcrevai_core.library.journal import Run, degrading
from transcrevai_core.models.catalogue import NONE

LAST_RUNS, CHARTED_RUNS = 10, 50
TIERS = {
    "voices": mark("Voices"),
    "turns": mark("Who speaks when"),
    "sounds": mark("Pictures of sound"),
}
CLEARED = "cleared"  # in the session


def cache() -> None:
    st.caption(
        _("What was found in a recording and may be wanted again: its voices, and who speaks "
          "when. Without it, speakers are found anew from the sound.")
    )  # fmt: skip
    kept = Cache(ui.store(), ui.settings())
    stats = kept.stats()
    head = [
        _("Kept"), numeric(_("Entries")), numeric(_("Size")), numeric(_("Hits")),
        numeric(_("Misses")), numeric(_("Hit rate")), numeric(_("Newest")), numeric(_("Oldest")),
    ]  # fmt: skip
    table(head, [tier_row(tier) for tier in stats], 640)
    nothing = not any(tier.entries for tier in stats)
    if st.button(_("Clear"), icon=":material/delete_sweep:", disabled=nothing):
        with ui.show_errors():
            entries, size = kept.clear()
            st.session_state[CLEARED] = _(
                "Entries removed: {number}, {size} on disk.",
                number=i18n.decimal(entries),
                size=memory_meters.size(size),
            )
            st.rerun()
    if said := st.session_state.pop(CLEARED, None):
        st.success(said, icon=":material/check:")


def tier_row(tier: TierStats) -> list[str]:
    ages = ["" if age is None else unbroken(ago(age)) for age in (tier.newest, tier.oldest)]
    rate = "" if tier.hit_rate is None else f"{tier.hit_rate:.0%}"
    counts = [
        i18n.decimal(tier.entries),
        unbroken(memory_meters.size(tier.bytes)),
        i18n.decimal(tier.hits),
        i18n.decimal(tier.misses),
        rate,
    ]
    return [_(TIERS[tier.tier]), *counts, *ages]


def past_jobs() -> None:
    runs = journal().runs(stage="job", last=CHARTED_RUNS)
    if not runs:
        st.caption(
            _("No job has ended yet; what each one needed is told here, beside its forecast.")
        )
        st.page_link(ui.TRANSCRIBE, label=_(ui.START), icon=":material/mic:")
        return
    if worse := degrading(runs):
        advice = _("Fewer programs beside this one, or a restart of it, may help.")
        st.warning(f"{ui.say(worse)} {advice}", icon=":material/trending_down:")
    late = runs[-memory_history.WINDOW :]
    mean = [sum(values) / len(late) for values in zip(*map(figures_of, late), strict=True)]
    st.markdown(
        _(
            "**Mean of the last {number}:** RTF {rtf}, peak {peak}, error of the forecast {error}",
            number=len(late),
            rtf=i18n.decimal(mean[0], 2),
            peak=memory_meters.size(mean[1]),
            error=f"{mean[2]:+.0%}",
        )
    )
    figure = memory_history.past_jobs(runs, ui.palette())
    alt = _("RTF and error of the forecast of past jobs, with their rolling means")
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt)
    shown = runs[: -LAST_RUNS - 1 : -1]
    names = titles(run.job for run in shown)
    head = [
        _("Recording"), numeric(_("Length")), _("Model"), numeric("RTF"), numeric(_("Peak")),
        numeric(_("Forecast")), numeric(_("Error")),
    ]  # fmt: skip
    table(head, [run_row(run, names[run.job]) for run in shown], 600)
    st.caption(
        _(
            "RTF is seconds of work for each second of sound: {half} is twice as fast as "
            "listening. An error above 0 means that a job needed more memory than was forecast.",
            half=i18n.decimal(0.5, 1),
        )
    )


def figures_of(run: Run) -> tuple[float, float, float]:
    return run.rtf, run.peak_bytes, run.error


def run_row(run: Run, title: str) -> list[str]:
    sizes = [unbroken(memory_meters.size(n)) for n in (run.peak_bytes, run.forecast_bytes)]
    error = f"{round(run.error, 2) + 0.0:+.0%}"  # never "-0%"
    name = memory_history.model_of(run.key)
    model = _("no model") if name == NONE else ui.escape(name)
    work = [ui.clock(run.duration), model, i18n.decimal(run.rtf, 2)]
    return [title or f":gray[{_('deleted')}]", *work, *sizes, error]


def limits() -> None:
    preferences_form("limits", MEMORY)


st.title(_("Memory"), anchor=False)
live()
free_button()
last_minutes()
SECTIONS = {
    f":material/history: {_('Events')}": events,
    f":material/tune: {_('Limits')}": limits,
    f":material/inventory_2: {_('Cache')}": cache,
    f":material/monitoring: {_('Past jobs')}": past_jobs,
}
tabs = st.tabs(list(SECTIONS), key="section", on_change="rerun")
for tab, draw in zip(tabs, SECTIONS.values(), strict=True):
    if tab.open:  # the others cost nothing
        with tab:
            draw()
