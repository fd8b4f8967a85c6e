"""The story of one recording, top to bottom: prepare, then speakers, and words chunk by chunk.

Every step's result is in the store before the next begins, so a job that was interrupted
anywhere goes on from there.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from transcrevai_core import memory, speakers, stages
from transcrevai_core.attempt import MAX_ATTEMPTS, Attempt
from transcrevai_core.errors import (
    AudioError,
    Cancelled,
    InputError,
    TranscrevaiError,
    WorkerDied,
)
from transcrevai_core.settings import Settings
from transcrevai_core.store import Store
from transcrevai_core.transcription.catalogue import DEMO, MODELS, NONE
from transcrevai_core.types import SAMPLE_RATE, WAV_HEADER_BYTES, Chunk, Job
from transcrevai_core.words import Transcription
from transcrevai_core.workers import Worker

log = logging.getLogger(__name__)

# beside a model's weights, decoding takes 100 to 280 MB; diarization less than 250 MB up to 4 h
_UNKNOWN_MODEL_MB, _DECODING_MB, _DIARIZATION_MB = 1_600, 300, 250


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
        _run(Attempt(store, settings, job, ending), transcriber)
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


def _run(attempt: Attempt, transcriber: Worker) -> None:
    """Do what is still to be done."""
    options, store, job_id = attempt.options, attempt.store, attempt.job.id
    if options.model == DEMO.name and options.task == "translate":
        raise InputError(
            "The demo model cannot translate; another model or the task transcribe would be right."
        )
    if not _is_prepared(attempt):
        _prepare(attempt)
    chunks = store.chunks(job_id)
    words = options.model != NONE and bool(store.chunks(job_id, unfinished=True))
    voices = bool(chunks) and speakers.wanted(attempt.job, options)
    attempt.forget(speakers.MISSED)  # by an earlier attempt; this one will see for itself
    if words and voices and room_for_both(options.model):
        _find_both(attempt, transcriber, chunks)
        return
    if voices:
        attempt.update(state="transcribing")
        try:
            speakers.find(attempt)
        except Cancelled:
            raise
        except Exception as error:
            if not words and not store.segments(job_id, last=1):
                raise  # there is nothing else that the job could end with
            speakers.miss(attempt, error)
    if words:
        Transcription(attempt, transcriber).run(chunks)


def _find_both(attempt: Attempt, transcriber: Worker, chunks: list[Chunk]) -> None:
    """Find words and speakers side by side; neither ends where the other one fails."""
    errors: list[BaseException] = []
    in_front = threading.Event()

    def find() -> None:
        try:
            speakers.find(attempt, in_front.is_set)
        except BaseException as error:
            errors.append(error)

    beside = threading.Thread(target=find, name="speakers", daemon=True)
    beside.start()
    try:
        Transcription(attempt, transcriber).run(chunks)
    except (Cancelled, KeyboardInterrupt):
        attempt.stopped = True
        raise
    finally:
        try:
            if beside.is_alive() and not attempt.stopped:
                attempt.update(state="transcribing", stage=speakers.STAGE, progress=0.0)
                in_front.set()
            beside.join()
        except BaseException:  # Ctrl-C, or a full disk: nobody is left to work for
            attempt.stopped = True
            beside.join()
            raise
        if errors and not isinstance(errors[0], Cancelled):
            speakers.miss(attempt, errors[0])
    if errors and isinstance(errors[0], Cancelled):
        raise errors[0]


def _is_prepared(attempt: Attempt) -> bool:
    """Tell whether an earlier attempt has left the plan, and the sound whole."""
    job, wav = attempt.job, attempt.wav
    if not (job.digest and job.duration and wav.is_file()):
        return False
    return wav.stat().st_size == WAV_HEADER_BYTES + 2 * round(job.duration * SAMPLE_RATE)


def _prepare(attempt: Attempt) -> None:
    """Decode the recording and plan its chunks, in a worker that ends with the task."""
    attempt.update(state="preparing", stage="reading the recording", progress=0.0)
    begun, job, options, wav = time.monotonic(), attempt.job, attempt.options, attempt.wav
    worker = Worker("prepare")
    try:
        info, chunks = attempt.call(
            worker,
            stages.prepare,
            job.source,
            wav,
            options.vad_threshold,
            options.chunk_seconds,
        )
    except WorkerDied:
        raise AudioError(
            f"Reading {job.title} ended its worker {MAX_ATTEMPTS} times; the file may be damaged, "
            "and a copy converted by another program would be right."
        ) from None
    finally:
        worker.stop()
        wav.with_suffix(".part").unlink(missing_ok=True)
    if info.damaged_at is not None:
        attempt.note(f"The recording is damaged after {info.damaged_at:.0f} s; it ends there.")
    if not chunks:
        attempt.note("No speech was found in this recording.")
    attempt.store.save_plan(job.id, chunks)
    seconds = job.seconds + time.monotonic() - begun
    attempt.update(duration=info.duration, digest=info.digest, seconds=seconds)


def room_for_both(model: str) -> bool:
    """Tell whether words and speakers can be found at the same time: cores and memory allow it."""
    size = MODELS[model].download_mb if model in MODELS else _UNKNOWN_MODEL_MB
    needed = (size + _DECODING_MB + _DIARIZATION_MB) * 10**6
    return memory.cores() > 1 and memory.available_bytes() > needed
