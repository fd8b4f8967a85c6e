"""What many tests need: a library of their own, and sounds made on the spot."""

import os
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

# before numpy is there: one thread for its sums, as in the workers, or the tests' processes would
# spin for each other's cores
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import av
import numpy as np
import pytest

from tools import real_models
from tools.serving import CEILING, Server, browsing, serving
from transcrevai_core import demo, i18n, workers
from transcrevai_core.audio import decode
from transcrevai_core.jobs import direct
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.jobs.planning import plan_for
from transcrevai_core.library.store import Store
from transcrevai_core.memory.plan import Plan
from transcrevai_core.models import catalogue
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.tuning import laboratory, sweeps
from transcrevai_core.types import Job
from transcrevai_core.web import uploads
from transcrevai_core.workers.worker import Worker

# helpers and programs under test: without tests or examples, and not to be run at collection
collect_ignore = [
    path.name for path in Path(__file__).parent.glob("*.py") if not path.match("test_*.py")
]
pytest.register_assert_rewrite("browsing", "helpers", "paging")

# what is here must not change what the other tests find; their processes inherit the other name
VOICE_MODELS = os.environ.setdefault(
    "VOICE_MODELS_OF_TESTS", os.environ.pop(catalogue.VOICE_FOLDER, "")
)
ROUTER = Path(__file__).parent.parent / "pages" / "_router.py"
UPLOAD_LIMIT = 1_000_000  # bytes, where tests send something
# for the programs under test: however full the memory of this machine is, jobs begin; they have two
# processors, and are tried again at once
SETTINGS = {
    "TRANSCREVAI_DEGRADED_PERCENT": "97",
    "TRANSCREVAI_EMERGENCY_PERCENT": "98",
    "TRANSCREVAI_KILL_PERCENT": "99",
    "TRANSCREVAI_RESTART_SECONDS": "0.1",
    "TRANSCREVAI_WORK_CORES": "2",
}


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for what happens in another process or thread."""
    end = time.monotonic() + CEILING
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


T = TypeVar("T")


def known(value: T | None) -> T:
    """Return what must be there."""
    assert value is not None
    return value


def worker_named(name: str) -> Worker | None:
    """Return the worker of that name that has a process, else None."""
    return next((w for w in workers.live() if w.name == name and w.pid), None)


def planned(governor: Governor, job: Job) -> Plan:
    """Plan a job as the runner does."""
    return plan_for(governor.store, governor.settings, JobOptions(**job.options), job.duration)


@pytest.fixture
def governor(store: Store) -> Iterator[Governor]:
    with Governor(store, load_settings()) as governor:
        yield governor


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's own library and settings."""
    for name in ("WHISPER_MODEL", "WHISPER_PRELOAD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRANSCREVAI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(i18n, "_find", i18n._find)  # whoever is told to speak, does so here only
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "home"


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home)


@pytest.fixture
def app() -> Any:
    """The pages, over the test's own library."""
    from streamlit.testing.v1 import AppTest  # slow to import, and few tests need it

    return AppTest.from_file(str(ROUTER), default_timeout=CEILING)


def beginning(path: Path, seconds: int, times: int = 1) -> Path:
    """Write the first seconds of the Portuguese sample, once or several times."""
    decode.decode(demo.sample_path("pt"), path)
    with wave.open(str(path)) as wav:
        frames = wav.readframes(seconds * 16_000)
    with wave.open(str(path), "wb") as wav:
        wav.setparams((1, 2, 16_000, 0, "NONE", ""))
        wav.writeframes(frames * times)
    return path


@pytest.fixture(scope="session")
def short_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 20 seconds of the Portuguese sample, with two speakers."""
    return beginning(tmp_path_factory.mktemp("short") / "short.wav", 20)


@pytest.fixture
def make_sound(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a tone to a file of any container and codec."""

    def make(
        name: str = "tone.wav",
        *,
        codec: str = "pcm_s16le",
        rate: int = 16_000,
        layout: str = "mono",
        sample_format: str = "s16",
        seconds: float = 1.0,
        hertz: float = 440.0,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(round(seconds * rate)) / rate
        tone = np.round(0.5 * 32767 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
        channels = av.AudioLayout(layout).nb_channels
        if codec == "pcm_s16le":
            with wave.open(str(path), "wb") as wav:
                wav.setparams((channels, 2, rate, 0, "NONE", ""))
                wav.writeframes(np.repeat(tone, channels).tobytes())
            return path
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream(
                codec, rate=rate, layout=layout, format=sample_format
            )
            frame = av.AudioFrame.from_ndarray(
                np.tile(tone, (channels, 1)), format="s16p", layout=layout
            )
            frame.rate = rate
            resampler = av.AudioResampler(
                sample_format, layout, rate, frame_size=stream.codec_context.frame_size or 1024
            )
            for piece in (*resampler.resample(frame), *resampler.resample(None), None):
                container.mux(stream.encode(piece))
        return path

    return make


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("browser") / "home"
    with serving(home, TRANSCREVAI_WORK_CORES=SETTINGS["TRANSCREVAI_WORK_CORES"]) as running:
        yield running


@pytest.fixture(scope="module")
def library(server: Server) -> Store:
    return Store(server.log.parent / "home")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as running:
        yield running


@pytest.fixture
def port(store: Store) -> Iterator[int]:
    import uvicorn  # slow to import, and few tests need it
    from starlette.applications import Starlette

    app = Starlette(routes=uploads.build_routes(lambda: store, lambda: UPLOAD_LIMIT))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def base_model() -> Path:
    """The folder of the real Whisper base; tests that need it are marked `real`."""
    if why := real_models.why_absent("base"):
        if os.environ.get("TRANSCREVAI_REQUIRE_MODELS") == "1":
            pytest.fail(why)
        pytest.skip(why)
    return known(catalogue.locate("base"))


@pytest.fixture
def voice_models(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of CAM++ and the segmentation; tests that need them are marked `real`."""
    if not (VOICE_MODELS and Path(VOICE_MODELS).is_dir()):
        pytest.skip(f"{catalogue.VOICE_FOLDER} names no folder with voice models")
    monkeypatch.setenv(catalogue.VOICE_FOLDER, VOICE_MODELS)
    return Path(VOICE_MODELS)


@pytest.fixture(scope="session")
def speech() -> Path:
    """The folder of real speech that TRANSCREVAI_SPEECH names; it is no part of the project."""
    folder = os.environ.get("TRANSCREVAI_SPEECH", "")
    if not (folder and Path(folder).is_dir()):
        pytest.skip("TRANSCREVAI_SPEECH names no folder with real speech")
    return Path(folder)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep models in a hub's cache of the test's own."""
    monkeypatch.setattr(catalogue, "hub_cache", lambda: tmp_path / "hub")
    return tmp_path / "hub"


@pytest.fixture(scope="module")
def diarized_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library in which the speakers of a sample were found."""
    home = tmp_path_factory.mktemp("laboratory") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSCREVAI_HOME", str(home))
        direct.diarize(demo.sample_path("pt"), embedding="mfcc")
    return home


@pytest.fixture
def diarized(diarized_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("TRANSCREVAI_HOME", str(diarized_home))
    store = Store(diarized_home)
    yield store
    for job in store.jobs():
        sweeps.reference_file(store, job.id).unlink(missing_ok=True)
    laboratory.stop_all()
