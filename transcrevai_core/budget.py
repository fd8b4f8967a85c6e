"""What a job will need, and whether that fits the budget: before anything is loaded."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from transcrevai_core import forecast, memory
from transcrevai_core.diarization.recipes import chosen_recipe, learns
from transcrevai_core.errors import InputError
from transcrevai_core.forecast import Shape
from transcrevai_core.governor import Limits
from transcrevai_core.memory import MB
from transcrevai_core.options import JobOptions
from transcrevai_core.transcription.catalogue import AUTO, NONE, locate

UNKNOWN_SECONDS = 3_600.0  # how long a recording is taken to be before it was read
MOST_THREADS = 4  # more gain little for one recording
SHORT_CHUNK = 10.0  # seconds
HEADROOM = 0.75  # a worker may have its forecast / HEADROOM before it is ended
# loky's and multiprocessing's resource trackers, which come with the first worker
TRACKERS_BYTES = 38 * MB

Correct = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Need:
    """What a stage's worker will need at its peak: by the table, and as past runs correct it."""

    key: str
    table_bytes: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How a job is to be done, and the bytes that it will need; `base_bytes` is the program's own.

    `needs` has prepare and, where they are asked for, transcription and diarization.
    """

    shape: Shape
    needs: Mapping[str, Need]
    side_by_side: bool
    cores: int
    base_bytes: int

    def together(self, peaks: Mapping[str, int]) -> int:
        """Return what workers need at once, from what the stage of each needs."""
        words, voices = peaks.get("transcription", 0), peaks.get("diarization", 0)
        both = words + voices if self.side_by_side else max(words, voices)
        return max(peaks.get("prepare", 0), both)

    @property
    def workers_bytes(self) -> int:
        """The predicted peak of the job's workers."""
        return self.together({stage: need.bytes for stage, need in self.needs.items()})

    @property
    def total_bytes(self) -> int:
        """The predicted peak of the whole program, were this its only job."""
        return self.base_bytes + self.workers_bytes

    def one_after_the_other(self) -> "Plan":
        """Return the plan that needs less at once."""
        return dataclasses.replace(self, side_by_side=False)


def base_bytes() -> int:
    """Return what this program takes before any worker does."""
    return memory.share_bytes(os.getpid()) + TRACKERS_BYTES


def plan_job(
    options: JobOptions,
    duration: float | None,
    limits: Limits,
    cores: int,
    correct: Correct = lambda key: 1.0,
) -> Plan:
    """Plan a job on `duration` seconds of sound (None: not known yet) for so many processors.

    Stages go side by side where the processors and the budget allow it. `correct` gives the
    factor that past runs with a key call for.
    """
    seconds = UNKNOWN_SECONDS if duration is None else duration
    both = options.diarize and options.model != NONE and cores > 1
    threads = options.threads or max(1, min(MOST_THREADS, cores - both))
    shape = Shape(
        options.model, options.compute_type, threads, options.beam_size, options.chunk_seconds
    )
    if options.model == AUTO:
        shape = largest_that_fits(options, shape, limits, correct)
    needs = {"prepare": _need("prepare", forecast.prepare_bytes(seconds), correct)}
    if options.model != NONE:
        needs["transcription"] = need_of(shape, correct)
    if options.diarize:
        learning = learns(chosen_recipe(options.diarization()))
        table = forecast.diarization_bytes(options.embedding, seconds, learns=learning)
        needs["diarization"] = _need(f"diarization, {options.embedding}", table, correct)
    used = min(cores, threads + both)
    plan = Plan(shape, MappingProxyType(needs), both, used, base_bytes())
    return plan.one_after_the_other() if plan.total_bytes > limits.plan_bytes else plan


def need_of(shape: Shape, correct: Correct) -> Need:
    """Return what the transcription worker will need."""
    kind = "int8" if shape.compute_type == "auto" else shape.compute_type
    key = f"{shape.model}, {kind}, beam {shape.beam_size}"
    return _need(key, forecast.transcription_bytes(shape), correct)


def _need(key: str, table: int, correct: Correct) -> Need:
    return Need(key, table, round(table * correct(key)))


