"""What this machine, or the container that the program runs in, has to give."""

import os
from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup")
# limit and use of version 2, then of version 1
_CGROUP_FILES = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)


def cores() -> int:
    """Return how many processors this process may use.

    >>> cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_bytes(cgroup: Path = _CGROUP) -> int:
    """Return how much memory can be had: the system's, or a container's where that is less."""
    free = int(psutil.virtual_memory().available)
    for limit, used in _CGROUP_FILES:
        try:
            left = int((cgroup / limit).read_text()) - int((cgroup / used).read_text())
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
        free = min(free, max(0, left))
    return free
