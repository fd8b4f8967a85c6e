"""What each part of the program costs in memory, measured in a worker process of its own."""

import itertools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from transcrevai_core.doctor import probes
from transcrevai_core.doctor.probes import Probe
from transcrevai_core.errors import Cancelled, TranscrevaiError, WorkerDied, reason
from transcrevai_core.memory import readings
from transcrevai_core.memory.levels import limits_of
from transcrevai_core.memory.plan import base_bytes
from transcrevai_core.memory.readings import MB
from transcrevai_core.settings import Settings
from transcrevai_core.workers.worker import Worker

RUNS = 10
LEAK_BYTES = MB // 2  # a run; with 30 s of sound in each, 60 MB an hour
_FILLING = 3  # first runs, in which caches and arenas fill
_EXPLAINED = 0.7  # share of the variance


@dataclass(frozen=True, slots=True)
class Component:
    """What one part of the program costs; resident bytes, None where there is nothing to measure.

    `import_bytes`, `load_bytes` and `first_run_bytes` are what each step added and kept (the
    first of the part "worker" is the empty process), `peak_bytes` the most that the whole process
    took up to the end of its first run. `growth_bytes` is from the first to the last of `RUNS`
    runs, `growth_bytes_per_run` the slope of the later ones, `released_bytes` what came back when
    all was let go; ending the process gives back the rest. `note` is one sentence.
    """

    name: str
    import_bytes: int | None = None
    load_bytes: int | None = None
    first_run_bytes: int | None = None
    peak_bytes: int | None = None
    growth_bytes: int | None = None
    growth_bytes_per_run: int | None = None
    released_bytes: int | None = None
    leak: bool = False
    failed: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Biggest:
    """The component with the highest peak (bytes), and what most of it is for.

    `part` is the empty process, its imports, what it loads and keeps, or the rest: what loading and
    the first run take beyond that, most of it for a moment only.
    """

    name: str
    peak_bytes: int
    part: str
    part_bytes: int


def bounded_worker(name: str, settings: Settings) -> Worker:
    """Return a worker that may take what the budget and the computer leave it now.

    What a part needs is what is to be found out, so no room can be kept for a forecast.
    """
    machine, limits = readings.machine(), limits_of(settings)
    free = limits.kill * machine.limit_bytes - machine.used_bytes
    return Worker(
        name,
        round(max(MB, min(free, limits.budget_bytes - base_bytes()))),
        settings.hang_seconds,
        readings.work_cores(settings.work_cores),
    )


def measure(
    probe: Probe,
    worker: Worker,
    *,
    on_progress: Callable[[float], None] = lambda done: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Component:
    """Measure a part in a worker without a process yet, which is ended afterwards.

    Whatever goes wrong becomes the component's note, beside what was measured until then; only
    Cancelled is raised, where `should_stop` turns true. `on_progress` receives the share done.
    """
    done, steps = 0, 3 + bool(probe.load) + (RUNS if probe.run else 0)
    found: dict[str, Any] = {}

    def resident_after(function: Callable[..., Any], *args: Any) -> int:
        nonlocal done
        sentence = worker.call(probes.run_and_collect, function, args, should_stop=should_stop)
        found["note"] = sentence or found.get("note", "")
        done += 1
        on_progress(done / steps)
        return readings.resident_bytes(worker.pid or 0)

    try:
        empty = resident_after(probes.do_nothing)
        now = resident_after(probes.import_all, probe.modules)
        found["import_bytes"] = now - empty if probe.modules else now
        if probe.load:
            before, now = now, resident_after(probe.load, *probe.load_args)
            found["load_bytes"] = now - before
        found["peak_bytes"] = worker.read_peak()
        if probe.run:
            runs = [resident_after(probe.run, *probe.run_args)]
            found["first_run_bytes"] = runs[0] - now
            found["peak_bytes"] = worker.read_peak()
            runs += [resident_after(probe.run, *probe.run_args) for _ in range(RUNS - 1)]
            now = runs[-1]
            found["growth_bytes"] = runs[-1] - runs[0]
            found["growth_bytes_per_run"] = round(slope(runs[_FILLING:]))
            found["leak"] = is_leak(runs)
        found["released_bytes"] = now - resident_after(probes.unload)
    except Cancelled:
        raise
    except Exception as error:
        found |= {"failed": True, "note": _failure(error)}
    finally:
        worker.stop()
    return Component(probe.name, **found)


def _failure(error: Exception) -> str:
    if isinstance(error, WorkerDied) and error.cause == "end":
        return "Its worker ended unexpectedly."
    if isinstance(error, TranscrevaiError):
        return str(error)
    return f"It failed ({type(error).__name__}: {str(reason(error)).rstrip('.')})."


def slope(series: Sequence[float]) -> float:
    """Return the growth from one value to the next: the median of all pairs' (Theil-Sen).

    >>> slope([5, 6, 90, 8, 9])
    1.0
    """
    pairs = itertools.combinations(enumerate(series), 2)
    return float(statistics.median((b - a) / (j - i) for (i, a), (j, b) in pairs))


def is_leak(resident: Sequence[int]) -> bool:
    """Tell whether memory after each run (bytes) grows as a leak does.

    The first three runs, in which caches fill, are not looked at. The later ones look like a leak
    where their robust slope is above half a MB a run, a straight line explains at least 70 % of
    their variance, and no single step makes more than half of their growth: one leap is a cache
    or an arena of the allocator that came late.

    >>> is_leak([MB * run for run in range(10)]), is_leak([MB * 100] * 5 + [MB * 110] * 5)
    (True, False)
    """
    later = resident[_FILLING:]
    if slope(later) <= LEAK_BYTES:
        return False
    growth = later[-1] - later[0]
    largest = max(b - a for a, b in itertools.pairwise(later))
    explained = statistics.correlation(range(len(later)), later) ** 2
    return explained >= _EXPLAINED and largest <= growth / 2


def biggest(components: Sequence[Component]) -> Biggest | None:
    """Return where the biggest share lies; None where nothing could be measured."""
    most = max(components, key=lambda component: component.peak_bytes or 0, default=None)
    if most is None or not most.peak_bytes:
        return None
    empty = next((c.import_bytes or 0 for c in components if c.name == probes.EMPTY), 0)
    parts = {"the empty process": empty, "what it loads": most.load_bytes or 0}
    parts["its imports"] = 0 if most.name == probes.EMPTY else most.import_bytes or 0
    parts["what it takes while loading and working"] = most.peak_bytes - sum(parts.values())
    part = max(parts, key=lambda name: parts[name])
    return Biggest(most.name, most.peak_bytes, part, parts[part])
