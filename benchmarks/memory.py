"""Memory of the whole program over recordings of many lengths and models of the true shapes.

    python -m benchmarks.memory [--models tiny base small] [--hours 3] [--folder CACHE]

A real server with one open page, in a library of its own for each part; memory is the
proportional share of all its processes, 20 times a second. The models have random weights in the
shapes of the published float16 files (`benchmarks.shapes`), computed in INT8; the sound is the
bundled sample, repeated. Needs Chromium and the extra `test`.

1. Recordings of 10, 30, 60, 120, 300 s and 1 h in a row, with the base shape: what is left after
   each, once its model has left, against what there was before the first.
2. For each model, a recording of 10 minutes with its speakers, inside a budget of which so much can
   be planned as the peak should stay below: the peak against that, and against the forecast.
3. For the first of the models, a recording of some hours: its peak against that of 10 minutes.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks import shapes
from benchmarks.recordings import repeat_sample
from tools.serving import Server, browsing, serving
from transcrevai_core.library.store import Store
from transcrevai_core.memory import readings
from transcrevai_core.memory.readings import MB
from transcrevai_core.types import Job

SERIES = (10, 30, 60, 120, 300, 3600)  # seconds
TEN_MINUTES = 600
MOST = {"tiny": 450, "base": 600, "small": 850}  # MB, which the peak should stay below
IDLE, KEPT, ERROR, LONGER = 120, 20, 0.15, 0.05
DEGRADED_PERCENT, KILL_PERCENT = 75, 85  # the settings' defaults
OPTIONS = {"language": "pt", "compute_type": "int8"}


class Meter(threading.Thread):
    """The memory of a process and all that it has begun, in bytes: now, and its peak."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.peak = self.now = 0
        self.start()

    def run(self) -> None:
        """Sample 20 times a second until the process ends."""
        while self.process.is_running():
            children = self.process.children(recursive=True)
            self.now = sum(
                map(readings.share_bytes, (self.process.pid, *(c.pid for c in children)))
            )
            self.peak = max(self.peak, self.now)
            time.sleep(0.05)

    def rest(self, seconds: float = 5.0) -> int:
        """Return the memory after a moment of quiet."""
        time.sleep(seconds)
        return self.now


@contextmanager
def measured(home: Path, **environment: str) -> Iterator[tuple[Server, Store, Meter]]:
    """Run a server with one open page, whose models leave as soon as they are idle."""
    environment = {"TRANSCREVAI_MODEL_IDLE_SECONDS": "0"} | environment
    with serving(home, **environment) as server, browsing() as browser:
        page = browser.new_page()
        page.goto(server.url)
        page.get_by_text("Try a sample").first.wait_for()
        yield server, Store(home), Meter(server.pid)


def run(store: Store, meter: Meter, source: Path, model: Path) -> tuple[Job, int]:
    """Run a job through the server and return it with the program's peak meanwhile (bytes)."""
    meter.peak = meter.now
    job = store.add_job(source, OPTIONS | {"model": str(model)})
    while (job := store.job(job.id)).state not in ("done", "failed", "cancelled"):
        time.sleep(0.2)
    assert job.state == "done", job.error
    assert job.diarization and store.segments(job.id, last=1), "there is no text, or no speakers"
    return job, meter.peak


def verdict(met: bool) -> str:
    """Say whether a target was met."""
    return "met" if met else "MISSED"


def series(model: Path, folder: Path) -> None:
    """Print what is left after each of some recordings in a row."""
    with measured(folder / "series") as (_, store, meter):
        before = meter.rest()
        print(f"idle with one page: {before / MB:.0f} MB, below {IDLE}: "
              f"{verdict(before <= IDLE * MB)}", flush=True)  # fmt: skip
        for seconds in SERIES:
            source = repeat_sample(folder / f"{seconds}.flac", seconds)
            job, peak = run(store, meter, source, model)
            after = meter.rest()
            print(
                f"{seconds:5d} s: peak {peak / MB:4.0f} MB, after it {after / MB:4.0f} MB "
                f"({(after - before) / MB:+.0f}), within {KEPT} of before: "
                f"{verdict(abs(after - before) <= KEPT * MB)}; RTF {job.seconds / seconds:.3f}",
                flush=True,
            )
            source.unlink()


def budgeted(name: str, model: Path, folder: Path, hours: float) -> None:
    """Print the peak of a recording of 10 minutes inside a budget, and of a longer one."""
    most = MOST.get(name, 2_000)
    whole = round(most * KILL_PERCENT / DEGRADED_PERCENT)  # plans keep below the first level
    with measured(folder / name, TRANSCREVAI_MEMORY_BUDGET_MB=str(whole)) as (_, store, meter):
        source = repeat_sample(folder / "short.flac", TEN_MINUTES)
        job, peak = run(store, meter, source, model)
        error = peak / job.forecast - 1
        print(
            f"{name:6} 10 min: peak {peak / MB:4.0f} MB, forecast {job.forecast / MB:4.0f} "
            f"({error:+.1%}), within {ERROR:.0%}: {verdict(abs(error) <= ERROR)}; below {most}: "
            f"{verdict(peak <= most * MB)}; RTF {job.seconds / TEN_MINUTES:.3f}",
            flush=True,
        )
        if hours:
            source = repeat_sample(folder / "long.flac", hours * 3600)
            job, longer = run(store, meter, source, model)
            print(
                f"{name:6} {hours:g} h: peak {longer / MB:4.0f} MB, {longer / peak:.3f} times, "
                f"within {LONGER:.0%}: {verdict(longer <= (1 + LONGER) * peak)}; forecast "
                f"{job.forecast / MB:.0f}",
                flush=True,
            )


def main() -> None:
    """Print one line a measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="*", default=["tiny", "base", "small"])
    parser.add_argument("--hours", type=float, default=3.0, help="of the long recording; 0: none")
    parser.add_argument("--folder", type=Path, help="where the models are kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache = arguments.folder or folder
        for number, model in enumerate(arguments.models):
            hours = 0.0 if number else arguments.hours
            budgeted(model, shapes.make(cache, model, "float16"), folder, hours)
        series(shapes.make(cache, "base", "float16"), folder)


if __name__ == "__main__":
    main()
