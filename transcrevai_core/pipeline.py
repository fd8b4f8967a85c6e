"""The story of one recording, top to bottom: prepare, load, detect, decode chunk by chunk.

Every step's result is in the store before the next begins, so a job that was interrupted
anywhere goes on from there.
"""

import dataclasses
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from transcrevai_core import demo, stages
from transcrevai_core.errors import (
    AudioError,
    Cancelled,
    InputError,
    TranscrevaiError,
    WorkerDied,
)
from transcrevai_core.models import fetch_model, model_spec
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import Settings
from transcrevai_core.store import Store
from transcrevai_core.transcription.catalogue import DEMO
from transcrevai_core.types import SAMPLE_RATE, WAV_HEADER_BYTES, Chunk, Job
from transcrevai_core.workers import Worker

log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_ATTEMPTS = 3  # a task whose worker died so often is not tried again
_PROMPT_CHARACTERS = 800  # of the text before; Whisper's prompt holds about 220 tokens


def run_job(
    store: Store,
    settings: Settings,
    transcriber: Worker,
    job: Job,
    ending: Callable[[], bool] = lambda: False,
) -> Job:
    """Bring a claimed job to its end (done, failed or cancelled) and return it.

    Whatever goes wrong ends this job alone, with one sentence in `error`; finished chunks stay.
    Where `ending` turns true the job is left as it is, to go on at the program's next start.
    """
    store.update_job(job.id, started=time.time())
    end: dict[str, Any] = {"state": "failed"}
    try:
        _Run(store, settings, transcriber, job, ending).transcribe()
        end = {"state": "done", "progress": 1.0, "error": ""}
    except (Cancelled, KeyboardInterrupt) as stop:
        left = ending() and not store.job(job.id).cancel_requested
        end = {} if left else {"state": "cancelled"}
        if isinstance(stop, KeyboardInterrupt):
            raise
    except TranscrevaiError as error:
        end["error"] = str(error)
    except MemoryError:
        end["error"] = "There was not enough memory; a smaller model or shorter chunks would fit."
    except Exception as error:
        # a fault of ours must not take the other jobs along; the log has the rest of it
        log.exception("job %s failed", job.id)
        end["error"] = f"An unexpected fault ended the job ({type(error).__name__}: {error})."
    finally:
        # in one write: whoever sees the new state may take the job at once
        store.update_job(job.id, owner=None, stage="", **end)
    return store.job(job.id)


