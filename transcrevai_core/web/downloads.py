"""Models on their way to this computer, for pages to begin, watch and stop.

They go on when the page that began them is closed, and everybody may watch and stop them; what has
come of one is kept for whoever began it.
"""

from transcrevai_core.codes import Stage
from transcrevai_core.jobs.models import fetch_model
from transcrevai_core.settings import Settings
from transcrevai_core.workers.background import Task

_begun: dict[str, tuple[str, Task]] = {}  # by model: the owner and the work


def begin(name: str, settings: Settings, owner: str) -> None:
    """Begin to download a model for its owner, unless it is on its way already."""
    if name not in running():
        task = Task(
            lambda task: fetch_model(
                name,
                settings,
                on_progress=lambda share: task.report(Stage.DOWNLOADING, share),
                on_wait=lambda reason: task.report(reason, 0.0),
                should_stop=task.should_stop,
            )
        )
        _begun[name] = owner, task


def running() -> dict[str, Task]:
    """Return the downloads that are on their way, by model."""
    return {name: task for name, (_owner, task) in list(_begun.items()) if task.is_alive()}


def belong_to(owner: str) -> bool:
    """Tell whether an owner has begun one of which it has not been told what came."""
    return any(whose == owner for whose, _task in list(_begun.values()))


def take_ended(owner: str) -> dict[str, Task]:
    """Return an owner's downloads that have ended since this was last asked, by model."""
    ended = [
        name
        for name, (whose, task) in list(_begun.items())
        if whose == owner and not task.is_alive()
    ]
    return {name: _begun.pop(name)[1] for name in ended}
