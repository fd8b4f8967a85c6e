"""The course of one job, top to bottom: prepare, then speakers, and words chunk by chunk.

Every step's result is in the store before the next begins, so a job that was interrupted
anywhere goes on from there.
"""

import dataclasses
import errno
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transcrevai_core.codes import Note, Stage
from transcrevai_core.errors import (
    AudioError,
    Cancelled,
    InputError,
    ModelAbsent,
    WorkerDied,
    refusal,
)
from transcrevai_core.jobs import diarize, tasks
from transcrevai_core.jobs.attempt import RETRIES, Attempt, why_failed
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.jobs.models import fetch_model
from transcrevai_core.jobs.transcribe import Transcription
from transcrevai_core.library import journal
from transcrevai_core.memory import levels
from transcrevai_core.memory.plan import Need, Plan, check, plan_job
from transcrevai_core.messages import NOTHING, Message
from transcrevai_core.models.catalogue import DEMO, NONE, locate
from transcrevai_core.types import SAMPLE_RATE, WAV_HEADER_BYTES, AudioInfo, Chunk, Job
from transcrevai_core.workers.worker import Worker


def run_job(
    governor: Governor, job: Job, plan: Plan, ending: Callable[[], bool] = lambda: False
) -> Job:
    """Bring a claimed and admitted job to its end (done, failed or cancelled) and return it.

    Whatever goes wrong ends this job alone, with one sentence in `error`; finished chunks stay.
    One whose model cannot be had waits for it in the queue.
    Where `ending` turns true the job is left as it is, to go on at the program's next start.
    """
    store = governor.store
    end: dict[str, Any] = {}  # left as it is, but where something below says otherwise
    try:
        attempt = Attempt(governor, job, plan, ending)
        attempt.update(started=time.time(), forecast=plan.total_bytes, error=NOTHING)
        from_the_start = len(store.chunks(job.id)) == len(store.chunks(job.id, unfinished=True))
        _run(attempt)
        if from_the_start:  # else it says nothing of the whole recording
            _keep_run(attempt)
        end = {"state": "done", "progress": 1.0, "error": NOTHING}
    except (Cancelled, KeyboardInterrupt) as stop:
        left = ending() or governor.ending
        if not left or store.job(job.id).cancel_requested:
            end = {"state": "cancelled"}
        if isinstance(stop, KeyboardInterrupt):
            raise
    except ModelAbsent as absent:
        stage = Stage.WAITING_FOR_MODEL(model=attempt.plan.shape.model, reason=absent.why)
        end = {"state": "queued", "stage": stage, "error": absent.message, "progress": 0.0}
    except OSError as error:
        end = {"state": "failed", "error": _refused(error, job)}
    except Exception as error:  # a fault of ours must not take the other jobs along
        end = {"state": "failed", "error": why_failed(error)}
    finally:
        governor.release(job.id)
        store.end_job(job.id, **end)
    return store.job(job.id)


def _refused(error: OSError, job: Job) -> Message:
    """Say what the disk refused."""
    if error.errno == errno.ENOSPC:
        return Message(
            "The disk is full; make room and go on with {title}, what is done is kept.",
            {"title": job.title},
        )
    if isinstance(error, FileNotFoundError):
        return Message(
            "A file of {title} was removed while it was worked on; with the recording in its "
            "place, the job can go on.",
            {"title": job.title},
        )
    return Message(
        "The disk refused ({reason}); what is done of {title} is kept.",
        {"reason": refusal(error), "title": job.title},
    )


def _keep_run(attempt: Attempt) -> None:
    """Write down what the whole job needed, as it was done, beside what was forecast."""
    plan, job, made = attempt.plan, attempt.job, attempt.made
    kinds = [need.key for stage in plan.needs for need in made.get(stage, ())]
    if not kinds:  # all of it came from the cache
        return
    peak, forecast = plan.base_bytes + plan.together(attempt.peaks), plan.total_bytes
    attempt.governor.keep_run(
        journal.Run(
            time.time(), job.id, "job", " + ".join(dict.fromkeys(kinds)), forecast, forecast,
            peak, attempt.clock.seconds(), job.duration or 0.0,
        )
    )  # fmt: skip


def _run(attempt: Attempt) -> None:
    """Do what is still to be done."""
    options, store, job_id = attempt.options, attempt.store, attempt.job.id
    if options.model == DEMO.name and options.task == "translate":
        raise InputError(
            "The demo model cannot translate; another model or the task transcribe would be right."
        )
    prepared = _is_prepared(attempt)
    if options.model != NONE and not (prepared and not store.chunks(job_id, unfinished=True)):
        _fetch_model(attempt)
    if not prepared:
        _prepare(attempt)
    _replan(attempt)
    chunks = store.chunks(job_id)
    words = options.model != NONE and bool(store.chunks(job_id, unfinished=True))
    voices = bool(chunks) and diarize.wanted(attempt.job, options)
    attempt.forget(Note.NO_SPEAKERS, Note.GAPS_LEFT)  # of an earlier attempt; this one will see
    if words and voices and attempt.plan.side_by_side and levels.admits(attempt.governor.level):
        with attempt.transcriber() as transcriber:
            _find_both(attempt, transcriber, chunks)
        return
    if voices:
        attempt.update(state="transcribing")
        try:
            diarize.find(attempt)
        except Cancelled:
            raise
        except Exception as error:
            if not words and not store.segments(job_id, last=1):
                raise  # there is nothing else that the job could end with
            diarize.note_failure(attempt, error)
    if words:
        with attempt.transcriber() as transcriber:
            Transcription(attempt, transcriber).run(chunks)


