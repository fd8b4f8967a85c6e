"""What this computer has and what the settings allow, as far as memory and disk go."""

import importlib.metadata
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from transcrevai_core.doctor import probes
from transcrevai_core.doctor.costs import bounded_worker
from transcrevai_core.errors import Cancelled, TranscrevaiError
from transcrevai_core.library.leftovers import free_bytes, size_of
from transcrevai_core.memory import forecast, levels, readings
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.memory.readings import MB
from transcrevai_core.models.catalogue import MODELS, locate
from transcrevai_core.settings import Settings

PACKAGES = (
    "transcrevai", "streamlit", "faster-whisper", "ctranslate2", "numpy", "psutil", "joblib",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model on this computer: its size on disk, and the memory that it needs at work.

    The need is `measured`, or the forecast's.
    """

    name: str
    disk_bytes: int
    need_bytes: int
    measured: bool


@dataclass(frozen=True, slots=True)
class Environment:
    """What this computer has and what the settings allow.

    `limit_bytes` is the memory of the machine, or of the container that is tighter; `pressure`
    and the levels are shares of it (0 to 1), `room_bytes` what is free of it and of the budget.
    `free_disk_bytes` is where the data directory `home` lies.
    """

    versions: dict[str, str]
    system: str
    cores: int
    work_cores: int
    limit_bytes: int
    pressure: float
    swap_bytes: int
    budget_bytes: int
    room_bytes: int
    degraded: float
    emergency: float
    kill: float
    prepare_limit_bytes: int
    diarization_limit_bytes: int
    compute_types: dict[str, list[str]]
    models: list[LocalModel]
    home: str
    free_disk_bytes: int
    library_bytes: int
    cache_bytes: int


def read_environment(
    settings: Settings,
    model: str,
    needed_bytes: int,
    should_stop: Callable[[], bool] = lambda: False,
) -> Environment:
    """Read what this computer has; `model` was measured to need `needed_bytes`, 0 for not."""
    machine, limits = readings.machine(), levels.limits_of(settings)
    cache_bytes = size_of(settings.home / "cache")
    return Environment(
        versions={"python": platform.python_version()}
        | {name: _version(name) for name in PACKAGES},
        system=platform.platform(),
        cores=readings.cores(),
        work_cores=readings.work_cores(settings.work_cores),
        limit_bytes=readings.limit_bytes(),
        pressure=machine.pressure,
        swap_bytes=psutil.swap_memory().used,
        budget_bytes=limits.budget_bytes,
        room_bytes=max(0, min(machine.limit_bytes - machine.used_bytes, limits.budget_bytes)),
        degraded=limits.degraded,
        emergency=limits.emergency,
        kill=limits.kill,
        prepare_limit_bytes=settings.prepare_limit_mb * MB,
        diarization_limit_bytes=settings.diarization_limit_mb * MB,
        compute_types=_compute_types(settings, should_stop),
        models=local_models(model, needed_bytes),
        home=str(settings.home),
        free_disk_bytes=free_bytes(settings.home),
        library_bytes=size_of(settings.home) - cache_bytes,
        cache_bytes=cache_bytes,
    )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # run from a copy that nobody installed
        return "unknown"


def _compute_types(settings: Settings, should_stop: Callable[[], bool]) -> dict[str, list[str]]:
    """Ask CTranslate2 in a worker; the answer is empty where it has none."""
    worker = bounded_worker("environment", settings)
    try:
        return worker.call(probes.compute_types, should_stop=should_stop)
    except Cancelled:
        raise
    except (TranscrevaiError, ImportError, RuntimeError, OSError):
        return {}
    finally:
        worker.stop()


def local_models(model: str = "", measured_bytes: int = 0) -> list[LocalModel]:
    """Return the models on this computer, `model` with what it was measured to need."""
    found: dict[Path, LocalModel] = {}  # some have two names
    for name in dict.fromkeys([model, *MODELS] if model else MODELS):
        folder = locate(name)
        if folder is None or folder in found:
            continue
        size = size_of(folder)
        measured = name == model and measured_bytes > 0
        need = measured_bytes if measured else forecast.transcription_bytes(Shape(name))
        found[folder] = LocalModel(name, size, need, measured)
    return sorted(found.values(), key=lambda here: here.need_bytes)
