"""Memory over time, and how forecasts have held: pure functions that draw with Plotly.

The chart has one scale with two readings: on the left the share of the memory that all programs
take, on the right the program's own MB, with its budget where workers are ended; so that the
bands of the levels hold for both lines.
"""

import html
import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from statistics import fmean
from typing import TYPE_CHECKING, Any

from transcrevai_core.figures.memory_meters import EVERYTHING, PROGRAM, Palette, rgba, size
from transcrevai_core.i18n import _, capital, date, decimal, mark, say, separators
from transcrevai_core.library.journal import Event, Point, Run
from transcrevai_core.memory.levels import LEVELS, Level, Limits
from transcrevai_core.memory.readings import MB

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

WINDOW = 5  # runs in a rolling mean
_POINTS = 240  # of a line; each is the highest of its time
_GAP = 5.0  # seconds without a reading that break a line
_EVENTS, _TOP = 106, 112  # per cent: the lane of events, and where the picture ends
_LINE = 46  # characters in a line of what is shown under the mouse
_LEVELS: dict[Level, str] = {
    "normal": mark("normal"),
    "degraded": mark("degraded"),
    "emergency": mark("emergency"),
    "kill": mark("stopped"),
}
_ALPHAS = (0.16, 0.26, 0.38)
_FLAT = {"showgrid": False, "zeroline": False, "fixedrange": True}


def step_of(begin: float, end: float) -> float:
    """Return how many seconds each point of a line is to stand for.

    >>> step_of(0.0, 600.0)
    2.5
    """
    return max(0.5, (end - begin) / _POINTS)


def over_time(
    points: Sequence[Point],
    events: Sequence[Event],
    limits: Limits,
    palette: Palette,
    begin: float,
    end: float,
) -> "Figure | None":
    """Draw what was taken between two moments (Unix time); None where nothing was read."""
    if not points:
        return None
    import plotly.graph_objects as go

    line = [*_broken(points, step_of(begin, end))]
    times = [point and _moment(point.time) for point in line]
    owns = [point and point.total_bytes / MB for point in line]
    most = limits.budget_bytes / MB / limits.kill  # MB where the scale ends
    at = "%{x|%H:%M:%S}<br>"
    lines: list[dict[str, Any]] = [
        {
            "name": PROGRAM,
            "y": [own if own is None else min(own, most) for own in owns],
            "yaxis": "y2",
            "customdata": owns,  # an earlier budget may have been larger
            "line": {"color": palette.calm, "width": 2},
            "fill": "tozeroy",
            "fillcolor": rgba(palette.calm, 0.2),
            "hovertemplate": f"{at}{PROGRAM}: %{{customdata:,.0f}} MB<extra></extra>",
        },
        {
            "name": _(EVERYTHING),
            "y": [point and round(100 * point.pressure, 1) for point in line],
            "line": {"color": palette.ink, "width": 2},
            "hovertemplate": f"{at}{_(EVERYTHING)}: %{{y:.0f}}%<extra></extra>",
        },
    ]
    lines = [{"type": "scatter", "mode": "lines", "x": times, **line} for line in lines]
    shown = [event for event in events if begin <= event.time <= end]
    layout = _layout(limits, palette, begin, end)
    return go.Figure([*lines, _marks(shown, palette)], layout=layout)


def _broken(points: Sequence[Point], step: float) -> Iterator[Point | None]:
    """Yield the points, and None where nothing was read for some time."""
    for before, point in zip([None, *points], points, strict=False):
        if before and point.time - before.time > max(_GAP, 3 * step):
            yield None
        yield point


def _moment(time: float) -> str:
    """Write a moment in local time, which Plotly would take for another zone's as a number."""
    return datetime.fromtimestamp(time).isoformat(timespec="milliseconds")


def _marks(events: Sequence[Event], palette: Palette) -> dict[str, Any]:
    symbols = {"recovered": "star", "level": "diamond", "died": "x"}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _("Events"),
        "x": [_moment(event.time) for event in events],
        "y": [_EVENTS] * len(events),
        "marker": {
            "size": 11,
            "symbol": [symbols.get(event.kind, "circle") for event in events],
            "color": [event_colour(event, palette) for event in events],
        },
        "hovertext": [_hover(event) for event in events],
        "hoverinfo": "text",
        "showlegend": False,
    }


def event_colour(event: Event, palette: Palette) -> str:
    """Return the colour of an event: good news, a level, or what had to be done."""
    if event.kind in ("recovered", "freed"):
        return palette.good
    if event.kind == "died":
        return palette.red
    return palette.of(event.level) if event.level != "normal" else palette.good


def _hover(event: Event) -> str:
    clock = datetime.fromtimestamp(event.time).strftime("%H:%M:%S")
    cause = say(event.cause)
    if event.kind == "level":
        cause = f"{_(_LEVELS[event.level])}: {cause}"
    lines = textwrap.wrap(capital(cause), _LINE)
    return "<br>".join([f"<b>{clock}</b>", *(html.escape(line, quote=False) for line in lines)])


