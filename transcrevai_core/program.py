"""What the jobs of one process share: library, settings, workers, and the budget they keep."""

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from transcrevai_core import governor, memory, watcher, workers
from transcrevai_core.budget import Plan, base_bytes
from transcrevai_core.cache import Cache
from transcrevai_core.errors import TranscrevaiError, WorkerDied
from transcrevai_core.governor import Decision, Limits
from transcrevai_core.journal import EventKind, Journal, Level, Run
from transcrevai_core.memory import MB, Reading
from transcrevai_core.processes import this_process
from transcrevai_core.settings import Settings, config_file, load_settings
from transcrevai_core.store import Store
from transcrevai_core.workers import Worker

log = logging.getLogger(__name__)

EVERY = 0.5  # seconds between two readings while something runs


@dataclass(frozen=True, slots=True)
class Freed:
    """What was given back: bytes, idle workers that ended, entries that left the cache."""

    bytes: int
    workers: int
    entries: int


class Program:
    """The governor of one process: it reads, decides and acts while jobs run.

    A context: its thread and its workers end with it.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        read: Callable[[], Reading] = workers.take_reading,
    ):
        self.store = store
        self.settings = settings
        self.journal = Journal(store.database, this_process())
        self.level: Level = "normal"
        self.cause = ""
        self._read = read
        self._plans: dict[str, Plan] = {}  # of the jobs that run
        self._peaks: dict[str, int] = {}  # the program's, while each of them runs
        self._idle: list[tuple[object, Worker]] = []  # that keep a model
        self._own: weakref.WeakSet[Worker] = weakref.WeakSet()
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._config = _changed()
        self._thread = threading.Thread(target=self._run, name="governor", daemon=True)

    def __enter__(self) -> "Program":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(timeout=10)
        for worker in list(self._own):
            worker.stop()

    @property
    def limits(self) -> Limits:
        """What the settings allow."""
        return governor.limits_of(self.settings)

    # -- the governor --------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ending.wait(EVERY):
            try:
                self._reread()
                if self._plans or workers.live():
                    self.look()
                self.end_idle(self.settings.model_idle_seconds)
            except Exception:  # a full disk, say: memory must be watched all the same
                log.exception("the governor stumbled")

    def look(self) -> Reading:
        """Read, decide and act, and write down what was seen and done."""
        reading, limits = self._read(), self.limits
        with self._lock:
            decision = governor.decide(reading, limits, self.level)
            self.level, self.cause = decision.level, decision.cause
            for job_id, peak in self._peaks.items():
                self._peaks[job_id] = max(peak, reading.total_bytes)
        self._act(decision, limits)
        try:
            self.journal.add_reading(reading, decision.level, limits.budget_bytes)
        except TranscrevaiError as error:
            log.warning("a reading was not kept: %s", error)
        return reading

    def _act(self, decision: Decision, limits: Limits) -> None:
        if decision.changed:
            self.event("level", f"{decision.level.capitalize()}: {decision.cause}")
        if decision.kill is not None:
            for worker in workers.live():
                if worker.pid == decision.kill:
                    self.event("action", f"The {worker.name} worker is ended: {decision.cause}")
                    worker.kill(
                        WorkerDied(
                            f"The {worker.name} worker was ended because {decision.cause}; a "
                            "smaller model, or fewer programs beside this one, would be right.",
                            "memory",
                        )
                    )
        if decision.end_idle and (ended := self.end_idle()):
            self.event("action", f"{_count(ended, 'idle worker')} ended: {decision.cause}")
        if decision.shrink_caches and (gone := Cache(self.store, self.settings).shrink()):
            self.event("action", f"{_count(gone, 'voice or turn file')} left the cache")

    def _reread(self) -> None:
        """Take on settings that were changed while the program runs."""
        if (now := _changed()) != self._config:
            self._config = now
            try:
                self.settings = load_settings(home=self.settings.home)
            except TranscrevaiError as error:
                log.warning("the changed settings cannot be used: %s", error)

    def event(self, kind: EventKind, cause: str, job_id: str = "") -> None:
        """Write down what happened; where that cannot be done, only the log knows."""
        log.info("%s: %s", kind, cause)
        try:
            self.journal.add_event(kind, self.level, cause, job_id)
        except TranscrevaiError as error:
            log.warning("an event was not kept: %s", error)

    def keep_run(self, run: Run) -> None:
        """Write down what a stage or a job needed; what cannot be kept is only logged."""
        try:
            self.journal.add_run(run)
        except TranscrevaiError as error:
            log.warning("a run was not kept: %s", error)

    # -- admission -----------------------------------------------------------------------------

    def admit(self, job_id: str, plan: Plan) -> str:
        """Keep room for a job; return "" where there is some, else what it has to wait for."""
        with self._lock:
            reading = self.look()
            limits = self.limits
            if not governor.admits(self.level):
                return f"waiting for memory: {self.cause}"
            busy = sum(other.cores for other in self._plans.values())
            if self._plans and busy + plan.cores > memory.work_cores(self.settings.work_cores):
                return "waiting for a processor"
            if self._room(limits) < plan.workers_bytes:
                self.end_idle()
            if self._room(limits) < plan.workers_bytes:
                return "waiting for another job to give its memory back"
            promised = self._promised()
            taken = sum(worker.share_bytes for worker in reading.workers)
            ahead = reading.machine.used_bytes + max(0, promised - taken) + plan.workers_bytes
            if ahead > limits.kill * reading.machine.limit_bytes:
                free = reading.machine.limit_bytes - reading.machine.used_bytes
                return (
                    f"waiting for memory: {plan.workers_bytes / MB:.0f} MB are needed and "
                    f"{free / MB:.0f} MB are free on this computer"
                )
            self._plans[job_id] = plan
            self._peaks[job_id] = reading.total_bytes
            return ""

    def _promised(self) -> int:
        return sum(plan.workers_bytes for plan in self._plans.values())

    def _room(self, limits: Limits) -> int:
        """Return the bytes of the budget that nobody was promised."""
        kept = sum(memory.resident_bytes(w.pid) for _, w in self._idle if w.pid)
        return limits.plan_bytes - base_bytes() - self._promised() - kept

    def amend(self, job_id: str, plan: Plan) -> None:
        """Keep room for what a job needs now that more is known of it."""
        with self._lock:
            self._plans[job_id] = plan

    def release(self, job_id: str) -> int:
        """Give up a job's room; return the most that the program took meanwhile, in bytes."""
        with self._lock:
            self._plans.pop(job_id, None)
            return self._peaks.pop(job_id, 0)

    @property
    def busy_cores(self) -> int:
        """How many processors the running jobs have."""
        with self._lock:
            return sum(plan.cores for plan in self._plans.values())

    # -- workers -------------------------------------------------------------------------------

    def worker(self, name: str, job_id: str = "", limit_bytes: int = 0) -> Worker:
        """Return a new worker, within the limits that the settings state."""
        cores = memory.work_cores(self.settings.work_cores)
        worker = Worker(name, limit_bytes, self.settings.hang_seconds, cores)
        worker.job = job_id
        self._own.add(worker)
        return worker

    @contextmanager
    def transcriber(self, model: object, job_id: str) -> Iterator[Worker]:
        """Give the idle worker that keeps a model, else a new one; it is kept afterwards."""
        with self._lock:
            kept = next((pair for pair in self._idle if pair[0] == model), None)
            if kept:
                self._idle.remove(kept)
        worker = kept[1] if kept else self.worker("transcription")
        worker.job = job_id
        try:
            yield worker
        finally:
            worker.job = ""
            if worker.pid:
                with self._lock:
                    self._idle.append((model, worker))
                if self._ending.is_set() or not governor.admits(self.level):
                    self.end_idle()

    def end_idle(self, seconds: float = 0.0) -> int:
        """End workers that have been idle for so long; return how many."""
        with self._lock:
            old = [p for p in self._idle if time.monotonic() - p[1].last_used >= seconds]
            self._idle = [pair for pair in self._idle if pair not in old]
        return sum(worker.stop_if_idle() for _, worker in old)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _changed() -> float:
    try:
        return config_file().stat().st_mtime
    except OSError:
        return 0.0


def free_memory(store: Store, settings: Settings) -> Freed:
    """End idle workers of this process, clear the cache, trim the heap; say what came back."""
    before = memory.own_bytes()
    ended = sum(worker.stop_if_idle() for worker in workers.live())
    entries, _ = Cache(store, settings).clear()
    watcher.end_trackers()
    memory.collect()
    freed = Freed(max(0, before - memory.own_bytes()), ended, entries)
    Journal(store.database, this_process()).add_event(
        "freed", "normal", f"{freed.bytes / MB:.0f} MB given back on request"
    )
    return freed
