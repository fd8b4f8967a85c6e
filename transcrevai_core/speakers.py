"""Who speaks when, as a stage of a job: from the cache where it is there, else in a worker."""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transcrevai_core import cache, stages
from transcrevai_core.attempt import MAX_ATTEMPTS, Attempt, first_line
from transcrevai_core.diarization.recipes import REVISION
from transcrevai_core.errors import TranscrevaiError, WorkerDied
from transcrevai_core.options import JobOptions
from transcrevai_core.records import fingerprint
from transcrevai_core.types import Job, Turn
from transcrevai_core.workers import Worker

log = logging.getLogger(__name__)

_MISSED = "Who spoke when could not be found:"
STAGE = "telling the speakers apart"

Found = tuple[Sequence[Turn], Mapping[str, Any]]


def by_channel(options: JobOptions) -> bool:
    """Tell whether each channel is to be a speaker."""
    return options.diarize and options.channels == "speakers"


def wanted(job: Job, options: JobOptions) -> bool:
    """Tell whether a job asks for speakers, or for others than it has."""
    return options.diarize and job.diarization.get("settings") != _asked(options)


def find(attempt: Attempt, in_front: Callable[[], bool] = lambda: True) -> None:
    """Find who speaks when and write it; only where it is `in_front` is progress shown.

    Raises TranscrevaiError with one sentence.
    """
    if in_front():
        attempt.update(stage=STAGE, progress=0.0)
    worker = Worker("diarization")

    def progress(done: float) -> None:
        if in_front():
            attempt.progress(done)

    def call(function: Callable[..., Any], *args: Any) -> Any:
        return attempt.call(worker, function, *args, on_progress=progress)

    try:
        kept = cache.Cache(attempt.store, attempt.settings)
        turns, facts = _find(kept, attempt.job, attempt.options, attempt.wav, call)
    except WorkerDied:
        raise WorkerDied(
            f"Telling the speakers apart ended its worker {MAX_ATTEMPTS} times; another embedding "
            "would be worth a try."
        ) from None
    finally:
        worker.stop()
    attempt.store.save_diarization(attempt.job.id, turns, facts)
    attempt.forget(_MISSED)


def miss(attempt: Attempt, error: BaseException) -> None:
    """Say that the text has to do without speakers."""
    if not isinstance(error, TranscrevaiError):
        log.error("job %s: no speakers", attempt.job.id, exc_info=error)
    attempt.forget(_MISSED)
    attempt.note(f"{_MISSED} {first_line(error)}.")


def _asked(options: JobOptions) -> dict[str, Any]:
    return {**options.diarization(), "revision": REVISION}


def _find(
    kept: cache.Cache, job: Job, options: JobOptions, wav: Path, call: Callable[..., Any]
) -> Found:
    """Return turns and how they were found; a worker starts only where the cache does not know."""
    begun, settings, asked = time.monotonic(), options.diarization(), _asked(options)
    if by_channel(options):  # quick, and not told by the digest, which is of the mix
        return _facts(call(stages.split_channels, wav), asked, begun)
    model = fingerprint(Path(options.embedding))  # of a file, whose content may change
    turns_key = cache.key(job.digest, {**asked, "model": model})
    if (file := kept.find(turns_key, "turns")) and (answer := _read(file)):
        return answer
    voices_key = cache.key(
        job.digest, {"embedding": options.embedding, "model": model, "revision": REVISION}
    )
    heard = kept.find(voices_key, "voices")
    turns, facts = _facts(call(stages.diarize, wav, kept.path(voices_key), settings), asked, begun)
    if not heard:
        kept.keep(voices_key, "voices")
    _write(kept.path(turns_key), turns, facts)
    kept.keep(turns_key, "turns")
    return turns, facts


def _facts(found: Found, asked: Mapping[str, Any], begun: float) -> Found:
    turns, facts = found
    seconds = round(time.monotonic() - begun, 3)
    return turns, {"settings": dict(asked), **facts, "seconds": seconds}


def _write(path: Path, turns: Sequence[Turn], facts: Mapping[str, Any]) -> None:
    part = path.with_suffix(".part")
    rows = [(turn.start, turn.end, turn.speaker) for turn in turns]
    part.write_text(json.dumps({"turns": rows, "facts": facts}))
    part.replace(path)


def _read(path: Path) -> Found | None:
    try:
        answer = json.loads(path.read_text())
        return [Turn(*turn) for turn in answer["turns"]], answer["facts"]
    except (OSError, ValueError):  # someone has touched it
        return None
