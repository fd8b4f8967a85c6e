"""One-shot workers for heavy work beside the jobs: one at a time, however many pages ask.

What each may take is then taken once, and not once for every open page.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from transcrevai_core.errors import Cancelled
from transcrevai_core.workers import watcher
from transcrevai_core.workers.worker import Worker

_one = threading.Lock()  # for the whole process


@contextmanager
def one_shot_worker(
    name: str,
    limit_bytes: int,
    hang_seconds: float = 30.0,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Worker]:
    """Wait until no other one-shot worker runs, and give one that ends with the context.

    Raises Cancelled where `should_stop` turns true while it waits.
    """
    while not _one.acquire(timeout=0.2):
        if should_stop():
            raise Cancelled("The job was cancelled.")
    worker = Worker(name, limit_bytes, hang_seconds)
    try:
        yield worker
    finally:
        worker.stop()
        watcher.end_trackers()
        _one.release()
