"""Workers that leak, hang, crash or are killed, under a real server that answers all the while."""

import http.client
import re
import threading
import time
from urllib.parse import urlsplit

import psutil
import pytest
from attacks import STAGES
from conftest import wait_until

from tools.serving import serving
from transcrevai_core.journal import Journal
from transcrevai_core.memory import MB
from transcrevai_core.store import Store


class Health(threading.Thread):
    """Asks the health route again and again; `slowest` is the longest wait for an answer (s)."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.address = urlsplit(url).netloc
        self.slowest, self.answers, self.ending = 0.0, 0, threading.Event()
        self.start()

    def run(self):
        while not self.ending.wait(0.05):
            begun = time.monotonic()
            connection = http.client.HTTPConnection(self.address, timeout=10)
            connection.request("GET", "/_stcore/health")
            assert connection.getresponse().status == 200
            connection.close()
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.answers += 1


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """A server whose workers obey the file of attacks; yields its library, the file and health."""
    folder = tmp_path_factory.mktemp("attacks")
    file = folder / "attack"
    file.write_text("")
    with serving(
        folder / "home",
        "tests/attacked_app.py",
        ATTACK=str(file),
        TRANSCREVAI_HANG_SECONDS="2",
        TRANSCREVAI_RESTART_SECONDS="0.1",
        TRANSCREVAI_WORK_CORES="2",
        TRANSCREVAI_CACHE_ENTRIES="0",  # every job looks for its speakers anew
        TRANSCREVAI_DEGRADED_PERCENT="97",
        TRANSCREVAI_EMERGENCY_PERCENT="98",
        TRANSCREVAI_KILL_PERCENT="99",
    ) as server:
        health = Health(server.url)
        yield Store(folder / "home"), file, health, server
        health.ending.set()
        health.join()


OPTIONS = {"model": "demo", "language": "pt", "beam_size": 1, "chunk_seconds": 10}


@pytest.mark.parametrize("way", ["leak", "hang", "segfault", "kill"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_that_goes_wrong_costs_nothing_but_time(attacked, short_recording, stage, way):
    store, file, health, server = attacked
    health.slowest = health.answers = 0
    file.write_text(f"{stage} {way}")
    job = store.add_job(short_recording, OPTIONS)
    wait_until(lambda: store.job(job.id).state in ("done", "failed"), 60)
    done, events = store.job(job.id), Journal(store.database, "").events(job=job.id)
    assert file.read_text() == ""  # it was attacked
    assert done.state == "done" and done.error == ""
    assert len(store.segments(job.id)) > 3 and len(store.transcript(job.id).speakers) >= 2
    assert not store.chunks(job.id, unfinished=True)
    said = {"leak": "needed more memory than its limit", "hang": "hung"}
    (died,) = [event for event in events if event.kind == "died"]
    assert said.get(way, "ended unexpectedly") in died.cause
    (restart,) = [event for event in events if event.kind == "restart"]
    lighter = stage in ("load_model", "decode")  # beyond its one thread, chunks of 10 s are least
    assert restart.cause.startswith(f"The {_worker(stage)} worker starts again after 0.1 s")
    assert lighter or "with" not in restart.cause
    if way == "leak":
        limit = int(re.search(r"limit of (\d+) MB", died.cause)[1]) * MB
        rows = [line.split() for line in file.with_suffix(".leak").read_text().splitlines()]
        over = [float(at) for at, resident in rows if int(resident) > limit]
        assert not over or over[-1] - over[0] < 1.0
        assert int(rows[-1][1]) > 0.9 * limit
    assert health.answers > 10 and health.slowest < 1.0
    assert psutil.pid_exists(server.pid)


def _worker(stage):
    return {"load_model": "transcription", "decode": "transcription", "diarize": "diarization"}.get(
        stage, stage
    )
