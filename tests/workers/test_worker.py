import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from conftest import known, wait_until

from transcrevai_core.errors import Cancelled, WorkerDied
from transcrevai_core.memory.readings import MB
from transcrevai_core.workers import processes, watcher
from transcrevai_core.workers.child import report
from transcrevai_core.workers.worker import BACKSTOP, Worker

pytestmark = pytest.mark.slow

FOR_EVER = 3600.0  # seconds: whoever waits for its end waits in vain


@pytest.fixture
def worker() -> Iterator[Any]:
    worker = Worker("test")
    yield worker
    worker.stop()


def wait_for_the_end(pid: int) -> None:
    def gone() -> bool:
        try:
            return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    wait_until(gone)


def count_to(number: int) -> int:
    for i in range(number):
        report(i)
    return os.getpid()


def test_a_call_runs_elsewhere_and_its_events_come_in_order(worker: Any) -> None:
    events: list[Any] = []
    pid = worker.call(count_to, 1000, on_event=events.append)
    assert pid == worker.pid != os.getpid()
    assert events == list(range(1000))
    assert worker.call(count_to, 0) == pid  # the process stays


def test_an_exception_reaches_the_caller_and_the_worker_lives(worker: Any) -> None:
    pid = worker.call(os.getpid)
    with pytest.raises(ZeroDivisionError):
        worker.call(divmod, 1, 0)
    assert worker.call(os.getpid) == pid


def grow(megabytes: int) -> int:
    kept.append(bytearray(os.urandom(1)) * (megabytes * 1_000_000))
    return os.getpid()


kept: list[Any] = []


def test_a_worker_that_grows_keeps_its_process_and_its_model(worker: Any) -> None:
    pid = worker.call(grow, 1)
    time.sleep(1.1)  # loky looks once a second
    assert worker.call(grow, 350) == pid
    time.sleep(1.1)
    assert worker.call(grow, 1) == worker.call(grow, 1) == pid


