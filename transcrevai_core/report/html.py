"""A report as one HTML file that needs nothing else: for the screen, light or dark, and paper."""

import html

from transcrevai_core.figures.timeline import colour
from transcrevai_core.report.model import Cell, Moment, Passage, Report, Section, Speaker
from transcrevai_core.report.picture import svg
from transcrevai_core.transcript.turns import clock

_STYLE = """
:root { color-scheme: light dark; --ink: #1a2421; --paper: #fff; --soft: #5d6b66; --line: #d9e1de;
  --link: #0b6e5f; --fill: #f3f6f5; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edea; --paper: #111816; --soft: #9aaaa4; --line: #33403b; --link: #6fd0bd;
    --fill: #1b2421; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0.75rem; break-after: avoid; }
a { color: var(--link); text-underline-offset: 0.15em; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
dl { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; margin: 0; }
dt { color: var(--soft); font-size: 0.85rem; } dd { margin: 0; }
figure { margin: 0; overflow-x: auto; } svg { display: block; width: 100%; min-width: 46rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 1rem 0.4rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
th { color: var(--soft); font-size: 0.85rem; font-weight: 600; white-space: nowrap; }
td:last-child { min-width: 9rem; }
.moment { white-space: nowrap; font-variant-numeric: tabular-nums; }
.hear { text-decoration: none; font-size: 0.8em; }
.who { display: inline-block; border-radius: 4px; padding: 0 0.4em; font-weight: 600;
  white-space: nowrap; }
article { margin: 1.1rem 0; padding: 0.1rem 0 0.1rem 0.9rem; border-left: 3px solid var(--line);
  scroll-margin-top: 1rem; }
article:target { background: var(--fill); } article p { margin: 0.2rem 0 0; }
@media print { :root { --ink: #000; --paper: #fff; --soft: #444; --line: #bbb; --link: #000; }
  body { max-width: none; padding: 0; font-size: 10.5pt; } .hear { display: none; }
  tr, figure { break-inside: avoid; } * { print-color-adjust: exact; } }
"""


def write_html(report: Report) -> bytes:
    """Write a report in UTF-8; its only links are to its own turns, and to the app."""
    facts = "".join(
        f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in report.facts
    )
    timeline = ""
    if report.timeline:
        heading = f"<h2>{_text(report.timeline.heading)}</h2>"
        timeline = f"{heading}\n<figure>{svg(report.timeline)}</figure>"
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="{report.language}">',
        '<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(report.title)}</title>",
        f"<style>{_STYLE}</style></head>",
        f"<body>\n<main>\n<h1>{_text(report.title)}</h1>\n<dl>{facts}</dl>",
        timeline,
        *(_section(report, section) for section in report.sections),
        f"<h2>{_text(report.heading)}</h2>",
        *(_passage(report, passage) for passage in report.passages),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts).encode()


def _section(report: Report, section: Section) -> str:
    heading = f"<h2>{_text(section.heading)}</h2>"
    if not section.rows:
        return f"{heading}\n<p>{_text(section.empty)}</p>"
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in section.columns)
    rows = "\n".join(
        f"<tr>{''.join(f'<td>{_cell(report, cell)}</td>' for cell in row)}</tr>"
        for row in section.rows
    )
    table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>"
    return f'{heading}\n<div class="table">{table}</div>'


def _cell(report: Report, cell: Cell) -> str:
    if isinstance(cell, Speaker):
        return _speaker(cell)
    if isinstance(cell, tuple):
        return ", ".join(_moment(report, moment) for moment in cell)
    return _text(cell)


def _speaker(speaker: Speaker) -> str:
    look = colour(speaker.label)
    style = f"background:{look.fill};color:{look.text}"
    return f'<span class="who" style="{style}">{_text(speaker.name)}</span>'


def _moment(report: Report, moment: Moment) -> str:
    time = f'<a href="#turn-{moment.passage}">{clock(moment.start)}</a>'
    return f'<span class="moment">{time}{_listen_link(report, moment)}</span>'


def _listen_link(report: Report, moment: Moment) -> str:
    if not report.address:
        return ""
    href, title = _text(report.link(moment)), _text(report.listen_label)
    return f' <a class="hear" href="{href}" title="{title}" aria-label="{title}">▶</a>'


def _passage(report: Report, passage: Passage) -> str:
    who, edge = "", ""
    if passage.speaker:
        who = f" {_speaker(passage.speaker)}"
        edge = f' style="border-color:{colour(passage.speaker.label).fill}"'
    link = _listen_link(report, passage.moment)
    time = f'<span class="moment">{clock(passage.moment.start)}{link}</span>'
    return (
        f'<article id="turn-{passage.moment.passage}"{edge}>{time}{who}'
        f"<p>{_text(passage.text)}</p></article>"
    )


def _text(text: str) -> str:
    return html.escape(text)
