"""Isolated worker processes on loky: call, watch, kill.

One worker is one process with one task at a time. Whatever happens in it (a crash in native
code, the kernel's killer) reaches the caller as an exception; the program goes on.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from transcrevai_core.errors import Cancelled, WorkerDied
from transcrevai_core.processes import is_alive, this_process

T = TypeVar("T")

_reports: Connection | None = None  # in a worker: the way back to its caller


def report(event: Any) -> None:
    """In a worker: send `event` to whoever called; elsewhere nothing happens."""
    if _reports is not None:
        _reports.send(event)


def _begin(reports: Connection, parent: str) -> None:
    """Initialise a worker process."""
    global _reports
    _reports = reports
    from joblib.externals.loky import process_executor
    from tqdm import tqdm

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    # loky would replace a worker that grew by 300 MB, model and all, and warn about it; how much
    # a worker may hold is ours to say
    process_executor._USE_PSUTIL = False
    # tqdm's own lock is a semaphore of the system, which a killed worker would leave behind
    tqdm.set_lock(threading.RLock())
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: str) -> None:
    """End this process when its parent has died, however it died."""
    # PR_SET_PDEATHSIG would fire when the submitting thread ends, and exists on Linux only
    while is_alive(parent):
        time.sleep(1)
    os._exit(1)


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from processes that start here, which inherit what is blocked."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Worker:
    """One worker process, started at its first call and again after a death."""

    def __init__(self, name: str):
        self.name = name
        self.last_used = time.monotonic()
        self._executor: Any = None
        self._events: Connection | None = None

    @property
    def pid(self) -> int | None:
        """The process number while the process runs."""
        processes = self._executor._processes if self._executor else {}
        return next(iter(processes), None)

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
        ended, TimeoutError where it reported nothing for `silence_seconds`, and whatever the
        function raised.
        """
        from joblib.externals.loky.process_executor import BrokenProcessPool

        executor, events = self._start()
        heard = time.monotonic()
        try:
            with _no_interrupts():  # the first submission starts the process
                future = executor.submit(function, *args)
            while True:
                done = wait([future], timeout=0.1).done
                while events.poll():
                    on_event(events.recv())
                    heard = time.monotonic()
                if done:
                    return future.result()
                if should_stop():
                    self.stop()
                    raise Cancelled("The job was cancelled.")
                if silence_seconds is not None and time.monotonic() - heard > silence_seconds:
                    self.stop()
                    raise TimeoutError(f"{self.name} was silent for {silence_seconds:.0f} s")
        except BrokenProcessPool as error:
            self.stop()
            raise WorkerDied(
                f"The {self.name} worker ended unexpectedly; a lighter model or shorter chunks "
                "may help if it happens again."
            ) from error
        finally:
            self.last_used = time.monotonic()

    def _start(self) -> tuple[Any, Connection]:
        if self._executor is None or self._events is None:
            from multiprocessing import Pipe

            from joblib.externals.loky import ProcessPoolExecutor

            self._events, reports = Pipe(duplex=False)
            self._executor = ProcessPoolExecutor(
                max_workers=1,
                initializer=_begin,
                initargs=(reports, this_process()),
                # without PASSIVE, OpenMP threads on busy cores spin instead of waiting
                env={"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"},
            )
        return self._executor, self._events

    def stop(self) -> None:
        """End the process at once and free all that it held; the next call starts a new one."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)
        if self._events is not None:
            self._events.close()
            self._events = None
