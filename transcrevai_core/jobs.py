"""Who works on jobs: a background runner for the app, and `transcribe` for everyone else."""

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from transcrevai_core import pipeline, stages
from transcrevai_core.cache import Cache
from transcrevai_core.diarization.recipes import recipe_for
from transcrevai_core.errors import InputError, SettingError, StorageError, TranscrevaiError
from transcrevai_core.models import fetch_model, model_spec
from transcrevai_core.options import DEFAULTS, JobOptions
from transcrevai_core.records import fingerprint
from transcrevai_core.settings import Settings, load_settings
from transcrevai_core.store import Store
from transcrevai_core.transcription.catalogue import NONE
from transcrevai_core.types import ACTIVE_STATES, Job, Transcript
from transcrevai_core.workers import Worker

log = logging.getLogger(__name__)


class Runner:
    """A thread that takes waiting and interrupted jobs from the store, one after another.

    Pages talk to it through the store alone, so that a closed tab, a reload or a second program
    changes nothing. The transcription worker stays warm for `model_idle_seconds`.
    """

    _patience = 5.0  # seconds before a store that refused is asked again

    def __init__(self, store: Store, settings: Settings):
        self.store = store
        self.settings = settings
        self.transcriber = Worker("transcription")
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)

    def start(self) -> None:
        """Begin to work; interrupted jobs come first because they are the oldest."""
        self._thread.start()

    def stop(self) -> None:
        """End the workers; a job in hand goes on at the next start from its last chunk."""
        self._ending.set()
        self._thread.join(timeout=10)
        self.transcriber.stop()

    def _run(self) -> None:
        with suppress(StorageError):
            Cache(self.store, self.settings).clear(expired_only=True)
        if self.settings.preload and self.settings.model != NONE:
            self._preload()
        while not self._ending.wait(0.5):
            job = None
            try:
                while not self._ending.is_set() and (job := self.store.claim()):
                    pipeline.run_job(
                        self.store, self.settings, self.transcriber, job, self._ending.is_set
                    )
            except Exception:  # whatever it was, the jobs that wait must not wait for ever
                log.exception("the runner stumbled; trying again in %s s", self._patience)
                self._give_back(job)
            idle = time.monotonic() - self.transcriber.last_used
            if self.transcriber.pid and idle > self.settings.model_idle_seconds:
                self.transcriber.stop()

    def _give_back(self, job: Job | None) -> None:
        """Let go of a job whose end the store would not take (a full disk), once it will."""
        while not self._ending.wait(self._patience):
            try:
                if job is not None:
                    self.store.update_job(job.id, owner=None)
                return
            except StorageError:
                continue

    def _preload(self) -> None:
        options = self.settings.job_options()
        try:
            folder = fetch_model(
                options.model,
                self.settings.download_stall_seconds,
                should_stop=self._ending.is_set,
            )
            spec = model_spec(options, folder)
            self.transcriber.call(
                stages.load_model, spec, None, "transcribe", should_stop=self._ending.is_set
            )
        except Exception as error:  # the first job will say it again, to whom it concerns
            log.warning("The model was not loaded in advance: %s", error)


def check_options(options: JobOptions) -> None:
    """Raise SettingError with one sentence for what no recording could be worked on with."""
    if options.diarize:
        recipe_for(options.embedding)
    elif options.model == NONE:
        raise SettingError(
            "model is none and diarize is off, which leaves nothing to do; a model, or diarize, "
            "would be right."
        )


def open_job(store: Store, source: Path, options: JobOptions, *, title: str = "") -> Job:
    """Return a claimed job for `source`: an unfinished one with these options, else a new one.

    Raises InputError where there is no such file, SettingError for an embedding there is not.
    """
    check_options(options)
    source, values = source.expanduser().absolute(), options.model_dump()
    if not source.is_file():
        found = f"{source} is not a file" if source.exists() else f"There is no file {source}"
        raise InputError(f"{found}; the path of a recording would be right.")
    for job in store.jobs((*ACTIVE_STATES, "cancelled", "failed")):
        same = (job.source, job.fingerprint) == (source, fingerprint(source))
        if same and {**DEFAULTS, **job.options} == values:
            store.requeue(job.id)
            if claimed := store.claim(job.id):
                return claimed
    return store.add_job(source, values, title=title, claim=True)


def transcribe(path: str | Path, *, home: str | Path | None = None, **options: Any) -> Transcript:
    """Transcribe one recording and return its transcript, which the library keeps as well.

    `options` are those of `JobOptions` (model, language, task, ...). Goes on where an earlier
    call for the same file was interrupted. Raises a TranscrevaiError with one sentence.

    >>> from transcrevai_core import transcribe                             # doctest: +SKIP
    >>> print(transcribe("meeting.mp3", model="small", language="pt").text) # doctest: +SKIP
    """
    settings = load_settings(home=home)
    store = Store(settings.home)
    job = open_job(store, Path(path), settings.job_options(options))
    worker = Worker("transcription")
    try:
        job = pipeline.run_job(store, settings, worker, job)
    finally:
        worker.stop()
    if job.state != "done":
        raise TranscrevaiError(job.error or "The job was cancelled.")
    return store.transcript(job.id)


def diarize(path: str | Path, *, home: str | Path | None = None, **options: Any) -> Transcript:
    """Find who speaks when in one recording, without its words; as `transcribe` otherwise.

    >>> from transcrevai_core import diarize                                # doctest: +SKIP
    >>> diarize("meeting.mp3", speakers=4).turns                            # doctest: +SKIP
    """
    return transcribe(path, home=home, **{**options, "model": NONE, "diarize": True})
