"""Isolated worker processes on loky: call, watch, kill.

One worker is one process with one task at a time. Whatever happens in it (a crash in native
code, a hang, more memory than it may have, the kernel's killer) reaches the caller as a
WorkerDied; the program goes on.
"""

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, wait
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from transcrevai_core.codes import worker_name
from transcrevai_core.errors import Cancelled, WorkerDied
from transcrevai_core.memory import readings
from transcrevai_core.workers import child, processes, watcher

T = TypeVar("T")

# RLIMIT_DATA stands behind the watcher, for a leap between two of its looks; stacks of threads and
# arenas of the allocator, of which little is ever resident, count as data too, and the 400 MB that
# CTranslate2 4.8 sets aside on some processors
BACKSTOP, _RESERVED_BYTES = 1.3, 500 * readings.MB

_ENVIRONMENT = {
    # without PASSIVE, OpenMP threads on busy cores spin instead of waiting
    "OMP_WAIT_POLICY": "PASSIVE",
    "OMP_NUM_THREADS": "1",
    # glibc: one heap that is used again, instead of one for each thread
    "MALLOC_ARENA_MAX": "1",
}


def _loky() -> Any:
    """Return loky, imported when it is first needed, by whatever thread.

    From the top down: whoever comes second waits until the whole of joblib is there. Two threads
    that each import a part of it wait for each other, and Python breaks that up by giving out a
    module that is half made.
    """
    import joblib  # noqa: F401
    from joblib.externals import loky

    return loky


