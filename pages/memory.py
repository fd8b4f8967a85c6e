"""Whether there is enough memory, what takes it, and what can be done about it."""

import streamlit as st

from transcrevai_core import courses, gauges, ui
from transcrevai_core.cache import Cache, TierStats
from transcrevai_core.components.limits import limits_form
from transcrevai_core.components.memory import START, course, events, free, journal, live, titles
from transcrevai_core.components.tables import ago, solid, table
from transcrevai_core.journal import Run, degrading

LAST_RUNS, CHARTED_RUNS = 10, 50
TIERS = {"voices": "Voices", "turns": "Who speaks when"}
CLEARED = "cleared"  # in the session


def cache() -> None:
    st.caption(
        "What was found in a recording and may be wanted again: its voices, and who speaks when. "
        "Without it, speakers are found anew from the sound."
    )
    kept = Cache(ui.store(), ui.settings())
    stats = kept.stats()
    head = ["Kept", "Entries ", "Size ", "Hits ", "Misses ", "Hit rate ", "Newest ", "Oldest "]
    table(head, [tier_row(tier) for tier in stats], 640)
    if st.button(
        "Clear", icon=":material/delete_sweep:", disabled=not any(tier.entries for tier in stats)
    ):
        with ui.told():
            entries, size = kept.clear()
            st.session_state[CLEARED] = f"Entries removed: {entries}, {gauges.size(size)} on disk."
            st.rerun()
    if said := st.session_state.pop(CLEARED, None):
        st.success(said, icon=":material/check:")


def tier_row(tier: TierStats) -> list[str]:
    ages = ["" if age is None else solid(ago(age)) for age in (tier.newest, tier.oldest)]
    rate = "" if tier.hit_rate is None else f"{tier.hit_rate:.0%}"
    counts = [
        str(tier.entries),
        solid(gauges.size(tier.bytes)),
        str(tier.hits),
        str(tier.misses),
        rate,
    ]
    return [TIERS[tier.tier], *counts, *ages]


def past_jobs() -> None:
    runs = journal().runs(stage="job", last=CHARTED_RUNS)
    if not runs:
        st.caption("No job has ended yet; what each one needed is told here, beside its forecast.")
        st.page_link(ui.TRANSCRIBE, label=START, icon=":material/mic:")
        return
    if worse := degrading(runs):
        st.warning(
            f"{ui.escape(worse)} Fewer programs beside this one, or a restart of it, may help.",
            icon=":material/trending_down:",
        )
    late = runs[-courses.WINDOW :]
    mean = [sum(values) / len(late) for values in zip(*map(figures_of, late), strict=True)]
    st.markdown(
        f"**Mean of the last {len(late)}:** RTF {mean[0]:.2f}, peak {gauges.size(mean[1])}, "
        f"error of the forecast {mean[2]:+.0%}"
    )
    figure = courses.history(runs, ui.palette())
    alt = "RTF and error of the forecast of past jobs, with their rolling means"
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt)
    shown = runs[: -LAST_RUNS - 1 : -1]
    names = titles(run.job for run in shown)
    head = ["Recording", "Length ", "Model", "RTF ", "Peak ", "Forecast ", "Error "]
    table(head, [run_row(run, names[run.job]) for run in shown], 600)
    st.caption(
        "RTF is seconds of work for each second of sound: 0.5 is twice as fast as listening. An "
        "error above 0 means that a job needed more memory than was forecast."
    )


def figures_of(run: Run) -> tuple[float, float, float]:
    return run.rtf, run.peak_bytes, run.error


def run_row(run: Run, title: str) -> list[str]:
    sizes = [solid(gauges.size(n)) for n in (run.peak_bytes, run.forecast_bytes)]
    error = f"{round(run.error, 2) + 0.0:+.0%}"  # never "-0%"
    model = ui.escape(courses.model_of(run.key))
    work = [ui.clock(run.duration), model, f"{run.rtf:.2f}"]
    return [title or ":gray[deleted]", *work, *sizes, error]


st.title("Memory", anchor=False)
live()
free()
course()
SECTIONS = {
    ":material/history: Events": events,
    ":material/tune: Limits": limits_form,
    ":material/inventory_2: Cache": cache,
    ":material/monitoring: Past jobs": past_jobs,
}
tabs = st.tabs(list(SECTIONS), key="section", on_change="rerun")
for tab, draw in zip(tabs, SECTIONS.values(), strict=True):
    if tab.open:  # the others cost nothing
        with tab:
            draw()