def _layout(limits: Limits, palette: Palette, begin: float, end: float) -> dict[str, Any]:
    begins = [100 * limits.begins(level) for level in LEVELS]
    budget = limits.budget_bytes / MB
    quarters = [budget * part / 4 for part in range(5)]
    bands, words = [], []
    ends = [*begins[2:], 100.0]
    for level, low, high, alpha in zip(LEVELS[1:], begins[1:], ends, _ALPHAS, strict=True):
        bands.append({
            "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": low, "y1": high,
            "fillcolor": rgba(palette.of(level), alpha), "line": {"width": 0}, "layer": "below",
        })  # fmt: skip
        words.append({
            "text": _(_LEVELS[level]), "xref": "paper", "x": 0.01, "xanchor": "left",
            "y": (low + high) / 2, "showarrow": False, "font": {"size": 10, "color": palette.ink},
        })  # fmt: skip
    return {
        "template": "none",
        "separators": separators(),
        "height": 340,
        "margin": {"l": 44, "r": 64, "t": 28, "b": 28},
        "shapes": bands,
        "annotations": words,
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "font": {"color": palette.ink}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom",
                   "font": {"color": palette.ink}},
        "xaxis": {
            "type": "date",
            "range": [_moment(begin), _moment(end)],
            "tickformat": "%H:%M:%S" if end - begin < 300 else "%H:%M",
            "nticks": 6,
            "tickangle": 0,
            "tickfont": {"color": palette.ink},
            **_FLAT,
        },
        "yaxis": {
            "range": [0, _TOP],
            "tickvals": [0, 25, 50, 75, 100],
            "ticktext": ["0", "25%", "50%", "75%", "100%"],
            "tickfont": {"color": palette.ink},
            **_FLAT | {"showgrid": True},
        },
        "yaxis2": {
            "range": [0, budget / limits.kill * _TOP / 100],
            "overlaying": "y",
            "side": "right",
            "tickvals": quarters,
            "ticktext": ["0", *(_same_unit(quarter, budget) for quarter in quarters[1:])],
            "tickfont": {"color": palette.calm},
            **_FLAT,
        },
    }  # fmt: skip


def _same_unit(megabytes: float, whole: float) -> str:
    """Write MB in the unit that the whole is written in."""
    in_megabytes = size(whole * MB).endswith("MB")
    return f"{decimal(megabytes)} MB" if in_megabytes else f"{decimal(megabytes / 1000, 1)} GB"


# -- past jobs ---------------------------------------------------------------------------------


def rolling(values: Sequence[float], window: int = WINDOW) -> list[float]:
    """Return the mean of each value with those before it.

    >>> rolling([1.0, 2.0, 6.0], window=2)
    [1.0, 1.5, 4.0]
    """
    return [fmean(values[max(0, n - window + 1) : n + 1]) for n in range(len(values))]


def model_of(key: str) -> str:
    """Return the model that a run's key names, among what else was done.

    >>> model_of("prepare + small, int8, beam 5 + diarization, voice"), model_of("prepare")
    ('small', 'none')
    """
    parts = [part.split(",")[0] for part in key.split(" + ")]
    return next((part for part in parts if part not in ("prepare", "diarization")), "none")


def past_jobs(runs: Sequence[Run], palette: Palette) -> "Figure | None":
    """Draw RTF and the error of the forecast (%) of each run, oldest first, with rolling means."""
    if not runs:
        return None
    import plotly.graph_objects as go

    numbers = [*range(1, len(runs) + 1)]
    traces = []
    for axis, values, unit in (
        ("y", [run.rtf for run in runs], ".2f"),
        ("y2", [100 * run.error for run in runs], "+.0f"),
    ):
        hover = [f"{date(run.time)}<br>{html.escape(run.key)}" for run in runs]
        common = {"type": "scatter", "x": numbers, "yaxis": axis}
        traces += [
            {
                **common, "mode": "markers", "y": values, "hovertext": hover, "name": _("Each job"),
                "hovertemplate": f"%{{hovertext}}<br>%{{y:{unit}}}<extra></extra>",
                "marker": {"size": 7, "color": palette.calm}, "showlegend": axis == "y",
            },
            {
                **common, "mode": "lines", "y": rolling(values), "hoverinfo": "skip",
                "name": _("Mean of {number}", number=WINDOW),
                "line": {"width": 2, "color": palette.orange},
                "showlegend": axis == "y",
            },
        ]  # fmt: skip
    ink = {"color": palette.ink}
    layout = {
        "template": "none",
        "separators": separators(),
        "height": 300,
        "margin": {"l": 44, "r": 8, "t": 30, "b": 28},
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom",
                   "font": ink},
        "hoverlabel": {"align": "left", "font": ink},
        "annotations": [
            {
                "text": text, "xref": "paper", "yref": "paper", "x": 0, "y": y, "showarrow": False,
                "xanchor": "left", "yanchor": "bottom", "font": ink,
            }
            for text, y in (("<b>RTF</b>", 1.02), (f"<b>{_('Error of the forecast')}</b>", 0.42))
        ],
        "xaxis": {"range": [0.5, len(runs) + 0.5], "showticklabels": False, **_FLAT,
                  "anchor": "y2"},
        "yaxis": {"domain": [0.6, 1], "rangemode": "tozero", "nticks": 4, "tickfont": ink,
                  **_FLAT | {"showgrid": True}},
        "yaxis2": {"domain": [0, 0.4], "nticks": 4, "ticksuffix": " %", "tickfont": ink,
                   **_FLAT | {"showgrid": True, "zeroline": True}},
    }  # fmt: skip
    return go.Figure(traces, layout=layout)
