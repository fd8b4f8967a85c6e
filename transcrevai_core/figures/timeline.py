"""Who spoke when as a picture: a lane a speaker, and how speakers look and are called everywhere.

Pure functions of a transcript; Plotly is imported only when a figure is drawn.
"""

import html
import textwrap
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transcrevai_core.i18n import _, mark
from transcrevai_core.transcript.turns import clock, display_name, label_number
from transcrevai_core.types import Segment, Transcript, Turn

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LANE, _LOW_LANE, _AXIS, _TOP = 30, 24, 26, 30  # pixels
_MANY_LANES = 6
_NAME = 16  # characters of a name beside its lane
_LINE = 46  # characters in a line of what is shown under the mouse
_WORDS, _ALL_WORDS = 180, 250_000  # characters: of one turn, and of all, that go to the browser
_DAY = 86_400
# ms; Plotly takes numbers of four digits for years, so that recordings begin with 1971
_ORIGIN = 365 * _DAY * 1000
_THIN = 0.01  # of the whole time: some six pixels
_HINT = mark("Click to hear, drag to zoom")


@dataclass(frozen=True, slots=True)
class Colour:
    """A speaker's colour, the colour of text on it, and what tells it from an equal one."""

    fill: str
    text: str
    pattern: str = ""


# The first four are Okabe and Ito's. All keep a contrast of 2.9 with white and with the dark
# background, of 4.5 with their text, and stay apart for every kind of colour blindness.
PALETTE = (
    ("#0072b2", "#ffffff"),
    ("#d55e00", "#000000"),
    ("#009e73", "#000000"),
    ("#cc79a7", "#000000"),
    ("#875a3c", "#ffffff"),
    ("#8787ff", "#000000"),
    ("#a53c78", "#ffffff"),
    ("#97972f", "#000000"),
    ("#f03c69", "#000000"),
    ("#695ad2", "#ffffff"),
)
_PATTERNS = ("", "/", "x")


def colour(label: str) -> Colour:
    """Return the colour of a speaker, the same one whatever becomes of the others.

    >>> colour("SPEAKER_01").fill, colour("SPEAKER_11")
    ('#d55e00', Colour(fill='#d55e00', text='#000000', pattern='/'))
    """
    number = label_number(label)
    number = zlib.crc32(label.encode()) if number is None else number
    turn, place = divmod(number, len(PALETTE))
    return Colour(*PALETTE[place], _PATTERNS[turn % len(_PATTERNS)])


def shortened(text: str, most: int) -> str:
    """Cut a text to at most so many characters, and show that it was cut.

    >>> shortened("Ana Maria", 5), shortened("Ana", 5)
    ('Ana…', 'Ana')
    """
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def turn_texts(turns: Sequence[Turn], segments: Sequence[Segment], most: int = _WORDS) -> list[str]:
    """Return what is said in each turn, cut to so many characters.

    A word belongs to its speaker's turn that has begun last; a corrected segment stays whole.

    >>> turn_texts([Turn(0, 1, "A"), Turn(2, 3, "A")], [Segment(2.1, 2.9, " Yes.", speaker="A")])
    ['', 'Yes.']
    """
    own: dict[str, list[int]] = {}
    for place in sorted(range(len(turns)), key=lambda place: turns[place].start):
        own.setdefault(turns[place].speaker, []).append(place)
    starts = {label: [turns[place].start for place in places] for label, places in own.items()}
    texts = [""] * len(turns)
    for segment in segments:
        if segment.speaker not in own:
            continue
        spoken = [((word.start + word.end) / 2, word.text) for word in segment.words]
        if segment.edited is not None or not spoken:
            spoken = [((segment.start + segment.end) / 2, f" {segment.final_text.strip()}")]
        for middle, text in spoken:
            found = max(0, bisect_right(starts[segment.speaker], middle) - 1)
            place = own[segment.speaker][found]
            if len(texts[place]) <= most + 1:
                texts[place] += text
    return [shortened(" ".join(text.split()), most) for text in texts]


