"""Peak memory of the workers, and how far `transcrevai_core.memory.forecast` is from it.

    python -m benchmarks.forecast [--models demo tiny base small] [--folder CACHE] [--chunks 20]
        [--only transcription diarization prepare]
    python -m benchmarks.forecast --speech FOLDER --model base

Every row is the work of a fresh worker, its memory the highest resident one (VmHWM): a model is
loaded, the language detected and as many chunks decoded as are asked for, the way the program does
it; or a recording is prepared, or diarized. One thing at a time is varied around what is the
default: a file of int8 weights at int8, 1 thread, 5 beams, chunks of 30 s. The models are those of
`benchmarks.shapes`, made in CACHE where they are not there yet, the sound is a bundled sample, and
nothing is downloaded. An error above zero says that the worker needed more than was forecast.

The second way has a real model do a whole job: ten minutes of FOLDER's recordings, joined, with
the loops, the guesses and the speakers that are in them, and none of its peaks known beforehand.
Events are what the memory budget had to do about it, a worker that was ended among them.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks import shapes
from benchmarks.recordings import join, repeat_sample
from transcrevai_core import demo
from transcrevai_core.audio import decode
from transcrevai_core.diarization.recipes import learns, recipe_for
from transcrevai_core.jobs import direct, tasks
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library.store import Store
from transcrevai_core.memory import forecast
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.types import Chunk, Region
from transcrevai_core.workers.worker import Worker

SPEECH = 600.0  # s of real speech
SOUND = 300.0  # s of sound that the chunks are taken from, again and again
PARTS = ("transcription", "diarization", "prepare")
SMALLER = ("demo", "tiny", "base")  # quick enough to vary everything


def variations(name: str) -> Iterator[tuple[str, Shape]]:
    """Yield the quantization of the file and the shape of each row of a model."""
    default = Shape(name)
    yield "int8", default
    if name != "demo":
        yield "float16", default
        yield "float16", replace(default, compute_type="float32")
    if name in SMALLER:
        yield "int8", replace(default, threads=2)
        yield "int8", replace(default, threads=4)
        yield "int8", replace(default, beam_size=1)
        yield "int8", replace(default, beam_size=10)
        yield "int8", replace(default, chunk_seconds=10.0)
        yield "int8", replace(default, compute_type="float32", threads=4, beam_size=10)


def transcription(shape: Shape, model: Path, wav: Path, chunks: int) -> tuple[int, int]:
    """Return the worker's peak in bytes when the model is loaded, and in the end."""
    worker = Worker("transcription")
    spec = tasks.ModelSpec(shape.model, model, "cpu", shape.compute_type, shape.threads)
    length = shape.chunk_seconds
    begins = [index * length % SOUND for index in range(chunks)]
    planned = [
        Chunk(index, begin, begin + length, (Region(begin, begin + length),))
        for index, begin in enumerate(begins)
    ]
    arguments = {
        "language": "pt",
        "languages": ("pt",),
        "beam_size": shape.beam_size,
    }
    try:
        worker.call(tasks.load_model, spec, (), "transcribe")
        loaded = worker.read_peak()
        worker.call(tasks.detect_language, spec, wav, planned)
        for chunk in planned:
            segments, _ = worker.call(tasks.decode, spec, wav, chunk, arguments, length)
            assert shape.model == "demo" or segments, "the model says nothing"
        return loaded, worker.read_peak()
    finally:
        worker.stop()


def preparation(source: Path, wav: Path) -> int:
    """Prepare a recording and return the worker's peak in bytes."""
    worker = Worker("prepare")
    try:
        worker.call(tasks.prepare, source, wav, 0.4, 30.0)
        return worker.read_peak()
    finally:
        worker.stop()


def diarization(wav: Path, embedding: str) -> int:
    """Diarize a prepared recording and return the worker's peak in bytes."""
    worker = Worker("diarization")
    options = JobOptions(embedding=embedding).diarization()
    try:
        worker.call(tasks.diarize, wav, wav.with_name(f"{embedding}.npz"), options)
        return worker.read_peak()
    finally:
        worker.stop()


