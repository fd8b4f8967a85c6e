"""TranscrevAI's core: recordings become transcripts, offline, inside isolated workers.

>>> from transcrevai_core import transcribe # doctest: +SKIP
>>> print(transcribe("meeting.mp3", language="pt").text)          # doctest: +SKIP
"""

import importlib
from typing import Any

_HOMES = {
    "transcribe": "jobs.direct",
    "diarize": "jobs.direct",
    "Runner": "jobs.runner",
    "Store": "library.store",
    "Settings": "settings",
    "JobOptions": "options",
    "load_settings": "settings",
    "TranscrevaiError": "errors",
    "Job": "types",
    "Segment": "types",
    "Transcript": "types",
    "Turn": "types",
    "Word": "types",
    "wer": "evaluation.metrics",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
