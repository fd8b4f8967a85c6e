"""What the commands share: where they print, and how progress is drawn."""

import threading
import time
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from transcrevai_core import pipeline
from transcrevai_core.settings import Settings, load_settings
from transcrevai_core.store import Store
from transcrevai_core.types import Job
from transcrevai_core.workers import Worker

err = Console(stderr=True, highlight=False)
out = Console(highlight=False)
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for a program to read")]


def open_library() -> tuple[Settings, Store]:
    """Return the settings and the library that they name."""
    settings = load_settings()
    return settings, Store(settings.home)


def complain(sentence: str) -> None:
    """Print what went wrong."""
    err.print(sentence, style="red", markup=False, soft_wrap=True)


def follow(store: Store, settings: Settings, worker: Worker, job: Job) -> bool:
    """Run a claimed job in a thread, draw its progress, and tell whether it was done."""
    thread = threading.Thread(
        target=pipeline.run_job, args=(store, settings, worker, job), daemon=True
    )
    thread.start()
    try:
        draw(job.title, thread.is_alive, lambda: _stage(store.job(job.id)))
    except KeyboardInterrupt:
        store.cancel(job.id)
        thread.join()
        complain(f"{job.title}: interrupted; transcrevai jobs resume {job.id[:8]} goes on.")
        raise typer.Exit(130) from None
    job = store.job(job.id)
    for note in job.notes:
        err.print(f"{job.title}: {note}", style="yellow", markup=False, soft_wrap=True)
    if job.state == "done":
        return True
    complain(f"{job.title}: {job.error or 'The job was cancelled.'}")
    return False


def _stage(job: Job) -> tuple[str, float]:
    return job.stage or job.state, job.progress


def draw(title: str, going: Callable[[], bool], read: Callable[[], tuple[str, float]]) -> None:
    """Draw a progress bar on standard error until `going` is false."""
    with Progress(
        TextColumn("{task.fields[title]}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} % {task.description}"),
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
