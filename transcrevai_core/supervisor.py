"""Sees to it that a runner works while the server does, and says why where none can."""

import logging
import threading
from collections.abc import Callable

from transcrevai_core.background import explain
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.jobs import Runner

log = logging.getLogger(__name__)

EVERY = 2.0  # seconds between two looks
_current: "Supervisor | None" = None


class Supervisor:
    """Begins a runner as soon as that can be, and another one where it died.

    `begin` returns one that has begun to work, or raises. `reason` is one sentence that says why
    nobody works; it is empty where a runner does.
    """

    def __init__(self, begin: Callable[[], Runner]):
        self.reason = ""
        self._begin = begin
        self._runner: Runner | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Begin; the first page already knows whether a runner could."""
        global _current
        _current = self
        self._look()
        self._thread.start()

    def stop(self) -> None:
        """End the runner; jobs in hand go on at the next start."""
        global _current
        _current = None
        self._ending.set()
        self._thread.join(timeout=10)
        if self._runner:
            self._runner.stop()

    def _run(self) -> None:
        while not self._ending.wait(EVERY):
            self._look()

    def _look(self) -> None:
        reason = self.reason
        if self._runner is None:
            try:
                self._runner = self._begin()  # whether it can go on is seen at the next look
            except Exception as error:
                reason = explain(error)
                unforeseen = not isinstance(error, TranscrevaiError)
                if unforeseen and reason != self.reason:  # else it stands in the log already
                    log.error("no runner could begin", exc_info=error)
        else:
            task = self._runner.task
            reason = self._runner.fault
            if task and not task.is_alive():
                reason, self._runner = task.error, None
        if reason and reason != self.reason:
            log.error("nobody works on jobs: %s", reason)
        self.reason = reason


def resting() -> str:
    """Say why nobody works on the jobs of this server; empty where someone does."""
    return _current.reason if _current else ""
