"""Who a process is, and whether it still lives; works on every platform."""

import os

import psutil


def this_process() -> str:
    """Name this process so that a later one with the same number is not taken for it."""
    return f"{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_alive(name: str | None) -> bool:
    """Tell whether the process that `this_process` named still runs; False for None."""
    if not name:
        return False
    pid, created = name.split(":")
    try:
        process = psutil.Process(int(pid))
        # two clocks may differ by a tick; a zombie still has a number but does no work
        return (
            abs(process.create_time() - float(created)) < 1
            and process.status() != psutil.STATUS_ZOMBIE
        )
    except psutil.Error:
        return False
