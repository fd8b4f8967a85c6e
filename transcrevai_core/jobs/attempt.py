"""One attempt at one job: what every step of it writes, asks and calls."""

import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from pydantic import ValidationError

from transcrevai_core.codes import WAITING, Cause, Note, Stage, worker_name
from transcrevai_core.errors import Cancelled, SettingError, TranscrevaiError, WorkerDied
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library import journal
from transcrevai_core.memory import levels
from transcrevai_core.memory.plan import HEADROOM, Need, Plan
from transcrevai_core.memory.readings import MB
from transcrevai_core.messages import NOTHING, Message
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import Settings, describe
from transcrevai_core.types import Job
from transcrevai_core.workers.clock import Clock
from transcrevai_core.workers.worker import Worker

T = TypeVar("T")

log = logging.getLogger(__name__)

RETRIES = 3  # times that a dead worker's task is tried again
_LONGEST_PAUSE = 30.0  # seconds


class Attempt:
    """The job in hand as it changes; safe where words and speakers are found side by side."""

    def __init__(
        self, governor: Governor, job: Job, plan: Plan, ending: Callable[[], bool]
    ) -> None:
        self.governor = governor
        self.store = governor.store
        self.job = job
        self.plan = plan
        self.options = JobOptions(**job.options)
        self.wav = self.store.wav(job.id)
        self.ending = ending
        self.stopped = False
        self.clock = Clock()
        self.peaks: dict[str, int] = {}  # bytes that each stage's worker needed
        self.made: dict[str, list[Need]] = {}  # as what: of more than one shape, where it changed
        self._lock = threading.RLock()
        self._asked = self._written = 0.0

    @property
    def settings(self) -> Settings:
        """The settings of this moment: they can be changed while the job runs."""
        return self.governor.settings

    def worker(self, stage: str) -> Worker:
        """Return a new worker for a stage, bounded as the settings state.

        A recording so long that more is forecast may have that.
        """
        stated = {
            "prepare": self.settings.prepare_limit_mb,
            "diarization": self.settings.diarization_limit_mb,
        }.get(stage, 0)
        needed = self.plan.needs[stage].bytes / HEADROOM if stage in self.plan.needs else 0
        return self.governor.worker(stage, self.job.id, max(stated * MB, round(needed)))

    def transcriber(self) -> AbstractContextManager[Worker]:
        """Give the worker that transcribes, bounded as the forecast states."""
        limit = round(self.plan.needs["transcription"].bytes / HEADROOM)
        return self.governor.transcriber(self.plan.shape, self.job.id, limit)

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

    def retry(
        self,
        worker: Worker,
        once: Callable[[], T],
        lighten: Callable[[WorkerDied], Message] = lambda death: NOTHING,
        need: Callable[[], Need] | None = None,
    ) -> T:
        """Return what `once` returns, tried again where its worker dies, `RETRIES` times.

        Before each new try there is a pause, twice as long each time, and `lighten` may change
        how the task is done; it says how. `need` tells what the worker is to need as it works now,
        where that may not be as planned.
        """
        pause = self.settings.restart_seconds
        for failures in range(RETRIES + 1):
            try:
                return once()
            except WorkerDied as death:
                self.governor.event("died", death.message, self.job.id)
                if death.cause == "memory":
                    self.keep_death(worker, need() if need else self.plan.needs.get(worker.name))
                if failures == RETRIES:
                    raise
                change = lighten(death)
                values = {"worker": worker_name(worker.name), "seconds": pause}
                said = Cause.RESTART_LIGHTER(**values, change=change)
                self.governor.event(
                    "restart", said if change else Cause.RESTART(**values), self.job.id
                )
                worker.restarts += 1
                self.pause(pause)
                pause = min(_LONGEST_PAUSE, 2 * pause)
        raise AssertionError("the last try returns or raises")

    def pause(self, seconds: float) -> None:
        """Wait, and on while nothing may start; raises Cancelled where the job is to stop."""
        end = time.monotonic() + seconds

        def reason() -> Message | None:
            if self.governor.level == "kill":
                return Stage.WAITING_FOR_MEMORY(cause=self.governor.cause)
            return NOTHING if time.monotonic() < end else None

        self.wait(reason)

    def wait(self, reason: Callable[[], Message | None]) -> None:
        """Wait while there is a `reason`, and show it, but for an empty one.

        Raises Cancelled where the job is to stop.
        """
        stage = self.job.stage
        with self.clock.paused():
            while (why := reason()) is not None:
                if self.should_stop():
                    raise Cancelled("The job was cancelled.")
                if why and self.job.stage != why:
                    self.update(stage=why)
                time.sleep(0.05)
        if self.job.stage.code in WAITING and stage.code not in WAITING:
            self.update(stage=stage)

    def keep_run(self, stage: str, worker: Worker, seconds: float, need: Need) -> None:
        """Write down what a stage that was to need `need` needed; the next forecast learns from it.

        `seconds` of work.
        """
        if peak := self.keep_peak(stage, worker, need):
            self._write_run(stage, peak, seconds, need)

    def _write_run(self, stage: str, peak: int, seconds: float, need: Need) -> None:
        self.governor.keep_run(
            journal.Run(
                time.time(), self.job.id, stage, need.key, need.table_bytes, need.bytes, peak,
                seconds, self.job.duration or 0.0,
            )
        )  # fmt: skip

    def keep_peak(self, stage: str, worker: Worker, need: Need) -> int:
        """Know what a stage needed, as a part of the job; return it, in bytes."""
        peak = worker.read_peak()
        if peak:
            self.peaks[stage] = max(peak, self.peaks.get(stage, 0))
            made = self.made.setdefault(stage, [])
            if need not in made:
                made.append(need)
        return peak

    def keep_death(self, worker: Worker, need: Need | None) -> None:
        """Write down what a worker would have needed at least, when memory ended it.

        Less than was forecast says nothing: it may be that others took the memory.
        """
        if need is None:
            return
        least = max(self.keep_peak(worker.name, worker, need), worker.least_bytes)
        if least > need.bytes:
            self._write_run(worker.name, least, 0.0, need)

    @property
    def is_emergency(self) -> bool:
        """Whether what remains is to be done with the emergency profile."""
        return levels.is_emergency(self.governor.level)

    def update(self, **changes: Any) -> None:
        """Write fields of the job, and know them."""
        with self._lock:
            self.store.update_job(self.job.id, **changes)
            self.job = dataclasses.replace(self.job, **changes)

    def note(self, *notes: Message) -> None:
        """Add to the job's notes; a resumed job says nothing twice."""
        with self._lock:
            self.update(notes=tuple(dict.fromkeys([*self.job.notes, *notes])))

    def forget(self, *codes: Note) -> None:
        """Take back the notes with one of these codes."""
        with self._lock:
            kept = tuple(note for note in self.job.notes if note.code not in codes)
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
        return self.stopped or self.ending() or self.governor.ending


def stored_options(job: Job) -> JobOptions:
    """Return a job's options; raises SettingError where this version cannot use them."""
    try:
        return JobOptions(**job.options)
    except ValidationError as error:
        raise SettingError.of(describe(error)) from None


def why_failed(error: Exception) -> Message:
    """Say why a job failed; what is no error of ours is a fault, of which the log has the rest."""
    if isinstance(error, TranscrevaiError):
        return error.message
    if isinstance(error, MemoryError):
        return Message("There was not enough memory; a smaller model or shorter chunks would fit.")
    log.error("a job failed", exc_info=error)
    return Message(
        "An unexpected fault ended the job ({kind}: {error}).",
        {"kind": type(error).__name__, "error": str(error)},
    )
