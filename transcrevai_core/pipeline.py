"""The story of one recording, top to bottom: prepare, load, detect, decode chunk by chunk.

Every step's result is in the store before the next begins, so a job that was interrupted
anywhere goes on from there.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from transcrevai_core import demo, stages
from transcrevai_core.errors import (
    AudioError,
    Cancelled,
    InputError,
    TranscrevaiError,
    WorkerDied,
)
from transcrevai_core.settings import JobOptions, Settings
from transcrevai_core.store import Store
from transcrevai_core.transcription import loading
from transcrevai_core.transcription.catalogue import DEMO, MODELS, locate
from transcrevai_core.types import Chunk, Job, Segment
from transcrevai_core.workers import Worker

log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_ATTEMPTS = 3  # a chunk whose worker died so often is not tried again
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
    if job.started is None:
        store.update_job(job.id, started=time.time())
    end: dict[str, Any] = {"state": "failed"}
    try:
        _transcribe(store, settings, transcriber, job, _stop_watch(store, job.id, ending))
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


def _transcribe(
    store: Store,
    settings: Settings,
    transcriber: Worker,
    job: Job,
    should_stop: Callable[[], bool],
) -> None:
    options = JobOptions(**job.options)
    if options.model == DEMO.name and options.task == "translate":
        raise InputError(
            "The demo model cannot translate; another model or the task transcribe would be right."
        )
    if not (job.digest and store.wav(job.id).is_file()):
        job = _prepare(store, job, options, should_stop)
    chunks = store.chunks(job.id)
    if not chunks:
        return
    spec = _load(store, settings, transcriber, job, options, should_stop)
    wav = store.wav(job.id)
    language, probability = options.language, None
    if language is None:
        language, probability = job.language, job.language_probability
    if language is None:
        language, probability = _retrying(
            lambda: transcriber.call(
                stages.detect_language, spec, wav, chunks, should_stop=should_stop
            )
        )
    store.update_job(job.id, language=language, language_probability=probability)
    left = store.chunks(job.id, unfinished=True)
    store.update_job(job.id, stage="transcribing", progress=1 - len(left) / len(chunks))
    for chunk in left:
        begun = time.monotonic()
        arguments = _decode_arguments(store, job.id, options, language)
        segments, dropped = _decode(store, transcriber, job.id, spec, chunk, arguments, should_stop)
        seconds = time.monotonic() - begun
        store.save_chunk(job.id, chunk.index, segments, dropped=dropped, seconds=seconds)


def _prepare(store: Store, job: Job, options: JobOptions, should_stop: Callable[[], bool]) -> Job:
    """Decode the recording and plan its chunks, in a worker of its own that ends with it."""
    store.update_job(job.id, state="preparing", stage="reading the recording", progress=0.0)
    begun = time.monotonic()
    worker = Worker("prepare")
    try:
        info, chunks = _retrying(
            lambda: worker.call(
                stages.prepare,
                job.source,
                store.wav(job.id),
                options.vad_threshold,
                options.chunk_seconds,
                on_event=_progress(store, job.id),
                should_stop=should_stop,
            ),
            MAX_ATTEMPTS,
        )
    except WorkerDied:
        raise AudioError(
            f"Reading {job.title} ended its worker {MAX_ATTEMPTS} times; the file may be damaged, "
            "and a copy converted by another program would be right."
        ) from None
    finally:
        worker.stop()
    notes = []
    if info.damaged_at is not None:
        notes.append(f"The recording is damaged after {info.damaged_at:.0f} s; it ends there.")
    if not chunks:
        notes.append("No speech was found in this recording.")
    store.save_plan(job.id, chunks)
    store.update_job(
        job.id,
        duration=info.duration,
        digest=info.digest,
        notes=notes,
        seconds=job.seconds + time.monotonic() - begun,
    )
    return store.job(job.id)


def _load(
    store: Store,
    settings: Settings,
    transcriber: Worker,
    job: Job,
    options: JobOptions,
    should_stop: Callable[[], bool],
) -> stages.ModelSpec:
    """Have the model on this computer and in the worker, and write down what came of it."""
    store.update_job(job.id, state="transcribing", stage="loading the model", progress=0.0)
    folder = locate(options.model) or fetch_model(
        options.model,
        settings.download_stall_seconds,
        on_progress=lambda done: store.update_job(
            job.id, stage="downloading the model", progress=done
        ),
        should_stop=should_stop,
    )
    store.update_job(job.id, stage="loading the model", progress=0.0)
    spec = model_spec(options, folder)
    report = _retrying(
        lambda: transcriber.call(
            stages.load_model, spec, options.language, options.task, should_stop=should_stop
        )
    )
    notes = [*job.notes, *report.notes]
    if options.model == DEMO.name:
        notes.append(demo.NOTE)
    store.update_job(
        job.id,
        model=options.model,
        device=report.device,
        compute_type=report.compute_type,
        notes=list(dict.fromkeys(notes)),  # a resumed job says nothing twice
    )
    return spec


def model_spec(options: JobOptions, folder: Path) -> stages.ModelSpec:
    """Return how the model of these options is to be loaded from `folder`."""
    return stages.ModelSpec(
        options.model, folder, options.device, options.compute_type, options.threads
    )


def fetch_model(
    name: str,
    stall_seconds: float,
    *,
    on_progress: Callable[[float], None] = lambda done: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Download a model in a worker of its own, so that cancelling and stalls can end it.

    `on_progress` receives the share (0 to 1) where the size is known. Raises ModelError with
    one sentence, also where nothing came for `stall_seconds`.
    """
    size = MODELS[name].download_mb * 1e6 if name in MODELS else None
    worker = Worker("download")
    try:
        return worker.call(
            stages.fetch_model,
            name,
            on_event=lambda count: on_progress(min(0.99, count / size) if size else 0.0),
            should_stop=should_stop,
            silence_seconds=stall_seconds,
        )
    except TimeoutError:
        raise loading.stalled(name, stall_seconds) from None
    finally:
        worker.stop()