def largest_that_fits(options: JobOptions, shape: Shape, limits: Limits, correct: Correct) -> Shape:
    """Return the shape with the largest model that fits; those on this computer go first.

    Where none fits, the smallest is returned, to be refused.
    """
    shapes = [dataclasses.replace(shape, model=name) for name in forecast.GENERAL]
    here = [shape for shape in shapes if locate(shape.model)]
    room = limits.plan_bytes - base_bytes()
    fitting = (s for s in here or shapes if need_of(s, correct).bytes <= room)
    return next(fitting, (here or shapes)[-1])


def check(options: JobOptions, plan: Plan, limits: Limits, correct: Correct) -> None:
    """Raise InputError where a plan can never fit, with the nearest that does."""
    if plan.total_bytes <= limits.plan_bytes:
        return
    asked = plan.needs.get("transcription")
    what = "Telling the speakers apart" if asked is None else f"The model {plan.shape.model}"
    nearest = _nearest(options, plan, limits, correct) if asked else ""
    least = plan.total_bytes * limits.budget_bytes / limits.plan_bytes
    raise InputError(
        f"{what} needs about {plan.total_bytes / MB:.0f} MB with the rest of the program, and "
        f"{limits.plan_bytes / MB:.0f} MB of the memory budget of {limits.budget_bytes / MB:.0f} "
        f"MB can be planned; {nearest}a budget of {-(-least // (10 * MB)) * 10:.0f} MB would be "
        "right."
    )


def _nearest(options: JobOptions, plan: Plan, limits: Limits, correct: Correct) -> str:
    """Name the lighter choice that is nearest to what was asked for."""
    room = limits.plan_bytes - plan.base_bytes
    if "diarization" in plan.needs and plan.needs["diarization"].bytes > room:
        return ""
    shape = plan.shape
    for lighter in (
        dataclasses.replace(shape, compute_type="int8"),
        *(
            dataclasses.replace(shape, model=name, compute_type="int8")
            for name in smaller_models(shape)
        ),
    ):
        need = need_of(lighter, correct).bytes
        if need <= room and lighter != shape:
            name = lighter.model if lighter.model != shape.model else f"{shape.model} in int8"
            return f"{name} (about {(plan.base_bytes + need) / MB:.0f} MB) or "
    return ""


def smaller_models(shape: Shape, *, here: bool = False) -> list[str]:
    """Return the models that need less than a shape's own, largest first; all, or those here."""
    own = forecast.transcription_bytes(shape)
    return [
        name
        for name in forecast.GENERAL
        if forecast.transcription_bytes(dataclasses.replace(shape, model=name)) < own
        and (not here or locate(name))
    ]


def lighter(shape: Shape) -> Shape:
    """Return a shape one step lighter: fewer threads, shorter chunks, a lighter type or model.

    Models that are not on this computer are no choice. A shape that can get no lighter is
    returned as it is.
    """
    if shape.threads > 1:
        return dataclasses.replace(shape, threads=1)
    if shape.chunk_seconds > SHORT_CHUNK:
        return dataclasses.replace(shape, chunk_seconds=SHORT_CHUNK)
    if not shape.compute_type.startswith(("int8", "auto")):
        return dataclasses.replace(shape, compute_type="int8")
    smaller = smaller_models(shape, here=True)
    return dataclasses.replace(shape, model=smaller[0]) if smaller else shape


def emergency(shape: Shape) -> Shape:
    """Return the lightest shape: the smallest model here, INT8, one thread, short chunks."""
    smaller = smaller_models(shape, here=True)
    kind = shape.compute_type if shape.compute_type.startswith(("int8", "auto")) else "int8"
    return Shape(
        smaller[-1] if smaller else shape.model,
        kind,
        1,
        shape.beam_size,
        min(shape.chunk_seconds, SHORT_CHUNK),
    )


def differences(before: Shape, after: Shape) -> str:
    """Say in words what became lighter; empty where nothing did.

    >>> differences(Shape("base", threads=4), Shape("tiny", threads=1))
    'the model tiny, 1 thread'
    """
    said = []
    if after.model != before.model:
        said.append(f"the model {after.model}")
    if after.compute_type != before.compute_type:
        said.append(after.compute_type)
    if after.threads != before.threads:
        said.append(f"{after.threads} threads" if after.threads > 1 else "1 thread")
    if after.chunk_seconds != before.chunk_seconds:
        said.append(f"chunks of {after.chunk_seconds:.0f} s")
    return ", ".join(said)
