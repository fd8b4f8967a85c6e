"""What the laboratory shows: turns before and after, voices as a map, and what speaks for numbers.

Pure functions of plain values; Plotly is imported only when a figure is drawn.
"""

import html
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from transcrevai_core.figures.memory_meters import Palette, rgba
from transcrevai_core.figures.timeline import colour, moment, shortened, time_axis
from transcrevai_core.figures.tuning_words import measures
from transcrevai_core.i18n import _, decimal, separators
from transcrevai_core.transcript.turns import clock, display_name, label_number
from transcrevai_core.types import Turn

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LANE, _LINE, _TOP, _AXIS = 26, 15, 8, 26  # pixels
_NAME = 14  # characters of a name beside its lane
_TARGETS = 400  # that can be clicked, of all lanes together
_TITLED = 270  # pixels, in which an upright title of an axis stands whole
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "star")
_FLAT = {"showgrid": False, "zeroline": False, "fixedrange": True}


def before_and_after(
    before: Sequence[Turn],
    after: Sequence[Turn],
    names: Mapping[str, str],
    duration: float,
    palette: Palette,
) -> "Figure":
    """Draw who speaks when, as it was above and as it would be below, over one axis of time.

    What can be clicked has as its customdata the turn's start and end.
    """
    import plotly.graph_objects as go

    panels = [(_("Before"), before), (_("After"), after)]
    traces: list[dict[str, Any]] = []
    ticks: list[str] = []
    words = []
    rows = sum(1 + max(1, len({turn.speaker for turn in turns})) for _title, turns in panels)
    place = 0
    for title, turns in panels:
        words.append(_heading(title, place, palette.ink))
        ticks.append("")
        place += 1
        for label in sorted({turn.speaker for turn in turns}) or [""]:
            own = [turn for turn in turns if turn.speaker == label]
            name = display_name(label, names) if label else ""
            traces += _lane(label, name, place, own, max(20, _TARGETS // rows)) if own else []
            ticks.append(f"{_safe(shortened(name, _NAME))} ")
            place += 1
    layout = {
        "template": "none",
        "height": _TOP + _LANE * rows + _AXIS,
        "margin": {"l": 8, "r": 8, "t": _TOP, "b": _AXIS},
        "showlegend": False,
        "dragmode": "zoom",
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "font": {"color": palette.ink}},
        "annotations": words,
        "xaxis": time_axis(max(duration, 1.0), palette.ink),
        "yaxis": {
            "range": [rows - 0.4, -0.5], "tickmode": "array", "tickvals": [*range(rows)],
            "ticktext": ticks, "automargin": True, "tickfont": {"color": palette.ink}, **_FLAT,
        },
    }  # fmt: skip
    return go.Figure(traces, layout=layout)


def _heading(text: str, row: int, ink: str) -> dict[str, Any]:
    return {
        "text": f"<b>{_safe(text)}</b>", "xref": "paper", "x": 0, "xanchor": "left", "y": row,
        "yanchor": "middle", "showarrow": False, "font": {"color": ink},
    }  # fmt: skip


def _lane(label: str, name: str, row: int, own: Sequence[Turn], most: int) -> list[dict[str, Any]]:
    """One area of many boxes, quick to draw, and unseen marks that can be hit, for the longest."""
    times: list[int] = []
    for turn in own:  # with gaps between them, each would be an element of the page
        start, end = moment(turn.start), moment(turn.end)
        times += [start, start, end, end]
    thick = _LINE / _LANE / 2
    heights = [row + thick, row - thick, row - thick, row + thick]
    hit = sorted(own, key=lambda turn: -turn.duration)[:most]
    fill = colour(label).fill
    boxes = {
        "type": "scatter", "mode": "none", "x": times, "y": heights * len(own), "name": name,
        "fill": "toself", "fillcolor": fill, "hoverinfo": "skip",
    }  # fmt: skip
    marks = {
        "type": "scatter", "mode": "markers", "y": [row] * len(hit),
        "x": [moment((turn.start + turn.end) / 2) for turn in hit],
        "marker": {"size": _LINE, "opacity": 0, "color": fill},
        "customdata": [[turn.start, turn.end] for turn in hit],
        "hovertext": [f"<b>{_safe(name)}</b><br>{_span(turn.start, turn.end)}" for turn in hit],
        "hoverinfo": "text",
    }  # fmt: skip
    return [boxes, marks]


def voice_map(
    dots: Sequence[Sequence[Any]], names: Mapping[str, str], palette: Palette
) -> "Figure":
    """Draw the map of the windows; a dot's customdata is its start and end."""
    import plotly.graph_objects as go

    traces = []
    for label in sorted({dot[4] for dot in dots}):
        own = [dot for dot in dots if dot[4] == label]
        name, look = display_name(label, names), colour(label)
        traces.append({
            "type": "scatter", "mode": "markers", "name": _safe(shortened(name, _NAME)),
            "x": [dot[0] for dot in own], "y": [dot[1] for dot in own],
            "marker": {"size": 8, "color": look.fill, "symbol": _symbol(label), "opacity": 1,
                       "line": {"width": 0.6, "color": palette.ink}},
            "unselected": {"marker": {"opacity": 1}}, "selected": {"marker": {"size": 13}},
            "customdata": [[dot[2], dot[3]] for dot in own],
            "hovertext": [f"<b>{_safe(name)}</b><br>{_span(dot[2], dot[3])}" for dot in own],
            "hoverinfo": "text",
        })  # fmt: skip
    axis = {"showticklabels": False, "showgrid": False, "zeroline": False}
    layout = {
        **_plain(420, palette), "dragmode": "zoom", "xaxis": axis, "yaxis": axis,
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom",
                   "font": {"color": palette.ink}},
        "margin": {"l": 8, "r": 8, "t": 56, "b": 8},
    }  # fmt: skip
    return go.Figure(traces, layout=layout)