class Worker:
    """One worker process, started at its first call and again after a death.

    `limit_bytes` is the resident memory it may have, 0 for any, and may change between calls. It
    is taken for hung after `hang_seconds` without a sign of life, or after `stall_seconds` in
    which it neither reported nor used a processor, nor waited for one. `cores` bounds the
    processors it may use.
    """

    start_seconds = 120.0  # until its first sign of life: a cold disk may be slow
    stall_seconds = 120.0

    def __init__(
        self, name: str, limit_bytes: int = 0, hang_seconds: float = 30.0, cores: int = 64
    ):
        self.name = name
        self.limit_bytes = limit_bytes
        self.hang_seconds = hang_seconds
        self.cores = cores
        self.grow: Callable[[int], int] = lambda taken: 0  # a higher limit, where there is room
        self.job = ""  # on whose behalf it works
        self.room = uuid.uuid4().hex  # the key of the room that it is in, where that is kept
        self.restarts = 0
        self.last_used = self.heard = time.monotonic()
        self.peak_bytes = 0
        self.least_bytes = 0  # that it would have needed, where its limit ended it
        self._busy = threading.Lock()
        self._executor: Any = None
        self._events: Connection | None = None
        self._death: WorkerDied | None = None  # why it was killed, where that was for a reason
        self._seen_bytes = 0

    @property
    def pid(self) -> int | None:
        """The process number while the process runs."""
        executor = self._executor
        # loky's own thread changes this mapping, and takes it away in the end
        return next(iter(tuple(getattr(executor, "_processes", None) or ())), None)

    @property
    def busy(self) -> bool:
        """Whether a task is in hand."""
        return self._busy.locked()

    def call(
        self,
        function: Callable[..., T],
        *args: Any,
        on_event: Callable[[Any], None] = lambda event: None,
        should_stop: Callable[[], bool] = lambda: False,
        silence_seconds: float | None = None,
    ) -> T:
        """Run `function(*args)` in the worker and return its result.

        Events that it `report`s go to `on_event` in the caller's thread. Where `should_stop`
        turns true the worker is killed. Raises Cancelled then, WorkerDied where the process
        ended, hung or passed its limit, TimeoutError where it reported nothing for
        `silence_seconds`, and whatever else the function raised.
        """
        with self._busy:
            try:
                return self._call(function, args, on_event, should_stop, silence_seconds)
            finally:
                self.last_used = time.monotonic()
                self.check_memory()

    def _call(
        self,
        function: Callable[..., T],
        args: tuple[Any, ...],
        on_event: Callable[[Any], None],
        should_stop: Callable[[], bool],
        silence_seconds: float | None,
    ) -> T:
        executor, events = self._start()
        reported = self.heard = time.monotonic()
        silence = watcher.Silence()
        future: Future[T] | None = None
        try:
            with processes.no_interrupts():  # the first submission starts the process
                future = executor.submit(child.work, function, args)
            self._bound_data()
            while True:
                done = wait([future], timeout=0.05).done
                while events.poll():
                    kind, event = events.recv()
                    self.heard = time.monotonic()
                    silence.reset(kind)
                    if kind == "event":
                        reported = self.heard
                        on_event(event)
                if done:
                    return future.result()
                if should_stop():
                    raise Cancelled("The job was cancelled.")
                if silence_seconds is not None and time.monotonic() - reported > silence_seconds:
                    raise TimeoutError(f"{self.name} was silent for {silence_seconds:.0f} s")
                silence.count(self.pid)
                if self._is_hung(silence):
                    self.kill(self._hung(silence))
        except BaseException as error:  # another thread may have ended the process, in many ways
            broken = isinstance(error, _loky().BrokenProcessPool)
            ended = broken or self._executor is not executor
            if ended or readings.is_out_of_memory(error):
                death = self._death or self._explain(error)
                self.stop()
                raise death from error
            if future is None or not future.done():  # nobody waits for the rest of it
                self.stop()
            raise

    def _start(self) -> tuple[Any, Connection]:
        if self._executor is None or self._events is None:
            loky = _loky()
            watcher.watch(self)  # before anything is made that must be tracked
            self.peak_bytes = self.least_bytes = self._seen_bytes = 0
            self._death = None
            self._events, reports = Pipe(duplex=False)
            self._executor = loky.ProcessPoolExecutor(
                max_workers=1,
                initializer=child.begin,
                initargs=(reports, processes.this_process(), self.cores),
                env=_ENVIRONMENT,
            )
        return self._executor, self._events

    def check_memory(self) -> int:
        """Read the resident bytes, and kill the process where they are over the limit."""
        pid = self.pid
        now = readings.resident_bytes(pid) if pid else 0
        if now:
            self._seen_bytes = now
            self.peak_bytes = max(self.peak_bytes, now)
        if self.limit_bytes and now > self.limit_bytes:
            if (limit := self.grow(now)) > now:
                self.limit_bytes = limit
                self._bound_data()
            else:
                self.kill(self._over_limit())
        return now

    def _bound_data(self) -> None:
        if pid := self.pid:
            most = round(BACKSTOP * self.limit_bytes) + _RESERVED_BYTES
            processes.limit_data(pid, most if self.limit_bytes else 0)

    def reading(self, pid: int, share_bytes: int) -> readings.WorkerReading:
        """Return how the process does."""
        return readings.WorkerReading(
            self.name,
            pid,
            self.busy,
            readings.resident_bytes(pid),
            share_bytes,
            self.peak_bytes,
            self.limit_bytes,
            self.restarts,
            time.monotonic() - self.heard if self.busy else 0.0,
            self.job,
        )

    def kill(self, death: WorkerDied) -> None:
        """Kill the process; whoever waits for its answer gets `death`."""
        if pid := self.pid:
            self._death = self._death or death
            processes.kill(pid)

    def _is_hung(self, silence: watcher.Silence) -> bool:
        most = self.hang_seconds if silence.begun else self.start_seconds
        return silence.silent > most or (silence.begun and silence.idle > self.stall_seconds)

    def _hung(self, silence: watcher.Silence) -> WorkerDied:
        seconds = max(silence.silent, silence.idle)
        return WorkerDied(
            "The {worker} worker hung, with nothing done for {seconds:.0f} s; a lighter model "
            "or shorter chunks may help if it happens again.",
            "silence",
            worker=worker_name(self.name),
            seconds=seconds,
        )

    def _over_limit(self) -> WorkerDied:
        self.least_bytes = self.limit_bytes
        return WorkerDied(
            "The {worker} worker needed more memory than its limit of {limit:.0f} MB; a "
            "lighter model, shorter chunks or a larger budget would be right.",
            "memory",
            worker=worker_name(self.name),
            limit=self.limit_bytes / readings.MB,
        )

    def _explain(self, error: BaseException) -> WorkerDied:
        """Say why the process ended that nobody here killed."""
        # at a limit of the system native code crashes in many ways, and none of them says why
        near = self.limit_bytes and self._seen_bytes > 0.8 * self.limit_bytes
        if near or readings.is_out_of_memory(error):
            return self._over_limit()
        return WorkerDied(
            "The {worker} worker ended unexpectedly; a lighter model or shorter chunks may "
            "help if it happens again.",
            worker=worker_name(self.name),
        )

    def reset_peak(self) -> None:
        """Let `peak_bytes` tell of what comes from now on."""
        self.peak_bytes = 0
        if pid := self.pid:
            readings.reset_peak_of(pid)

    def read_peak(self) -> int:
        """Return the most resident bytes since `reset_peak`, as the system or the watcher saw."""
        pid = self.pid
        self.peak_bytes = max(self.peak_bytes, readings.peak_bytes(pid) if pid else 0)
        return self.peak_bytes

    def stop_if_idle(self) -> bool:
        """End the process unless it has a task; tell whether there was one to end."""
        if self._executor is None or not self._busy.acquire(blocking=False):
            return False
        try:
            self.stop()
            return True
        finally:
            self._busy.release()

    def stop(self) -> None:
        """End the process at once and free all that it held; the next call starts a new one."""
        executor, self._executor = self._executor, None
        if executor is not None:
            watcher.unwatch(self)
            executor.shutdown(wait=True, kill_workers=True)
        events, self._events = self._events, None  # another thread may stop it as well
        if events is not None:
            events.close()


def live() -> list[Worker]:
    """Return the workers of this program that have a process."""
    return [worker for worker in watcher.watched() if isinstance(worker, Worker)]


def take_reading() -> readings.Reading:
    """Read the machine, this program and its workers as they are now."""
    shares = readings.own_shares()
    of_workers = [
        worker.reading(pid, shares.get(pid, 0)) for worker in live() if (pid := worker.pid)
    ]
    return readings.Reading(
        time.time(), readings.machine(), sum(shares.values()), tuple(of_workers)
    )
