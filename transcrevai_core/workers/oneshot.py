"""One-shot workers for heavy work beside the jobs: one at a time, however many pages ask.

What each may take is then taken once, and not once for every open page.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from transcrevai_core.codes import Stage
from transcrevai_core.errors import Cancelled
from transcrevai_core.memory.levels import Limits
from transcrevai_core.memory.plan import HEADROOM
from transcrevai_core.messages import Message
from transcrevai_core.workers import admission, watcher
from transcrevai_core.workers.worker import Worker

_one = threading.Lock()  # for the whole process


@contextmanager
def one_shot_worker(
    name: str,
    needed_bytes: int,
    limits: Limits,
    hang_seconds: float = 30.0,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_wait: Callable[[Message], None] = lambda reason: None,
) -> Iterator[Worker]:
    """Give a worker that ends with the context, once no other runs and the budget has room for it.

    It may have what it is said to need, and the usual headroom. `on_wait` receives what it waits
    for. Raises InputError where it can never fit the budget, Cancelled where `should_stop` turns
    true while it waits.
    """
    on_wait(Stage.WAITING_FOR_TURN())
    worker = Worker(name, round(needed_bytes / HEADROOM), hang_seconds)
    admission.check(worker, needed_bytes, limits)
    while not _one.acquire(timeout=0.2):
        if should_stop():
            raise Cancelled("The job was cancelled.")
    try:
        with admission.room(worker, needed_bytes, limits, should_stop=should_stop, on_wait=on_wait):
            try:
                yield worker
            finally:
                worker.stop()
    finally:
        watcher.end_trackers()
        _one.release()
