"""What the web process costs: run with `python -m benchmarks.web_memory`; needs Chromium.

Prints the time to the first health answer, the resident memory with one open page, and what a
500 MB upload through the drop zone and the playback of 500 MB add to it.
"""

import re
import tempfile
import time
import wave
from pathlib import Path

from tools.serving import browsing, serving
from transcrevai_core import demo
from transcrevai_core.library.store import Store
from transcrevai_core.memory import readings
from transcrevai_core.memory.readings import MB
from transcrevai_core.options import JobOptions
from transcrevai_core.types import Chunk, Segment, Turn

SIZE = 500 * MB
# how the job of a file without sound ends: at its reader's limit, where there is so much of it
ENDED = re.compile("cannot be decoded|ended its worker")
TARGETS = {"start": 3.0, "idle": 120.0, "added": 20.0, "timeline": 130.0}


class Meter:
    """Resident memory of one process, in MB: now, and at its highest since the last reset."""

    def __init__(self, pid: int):
        self.pid = pid

    def now(self) -> float:
        """Read the present value, after a moment of quiet."""
        time.sleep(2)
        return readings.resident_bytes(self.pid) / MB

    def reset(self) -> None:
        """Forget the highest value so far."""
        readings.reset_peak_of(self.pid)

    def peak(self) -> float:
        """Read the highest value since the reset, as the kernel keeps it."""
        return readings.peak_bytes(self.pid) / MB


def add_long_job(library: Store) -> str:
    """Put a finished job with 500 MB of silence (four hours) into the library; sparse on disk."""
    seconds = SIZE / 32_000
    job = library.add_job(Path("long.mp3"), JobOptions().model_dump(), title="long")
    with wave.open(str(library.wav(job.id)), "wb") as sound:
        sound.setparams((1, 2, 16_000, SIZE // 2, "NONE", ""))
        sound.writeframes(b"")
    with library.wav(job.id).open("r+b") as file:
        file.truncate(44 + SIZE)
        for at, value in ((4, 36 + SIZE), (40, SIZE)):  # the lengths in the header
            file.seek(at)
            file.write(value.to_bytes(4, "little"))
    library.save_plan(job.id, [Chunk(0, 0, seconds)])
    late = Segment(seconds - 60, seconds - 50, " late")
    library.save_chunk(job.id, 0, [Segment(0, 1, " early"), late], dropped=0, seconds=1)
    turns = [Turn(at, at + 5, f"SPEAKER_{at // 6 % 6:02}") for at in range(0, int(seconds), 6)]
    library.save_diarization(job.id, turns, {})  # 2,600 for the timeline
    library.update_job(job.id, state="done", duration=seconds, model="demo")
    return job.id


def report(what: str, value: float, unit: str, target: float) -> None:
    """Print one figure beside its target."""
    verdict = "met" if value < target else "MISSED"
    print(f"{what:<58}{value:8.1f} {unit}   below {target:g} {unit}: {verdict}", flush=True)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        big = Path(folder) / "big.mp3"
        with big.open("wb") as file:
            file.truncate(SIZE)
        long_job = add_long_job(Store(home))
        with serving(home) as server, browsing() as browser:
            report("first health answer", server.seconds, "s ", TARGETS["start"])
            meter = Meter(server.pid)
            page = browser.new_page()
            page.set_default_timeout(120_000)
            page.goto(server.url)
            page.get_by_role("button", name=demo.SAMPLES["pt"]).wait_for()
            idle = meter.now()
            report("resident, one open page", idle, "MB", TARGETS["idle"])

            meter.reset()
            page.locator("input[type=file]").set_input_files(big)
            page.get_by_text(ENDED).wait_for()  # it has become a job, and failed
            report("added at the peak of a 500 MB upload", meter.peak() - idle, "MB",
                   TARGETS["added"])  # fmt: skip

            page.goto(f"{server.url}/transcript?job={long_job}")
            page.locator(".row").first.wait_for()
            before = meter.now()
            meter.reset()
            page.get_by_role("button", name="4:19:25", exact=True).click()
            sound = page.locator("audio")
            sound.evaluate("async a => { while (a.currentTime < 15560) "
                           "await new Promise(done => setTimeout(done, 50)) }")  # fmt: skip
            sound.evaluate("a => fetch(a.src).then(a => a.blob()).then(b => window.got = b.size)")
            page.wait_for_function(f"window.got >= {SIZE}")
            report("added at the peak of playing 500 MB, seeking and whole",
                   meter.peak() - before, "MB", TARGETS["added"])  # fmt: skip
            report(
                "resident afterwards, with a transcript of four hours",
                meter.now(),
                "MB",
                TARGETS["timeline"],
            )


if __name__ == "__main__":
    main()
