"""The laboratory's place in a process: one warm worker that answers, and long work in threads.

Pages of all sessions share it; what it takes counts against the program's budget.
"""

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from transcrevai_core import budget, forecast, governor, laboratory, memory, watcher, workers
from transcrevai_core.background import Task
from transcrevai_core.cache import Cache
from transcrevai_core.errors import InputError, WorkerDied
from transcrevai_core.laboratory import Question
from transcrevai_core.memory import MB
from transcrevai_core.settings import Settings, load_settings
from transcrevai_core.speakers import voices_key
from transcrevai_core.store import Store
from transcrevai_core.types import ACTIVE_STATES, Job
from transcrevai_core.workers import Worker

T = TypeVar("T")

NAME = "laboratory"
_PAUSE = 0.3  # seconds between two moments of work ahead
_KEPT_BYTES = 90 * MB  # from call to call, above what finding the speakers takes


_admitted: weakref.WeakSet[Worker] = weakref.WeakSet()
_admitting = threading.Lock()


class Bench:
    """The warm worker of a process, begun at its first question and ended once it is idle."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.tasks: dict[str, Task] = {}  # by the key of the voices that are found, or the sweep
        self._worker = Worker(NAME)
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._ahead: threading.Thread | None = None

    @property
    def settings(self) -> Settings:
        """The settings of this moment."""
        return load_settings(home=self.store.home)

    @property
    def warm(self) -> bool:
        """Whether the worker is there, so that most answers come at once."""
        return self._worker.pid is not None

    def question(self, job: Job, values: Mapping[str, Any]) -> Question | None:
        """Return what a job's voices can be asked with; None where they are not kept."""
        voices = Cache(self.store, self.settings).peek(voices_key(job.digest, values))
        return Question(voices, self.store.wav(job.id), dict(values)) if voices else None

    def ask(self, job: Job, function: Callable[..., T], question: Question, *args: Any) -> T:
        """Return what a function of `laboratory` answers.

        A worker that died is replaced, once, and nobody is told. Raises InputError where there
        is no room for one, and what the function raises.
        """
        with self._lock:
            worker, settings = self._worker, self.settings
            if self._timer:
                self._timer.cancel()
            try:
                return _persist(lambda: self._call(worker, job, function, question, *args))
            finally:
                worker.job = ""
                self._timer = threading.Timer(settings.model_idle_seconds, self._rest)
                self._timer.daemon = True
                self._timer.start()
                if self._ahead is None or not self._ahead.is_alive():
                    self._ahead = threading.Thread(target=self._prepare, args=(question,))
                    self._ahead.daemon = True
                    self._ahead.start()

    def _prepare(self, question: Question) -> None:
        """Let the worker work ahead while nobody asks."""
        more = True
        while more:
            time.sleep(_PAUSE)
            with self._lock:
                if not self._worker.pid:
                    return
                try:
                    more = self._worker.call(laboratory.prepare, question)
                except Exception:  # whoever asks next is told
                    return

    def _call(self, worker: Worker, job: Job, function: Callable[..., T], *args: Any) -> T:
        ready(worker, self.store, self.settings, job, args[0].settings["embedding"])
        return worker.call(function, *args)

    def hear(self, job: Job, values: Mapping[str, Any]) -> Task:
        """Begin to find a job's voices, or return the task that does."""
        key = voices_key(job.digest, values)
        task = self.tasks.get(key)
        if task is None or not task.is_alive():
            task = self.begin(
                key,
                lambda task: hear(
                    self.store,
                    self.settings,
                    job,
                    values,
                    lambda share: task.tell("finding the voices", share),
                    task.stops,
                ),
            )
        return task

    def begin(self, key: str, call: Callable[[Task], Any]) -> Task:
        """Begin work in a thread that ends with the bench, and forget what has ended."""
        going = {name: task for name, task in list(self.tasks.items()) if task.is_alive()}
        self.tasks = {**going, key: Task(call)}
        return self.tasks[key]

    def hearing(self, job: Job, values: Mapping[str, Any]) -> Task | None:
        """Return the task that finds a job's voices; one that has ended is returned once."""
        key = voices_key(job.digest, values)
        task = self.tasks.get(key)
        if task and not task.is_alive():
            self.tasks.pop(key, None)
        return task

    def _rest(self) -> None:
        """End the worker where it has nothing to do, and what only workers need."""
        with self._lock:  # not between two moments of work ahead, nor where one has asked since
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


