"""How a job would be done, and whether it can be: asked before anything is loaded."""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

from transcrevai_core.diarization.recipes import chosen_recipe
from transcrevai_core.errors import SettingError, TranscrevaiError
from transcrevai_core.jobs import tasks
from transcrevai_core.library import precision
from transcrevai_core.library.journal import Journal
from transcrevai_core.library.store import Store
from transcrevai_core.memory import readings
from transcrevai_core.memory.forecast import prepare_bytes
from transcrevai_core.memory.levels import limits_of
from transcrevai_core.memory.pace import Pace, pace_of
from transcrevai_core.memory.plan import Plan, check, plan_job
from transcrevai_core.models.catalogue import MODELS, NONE, VOICES
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import Settings
from transcrevai_core.types import Media
from transcrevai_core.workers.oneshot import one_shot_worker


def check_options(options: JobOptions) -> None:
    """Raise SettingError with one sentence for what no recording could be worked on with."""
    _check_model(options)
    if options.diarize:
        chosen_recipe(options.diarization())
    elif options.model == NONE:
        raise SettingError(
            "model is none and diarize is off, which leaves nothing to do; a model, or diarize, "
            "would be right."
        )


def _check_model(options: JobOptions) -> None:
    if options.model in VOICES:
        raise SettingError(
            "{model} is a model of voices and writes no words; one of {models} would be right.",
            model=options.model,
            models=", ".join(MODELS),
        )


def look_into(
    files: Iterable[Path], settings: Settings
) -> Iterator[tuple[Path, Media | TranscrevaiError]]:
    """Yield what each file says of itself, or why it is no recording, as a worker sees it."""
    with one_shot_worker("look", prepare_bytes(0.0), limits_of(settings)) as worker:
        for file in files:
            try:
                yield file, worker.call(tasks.look, file)
            except TranscrevaiError as error:
                yield file, error


def check_recording(source: Path, settings: Settings) -> None:
    """Raise TranscrevaiError with one sentence for a file that is no recording."""
    for _source, seen in look_into([source.expanduser().absolute()], settings):
        if isinstance(seen, TranscrevaiError):
            raise seen


def plan_for(
    store: Store,
    settings: Settings,
    options: JobOptions,
    duration: float | None = None,
    active: int = 1,
) -> Plan:
    """Plan a job of `duration` seconds (None: not known yet), one of so many that run or wait.

    Raises InputError where it can never fit the budget, with the nearest that does.
    """
    _check_model(options)
    cores = readings.work_cores(settings.work_cores) // max(1, active)
    limits, correct = limits_of(settings), Journal(store.database, "").correction
    plan = plan_job(options, duration, limits, max(1, cores), correct)
    if options.compute_type == "auto" and precision.disagreeing(
        store.database, plan.shape.model, settings.agreement_percent
    ):  # what comes next on the ladder may be float32
        exact = options.model_copy(update={"compute_type": precision.EXACT})
        plan = plan_job(exact, duration, limits, max(1, cores), correct)
        shape = dataclasses.replace(plan.shape, compute_type="auto")
        plan = dataclasses.replace(plan, shape=shape)
    check(options, plan, limits, correct)
    return plan


def pace_for(store: Store, plan: Plan, duration: float) -> Pace:
    """Return how long a plan takes on `duration` seconds of sound, on this computer."""
    return pace_of(plan, duration, Journal(store.database, "").rtf)
