"""The timeline of a report: laid out once, then written as SVG or as PNG."""

import html
import io
from collections.abc import Iterator
from dataclasses import dataclass

from transcrevai_core.figures.timeline import colour, shortened
from transcrevai_core.report.model import Timeline
from transcrevai_core.transcript.turns import clock

WIDTH = 960
_LANE, _BAR, _TOP, _AXIS, _RIGHT = 30, 18, 6, 24, 8
_STEPS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400)  # seconds
_LABELS = 8  # on the axis, at most
_SCALE = 2  # pixels of a PNG for each of an SVG
_GREY, _LINE = "#5d6b66", "#d9e1de"


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    fill: str = ""  # none for the lines of the grid


@dataclass(frozen=True, slots=True)
class _Word:
    x: float
    y: float  # of its middle
    text: str
    anchor: str = "start"


def svg(timeline: Timeline) -> str:
    """Draw a timeline with names on its lanes; text has the colour of what is around it."""
    height, shapes = _laid_out(timeline, names=True)
    lines = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(timeline.alt)}" '
        'font-family="sans-serif" font-size="13" fill="currentColor">'
    ]
    for shape in shapes:
        if isinstance(shape, _Box):
            look = f'fill="{shape.fill}"' if shape.fill else 'fill-opacity="0.18"'
            lines.append(
                f'<rect x="{shape.x:g}" y="{shape.y:g}" width="{shape.width:g}" '
                f'height="{shape.height:g}" {look}/>'
            )
        else:
            lines.append(
                f'<text x="{shape.x:g}" y="{shape.y:g}" dy="0.35em" '
                f'text-anchor="{shape.anchor}">{html.escape(shape.text)}</text>'
            )
    return "\n".join([*lines, "</svg>"])


def png(timeline: Timeline) -> bytes:
    """Draw a timeline with numbers on its lanes: Pillow's own font has no letters with accents."""
    from PIL import Image, ImageDraw, ImageFont

    height, shapes = _laid_out(timeline, names=False)
    image = Image.new("RGB", (WIDTH * _SCALE, height * _SCALE), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(13 * _SCALE)
    for shape in shapes:
        x, y = shape.x * _SCALE, shape.y * _SCALE
        if isinstance(shape, _Box):
            right, bottom = x + shape.width * _SCALE - 1, y + shape.height * _SCALE - 1
            draw.rectangle((x, y, max(x, right), max(y, bottom)), shape.fill or _LINE)
        else:
            anchor = {"start": "lm", "middle": "mm", "end": "rm"}[shape.anchor]
            draw.text((x, y), shape.text, _GREY, font, anchor)
    file = io.BytesIO()
    image.quantize(64).save(file, "PNG", optimize=True)
    return file.getvalue()


def _laid_out(timeline: Timeline, names: bool) -> tuple[int, list[_Box | _Word]]:
    """Place everything, in pixels; a turn is never too short to be seen."""
    left = 150 if names else 34
    scale = (WIDTH - left - _RIGHT) / (timeline.end or 1.0)
    bottom = _TOP + _LANE * len(timeline.lanes)
    shapes: list[_Box | _Word] = []
    for second in _ticks(timeline.end):
        x = left + second * scale
        anchor = "start" if not second else "end" if x > WIDTH - 30 else "middle"
        shapes += [
            _Box(round(x, 1), _TOP, 1, bottom - _TOP),
            _Word(round(x, 1), bottom + _AXIS / 2, clock(second), anchor),
        ]
    for place, (speaker, turns) in enumerate(timeline.lanes):
        y = _TOP + _LANE * place
        label = shortened(speaker.name, 20) if names else str(speaker.number)
        shapes.append(_Word(0 if names else 8, y + _LANE / 2, label))
        end = 0.0
        for turn in turns:
            start, stop = round(turn.start * scale, 1), round(turn.end * scale, 1)
            if stop <= end:  # no wider than what is drawn there already
                continue
            start = max(start, end)
            end = max(stop, start + 1)
            fill = colour(speaker.label).fill
            box = _Box(
                round(left + start, 1), y + (_LANE - _BAR) / 2, round(end - start, 1), _BAR, fill
            )
            shapes.append(box)
    return bottom + _AXIS, shapes


def _ticks(end: float) -> Iterator[float]:
    step = next((step for step in _STEPS if end / step <= _LABELS), 4 * _STEPS[-1])
    second = 0
    while second <= end:
        yield float(second)
        second += step
