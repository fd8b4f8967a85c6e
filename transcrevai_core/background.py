"""Long work beside whoever draws it: how far it is, how it ends, and what came of it."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from transcrevai_core.errors import Cancelled, TranscrevaiError
from transcrevai_core.texts import mark

log = logging.getLogger(__name__)


def explain(error: BaseException) -> str:
    """Say why work ended; what is no error of ours is a fault, of which the log has the rest."""
    if isinstance(error, TranscrevaiError):
        return str(error)
    said = mark("An unexpected fault ended the work ({kind}: {error}).")
    return said.format(kind=type(error).__name__, error=error)


class Task(threading.Thread):
    """A call in a thread of its own, begun at once.

    The call is given the task: it tells how far it is, and asks whether it is to stop.
    """

    def __init__(self, call: Callable[["Task"], Any]):
        super().__init__(daemon=True)
        self.stage = ""
        self.share = 0.0  # done, 0 to 1
        self.begun = time.time()
        self._call = call
        self._cancelled = threading.Event()
        self._answer: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Make the call."""
        try:
            self._answer = self._call(self)
        except BaseException as error:
            self._error = error
            if not isinstance(error, TranscrevaiError):
                log.error("work in the background failed", exc_info=error)

    def tell(self, stage: str, share: float) -> None:
        """Take down how far it is: the stage in English, and the share done (0 to 1)."""
        self.stage, self.share = stage, share

    def cancel(self) -> None:
        """Ask for the end."""
        self._cancelled.set()

    def stops(self) -> bool:
        """Tell whether someone has asked for the end."""
        return self._cancelled.is_set()

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.time() - self.begun

    @property
    def left(self) -> float | None:
        """Seconds that remain, guessed by what is done; None at the beginning."""
        return None if self.share < 0.02 else self.elapsed * (1 - self.share) / self.share

    @property
    def error(self) -> str:
        """One sentence where it failed; empty where it goes on, came to its end or was cancelled.

        The log has the rest of a fault.
        """
        error = self._error
        return "" if error is None or isinstance(error, Cancelled) else explain(error)

    def result(self) -> Any:
        """Wait for the answer and return it, or raise what the call raised."""
        self.join()
        if self._error:
            raise self._error
        return self._answer
