"""What the jobs of one process share: library, settings, workers, and the budget they keep."""

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from transcrevai_core import workers
from transcrevai_core.codes import Cause, Stage, worker_name
from transcrevai_core.errors import TranscrevaiError, WorkerDied
from transcrevai_core.library.cache import Cache
from transcrevai_core.library.journal import EventKind, Journal, Run
from transcrevai_core.library.store import Store
from transcrevai_core.memory import levels, readings
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.memory.levels import Decision, Level, Limits
from transcrevai_core.memory.plan import HEADROOM, Plan
from transcrevai_core.memory.readings import MB, Reading
from transcrevai_core.messages import NOTHING, Message
from transcrevai_core.settings import Settings, config_file, load_settings
from transcrevai_core.workers import admission
from transcrevai_core.workers.processes import this_process
from transcrevai_core.workers.worker import Worker

log = logging.getLogger(__name__)

Key = tuple[str, str, int]

RUNNING: weakref.WeakSet["Governor"] = weakref.WeakSet()  # those of this process
EVERY = 0.5  # seconds between two readings while something runs


class Governor:
    """The governor of one process: it reads memory, decides and acts while jobs run.

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
        self.cause = NOTHING
        self._read = read
        self._keys: set[str] = set()  # under which room was kept
        self._idle: list[tuple[Key, Worker]] = []  # that keep a model
        self._last: Reading | None = None
        self._raised: list[Message] = []  # limits, in a thread that must not wait to tell it
        self._own: weakref.WeakSet[Worker] = weakref.WeakSet()
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._config = _config_time()
        self._thread = threading.Thread(target=self._run, name="governor", daemon=True)

    def __enter__(self) -> "Governor":
        self._thread.start()
        RUNNING.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        RUNNING.discard(self)
        self._ending.set()  # from now on jobs are left, to go on another time
        self._thread.join(timeout=10)
        for worker in list(self._own):
            worker.stop()
        for key in list(self._keys):
            self.release(key)

    @property
    def ending(self) -> bool:
        """Whether the program is about to end."""
        return self._ending.is_set()

    @property
    def limits(self) -> Limits:
        """What the settings allow."""
        return levels.limits_of(self.settings)

    # -- the governor --------------------------------------------------------------------------

    def _run(self) -> None:
        with suppress(TranscrevaiError), self.store.database.read() as db:
            # what this thread has to write can be lost; what it has to do cannot wait
            db.execute("PRAGMA busy_timeout = 1000")
        while not self._ending.wait(EVERY):
            try:
                self._reload_settings()
                if admission.kept() or workers.live():
                    self.check()
                self.end_idle(self.settings.model_idle_seconds)
            except Exception:  # a full disk, say: memory must be watched all the same
                log.exception("the governor stumbled")

    def check(self) -> Reading:
        """Read, decide and act; then write down what was seen and done."""
        reading, limits = self._read(), self.limits
        with self._lock:
            decision = levels.decide(reading, limits, self.level)
            self.level, self.cause, self._last = decision.level, decision.cause, reading
        # a database that is busy must not hold up what gives memory back
        done = self._carry_out(decision)
        if decision.changed:
            self.event("level", decision.cause)
        raised, self._raised = self._raised, []
        for what in [*done, *raised]:
            self.event("action", what)
        try:
            self.journal.add_reading(reading, decision.level, limits.budget_bytes)
        except TranscrevaiError as error:
            log.warning("a reading was not kept: %s", error)
        return reading

    def _carry_out(self, decision: Decision) -> list[Message]:
        """Do what was decided, and say what was done."""
        done, cause = [], decision.cause
        for worker in workers.live():
            if decision.kill is not None and worker.pid == decision.kill:
                worker.kill(
                    WorkerDied(
                        "The {worker} worker was ended because {reason:part}; a smaller "
                        "model, or fewer programs beside this one, would be right.",
                        "memory",
                        worker=worker_name(worker.name),
                        reason=cause,
                    )
                )
                done.append(Cause.WORKER_ENDED(worker=worker_name(worker.name), cause=cause))
        if decision.end_idle and (ended := self.end_idle()):
            many = Cause.IDLE_WORKERS_ENDED(number=ended, cause=cause)
            done.append(many if ended > 1 else Cause.IDLE_WORKER_ENDED(cause=cause))
        if decision.shrink_caches:
            try:
                if gone := Cache(self.store, self.settings).shrink():
                    many = Cause.CACHE_ENTRIES_LEFT(number=gone, cause=cause)
                    done.append(many if gone > 1 else Cause.CACHE_ENTRY_LEFT(cause=cause))
            except (TranscrevaiError, OSError) as error:
                log.warning("the cache could not shrink: %s", error)
        return done

    def _reload_settings(self) -> None:
        """Take on settings that were changed while the program runs."""
        if (now := _config_time()) != self._config:
            self._config = now
            try:
                self.settings = load_settings(home=self.settings.home)
            except TranscrevaiError as error:
                log.warning("the changed settings cannot be used: %s", error)

    def event(self, kind: EventKind, cause: Message, job_id: str = "") -> None:
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

    def admit(self, job_id: str, plan: Plan) -> Message:
        """Keep room for a job; return `NOTHING`, or what it has to wait for."""
        reason = self._request(job_id, plan)
        if reason.code is Stage.WAITING_FOR_JOB and self.end_idle():
            reason = self._request(job_id, plan)
        return reason

    def _request(self, job_id: str, plan: Plan) -> Message:
        reading = self._last
        if reading is None or time.time() - reading.time > EVERY:
            reading = self.check()
        key, needed = key_of(plan.shape), plan.workers_bytes
        with self._lock:
            mine = next((worker for k, worker in self._idle if k == key and worker.pid), None)
        if mine:  # until its turn comes, the model lies beside what the stages before it need
            before = [need.bytes for stage, need in plan.needs.items() if stage != "transcription"]
            taken = readings.share_bytes(mine.pid or 0)
            needed = max(needed, taken + max(before, default=0))
        reason = admission.request(
            job_id,
            needed,
            self.limits,
            reading,
            state=self.level,
            cores=plan.cores,
            most_cores=readings.work_cores(self.settings.work_cores),
            own=mine,
        )
        if not reason:
            self._keys.add(job_id)
        return reason

    def amend(self, job_id: str, plan: Plan) -> None:
        """Keep less room for a job, now that more is known of it."""
        admission.amend(job_id, plan.workers_bytes, plan.cores)

    def release(self, job_id: str) -> None:
        """Give up a job's room."""
        self._keys.discard(job_id)
        admission.release(job_id)

    # -- workers -------------------------------------------------------------------------------

    def worker(
        self, name: str, job_id: str = "", limit_bytes: int = 0, *, room: str = ""
    ) -> Worker:
        """Return a new worker, within the limits that the settings state.

        It is in the room that was admitted for its job, or else under the key `room`.
        """
        cores = readings.work_cores(self.settings.work_cores)
        worker = Worker(name, limit_bytes, self.settings.hang_seconds, cores)
        worker.job, worker.room = job_id, job_id or room
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
        if limit_bytes and readings.resident_bytes(worker.pid or 0) > HEADROOM * limit_bytes:
            worker.stop()
        worker.cores = max(worker.cores, shape.threads)
        worker.job, worker.room, worker.limit_bytes = job_id, job_id, limit_bytes
        worker.grow = lambda taken: self._grow(worker, taken)
        try:
            yield worker
        finally:
            worker.job = worker.room = ""
            with self._lock:
                self._idle.append((key, worker))
            if not worker.pid or self.ending or not levels.admits(self.level):
                self.end_idle()

    def _grow(self, worker: Worker, taken: int) -> int:
        """Return a higher limit for a worker that needs more than was forecast; 0 for none."""
        before, limit = worker.limit_bytes, 0
        if self.level == "normal" and (limit := admission.raised(worker, taken, self.limits)):
            name, sizes = worker_name(worker.name), {"before": before / MB, "limit": limit / MB}
            self._raised.append(Cause.LIMIT_RAISED(worker=name, **sizes))
        return limit

    def end_idle(self, seconds: float = 0.0) -> int:
        """End workers that have been idle for so long; return how many."""
        with self._lock:
            now, rest = time.monotonic(), [p for p in self._idle if not p[1].busy]
            old = [pair for pair in rest if now - pair[1].last_used >= seconds]
            self._idle = [pair for pair in self._idle if pair not in old]
        ended = sum(worker.stop_if_idle() for _, worker in old)
        return ended if seconds else ended + admission.end_idle()


def key_of(shape: Shape) -> Key:
    """Tell which worker's model a shape can be done with: the model, its numbers, its threads."""
    return shape.model, shape.compute_type, shape.threads


def _config_time() -> float:
    try:
        return config_file().stat().st_mtime
    except OSError:
        return 0.0
