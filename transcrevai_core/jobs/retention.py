"""What is kept for how long: a recording's sound, or all of it, goes when its days are over."""

import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from transcrevai_core.audio.waveform import peaks_path
from transcrevai_core.codes import Cause, Note
from transcrevai_core.errors import StorageError, TranscrevaiError, refusal
from transcrevai_core.jobs import tasks
from transcrevai_core.library.journal import Journal
from transcrevai_core.library.leftovers import size_of
from transcrevai_core.library.store import Store
from transcrevai_core.memory.readings import MB
from transcrevai_core.settings import Settings
from transcrevai_core.types import ACTIVE_STATES, Job
from transcrevai_core.workers.processes import this_process

log = logging.getLogger(__name__)

DAY = 86_400.0
_BESIDE = (tasks.SPEECH, tasks.CHANNELS, "source")  # in a job's folder


@dataclass(frozen=True, slots=True)
class Due:
    """Jobs whose sound is to go, jobs that are to go whole, and the bytes of both on disk."""

    sound: tuple[Job, ...] = ()
    whole: tuple[Job, ...] = ()
    bytes: int = 0


def sound_of(store: Store, job: Job) -> list[Path]:
    """Return the files and folders in which a job's sound lies, of those that there are."""
    folder = store.job_dir(job.id)
    wav = store.wav(job.id)
    kept = [wav, peaks_path(wav), *(folder / name for name in _BESIDE)]
    return [path for path in kept if path.exists()]


def due(store: Store, settings: Settings) -> Due:
    """Return what the settings let go of now; a job's days begin with its last start or change."""
    whole = tuple(_older(store, settings.job_days))
    ids = {job.id for job in whole}
    sound = tuple(
        job
        for job in _older(store, settings.sound_days)
        if job.id not in ids and sound_of(store, job)
    )
    size = sum(_bytes(path) for job in sound for path in sound_of(store, job))
    return Due(sound, whole, size + sum(size_of(store.job_dir(job.id)) for job in whole))


def _older(store: Store, days: int | None) -> Iterator[Job]:
    if not days:
        return
    with store.database.read() as db:
        changed = dict(db.execute("SELECT job, max(time) FROM changes GROUP BY job").fetchall())
    for job in store.jobs():
        last = max(job.created, job.started or 0.0, changed.get(job.id, 0.0))
        if job.state not in ACTIVE_STATES and time.time() - last > days * DAY:
            yield job


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else size_of(path)
    except OSError:  # it has gone meanwhile
        return 0


def clean(store: Store, settings: Settings) -> Due:
    """Delete what is due, and write down that it was; returns what is gone.

    Raises StorageError, after all the rest, where the disk did not let one go.
    """
    found = due(store, settings)
    refused: StorageError | None = None
    gone: dict[str, list[Job]] = {"sound": [], "whole": []}
    for what, delete, listed in (
        ("sound", _delete_sound, found.sound),
        ("whole", lambda store, job_id: store.delete_job(job_id), found.whole),
    ):
        for job in listed:
            try:
                if store.job(job.id).state not in ACTIVE_STATES:  # someone may have begun anew
                    delete(store, job.id)
                    gone[what].append(job)
            except OSError as error:
                refused = StorageError(
                    "{title} could not be deleted ({reason}); the rest is gone.",
                    title=job.title,
                    reason=refusal(error),
                )
            except StorageError as error:
                refused = error
            except TranscrevaiError as error:  # it is being worked on, or gone already
                log.info("%s stays: %s", job.id, error)
    for days, jobs, cause in (
        (settings.sound_days, gone["sound"], Cause.SOUND_DELETED),
        (settings.job_days, gone["whole"], Cause.JOBS_DELETED),
    ):
        if jobs:
            said = cause(days=days, number=len(jobs))
            log.info("%s (%d MB)", said, found.bytes // MB)
            Journal(store.database, this_process()).add_event("cleaned", "normal", said)
    if refused:
        raise refused
    return Due(tuple(gone["sound"]), tuple(gone["whole"]), found.bytes)


def _delete_sound(store: Store, job_id: str) -> None:
    job = store.job(job_id)
    for path in sound_of(store, job):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    store.update_job(job_id, notes=tuple(dict.fromkeys([*job.notes, Note.SOUND_GONE()])))
