"""Settings against a reference: its errors, a sweep over many, the best ones kept and used."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from transcrevai_core import bench, experiments, lab_figures, laboratory, sweeping, sweeps, ui
from transcrevai_core.components.fields import label_of
from transcrevai_core.components.profiles import (
    facts_of,
    keep_as_profile,
    named,
    use_on,
    value_name,
)
from transcrevai_core.components.tables import table
from transcrevai_core.components.working import EVERY, bar
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.export import file_stem
from transcrevai_core.laboratory import Question
from transcrevai_core.sweeps import Sweep
from transcrevai_core.texts import _, decimal, plural
from transcrevai_core.texts import told as said
from transcrevai_core.types import Job

_SHOWN = 15  # rows of its table
_MOST_MB = 20  # of a reference
_COLLARS = (0.0, 0.25)
_GRIDS: dict[str, str] = {
    "speaker_threshold": "0.4:0.8:0.05",
    "min_speaker_share": "0.003,0.01,0.02,0.05",
    "clustering": "auto,agglomerative,spectral,k-means,vbx",
    "counting": "auto,likeness,silhouette,eigengap,evidence",
    "resegment_rounds": "auto,1,2",
    "min_turn_seconds": "0:0.8:0.2",
    "speakers": "auto,2,3,4,5,6",
    "window_seconds": "1:2.5:0.5",
    "embedding": "voice,ivector,mfcc",
}
_HEAD = ("der", "missed", "false_alarm", "confusion", "jer")


def trials(job: Job, question: Question) -> None:
    """Draw the reference of a job, the errors of an answer, and sweeps."""
    reference = _reference(job)
    if reference is None:
        return
    collar = st.segmented_control(
        _("Collar on each side of a boundary"),
        _COLLARS,
        default=_COLLARS[0],
        required=True,
        format_func=lambda seconds: _("{n} s", n=decimal(seconds, 2)),
        key=f"lab_collar_{job.id}",
        help=_("Around each boundary of the reference, what lies within the collar is not scored."),
    )
    score = bench.of(ui.store()).ask(job, laboratory.score, question, reference, collar)
    table(_parts_head(), [_parts(score)], 480)
    st.caption(_("Errors in percent of the reference's speech; overlap is scored."))
    st.subheader(_("Sweep"), anchor=False)
    sweep = sweeps.latest(ui.store(), job.id)
    if sweep and sweep.runs:
        st.fragment(_running, run_every=EVERY)(sweep)
        return
    _plan(job, question, reference, float(collar or 0.0))
    if sweep:
        _ended(job, sweep)


def _parts_head() -> list[str]:
    return ["DER ", _("Missed") + " ", _("False alarm") + " ", _("Confusion") + " ", "JER ",
            _("Speakers") + " "]  # fmt: skip


def _parts(score: Mapping[str, Any]) -> list[str]:
    cells = [decimal(100 * score[name], 1) for name in _HEAD]
    return [*cells, _("{found} of {right}", found=score["speakers"],
                      right=score["speakers_reference"])]  # fmt: skip


def _reference(job: Job) -> str | None:
    """Draw which reference there is, take a new one, and return its text."""
    path = sweeps.reference_file(ui.store(), job.id)
    label = _("Another reference (RTTM)") if path.is_file() else _("Reference (RTTM)")
    if not path.is_file():
        st.info(
            _(
                "With a reference, an RTTM file that says who really speaks when, settings can be "
                "judged by their errors, and many of them tried at once."
            ),
            icon=":material/rule:",
        )
    key = f"lab_reference_{job.id}"
    st.file_uploader(
        label,
        type=["rttm", "txt"],
        max_upload_size=_MOST_MB,
        key=key,
        on_change=_take,
        args=(job, key),
    )
    if refused := st.session_state.get(f"{key}_refused"):
        st.error(ui.escape(said(refused)), icon=":material/error:")
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _take(job: Job, key: str) -> None:
    """Keep the reference that was given, or what was wrong with it."""
    given, refused = st.session_state[key], ""
    try:
        if given:
            sweeps.keep_reference(ui.store(), job, given.getvalue().decode("utf-8"))
    except UnicodeDecodeError:
        refused = f"{given.name} is no text; an RTTM file would be right."
    except TranscrevaiError as error:
        refused = str(error)
    st.session_state[f"{key}_refused"] = refused


# -- sweeps ------------------------------------------------------------------------------------


def _plan(job: Job, question: Question, reference: str, collar: float) -> None:
    """Draw what is to be tried, and begin."""
    key = f"lab_sweep_{job.id}"
    names = st.multiselect(
        _("Settings to vary"),
        list(_GRIDS),
        default=["speaker_threshold", "min_speaker_share"],
        format_func=label_of,
        key=f"{key}_names",
    )
    grid: dict[str, list[Any]] = {}
    with ui.told():
        texts = []
        for place, name in enumerate(names):
            if place % 2 == 0:
                columns = st.columns(2)
            with columns[place % 2]:
                value = st.text_input(
                    label_of(name),
                    _GRIDS[name],
                    key=f"{key}_{name}",
                    help=_("First, last and step with colons, or values with commas."),
                )
            texts.append(f"{name}={value}")
        grid = experiments.parse_grid(texts)
        few = st.number_input(
            _("Only so many, at random"), 1, experiments.MOST_POINTS, None, key=f"{key}_random",
            placeholder=_("All of them"),
            help=_("A random search finds nearly as much in far fewer steps."),
        )  # fmt: skip
        plan = sweeps.plan(question.settings, grid, reference, collar=collar, number=few)
        st.button(
            plural("Try {number} setting", "Try {number} settings", len(plan["points"])),
            type="primary",
            icon=":material/science:",
            disabled=not names,
            on_click=lambda: _start(sweeps.begin(ui.store(), job, plan)),
        )


def _start(sweep_id: str) -> None:
    """Let a sweep run, or go on."""
    sweeping.start(bench.of(ui.store()), sweep_id)


def _running(sweep: Sweep) -> None:
    sweep = sweeps.find(ui.store(), sweep.id, sweep.plan)
    if not sweep.runs:
        st.rerun()
    whole = len(sweep.plan["points"])
    stage = _("{done} of {all} settings", done=len(sweep.results), all=whole)
    bar(stage, sweep.share, sweep.elapsed, sweep.left)
    st.button(
        _("Cancel"), icon=":material/close:", on_click=sweeps.cancel, args=(ui.store(), sweep.id)
    )
    _table(sweep, 5)


def _ended(job: Job, sweep: Sweep) -> None:
    """Draw what a sweep has found, and let it go on where it did not come to its end."""
    ranked, whole = sweep.ranked(), len(sweep.plan["points"])
    if len(ranked) < whole:
        error = ui.escape(said(sweep.error))
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
            settings=ui.escape(named(sweep.plan["points"][ranked[0]])),
        )
    )
    values = sweep.settings(ranked[0])
    facts_of(job, values)
    with st.container(horizontal=True):
        use_on(job, values, "sweep")
        st.download_button(
            _("Export as JSON"),
            json.dumps(sweeps.exported(job, sweep), ensure_ascii=False, indent=2),
            f"{file_stem(job.title)}.sweep.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
    told = {"der": best["der"], "collar": best["collar"], "reference": sweep.judged_by}
    keep_as_profile(job, values, told, "sweep")
    _heat(job, sweep)
    _table(sweep, _SHOWN)


def _table(sweep: Sweep, most: int) -> None:
    ranked = sweep.ranked()
    if not ranked:
        return
    names = list(sweep.plan["grid"])
    head = [*(label_of(name) for name in names), *_parts_head()]
    rows = [
        [
            *(ui.escape(value_name(sweep.plan["points"][n][name])) for name in names),
            *_parts(sweep.results[n]),
        ]
        for n in ranked[:most]
    ]
    table(head, rows, 480 + 110 * len(names))
    failed = sum("error" in result for result in sweep.results.values())
    if len(ranked) > most or failed:
        said_of = _("The best {shown} of {all}.", shown=min(most, len(ranked)), all=len(ranked))
        st.caption(said_of + (" " + _("Failed: {number}.", number=failed) if failed else ""))


def _heat(job: Job, sweep: Sweep) -> None:
    """Draw the least DER for pairs of the two settings with most values."""
    names = sorted(sweep.plan["grid"], key=lambda name: -len(sweep.plan["grid"][name]))[:2]
    if len(names) < 2 or len(sweep.plan["grid"][names[1]]) < 2:
        return
    across, down = (sweep.plan["grid"][name] for name in names)
    rates = [[_least(sweep, dict(zip(names, (a, d), strict=True))) for a in across] for d in down]
    titles = label_of(names[0]), label_of(names[1])
    figure = lab_figures.heat(
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
