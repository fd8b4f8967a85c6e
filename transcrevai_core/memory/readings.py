"""What memory there is and who has it: of the machine or container, of this program, of a process.

Two measures of a process: its resident memory is read in microseconds but counts shared
libraries in each process again, so limits go by it; its proportional share adds up to what a
program takes, and costs milliseconds.
"""

import contextlib
import ctypes
import errno
import gc
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

MB = 10**6
_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
# version 2, then version 1: its folder, limit, use, and the part of it that the kernel can drop
_FILES = (
    ("", "memory.max", "memory.current", "inactive_file"),
    ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)

_LITTLE = 0.1  # by how much of it resident memory may differ before its share is read again
_shares: dict[int, tuple[int, int]] = {}  # of each process: resident and share as last read, bytes

# how memory that was refused shows itself, beside MemoryError, where a library says it
_REFUSED = ("mkl_malloc", "bad_alloc", "bad allocation", "allocate memory", "memory allocation")


@dataclass(frozen=True, slots=True)
class Machine:
    """How much memory the machine, or the container where that is tighter, may use and uses.

    >>> Machine(used_bytes=6_000, limit_bytes=8_000).pressure
    0.75
    """

    used_bytes: int
    limit_bytes: int

    @property
    def pressure(self) -> float:
        """The share in use, 0 to 1."""
        return self.used_bytes / self.limit_bytes


@dataclass(frozen=True, slots=True)
class WorkerReading:
    """One worker process at one moment; `heard` is the seconds since its last sign of life.

    `limit_bytes` 0 stands for no limit; `peak_bytes` is the most that its processes took since
    the worker's task began.
    """

    name: str
    pid: int
    busy: bool
    resident_bytes: int
    share_bytes: int
    peak_bytes: int
    limit_bytes: int
    restarts: int
    heard: float
    job: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was seen at one moment (Unix time); `total_bytes` is this program with its workers."""

    time: float
    machine: Machine
    total_bytes: int
    workers: tuple[WorkerReading, ...] = ()


def cores() -> int:
    """Return how many processors this process may use.

    >>> cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def work_cores(asked: int | None = None) -> int:
    """Return how many processors are for work: as asked for, else all but two, at least one.

    >>> work_cores(3)
    3
    """
    return asked or max(1, cores() - 2)


def machine(cgroups: Path = _CGROUPS, membership: Path = _MEMBERSHIP) -> Machine:
    """Return the memory of the machine, or of the container with the highest pressure."""
    memory = psutil.virtual_memory()
    whole = Machine(memory.total - memory.available, memory.total)
    tighter = (m for m in _containers(cgroups, membership) if 0 < m.limit_bytes < memory.total)
    return max([whole, *tighter], key=lambda found: found.pressure)


def limit_bytes(cgroups: Path = _CGROUPS, membership: Path = _MEMBERSHIP) -> int:
    """Return how much memory there is for all: the machine's, or a container's that is less."""
    limits = [found.limit_bytes for found in _containers(cgroups, membership)]
    return min([int(psutil.virtual_memory().total), *(limit for limit in limits if limit > 0)])


def _containers(cgroups: Path, membership: Path) -> Iterator[Machine]:
    """Yield the control groups with a limit that this process is in."""
    try:
        lines = [line.split(":", 2) for line in membership.read_text().splitlines()]
    except OSError:  # not Linux
        lines = []
    for controller, limit, used, droppable in _FILES:
        own = next((path for _, names, path in lines if controller in names.split(",")), "/")
        top = cgroups / controller
        folder = top / own.lstrip("/")  # inside a container it may be hidden; the top is not
        for place in dict.fromkeys([folder, *folder.parents, top]):
            if place != top and top not in place.parents:
                continue
            with contextlib.suppress(OSError, ValueError):  # no such file, or the word "max"
                most, now = int((place / limit).read_text()), int((place / used).read_text())
                yield Machine(max(0, now - _droppable(place, droppable)), most)


def _droppable(place: Path, name: str) -> int:
    """Return the bytes of files that the kernel keeps only until someone needs the room."""
    try:
        rows = (line.split() for line in (place / "memory.stat").read_text().splitlines())
        return next((int(row[1]) for row in rows if row[0] == name), 0)
    except OSError:
        return 0


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process; 0 for one that is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def share_bytes(pid: int) -> int:
    """Return a process's proportional share where the system tells it, else what is its own.

    0 for a process that is gone.
    """
    with contextlib.suppress(OSError):  # another system, or it has ended
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(psutil.Error, AttributeError):
        return int(psutil.Process(pid).memory_full_info().uss)
    return resident_bytes(pid)  # what is its own may be a secret


def own_shares() -> dict[int, int]:
    """Return what this program takes: of this process, and all that it has begun, the bytes.

    The system walks through all of a process's pages to tell its share. What one takes or lets go
    between is its own as a rule, so it is asked again where that is much, or where a process has
    come or gone that may share with it.
    """
    global _shares
    me = psutil.Process()
    pids = (me.pid, *(child.pid for child in me.children(recursive=True)))
    before = _shares if _shares.keys() == set(pids) else {}
    now, shares = {}, {}
    for pid in pids:
        resident = resident_bytes(pid)
        known, share = before.get(pid, (0, 0))
        if abs(resident - known) >= _LITTLE * known:
            known, share = resident, share_bytes(pid)
        now[pid], shares[pid] = (known, share), max(0, share + resident - known)
    _shares = now
    return shares


def own_bytes() -> int:
    """Return what this program takes in all."""
    return sum(own_shares().values())


def peak_bytes(pid: int) -> int:
    """Return the most resident memory of a process since `forget_peak`; 0 where nobody tells."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split(None, 1)[0]) * 1024
    except (OSError, IndexError):
        return 0


def reset_peak_of(pid: int) -> None:
    """Let `peak_bytes` begin anew, where the system can do that."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def trim() -> None:
    """Give freed memory back to the system; glibc keeps it otherwise (base: 278 MB, then 186)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # not every Linux has glibc
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def set_mmap_threshold(size: int) -> None:
    """Let blocks of memory from so many bytes on go back to the system as soon as they are free.

    glibc only; smaller ones stay in the heap, to be used again.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").mallopt(-3, size)  # M_MMAP_THRESHOLD


def collect() -> None:
    """Let go of what nothing refers to, down to the system."""
    gc.collect()
    trim()


def is_out_of_memory(error: BaseException | None) -> bool:
    """Tell whether an error is memory that the system would not give."""
    while error is not None:
        said = str(error).lower()
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if "cuda" not in said and any(words in said for words in _REFUSED):
            return True
        error = error.__cause__
    return False
