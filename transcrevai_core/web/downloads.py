"""Models on their way to this computer, for pages to begin, watch and stop.

They go on when the page that began them is closed; what has come of one that ended early is kept.
"""

from transcrevai_core.codes import Stage
from transcrevai_core.jobs.models import fetch_model
from transcrevai_core.settings import Settings
from transcrevai_core.workers.background import Task

_begun: dict[str, Task] = {}


def begin(name: str, settings: Settings) -> None:
    """Begin to download a model, unless it is on its way already."""
    if name not in running():
        _begun[name] = Task(
            lambda task: fetch_model(
                name,
                settings,
                on_progress=lambda share: task.report(Stage.DOWNLOADING, share),
                on_wait=lambda reason: task.report(reason, 0.0),
                should_stop=task.should_stop,
            )
        )


def running() -> dict[str, Task]:
    """Return the downloads that are on their way, by model."""
    return {name: task for name, task in list(_begun.items()) if task.is_alive()}


def take_ended() -> dict[str, Task]:
    """Return the downloads that have ended since this was last asked, by model."""
    return {name: _begun.pop(name) for name, task in list(_begun.items()) if not task.is_alive()}
