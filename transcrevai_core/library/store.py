"""The one place where jobs and what came of them are kept: SQLite in WAL mode, and their files.

Every write is one transaction, so that a kill at any moment leaves either all of it or nothing.
Safe in many threads and processes at once.
"""

import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transcrevai_core.errors import InputError, StorageError, refusal
from transcrevai_core.library import leftovers, rows
from transcrevai_core.library.database import Database
from transcrevai_core.messages import NOTHING
from transcrevai_core.types import ACTIVE_STATES, Chunk, Job, JobState, Segment, Transcript, Turn
from transcrevai_core.workers.processes import is_alive, this_process


class Store:
    """The library under the data directory `home`, which is made private to the user."""

    def __init__(self, home: Path):
        self.home = home
        try:
            if not home.is_dir():  # a folder that was there before keeps its rights
                home.mkdir(mode=0o700, parents=True, exist_ok=True)
            (home / "jobs").mkdir(mode=0o700, exist_ok=True)
            self.database = Database(home / "library.sqlite3")
            self.database.path.chmod(0o600)
        except OSError as error:
            raise StorageError(
                "The data directory {home} cannot be used: {why}.", home=home, why=refusal(error)
            ) from None

    def add_job(
        self,
        source: Path,
        options: Mapping[str, Any],
        *,
        title: str = "",
        take: bool = False,
        claim: bool = False,
        session: str = "",
    ) -> Job:
        """Queue `source` and return its job.

        `take` moves the file into the job's folder, to leave with the job; `claim` makes this
        process its owner from the first; jobs of one `session` share a place in the queue.
        Raises InputError, StorageError.
        """
        try:
            str(source).encode()
        except UnicodeEncodeError:
            raise InputError(
                "The name {name!a} is not UTF-8; a renamed file would be right.", name=str(source)
            ) from None
        job_id, now = uuid.uuid4().hex, time.time()
        taken = leftovers.taken(source, self.job_dir(job_id), take)
        # in the transaction: a library that refuses does so before anything is moved, and a runner
        # never sees a path that is about to change; a kill in between leaves what `sweep` adopts
        with taken as move, self.database.write() as db:
            source = move()
            db.execute(
                "INSERT INTO jobs (id, title, source, fingerprint, state, options, created, "
                "updated, owner, session) VALUES (?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?)",
                (
                    job_id, title or source.name, str(source), rows.fingerprint(source),
                    json.dumps(dict(options)), now, now, this_process() if claim else None,
                    session,
                ),
            )  # fmt: skip
        return self.job(job_id)

    def job_dir(self, job_id: str) -> Path:
        """Return the folder of a job's own files."""
        return self.home / "jobs" / job_id

    def wav(self, job_id: str) -> Path:
        """Return where a job's 16 kHz mono sound is, or will be."""
        return self.job_dir(job_id) / "audio.wav"

    def job(self, job_id: str) -> Job:
        """Return one job; raises InputError where there is none."""
        with self.database.read() as db:
            row = db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise InputError(
                "There is no job {job_id!r}; the list of jobs shows those there are.", job_id=job_id
            )
        return rows.job_from_row(row)

    def find(self, beginning: str) -> Job:
        """Return the one job whose id begins so; raises InputError for none or several."""
        # a pattern, or nothing at all, must not pick a job that may be deleted next
        sought = beginning if re.fullmatch("[0-9a-f]{4,32}", beginning) else "-"
        with self.database.read() as db:
            found = db.execute("SELECT * FROM jobs WHERE id GLOB ?", (f"{sought}*",)).fetchall()
        if not found:
            raise InputError(
                "No jobs have an id that begins with {beginning!r}; four or more characters of one "
                "id in the list would be right.", beginning=beginning,
            )  # fmt: skip
        if len(found) > 1:
            raise InputError(
                "{number} jobs have an id that begins with {beginning!r}; more characters of one "
                "id in the list would be right.", number=len(found), beginning=beginning,
            )  # fmt: skip
        return rows.job_from_row(found[0])

    def jobs(self, states: Sequence[JobState] = ()) -> list[Job]:
        """Return jobs, newest first; all, or those in `states`."""
        where = f"WHERE state IN ({', '.join('?' * len(states))})" if states else ""
        with self.database.read() as db:
            found = db.execute(f"SELECT * FROM jobs {where} ORDER BY created DESC", tuple(states))
            return [rows.job_from_row(row) for row in found]

    def update_job(self, job_id: str, **changes: Any) -> None:
        """Set some of a job's fields."""
        values = rows.job_columns({**changes, "updated": time.time()})
        columns = ", ".join(f"{name} = ?" for name in values)
        with self.database.write() as db:
            db.execute(f"UPDATE jobs SET {columns} WHERE id = ?", (*values.values(), job_id))

    def claim(self, job_id: str) -> Job | None:
        """Make this process the owner of a job that waits, or whose owner is dead; else None.

        Two processes never get the same one.
        """
        job = self.job(job_id)
        if job.state not in ACTIVE_STATES or is_alive(job.owner):
            return None
        with self.database.write() as db:
            taken = db.execute(
                "UPDATE jobs SET owner = ? WHERE id = ? AND owner IS ? "
                f"AND state IN {ACTIVE_STATES}",
                (this_process(), job.id, job.owner),
            ).rowcount
        return self.job(job.id) if taken else None

    def cancel(self, job_id: str) -> None:
        """Ask for the end of a job; whoever works on it sees it within a second.

        One that has come to its end meanwhile stays as it is.
        """
        job = self.job(job_id)
        state = job.state if is_alive(job.owner) else "cancelled"
        with self.database.write() as db:
            db.execute(
                "UPDATE jobs SET cancel_requested = 1, "
                # whoever took the job in between sees the request
                "state = CASE WHEN owner IS ? THEN ? ELSE state END "
                f"WHERE id = ? AND state IN {ACTIVE_STATES}",
                (job.owner, state, job_id),
            )
            rows.give_up_gaps(db, job_id)

    def end_job(self, job_id: str, **changes: Any) -> None:
        """Write how a job ended, or what it waits for; what is left of an ended one's gaps goes."""
        # in one write: whoever sees the new state may take the job at once
        self.update_job(job_id, **{"owner": None, "stage": NOTHING, **changes})
        with self.database.write() as db:
            rows.give_up_gaps(db, job_id)

    def requeue(self, job_id: str, options: Mapping[str, Any] | None = None) -> bool:
        """Let a job that has ended go on: the rest of its chunks, or what new `options` ask for.

        Tell whether it does; one that goes on already stays as it is.
        """
        if options is not None:
            rows.check_sound(self.job(job_id), self.wav(job_id))
        with self.database.write() as db:
            return rows.requeue(db, job_id, options)

    def delete_job(self, job_id: str) -> None:
        """Delete a job, its transcript and its files for good.

        Raises InputError while it runs, and StorageError where the disk does not let all of it go:
        the rest is deleted at the program's next start.
        """
        job = self.job(job_id)
        busy = InputError(
            "{title} is being worked on; cancel it first, then delete it.", title=job.title
        )
        if job.state in ACTIVE_STATES and is_alive(job.owner):
            raise busy
        with self.database.write() as db:
            db.execute("DELETE FROM segments WHERE job = ?", (job_id,))  # fires the search triggers
            deleted = db.execute(
                "DELETE FROM jobs WHERE id = ? AND owner IS ?", (job_id, job.owner)
            ).rowcount
            if not deleted:  # someone has taken it since; the transaction is undone
                raise busy
            rows.drop_cached(db, job, self.home / "cache")
            doomed = leftovers.discard(self.home, job_id)  # last: a refusal undoes the rest
        leftovers.remove(doomed, job.title)

    def save_plan(self, job_id: str, chunks: Iterable[Chunk]) -> None:
        """Write the chunks that are to be decoded, in place of any earlier plan."""
        found = [rows.chunk_row(job_id, chunk) for chunk in chunks]
        with self.database.write() as db:
            rows.clear_plan(db, job_id)
            db.executemany(
                'INSERT INTO chunks (job, number, "start", "end", speech) VALUES (?, ?, ?, ?, ?)',
                found,
            )

    def chunks(self, job_id: str, *, unfinished: bool = False) -> list[Chunk]:
        """Return the plan of a job in order; all of it, or what is still to be decoded."""
        where = "AND done = 0" if unfinished else ""
        with self.database.read() as db:
            found = db.execute(
                f"SELECT * FROM chunks WHERE job = ? {where} ORDER BY number", (job_id,)
            ).fetchall()
        return [rows.chunk_from_row(row) for row in found]

    def begin_chunk(self, job_id: str, index: int) -> None:
        """Count one more attempt at a chunk."""
        with self.database.write() as db:
            db.execute(
                "UPDATE chunks SET decodes = decodes + 1 WHERE job = ? AND number = ?",
                (job_id, index),
            )

    def save_chunk(
        self, job_id: str, index: int, segments: Iterable[Segment], *, dropped: int, seconds: float
    ) -> None:
        """Write a finished chunk: its segments, how many were dropped, and the time it took."""
        with self.database.write() as db:
            rows.clear_chunk(db, job_id, index)
            # turns may come before or after: both ways the same speakers are found
            rows.write_segments(db, job_id, index, rows.aligned(db, job_id, list(segments)))
            db.execute(
                "UPDATE chunks SET done = 1, seconds = ? WHERE job = ? AND number = ?",
                (seconds, job_id, index),
            )
            db.execute(
                "UPDATE jobs SET seconds = seconds + ?, dropped_segments = dropped_segments + ?, "
                "progress = (SELECT avg(done) FROM chunks WHERE job = ?), updated = ? "
                "WHERE id = ?",
                (seconds, dropped, job_id, time.time(), job_id),
            )

    def segments(self, job_id: str, *, last: int | None = None) -> list[Segment]:
        """Return what is finished of a job's text, in order of time; all, or the `last` so many."""
        with self.database.read() as db:
            found = db.execute(
                'SELECT * FROM segments WHERE job = ? ORDER BY "start" DESC, "end" DESC, id DESC '
                "LIMIT ?",
                (job_id, -1 if last is None else last),
            ).fetchall()
        return [rows.segment_from_row(row) for row in reversed(found)]

    def save_diarization(
        self, job_id: str, turns: Sequence[Turn], facts: Mapping[str, Any]
    ) -> None:
        """Write who speaks when and how it was found; names and segments follow."""
        with self.database.write() as db:
            rows.write_diarization(db, job_id, turns, facts)

    def transcript(self, job_id: str) -> Transcript:
        """Return the transcript of a job as far as it is finished."""
        with self.database.snapshot() as db:
            job, segments = self.job(job_id), self.segments(job_id)
            turns, names = rows.read_turns(db, job_id), rows.read_names(db, job_id)
        return Transcript(
            title=job.title,
            duration=job.duration or 0.0,
            language=job.language,
            language_probability=job.language_probability,
            model=job.model,
            compute_type=job.compute_type,
            segments=tuple(segments),
            job_id=job.id,
            digest=job.digest,
            device=job.device,
            notes=job.notes,
            dropped_segments=job.dropped_segments,
            turns=tuple(turns),
            names=names,
            diarization=job.diarization,
        )
