"""Who speaks when, as a stage of a job: from the cache where it is there, else in a worker."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transcrevai_core.codes import Note, Stage
from transcrevai_core.diarization.recipes import REVISION, resolved
from transcrevai_core.errors import Cancelled, InputError, TranscrevaiError, WorkerDied, reason
from transcrevai_core.jobs import tasks
from transcrevai_core.jobs.attempt import RETRIES, Attempt
from transcrevai_core.library import cache
from transcrevai_core.library.rows import fingerprint
from transcrevai_core.memory import levels
from transcrevai_core.options import DEFAULTS, JobOptions
from transcrevai_core.types import Job, Turn

log = logging.getLogger(__name__)

Found = tuple[Sequence[Turn], Mapping[str, Any]]


def by_channel(options: JobOptions) -> bool:
    """Tell whether each channel is to be a speaker."""
    return options.diarize and options.channels == "speakers"


def wanted(job: Job, options: JobOptions) -> bool:
    """Tell whether a job asks for speakers, or for others than it has."""
    had = job.diarization.get("settings")
    if not options.diarize or had is None:
        return options.diarize
    asked = resolved(options.diarization())
    return any(had.get(name, DEFAULTS[name]) != value for name, value in asked.items())


def voices_key(digest: str, settings: Mapping[str, Any]) -> str:
    """Return the key of the voices that `JobOptions.diarization` settings ask for of a sound."""
    asked = {
        "embedding": settings["embedding"],
        "model": fingerprint(Path(settings["embedding"])),
        "revision": REVISION,
        "overlap": settings["overlap"],
    }
    own = {name: settings[name] for name in ("window_seconds", "hop_seconds") if settings[name]}
    return cache.key(digest, asked | own)


class Postponed(Exception):
    """The words go first, because memory is short; the speakers can be found after them."""


def find(attempt: Attempt, visible: Callable[[], bool] = lambda: True) -> None:
    """Find who speaks when and write it; progress is shown only where it is `visible`.

    Raises TranscrevaiError with one sentence, and Postponed where it is not visible and memory
    has become short.
    """
    if visible():
        attempt.update(stage=Stage.DIARIZING(), progress=0.0)
    worker, begun = attempt.worker("diarization"), attempt.clock.mine()

    def progress(done: float) -> None:
        if visible():
            attempt.progress(done)

    def is_postponed() -> bool:
        return not visible() and not levels.admits(attempt.governor.level)

    def call(function: Callable[..., Any], *args: Any) -> Any:
        def once() -> Any:
            return attempt.call(
                worker,
                function,
                *args,
                on_progress=progress,
                should_stop=lambda: is_postponed() or attempt.should_stop(),
            )

        found = attempt.retry(worker, once)
        if function is tasks.diarize:
            seconds = attempt.clock.mine() - begun
            attempt.keep_run("diarization", worker, seconds, attempt.plan.needs["diarization"])
        return found

    try:
        kept = cache.Cache(attempt.store, attempt.settings)
        turns, facts = _find(kept, attempt, call)
    except Cancelled:
        if attempt.should_stop():
            raise
        raise Postponed from None
    except WorkerDied as death:
        raise WorkerDied(
            "{reason:part}; telling the speakers apart was tried {times} times.",
            death.cause,
            reason=death.message,
            times=RETRIES + 1,
        ) from None
    finally:
        worker.stop()
        for name in (tasks.ONE_CHANNEL, f"{Path(tasks.ONE_CHANNEL).stem}.part"):
            attempt.wav.with_name(name).unlink(missing_ok=True)
    attempt.store.save_diarization(attempt.job.id, turns, facts)


def note_failure(attempt: Attempt, error: BaseException) -> None:
    """Note that the text has to do without speakers, and why."""
    if not isinstance(error, TranscrevaiError):
        log.error("job %s: no speakers", attempt.job.id, exc_info=error)
    attempt.note(Note.NO_SPEAKERS(reason=reason(error)))


def _find(kept: cache.Cache, attempt: Attempt, call: Callable[..., Any]) -> Found:
    """Return turns and how they were found; a worker starts only where the cache has none."""
    job, options, wav = attempt.job, attempt.options, attempt.wav
    begun, settings = attempt.clock.mine(), resolved(options.diarization())

    def facts(found: Found) -> Found:
        turns, known = found
        seconds = round(attempt.clock.mine() - begun, 3)
        return turns, {**known, "settings": dict(settings), "seconds": seconds}

    if by_channel(options):  # quick, and not told by the digest, which is of the mix
        if not wav.with_name(tasks.CHANNELS).is_file() and fingerprint(job.source) != (
            job.fingerprint or fingerprint(job.source)
        ):
            raise InputError(
                "{name} is gone or has changed, and its channels were not heard before; the "
                "setting channels=mix would be right.",
                name=job.source.name,
            )
        heard = (note.values["number"] for note in job.notes if note.code is Note.TRACK)
        return facts(call(tasks.split_channels, job.source, wav, next(heard, options.track or 1)))
    asked = {**settings, "model": fingerprint(Path(settings["embedding"])), "revision": REVISION}
    if options.speakers:  # the range is not looked at
        asked |= {"min_speakers": None, "max_speakers": None}
    turns_key = cache.key(job.digest, asked)
    if (file := kept.find(turns_key, "turns")) and (answer := _read(file)):
        return facts(answer)
    of_voices = voices_key(job.digest, settings)
    known = kept.find(of_voices, "voices")
    if attempt.is_emergency and not known:  # what is kept takes memory too
        return facts(call(tasks.diarize, wav, None, settings))
    found = call(tasks.diarize, wav, kept.path(of_voices), settings)
    try:
        if not known:
            kept.keep(of_voices, "voices", job.digest)
        _write(kept.path(turns_key), found)
        kept.keep(turns_key, "turns", job.digest)
    except OSError as error:  # a full disk costs the next time only
        log.warning("job %s: what was found cannot be kept for later (%s)", job.id, error)
    return facts(found)


def _write(path: Path, found: Found) -> None:
    turns, facts = found
    rows = [(turn.start, turn.end, turn.speaker) for turn in turns]
    cache.write(path, json.dumps({"turns": rows, "facts": dict(facts)}).encode())


def _read(path: Path) -> Found | None:
    try:
        answer = json.loads(path.read_text())
        return [Turn(*turn) for turn in answer["turns"]], dict(answer["facts"])
    except (OSError, ValueError, KeyError, TypeError):  # someone has touched it
        return None
