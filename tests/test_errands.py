"""Work beside the jobs takes turns."""

import os
from typing import Any

import pytest

from transcrevai_core.errors import Cancelled
from transcrevai_core.workers.background import Task
from transcrevai_core.workers.oneshot import one_shot_worker


def test_one_errand_goes_on_at_a_time() -> None:
    order = []

    def other(task: Any) -> None:
        with one_shot_worker("other", 0):
            order.append("other")

    with one_shot_worker("first", 0) as worker:
        task = Task(other)
        with pytest.raises(Cancelled), one_shot_worker("third", 0, should_stop=lambda: True):
            order.append("third")
        assert worker.call(os.getpid) != os.getpid()
        order.append("first")
    assert worker.pid is None
    task.result()
    assert order == ["first", "other"]
    with pytest.raises(ZeroDivisionError), one_shot_worker("failed", 0) as worker:
        worker.call(divmod, 1, 0)
    with one_shot_worker("next", 0):
        pass
