"""One attempt at one job: what every step of it writes, asks and calls."""

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from transcrevai_core.errors import WorkerDied
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import Settings
from transcrevai_core.store import Store
from transcrevai_core.types import Job
from transcrevai_core.workers import Worker

T = TypeVar("T")

MAX_ATTEMPTS = 3  # a task whose worker died so often is not tried again


class Attempt:
    """The job in hand as it changes; safe where words and speakers are found side by side."""

    def __init__(
        self, store: Store, settings: Settings, job: Job, ending: Callable[[], bool]
    ) -> None:
        self.store = store
        self.settings = settings
        self.job = job
        self.options = JobOptions(**job.options)
        self.wav = store.wav(job.id)
        self.ending = ending
        self.stopped = False
        self._lock = threading.RLock()
        self._asked = self._written = 0.0

    def call(
        self,
        worker: Worker,
        function: Callable[..., T],
        *args: Any,
        before: Callable[[], Any] = lambda: None,
        on_progress: Callable[[float], Any] | None = None,
    ) -> T:
        """Run a task in a worker, again where the worker died on it, `MAX_ATTEMPTS` in all.

        `before` is called before each attempt; the share done goes to `on_progress`, else to the
        job's own progress.
        """
        attempts = 0
        while True:
            attempts += 1
            before()
            try:
                return worker.call(
                    function,
                    *args,
                    on_event=on_progress or self.progress,
                    should_stop=self.should_stop,
                )
            except WorkerDied:
                if attempts == MAX_ATTEMPTS:
                    raise

    def update(self, **changes: Any) -> None:
        """Write fields of the job, and know them."""
        with self._lock:
            self.store.update_job(self.job.id, **changes)
            self.job = dataclasses.replace(self.job, **changes)

    def note(self, *sentences: str) -> None:
        """Add sentences to the job's notes; a resumed job says nothing twice."""
        with self._lock:
            self.update(notes=tuple(dict.fromkeys([*self.job.notes, *sentences])))

    def forget(self, beginning: str) -> None:
        """Take back the notes that begin so."""
        with self._lock:
            kept = tuple(note for note in self.job.notes if not note.startswith(beginning))
            if kept != self.job.notes:
                self.update(notes=kept)

    def progress(self, done: float) -> None:
        """Write the share that a worker reported, at most twice a second."""
        if time.monotonic() - self._written > 0.5:
            self._written = time.monotonic()
            self.update(progress=done)

    def should_stop(self) -> bool:
        """Tell whether the program ends or the user has cancelled, asked 4 times a second."""
        if time.monotonic() - self._asked > 0.25:
            self._asked = time.monotonic()
            if self.store.job(self.job.id).cancel_requested:
                self.stopped = True
        return self.stopped or self.ending()


def first_line(error: BaseException) -> str:
    """Return what an error says, as part of a sentence."""
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