def _symbol(label: str) -> str:
    """Return the shape of a speaker's dots, for those who cannot tell colours apart."""
    return _SYMBOLS[(label_number(label) or 0) % len(_SYMBOLS)]


def affinity(
    matrix: Sequence[Sequence[float]],
    labels: Sequence[str],
    spans: Sequence[Sequence[float]],
    names: Mapping[str, str],
    palette: Palette,
) -> "Figure":
    """Draw how alike windows are, speaker by speaker, with lines between the speakers."""
    import plotly.graph_objects as go

    edges = [n for n in range(1, len(labels)) if labels[n] != labels[n - 1]]
    bounds = [0, *edges, len(labels)]
    middles = [(a + b - 1) / 2 for a, b in itertools.pairwise(bounds)]
    ticks = [_safe(shortened(display_name(labels[a], names), _NAME)) for a in bounds[:-1]]
    lines = [
        {"type": "line", "line": {"color": palette.ink, "width": 1}, **ends}
        for edge in edges
        for ends in (
            {"x0": edge - 0.5, "x1": edge - 0.5, "y0": -0.5, "y1": len(labels) - 0.5},
            {"y0": edge - 0.5, "y1": edge - 0.5, "x0": -0.5, "x1": len(labels) - 0.5},
        )
    ]
    times = [clock(span[0]) for span in spans]
    heat = {
        "type": "heatmap", "z": [*matrix], "zmin": -1, "zmax": 1, "colorscale": "Cividis",
        "colorbar": {"thickness": 10, "tickfont": {"color": palette.ink}, "outlinewidth": 0},
        "text": [[f"{row} / {column}" for column in times] for row in times],
        "hovertemplate": "%{text}: %{z:.2f}<extra></extra>",
    }  # fmt: skip
    axis = {"tickmode": "array", "tickvals": middles, "ticktext": ticks,
            "tickfont": {"color": palette.ink}, "automargin": True, **_FLAT}  # fmt: skip
    layout = {
        **_plain(460, palette), "shapes": lines, "xaxis": {**axis, "tickangle": -45},
        "yaxis": {**axis, "autorange": "reversed"}, "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
    }  # fmt: skip
    return go.Figure([heat], layout=layout)


