"""Models on their way to this computer, for pages to begin, watch and stop."""

import logging
import threading

from transcrevai_core.errors import Cancelled, TranscrevaiError
from transcrevai_core.models import fetch_model
from transcrevai_core.texts import mark

log = logging.getLogger(__name__)


class Download:
    """One model on its way; it goes on when the page that began it is closed.

    `share` is what is done (0 to 1), `error` one sentence where it failed.
    """

    def __init__(self, name: str, stall_seconds: float):
        self.name = name
        self.share = 0.0
        self.error = ""
        self._stall_seconds = stall_seconds
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"download {name}", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still on its way."""
        return self._thread.is_alive()

    def cancel(self) -> None:
        """End it; what has come is kept, and the next one goes on from there."""
        self._ending.set()

    def _run(self) -> None:
        try:
            fetch_model(
                self.name,
                self._stall_seconds,
                on_progress=self._progress,
                should_stop=self._ending.is_set,
            )
        except Cancelled:
            pass
        except TranscrevaiError as error:
            self.error = str(error)
        except Exception as error:
            log.exception("the model %s was not downloaded", self.name)
            said = mark("The download ended with a fault ({kind}).")
            self.error = said.format(kind=type(error).__name__)

    def _progress(self, share: float) -> None:
        self.share = share


_begun: dict[str, Download] = {}


def begin(name: str, stall_seconds: float) -> Download:
    """Begin to download a model, unless it is on its way already."""
    known = _begun.get(name)
    if known is None or not known.running:
        known = _begun[name] = Download(name, stall_seconds)
    return known


def take_ended() -> list[Download]:
    """Return the downloads that have ended since this was last asked."""
    ended = [download for download in _begun.values() if not download.running]
    for download in ended:
        del _begun[download.name]
    return ended


def running() -> list[Download]:
    """Return the downloads that are on their way."""
    return [download for download in list(_begun.values()) if download.running]
