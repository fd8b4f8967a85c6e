"""How far a job is, as a bar of tqdm, in a terminal or in a notebook."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transcrevai_core.library.store import Store
from transcrevai_core.types import Job

EVERY = 0.2  # seconds between two looks


@contextmanager
def bar(store: Store, job: Job, shown: bool = True) -> Iterator[None]:
    """Draw what becomes of a job while the body works on it."""
    if not shown:
        yield
        return
    from tqdm.auto import tqdm

    ended = threading.Event()
    layout = "{desc} {percentage:3.0f}%|{bar}| {elapsed}"
    with tqdm(total=1.0, desc=job.title, bar_format=layout) as drawn:

        def follow() -> None:
            while not ended.wait(EVERY):
                _draw(drawn, store.job(job.id))

        thread = threading.Thread(target=follow, name="bar", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            _draw(drawn, store.job(job.id))


def _draw(drawn: Any, job: Job) -> None:
    drawn.set_description_str(f"{job.title}: {job.stage or job.state}", refresh=False)
    drawn.n = min(1.0, job.progress)
    drawn.refresh()
