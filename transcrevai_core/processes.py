"""Who a process is, and whether it still lives; works on every platform."""

import os
from pathlib import Path

import psutil


def this_process() -> str:
    """Name this process so that a later one with the same number is not taken for it."""
    return f"{os.getpid()}:{_birth(os.getpid())}"


def is_alive(name: str | None) -> bool:
    """Tell whether the process that `this_process` named still runs; False for None."""
    if not name:
        return False
    number, birth = name.split(":", 1)
    pid = int(number)
    try:
        # a zombie still has a number but does no work
        return _birth(pid) == birth and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (OSError, psutil.Error):
        return False


def _birth(pid: int) -> str:
    """Return when a process began, in words that stay the same while it lives."""
    try:
        # ticks since this boot: the time of day would move with every correction of the clock
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"
    except FileNotFoundError:
        return f"{psutil.Process(pid).create_time():.0f}"
