"""Stages that go wrong once, in the way that a file says; for `attacked_app.py`.

The files lie in the folder ATTACKS of the environment, one of the name of each stage, with a word
such as `leak`. The attack takes its file away, so that the next try is a good one.
"""

import contextlib
import functools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from transcrevai_core.jobs import tasks
from transcrevai_core.memory import readings
from transcrevai_core.workers import watcher

LEAK_MB_A_SECOND = 50
STAGES = ("prepare", "load_model", "decode", "diarize")


def attack(stage: str) -> None:
    """Go wrong, where this stage is meant."""
    file = Path(os.environ["ATTACKS"]) / stage
    if not file.is_file():
        return
    way = file.read_text()
    file.unlink()
    if way == "leak":
        leak(file.with_suffix(".log"))
    elif way == "hang":
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        os.kill(os.getpid(), {"kill": signal.SIGKILL, "segfault": signal.SIGSEGV}[way])


def leak(log: Path) -> None:
    """Take memory at a steady pace, and write down how much there is."""
    held: list[Any] = []
    step = 0.02
    with log.open("w") as file:
        while len(held) * step < 60:
            held.append(b"x" * round(LEAK_MB_A_SECOND * readings.MB * step))
            file.write(f"{readings.resident_bytes(os.getpid())}\n")
            file.flush()
            time.sleep(step)


def attacked(stage: str) -> Callable[..., Any]:
    real = getattr(tasks, stage)

    @functools.wraps(real)
    def function(*args: Any) -> Any:
        attack(stage)
        return real(*args)

    return function


# workers find them by their names in this module
prepare, load_model, decode, diarize = map(attacked, STAGES)
for function in (prepare, load_model, decode, diarize):
    function.__module__ = __name__


class Silence(watcher.Silence):
    """Silence in which the time of a process that is stopped runs faster, and no other's."""

    def count(self, pid: int | None) -> None:
        super().count(pid)
        with contextlib.suppress(psutil.Error):
            if pid and psutil.Process(pid).status() == psutil.STATUS_STOPPED:
                self.silent += 10


def begin() -> None:
    """Let the stages go wrong from now on."""
    setattr(watcher, "Silence", Silence)  # noqa: B010
    for stage in STAGES:
        setattr(tasks, stage, globals()[stage])
