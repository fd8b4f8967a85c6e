"""How long a job was worked on, without what it waited: for memory, a restart or a download."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Counts seconds of work; begins at once.

    A thread of the job does not work while it is `paused`; the job does not while all of them are.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._own = threading.local()
        self._begun = self._since = time.monotonic()
        self._threads, self._paused = 1, 0
        self._idle = 0.0  # seconds, up to `_since`

    def seconds(self) -> float:
        """Return how long the job was worked on."""
        with self._lock:
            now = time.monotonic()
            return now - self._begun - self._idle_until(now)

    def mine(self) -> float:
        """Return a moment, in seconds: between two of them the calling thread worked so long."""
        return time.monotonic() - float(getattr(self._own, "paused", 0.0))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Count nothing for the calling thread while the body waits."""
        if getattr(self._own, "pauses", False):
            yield
            return
        self._own.pauses, begun = True, time.monotonic()
        self._change(paused=1)
        try:
            yield
        finally:
            self._change(paused=-1)
            before = getattr(self._own, "paused", 0.0)
            self._own.pauses, self._own.paused = False, before + time.monotonic() - begun

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Count the body as the work of one more thread."""
        self._change(threads=1)
        try:
            yield
        finally:
            self._change(threads=-1)

    def _change(self, threads: int = 0, paused: int = 0) -> None:
        with self._lock:
            now = time.monotonic()
            self._idle, self._since = self._idle_until(now), now
            self._threads += threads
            self._paused += paused

    def _idle_until(self, now: float) -> float:
        return self._idle + (now - self._since if self._paused >= self._threads else 0.0)
