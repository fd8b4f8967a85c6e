"""What the jobs of one process share: library, settings, workers, and the budget they keep."""

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from transcrevai_core import governor, memory, watcher, workers
from transcrevai_core.budget import HEADROOM, Plan, base_bytes
from transcrevai_core.cache import Cache
from transcrevai_core.errors import TranscrevaiError, WorkerDied
from transcrevai_core.forecast import Shape
from transcrevai_core.governor import Decision, Limits
from transcrevai_core.journal import EventKind, Journal, Level, Run
from transcrevai_core.memory import MB, Reading
from transcrevai_core.processes import this_process
from transcrevai_core.settings import Settings, config_file, load_settings
from transcrevai_core.store import Store
from transcrevai_core.workers import Worker

log = logging.getLogger(__name__)

Key = tuple[str, str, int]

RUNNING: weakref.WeakSet["Program"] = weakref.WeakSet()  # those of this process
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
        self._idle: list[tuple[Key, Worker]] = []  # that keep a model
        self._last: Reading | None = None
        self._own: weakref.WeakSet[Worker] = weakref.WeakSet()
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._config = _changed()
        self._thread = threading.Thread(target=self._run, name="governor", daemon=True)

    def __enter__(self) -> "Program":
        self._thread.start()
        RUNNING.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        RUNNING.discard(self)
        self._ending.set()  # from now on jobs are left, to go on another time
        self._thread.join(timeout=10)
        for worker in list(self._own):
            worker.stop()

    @property
    def ending(self) -> bool:
        """Whether the program is about to end."""
        return self._ending.is_set()

    @property
    def limits(self) -> Limits:
        """What the settings allow."""
        return governor.limits_of(self.settings)

    # -- the governor --------------------------------------------------------------------------

    def _run(self) -> None:
        with suppress(TranscrevaiError), self.store.database.read() as db:
            # what this thread has to write can be lost; what it has to do cannot wait
            db.execute("PRAGMA busy_timeout = 1000")
        while not self._ending.wait(EVERY):
            try:
                self._reread()
                if self._plans or workers.live():
                    self.look()
                self.end_idle(self.settings.model_idle_seconds)
            except Exception:  # a full disk, say: memory must be watched all the same
                log.exception("the governor stumbled")

    def look(self) -> Reading:
        """Read, decide and act; then write down what was seen and done."""
        reading, limits = self._read(), self.limits
        with self._lock:
            decision = governor.decide(reading, limits, self.level)
            self.level, self.cause, self._last = decision.level, decision.cause, reading
        # a database that is busy must not hold up what gives memory back
        done = self._act(decision)
        if decision.changed:
            self.event("level", f"{decision.level.capitalize()}: {decision.cause}")
        for what in done:
            self.event("action", f"{what}: {decision.cause}")
        try:
            self.journal.add_reading(reading, decision.level, limits.budget_bytes)
        except TranscrevaiError as error:
            log.warning("a reading was not kept: %s", error)
        return reading

    def _act(self, decision: Decision) -> list[str]:
        """Do what was decided, and say what was done."""
        done = []
        for worker in workers.live():
            if decision.kill is not None and worker.pid == decision.kill:
                worker.kill(
                    WorkerDied(
                        f"The {worker.name} worker was ended because {decision.cause}; a smaller "
                        "model, or fewer programs beside this one, would be right.",
                        "memory",
                    )
                )
                done.append(f"The {worker.name} worker was ended")
        if decision.end_idle and (ended := self.end_idle()):
            done.append(f"{ended} idle workers ended" if ended > 1 else "1 idle worker ended")
        if decision.shrink_caches:
            try:
                if gone := Cache(self.store, self.settings).shrink():
                    left = f"{gone} entries left the cache"
                    done.append(left if gone > 1 else "1 entry left the cache")
            except (TranscrevaiError, OSError) as error:
                log.warning("the cache could not shrink: %s", error)
        return done

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
        reading = self._last
        if reading is None or time.time() - reading.time > EVERY:
            reading = self.look()
        with self._lock:
            limits = self.limits
            others = [other for key, other in self._plans.items() if key != job_id]
            promised = sum(other.workers_bytes for other in others)
            if not governor.admits(self.level):
                return f"waiting for memory: {self.cause}"
            busy = sum(other.cores for other in others)
            if others and busy + plan.cores > memory.work_cores(self.settings.work_cores):
                return "waiting for a processor"
            room = limits.plan_bytes - base_bytes() - promised - self._beside()
            if self._with_idle(plan) > room:
                self.end_idle()
                room = limits.plan_bytes - base_bytes() - promised - self._beside()
            if self._with_idle(plan) > room:
                return "waiting for another job to give its memory back"
            taken = sum(worker.share_bytes for worker in reading.workers)
            ahead = reading.machine.used_bytes + max(0, promised - taken) + plan.workers_bytes
            if ahead > limits.kill * reading.machine.limit_bytes:
                free = reading.machine.limit_bytes - reading.machine.used_bytes
                return (
                    f"waiting for memory: {plan.workers_bytes / MB:.0f} MB are needed and "
                    f"{free / MB:.0f} MB are free on this computer"
                )
            self._plans[job_id] = plan
            return ""

    def _beside(self) -> int:
        """Return what workers take, or were promised, that work for no job: the laboratory's."""
        beside = ((w, w.pid) for w in workers.live() if w not in self._own)
        return sum(max(memory.share_bytes(pid), w.promised_bytes) for w, pid in beside if pid)

    def _with_idle(self, plan: Plan) -> int:
        """Return what a job would need beside the idle workers, of which it takes one over."""
        key = key_of(plan.shape)
        kept = [(k, memory.resident_bytes(worker.pid or 0)) for k, worker in self._idle]
        whole = sum(resident for _, resident in kept)
        mine = next((resident for k, resident in kept if k == key), 0)
        before = [need.bytes for stage, need in plan.needs.items() if stage != "transcription"]
        # until its turn comes, the model lies beside what the stages before it need
        return whole - mine + max(plan.workers_bytes, mine + max(before, default=0))

    def amend(self, job_id: str, plan: Plan) -> None:
        """Keep less room for a job, now that more is known of it."""
        with self._lock:
            if job_id in self._plans:
                self._plans[job_id] = plan

    def release(self, job_id: str) -> None:
        """Give up a job's room."""
        with self._lock:
            self._plans.pop(job_id, None)

    # -- workers -------------------------------------------------------------------------------

    def worker(self, name: str, job_id: str = "", limit_bytes: int = 0) -> Worker:
        """Return a new worker, within the limits that the settings state."""
        cores = memory.work_cores(self.settings.work_cores)
        worker = Worker(name, limit_bytes, self.settings.hang_seconds, cores)
        worker.job = job_id
        self._own.add(worker)
        return worker

    @contextmanager
    def transcriber(self, shape: Shape, job_id: str, limit_bytes: int = 0) -> Iterator[Worker]:
        """Give the idle worker that keeps a shape's model, else a new one; it is kept after."""
        key = key_of(shape)
        with self._lock:
            kept = next((pair for pair in self._idle if pair[0] == key), None)
            if kept:
                self._idle.remove(kept)
        worker = kept[1] if kept else self.worker("transcription")
        # what other beams made of it may be more than this job was promised
        if limit_bytes and memory.resident_bytes(worker.pid or 0) > HEADROOM * limit_bytes:
            worker.stop()
        worker.cores = max(worker.cores, shape.threads)
        worker.job, worker.limit_bytes = job_id, limit_bytes
        try:
            yield worker
        finally:
            worker.job = ""
            with self._lock:
                self._idle.append((key, worker))
            if not worker.pid or self.ending or not governor.admits(self.level):
                self.end_idle()

    def end_idle(self, seconds: float = 0.0) -> int:
        """End workers that have been idle for so long; return how many."""
        with self._lock:
            now, rest = time.monotonic(), [p for p in self._idle if not p[1].busy]
            old = [pair for pair in rest if now - pair[1].last_used >= seconds]
            self._idle = [pair for pair in self._idle if pair not in old]
        beside = [] if seconds else [worker for worker in workers.live() if worker not in self._own]
        return sum(worker.stop_if_idle() for worker in [*(pair[1] for pair in old), *beside])


def key_of(shape: Shape) -> Key:
    """Tell which worker's model a shape can be done with: the model, its numbers, its threads."""
    return shape.model, shape.compute_type, shape.threads


def _changed() -> float:
    try:
        return config_file().stat().st_mtime
    except OSError:
        return 0.0


def free_memory(store: Store, settings: Settings) -> Freed:
    """End idle workers of this process, clear the cache, trim the heap; say what came back."""
    before = memory.own_bytes()
    ended = sum(worker.stop_if_idle() for worker in workers.live() if not worker.job)
    entries, _ = Cache(store, settings).clear()
    watcher.end_trackers()
    memory.collect()
    freed = Freed(max(0, before - memory.own_bytes()), ended, entries)
    Journal(store.database, this_process()).add_event(
        "freed", "normal", f"{freed.bytes / MB:.0f} MB given back on request"
    )
    return freed
