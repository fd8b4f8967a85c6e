"""Memory given back on request."""

from dataclasses import dataclass

from transcrevai_core.codes import Cause
from transcrevai_core.library.cache import Cache
from transcrevai_core.library.journal import Journal
from transcrevai_core.library.store import Store
from transcrevai_core.memory import readings
from transcrevai_core.memory.readings import MB
from transcrevai_core.settings import Settings
from transcrevai_core.workers import admission, watcher
from transcrevai_core.workers.processes import this_process


@dataclass(frozen=True, slots=True)
class Freed:
    """What was given back: bytes, idle workers that ended, entries that left the cache."""

    bytes: int
    workers: int
    entries: int


def free_memory(store: Store, settings: Settings) -> Freed:
    """End idle workers of this process, clear the cache, trim the heap; say what came back."""
    before = readings.own_bytes()
    ended = admission.end_idle()
    entries, _ = Cache(store, settings).clear()
    watcher.end_trackers()
    readings.collect()
    freed = Freed(max(0, before - readings.own_bytes()), ended, entries)
    cause = Cause.FREED(size=freed.bytes / MB)
    Journal(store.database, this_process()).add_event("freed", "normal", cause)
    return freed
