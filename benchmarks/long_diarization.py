"""Who spoke when in long recordings: speed, memory, and the work after a changed setting.

    python -m benchmarks.long_diarization [--embeddings voice ivector mfcc] [--hours 1 4]

The recordings repeat a bundled sample, so nothing but the program is needed. Each is worked on by
a fresh worker on one thread. RTF is processor seconds, sound to turns, per second of audio,
imports and decoding apart; memory is the highest of the worker. "again" is the work, in processor
seconds, of making new turns from the voices on disk once a setting has changed: the number of
speakers given, or how alike clusters may be that are one voice. "cached" is the whole stage of a
job, in seconds, where the cache has the answer: looking it up, reading it, and writing the turns to
the library.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.recordings import recipe_of, repeat_sample
from transcrevai_core import demo
from transcrevai_core.audio import decode
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.jobs import diarize as speakers
from transcrevai_core.jobs import direct, planning
from transcrevai_core.jobs.attempt import Attempt
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library.cache import Cache
from transcrevai_core.library.store import Store
from transcrevai_core.settings import load_settings
from transcrevai_core.workers.worker import Worker


def find_turns(wav: Path, voices_file: Path, embedding: str) -> tuple[float, int, int]:
    """In a worker: diarize and keep the voices; returns processor seconds, windows, speakers."""
    from transcrevai_core.diarization.pipeline import cluster, embed_recording, reader

    recipe = recipe_of(embedding)
    begun = time.process_time()
    voices = embed_recording(wav, recipe)
    found = cluster(voices, (1, 6), recipe, reader(wav))
    took = time.process_time() - begun
    voices.save(voices_file)
    return took, len(voices.windows), found.count.number


def find_again(wav: Path, voices_file: Path, embedding: str, speakers: int | None) -> float:
    """In a worker: processor seconds to new turns from voices on disk, a setting changed."""
    from transcrevai_core.diarization.pipeline import Voices, cluster, reader

    recipe = recipe_of(embedding)
    begun = time.process_time()
    voices = Voices.load(voices_file)
    cluster(voices, speakers or (1, 6), replace(recipe, alike=recipe.alike - 0.03), reader(wav))
    return time.process_time() - begun


def find_cached(recording: Path, home: Path, embedding: str) -> float:
    """Seconds that a job's stage of speakers takes when the same was asked before."""
    settings, store = load_settings(home=home), Store(home)
    options = settings.job_options({"model": "none", "embedding": embedding})
    with Governor(store, settings) as governor:
        job = direct.run(governor, direct.open_job(store, recording, options))
        plan = planning.plan_for(store, settings, options, job.duration)
        begun = time.perf_counter()
        speakers.find(Attempt(governor, job, plan, lambda: False))
        took = time.perf_counter() - begun
    assert sum(tier.hits for tier in Cache(store, settings).stats()) == 1
    return took


def measure(embedding: str, seconds: float, folder: Path) -> str:
    """Return one line of the table."""
    wav, voices = folder / "audio.wav", folder / "voices.npz"
    worker = Worker("diarization")
    try:
        decode.decode(demo.sample_path("pt"), wav)
        worker.call(find_turns, wav, voices, embedding)  # imports
        recording = repeat_sample(folder / "recording.flac", seconds)
        decode.decode(recording, wav)
        took, windows, speakers = worker.call(find_turns, wav, voices, embedding)
        given = worker.call(find_again, wav, voices, embedding, 2)
        alike = worker.call(find_again, wav, voices, embedding, None)
        peak = worker.read_peak()
    finally:
        worker.stop()
    cached = find_cached(recording, folder / "home", embedding)
    return (
        f"{took / seconds:8.4f} {peak / 1e6:8.0f} {windows:8d} {speakers:9d} {given:13.2f} "
        f"{alike:13.2f} {cached:7.3f}"
    )


def main() -> None:
    """Print one line an embedding and length."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--embeddings", nargs="*", default=["voice", "ivector", "mfcc"])
    parser.add_argument("--hours", type=float, nargs="*", default=[1, 4])
    arguments = parser.parse_args()
    print(
        f"{'embedding':<18} {'hours':>5} {'RTF':>8} {'peak MB':>8} {'windows':>8} {'speakers':>9} "
        f"{'again, given':>13} {'again, alike':>13} {'cached':>7}"
    )
    for embedding in arguments.embeddings:
        label = Path(embedding).name[:18]
        for hours in arguments.hours:
            try:
                with tempfile.TemporaryDirectory() as folder:
                    line = measure(embedding, 3600 * hours, Path(folder))
            except TranscrevaiError as error:
                print(f"{label:<18} left out: {error}", flush=True)
                break
            print(f"{label:<18} {hours:5.1f} {line}", flush=True)


if __name__ == "__main__":
    main()
