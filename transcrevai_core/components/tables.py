"""Tables, and how values read in them."""

import html
from collections.abc import Sequence

import streamlit as st

from transcrevai_core.i18n import _, decimal


def ago(seconds: float) -> str:
    """Write how long ago something was.

    >>> ago(0.42), ago(90), ago(7_300), ago(3 * 86_400)
    ('0.4 s ago', '1 min ago', '2 h ago', '3 days ago')
    """
    if seconds < 60:
        return _("{seconds} s ago", seconds=decimal(seconds, 1 if seconds < 10 else 0))
    if seconds < 3_600:
        return _("{minutes} min ago", minutes=int(seconds // 60))
    hours = int(seconds // 3_600)
    return _("{hours} h ago", hours=hours) if hours < 48 else _("{days} days ago", days=hours // 24)


def unbroken(text: str) -> str:
    """Keep a number and its unit on one line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def numeric(name: str) -> str:
    """Make a column of `table` one of numbers, which end together."""
    return f"{name} "


def table(head: Sequence[str], rows: Sequence[Sequence[str]], least: int) -> None:
    """Draw a table that is at least so many pixels wide, and scrolls sideways where it must.

    Cells are Markdown in which HTML counts: what people or models wrote comes escaped. Streamlit's
    own tables would bring pandas into this process, and its grid cannot be scrolled by keyboard.
    """
    st.markdown(_region(head, written_table(head, rows), least), unsafe_allow_html=True)


def _region(head: Sequence[str], written: str, least: int) -> str:
    name = html.escape(", ".join(title.strip() for title in head))
    region = f'<div role="region" aria-label="{name}" tabindex="0" style="overflow-x: auto">'
    return f'{region}<div style="min-width: {least}px">\n\n{written}\n\n</div></div>'


def written_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table of Markdown as Markdown; columns whose head ends with a space are numbers.

    >>> print(written_table(["Name", "Size "], [["a", "1"]]))
    | Name | Size |
    |:--|--:|
    | a | 1 |
    """
    lines = ["| " + " | ".join(name.strip() for name in head) + " |"]
    lines.append("|" + "|".join("--:" if name.endswith(" ") else ":--" for name in head) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)
