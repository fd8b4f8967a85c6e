"""Models on demand: fetched in a worker of its own, and described to the worker that loads them."""

import math
from collections.abc import Callable
from pathlib import Path

from transcrevai_core.codes import Stage
from transcrevai_core.errors import ModelError, TranscrevaiError
from transcrevai_core.jobs import tasks
from transcrevai_core.jobs.attempt import stored_options
from transcrevai_core.jobs.planning import plan_for
from transcrevai_core.library.store import Store
from transcrevai_core.memory.forecast import DOWNLOAD_BYTES, Shape
from transcrevai_core.memory.levels import limits_of
from transcrevai_core.messages import Message
from transcrevai_core.models import sources
from transcrevai_core.models.catalogue import in_index, known, locate
from transcrevai_core.settings import Settings
from transcrevai_core.types import Job
from transcrevai_core.workers import admission
from transcrevai_core.workers.worker import Worker


def model_spec(
    shape: Shape, device: str, disagreeing: tuple[tuple[str, float], ...] = ()
) -> tasks.ModelSpec:
    """Return how the model of a shape, which is on this computer, is to be loaded.

    `disagreeing` as `checks.disagreeing` tells it. Raises ModelError where the model has gone.
    """
    folder = locate(shape.model)
    if folder is None:
        raise ModelError(
            "The model {model} is gone; run the job again to fetch it.", model=shape.model
        )
    return tasks.ModelSpec(
        shape.model, folder, device, shape.compute_type, shape.threads, disagreeing
    )


def lacks_model(store: Store, settings: Settings, job: Job) -> bool:
    """Tell whether a job waits for a model that has not come since."""
    if job.stage.code is not Stage.WAITING_FOR_MODEL:
        return False
    try:  # what `auto` means may have come
        plan = plan_for(store, settings, stored_options(job), job.duration)
    except TranscrevaiError:  # whoever begins the job will say it
        return False
    return locate(plan.shape.model) is None


def fetch_model(
    name: str,
    settings: Settings,
    *,
    worker: Worker | None = None,
    on_progress: Callable[[float], None] = lambda done: None,
    on_wait: Callable[[Message], None] = lambda reason: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Return a model's folder, downloaded where it must be; cancelling and stalls end it.

    `worker` is that of a job, in the job's room; else room is kept for a new one, and `on_wait`
    receives what it waits for until then. `on_progress` receives the share (0 to 1) where the size
    is known. Raises ModelAbsent with one sentence, also where nothing came for a while, InputError
    where it can never fit the budget, and WorkerDied.
    """
    if folder := locate(name):
        return folder
    model = known(name)
    size = model.download_mb * 1e6 if model else None
    if worker is None:
        worker, limits = Worker("download"), limits_of(settings)
        with admission.room(
            worker, DOWNLOAD_BYTES, limits, should_stop=should_stop, on_wait=on_wait
        ):
            return fetch_model(
                name, settings, worker=worker, on_progress=on_progress, should_stop=should_stop
            )
    stall_seconds = settings.download_stall_seconds
    worker.stall_seconds = math.inf  # the setting says how long a line may be silent
    # a hub may answer, and what it says lies elsewhere be out of reach
    for ask_hub in (True, False) if in_index(name) else (True,):
        try:
            return worker.call(
                tasks.fetch_model,
                name,
                ask_hub,
                on_event=lambda count: on_progress(min(0.99, count / size) if size else 0.0),
                should_stop=should_stop,
                silence_seconds=stall_seconds,
            )
        except TimeoutError:
            continue
        finally:
            worker.stop()
    raise sources.stalled(name, stall_seconds)
