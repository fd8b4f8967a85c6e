"""Twenty jobs from four sessions at once, while workers are killed at random."""

import os
import random
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import beginning, known, wait_until

from transcrevai_core import workers
from transcrevai_core.jobs.runner import Runner
from transcrevai_core.library.journal import Journal
from transcrevai_core.library.store import Store
from transcrevai_core.memory import readings
from transcrevai_core.memory.plan import base_bytes
from transcrevai_core.settings import load_settings
from transcrevai_core.workers import admission, processes

pytestmark = pytest.mark.slow

pytestmark = pytest.mark.slow

OPTIONS = {"model": "demo", "language": "pt", "beam_size": 1, "chunk_seconds": 5}
MOST_KILLS = 2  # of one stage of one job: a fourth death in a row would rightly end it


class Killer(threading.Thread):
    """Kills a random worker, again and again; `kills` counts them by job and stage."""

    def __init__(self, seed: int) -> None:
        super().__init__(daemon=True)
        self.chance, self.ending = random.Random(seed), threading.Event()
        self.kills: Counter[tuple[str, str]] = Counter()
        self.start()

    def run(self) -> None:
        while not self.ending.wait(self.chance.uniform(0.2, 1.2)):
            alive = [(w.pid, (w.job, w.name)) for w in workers.live() if w.job]
            alive = [(pid, whose) for pid, whose in alive if pid and self.kills[whose] < MOST_KILLS]
            if alive:
                pid, whose = self.chance.choice(alive)
                self.kills[whose] += 1
                processes.kill(known(pid))


def decodes(store: Store, job_id: str) -> list[Any]:
    with sqlite3.connect(store.home / "library.sqlite3") as db:
        return [n for (n,) in db.execute("SELECT decodes FROM chunks WHERE job = ?", (job_id,))]


def test_twenty_jobs_come_to_their_end_under_random_kills(store: Store, tmp_path: Path) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    own = (
        readings.share_bytes(os.getpid()) // readings.MB
    )  # the process of the tests is no small one
    settings = load_settings(
        work_cores=4,
        cache_entries=0,
        restart_seconds=0.05,
        memory_budget_mb=own + 800,
        degraded_percent=85,  # of which plans keep below
        emergency_percent=97,
        kill_percent=98,
    )
    recording = beginning(tmp_path / "short.wav", 10)
    runner, killer, added = Runner(store, settings), Killer(seed=7), []

    def ask(session: Any) -> None:
        for number in range(5):
            options = OPTIONS | {"diarize": number == 0}
            added.append(store.add_job(recording, options, session=session).id)
            time.sleep(0.1)

    threads = [threading.Thread(target=ask, args=(f"session {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    runner.start()
    for thread in threads:
        thread.join()
    at_once = promised = most = 0

    def ends(job_id: str) -> bool:
        nonlocal at_once, promised, most
        at_once = max(at_once, len(store.jobs(("preparing", "transcribing"))))
        rooms = admission.kept().values()
        promised = max(promised, base_bytes() + sum(room.bytes for room in rooms))
        most = max(most, readings.own_bytes())
        time.sleep(0.3)
        return store.job(job_id).state in ("done", "failed")

    for job_id in added:
        wait_until(lambda: ends(job_id))  # noqa: B023
    killer.ending.set()
    killer.join()
    runner.stop()

    jobs = [store.job(job_id) for job_id in added]
    assert [(job.state, str(job.error)) for job in jobs] == [("done", "")] * 20
    assert sum(killer.kills.values()) >= 5 and at_once > 1
    # never more than the budget at once; this process grows by itself while the tests run, and a
    # job more would be far over it
    limits = runner.governor.limits
    assert promised <= limits.plan_bytes + 30 * readings.MB and most <= limits.budget_bytes
    # nothing was done twice unless its worker died on it
    for job in jobs:
        again = sum(count - 1 for count in decodes(store, job.id))
        assert 0 <= again <= killer.kills[(job.id, "transcription")]
        assert store.segments(job.id) and not store.chunks(job.id, unfinished=True)
        assert not job.options["diarize"] or job.diarization["speakers"] >= 1
    died = [
        event for event in Journal(store.database, "").events(last=1000) if event.kind == "died"
    ]
    assert len(died) <= sum(killer.kills.values())

    # no orphan process: the two that track semaphores are everyone's
    def left() -> list[Any]:
        children = psutil.Process().children(recursive=True)
        return [c for c in children if c.pid not in before and "tracker" not in _command(c)]

    wait_until(lambda: not left())
    # no file left behind
    for job in jobs:
        names = {path.name for path in store.job_dir(job.id).iterdir()}
        assert names == {"audio.wav", "speech.f32"}
    assert not [*(store.home / "cache").iterdir()]


def _command(process: Any) -> str:
    try:
        return " ".join(process.cmdline()) or "tracker"  # it has just ended
    except psutil.Error:
        return "tracker"
