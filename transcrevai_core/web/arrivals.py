"""Recordings that wait to be begun: a worker looks into each, so that none is queued in vain.

What was seen is kept for the pages as long as the file is there.
"""

import threading
from collections.abc import Iterable
from pathlib import Path

from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.jobs.planning import look_into
from transcrevai_core.messages import Message
from transcrevai_core.settings import Settings
from transcrevai_core.types import Media
from transcrevai_core.workers.background import Task, explain

_lock = threading.Lock()
_seen: dict[Path, Media | Message] = {}
_looks: dict[Path, Task] = {}


def look(files: Iterable[Path], settings: Settings) -> None:
    """Begin to look into those files that nobody has looked into."""
    with _lock:
        for known in [*_seen]:
            if not known.exists():
                _seen.pop(known)
        new = [file for file in files if file not in _seen and not is_looked_into(file)]
        if new:
            task = Task(lambda task: _look(new, settings))
            _looks.update(dict.fromkeys(new, task))


def is_looked_into(file: Path) -> bool:
    """Tell whether a worker is about to look into a file, or does."""
    task = _looks.get(file)
    return file not in _seen and task is not None and task.is_alive()


def seen(file: Path) -> Media | Message | None:
    """Return what a file was seen to be, or why it is no recording; None where nobody has looked.

    Where a look itself failed the sentence says so; the next one tries again.
    """
    if file in _seen:
        return _seen[file]
    task = _looks.get(file)
    return task.error if task is not None and not task.is_alive() else None


def _look(files: list[Path], settings: Settings) -> None:
    for file, found in look_into(files, settings):
        _seen[file] = explain(found) if isinstance(found, TranscrevaiError) else found
