"""`transcrevai jobs`: the jobs in the library."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from transcrevai_core import export
from transcrevai_core.cli.flags import AsJson, OutputDir, OutputFormat
from transcrevai_core.cli.screen import (
    check_format,
    err,
    follow,
    open_library,
    out,
    print_error,
    usual_format,
    write,
)
from transcrevai_core.errors import InputError, TranscrevaiError
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.types import ACTIVE_STATES, Job

app = typer.Typer(help="The jobs in the library.")


@app.command("list")
def jobs_list(as_json: AsJson = False) -> None:
    """List all jobs, newest first."""
    _, store = open_library()
    if as_json:
        print(json.dumps([_job_dict(job) for job in store.jobs()], ensure_ascii=False, indent=2))
        return
    table = Table("id", "title", "state", "done", "length", "model")
    for job in store.jobs():
        length = f"{job.duration:.0f} s" if job.duration is not None else ""
        table.add_row(job.id[:8], job.title, job.state, f"{job.progress:.0%}", length, job.model)
    out.print(table)


@app.command("show")
def jobs_show(job_id: str, as_json: AsJson = False) -> None:
    """Show one job and what is finished of its text; the beginning of its id is enough."""
    _, store = open_library()
    job = store.find(job_id)
    transcript = store.transcript(job.id)
    if as_json:
        print(json.dumps(_job_dict(job) | export.as_dict(transcript), ensure_ascii=False, indent=2))
        return
    table = Table(show_header=False)
    for name, value in _job_dict(job).items():
        if value not in ("", None, []):
            table.add_row(name, str(value))
    out.print(table)
    out.print(export.write(transcript, usual_format(transcript)), soft_wrap=True, end="")


@app.command("cancel")
def jobs_cancel(job_id: str) -> None:
    """Cancel a job; what is finished of it stays."""
    _, store = open_library()
    job = store.find(job_id)
    if job.state not in ACTIVE_STATES:
        raise InputError(
            "{title} is {state} already; only what waits or runs can be cancelled.",
            title=job.title,
            state=job.state,
        )
    store.cancel(job.id)


@app.command("resume")
def jobs_resume(job_id: Annotated[str | None, typer.Argument()] = None) -> None:
    """Go on with a job, or with all interrupted ones, from the last finished chunk."""
    settings, store = open_library()
    waiting = [store.find(job_id)] if job_id else store.jobs(ACTIVE_STATES)[::-1]
    if job_id and waiting[0].state == "done":
        raise InputError(
            "{title} is done; an unfinished job would be right.", title=waiting[0].title
        )
    failed = 0
    with Governor(store, settings) as governor:
        for job in waiting:
            store.requeue(job.id)
            try:
                claimed = store.claim(job.id)
                if claimed is None:
                    raise InputError(
                        "{title} is being worked on by another program.", title=job.title
                    )
                follow(governor, claimed)
            except TranscrevaiError as error:
                print_error(str(error))
                failed += 1
    err.print(f"{len(waiting) - failed} of {len(waiting)} jobs done")
    if failed:
        raise typer.Exit(1)


@app.command("export")
def jobs_export(
    job_id: str, output_dir: OutputDir = Path(), output_format: OutputFormat = None
) -> None:
    """Write the transcript of a job to files, corrections included."""
    _, store = open_library()
    check_format(output_format)
    transcript = store.transcript(store.find(job_id).id)
    write(transcript, output_dir, output_format or usual_format(transcript))


@app.command("delete")
def jobs_delete(
    job_id: str,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Delete a job, its transcript and its sound for good."""
    _, store = open_library()
    job = store.find(job_id)
    if not yes:
        typer.confirm(f"Delete {job.title} and its transcript for good?", abort=True, err=True)
    store.delete_job(job.id)


def _job_dict(job: Job) -> dict[str, Any]:
    names = (
        "id", "title", "state", "stage", "progress", "created", "started", "updated", "seconds",
        "duration", "model", "compute_type", "device", "language", "language_probability",
        "error", "dropped_segments",
    )  # fmt: skip
    values = {name: getattr(job, name) for name in names}
    return values | {
        "stage": str(job.stage),
        "error": str(job.error),
        "source": str(job.source),
        "notes": [str(note) for note in job.notes],
    }
