"""Who works on jobs: a background runner for the app, and `transcribe` for everyone else."""

import dataclasses
import logging
import threading
import time
from pathlib import Path
from typing import Any

from transcrevai_core import checks, memory, pipeline, retention, stages, watcher, workers
from transcrevai_core.attempt import WAITING, sentence, stored_options
from transcrevai_core.background import Task, explain
from transcrevai_core.bars import bar
from transcrevai_core.budget import Plan, check, plan_job
from transcrevai_core.cache import Cache
from transcrevai_core.diarization.recipes import recipe_for
from transcrevai_core.errors import (
    Cancelled,
    InputError,
    SettingError,
    StorageError,
    TranscrevaiError,
)
from transcrevai_core.governor import limits_of
from transcrevai_core.journal import Journal
from transcrevai_core.models import fetch_model, model_spec
from transcrevai_core.options import DEFAULTS, JobOptions
from transcrevai_core.processes import is_alive
from transcrevai_core.program import Program
from transcrevai_core.queueing import queue, recover
from transcrevai_core.records import fingerprint
from transcrevai_core.settings import Settings, load_settings
from transcrevai_core.store import Store
from transcrevai_core.transcription.catalogue import AUTO, NONE
from transcrevai_core.types import ACTIVE_STATES, Job, Transcript

log = logging.getLogger(__name__)

_HOUR = 3_600.0


class Runner:
    """Takes waiting and interrupted jobs from the store, as many at once as the budget allows.

    Pages talk to it through the store alone, so that a closed tab, a reload or a second program
    changes nothing. A transcription worker stays warm for `model_idle_seconds`. `fault` is one
    sentence that says why no job could begin when last tried, or empty.
    """

    _patience = 5.0  # seconds before a store that refused is asked again

    def __init__(self, store: Store, settings: Settings):
        self.program = Program(store, settings)
        self.store = store
        self.fault = ""
        self._ending = threading.Event()
        self._running: dict[str, threading.Thread] = {}
        self._worked = True  # since trackers were ended
        self._cleans = 0.0  # when it is next looked for what has been kept long enough
        self.task: Task | None = None  # once it has begun

    def start(self) -> None:
        """Begin to work; interrupted jobs come first because they are the oldest."""
        self.task = Task(lambda task: self._run())

    def stop(self) -> None:
        """End the workers; jobs in hand go on at the next start from their last chunks."""
        self._ending.set()
        if self.task:
            self.task.join(timeout=10)

    def _run(self) -> None:
        try:
            Cache(self.store, self.program.settings).clear(expired_only=True)
        except (TranscrevaiError, OSError) as error:
            log.warning("the cache was not looked through: %s", error)
        recover(self.program)
        with self.program:
            settings = self.program.settings
            if settings.preload and settings.model not in (NONE, AUTO):
                self._preload()
            while not self._ending.wait(0.2):
                try:
                    self._clean()
                    self._admit()
                    self.fault = ""
                except Exception as error:  # the jobs that wait must not wait for ever
                    log.exception("the runner stumbled; trying again in %s s", self._patience)
                    self.fault = explain(error)
                    self._ending.wait(self._patience)
            for thread in list(self._running.values()):
                thread.join(timeout=10)

    def _clean(self) -> None:
        """Let go of what has been kept for its days, at the start and every hour."""
        if time.monotonic() >= self._cleans:
            self._cleans = time.monotonic() + _HOUR
            retention.clean(self.store, self.program.settings)

    def _admit(self) -> None:
        """Begin the jobs whose turn it is, as far as there is room."""
        self._running = {k: thread for k, thread in self._running.items() if thread.is_alive()}
        waiting = [job for job in queue(self.store) if not is_alive(job.owner)]
        self._rest(bool(waiting or self._running))
        held = False
        for job in waiting:
            # in order: a small job that overtakes could keep a large one out for ever
            reason = "" if held else self._begin(job, len(waiting) + len(self._running))
            held = held or bool(reason)
            if held and job.stage != reason and (reason or job.stage.startswith(WAITING)):
                self.store.update_job(job.id, stage=reason)

    def _begin(self, job: Job, active: int) -> str:
        """Begin a job, one of so many that run or wait, or say what it has to wait for."""
        try:
            plan = plan_for(
                self.store, self.program.settings, stored_options(job), job.duration, active
            )
            if reason := self.program.admit(job.id, plan):
                return reason
        except StorageError:
            raise
        except Exception as error:
            self.store.end_job(job.id, state="failed", error=sentence(error))
            return ""
        claimed = None
        try:
            if claimed := self.store.claim(job.id):
                thread = threading.Thread(target=self._work, args=(claimed, plan), daemon=True)
                thread.start()
                self._running[job.id] = thread
            else:  # another program, or a cancel, was first
                self.program.release(job.id)
        except Exception:
            self.program.release(job.id)
            if claimed:
                self.store.update_job(job.id, owner=None)
            raise
        return ""

    def _work(self, job: Job, plan: Plan) -> None:
        try:
            pipeline.run_job(self.program, job, plan, self._ending.is_set)
        except Exception:
            log.exception("job %s was left", job.id)
            self._give_back(job)

    def _rest(self, busy: bool) -> None:
        """Give back what only work needs, once it has ended."""
        if not busy and self._worked and not workers.live():
            watcher.end_trackers()
            self._worked = False
        self._worked = self._worked or busy

    def _give_back(self, job: Job) -> None:
        """Let go of a job whose end the store would not take (a full disk), once it will."""
        while not self._ending.wait(self._patience):
            try:
                self.store.update_job(job.id, owner=None)
                return
            except StorageError:
                continue

    def _preload(self) -> None:
        settings = self.program.settings
        options = settings.job_options()
        try:
            fetch_model(
                options.model, settings.download_stall_seconds, should_stop=self._ending.is_set
            )
            plan = plan_for(self.store, settings, options)
            with self.program.transcriber(plan.shape, "") as worker:
                known = checks.disagreeing(
                    self.store.database, plan.shape.model, settings.agreement_percent
                )
                spec = model_spec(plan.shape, options.device, known)
                worker.call(
                    stages.load_model, spec, None, "transcribe", should_stop=self._ending.is_set
                )
        except Exception as error:  # the first job will say it again, to whom it concerns
            log.warning("The model was not loaded in advance: %s", error)


