"""A call in a thread of its own, whose end and answer can be asked for."""

import threading
from collections.abc import Callable
from typing import Any


class Background(threading.Thread):
    """A call in a thread of its own, so that whoever made it can draw and hear of a cancel."""

    def __init__(self, call: Callable[[], Any]):
        super().__init__(daemon=True)
        self.call = call
        self.answer: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Make the call."""
        try:
            self.answer = self.call()
        except BaseException as error:
            self.error = error

    def result(self) -> Any:
        """Wait for the answer and return it, or raise what the call raised."""
        self.join()
        if self.error:
            raise self.error
        return self.answer
