"""What is taken of the memory now, as meters: pure functions of one reading.

One scale serves all bars: the share of the memory that all programs take. The program's budget
and a worker's limit stand on it where workers are ended. ECharts draws them: it takes plain dicts
and moves its bars instead of drawing them anew each second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transcrevai_core.codes import worker_name
from transcrevai_core.i18n import _, decimal, mark, say
from transcrevai_core.memory.levels import LEVELS, Level, Limits
from transcrevai_core.memory.readings import MB, Reading

ROW = 50  # pixels of a meter, with the words above it
_BAND, _BAR = 16, 8
EVERYTHING, PROGRAM = mark("All programs"), "TranscrevAI"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a theme, as #rrggbb."""

    ink: str
    calm: str
    good: str
    orange: str
    red: str

    def of(self, level: Level) -> str:
        """Return the colour of a level.

        >>> Palette("#000000", "#0b6e5f", "#00ff00", "#b45f06", "#b3261e").of("emergency")
        '#b44212'
        """
        between = (
            round((int(self.orange[at : at + 2], 16) + int(self.red[at : at + 2], 16)) / 2)
            for at in (1, 3, 5)
        )
        emergency = "#" + "".join(f"{part:02x}" for part in between)
        return (self.calm, self.orange, emergency, self.red)[LEVELS.index(level)]


@dataclass(frozen=True, slots=True)
class Meter:
    """One bar: what has a name, takes so much of so much, and what else is to be said of it.

    `share` is on the scale of the levels; `banded` tells whether they count for it, or its end
    alone does. A limit of 0 stands for none.
    """

    name: str
    used_bytes: int
    limit_bytes: int
    share: float
    banded: bool
    note: str = ""

    @property
    def words(self) -> str:
        """What the bar shows, in words.

        >>> Meter("", 412 * MB, 600 * MB, 0.6, True, "peak 500 MB").words
        '412 of 600 MB · peak 500 MB'
        """
        taken = sizes(self.used_bytes, self.limit_bytes)
        return f"{taken} · {self.note}" if self.note else taken


def size(number: float) -> str:
    """Write bytes for people.

    >>> size(412_300_000), size(24_100_000_000)
    ('412 MB', '24.1 GB')
    """
    if number < 5_000 * MB:
        return f"{decimal(number / MB)} MB"
    return f"{decimal(number / MB / 1000, 1)} GB"


def sizes(used: float, limit: float) -> str:
    """Write how much of how much is taken.

    >>> sizes(9_140_000_000, 24_100_000_000), sizes(88e6, 24.1e9), sizes(5e6, 0)
    ('9.1 of 24.1 GB', '88 MB of 24.1 GB', '5 MB')
    """
    if not limit:
        return size(used)
    whole = size(limit)
    taken = size(used)
    if whole.endswith("MB"):
        taken = decimal(used / MB)
    elif used >= 1_000 * MB:
        taken = decimal(used / MB / 1000, 1)
    return _("{taken} of {whole}", taken=taken, whole=whole)


def meters_of(reading: Reading, limits: Limits, peak_bytes: int) -> list[Meter]:
    """Return the machine, the program and each worker as meters."""
    machine, budget = reading.machine, limits.budget_bytes
    own = limits.kill * reading.total_bytes / budget
    peak = _("peak {size}", size=size(max(peak_bytes, reading.total_bytes)))
    meters = [
        Meter(_(EVERYTHING), machine.used_bytes, machine.limit_bytes, machine.pressure, True,
              f"{machine.pressure:.0%}"),
        Meter(PROGRAM, reading.total_bytes, budget, own, True, peak),
    ]  # fmt: skip
    for worker in reading.workers:
        share = limits.kill * worker.resident_bytes / (worker.limit_bytes or budget)
        name = _("Worker: {name}", name=say(worker_name(worker.name)))
        meters.append(Meter(name, worker.resident_bytes, worker.limit_bytes, share, False))
    return meters


def meters(rows: Sequence[Meter], limits: Limits, palette: Palette) -> dict[str, Any]:
    """Draw meters for ECharts, one below the other: a bar on the bands of the levels."""
    bands = [
        _bars([_band(row, level, limits, palette) for row in rows], _BAND, 0)
        | {"stack": "bands", "silent": True, "name": level}
        for level in LEVELS
    ]
    values = [
        {
            "value": round(min(1.0, max(0.0, row.share)), 3),
            "itemStyle": {"color": palette.of(level_of(row, limits)), "borderRadius": [0, 3, 3, 0]},
        }
        for row in rows
    ]
    axis = {"type": "category", "data": [row.name for row in rows], "inverse": True, "show": False}
    return {
        "grid": {"left": 0, "right": 0, "top": 8, "bottom": -12, "containLabel": False},
        "xAxis": {"type": "value", "min": 0, "max": 1, "show": False},
        "yAxis": [axis, axis],
        "series": [*bands, _bars(values, _BAR, 1) | {"name": "taken"}],
        "tooltip": {"show": False},
        "legend": {"show": False},
        "animationDuration": 0,
        "animationDurationUpdate": 300,
    }


def level_of(row: Meter, limits: Limits) -> Level:
    """Return the level whose band a meter's bar reaches; without bands, only the last one counts.

    >>> level_of(Meter("", 0, 0, 0.8, True), Limits(600))
    'emergency'
    """
    reached = [level for level in LEVELS if row.share >= limits.begins(level)][-1]
    return reached if row.banded or reached == "kill" else "normal"


def _band(row: Meter, level: Level, limits: Limits, palette: Palette) -> dict[str, Any]:
    """Return how far a level reaches in a meter, and the words that stand over it."""
    own = LEVELS if row.banded else ("normal", "kill")
    begins = {level: limits.begins(level) for level in own}
    begin = begins.get(level, 0.0)
    end = min([1.0, *(other for other in begins.values() if other > begin)])
    paint = rgba(palette.ink, 0.13) if level == "normal" else rgba(palette.of(level), 0.42)
    label: dict[str, Any] = {"show": level in ("normal", "kill"), "color": palette.ink}
    label |= {"fontSize": 14, "distance": 0}
    if level == "normal":
        label |= {"position": [0, -20], "align": "left", "formatter": row.name, "fontWeight": 600}
    else:
        label |= {"position": ["100%", -20], "align": "right", "formatter": row.words}
    return {
        "value": round(end - begin, 4) if level in begins else 0,
        "itemStyle": {"color": paint},
        "label": label,
    }


def _bars(data: Sequence[Mapping[str, Any]], width: int, axis: int) -> dict[str, Any]:
    return {
        "type": "bar",
        "yAxisIndex": axis,
        "data": list(data),
        "barWidth": width,
        "cursor": "default",
        "emphasis": {"disabled": True},
    }


def rgba(colour: str, alpha: float) -> str:
    """Return a colour with so much opacity, as CSS writes it.

    >>> rgba("#0b6e5f", 0.4)
    'rgba(11,110,95,0.4)'
    """
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