def plan_for(
    store: Store,
    settings: Settings,
    options: JobOptions,
    duration: float | None = None,
    active: int = 1,
) -> Plan:
    """Plan a job of `duration` seconds (None: not known yet), one of so many that run or wait.

    Raises InputError where it can never fit the budget, with the nearest that does.
    """
    cores = memory.work_cores(settings.work_cores) // max(1, active)
    limits, correct = limits_of(settings), Journal(store.database, "").correction
    plan = plan_job(options, duration, limits, max(1, cores), correct)
    if options.compute_type == "auto" and checks.disagreeing(
        store.database, plan.shape.model, settings.agreement_percent
    ):  # what comes next on the ladder may be float32
        exact = options.model_copy(update={"compute_type": checks.EXACT})
        plan = plan_job(exact, duration, limits, max(1, cores), correct)
        shape = dataclasses.replace(plan.shape, compute_type="auto")
        plan = dataclasses.replace(plan, shape=shape)
    check(options, plan, limits, correct)
    return plan


def run(program: Program, job: Job) -> Job:
    """Bring a claimed job to its end in this thread, as soon as there is room for it.

    Raises InputError where it can never fit the budget.
    """
    store, end = program.store, {"state": "cancelled"}
    try:
        plan = plan_for(store, program.settings, stored_options(job), job.duration)
        while reason := program.admit(job.id, plan):
            if store.job(job.id).cancel_requested:
                raise Cancelled("The job was cancelled.")
            store.update_job(job.id, stage=reason)
            time.sleep(0.5)
        end = {}
    except Cancelled:
        pass
    except Exception as error:
        end = {"state": "failed", "error": sentence(error)}
        raise
    finally:
        if end:
            store.end_job(job.id, **end)
    return store.job(job.id) if end else pipeline.run_job(program, job, plan)


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


def transcribe(
    path: str | Path, *, home: str | Path | None = None, progress: bool = False, **options: Any
) -> Transcript:
    """Transcribe one recording and return its transcript, which the library keeps as well.

    `options` are those of `JobOptions` (model, language, task, ...); `progress` draws a bar, in a
    terminal or a notebook. Goes on where an earlier call for the same file was interrupted.
    Raises a TranscrevaiError with one sentence.

    >>> from transcrevai_core import transcribe                             # doctest: +SKIP
    >>> print(transcribe("meeting.mp3", model="small", language="pt").text) # doctest: +SKIP
    """
    settings = load_settings(home=home)
    store = Store(settings.home)
    job = open_job(store, Path(path), settings.job_options(options))
    with Program(store, settings) as program, bar(store, job, progress):
        job = run(program, job)
    if job.state != "done":
        raise TranscrevaiError(job.error or "The job was cancelled.")
    return store.transcript(job.id)


def diarize(
    path: str | Path, *, home: str | Path | None = None, progress: bool = False, **options: Any
) -> Transcript:
    """Find who speaks when in one recording, without its words; as `transcribe` otherwise.

    >>> from transcrevai_core import diarize                                # doctest: +SKIP
    >>> diarize("meeting.mp3", speakers=4).turns                            # doctest: +SKIP
    """
    found = {**options, "model": NONE, "diarize": True}
    return transcribe(path, home=home, progress=progress, **found)
