"""A report as Markdown (CommonMark with tables), with its picture inside."""

import base64
import re

from transcrevai_core.report.model import Cell, Moment, Passage, Report, Section, Speaker
from transcrevai_core.report.picture import png
from transcrevai_core.transcript.turns import clock


def write_markdown(report: Report) -> bytes:
    """Write a report in UTF-8; anchors of turns are HTML, which Markdown lets through."""
    parts = [f"# {_text(report.title)}"]
    parts.append("  \n".join(f"**{_text(n)}:** {_text(value)}" for n, value in report.facts))
    if report.timeline:
        picture = base64.b64encode(png(report.timeline)).decode()
        image = f"![{_text(report.timeline.alt)}](data:image/png;base64,{picture})"
        parts += [f"## {_text(report.timeline.heading)}", image]
    for section in report.sections:
        parts += [f"## {_text(section.heading)}", _table(report, section)]
    parts.append(f"## {_text(report.heading)}")
    parts += [_passage(report, passage) for passage in report.passages]
    return ("\n\n".join(parts) + "\n").encode()


def _table(report: Report, section: Section) -> str:
    if not section.rows:
        return _text(section.empty)
    rows = [[_text(name) for name in section.columns], ["---"] * len(section.columns)]
    rows += [[_cell(report, cell) for cell in row] for row in section.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(report: Report, cell: Cell) -> str:
    if isinstance(cell, Speaker):
        return f"{cell.number}. {_text(cell.name)}"
    if isinstance(cell, tuple):
        return ", ".join(_moment(report, moment) for moment in cell)
    return _text(cell)


def _moment(report: Report, moment: Moment) -> str:
    link = f"[{clock(moment.start)}](#turn-{moment.passage})"
    return f"{link} [▶]({report.link(moment)})" if report.address else link


def _passage(report: Report, passage: Passage) -> str:
    time = clock(passage.moment.start)
    if report.address:
        time = f"[{time}]({report.link(passage.moment)})"
    who = f" **{_text(passage.speaker.name)}**" if passage.speaker else ""
    return f'<a id="turn-{passage.moment.passage}"></a>{time}{who}\n\n{_text(passage.text)}'


def _text(text: str) -> str:
    r"""Make what was said safe in Markdown, which reads formatting and HTML into it.

    >>> print(_text("1. R$ 5*3 | <b>"))
    1\. R\$ 5\*3 \| \<b\>
    """
    text = re.sub(r"([\\`*_\[\]<>&|~$])", r"\\\1", text)
    return re.sub(r"^(\d+)([.)])|^([#+\-=:])", r"\1\3\\\2" if text[:1].isdigit() else r"\\\3", text)
