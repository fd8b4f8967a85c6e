import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from transcrevai_core.errors import Cancelled, WorkerDied
from transcrevai_core.inside import report
from transcrevai_core.workers import Worker


@pytest.fixture
def worker():
    worker = Worker("test")
    yield worker
    worker.stop()


def gone(pid, within=5.0):
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie":
            return True
        time.sleep(0.05)
    return False


def count_to(number):
    for i in range(number):
        report(i)
    return os.getpid()


def test_a_call_runs_elsewhere_and_its_events_come_in_order(worker):
    events = []
    pid = worker.call(count_to, 1000, on_event=events.append)
    assert pid == worker.pid != os.getpid()
    assert events == list(range(1000))
    assert worker.call(count_to, 0) == pid  # the process stays


def test_an_exception_reaches_the_caller_and_the_worker_lives(worker):
    pid = worker.call(os.getpid)
    with pytest.raises(ZeroDivisionError):
        worker.call(divmod, 1, 0)
    assert worker.call(os.getpid) == pid


def grow(megabytes):
    kept.append(bytearray(os.urandom(1)) * (megabytes * 1_000_000))
    return os.getpid()


kept = []


def test_a_worker_that_grows_keeps_its_process_and_its_model(worker):
    pid = worker.call(grow, 1)
    time.sleep(1.1)  # loky looks once a second
    assert worker.call(grow, 350) == pid
    time.sleep(1.1)
    assert worker.call(grow, 1) == worker.call(grow, 1) == pid


def die(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_death_becomes_an_error_and_the_next_call_gets_a_new_process(worker, number):
    pid = worker.call(os.getpid)
    with pytest.raises(WorkerDied, match="ended unexpectedly"):
        worker.call(die, number)
    assert worker.call(os.getpid) != pid


def test_cancelling_kills_at_once(worker):
    pid = worker.call(os.getpid)
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        worker.call(time.sleep, 60, should_stop=lambda: time.monotonic() - begun > 0.3)
    assert time.monotonic() - begun < 10
    assert gone(pid)


def test_silence_ends_the_call(worker):
    with pytest.raises(TimeoutError):
        worker.call(time.sleep, 60, silence_seconds=0.5)


PROGRAM = """
import os, sys, time
from transcrevai_core.workers import Worker
worker = Worker("orphan")
print(worker.call(os.getpid), flush=True)
worker.call(time.sleep, 60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_when_the_program_dies(number):
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    pid = int(program.stdout.readline())
    assert psutil.pid_exists(pid)
    program.send_signal(number)
    program.wait()
    assert gone(pid)
