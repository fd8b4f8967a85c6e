"""Settings against a reference: its errors, a sweep over many, the best ones kept and used."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.fields import label_of
from transcrevai_core.components.profiles import (
    origin,
    profile_form,
    settings_text,
    use_button,
    value_name,
)
from transcrevai_core.components.tables import table
from transcrevai_core.components.tuning.left_out import left_out
from transcrevai_core.components.tuning.scoring import parts, parts_head, reference_of, score_table
from transcrevai_core.components.working import EVERY, progress_bar
from transcrevai_core.export import file_stem
from transcrevai_core.figures import tuning_charts
from transcrevai_core.i18n import _, decimal, plural
from transcrevai_core.tuning import laboratory, parameters, sweep_run, sweeps
from transcrevai_core.tuning.parameters import Values
from transcrevai_core.tuning.sweeps import Reference, Sweep
from transcrevai_core.tuning.tasks import Trial
from transcrevai_core.types import Job

_SHOWN = 15  # rows of its table
_GRIDS: dict[str, str] = {
    "speaker_threshold": "0.4:0.8:0.05",
    "min_speaker_share": "0.003,0.01,0.02,0.05",
    "clustering": "auto,agglomerative,spectral,k-means,vbx",
    "counting": "auto,likeness,silhouette,eigengap,evidence",
    "resegment_rounds": "auto,1,2",
    "min_turn_seconds": "0:0.8:0.2",
    "speakers": "auto,2,3,4,5,6",
    "window_seconds": "1:2.5:0.5",
    "embedding": "campplus,voice,ivector,mfcc",
}


def trials(job: Job, trial: Trial) -> None:
    """Draw the reference of a job, the errors of tried settings, and sweeps."""
    reference = reference_of(job)
    sweep = sweeps.latest(ui.store(), job.id)
    collar = score_table(job, trial, reference) if reference else 0.0
    runs = sweep is not None and sweep.is_running
    if reference or runs:
        st.subheader(_("Sweep"), anchor=False)
    if sweep and runs:
        st.fragment(_running, run_every=EVERY)(sweep, _is_of(sweep, reference))
    elif reference:
        _plan(job, trial, reference, collar)
        _last(job, sweep, reference, collar)


def _last(job: Job, sweep: Sweep | None, reference: Reference, collar: float) -> None:
    """Draw what the last sweep has found, where this reference judged it."""
    if sweep is None:
        return
    if not _is_of(sweep, reference):
        _offer_again(job, sweep, reference)
        return
    if sweep.plan["collar"] != collar:
        n = decimal(sweep.plan["collar"], 2)
        st.caption(_("The last sweep was judged with another collar, {n} s.", n=n))
    _ended(job, sweep)


# -- sweeps ------------------------------------------------------------------------------------


def _plan(job: Job, trial: Trial, reference: Reference, collar: float) -> None:
    """Draw what is to be tried, and begin."""
    key = f"lab_sweep_{job.id}"
    names = st.multiselect(
        _("Settings to vary"),
        list(_GRIDS),
        default=["speaker_threshold", "min_speaker_share"],
        format_func=label_of,
        select_all=False,
        key=f"{key}_names",
        persist_state="session",
    )
    grid: dict[str, list[Any]] = {}
    with ui.show_errors():
        texts = []
        for place, name in enumerate(names):
            if place % 2 == 0:
                columns = st.columns(2)
            with columns[place % 2]:
                value = st.text_input(
                    label_of(name),
                    _GRIDS[name],
                    key=f"{key}_{name}",
                    persist_state="session",
                    help=_("First, last and step with colons, or values with commas."),
                )
            texts.append(f"{name}={value}")
        grid = parameters.parse_grid(texts)
        base = _base(trial.settings, grid, key)
        few = st.number_input(
            _("Only so many, at random"), 1, parameters.MOST_POINTS, None, key=f"{key}_random",
            placeholder=_("All of them"), persist_state="session",
            help=_("A random search finds nearly as much in far fewer steps."),
        )  # fmt: skip
        plan = sweeps.plan(base, grid, reference.text, collar=collar, number=few)
        st.button(
            plural("Try {number} setting", "Try {number} settings", len(plan["points"])),
            type="primary",
            icon=":material/science:",
            disabled=not names,
            on_click=lambda: _start(sweeps.create(ui.store(), job, plan)),
        )


def _base(settings: Mapping[str, Any], grid: Mapping[str, Sequence[Any]], key: str) -> Values:
    """Draw what stays as it is while a grid is varied, and return the settings of all points."""
    base = dict(settings)
    free = {**base, "speakers": None}
    if parameters.without_effect(base, grid) != parameters.without_effect(free, grid) and st.toggle(
        _("Let the sweep find the number of speakers"),
        key=f"{key}_free",
        persist_state="session",
        help=_("The number that is given is left out of the sweep."),
    ):
        base = free
    idle = parameters.without_effect(base, grid)
    for reason in dict.fromkeys(map(ui.say, idle.values())):
        names = ", ".join(label_of(name) for name in idle if ui.say(idle[name]) == reason)
        st.warning(
            _("No effect in this sweep: {settings} ({reason}).", settings=names, reason=reason),
            icon=":material/warning:",
        )
    if fixed := settings_text(parameters.fixed(base, grid)):
        st.caption(_("Fixed, and not as by default: {settings}", settings=ui.escape(fixed)))
    return base


def _start(sweep_id: str) -> None:
    """Let a sweep run, or go on."""
    sweep_run.start(laboratory.for_store(ui.store()), sweep_id)


def _is_of(sweep: Sweep, reference: Reference | None) -> bool:
    """Tell whether a sweep is judged by this reference."""
    return reference is not None and sweep.plan["reference"] == reference.text


def _offer_again(job: Job, sweep: Sweep, reference: Reference) -> None:
    """Say that a sweep was judged by another reference, and offer to judge it by this one."""
    st.info(
        _(
            "The last sweep was judged by another reference, so what it found is not offered. Run "
            "again, its settings are judged by this one."
        ),
        icon=":material/rule:",
    )
    st.button(
        _("Run it again"),
        icon=":material/replay:",
        on_click=lambda: _start(
            sweeps.create(ui.store(), job, {**sweep.plan, "reference": reference.text})
        ),
    )


def _running(sweep: Sweep, shown: bool) -> None:
    """Draw how far a sweep is, and what it has found, where that is to be shown."""
    sweep = sweeps.find(ui.store(), sweep.id, sweep.plan)
    if not sweep.is_running:
        st.rerun()
    whole = len(sweep.plan["points"])
    stage = _("{done} of {all} settings", done=len(sweep.results), all=whole)
    progress_bar(stage, sweep.share, sweep.elapsed, sweep.left)
    st.button(
        _("Cancel"), icon=":material/close:", on_click=sweeps.cancel, args=(ui.store(), sweep.id)
    )
    if shown:
        _table(sweep, 5)
    else:
        st.caption(_("This sweep is judged by a reference that is not kept any more."))


def _ended(job: Job, sweep: Sweep) -> None:
    """Draw what a sweep has found, and let it go on where it did not come to its end."""
    ranked, whole = sweep.ranked(), len(sweep.plan["points"])
    if len(ranked) < whole:
        error = ui.say(sweep.error)
        st.warning(
            _("The sweep has {done} of {all} settings; these are kept.", done=len(ranked),
              all=whole) + (f" {error}" if error else ""),
            icon=":material/pause_circle:",
        )  # fmt: skip
        st.button(
            _("Go on"),
            type="primary",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(sweep.id,),
        )
    if not ranked:
        return
    best = sweep.results[ranked[0]]
    st.markdown(
        _(
            "**Best: DER {rate}%** with {settings}",
            rate=decimal(100 * best["der"], 1),
            settings=ui.escape(settings_text(sweep.plan["points"][ranked[0]])),
        )
    )
    st.caption(
        _(
            "It is measured on the reference that chose it, so it flatters: expect more errors on "
            "other recordings."
        )
    )
    if sweep.tied > 1:
        st.caption(
            _(
                "{good} of the {all} settings come to the same DER; this is the first of them.",
                good=decimal(sweep.tied),
                all=decimal(len(ranked)),
            )
        )
    values = sweep.settings(ranked[0])
    with st.expander(_("How it was found"), icon=":material/info:"):
        origin(job, values)
    with st.container(horizontal=True):
        use_button(job, values, "sweep")
        st.download_button(
            _("Export as JSON"),
            json.dumps(sweeps.as_dict(job, sweep), ensure_ascii=False, indent=2),
            f"{file_stem(job.title)}.sweep.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
    score = {"der": best["der"], "collar": best["collar"], "reference": sweep.reference_digest}
    profile_form(job, values, score, "sweep")
    left_out(sweep)
    _heat(job, sweep)
    _table(sweep, _SHOWN)


def _table(sweep: Sweep, most: int) -> None:
    ranked = sweep.ranked()
    if not ranked:
        return
    names = list(sweep.plan["grid"])
    head = [*(label_of(name) for name in names), *parts_head()]
    rows = [
        [
            *(ui.escape(value_name(sweep.plan["points"][n][name])) for name in names),
            *parts(sweep.results[n]),
        ]
        for n in ranked[:most]
    ]
    table(head, rows, 480 + 110 * len(names))
    failed = sum("error" in result for result in sweep.results.values())
    if len(ranked) > most or failed:
        best = _("The best {shown} of {all}.", shown=min(most, len(ranked)), all=len(ranked))
        st.caption(best + (" " + _("Failed: {number}.", number=failed) if failed else ""))


def _heat(job: Job, sweep: Sweep) -> None:
    """Draw the least DER for pairs of the two settings with most values."""
    names = sorted(sweep.plan["grid"], key=lambda name: -len(sweep.plan["grid"][name]))[:2]
    if len(names) < 2 or len(sweep.plan["grid"][names[1]]) < 2:
        return
    across, down = (sweep.plan["grid"][name] for name in names)
    rates = [[_least(sweep, dict(zip(names, (a, d), strict=True))) for a in across] for d in down]
    titles = label_of(names[0]), label_of(names[1])
    figure = tuning_charts.sweep_heatmap(
        [value_name(a) for a in across], [value_name(d) for d in down], rates, titles, ui.palette()
    )
    alt = _("DER of each pair of settings")
    st.plotly_chart(figure, config={"displayModeBar": False}, key=f"lab_heat_{job.id}", alt=alt)
    st.caption(_("DER in percent, the least for each pair; dark is worse."))


def _least(sweep: Sweep, values: Mapping[str, Any]) -> float | None:
    """Return the least DER of the points with these values."""
    rates: Sequence[float] = [
        sweep.results[n]["der"]
        for n in sweep.ranked()
        if values.items() <= sweep.plan["points"][n].items()
    ]
    return min(rates, default=None)