def evidence(rows: Sequence[Mapping[str, Any]], chosen: int, palette: Palette) -> "Figure":
    """Draw what speaks for each number of speakers, with the one that was chosen marked."""
    import plotly.graph_objects as go

    known = measures(rows)
    numbers = [row["speakers"] for row in rows]
    each = 1.0 / max(1, len(known))
    ink = {"color": palette.ink}
    layout: dict[str, Any] = {
        **_plain(40 + 120 * len(known), palette), "showlegend": False,
        "margin": {"l": 52, "r": 8, "t": 22, "b": 34}, "annotations": [],
        "shapes": [{
            "type": "rect", "yref": "paper", "x0": chosen - 0.3, "x1": chosen + 0.3, "y0": 0,
            "y1": 1, "fillcolor": rgba(palette.calm, 0.25), "line": {"width": 0}, "layer": "below",
        }],
        "xaxis": {"tickmode": "array", "tickvals": numbers, "tickfont": ink, **_FLAT,
                  "range": [0.5, max(numbers, default=1) + 0.5],
                  "anchor": "y" if len(known) < 2 else f"y{len(known)}"},
    }  # fmt: skip
    traces = []
    for place, (key, title) in enumerate(known):
        name = "" if place == 0 else str(place + 1)
        values = [row[key] for row in rows]
        size = [14 if n == chosen else 8 for n in numbers]
        traces.append({
            "type": "scatter", "mode": "lines+markers", "x": numbers, "y": values,
            "yaxis": f"y{name}", "line": {"color": palette.calm, "width": 2},
            "marker": {"size": size, "color": palette.calm}, "name": title,
            "hovertemplate": "%{x}: %{y:.3g}<extra></extra>",
        })  # fmt: skip
        top = 1 - place * each
        layout[f"yaxis{name}"] = {
            "domain": [top - each * 0.68, top],
            "nticks": 4,
            "tickfont": ink,
            **_FLAT | {"showgrid": True},
        }
        layout["annotations"].append({
            "text": f"<b>{_safe(title)}</b>", "xref": "paper", "yref": "paper", "x": 0, "y": top,
            "xanchor": "left", "yanchor": "bottom", "showarrow": False, "font": ink,
        })  # fmt: skip
    return go.Figure(traces, layout=layout)


def sweep_heatmap(
    across: Sequence[str],
    down: Sequence[str],
    rates: Sequence[Sequence[float | None]],
    titles: tuple[str, str],
    palette: Palette,
) -> "Figure":
    """Draw the least DER (in percent) for each pair of values of two settings; None is empty."""
    import plotly.graph_objects as go

    shown = [["" if rate is None else decimal(100 * rate, 1) for rate in row] for row in rates]
    ink = {"color": palette.ink}
    known = {
        "type": "heatmap", "x": [*across], "y": [*down], "text": shown,
        "z": [[None if rate is None else 100 * rate for rate in row] for row in rates],
        "texttemplate": "%{text}", "colorscale": "Cividis", "reversescale": True,
        "colorbar": {"thickness": 10, "ticksuffix": "%", "tickfont": ink, "outlinewidth": 0},
        "hovertemplate": "%{y} / %{x}: %{text}%<extra></extra>", "xgap": 1, "ygap": 1,
    }  # fmt: skip
    axis = {"type": "category", "tickfont": ink, "automargin": True, **_FLAT}
    layout = {
        **_plain(max(_TITLED, 90 + 30 * len(down)), palette),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "xaxis": {**axis, "title": {"text": _safe(titles[0]), "font": ink}},
        "yaxis": {**axis, "title": {"text": _safe(titles[1]), "font": ink}},
    }
    return go.Figure([known], layout=layout)


def _plain(height: int, palette: Palette) -> dict[str, Any]:
    return {
        "template": "none", "height": height, "hovermode": "closest", "separators": separators(),
        "hoverlabel": {"align": "left", "font": {"color": palette.ink}},
    }  # fmt: skip


def _span(start: float, end: float) -> str:
    seconds = _("{seconds} s", seconds=decimal(end - start, 1))
    return f"{clock(start)} · {seconds}"


def _safe(text: str) -> str:
    return html.escape(text, quote=False)
