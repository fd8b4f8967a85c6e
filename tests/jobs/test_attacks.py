"""Workers that leak, hang, crash or are killed, under a real server that answers all the while."""

import http.client
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from attacks import STAGES
from conftest import SETTINGS, known, wait_until

from tools.serving import CEILING, serving
from transcrevai_core.library.journal import Journal
from transcrevai_core.library.store import Store
from transcrevai_core.memory.readings import MB
from transcrevai_core.workers.worker import BACKSTOP

pytestmark = pytest.mark.slow


class Health(threading.Thread):
    """Asks the health route again and again, and ends where it is not answered."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.address = urlsplit(url).netloc
        self.answers, self.ending = 0, threading.Event()
        self.start()

    def run(self) -> None:
        while not self.ending.wait(0.05):
            connection = http.client.HTTPConnection(self.address, timeout=CEILING)
            connection.request("GET", "/_stcore/health")
            assert connection.getresponse().status == 200
            connection.close()
            self.answers += 1


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Any, Any, Any]]:
    """A server whose workers obey files of attacks; yields its library, their folder, health."""
    folder = tmp_path_factory.mktemp("attacks")
    with serving(
        folder / "home",
        "tests/attacked_app.py",
        ATTACKS=str(folder),
        TRANSCREVAI_CACHE_ENTRIES="0",  # every job looks for its speakers anew
        TRANSCREVAI_PREPARE_LIMIT_MB="200",  # leaks come there sooner
        TRANSCREVAI_DIARIZATION_LIMIT_MB="250",
        TRANSCREVAI_MEMORY_BUDGET_MB="800",  # leaves no room to raise them much
        **SETTINGS,
    ) as server:
        health = Health(server.url)
        yield Store(folder / "home"), folder, health, server
        health.ending.set()
        health.join()


OPTIONS = {"model": "demo", "language": "pt", "beam_size": 1, "chunk_seconds": 10}
WORKERS = {"prepare": "prepare", "load_model": "transcription", "decode": "transcription",
           "diarize": "diarization"}  # fmt: skip
SAID = {"leak": "needed more memory than its limit", "hang": "hung"}


@pytest.mark.parametrize("way", ["leak", "hang", "segfault", "kill"])
def test_a_worker_that_goes_wrong_at_each_stage_costs_nothing_but_time(
    attacked: tuple[Store, Any, Any, Any], short_recording: Path, way: str
) -> None:
    store, folder, health, server = attacked
    health.answers = 0
    for stage in STAGES:
        (folder / stage).write_text(way)
    job = store.add_job(short_recording, OPTIONS)
    wait_until(lambda: store.job(job.id).state in ("done", "failed"))
    done, events = store.job(job.id), Journal(store.database, "").events(job=job.id)
    assert not any((folder / stage).exists() for stage in STAGES)  # each was attacked
    assert done.state == "done" and not done.error and done.diarization["speakers"] >= 2
    assert len(store.segments(job.id)) > 3 and not store.chunks(job.id, unfinished=True)
    died = [str(event.cause) for event in events if event.kind == "died"]
    assert all(SAID.get(way, "ended unexpectedly") in cause for cause in died)
    expected = sorted(WORKERS.values())
    assert sorted(cause.split()[1] for cause in died) == expected
    restarts = [str(event.cause) for event in events if event.kind == "restart"]
    assert sorted(cause.split()[1] for cause in restarts) == expected
    assert all("worker starts again after 0.1 s" in cause for cause in restarts)
    if way == "leak":
        limits = {
            cause.split()[1]: known(re.search(r"limit of (\d+) MB", cause))[1] for cause in died
        }
        for stage, worker in WORKERS.items():
            stopped_in_time(folder / f"{stage}.log", int(limits[worker]) * MB)
    assert health.answers > 10 and health.is_alive()
    assert psutil.pid_exists(server.pid)


def stopped_in_time(log: Path, limit: Any) -> None:
    """Check that a leak came to its limit, and not to where the system would refuse it more."""
    assert 0.9 * limit < int(log.read_text().splitlines()[-1]) < BACKSTOP * limit
