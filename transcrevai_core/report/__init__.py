"""Reports of meetings as files: Markdown, Word and HTML.

python-docx with lxml and Pillow take 20 MB, so the web process runs `make` in a one-shot worker.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from transcrevai_core import i18n
from transcrevai_core.errors import InputError
from transcrevai_core.export import file_stem
from transcrevai_core.library.store import Store
from transcrevai_core.report.build import build
from transcrevai_core.report.docx import write_docx
from transcrevai_core.report.html import write_html
from transcrevai_core.report.markdown import write_markdown
from transcrevai_core.report.model import Report

FORMATS: dict[str, Callable[[Report], bytes]] = {
    "docx": write_docx,
    "html": write_html,
    "md": write_markdown,
}
_MIME_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html",
    "md": "text/markdown",
}


def file_name(title: str, format: str) -> str:
    """Name the file of a report, in the reader's language.

    >>> file_name("Ata 3.mp3", "docx")
    'Ata 3-report.docx'
    """
    name = i18n._("{title}-report", title=file_stem(title))  # plain letters in every language
    return f"{name}.{format}"


def mime_type(format: str) -> str:
    """Return the media type of a report in one of FORMATS."""
    return _MIME_TYPES[format]


def make(
    home: Path,
    job_id: str,
    format: str,
    language: str = "",
    address: str = "",
    alone: bool = False,
    edited: bool = True,
) -> bytes:
    """Return the report of a job in the library `home`, as a file in one of FORMATS.

    `language`: one of `i18n.LANGUAGES`, else that of the reader. `address`, `alone` and `edited` as
    in `report.build`. Raises InputError for an unknown job or format.
    """
    if format not in FORMATS:
        raise InputError(
            "Format {format!r} is unknown; one of {known} is right.",
            format=format,
            known=", ".join(FORMATS),
        )
    if language:
        i18n.use(lambda: language)
    store = Store(home)
    report = build(
        store.transcript(job_id),
        created=store.job(job_id).created,
        others=_others(store, job_id),
        address=address,
        alone=alone,
        edited=edited,
    )
    return FORMATS[format](report)


def _others(store: Store, job_id: str) -> Iterator[Iterator[str]]:
    """Yield the texts of each other transcript of the library."""
    with store.database.read() as db:
        rows = db.execute(
            "SELECT job, current FROM segments WHERE job != ? ORDER BY job", (job_id,)
        )
        for _job, group in groupby(rows, key=lambda row: row["job"]):
            yield (row["current"] for row in group)
