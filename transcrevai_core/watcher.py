"""One thread that looks at every worker's memory often enough to stop it in time.

A worker's resident memory can rise by 100 MB in a tenth of a second, so 25 looks a second; each
takes about 20 microseconds.
"""

import threading
import time
from typing import Protocol

EVERY = 0.04  # seconds


class Watched(Protocol):
    """What is to be looked at."""

    def see(self) -> int:
        """Look, and act."""


_lock = threading.Lock()
_watched: list[Watched] = []
_thread: threading.Thread | None = None


def watch(worker: Watched) -> None:
    """Look at a worker from now on."""
    global _thread
    with _lock:
        if worker not in _watched:
            _watched.append(worker)
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_look, name="watcher", daemon=True)
            _thread.start()


def leave(worker: Watched) -> None:
    """Look at it no more."""
    with _lock:
        if worker in _watched:
            _watched.remove(worker)


def watched() -> list[Watched]:
    """Return those that are looked at."""
    with _lock:
        return list(_watched)


def _look() -> None:
    global _thread
    while True:
        with _lock:
            if not _watched:
                _thread = None
                return
            workers = list(_watched)
        for worker in workers:
            worker.see()
        time.sleep(EVERY)
