"""A stretch of sound as a picture, and what the picture says in words and numbers.

Pure functions of what `acoustics.measure` found; Plotly is imported only when a figure is drawn.
"""

import math
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from transcrevai_core.audio.acoustics import Sound
from transcrevai_core.i18n import _, decimal, separators

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_HEIGHT = 520  # pixels
_MARKED_HERTZ = (250, 500, 1000, 2000, 4000)
# parts of the height: pitch, spectrogram, waveform, from below
_ROWS = ((0.0, 0.24), (0.34, 0.76), (0.86, 1.0))
_PIECES = 12  # rows of the table at most


def draw(sound: Sound, ink: str = "#5d6b66", line: str = "#0072b2") -> "Figure":
    """Draw waveform, spectrogram and pitch over one axis of time, in seconds of the recording.

    `ink` is the colour of text, `line` that of curves.
    """
    import plotly.graph_objects as go

    times, bands = sound.times, [_("{n} Hz", n=decimal(hertz)) for hertz in sound.hertz]
    font = {"color": ink}
    shared: dict[str, Any] = {"tickfont": font, "fixedrange": True, "zeroline": False}
    wave = {
        "type": "scatter", "mode": "none", "fill": "toself", "fillcolor": line, "yaxis": "y3",
        "x": [*times, *reversed(times)], "hoverinfo": "skip",
        "y": [*sound.peak, *(-peak for peak in reversed(sound.peak))],
    }  # fmt: skip
    heat = {
        "type": "heatmap", "x": times, "y": bands, "z": sound.level, "colorscale": "Cividis",
        "yaxis": "y2", "hovertemplate": "%{x:.2f} s · %{y}: %{z} dB<extra></extra>",
        "colorbar": {"thickness": 10, "outlinewidth": 0, "tickfont": font, "ticksuffix": " dB",
                     "y": sum(_ROWS[1]) / 2, "len": _ROWS[1][1] - _ROWS[1][0]},
    }  # fmt: skip
    curve = {
        "type": "scatter", "mode": "lines", "x": times, "y": sound.pitch, "connectgaps": False,
        "line": {"color": line, "width": 2.5},
        "hovertemplate": "%{x:.2f} s: %{y:.0f} Hz<extra></extra>",
    }  # fmt: skip
    near = [min(range(len(bands)), key=lambda n: abs(sound.hertz[n] - hertz))
            for hertz in _MARKED_HERTZ]  # fmt: skip
    known = [pitch for pitch in sound.pitch if pitch is not None]
    low, high = (min(known), max(known)) if known else (75.0, 300.0)
    titles = (_("Pitch"), _("Spectrogram"), _("Waveform"))
    layout = {
        "template": "none", "height": _HEIGHT, "showlegend": False, "hovermode": "closest",
        "separators": separators(), "margin": {"l": 8, "r": 8, "t": 24, "b": 44},
        "hoverlabel": {"align": "left", "font": font},
        "xaxis": {**shared, "range": [sound.start, sound.end], "showgrid": False, "anchor": "y",
                  "title": {"text": _("Seconds of the recording"), "font": font}},
        "yaxis": {**shared, "domain": _ROWS[0], "range": [0.9 * low, 1.1 * high], "nticks": 4,
                  "ticksuffix": " Hz", "automargin": True},
        "yaxis2": {**shared, "domain": _ROWS[1], "type": "category", "showgrid": False,
                   "automargin": True, "tickmode": "array", "tickvals": [bands[n] for n in near],
                   "ticktext": [_("{n} Hz", n=decimal(hertz)) for hertz in _MARKED_HERTZ]},
        "yaxis3": {**shared, "domain": _ROWS[2], "range": [-1, 1], "tickvals": [-1, 0, 1],
                   "tickformat": ".0%", "automargin": True},
        "annotations": [
            {"text": f"<b>{title}</b>", "xref": "paper", "yref": "paper", "x": 0, "y": top,
             "xanchor": "left", "yanchor": "bottom", "showarrow": False, "font": font}
            for title, (_low, top) in zip(titles, _ROWS, strict=True)
        ],
    }  # fmt: skip
    return go.Figure([curve, heat, wave], layout=layout)


def summary(sound: Sound) -> str:
    """Say in words what pitch the voice has, and how loud the stretch is."""
    loudest = _("The loudest moment has {n} dB of full scale.", n=decimal(max(sound.loudness), 0))
    known = sorted(pitch for pitch in sound.pitch if pitch is not None)
    if not known:
        return _("No pitch was found: nobody speaks here, or whispers.") + " " + loudest
    tenth = len(known) // 10
    pitch = _(
        "The pitch is {middle} Hz in the middle, and from {low} to {high} Hz for eight tenths of "
        "the time in which there is one, which is {share}% of the stretch.",
        middle=decimal(statistics.median(known)),
        low=decimal(known[tenth]),
        high=decimal(known[-1 - tenth]),
        share=decimal(100 * len(known) / len(sound.pitch)),
    )
    return f"{pitch} {loudest}"


def numbers(sound: Sound) -> tuple[list[str], list[list[str]]]:
    """Return what the picture shows as head and rows of a table, piece by piece."""
    size = -(-len(sound.pitch) // _PIECES)
    rows = []
    for first in range(0, len(sound.pitch), size):
        piece = slice(first, first + size)
        known = [pitch for pitch in sound.pitch[piece] if pitch is not None]
        powers = [_power(row[piece]) for row in sound.level]
        rows.append([
            decimal(sound.times[first], 1),
            decimal(_level(sound.loudness[piece])),
            decimal(statistics.median(known)) if known else "",
            decimal(sound.hertz[powers.index(max(powers))]),
        ])  # fmt: skip
    head = (_("From second"), _("Loudness (dB)"), _("Pitch (Hz)"), _("Strongest band (Hz)"))
    return [f"{name} " for name in head], rows


def _power(decibels: Sequence[float]) -> float:
    """Return the mean power of levels in dB."""
    return statistics.fmean(10 ** (level / 10) for level in decibels)


def _level(decibels: Sequence[float]) -> float:
    """Return the level, in dB, of the mean power of levels in dB."""
    return 10 * math.log10(_power(decibels))