_benches: dict[Path, Bench] = {}
_opening = threading.Lock()


def of(store: Store) -> Bench:
    """Return the one bench of this process for a library."""
    with _opening:
        if store.home not in _benches:
            if not _benches:
                atexit.register(stop_all)
            _benches[store.home] = Bench(store)
        return _benches[store.home]


def stop_all() -> None:
    """End the workers of all benches; they come again where they are asked."""
    for bench in list(_benches.values()):
        bench.stop()


def ready(worker: Worker, store: Store, settings: Settings, job: Job, embedding: str) -> None:
    """Bound a worker for a job's voices; raises InputError where there is no room to start it."""
    needed = forecast.diarization_bytes(embedding, job.duration or 0.0, learns=True) + _KEPT_BYTES
    worker.job = job.id
    worker.hang_seconds = settings.hang_seconds
    worker.cores = memory.work_cores(settings.work_cores)
    worker.limit_bytes = max(settings.diarization_limit_mb * MB, round(needed / budget.HEADROOM))
    with _admitting:
        if not worker.pid or worker.promised_bytes < needed:
            _admit(worker, store, settings, needed)
            worker.promised_bytes = needed
            _admitted.add(worker)


def leave(worker: Worker) -> None:
    """End a worker that `ready` bounded, and keep no room for it any more."""
    worker.job = ""
    worker.stop()


def _admit(worker: Worker, store: Store, settings: Settings, needed: int) -> None:
    limits, reading = governor.limits_of(settings), workers.take_reading()
    decision = governor.decide(reading, limits, "normal")
    base = budget.base_bytes()
    promised = sum(max(0, other.forecast - base) for other in store.jobs(ACTIVE_STATES))
    taken = max(reading.total_bytes - _share(worker), base + promised)
    others = [o for o in list(_admitted) if o is not worker and (o.pid or o.job)]
    taken += sum(max(0, other.promised_bytes - _share(other)) for other in others)
    if not governor.admits(decision.level):
        raise InputError(
            f"There is no room to try settings now, as {decision.cause}; it will go once memory is "
            "free again."
        )
    if taken + needed > limits.plan_bytes:
        raise InputError(
            f"Trying settings needs about {needed / MB:.0f} MB, and {taken / MB:.0f} MB of the "
            f"memory budget of {limits.budget_bytes / MB:.0f} MB are taken; fewer jobs at once or "
            "a larger budget would be right."
        )


def _share(worker: Worker) -> int:
    return memory.share_bytes(worker.pid) if worker.pid else 0


def hear(
    store: Store,
    settings: Settings,
    job: Job,
    values: Mapping[str, Any],
    tell: Callable[[float], None],
    should_stop: Callable[[], bool],
) -> Question:
    """Find a job's voices in a worker of their own, keep them, and return what to ask with."""
    kept, key = Cache(store, settings), voices_key(job.digest, values)
    if not store.wav(job.id).is_file():
        raise InputError(f"The sound of {job.title} is gone; transcribing it again would be right.")
    question = Question(kept.path(key), store.wav(job.id), dict(values))
    worker = Worker(NAME)

    def stops() -> bool:
        return should_stop() or not _is_there(store, job.id)

    def once() -> None:
        ready(worker, store, settings, job, values["embedding"])
        worker.call(laboratory.hear, question, on_event=tell, should_stop=stops)

    try:
        _persist(once)
    finally:
        leave(worker)
    if not kept.keep(key, "voices", job.digest, job=job.id):
        raise InputError(
            "The voices cannot be kept: the cache is set to hold too little; more entries and a "
            "larger size would be right."
        )
    return question


def _is_there(store: Store, job_id: str) -> bool:
    with store.database.read() as db:
        return bool(db.execute("SELECT 1 FROM jobs WHERE id = ?", (job_id,)).fetchone())


def _persist(once: Callable[[], T]) -> T:
    """Return what `once` returns, tried again where its worker died, but not for its memory."""
    try:
        return once()
    except WorkerDied as death:
        if death.cause == "memory":
            raise
        return once()
