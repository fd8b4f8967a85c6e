"""How far a job is: one number over all that it takes, which never goes back.

It is shown on pages, and as a bar of tqdm in a terminal or in a notebook.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from transcrevai_core.codes import Stage
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.jobs.attempt import stored_options
from transcrevai_core.jobs.planning import pace_for, plan_for
from transcrevai_core.library.store import Store
from transcrevai_core.memory.pace import Pace
from transcrevai_core.settings import Settings
from transcrevai_core.types import Job

EVERY = 0.2  # seconds between two looks
_STAGES = {  # which of a plan's stages a job is in
    Stage.DOWNLOADING_MODEL: "download",
    Stage.READING: "prepare",
    Stage.LOADING_MODEL: "transcription",
    Stage.TRANSCRIBING: "transcription",
    Stage.DIARIZING: "diarization",
}
_MOST = 0.99  # until it is done
_KEPT = 64  # jobs


@dataclass(slots=True)
class _Attempt:
    """What is known of one attempt at a job: how long it takes, and how far it was seen."""

    planned: tuple[Any, ...] = ()
    pace: Pace | None = None
    share: float = 0.0


_attempts: dict[tuple[str, float], _Attempt] = {}


def how_far(store: Store, settings: Settings, job: Job) -> tuple[float, float | None]:
    """Return the share of a running job that is done, and the seconds left, where they are known.

    Until the length of its recording is known, nothing of it counts as done.
    """
    attempt = _attempts.setdefault((job.id, job.started or 0.0), _Attempt())
    for key in [*_attempts][:-_KEPT]:
        _attempts.pop(key, None)
    stage = _STAGES.get(job.stage.code) if isinstance(job.stage.code, Stage) else None
    if not stage or not job.duration:
        return attempt.share, None
    planned = (job.options.get("model"), job.duration)
    if planned != attempt.planned:  # else asked once: what earlier jobs took changes meanwhile
        attempt.planned, attempt.pace = planned, _pace(store, settings, job)
    if not (pace := attempt.pace):
        if stage == "transcription":
            attempt.share = max(attempt.share, min(_MOST, job.progress))
        return attempt.share, None
    if pace.side_by_side and _speakers_first(store, job, stage):
        pace = replace(pace, side_by_side=False)
    attempt.share = max(attempt.share, min(_MOST, pace.share(stage, job.progress)))
    elapsed = time.time() - job.started if job.started else 0.0
    return attempt.share, pace.left(attempt.share, max(elapsed, job.seconds))


def _pace(store: Store, settings: Settings, job: Job) -> Pace | None:
    try:
        plan = plan_for(store, settings, stored_options(job), job.duration)
    except TranscrevaiError:  # it is another plan by now
        return None
    return pace_for(store, plan, job.duration or 0.0)


def _speakers_first(store: Store, job: Job, stage: str) -> bool:
    """Tell whether speakers are, or were, found before the text, though planned beside it."""
    if stage == "transcription":
        return bool(job.diarization)
    return stage == "diarization" and bool(store.chunks(job.id, unfinished=True))


@contextmanager
def bar(store: Store, settings: Settings, job: Job, shown: bool = True) -> Iterator[None]:
    """Draw what becomes of a job while the body works on it."""
    if not shown:
        yield
        return
    from tqdm.auto import tqdm

    ended = threading.Event()
    layout = "{desc} {percentage:3.0f}%|{bar}| {elapsed}"
    with tqdm(total=1.0, desc=job.title, bar_format=layout) as drawn:

        def draw() -> None:
            now = store.job(job.id)
            drawn.set_description_str(f"{now.title}: {now.stage or now.state}", refresh=False)
            done = now.state == "done"
            drawn.n = 1.0 if done else how_far(store, settings, now)[0]
            drawn.refresh()

        def follow() -> None:
            while not ended.wait(EVERY):
                draw()

        thread = threading.Thread(target=follow, name="bar", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            draw()
