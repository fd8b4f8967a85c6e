"""What a job will need, and whether that fits the budget: before anything is loaded."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from transcrevai_core.diarization.recipes import chosen_recipe, learns
from transcrevai_core.errors import InputError
from transcrevai_core.memory import forecast, readings
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.memory.levels import Limits
from transcrevai_core.memory.readings import MB
from transcrevai_core.messages import Message, joined
from transcrevai_core.models.catalogue import AUTO, NONE, locate
from transcrevai_core.options import JobOptions

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

    def sequential(self) -> "Plan":
        """Return the plan that needs less at once."""
        return dataclasses.replace(self, side_by_side=False)


def base_bytes() -> int:
    """Return what this program takes before any worker does."""
    return readings.share_bytes(os.getpid()) + TRACKERS_BYTES


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
        recipe = chosen_recipe(options.diarization())
        table = forecast.diarization_bytes(
            recipe.embedding, seconds, learns=learns(recipe), overlap=recipe.overlap
        )
        key = f"diarization, {recipe.embedding}{', overlap' * recipe.overlap}"
        needs["diarization"] = _need(key, table, correct)
    used = min(cores, threads + both)
    plan = Plan(shape, MappingProxyType(needs), both, used, base_bytes())
    return plan.sequential() if plan.total_bytes > limits.plan_bytes else plan


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
    nearest = _nearest(options, plan, limits, correct) if asked else None
    least = plan.total_bytes * limits.budget_bytes / limits.plan_bytes
    values = {
        "what": Message("The model {model}", {"model": plan.shape.model})
        if asked
        else Message("Telling the speakers apart"),
        "needed": plan.total_bytes / MB,
        "planned": limits.plan_bytes / MB,
        "budget": limits.budget_bytes / MB,
        "least": -(-least // (10 * MB)) * 10,
    }
    if nearest is None:
        raise InputError(
            "{what} needs about {needed:.0f} MB with the rest of the program, and {planned:.0f} MB "
            "of the memory budget of {budget:.0f} MB can be planned; a budget of {least:.0f} MB "
            "would be right.",
            **values,
        )
    raise InputError(
        "{what} needs about {needed:.0f} MB with the rest of the program, and {planned:.0f} MB of "
        "the memory budget of {budget:.0f} MB can be planned; {nearest} or a budget of "
        "{least:.0f} MB would be right.",
        nearest=nearest,
        **values,
    )


def _nearest(options: JobOptions, plan: Plan, limits: Limits, correct: Correct) -> Message | None:
    """Name the lighter choice that is nearest to what was asked for; None where none fits."""
    room = limits.plan_bytes - plan.base_bytes
    if "diarization" in plan.needs and plan.needs["diarization"].bytes > room:
        return None
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
            values = {"model": lighter.model, "needed": (plan.base_bytes + need) / MB}
            if lighter.model == shape.model:
                return Message("{model} in int8 (about {needed:.0f} MB)", values)
            return Message("{model} (about {needed:.0f} MB)", values)
    return None


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


def differences(before: Shape, after: Shape) -> Message:
    """Say what became lighter; `NOTHING` where nothing did.

    >>> str(differences(Shape("base", threads=4), Shape("tiny", threads=1)))
    'the model tiny, 1 thread'
    """
    said = []
    if after.model != before.model:
        said.append(Message("the model {model}", {"model": after.model}))
    if after.compute_type != before.compute_type:
        said.append(Message(after.compute_type))
    if after.threads != before.threads:
        many = Message("{threads} threads", {"threads": after.threads})
        said.append(many if after.threads > 1 else Message("1 thread"))
    if after.chunk_seconds != before.chunk_seconds:
        said.append(Message("chunks of {seconds:.0f} s", {"seconds": after.chunk_seconds}))
    return joined(said)
