"""Watches workers: their memory, in one thread for all; their silence, in the thread of a call.

A worker's resident memory can rise by 100 MB in a tenth of a second, so 25 looks a second; each
takes about 20 microseconds.
"""

import gc
import logging
import sys
import threading
import time
from contextlib import suppress
from typing import Protocol

from transcrevai_core.workers import processes

log = logging.getLogger(__name__)

EVERY = 0.04  # seconds
_TRACKERS = (
    "joblib.externals.loky.backend.resource_tracker",
    "multiprocessing.resource_tracker",
)
# of a processor, which signs of life alone do not use; or of the time in which one was wanted, for
# on a busy machine a worker may get less than that
_BUSY_SHARE, _QUEUED_SHARE = 0.02, 0.5


class Watched(Protocol):
    """What has memory to be watched."""

    def check_memory(self) -> int:
        """Read the resident bytes, and act where they are too many."""


_lock = threading.Lock()
_watched: list[Watched] = []
_thread: threading.Thread | None = None


def watch(worker: Watched) -> None:
    """Watch a worker from now on."""
    global _thread
    with _lock:
        if worker not in _watched:
            _watched.append(worker)
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_watch_all, name="watcher", daemon=True)
            _thread.start()


def unwatch(worker: Watched) -> None:
    """Watch it no more."""
    with _lock:
        if worker in _watched:
            _watched.remove(worker)


def watched() -> list[Watched]:
    """Return those that are watched."""
    with _lock:
        return list(_watched)


def end_trackers() -> None:
    """End the two processes that track semaphores, where no worker needs them; they come again.

    Together they keep nearly 40 MB. Only for a process in which nobody else uses loky.
    """
    with _lock:
        if not _watched:
            gc.collect()  # what they track leaves first
            for name in _TRACKERS:  # where nobody has imported one, there is none to end
                with suppress(KeyError, AttributeError, OSError):
                    sys.modules[name]._resource_tracker._stop()


def _watch_all() -> None:
    global _thread
    blind: set[Watched] = set()  # whose last look failed: it is said once, not 25 times a second
    while True:
        with _lock:
            if not _watched:
                _thread = None
                return
            workers = list(_watched)
        for worker in workers:
            try:
                worker.check_memory()
                blind.discard(worker)
            except Exception:  # of one worker; the others must be looked at all the same
                if worker not in blind:
                    blind.add(worker)
                    log.exception("a worker's memory cannot be read; it is looked at on")
        blind.intersection_update(workers)
        time.sleep(EVERY)


class Silence:
    """How long a worker has been silent, counted in looks, which a sleeping computer stops too.

    `begun` says whether it has given a first sign of life; `silent` is seconds without one,
    `idle` seconds without progress: no event, no processor time, and no wish for any.
    """

    def __init__(self) -> None:
        self.begun = False
        self.silent = self.idle = 0.0
        self._looked = time.monotonic()
        self._used = self._queued = 0.0

    def reset(self, kind: str) -> None:
        """Begin anew: there was a beat, or an event, which is progress too."""
        self.begun = True
        self.silent = 0.0
        if kind == "event":
            self.idle = 0.0

    def count(self, pid: int | None) -> None:
        """Count the time since the last look, in which nothing was heard."""
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, 1.0), now
        self.silent += passed
        self.idle += passed
        if not pid or self.idle <= 1:
            return
        if (used := processes.cpu_seconds(pid)) - self._used > _BUSY_SHARE * self.idle:
            self._used, self.idle = used, 0.0
            return
        queued = processes.queued_seconds(pid)
        if queued - self._queued > _QUEUED_SHARE * self.idle:
            self._queued, self.idle = queued, 0.0
        self._queued = min(self._queued, queued)  # threads that end take theirs along
