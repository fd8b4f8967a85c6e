"""The data directory: its size, and what a killed program or a refusing disk has left there."""

import contextlib
import json
import logging
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from transcrevai_core.errors import StorageError, refusal
from transcrevai_core.library import rows
from transcrevai_core.library.database import Database
from transcrevai_core.options import DEFAULTS

log = logging.getLogger(__name__)

DELETED = "deleted"  # beside `jobs`: what is to be gone for good


@contextmanager
def taken(source: Path, folder: Path, take: bool) -> Iterator[Callable[[], Path]]:
    """Give what makes a job's folder, and moves the source there where it is to be taken.

    It returns where the source is then. Where the job cannot be written after all, the source goes
    back to its place.
    """
    kept = folder / "source" / source.name if take else source

    def move() -> Path:
        try:
            folder.mkdir(mode=0o700)
            if take:
                kept.parent.mkdir(mode=0o700)
                shutil.move(source, kept)
        except OSError as error:
            raise StorageError(
                "{name} cannot be kept: {reason}.", name=source.name, reason=refusal(error)
            ) from error
        return kept

    try:
        yield move
    except BaseException:
        if take and kept.exists():
            shutil.move(kept, source)
        shutil.rmtree(folder, ignore_errors=True)
        raise


def discard(home: Path, job_id: str) -> Path:
    """Take a job's folder out of the library, in one step; `remove` then deletes it.

    Raises StorageError where the disk refuses; nothing has changed then.
    """
    folder = home / "jobs" / job_id
    doomed = home / DELETED / f"{job_id}.{uuid.uuid4().hex}"
    try:
        doomed.parent.mkdir(mode=0o700, exist_ok=True)
        if folder.exists():
            folder.rename(doomed)
    except OSError as error:
        raise StorageError(
            "The files in {folder} could not be deleted ({reason}); with that put right, deleting "
            "again would do.",
            folder=str(folder),
            reason=refusal(error),
        ) from error
    return doomed


def remove(doomed: Path, title: str) -> None:
    """Delete what was discarded; raises StorageError where some of it stays."""
    refused: list[BaseException] = []
    shutil.rmtree(doomed, onerror=lambda _call, _path, info: refused.append(info[1]))
    errors = [error for error in refused if not isinstance(error, FileNotFoundError)]
    if errors and doomed.exists():
        raise StorageError(
            "{title} is out of the library, but files of it could not be deleted ({reason}); they "
            "are in {folder}, and the next start of the program tries again.",
            title=title,
            reason=refusal(errors[0]) if isinstance(errors[0], OSError) else str(errors[0]),
            folder=str(doomed),
        )


def sweep(home: Path, database: Database) -> int:
    """Finish what earlier programs could not; return how many recordings were adopted.

    What was to be deleted is deleted. An upload whose program ended between moving it and
    writing its job becomes a job that waits for its user. Other folders without a job stay as
    they are: they may be all that is left of a library that was lost.
    """
    adopted = 0
    with database.write() as db:  # nobody moves anything meanwhile
        known = {row[0] for row in db.execute("SELECT id FROM jobs")}
        for folder in (home / "jobs").iterdir():
            if folder.name not in known and folder.is_dir():
                adopted += _adopt(db, folder)
        doomed = [*(home / DELETED).iterdir()] if (home / DELETED).is_dir() else []
        for folder in doomed:
            job_id = folder.name.partition(".")[0]
            if job_id in known and not (home / "jobs" / job_id).exists():  # it never got that far
                folder.rename(home / "jobs" / job_id)
    for folder in doomed:
        if folder.exists():
            try:
                remove(folder, folder.name)
            except StorageError as error:
                log.warning("%s", error)
    return adopted


def _adopt(db: sqlite3.Connection, folder: Path) -> bool:
    """Make a job of an upload that lies in a job's folder; tell whether there was one."""
    try:
        if (folder / "audio.wav").exists():  # a job's, whose library was lost
            return False
        source = next((folder / "source").iterdir(), None)
    except OSError:
        return False
    if source is None or not source.is_file():
        return False
    now = time.time()
    db.execute(
        "INSERT INTO jobs (id, title, source, fingerprint, state, options, created, updated) "
        "VALUES (?, ?, ?, ?, 'cancelled', ?, ?, ?)",
        (
            folder.name, source.name, str(source), rows.fingerprint(source),
            json.dumps(DEFAULTS), now, now,
        ),
    )  # fmt: skip
    log.info("%s was left without a job, and waits in the library now", source.name)
    return True


# -- how much lies on disk ---------------------------------------------------------------------


def size_of(folder: Path) -> int:
    """Return the bytes of all files under a folder; 0 for one that there is not."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # it has gone meanwhile, or is none of ours
                total += (Path(place) / name).stat().st_size
    return total


def free_bytes(folder: Path) -> int:
    """Return the bytes that are free where a folder lies, or is yet to be made."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):  # it is yet to be made
            return shutil.disk_usage(place).free
    return 0
