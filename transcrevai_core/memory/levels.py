"""What is to be done about memory, as one pure function of what was read.

Two things count: the share of the machine's or container's memory in use, and this program's own
total against its budget. They are put on one scale on which a full budget stands at the kill
threshold; so a budget of 600 MB, with kill at 85 %, is degraded from 75 / 85 of it (529 MB) on.
Plans stay below that, and a job that needs a little more than was forecast disturbs nobody.
"""

from dataclasses import dataclass
from typing import Literal

from transcrevai_core.codes import Cause
from transcrevai_core.memory import readings
from transcrevai_core.memory.readings import MB, Reading
from transcrevai_core.messages import Message
from transcrevai_core.settings import Settings

Level = Literal["normal", "degraded", "emergency", "kill"]

HYSTERESIS = 0.05  # a level is left only so far below where it begins
LEVELS: tuple[Level, ...] = ("normal", "degraded", "emergency", "kill")


@dataclass(frozen=True, slots=True)
class Limits:
    """Where each level begins, as shares of the memory (0 to 1), and the program's own budget."""

    budget_bytes: int
    degraded: float = 0.75
    emergency: float = 0.80
    kill: float = 0.85

    @property
    def plan_bytes(self) -> int:
        """What may be planned: the part of the budget below the first level."""
        return int(self.budget_bytes * self.degraded / self.kill)

    def begins(self, level: Level) -> float:
        """Return the share at which a level begins."""
        begins = (0.0, self.degraded, self.emergency, self.kill)
        return begins[LEVELS.index(level)]


@dataclass(frozen=True, slots=True)
class Decision:
    """The level from now on, and what is to be done at once; `cause` says why."""

    level: Level
    changed: bool
    cause: Message
    end_idle: bool = False
    shrink_caches: bool = False
    kill: int | None = None  # the process number of a worker


def limits_of(settings: Settings) -> Limits:
    """Return the limits that the settings state; the budget is half of the memory by default."""
    own = settings.memory_budget_mb
    return Limits(
        own * MB if own else readings.limit_bytes() // 2,
        settings.degraded_percent / 100,
        settings.emergency_percent / 100,
        settings.kill_percent / 100,
    )


def admits(level: Level) -> bool:
    """Tell whether a job may begin, and stages may run side by side."""
    return level == "normal"


def is_emergency(level: Level) -> bool:
    """Tell whether what remains is to be done with the emergency profile."""
    return level in ("emergency", "kill")


def share(reading: Reading, limits: Limits) -> float:
    """Return how full the memory is, on the scale of the levels."""
    own = limits.kill * reading.total_bytes / limits.budget_bytes
    return max(reading.machine.pressure, own)


def decide(reading: Reading, limits: Limits, state: Level) -> Decision:
    """Return the level that follows `state`, and what is to be done.

    A level begins where its share is reached and ends `HYSTERESIS` below. From degraded on idle
    workers end; caches shrink once, as the level rises; at kill the largest worker at work is
    ended, one at each reading, so that the next one shows whether that was enough.
    """
    full = share(reading, limits)
    level: Level = "normal"
    for candidate in LEVELS[1:]:
        reached = LEVELS.index(candidate) <= LEVELS.index(state)
        if full >= limits.begins(candidate) - (HYSTERESIS if reached else 0.0):
            level = candidate
    rises = LEVELS.index(level) > LEVELS.index(state)
    idle = any(not worker.busy for worker in reading.workers)
    # whoever asked for it; a job that is between two calls (it writes, say, to a disk that is slow)
    # keeps its model all the while
    at_work = [worker for worker in reading.workers if worker.busy or worker.job]
    largest = max(at_work, key=lambda worker: worker.resident_bytes, default=None)
    return Decision(
        level,
        level != state,
        _cause(reading, limits),
        end_idle=level != "normal" and idle,
        shrink_caches=rises and state == "normal",
        # while kill lasts only by hysteresis, what was ended may have been enough
        kill=largest.pid if largest and level == "kill" and full >= limits.kill else None,
    )


def _cause(reading: Reading, limits: Limits) -> Message:
    """Say what fills the memory more: everything on the machine, or this program its budget."""
    pressure = reading.machine.pressure
    # rounded as shown, so that a stage is written anew only where it reads otherwise
    if pressure >= limits.kill * reading.total_bytes / limits.budget_bytes:
        return Cause.MACHINE(share=round(pressure, 2))
    return Cause.BUDGET(
        taken=round(reading.total_bytes / MB), budget=round(limits.budget_bytes / MB)
    )
