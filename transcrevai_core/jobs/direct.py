"""A recording transcribed in the caller's own thread: from the command line, Python, a notebook."""

import time
from pathlib import Path
from typing import Any

from transcrevai_core.codes import Stage
from transcrevai_core.errors import Cancelled, InputError, TranscrevaiError
from transcrevai_core.jobs import pipeline
from transcrevai_core.jobs.attempt import stored_options, why_failed
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.jobs.planning import check_options, check_recording, plan_for
from transcrevai_core.jobs.progress import bar
from transcrevai_core.library.rows import fingerprint
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message
from transcrevai_core.models.catalogue import NONE
from transcrevai_core.options import DEFAULTS, JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.types import ACTIVE_STATES, Job, Transcript


def run(governor: Governor, job: Job) -> Job:
    """Bring a claimed job to its end in this thread, as soon as there is room for it.

    Raises InputError where it can never fit the budget.
    """
    store, end = governor.store, dict[str, Any](state="cancelled")
    try:
        plan = plan_for(store, governor.settings, stored_options(job), job.duration)
        while reason := governor.admit(job.id, plan):
            if store.job(job.id).cancel_requested:
                raise Cancelled("The job was cancelled.")
            store.update_job(job.id, stage=reason)
            time.sleep(0.5)
        end = {}
    except Cancelled:
        pass
    except Exception as error:
        end = {"state": "failed", "error": why_failed(error)}
        raise
    finally:
        if end:
            store.end_job(job.id, **end)
    ended = store.job(job.id) if end else pipeline.run_job(governor, job, plan)
    if ended.stage.code is Stage.WAITING_FOR_MODEL:  # nobody waits with it here
        store.end_job(job.id, state="failed")
    return store.job(job.id)


def open_job(store: Store, source: Path, options: JobOptions, *, title: str = "") -> Job:
    """Return a claimed job for `source`: an unfinished one with these options, else a new one.

    Raises InputError where there is no such file, SettingError for an embedding there is not.
    """
    check_options(options)
    source, values = source.expanduser().absolute(), options.model_dump()
    if not source.is_file():
        if source.exists():
            raise InputError(
                "{source} is not a file; the path of one recording would be right.", source=source
            )
        raise InputError(
            "There is no file {source}; the path of a recording would be right.", source=source
        )
    for job in store.jobs((*ACTIVE_STATES, "cancelled", "failed")):
        same = (job.source, job.fingerprint) == (source, fingerprint(source))
        if same and {**DEFAULTS, **job.options} == values:
            store.requeue(job.id)
            if claimed := store.claim(job.id):
                return claimed
    return store.add_job(source, values, title=title, claim=True)


def transcribe(
    path: str | Path, *, home: str | Path | None = None, progress: bool = False, **options: Any
) -> Transcript:
    """Transcribe one recording and return its transcript, which the library keeps as well.

    `options` are those of `JobOptions` (model, language, task, ...); `progress` draws a bar, in a
    terminal or a notebook. Goes on where an earlier call for the same file was interrupted.
    Raises a TranscrevaiError with one sentence.

    >>> from transcrevai_core import transcribe # doctest: +SKIP
    >>> print(transcribe("meeting.mp3", model="small", language="pt").text) # doctest: +SKIP
    """
    settings = load_settings(home=home)
    store = Store(settings.home)
    check_recording(Path(path), settings)
    job = open_job(store, Path(path), settings.job_options(options))
    with Governor(store, settings) as governor, bar(store, settings, job, progress):
        job = run(governor, job)
    if job.state != "done":
        raise TranscrevaiError.of(job.error or Message("The job was cancelled."))
    return store.transcript(job.id)


def diarize(
    path: str | Path, *, home: str | Path | None = None, progress: bool = False, **options: Any
) -> Transcript:
    """Find who speaks when in one recording, without its words; as `transcribe` otherwise.

    >>> from transcrevai_core import diarize # doctest: +SKIP
    >>> diarize("meeting.mp3", speakers=4).turns                            # doctest: +SKIP
    """
    found = {**options, "model": NONE, "diarize": True}
    return transcribe(path, home=home, progress=progress, **found)
