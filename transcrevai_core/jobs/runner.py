"""Who works on jobs while the app runs: as many at once as the budget allows, in their turn."""

import logging
import threading
import time

from transcrevai_core import workers
from transcrevai_core.codes import WAITING
from transcrevai_core.errors import StorageError, TranscrevaiError
from transcrevai_core.jobs import pipeline, retention, tasks
from transcrevai_core.jobs.attempt import stored_options, why_failed
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.jobs.models import fetch_model, lacks_model, model_spec
from transcrevai_core.jobs.planning import plan_for
from transcrevai_core.jobs.queue import queue, recover
from transcrevai_core.library import precision
from transcrevai_core.library.cache import Cache
from transcrevai_core.library.store import Store
from transcrevai_core.memory.plan import Plan
from transcrevai_core.messages import NOTHING, Message
from transcrevai_core.models.catalogue import AUTO, NONE
from transcrevai_core.settings import Settings
from transcrevai_core.types import Job
from transcrevai_core.workers import watcher
from transcrevai_core.workers.background import Task, explain
from transcrevai_core.workers.processes import is_alive

log = logging.getLogger(__name__)

_HOUR = 3_600.0
_PRELOAD = "preload"  # the key of the room for a model that is loaded in advance


class Runner:
    """Takes waiting and interrupted jobs from the store, as many at once as the budget allows.

    Pages talk to it through the store alone, so that a closed tab, a reload or a second program
    changes nothing. A transcription worker stays warm for `model_idle_seconds`. `fault` is one
    sentence that says why no job could begin when last tried, or empty.
    """

    _retry_seconds = 5.0  # seconds before a store that refused is asked again

    def __init__(self, store: Store, settings: Settings):
        self.governor = Governor(store, settings)
        self.store = store
        self.fault = NOTHING
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
            Cache(self.store, self.governor.settings).clear(expired_only=True)
        except (TranscrevaiError, OSError) as error:
            log.warning("the cache was not looked through: %s", error)
        recover(self.governor)
        with self.governor:
            settings = self.governor.settings
            if settings.preload and settings.model not in (NONE, AUTO):
                self._preload()
            while not self._ending.wait(0.2):
                try:
                    self._clean()
                    self._admit()
                    self.fault = NOTHING
                except Exception as error:  # the jobs that wait must not wait for ever
                    log.exception("the runner stumbled; trying again in %s s", self._retry_seconds)
                    self.fault = explain(error)
                    self._ending.wait(self._retry_seconds)
            for thread in list(self._running.values()):
                thread.join(timeout=10)

    def _clean(self) -> None:
        """Let go of what has been kept for its days, at the start and every hour."""
        if time.monotonic() >= self._cleans:
            self._cleans = time.monotonic() + _HOUR
            retention.clean(self.store, self.governor.settings)

    def _admit(self) -> None:
        """Begin the jobs whose turn it is, as far as there is room."""
        self._running = {k: thread for k, thread in self._running.items() if thread.is_alive()}
        waiting = [
            job
            for job in queue(self.store)
            if not is_alive(job.owner) and not lacks_model(self.store, self.governor.settings, job)
        ]
        self._release_idle(bool(waiting or self._running))
        held = False
        for job in waiting:
            # in order: a small job that overtakes could keep a large one out for ever
            reason = NOTHING if held else self._begin(job, len(waiting) + len(self._running))
            held = held or bool(reason)
            if held and job.stage != reason and (reason or job.stage.code in WAITING):
                self.store.update_job(job.id, stage=reason)

    def _begin(self, job: Job, active: int) -> Message:
        """Begin a job, one of so many that run or wait, or say what it has to wait for."""
        try:
            plan = plan_for(
                self.store, self.governor.settings, stored_options(job), job.duration, active
            )
            if reason := self.governor.admit(job.id, plan):
                return reason
        except StorageError:
            raise
        except Exception as error:
            self.store.end_job(job.id, state="failed", error=why_failed(error))
            return NOTHING
        claimed = None
        try:
            if claimed := self.store.claim(job.id):
                thread = threading.Thread(target=self._work, args=(claimed, plan), daemon=True)
                thread.start()
                self._running[job.id] = thread
            else:  # another program, or a cancel, was first
                self.governor.release(job.id)
        except Exception:
            self.governor.release(job.id)
            if claimed:
                self.store.update_job(job.id, owner=None)
            raise
        return NOTHING

    def _work(self, job: Job, plan: Plan) -> None:
        try:
            pipeline.run_job(self.governor, job, plan, self._ending.is_set)
        except Exception:
            log.exception("job %s was left", job.id)
            self._disown(job)

    def _release_idle(self, busy: bool) -> None:
        """Give back what only work needs, once it has ended."""
        if not busy and self._worked and not workers.live():
            watcher.end_trackers()
            self._worked = False
        self._worked = self._worked or busy

    def _disown(self, job: Job) -> None:
        """Let go of a job whose end the store would not take (a full disk), once it will."""
        while not self._ending.wait(self._retry_seconds):
            try:
                self.store.update_job(job.id, owner=None)
                return
            except StorageError:
                continue

    def _preload(self) -> None:
        settings = self.governor.settings
        options = settings.job_options()
        try:
            fetch_model(options.model, settings, should_stop=self._ending.is_set)
            plan = plan_for(self.store, settings, options)
            if reason := self.governor.admit(_PRELOAD, plan):
                log.info("The model was not loaded in advance: %s", reason)
                return
            with self.governor.transcriber(plan.shape, "") as worker:
                worker.room = _PRELOAD
                known = precision.disagreeing(
                    self.store.database, plan.shape.model, settings.agreement_percent
                )
                spec = model_spec(plan.shape, options.device, known)
                worker.call(
                    tasks.load_model, spec, None, "transcribe", should_stop=self._ending.is_set
                )
        except Exception as error:  # the first job will say it again, to whom it concerns
            log.warning("The model was not loaded in advance: %s", error)
        finally:
            self.governor.release(_PRELOAD)
