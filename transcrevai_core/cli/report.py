"""`transcrevai report`: the report of a meeting, as a file."""

from pathlib import Path
from typing import Annotated

import typer

from transcrevai_core import i18n
from transcrevai_core import report as reporting
from transcrevai_core.cli.screen import err, open_library
from transcrevai_core.errors import InputError, StorageError, refusal
from transcrevai_core.library import cache


def report(
    job_id: str,
    format: Annotated[
        str | None,
        typer.Option("--format", "-f", help="docx, html or md [default: as --output, else docx]"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="the file [default: named by the title]")
    ] = None,
    language: Annotated[
        str, typer.Option("--language", help="of the headings: en or pt")
    ] = i18n.SOURCE,
    address: Annotated[
        str,
        typer.Option(
            "--address",
            help="the app's page of transcripts, such as http://localhost:8501/transcript: each "
            "time in html and md then has a link that plays it",
        ),
    ] = "",
) -> None:
    """Write the report of a job: who spoke, key terms, questions, numbers and dates, the text."""
    _settings, store = open_library()
    job = store.find(job_id)
    if format is None:
        format = (output.suffix.lstrip(".").lower() if output else "") or "docx"
    if not store.segments(job.id, last=1):
        raise InputError(
            "{title} has no text yet; a job that is done would be right.", title=job.title
        )
    i18n.use(lambda: i18n.best(language))
    content = reporting.make(store.home, job.id, format, address=address)
    path = output or Path(reporting.file_name(job.title, format))
    try:
        cache.write(path, content)
    except OSError as error:
        raise StorageError(
            "{path} could not be written: {reason}.", path=path, reason=refusal(error)
        ) from None
    err.print(f"wrote {path}", soft_wrap=True)
