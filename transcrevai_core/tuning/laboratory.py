"""The laboratory in a process: one warm worker for trials, and threads for long work.

Pages of all sessions share it; what it takes counts against the program's budget.
"""

import atexit
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from transcrevai_core import workers
from transcrevai_core.codes import Stage
from transcrevai_core.errors import InputError, WorkerDied
from transcrevai_core.jobs.diarize import voices_key
from transcrevai_core.library import preferences
from transcrevai_core.library.cache import Cache
from transcrevai_core.library.store import Store
from transcrevai_core.memory import forecast, levels, plan, readings
from transcrevai_core.memory.readings import MB
from transcrevai_core.messages import Message
from transcrevai_core.settings import Settings
from transcrevai_core.tuning import tasks
from transcrevai_core.tuning.tasks import Trial
from transcrevai_core.types import Job
from transcrevai_core.workers import admission, watcher
from transcrevai_core.workers.background import Task
from transcrevai_core.workers.worker import Worker

T = TypeVar("T")

NAME = "laboratory"
_PAUSE = 0.3  # seconds between two steps of work ahead
_KEPT_BYTES = 90 * MB  # from call to call, above what finding the speakers takes


class Laboratory:
    """The warm worker of a process, started by its first trial and ended once it is idle."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.tasks: dict[str, Task] = {}  # by the key of the voices to find, or the sweep's id
        self._worker = Worker(NAME)
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._ahead: threading.Thread | None = None

    @property
    def settings(self) -> Settings:
        """The settings of this moment."""
        return preferences.current(home=self.store.home)

    @property
    def warm(self) -> bool:
        """Whether the worker runs, so that most trials are quick."""
        return self._worker.pid is not None

    def trial(self, job: Job, values: Mapping[str, Any]) -> Trial | None:
        """Return settings to try on a job's voices; None where these voices are not kept."""
        voices = Cache(self.store, self.settings).peek(voices_key(job.digest, values))
        return Trial(voices, self.store.wav(job.id), dict(values)) if voices else None

    def run(self, job: Job, function: Callable[..., T], trial: Trial, *args: Any) -> T:
        """Return what a function of `tuning.tasks` returns for a trial.

        A worker that died is replaced, once. Raises InputError where there is no room for one,
        and what the function raises.
        """
        with self._lock:
            worker, settings = self._worker, self.settings
            if self._timer:
                self._timer.cancel()
            try:
                return _retry(lambda: self._call(worker, job, function, trial, *args))
            finally:
                worker.job = ""
                admission.release(worker.room)
                self._timer = threading.Timer(settings.model_idle_seconds, self._end_idle)
                self._timer.daemon = True
                self._timer.start()
                if self._ahead is None or not self._ahead.is_alive():
                    self._ahead = threading.Thread(target=self._work_ahead, args=(trial,))
                    self._ahead.daemon = True
                    self._ahead.start()

    def _work_ahead(self, trial: Trial) -> None:
        """Let the worker work ahead while nobody waits for it."""
        more = True
        while more:
            time.sleep(_PAUSE)
            with self._lock:
                if not self._worker.pid:
                    return
                try:
                    more = self._worker.call(tasks.work_ahead, trial)
                except Exception:  # the next run says what is wrong
                    return

    def _call(self, worker: Worker, job: Job, function: Callable[..., T], *args: Any) -> T:
        prepare_worker(worker, self.settings, job, args[0].settings)
        return worker.call(function, *args)

    def find_voices(self, job: Job, values: Mapping[str, Any]) -> Task:
        """Begin to find a job's voices, or return the task that does."""
        key = voices_key(job.digest, values)
        task = self.tasks.get(key)
        if task is None or not task.is_alive():
            task = self.start_task(
                key,
                lambda task: find_voices(
                    self.store,
                    self.settings,
                    job,
                    values,
                    lambda share: task.report(Stage.FINDING_VOICES, share),
                    task.should_stop,
                ),
            )
        return task

    def start_task(self, key: str, call: Callable[[Task], Any]) -> Task:
        """Start work in a thread that ends with the laboratory, and forget what has ended."""
        going = {name: task for name, task in list(self.tasks.items()) if task.is_alive()}
        self.tasks = {**going, key: Task(call)}
        return self.tasks[key]

    def voice_task(self, job: Job, values: Mapping[str, Any]) -> Task | None:
        """Return the task that finds a job's voices, or found out last why that cannot be."""
        return self.tasks.get(voices_key(job.digest, values))

    def _end_idle(self) -> None:
        """End the worker where it has nothing to do, and what only workers need."""
        with self._lock:  # not between two steps of work ahead, nor after a later run
            if self._timer is threading.current_thread():
                self._worker.stop_if_idle()
        if not workers.live():
            watcher.end_trackers()

    def stop(self) -> None:
        """End all work."""
        for task in list(self.tasks.values()):
            task.cancel()
        if self._timer:
            self._timer.cancel()
        self._worker.stop()


