"""The memory diagnosis: what each part costs, what this computer has, and what follows from both.

Rules are pure functions of the figures; an advice states the figures that it follows from.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from transcrevai_core.doctor import probes
from transcrevai_core.doctor.costs import RUNS, Biggest, Component, biggest, bounded_worker, measure
from transcrevai_core.doctor.environment import Environment, read_environment
from transcrevai_core.errors import InputError, StorageError, refusal
from transcrevai_core.jobs.models import model_spec
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.memory.readings import MB
from transcrevai_core.models.catalogue import locate
from transcrevai_core.settings import Settings

NOTHING = "Nothing stands out."
_LITTLE_DISK_BYTES = 2_000 * MB
_MUCH_SWAP = 0.1  # of the memory


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found out, with `model` for the transcription."""

    model: str
    components: list[Component]
    biggest: Biggest | None
    environment: Environment
    advice: list[str]


def examine(
    settings: Settings,
    model: str,
    *,
    on_progress: Callable[[str, float], None] = lambda name, done: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Measure every part, with `model` for the transcription, and say what follows.

    `on_progress` receives the part in hand and its share done (0 to 1). Raises InputError for a
    model that is not on this computer, Cancelled where `should_stop` turns true.
    """
    options = settings.job_options({"model": model})
    if locate(options.model) is None:
        raise InputError(
            "The model {model} is not on this computer; one that transcrevai models list "
            "names would be right, once transcrevai models pull has fetched it.",
            model=model,
        )
    decoding = {
        "language": "en",
        "languages": ("en",),
        "task": "transcribe",
        "beam_size": options.beam_size,
    }
    try:
        place = tempfile.TemporaryDirectory(prefix="transcrevai-", ignore_cleanup_errors=True)
    except OSError as error:
        raise StorageError(
            "No temporary folder can be made: {reason}.", reason=refusal(error)
        ) from None
    components = []
    with place as scratch:
        shape = Shape(options.model, options.compute_type, options.threads or 1)
        spec = model_spec(shape, options.device)
        for probe in probes.probes(spec, decoding, Path(scratch)):
            components.append(
                measure(
                    probe,
                    bounded_worker(probe.name, settings),
                    on_progress=partial(on_progress, probe.name),
                    should_stop=should_stop,
                )
            )
    # of one that failed the peak is that of a part of the way
    peaks = {c.name: c.peak_bytes or 0 for c in components if not c.failed}
    needed = peaks.get("transcription", 0)
    environment = read_environment(settings, options.model, needed, should_stop)
    advice = advise(components, environment)
    return Report(options.model, components, biggest(components), environment, advice)


def advise(components: Sequence[Component], environment: Environment) -> list[str]:
    """Return what follows from the figures, one sentence each, or that nothing does."""
    found = [f"{c.name} could not be measured: {c.note}" for c in components if c.failed]
    for leaking in (component for component in components if component.leak):
        found.append(
            f"{leaking.name} grows by {_mb(leaking.growth_bytes_per_run or 0, 1)} a run, over "
            f"{RUNS} runs, which looks like a leak; it comes back when the worker ends."
        )
    found += _memory_advice(environment)
    found += _limits_advice({c.name: c.peak_bytes or 0 for c in components}, environment)
    if environment.free_disk_bytes < _LITTLE_DISK_BYTES:
        found.append(
            f"{_mb(environment.free_disk_bytes)} are left on the disk of {environment.home}; the "
            "sound of a recording takes 115 MB an hour, so deleting old jobs would be right."
        )
    if environment.cores == 1:
        found.append(
            "There is one core only, which the pages and the work share; a small model would be "
            "right."
        )
    return found or [NOTHING]


def _memory_advice(environment: Environment) -> list[str]:
    found = []
    if environment.pressure >= environment.degraded:
        found.append(
            f"{environment.pressure:.0%} of the memory is in use, and from "
            f"{environment.degraded:.0%} on no job begins; ending other programs would be right."
        )
    if environment.swap_bytes > _MUCH_SWAP * environment.limit_bytes:
        found.append(
            f"{_mb(environment.swap_bytes)} are swapped out to disk, which slows everything; "
            "ending other programs would be right."
        )
    room = environment.room_bytes
    large = [here for here in environment.models if here.need_bytes > room]
    if large:
        fitting = [here.name for here in environment.models if here.need_bytes <= room]
        names = ", ".join(f"{here.name} ({_mb(here.need_bytes)})" for here in large)
        best = f"the largest here that fits is {fitting[-1]}" if fitting else "none here fits"
        found.append(
            f"More memory than the {_mb(room)} that are free within the budget is needed by "
            f"{names}; {best}."
        )
    return found


def _limits_advice(peaks: dict[str, int], environment: Environment) -> list[str]:
    """Compare peaks with what the settings let each worker, and all of them, take."""
    found = []
    reading = max(peaks.get("audio", 0), peaks.get("speech", 0))
    for name, peak, limit in (
        ("prepare_limit_mb", reading, environment.prepare_limit_bytes),
        ("diarization_limit_mb", peaks.get("diarization", 0), environment.diarization_limit_bytes),
    ):
        if peak > limit:
            found.append(
                f"Hearing a short sample took {_mb(peak)}, and {name} lets the worker take "
                f"{_mb(limit)}; a higher limit would be right."
            )
    together = sum(peaks.get(name, 0) for name in ("web", "transcription", "diarization"))
    if together > environment.budget_bytes:
        found.append(
            f"The pages, the text and the speakers at the same time take up to {_mb(together)}, "
            f"more than the budget of {_mb(environment.budget_bytes)}; they will wait for each "
            "other unless memory_budget_mb is raised."
        )
    return found


def _mb(count: int, digits: int = 0) -> str:
    return f"{count / MB:.{digits}f} MB"
