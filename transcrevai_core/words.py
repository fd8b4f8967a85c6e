"""What was said, as a stage of a job: load, detect the language, decode chunk by chunk."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any, TypeVar

from transcrevai_core import demo, stages
from transcrevai_core.attempt import Attempt, first_line
from transcrevai_core.models import fetch_model, model_spec
from transcrevai_core.transcription.catalogue import DEMO
from transcrevai_core.types import Chunk
from transcrevai_core.workers import Worker

T = TypeVar("T")

_PROMPT_CHARACTERS = 800  # of the text before; Whisper's prompt holds about 220 tokens


class Transcription:
    """A model at work on a job's chunks, in the worker that keeps it."""

    def __init__(self, attempt: Attempt, transcriber: Worker) -> None:
        self.attempt = attempt
        self.options = attempt.options
        self.transcriber = transcriber
        self.spec: stages.ModelSpec  # which model does the work, from `ready` on

    def run(self, chunks: list[Chunk]) -> None:
        """Decode the chunks that are still to be decoded."""
        attempt = self.attempt
        self.load()
        language = self.detect(chunks)
        left = attempt.store.chunks(attempt.job.id, unfinished=True)
        attempt.update(stage="transcribing", progress=1 - len(left) / len(chunks))
        for chunk in left:
            self.decode(chunk, language)

    def load(self) -> None:
        """Have the model on this computer and in the worker, and write down what came of it."""
        attempt = self.attempt
        attempt.update(state="transcribing", stage="loading the model", progress=0.0)
        folder = fetch_model(
            self.options.model,
            attempt.settings.download_stall_seconds,
            on_progress=lambda done: attempt.update(stage="downloading the model", progress=done),
            should_stop=attempt.should_stop,
        )
        attempt.update(stage="loading the model", progress=0.0)
        self.ready(model_spec(self.options, folder))
        if self.options.model == DEMO.name:
            attempt.note(demo.NOTE)

    def ready(self, spec: stages.ModelSpec) -> None:
        """Load the model in the worker and note where and how it runs."""
        options, self.spec = self.options, spec
        report = self.attempt.call(
            self.transcriber, stages.load_model, spec, options.language, options.task
        )
        self.attempt.note(*report.notes)
        self.attempt.update(
            model=options.model, device=report.device, compute_type=report.compute_type
        )

    def detect(self, chunks: list[Chunk]) -> str:
        """Return the language: as asked for, as found earlier, or as the model hears it."""
        attempt = self.attempt
        if self.options.language:
            attempt.update(language=self.options.language)
        elif attempt.job.language is None:
            language, probability = self.ask_model(stages.detect_language, attempt.wav, chunks)
            attempt.update(language=language, language_probability=probability)
        return attempt.job.language or "en"

    def decode(self, chunk: Chunk, language: str) -> None:
        """Decode a chunk and write it."""
        begun, store, job_id = time.monotonic(), self.attempt.store, self.attempt.job.id
        segments, dropped = self.ask_model(
            stages.decode,
            self.attempt.wav,
            chunk,
            self.arguments(language),
            before=lambda: store.begin_chunk(job_id, chunk.index),
        )
        seconds = time.monotonic() - begun
        store.save_chunk(job_id, chunk.index, segments, dropped=dropped, seconds=seconds)

    def ask_model(
        self, function: Callable[..., T], *args: Any, before: Callable[[], Any] = lambda: None
    ) -> T:
        """Run a task with the model in hand; where a GPU fails at it, go on with the CPU."""
        call = self.attempt.call
        try:
            return call(self.transcriber, function, self.spec, *args, before=before)
        except RuntimeError as error:
            if self.attempt.job.device == "cpu":
                raise
            # a GPU that loads a model may still lack the memory, or a library, to run it
            self.attempt.note(f"The GPU gave up ({first_line(error)}); the CPU is used instead.")
            self.ready(dataclasses.replace(self.spec, device="cpu"))
            return call(self.transcriber, function, self.spec, *args, before=before)

    def arguments(self, language: str) -> dict[str, Any]:
        """Return what `faster_whisper.WhisperModel.transcribe` is called with for a chunk."""
        options = self.options
        prompt = options.initial_prompt
        if options.condition_on_previous_text:
            done = self.attempt.store.segments(self.attempt.job.id)
            written = " ".join(segment.text.strip() for segment in done)
            prompt = f"{prompt or ''} {written[-_PROMPT_CHARACTERS:]}".strip() or None
        return {
            "language": language,
            "task": options.task,
            "beam_size": options.beam_size,
            "initial_prompt": prompt,
            "hotwords": options.hotwords,
            "condition_on_previous_text": options.condition_on_previous_text,
        }