_laboratories: dict[Path, Laboratory] = {}
_opening = threading.Lock()


def for_store(store: Store) -> Laboratory:
    """Return the one laboratory of this process for a library."""
    with _opening:
        if store.home not in _laboratories:
            if not _laboratories:
                atexit.register(stop_all)
            _laboratories[store.home] = Laboratory(store)
        return _laboratories[store.home]


def stop_all() -> None:
    """End the workers of all laboratories; they start again where they are needed."""
    for laboratory in list(_laboratories.values()):
        laboratory.stop()


def prepare_worker(worker: Worker, settings: Settings, job: Job, values: Mapping[str, Any]) -> None:
    """Bound a worker for a job's voices; raises InputError where there is no room for it."""
    needed = _KEPT_BYTES + forecast.diarization_bytes(
        values["embedding"], job.duration or 0.0, learns=True, overlap=values["overlap"]
    )
    worker.job = job.id
    worker.hang_seconds = settings.hang_seconds
    worker.cores = readings.work_cores(settings.work_cores)
    worker.limit_bytes = max(settings.diarization_limit_mb * MB, round(needed / plan.HEADROOM))
    _admit(worker, settings, needed)


def release_worker(worker: Worker) -> None:
    """End a worker that `prepare_worker` bounded, and keep no room for it any more."""
    worker.job = ""
    worker.stop()
    admission.release(worker.room)


def _admit(worker: Worker, settings: Settings, needed: int) -> None:
    limits = levels.limits_of(settings)

    def request() -> Message:
        return admission.request(worker.room, needed, limits, workers.take_reading(), own=worker)

    reason = request()
    if reason.code is Stage.WAITING_FOR_JOB and admission.end_idle():
        reason = request()
    if reason.code is Stage.WAITING_FOR_JOB:
        raise InputError(
            "Trying settings needs about {needed:.0f} MB, and {taken:.0f} MB of the memory budget "
            "of {budget:.0f} MB are taken; fewer jobs at once or a larger budget would be right.",
            needed=needed / MB,
            taken=admission.taken_bytes(worker.room) / MB,
            budget=limits.budget_bytes / MB,
        )
    if reason:
        free = Message(
            "{needed:.0f} MB are needed and {free:.0f} MB are free on this computer", reason.values
        )
        raise InputError(
            "There is no room to try settings now, as {cause:part}; it will go once memory is free "
            "again.",
            cause=reason.values.get("cause", free),
        )


def find_voices(
    store: Store,
    settings: Settings,
    job: Job,
    values: Mapping[str, Any],
    tell: Callable[[float], None],
    should_stop: Callable[[], bool],
) -> Trial:
    """Find a job's voices in a worker of their own, keep them, and return the settings to try."""
    kept, key = Cache(store, settings), voices_key(job.digest, values)
    if not store.wav(job.id).is_file():
        raise InputError(
            "The sound of {title} is gone; transcribing it again would be right.", title=job.title
        )
    trial = Trial(kept.path(key), store.wav(job.id), dict(values))
    worker = Worker(NAME)

    def stops() -> bool:
        return should_stop() or not _exists(store, job.id)

    def once() -> None:
        prepare_worker(worker, settings, job, values)
        worker.call(tasks.find_voices, trial, on_event=tell, should_stop=stops)

    try:
        _retry(once)
    finally:
        release_worker(worker)
    if not kept.keep(key, "voices", job.digest, job=job.id):
        raise InputError(
            "The voices cannot be kept: the cache is set to hold too little; more entries and a "
            "larger size would be right."
        )
    return trial


def _exists(store: Store, job_id: str) -> bool:
    with store.database.read() as db:
        return bool(db.execute("SELECT 1 FROM jobs WHERE id = ?", (job_id,)).fetchone())


def _retry(once: Callable[[], T]) -> T:
    """Return what `once` returns, tried again where its worker died, but not for its memory."""
    try:
        return once()
    except WorkerDied as death:
        if death.cause == "memory":
            raise
        return once()