def die(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_death_becomes_an_error_and_the_next_call_gets_a_new_process(
    worker: Any, number: Any
) -> None:
    pid = worker.call(os.getpid)
    with pytest.raises(WorkerDied, match="ended unexpectedly"):
        worker.call(die, number)
    assert worker.call(os.getpid) != pid


def test_cancelling_kills_amid_the_work(worker: Any) -> None:
    pid = worker.call(os.getpid)
    heard: list[Any] = []
    with pytest.raises(Cancelled):
        worker.call(report_and_sleep, on_event=heard.append, should_stop=lambda: bool(heard))
    wait_for_the_end(pid)


def test_a_worker_that_died_between_two_calls_can_be_called_again(worker: Any) -> None:
    pid = worker.call(os.getpid)
    os.kill(pid, signal.SIGKILL)
    wait_for_the_end(pid)
    with pytest.raises(WorkerDied):
        worker.call(os.getpid)
    assert worker.call(os.getpid) != pid
    worker.kill(WorkerDied("It was in the way.", "memory"))
    wait_for_the_end(worker.pid)
    with pytest.raises(WorkerDied, match="in the way"):
        worker.call(os.getpid)
    assert worker.call(os.getpid)


def test_a_worker_that_another_thread_ends_raises_what_can_be_tried_again(worker: Any) -> None:
    def stop(event: Any) -> None:
        threading.Thread(target=worker.stop).start()

    with pytest.raises(WorkerDied):
        worker.call(report_and_sleep, on_event=stop)


def leak() -> None:
    held = []
    while True:
        held.append(b"x" * 1_000_000)
        time.sleep(0.02)  # 50 MB a second


def test_a_worker_over_its_limit_is_ended_and_says_which(worker: Any) -> None:
    worker.limit_bytes = 120 * MB
    with pytest.raises(WorkerDied, match="needed more memory than its limit of 120 MB") as died:
        worker.call(leak)
    assert died.value.cause == "memory"
    # it was let go on that far, and not to where the system would have refused it more
    assert 115 * MB < worker.peak_bytes < BACKSTOP * worker.limit_bytes
    assert worker.call(os.getpid) != os.getpid()  # the next call has a process


def grab() -> int:
    return len(bytearray(2_000_000_000))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of the system that is meant")
def test_a_leap_over_the_limit_is_refused_by_the_system(worker: Any) -> None:
    worker.limit_bytes = 200 * MB
    with pytest.raises(WorkerDied, match="limit of 200 MB") as died:
        worker.call(grab)
    assert died.value.cause == "memory" and worker.peak_bytes < 200 * MB
    worker.limit_bytes = 0
    assert worker.call(grab) == 2_000_000_000


REFUSED = [
    MemoryError(),
    RuntimeError("mkl_malloc: failed to allocate memory"),
    RuntimeError("std::bad_alloc"),
    ImportError("libm.so.6: failed to map segment from shared object: Cannot allocate memory"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    ValueError("onnxruntime: Failed to allocate memory for requested buffer of size 99"),
]


def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("error", REFUSED, ids=lambda e: type(e).__name__)
def test_memory_that_is_refused_is_one_error_whatever_it_looks_like(
    worker: Any, error: Any
) -> None:
    worker.limit_bytes = 500 * MB
    with pytest.raises(WorkerDied, match="limit of 500 MB") as died:
        worker.call(fail, error)
    assert died.value.cause == "memory" and worker.pid is None


@pytest.mark.parametrize(
    "error", [RuntimeError("CUDA failed with error out of memory"), OSError(errno.ENOENT, "gone")]
)
def test_other_errors_stay_what_they_are(worker: Any, error: RuntimeError | OSError) -> None:
    with pytest.raises(type(error), match=str(error.args[-1])):
        worker.call(fail, error)
    assert worker.pid


def stop_dead() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def spin(seconds: float) -> int:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return os.getpid()


def test_a_worker_without_a_sign_of_life_is_ended(worker: Any) -> None:
    worker.hang_seconds = 2.0
    pid = worker.call(os.getpid)
    with pytest.raises(WorkerDied, match=r"hung, with nothing done for \d+ s") as died:
        worker.call(stop_dead)
    assert died.value.cause == "silence"
    wait_for_the_end(pid)


def test_a_worker_that_lives_and_does_nothing_is_ended(worker: Any) -> None:
    assert worker.call(os.getpid)
    worker.stall_seconds = 2.0
    assert worker.call(spin, 4.0)  # that is work
    with pytest.raises(WorkerDied, match="hung"):
        worker.call(time.sleep, FOR_EVER)


@pytest.mark.parametrize(("used", "queued", "hangs"), [(0.001, 0.8, False), (0.001, 0.1, True)])
def test_a_worker_that_gets_no_processor_is_not_taken_for_idle(
    monkeypatch: pytest.MonkeyPatch, used: float, queued: float, hangs: bool
) -> None:
    now = 0.0
    clock = SimpleNamespace(monotonic=lambda: now, sleep=time.sleep)
    monkeypatch.setattr(watcher, "time", clock)
    monkeypatch.setattr(processes, "cpu_seconds", lambda pid: used * now)
    monkeypatch.setattr(processes, "queued_seconds", lambda pid: queued * now)
    silence, longest = watcher.Silence(), 0.0
    while now < 300:
        now += 0.05
        silence.count(1)
        longest = max(longest, silence.idle)
    assert longest > 250 if hangs else longest < 5


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the system does not tell")
def test_waiting_for_a_processor_is_seen() -> None:
    only = f"import os; os.sched_setaffinity(0, [{min(os.sched_getaffinity(0))}])\n"
    both = [subprocess.Popen([sys.executable, "-c", f"{only}while True: pass"]) for _ in range(2)]
    try:
        wait_until(lambda: all(processes.queued_seconds(one.pid) > 0.3 for one in both))
    finally:
        for one in both:
            one.kill()
            one.wait()
    assert processes.queued_seconds(both[0].pid) == 0.0


def processor() -> tuple[int, int]:
    me = psutil.Process()
    return me.nice(), len(me.cpu_affinity()) if hasattr(me, "cpu_affinity") else 1


def test_a_worker_keeps_to_its_processors_and_lets_others_go_first() -> None:
    worker = Worker("modest", cores=1)
    nice, cores = worker.call(processor)
    worker.stop()
    assert cores == 1 and nice == max(5, psutil.Process().nice())


def test_a_fault_of_the_caller_ends_the_task_that_nobody_waits_for(worker: Any) -> None:
    def fail(event: Any) -> None:
        raise ValueError("the caller's own")

    with pytest.raises(ValueError, match="own"):
        worker.call(report_and_sleep, on_event=fail)
    assert worker.pid is None
    assert worker.call(count_to, 0)


def report_and_sleep() -> None:
    report("event")
    time.sleep(FOR_EVER)


def test_silence_ends_the_call(worker: Any) -> None:
    with pytest.raises(TimeoutError):
        worker.call(time.sleep, FOR_EVER, silence_seconds=0.5)


PROGRAM = """
import os, sys, time
from transcrevai_core.memory.readings import MB
from transcrevai_core.workers.worker import Worker
from transcrevai_core.memory.readings import MB
from transcrevai_core.workers.worker import BACKSTOP, Worker
worker = Worker("orphan")
print(worker.call(os.getpid), flush=True)
worker.call(time.sleep, 3600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_when_the_program_dies(number: Any) -> None:
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    pid = int(known(program.stdout).readline())
    assert psutil.pid_exists(pid)
    program.send_signal(number)
    program.wait()
    wait_for_the_end(pid)


def test_one_worker_that_cannot_be_read_leaves_the_others_watched(
    worker: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Unreadable:
        def check_memory(self) -> int:
            raise OSError("no such process group")

    blind = Unreadable()
    watcher.watch(blind)
    try:
        wait_until(lambda: "cannot be read" in caplog.text)
        worker.limit_bytes = 1  # the next look ends it
        with pytest.raises(WorkerDied):
            worker.call(time.sleep, 600)
    finally:
        watcher.unwatch(blind)
    assert caplog.text.count("cannot be read") == 1


# two workers begin while a third thread is in the middle of importing joblib; held there until one
# of them imports a part of it itself, or both wait
BEGINNING = """
import os, sys, threading, time, traceback
from transcrevai_core.workers.worker import Worker

class Slow:
    def find_spec(self, name, path=None, target=None):
        whole = hasattr(sys.modules.get("joblib"), "Parallel")
        if name.startswith("joblib") and threading.current_thread() in others and not whole:
            inside.set()
            time.sleep(0.2)
        if name == "joblib.executor":
            held.set()
            while not (inside.is_set() or all(map(waits, others))):
                time.sleep(0.01)

def waits(thread):
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and frame.f_code.co_filename == "<frozen importlib._bootstrap>"

def call(name):
    worker = Worker(name)
    try:
        worker.call(os.getpid)
        print("answered")
    except BaseException:
        traceback.print_exc()
    finally:
        worker.stop()

held, inside = threading.Event(), threading.Event()
first, *others = [threading.Thread(target=call, args=(name,)) for name in "abc"]
sys.meta_path.insert(0, Slow())
first.start()
held.wait()
for thread in others:
    thread.start()
for thread in (first, *others):
    thread.join()
print("a thread imported a part of it" if inside.is_set() else "each waited for the whole")
"""


def test_workers_that_begin_at_once_wait_for_the_whole_of_what_they_need() -> None:
    run = subprocess.run(
        [sys.executable, "-c", BEGINNING], capture_output=True, text=True, timeout=120
    )
    said = [*3 * ["answered"], "each waited for the whole"]
    assert run.stdout.splitlines() == said and not run.stderr


def test_ending_trackers_imports_nothing() -> None:
    code = "import sys; from transcrevai_core.workers import watcher; watcher.end_trackers()"
    code += "; print([name for name in sys.modules if name.startswith('joblib')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout == "[]\n"
