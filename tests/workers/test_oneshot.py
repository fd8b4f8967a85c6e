"""Work beside the jobs takes turns."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import wait_until

from transcrevai_core.codes import Stage
from transcrevai_core.errors import Cancelled, InputError
from transcrevai_core.memory.levels import Limits
from transcrevai_core.memory.plan import base_bytes
from transcrevai_core.memory.readings import MB
from transcrevai_core.workers import admission, take_reading
from transcrevai_core.workers.background import Task
from transcrevai_core.workers.oneshot import one_shot_worker
from transcrevai_core.workers.worker import Worker


def limits() -> Limits:
    """A budget of 1,000 MB beside what this process takes by now."""
    return Limits(base_bytes() + 1_000 * MB, 0.97, 0.98, 0.99)


def test_one_errand_goes_on_at_a_time() -> None:
    order = []

    def other(task: Any) -> None:
        with one_shot_worker("other", 0, limits()):
            order.append("other")

    def stop() -> Any:
        return True

    with one_shot_worker("first", 0, limits()) as worker:
        task = Task(other)
        with (
            pytest.raises(Cancelled),
            one_shot_worker("third", 0, limits(), should_stop=lambda: True),
        ):
            order.append("third")
        assert worker.call(os.getpid) != os.getpid()
        order.append("first")
    assert worker.pid is None
    task.result()
    assert order == ["first", "other"]
    with pytest.raises(ZeroDivisionError), one_shot_worker("failed", 0, limits()) as worker:
        worker.call(divmod, 1, 0)
    with one_shot_worker("next", 0, limits()):
        pass


def work(task: Task) -> Any:
    def tell(reason: Any) -> None:
        task.report(reason, 0.0)

    with one_shot_worker(
        "report", 600 * MB, limits(), should_stop=task.should_stop, on_wait=tell
    ) as worker:
        return worker.call(os.getpid)


@pytest.fixture
def full() -> Iterator[Any]:
    """A budget of which a job has half."""
    assert not admission.request("job", 500 * MB, limits(), take_reading())
    yield
    admission.release("job")


def test_an_errand_waits_until_a_job_gives_its_room_back(full: Any) -> None:
    task, cancelled = Task(work), Task(work)
    wait_until(lambda: {task.stage.code, cancelled.stage.code} == {
        Stage.WAITING_FOR_JOB, Stage.WAITING_FOR_TURN
    })  # fmt: skip
    cancelled.cancel()
    with pytest.raises(Cancelled):
        cancelled.result()
    assert [*admission.kept()] == ["job"]
    admission.release("job")
    assert task.result() != os.getpid()
    assert not admission.kept()


def test_what_can_never_fit_is_refused_at_once(full: Any) -> None:
    with (
        pytest.raises(InputError, match=r"^The report worker needs about \d+ MB .* would be right"),
        one_shot_worker("report", 2_000 * MB, limits()),
    ):
        pass
    assert [*admission.kept()] == ["job"]


def test_a_worker_that_is_idle_gives_way_to_an_errand() -> None:
    idle = Worker("laboratory")
    idle.call(hold, 500)
    task = Task(work)
    assert task.result() != os.getpid()
    assert idle.pid is None


HELD: list[bytes] = []


def hold(megabytes: int) -> None:
    HELD.append(b"x" * (megabytes * MB))