def timeline(transcript: Transcript, ink: str = "#5d6b66") -> "Figure":
    """Draw one lane a speaker, in order of first speech, with a bar for each turn.

    `ink` is the colour of text. What can be clicked has as its customdata the second at which
    the turn begins. Time is a date axis, so that its labels stay clock times at any zoom.
    """
    import plotly.graph_objects as go

    turns = transcript.turns
    most = max(24, min(_WORDS, _ALL_WORDS // max(1, len(turns))))
    words = turn_texts(turns, transcript.segments, most)
    lanes = [display_name(label, transcript.names) for label in transcript.speakers]
    end = max([transcript.duration, *(turn.end for turn in turns)], default=1.0)
    bars, targets = [], []
    for lane, label in enumerate(transcript.speakers):
        own = [
            (turn, text) for turn, text in zip(turns, words, strict=True) if turn.speaker == label
        ]
        bars.append(_bars(label, lanes[lane], lane, own))
        thin = _spread([pair for pair in own if pair[0].duration < end * _THIN], end * _THIN)
        targets += [_targets(lanes[lane], lane, thin)] if thin else []
    return go.Figure([*bars, *targets], layout=_layout(lanes, end, ink))


def _bars(label: str, name: str, lane: int, own: Sequence[tuple[Turn, str]]) -> dict[str, Any]:
    look = colour(label)
    return {
        "type": "bar",
        "orientation": "h",
        "name": _safe(name),
        "y": [lane] * len(own),
        "base": [moment(turn.start) for turn, _ in own],
        "x": [round(1000 * turn.duration) for turn, _ in own],
        "width": 0.62,
        # a line of its own colour keeps the shortest turn visible at any zoom
        "marker": {
            "color": look.fill,
            "line": {"color": look.fill, "width": 1},
            "pattern": {"shape": look.pattern, "size": 5},
        },
        **_clickable(name, own),
    }


def _targets(name: str, lane: int, own: Sequence[tuple[Turn, str]]) -> dict[str, Any]:
    """Lay invisible marks over turns that are too thin to be hit."""
    return {
        "type": "scatter",
        "mode": "markers",
        "y": [lane] * len(own),
        "x": [moment((turn.start + turn.end) / 2) for turn, _ in own],
        "marker": {"size": 14, "opacity": 0},
        **_clickable(name, own),
    }


def _spread(own: Sequence[tuple[Turn, str]], least: float) -> list[tuple[Turn, str]]:
    """Keep of turns that begin close to each other only the first."""
    kept: list[tuple[Turn, str]] = []
    for turn, text in own:
        if not kept or turn.start >= kept[-1][0].start + least:
            kept.append((turn, text))
    return kept


def _clickable(name: str, own: Sequence[tuple[Turn, str]]) -> dict[str, Any]:
    return {
        "customdata": [turn.start for turn, _ in own],
        "hovertext": [_hover(name, turn, text) for turn, text in own],
        "hoverinfo": "text",
    }


def moment(seconds: float) -> int:
    """Return a time of a recording as `time_axis` takes it."""
    return _ORIGIN + round(1000 * seconds)


def _layout(lanes: Sequence[str], end: float, ink: str) -> dict[str, Any]:
    height = len(lanes) * (_LANE if len(lanes) <= _MANY_LANES else _LOW_LANE)
    return {
        "template": "none",
        "height": _TOP + height + _AXIS,
        "margin": {"l": 8, "r": 8, "t": _TOP, "b": _AXIS},
        "annotations": [
            {
                "text": _(_HINT),
                "font": {"size": 12, "color": ink},
                "showarrow": False,
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": 1,
                "xanchor": "left",
                "yanchor": "bottom",
                "yshift": 2,
            }
        ],
        "barmode": "overlay",
        "showlegend": False,
        "dragmode": "zoom",
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "font": {"color": ink}},
        "xaxis": time_axis(end, ink),
        "yaxis": {
            "range": [len(lanes) - 0.5, -0.5],
            "fixedrange": True,
            "tickmode": "array",
            "tickvals": list(range(len(lanes))),
            "ticktext": [f"{_safe(shortened(name, _NAME))} " for name in lanes],
            "automargin": True,
            "tickfont": {"color": ink},
            "showgrid": False,
            "zeroline": False,
        },
    }


def time_axis(end: float, ink: str) -> dict[str, Any]:
    """Return the x axis of a recording of so many seconds: clock times at any zoom."""
    clock_format = "%-M:%S" if end < 3600 else "%-H:%M:%S" if end < _DAY else _("day %-j, %-H:%M")
    return {
        "type": "date",
        "range": [moment(0), moment(end)],
        "minallowed": moment(0),
        "maxallowed": moment(end),
        "tickformat": clock_format,
        "nticks": 8,
        "tickangle": 0,
        "tickfont": {"color": ink},
        "showgrid": True,
        "zeroline": False,
    }


def _hover(name: str, turn: Turn, words: str) -> str:
    times = dict.fromkeys([clock(turn.start), clock(turn.end)])  # a short turn has but one
    head = f"<b>{_safe(shortened(name, _LINE))}</b><br>{_(' to ').join(times)}"
    lines = textwrap.wrap(words, _LINE) if len(words) > _LINE else [words] if words else []
    return "<br>".join([head, *map(_safe, lines)])


def _safe(text: str) -> str:
    """Make text safe in Plotly, which reads some HTML."""
    return html.escape(text, quote=False)