def _decode_arguments(
    store: Store, job_id: str, options: JobOptions, language: str
) -> dict[str, Any]:
    """Return what `faster_whisper.WhisperModel.transcribe` is called with for the next chunk."""
    prompt = options.initial_prompt
    if options.condition_on_previous_text:
        before = " ".join(s.text.strip() for s in store.segments(job_id))[-_PROMPT_CHARACTERS:]
        prompt = f"{prompt or ''} {before}".strip() or None
    return {
        "language": language,
        "task": options.task,
        "beam_size": options.beam_size,
        "initial_prompt": prompt,
        "hotwords": options.hotwords,
        "condition_on_previous_text": options.condition_on_previous_text,
    }


def _decode(
    store: Store,
    transcriber: Worker,
    job_id: str,
    spec: stages.ModelSpec,
    chunk: Chunk,
    arguments: dict[str, Any],
    should_stop: Callable[[], bool],
) -> tuple[list[Segment], int]:
    """Decode a chunk, again with a new worker where one died on it."""

    def attempt() -> tuple[list[Segment], int]:
        store.begin_chunk(job_id, chunk.index)
        return transcriber.call(
            stages.decode, spec, store.wav(job_id), chunk, arguments, should_stop=should_stop
        )

    return _retrying(attempt)


def _retrying(attempt: Callable[[], T], times: int = MAX_ATTEMPTS) -> T:
    """Return what `attempt` returns, trying again where its worker died, `times` in all."""
    for _ in range(times - 1):
        try:
            return attempt()
        except WorkerDied:
            continue
    return attempt()


def _progress(store: Store, job_id: str) -> Callable[[float], None]:
    """Return a listener that writes progress to the store, at most twice a second."""
    written = 0.0

    def listen(done: float) -> None:
        nonlocal written
        if time.monotonic() - written > 0.5:
            written = time.monotonic()
            store.update_job(job_id, progress=done)

    return listen


def _stop_watch(store: Store, job_id: str, ending: Callable[[], bool]) -> Callable[[], bool]:
    """Return a test for the program's end or a request to cancel, asked for 4 times a second."""
    asked, answer = 0.0, False

    def should_stop() -> bool:
        nonlocal asked, answer
        if time.monotonic() - asked > 0.25:
            asked, answer = time.monotonic(), store.job(job_id).cancel_requested
        return answer or ending()

    return should_stop
