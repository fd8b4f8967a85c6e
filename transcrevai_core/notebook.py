"""How a transcript shows itself in a notebook: as a table, a data frame, a picture."""

import html
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from transcrevai_core.errors import SettingError
from transcrevai_core.figures.timeline import colour
from transcrevai_core.figures.timeline import timeline as draw
from transcrevai_core.transcript.names import with_names
from transcrevai_core.transcript.turns import clock, display_name
from transcrevai_core.types import Segment, Transcript

if TYPE_CHECKING:
    from pandas import DataFrame
    from plotly.graph_objects import Figure

Rows = Literal["segments", "words", "turns"]
_MOST = 200  # rows; a notebook keeps all that it shows
_COLUMNS = {
    "segments": ("start", "end", "speaker", "text", "edited", "looping", "confidence"),
    "words": ("start", "end", "speaker", "text", "probability", "segment"),
    "turns": ("start", "end", "speaker"),
}
_CELL = "text-align:left;vertical-align:top;white-space:normal"


def as_html(transcript: Transcript) -> str:
    """Write a transcript as a table of HTML, speakers in their colours; everything is escaped."""
    rows: Sequence[Any] = transcript.segments or transcript.turns
    known = [clock(transcript.duration), transcript.language or "", transcript.model]
    if transcript.speakers:
        known.append(f"{len(transcript.speakers)} speakers")
    lines = [
        f"<p><strong>{html.escape(transcript.title)}</strong><br>"
        f"{html.escape(' · '.join(part for part in known if part))}</p>",
        '<table style="table-layout:auto;width:100%">',
    ]
    before: str | None = None
    for row in rows[:_MOST]:
        chip = _chip(row.speaker, transcript) if row.speaker and row.speaker != before else ""
        before = row.speaker
        text = row.final_text.strip() if isinstance(row, Segment) else f"{row.duration:.1f} s"
        cells = (
            f'<td style="{_CELL}">{clock(row.start)}</td>',
            f'<td style="{_CELL}">{chip}</td>',
            f'<td style="{_CELL};width:100%">{html.escape(text)}</td>',
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    lines.append("</table>")
    if len(rows) > _MOST:
        lines.append(f"<p>and {len(rows) - _MOST} more; to_frame() has them all.</p>")
    return "\n".join(lines)


def _chip(label: str, transcript: Transcript) -> str:
    look = colour(label)
    name = html.escape(display_name(label, transcript.names))
    style = f"background:{look.fill};color:{look.text};padding:0 .4em;border-radius:4px"
    return f'<strong style="{style};white-space:nowrap">{name}</strong>'


def timeline(transcript: Transcript) -> "Figure":
    """Draw who speaks when, in a grey that reads on light and on dark, and without the app's hint.

    Where nobody is known the figure is empty.
    """
    figure = draw(transcript, "#7d8b86")
    figure.layout.annotations = ()
    return figure


def as_frame(transcript: Transcript, rows: Rows = "segments") -> "DataFrame":
    """Return a data frame with a row for each segment, word or turn; times in seconds.

    Speakers have their display names. `confidence` is the mean probability of a segment's words,
    not a number where there are none. Raises SettingError where pandas is missing.
    """
    try:
        import pandas
    except ImportError as error:
        raise SettingError(
            "A data frame needs `pip install transcrevai[notebooks]` ({error}).", error=str(error)
        ) from None
    if rows not in _COLUMNS:
        raise SettingError(
            "rows is {rows!r}; it should be {known}.", rows=rows, known=", ".join(_COLUMNS)
        )
    shown = with_names(transcript, partial(display_name, names={}))
    made: list[tuple[Any, ...]]
    if rows == "turns":
        made = [(turn.start, turn.end, turn.speaker) for turn in shown.turns]
    elif rows == "words":
        made = [
            (word.start, word.end, segment.speaker, word.text.strip(), word.probability, number)
            for number, segment in enumerate(shown.segments)
            for word in segment.words
        ]
    else:
        made = [
            (s.start, s.end, s.speaker, s.final_text.strip(), s.edited is not None, s.looping,
             _confidence(s))
            for s in shown.segments
        ]  # fmt: skip
    return pandas.DataFrame(made, columns=list(_COLUMNS[rows]))


def _confidence(segment: Segment) -> float:
    words = segment.words
    return sum(word.probability for word in words) / len(words) if words else float("nan")