def _fetch_model(attempt: Attempt) -> None:
    """Have the model on this computer, first of all: without it the rest would be in vain."""
    if locate(attempt.plan.shape.model):
        return
    attempt.update(state="preparing", stage=Stage.DOWNLOADING_MODEL(), progress=0.0)
    worker = attempt.worker("download")

    def once() -> Path:
        return fetch_model(
            attempt.plan.shape.model,
            attempt.settings,
            worker=worker,
            on_progress=lambda done: attempt.update(progress=done),
            should_stop=attempt.should_stop,
        )

    with attempt.clock.paused():
        attempt.retry(worker, once)


def _replan(attempt: Attempt) -> None:
    """Forecast anew, now that the length is known."""
    governor, before = attempt.governor, attempt.plan
    limits, correct = governor.limits, governor.journal.correction
    plan = plan_job(attempt.options, attempt.job.duration, limits, before.cores, correct)
    attempt.plan = dataclasses.replace(
        plan,
        shape=before.shape,
        needs={**plan.needs, **_transcription_need(before)},
        side_by_side=plan.side_by_side and before.side_by_side,
        cores=before.cores,
        base_bytes=before.base_bytes,
    )
    attempt.update(forecast=attempt.plan.total_bytes)
    check(attempt.options, attempt.plan, limits, correct)
    governor.amend(attempt.job.id, attempt.plan)
    if attempt.plan.workers_bytes > before.workers_bytes:  # it is longer than was thought
        governor.release(attempt.job.id)
        attempt.wait(lambda: governor.admit(attempt.job.id, attempt.plan) or None)


def _transcription_need(plan: Plan) -> dict[str, Need]:
    return {stage: need for stage, need in plan.needs.items() if stage == "transcription"}


def _find_both(attempt: Attempt, transcriber: Worker, chunks: list[Chunk]) -> None:
    """Find words and speakers side by side; neither ends where the other one fails."""
    errors: list[BaseException] = []
    visible = threading.Event()

    def find() -> None:
        try:
            diarize.find(attempt, visible.is_set)
        except BaseException as error:
            errors.append(error)

    def work() -> None:
        with attempt.clock.beside():
            find()

    beside = threading.Thread(target=work, name="speakers", daemon=True)
    beside.start()
    try:
        Transcription(attempt, transcriber).run(chunks)
    except (Cancelled, KeyboardInterrupt):
        attempt.stopped = True
        raise
    finally:
        try:
            if beside.is_alive() and not attempt.stopped:
                attempt.update(state="transcribing", stage=Stage.DIARIZING(), progress=0.0)
                visible.set()
            with attempt.clock.paused():
                beside.join()
            if errors and isinstance(errors[0], diarize.Postponed):
                errors.clear()
                visible.set()
                transcriber.stop()  # one after the other: the model makes room
                find()
        except BaseException:  # Ctrl-C, or a full disk: nobody is left to work for
            attempt.stopped = True
            beside.join()
            raise
        if errors and not isinstance(errors[0], Cancelled):
            diarize.note_failure(attempt, errors[0])
    if errors and isinstance(errors[0], Cancelled):
        raise errors[0]


def _is_prepared(attempt: Attempt) -> bool:
    """Tell whether an earlier attempt has left the plan, and the sound whole."""
    job, wav = attempt.job, attempt.wav
    if not (job.digest and job.duration and wav.is_file()):
        return False
    return wav.stat().st_size == WAV_HEADER_BYTES + 2 * round(job.duration * SAMPLE_RATE)


def _has_results(attempt: Attempt) -> bool:
    return bool(attempt.job.diarization or attempt.store.segments(attempt.job.id, last=1))


def _prepare(attempt: Attempt) -> None:
    """Decode the recording and plan its chunks, in a worker that ends with the task."""
    attempt.update(state="preparing", stage=Stage.READING(), progress=0.0)
    begun, job, options, wav = attempt.clock.mine(), attempt.job, attempt.options, attempt.wav
    worker = attempt.worker("prepare")

    def once() -> tuple[AudioInfo, list[Chunk]]:
        return attempt.call(
            worker,
            tasks.prepare,
            job.source,
            wav,
            options.vad_threshold,
            options.chunk_seconds,
            options.track,
        )

    try:
        info, chunks = attempt.retry(worker, once)
        seconds = attempt.clock.mine() - begun
        attempt.keep_run("prepare", worker, seconds, attempt.plan.needs["prepare"])
    except WorkerDied as death:
        raise AudioError(
            "Reading {title} ended its worker {times} times ({reason:part}); the file may be "
            "damaged, and a copy converted by another program would be right.",
            title=job.title,
            times=RETRIES + 1,
            reason=death.message,
        ) from None
    finally:
        worker.stop()
        wav.with_suffix(".part").unlink(missing_ok=True)
    if job.digest and info.digest != job.digest and _has_results(attempt):
        wav.unlink(missing_ok=True)  # so that it is never taken for the sound of this text
        raise InputError(
            "{name} is no longer the recording of {title}, whose text stays as it is; that "
            "recording in its old place, or a new job for this one, would be right.",
            name=job.source.name,
            title=job.title,
        )
    attempt.forget(Note.SOUND_GONE, Note.TRACK)
    attempt.note(*info.notes, *(() if chunks else (Note.NO_SPEECH(), *info.doubts)))
    if info.digest != job.digest or not attempt.store.chunks(job.id):  # else it is done in part
        attempt.store.save_plan(job.id, chunks)
    attempt.update(duration=info.duration, digest=info.digest, seconds=job.seconds + seconds)
