"""Tables, and how values read in them."""

from collections.abc import Sequence

import streamlit as st


def ago(seconds: float) -> str:
    """Write how long ago something was.

    >>> ago(0.42), ago(90), ago(7_300), ago(3 * 86_400)
    ('0.4 s ago', '1 min ago', '2 h ago', '3 days ago')
    """
    if seconds < 60:
        return f"{seconds:.1f} s ago" if seconds < 10 else f"{seconds:.0f} s ago"
    if seconds < 3_600:
        return f"{seconds // 60:.0f} min ago"
    hours = seconds // 3_600
    return f"{hours:.0f} h ago" if hours < 48 else f"{hours // 24:.0f} days ago"


def solid(text: str) -> str:
    """Keep a number and its unit on one line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], least: int) -> None:
    """Draw a table that is at least so many pixels wide, and scrolls sideways where it must.

    Streamlit's own tables would bring pandas into this process.
    """
    with st.grid(1, min_column_width=least, wrap=False):
        st.markdown(written_table(head, rows))


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
