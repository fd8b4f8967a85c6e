"""What every worker process runs around its tasks: reports, signs of life, and its end."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from transcrevai_core.workers import processes

T = TypeVar("T")

BEAT_SECONDS = 1.0
BEAT = ("beat", None)

_reports: Connection | None = None  # the way back to the caller
_sending = threading.Lock()
_working = False


def report(event: Any) -> None:
    """In a worker: send `event` to whoever called; elsewhere nothing happens."""
    _send("event", event)


def begin(reports: Connection, parent: str, cores: int) -> None:
    """Initialise a worker process, for the first `cores` processors."""
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
    processes.limit_cpu(cores)
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    threading.Thread(target=_beat, daemon=True).start()


def work(function: Callable[..., T], args: tuple[Any, ...]) -> T:
    """Do a task, with signs of life from its first moment."""
    global _working
    _working = True
    try:
        _send(*BEAT)
        return function(*args)
    finally:
        _working = False


def _send(kind: str, event: Any) -> None:
    if _reports is not None:
        with _sending:
            _reports.send((kind, event))


def _beat() -> None:
    while True:
        time.sleep(BEAT_SECONDS)
        if _working:  # nobody listens otherwise, and the pipe would fill up
            with suppress(OSError):  # the caller has gone
                _send(*BEAT)


def _end_with_parent(parent: str) -> None:
    """End this process when its parent has died, however it died."""
    # PR_SET_PDEATHSIG would fire when the submitting thread ends, and exists on Linux only
    while processes.is_alive(parent):
        time.sleep(1)
    os._exit(1)
