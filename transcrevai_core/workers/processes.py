"""Who a process is, and whether it still lives; works on every platform."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil


def this_process() -> str:
    """Name this process so that a later one with the same number is not taken for it."""
    return name_of(os.getpid())


def name_of(pid: int) -> str:
    """Name a process by its number as it names itself."""
    return f"{pid}:{_birth(pid)}"


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


def limit_cpu(cores: int) -> None:
    """Leave this process the first `cores` processors, and let others go first on them.

    Each is done where the platform has it, and never required.
    """
    me = psutil.Process()
    with contextlib.suppress(OSError, AttributeError, ValueError, psutil.Error):
        me.nice(getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", None) or max(5, me.nice()))
    with contextlib.suppress(OSError, AttributeError, ValueError, psutil.Error):
        me.cpu_affinity(sorted(me.cpu_affinity())[:cores])  # not on macOS


def limit_data(pid: int, limit_bytes: int) -> None:
    """Bound the data of a process where the platform can (Linux); 0 takes the bound away.

    The address space must not be bounded: native threads reserve far more of it than they use.
    """
    try:
        import resource

        most = limit_bytes or resource.RLIM_INFINITY
        resource.prlimit(pid, resource.RLIMIT_DATA, (most, resource.RLIM_INFINITY))
    except (ImportError, AttributeError, OSError, ValueError):
        pass


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used; 0 for one that is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    except psutil.Error:
        return 0.0


def queued_seconds(pid: int) -> float:
    """Return how long the threads of a process, together, were ready and no processor was free.

    0 for one that is gone, and where the platform does not tell (Linux does).
    """
    queued = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):  # it has just ended
                queued += int((thread / "schedstat").read_text().split()[1])
    return queued / 1e9


def kill(pid: int) -> None:
    """End a process at once; one that is gone is fine."""
    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).kill()


@contextlib.contextmanager
def no_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from processes that start here, which inherit what is blocked."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
