"""What the commands share: where they print, and how progress is drawn."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from transcrevai_core import export
from transcrevai_core.errors import InputError, StorageError, TranscrevaiError, refusal
from transcrevai_core.jobs import direct, planning
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import Settings, load_settings
from transcrevai_core.tuning import profiles
from transcrevai_core.types import Job, Transcript
from transcrevai_core.workers.background import Task

# titles, paths and texts are data: no part of them is markup or the name of an emoji
err = Console(stderr=True, highlight=False, markup=False, emoji=False)
out = Console(highlight=False, markup=False, emoji=False)


def check_format(name: str | None) -> None:
    """Raise InputError for a format that there is not."""
    if name not in (None, "all", *export.FORMATS):
        raise InputError(
            "--output_format is {name}; all or one of {formats} would be right.",
            name=name,
            formats=", ".join(export.FORMATS),
        )


def chosen_format(name: str | None, folder: Path, *, usual: str | None) -> str | None:
    """Return the format of the files, else the usual one; None where no files are wanted.

    Makes their folder. Raises InputError and StorageError before the work, not after it.
    """
    check_format(name)
    format = name or usual
    if format:
        _check_folder(folder)
    return format


def _check_folder(folder: Path) -> None:
    """Make a folder for results; raises StorageError where nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StorageError(
            "Nothing can be written to {folder} ({reason}); another --output_dir would be right.",
            folder=folder,
            reason=refusal(error),
        ) from None


def open_library() -> tuple[Settings, Store]:
    """Return the settings and the library that they name."""
    settings = load_settings()
    return settings, Store(settings.home)


def with_profile(store: Store, name: str | None, flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return flags over the settings of a profile; raises InputError where there is none."""
    given = {key: value for key, value in flags.items() if value is not None}
    return profiles.apply(profiles.find(store, name), {}) | given if name else given


def usual_format(transcript: Transcript) -> str:
    """Return what a transcript is best written in where nobody has said: who spoke, or the text."""
    return "rttm" if transcript.turns and not transcript.segments else "txt"


def write(transcript: Transcript, folder: Path, name: str, stem: str | None = None) -> None:
    """Write a transcript to files and name them."""
    for path in export.save(transcript, folder, name, stem=stem):
        err.print(f"wrote {path}", soft_wrap=True)


def print_error(sentence: str) -> None:
    """Print what went wrong."""
    err.print(sentence, style="red", soft_wrap=True)


def follow(governor: Governor, job: Job) -> None:
    """Run a claimed job in a thread, as soon as there is room for it, and draw its progress.

    Raises TranscrevaiError with one sentence where it does not come to a transcript.
    """
    store = governor.store
    run = Task(lambda task: direct.run(governor, job))
    try:
        draw(job.title, run.is_alive, lambda: _stage(store.job(job.id)))
        job = run.result()
    except KeyboardInterrupt:
        store.cancel(job.id)
        run.join()
        print_error(f"{job.title}: interrupted; the same command again goes on from there.")
        raise typer.Exit(130) from None
    for note in job.notes:
        err.print(f"{job.title}: {note}", style="yellow", soft_wrap=True)
    if job.state != "done":
        raise TranscrevaiError(
            "{title}: {reason}",
            title=job.title,
            reason=job.error or Message("The job was cancelled."),
        )


def run_all(
    store: Store,
    settings: Settings,
    files: Sequence[Path],
    options: JobOptions,
    done: Callable[[Transcript], Any],
    output_dir: Path,
    format: str | None,
) -> int:
    """Run a job for each file and return how many failed; one's failure is not the others'.

    Each transcript goes to `done`, and is written in `format` where there is one. Raises
    InputError for options that no file could be worked on with.
    """
    planning.check_options(options)
    failed, stems = 0, set[str]()
    planning.plan_for(store, settings, options)
    with Governor(store, settings) as governor:
        for file in files:
            try:
                planning.check_recording(file, settings)
                job = direct.open_job(store, file, options)
                follow(governor, job)
                transcript = store.transcript(job.id)
                done(transcript)
                if format:
                    stem = _unused(export.file_stem(transcript.title), stems)
                    write(transcript, output_dir, format, stem)
            except TranscrevaiError as error:
                print_error(str(error))
                failed += 1
    return failed


def _unused(stem: str, taken: set[str]) -> str:
    """Return `stem`, or stem-2 and so on where another file of this call has that name."""
    candidate, number = stem, 1
    while candidate.casefold() in taken:  # some systems do not tell Ata from ata
        number += 1
        candidate = f"{stem}-{number}"
    taken.add(candidate.casefold())
    return candidate


def _stage(job: Job) -> tuple[str, float]:
    return str(job.stage or job.state), job.progress


def draw(title: str, going: Callable[[], bool], read: Callable[[], tuple[str, float]]) -> None:
    """Draw a progress bar on standard error until `going` is false."""
    with Progress(
        TextColumn("{task.fields[title]}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}% {task.description}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
    ) as progress:
        bar, stage = None, ""
        while True:
            last = not going()
            now, done = read()
            if now != stage or bar is None:  # each stage has its own remaining time
                if bar is not None:
                    progress.remove_task(bar)
                bar, stage = progress.add_task(now, total=1.0, title=title), now
            progress.update(bar, completed=done)
            if last:
                return
            time.sleep(0.1)
