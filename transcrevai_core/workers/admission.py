"""Room in the memory budget, kept before work begins: one rule for the whole process.

Jobs, trials, reports and downloads ask here, each under a key of its own. What is taken is what
the program itself takes, what is kept for other keys, and what workers take that are in nobody's
room: those that are idle, which end where the room is needed.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from transcrevai_core.codes import Stage, worker_name
from transcrevai_core.errors import Cancelled, InputError
from transcrevai_core.memory import levels, readings
from transcrevai_core.memory.levels import Level, Limits
from transcrevai_core.memory.plan import HEADROOM, base_bytes
from transcrevai_core.memory.readings import MB, Reading
from transcrevai_core.messages import NOTHING, Message
from transcrevai_core.workers.worker import Worker, live, take_reading

EVERY = 0.2  # seconds between two requests of who waits


@dataclass(frozen=True, slots=True)
class Room:
    """What is kept for a key: bytes of its workers, and processors."""

    bytes: int
    cores: int = 0


_kept: dict[str, Room] = {}
_lock = threading.Lock()


def request(
    key: str,
    needed_bytes: int,
    limits: Limits,
    reading: Reading,
    *,
    state: Level = "normal",
    cores: int = 0,
    most_cores: int = 0,
    own: Worker | None = None,
) -> Message:
    """Keep room for what a key's workers will need; return `NOTHING`, or what it waits for.

    `state` is the level before this reading. Who needs `cores` waits where there is other such
    work and more than `most_cores` would be used. `own` is a worker that will be the key's: what
    it takes is a part of `needed_bytes`. Room that is kept already stays so.
    """
    with _lock:
        if key in _kept and needed_bytes <= _kept[key].bytes:
            return NOTHING
        decision = levels.decide(reading, limits, state)
        if not levels.admits(decision.level):
            return Stage.WAITING_FOR_MEMORY(cause=decision.cause)
        others, takes = _taken(key, own)
        used = sum(room.cores for room in others.values())
        if cores and used and used + cores > most_cores:
            return Stage.WAITING_FOR_PROCESSOR()
        kept = sum(room.bytes for room in others.values())
        if base_bytes() + kept + takes[""] + needed_bytes > limits.plan_bytes:
            return Stage.WAITING_FOR_JOB()
        machine = reading.machine
        # what is kept and not taken yet
        coming = sum(max(0, room.bytes - takes[name]) for name, room in others.items())
        coming += max(0, needed_bytes - takes[key])
        if machine.used_bytes + coming > limits.kill * machine.limit_bytes:
            free = machine.limit_bytes - machine.used_bytes
            # in whole MB: what a page shows need not be written for less
            return Stage.WAITING_FOR_ROOM(needed=round(needed_bytes / MB), free=round(free / MB))
        _kept[key] = Room(needed_bytes, cores)
        return NOTHING


def _taken(key: str, own: Worker | None) -> tuple[dict[str, Room], dict[str, int]]:
    """Return other keys' rooms, and by key what workers take; "" for those in nobody's room."""
    others = {name: room for name, room in _kept.items() if name != key}
    takes = dict.fromkeys(("", key, *others), 0)
    for worker in live():
        name = key if worker is own else worker.room
        takes[name if name in takes else ""] += readings.share_bytes(worker.pid or 0)
    return others, takes


def taken_bytes(key: str) -> int:
    """Return what of the budget is taken by the program, and by other work than a key's."""
    with _lock:
        others, takes = _taken(key, None)
    return base_bytes() + sum(room.bytes for room in others.values()) + takes[""]


def amend(key: str, needed_bytes: int, cores: int = 0) -> None:
    """Keep less room for a key, now that more is known of it."""
    with _lock:
        if key in _kept:
            _kept[key] = Room(needed_bytes, cores)


def raised(worker: Worker, taken_bytes: int, limits: Limits) -> int:
    """Return a higher limit for a worker that takes more than was forecast; 0 for no room.

    The budget is what was promised: a forecast that was too low ends no work where there is room.
    """
    limit = round(taken_bytes / HEADROOM)
    more = limit - round(HEADROOM * worker.limit_bytes)
    with _lock:
        if (room := _kept.get(worker.room)) is None:
            return 0
        others, takes = _taken(worker.room, None)
        kept = sum(other.bytes for other in others.values()) + room.bytes
        machine = readings.machine()
        coming = sum(max(0, other.bytes - takes[name]) for name, other in others.items())
        if (
            base_bytes() + kept + takes[""] + more > limits.plan_bytes
            or machine.used_bytes + coming + more > limits.kill * machine.limit_bytes
        ):
            return 0
        _kept[worker.room] = Room(room.bytes + more, room.cores)
    return limit


def release(key: str) -> None:
    """Give up a key's room."""
    with _lock:
        _kept.pop(key, None)


def kept() -> dict[str, Room]:
    """Return what is kept now, by key."""
    with _lock:
        return dict(_kept)


def is_idle(worker: Worker) -> bool:
    """Tell whether a worker has nothing in hand and works for nobody."""
    return not (worker.busy or worker.job or worker.room in kept())


def end_idle() -> int:
    """End the workers of the process that are idle; return how many."""
    return sum(worker.stop_if_idle() for worker in live() if is_idle(worker))


def check(worker: Worker, needed_bytes: int, limits: Limits) -> None:
    """Raise InputError where a worker can never fit the budget."""
    total = base_bytes() + needed_bytes
    if total > limits.plan_bytes:
        least = total * limits.budget_bytes / limits.plan_bytes
        raise InputError(
            "The {worker} worker needs about {needed:.0f} MB with the rest of the program, and "
            "{planned:.0f} MB of the memory budget of {budget:.0f} MB can be planned; a budget of "
            "{least:.0f} MB would be right.",
            worker=worker_name(worker.name),
            needed=total / MB,
            planned=limits.plan_bytes / MB,
            budget=limits.budget_bytes / MB,
            least=-(-least // (10 * MB)) * 10,
        )


@contextmanager
def room(
    worker: Worker,
    needed_bytes: int,
    limits: Limits,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_wait: Callable[[Message], None] = lambda reason: None,
) -> Iterator[None]:
    """Wait until there is room for a worker, and keep it while the body works.

    `on_wait` receives what it waits for. Raises InputError where it can never fit the budget,
    Cancelled where `should_stop` turns true.
    """
    check(worker, needed_bytes, limits)
    try:
        while reason := request(worker.room, needed_bytes, limits, take_reading(), own=worker):
            if reason.code is Stage.WAITING_FOR_JOB and end_idle():
                continue
            on_wait(reason)
            if should_stop():
                raise Cancelled("The job was cancelled.")
            time.sleep(EVERY)
        yield
    finally:
        release(worker.room)
