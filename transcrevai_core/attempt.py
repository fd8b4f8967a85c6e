"""One attempt at one job: what every step of it writes, asks and calls."""

import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from pydantic import ValidationError

from transcrevai_core import governor, journal
from transcrevai_core.budget import HEADROOM, Plan
from transcrevai_core.errors import Cancelled, SettingError, TranscrevaiError, WorkerDied
from transcrevai_core.memory import MB
from transcrevai_core.options import JobOptions
from transcrevai_core.program import Program
from transcrevai_core.settings import Settings, describe
from transcrevai_core.types import Job
from transcrevai_core.workers import Worker

T = TypeVar("T")

log = logging.getLogger(__name__)

RETRIES = 3  # times that a dead worker's task is tried again
_LONGEST_PAUSE = 30.0  # seconds
WAITING = "waiting"  # how a stage begins in which nothing is done


class Attempt:
    """The job in hand as it changes; safe where words and speakers are found side by side."""

    def __init__(self, program: Program, job: Job, plan: Plan, ending: Callable[[], bool]) -> None:
        self.program = program
        self.store = program.store
        self.job = job
        self.plan = plan
        self.options = JobOptions(**job.options)
        self.wav = self.store.wav(job.id)
        self.ending = ending
        self.stopped = False
        self.peaks: dict[str, int] = {}  # bytes that each stage's worker needed
        self._lock = threading.RLock()
        self._asked = self._written = 0.0

    @property
    def settings(self) -> Settings:
        """The settings of this moment: they can be changed while the job runs."""
        return self.program.settings

    def worker(self, stage: str) -> Worker:
        """Return a new worker for a stage, bounded as the settings state.

        A recording so long that more is forecast may have that.
        """
        stated = {
            "prepare": self.settings.prepare_limit_mb,
            "diarization": self.settings.diarization_limit_mb,
        }[stage]
        needed = self.plan.needs[stage].bytes / HEADROOM if stage in self.plan.needs else 0
        return self.program.worker(stage, self.job.id, max(stated * MB, round(needed)))

    def transcriber(self) -> AbstractContextManager[Worker]:
        """Give the worker that transcribes, bounded as the forecast states."""
        limit = round(self.plan.needs["transcription"].bytes / HEADROOM)
        return self.program.transcriber(self.plan.shape, self.job.id, limit)

    def call(
        self,
        worker: Worker,
        function: Callable[..., T],
        *args: Any,
        on_progress: Callable[[float], Any] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> T:
        """Run a task in a worker; the share done goes to `on_progress`, else to the job's own."""
        return worker.call(
            function,
            *args,
            on_event=on_progress or self.progress,
            should_stop=should_stop or self.should_stop,
        )

    def persist(
        self,
        worker: Worker,
        once: Callable[[], T],
        lighten: Callable[[WorkerDied], str] = lambda death: "",
    ) -> T:
        """Return what `once` returns, tried again where its worker dies, `RETRIES` times.

        Before each new try there is a pause, twice as long each time, and `lighten` may change
        how the task is done; it says what in words.
        """
        pause = self.settings.restart_seconds
        for retry in range(RETRIES + 1):
            try:
                return once()
            except WorkerDied as death:
                self.program.event("died", str(death), self.job.id)
                if retry == RETRIES:
                    if death.cause == "memory":  # it needs this at least, so the next may have more
                        self.keep_run(worker.name, worker, 0.0)
                    raise
                change = lighten(death)
                said = f"The {worker.name} worker starts again after {pause:g} s"
                self.program.event("restart", f"{said}, with {change}" if change else said,
                                   self.job.id)  # fmt: skip
                worker.restarts += 1
                self.pause(pause)
                pause = min(_LONGEST_PAUSE, 2 * pause)
        raise AssertionError("the last try returns or raises")

    def pause(self, seconds: float) -> None:
        """Wait, and on while nothing may start; raises Cancelled where the job is to stop."""
        end = time.monotonic() + seconds

        def reason() -> str | None:
            if self.program.level == "kill":
                return f"{WAITING} for memory: {self.program.cause}"
            return "" if time.monotonic() < end else None

        self.wait(reason)

    def wait(self, reason: Callable[[], str | None]) -> None:
        """Wait while there is a `reason`, and show it, but for an empty one.

        Raises Cancelled where the job is to stop.
        """
        stage = self.job.stage
        while (why := reason()) is not None:
            if self.should_stop():
                raise Cancelled("The job was cancelled.")
            if why and self.job.stage != why:
                self.update(stage=why)
            time.sleep(0.05)
        if self.job.stage.startswith(WAITING) and not stage.startswith(WAITING):
            self.update(stage=stage)

    def keep_run(self, stage: str, worker: Worker, seconds: float, key: str = "") -> None:
        """Write down what a stage needed; the next forecast learns from it."""
        need = self.plan.needs[stage]
        peak = worker.read_peak()
        if peak:
            self.peaks[stage] = max(peak, self.peaks.get(stage, 0))
            self.program.keep_run(
                journal.Run(
                    time.time(), self.job.id, stage, key or need.key, need.table_bytes,
                    need.bytes, peak, seconds, self.job.duration or 0.0,
                )
            )  # fmt: skip

    @property
    def is_emergency(self) -> bool:
        """Whether what remains is to be done with the emergency profile."""
        return governor.is_emergency(self.program.level)

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
        return self.stopped or self.ending() or self.program.ending


def stored_options(job: Job) -> JobOptions:
    """Return a job's options; raises SettingError where this version cannot use them."""
    try:
        return JobOptions(**job.options)
    except ValidationError as error:
        raise SettingError(describe(error)) from None


def first_line(error: BaseException) -> str:
    """Return what an error says, as part of a sentence."""
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


def sentence(error: Exception) -> str:
    """Say why a job failed; what is no error of ours is a fault, of which the log has the rest."""
    if isinstance(error, TranscrevaiError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There was not enough memory; a smaller model or shorter chunks would fit."
    log.error("a job failed", exc_info=error)
    return f"An unexpected fault ended the job ({type(error).__name__}: {error})."