def transcription_rows(
    names: list[str], cache: Path, chunks: int
) -> Iterator[tuple[str, int, int]]:
    """Yield the label, the measured and the forecast bytes of each way a model works."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "audio.wav"
        decode.decode(repeat_sample(Path(folder) / "recording.flac", SOUND), wav)
        for name in names:
            for file, shape in variations(name):
                model = demo.MODEL_DIR if name == "demo" else shapes.make(cache, name, file)
                loaded, peak = transcription(shape, model, wav, chunks)
                label = (
                    f"{name}, {file} file, {shape.compute_type}, {shape.threads} threads, "
                    f"{shape.beam_size} beams, {shape.chunk_seconds:.0f} s ({loaded / 1e6:.0f})"
                )
                # a name stands for the published file
                asked = shape if file == "float16" else replace(shape, model=str(model))
                asked = shape if name == "demo" else asked
                yield label, peak, forecast.transcription_bytes(asked)


def recording_rows(parts: list[str]) -> Iterator[tuple[str, int, int]]:
    """Yield the same of preparing and diarizing."""
    for seconds in (60.0, 600.0, 3600.0, 14400.0):
        label = f"{seconds / 60:.0f} min"
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "audio.wav"
            peak = preparation(repeat_sample(Path(folder) / "recording.flac", seconds), wav)
            if "prepare" in parts:
                yield f"prepare, {label}", peak, forecast.prepare_bytes(seconds)
            if "diarization" in parts and seconds > 60:
                for embedding in ("voice", "ivector", "mfcc"):
                    peak = diarization(wav, embedding)
                    learning = learns(recipe_for(embedding))
                    expected = forecast.diarization_bytes(embedding, seconds, learns=learning)
                    yield f"diarization, {embedding}, {label}", peak, expected


def job_rows(model: str, speech: Path) -> Iterator[tuple[str, int, int]]:
    """Yield the same of each stage of a job on real speech, and print what memory did."""
    with tempfile.TemporaryDirectory() as folder:
        recording = join(Path(folder) / "speech.wav", speech, SPEECH)
        home = Path(folder) / "home"
        with Governor(Store(home), load_settings(home=home)) as governor:
            options = JobOptions(model=model, compute_type="int8", device="cpu", threads=1)
            job = direct.run(governor, direct.open_job(governor.store, recording, options))
            assert job.state == "done", job.error
            for run in reversed(governor.journal.runs()):
                label = f"{model}, {run.stage}, {SPEECH / 60:.0f} min of speech"
                yield label, run.peak_bytes, run.forecast_bytes
            events = governor.journal.events(job=job.id)
            print(f"events: {', '.join(event.kind for event in events) or 'none'}")


def main() -> None:
    """Print one line a row, and the worst error."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="*", default=["demo", "tiny", "base", "small"])
    parser.add_argument("--folder", type=Path, help="where the models are kept")
    parser.add_argument("--chunks", type=int, default=20)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--speech", type=Path, help="recordings, for a job with a real model")
    parser.add_argument("--model", default="base", help="the model of that job")
    arguments = parser.parse_args()
    worst = 0.0
    print(f"{'worker (MB at its peak once loaded)':<72} {'MB':>6} {'forecast':>8} {'error':>7}")
    with tempfile.TemporaryDirectory() as folder:
        rows: list[Iterator[tuple[str, int, int]]] = []
        if arguments.speech:
            rows.append(job_rows(arguments.model, arguments.speech))
        elif "transcription" in arguments.only:
            cache = arguments.folder or Path(folder)
            rows.append(transcription_rows(arguments.models, cache, arguments.chunks))
        if not arguments.speech and {"diarization", "prepare"} & set(arguments.only):
            rows.append(recording_rows(arguments.only))
        for label, measured, expected in (row for part in rows for row in part):
            error = measured / expected - 1
            worst = max(worst, error, key=abs)
            print(
                f"{label:<72} {measured / 1e6:6.0f} {expected / 1e6:8.0f} {100 * error:+6.1f}%",
                flush=True,
            )
    print(f"worst error {100 * worst:+.1f}%")


if __name__ == "__main__":
    main()