class _Run:
    """One attempt at one job: what every step of it needs."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        transcriber: Worker,
        job: Job,
        ending: Callable[[], bool],
    ):
        self.store = store
        self.settings = settings
        self.transcriber = transcriber
        self.job = job
        self.options = JobOptions(**job.options)
        self.wav = store.wav(job.id)
        self.ending = ending
        self.spec: stages.ModelSpec  # which model does the work, from `ready` on
        self._asked = self._written = 0.0
        self._cancelled = False

    def transcribe(self) -> None:
        """Do what is still to be done."""
        if self.options.model == DEMO.name and self.options.task == "translate":
            raise InputError(
                "The demo model cannot translate; another model or the task transcribe would be "
                "right."
            )
        if not self.is_prepared():
            self.prepare()
        chunks = self.store.chunks(self.job.id)
        if not chunks:
            return
        self.load()
        language = self.detect(chunks)
        left = self.store.chunks(self.job.id, unfinished=True)
        self.update(stage="transcribing", progress=1 - len(left) / len(chunks))
        for chunk in left:
            self.decode(chunk, language)

    def is_prepared(self) -> bool:
        """Tell whether an earlier attempt has left the plan, and the sound whole."""
        if not (self.job.digest and self.job.duration and self.wav.is_file()):
            return False
        samples = round(self.job.duration * SAMPLE_RATE)
        return self.wav.stat().st_size == WAV_HEADER_BYTES + 2 * samples

    def prepare(self) -> None:
        """Decode the recording and plan its chunks, in a worker that ends with the task."""
        self.update(state="preparing", stage="reading the recording", progress=0.0)
        begun = time.monotonic()
        worker = Worker("prepare")
        try:
            info, chunks = self.call(
                worker,
                stages.prepare,
                self.job.source,
                self.wav,
                self.options.vad_threshold,
                self.options.chunk_seconds,
            )
        except WorkerDied:
            raise AudioError(
                f"Reading {self.job.title} ended its worker {MAX_ATTEMPTS} times; the file may be "
                "damaged, and a copy converted by another program would be right."
            ) from None
        finally:
            worker.stop()
            self.wav.with_suffix(".part").unlink(missing_ok=True)
        if info.damaged_at is not None:
            self.note(f"The recording is damaged after {info.damaged_at:.0f} s; it ends there.")
        if not chunks:
            self.note("No speech was found in this recording.")
        self.store.save_plan(self.job.id, chunks)
        seconds = self.job.seconds + time.monotonic() - begun
        self.update(duration=info.duration, digest=info.digest, seconds=seconds)

    def load(self) -> None:
        """Have the model on this computer and in the worker, and write down what came of it."""
        self.update(state="transcribing", stage="loading the model", progress=0.0)
        folder = fetch_model(
            self.options.model,
            self.settings.download_stall_seconds,
            on_progress=lambda done: self.update(stage="downloading the model", progress=done),
            should_stop=self.should_stop,
        )
        self.update(stage="loading the model", progress=0.0)
        self.ready(model_spec(self.options, folder))
        if self.options.model == DEMO.name:
            self.note(demo.NOTE)

    def ready(self, spec: stages.ModelSpec) -> None:
        """Load the model in the worker and note where and how it runs."""
        options, self.spec = self.options, spec
        report = self.call(
            self.transcriber, stages.load_model, spec, options.language, options.task
        )
        self.note(*report.notes)
        self.update(model=options.model, device=report.device, compute_type=report.compute_type)

    def detect(self, chunks: list[Chunk]) -> str:
        """Return the language: as asked for, as found earlier, or as the model hears it."""
        if self.options.language:
            self.update(language=self.options.language)
        elif self.job.language is None:
            language, probability = self.ask_model(stages.detect_language, self.wav, chunks)
            self.update(language=language, language_probability=probability)
        return self.job.language or "en"

    def decode(self, chunk: Chunk, language: str) -> None:
        """Decode a chunk and write it."""
        begun = time.monotonic()
        segments, dropped = self.ask_model(
            stages.decode,
            self.wav,
            chunk,
            self.arguments(language),
            before=lambda: self.store.begin_chunk(self.job.id, chunk.index),
        )
        self.store.save_chunk(
            self.job.id, chunk.index, segments, dropped=dropped, seconds=time.monotonic() - begun
        )

    def ask_model(
        self, function: Callable[..., T], *args: Any, before: Callable[[], Any] = lambda: None
    ) -> T:
        """Run a task with the model in hand; where a GPU fails at it, go on with the CPU."""
        try:
            return self.call(self.transcriber, function, self.spec, *args, before=before)
        except RuntimeError as error:
            if self.job.device == "cpu":
                raise
            # a GPU that loads a model may still lack the memory, or a library, to run it
            self.note(f"The GPU gave up ({_first_line(error)}); the CPU is used instead.")
            self.ready(dataclasses.replace(self.spec, device="cpu"))
            return self.call(self.transcriber, function, self.spec, *args, before=before)

    def arguments(self, language: str) -> dict[str, Any]:
        """Return what `faster_whisper.WhisperModel.transcribe` is called with for a chunk."""
        options = self.options
        prompt = options.initial_prompt
        if options.condition_on_previous_text:
            written = " ".join(s.text.strip() for s in self.store.segments(self.job.id))
            prompt = f"{prompt or ''} {written[-_PROMPT_CHARACTERS:]}".strip() or None
        return {
            "language": language,
            "task": options.task,
            "beam_size": options.beam_size,
            "initial_prompt": prompt,
            "hotwords": options.hotwords,
            "condition_on_previous_text": options.condition_on_previous_text,
        }

    def call(
        self,
        worker: Worker,
        function: Callable[..., T],
        *args: Any,
        before: Callable[[], Any] = lambda: None,
    ) -> T:
        """Run a task in a worker, again where the worker died on it, `MAX_ATTEMPTS` in all.

        `before` is called before each attempt.
        """
        attempts = 0
        while True:
            attempts += 1
            before()
            try:
                return worker.call(
                    function, *args, on_event=self.progress, should_stop=self.should_stop
                )
            except WorkerDied:
                if attempts == MAX_ATTEMPTS:
                    raise

    def update(self, **changes: Any) -> None:
        """Write fields of the job, and know them."""
        self.store.update_job(self.job.id, **changes)
        self.job = dataclasses.replace(self.job, **changes)

    def note(self, *sentences: str) -> None:
        """Add sentences to the job's notes; a resumed job says nothing twice."""
        self.update(notes=tuple(dict.fromkeys([*self.job.notes, *sentences])))

    def progress(self, done: float) -> None:
        """Write the share that a worker reported, at most twice a second."""
        if time.monotonic() - self._written > 0.5:
            self._written = time.monotonic()
            self.update(progress=done)

    def should_stop(self) -> bool:
        """Tell whether the program ends or the user has cancelled, asked 4 times a second."""
        if time.monotonic() - self._asked > 0.25:
            self._asked = time.monotonic()
            self._cancelled = self.store.job(self.job.id).cancel_requested
        return self._cancelled or self.ending()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
