"""Time of the pipeline's decoding loop against faster-whisper called directly on the same chunks.

    python -m benchmarks.overhead [--model demo] [--minutes 5] [--rounds 5]

The pipeline decodes in its worker and writes every chunk to the store; the peer calls
`WhisperModel.transcribe` in a loop with the same arguments. Both run in turns, with a warm model,
and without diarization, which the peer does not do.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.recordings import repeat_sample
from transcrevai_core.audio import pcm
from transcrevai_core.jobs import direct, models, tasks
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library.store import Store
from transcrevai_core.memory import readings
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.transcription.catalogue import locate
from transcrevai_core.types import Chunk
from transcrevai_core.workers.worker import Worker


class TimedStore(Store):
    """A store that notes when the first chunk of the job in hand is begun."""

    begun = 0.0

    def begin_chunk(self, job_id: str, index: int) -> None:
        """Note the time of the first call."""
        if index == 0:
            self.begun = time.perf_counter()
        super().begin_chunk(job_id, index)


def through_pipeline(
    governor: Governor, store: TimedStore, source: Path, options: JobOptions
) -> tuple[float, list[Chunk], Path]:
    """Return the seconds from the first chunk's begin to the job's end, its chunks and sound."""
    done = direct.run(governor, direct.open_job(store, source, options))
    assert done.state == "done", done.error
    return time.perf_counter() - store.begun, store.chunks(done.id), store.wav(done.id)


def decode_directly(spec: tasks.ModelSpec, wav: Path, chunks: list[Chunk]) -> float:
    """In a worker: call faster-whisper on each chunk and return the seconds it took."""
    model = tasks._model(spec).model
    begun = time.perf_counter()
    for chunk in chunks:
        samples = pcm.read(wav, chunk.start, chunk.end)
        segments, _ = model.transcribe(
            samples,
            language="pt",
            beam_size=5,
            condition_on_previous_text=False,
            word_timestamps=True,
            vad_filter=False,
        )
        list(segments)
    return time.perf_counter() - begun


def main() -> None:
    """Print both times and their ratio for each round, then the median ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    options = JobOptions(model=arguments.model, language="pt", threads=1, diarize=False)
    if locate(options.model) is None:
        raise SystemExit(f"{options.model} is not here: transcrevai models pull {options.model}")
    spec = models.model_spec(Shape(options.model, options.compute_type), options.device)
    peer = Worker("peer", cores=readings.work_cores())
    ratios = []
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory())
        store = TimedStore(Path(home))
        governor = stack.enter_context(Governor(store, load_settings(home=home)))
        source = repeat_sample(Path(home) / "recording.flac", arguments.minutes * 60)
        _, chunks, wav = through_pipeline(governor, store, source, options)  # warms the worker
        peer.call(decode_directly, spec, wav, chunks[:1])
        for _ in range(arguments.rounds):
            direct = peer.call(decode_directly, spec, wav, chunks)
            mine, _, _ = through_pipeline(governor, store, source, options)
            ratios.append(mine / direct)
            print(
                f"{len(chunks)} chunks: pipeline {mine:.2f} s, faster-whisper {direct:.2f} s, "
                f"ratio {mine / direct:.3f}",
                flush=True,
            )
        peer.stop()
    print(f"median ratio {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
