"""Peak memory of the prepare worker (decoding and speech detection) against a recording's length.

    python -m benchmarks.long_recordings [--hours 1 12]

Each length is prepared by a fresh worker; the peer is the 1-minute recording of the same run.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.recordings import repeat_sample
from transcrevai_core.jobs import tasks
from transcrevai_core.workers.worker import Worker


def measure(seconds: float, folder: Path) -> tuple[int, float, int]:
    """Return peak bytes of the worker, seconds of processing, and chunks planned."""
    source = repeat_sample(folder / "recording.flac", seconds)
    worker = Worker("prepare")
    begun = time.monotonic()
    info, chunks = worker.call(tasks.prepare, source, folder / "audio.wav", 0.4, 30.0)
    took = time.monotonic() - begun
    assert abs(info.duration - seconds) < 0.01
    peak = worker.read_peak()
    worker.stop()
    return peak, took, len(chunks)


def main() -> None:
    """Print one line a length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, nargs="*", default=[1, 12])
    hours = parser.parse_args().hours
    print(f"{'length':>10} {'peak MB':>8} {'of 1 min':>9} {'seconds':>8} {'RTF':>7} {'chunks':>7}")
    first = 0
    for seconds in (60, *(3600 * h for h in hours)):
        with tempfile.TemporaryDirectory() as folder:
            peak, took, chunks = measure(seconds, Path(folder))
        first = first or peak
        print(
            f"{seconds / 3600:8.2f} h {peak / 1e6:8.1f} {peak / first:9.3f} {took:8.1f} "
            f"{took / seconds:7.4f} {chunks:7d}",
            flush=True,
        )


if __name__ == "__main__":
    main()
