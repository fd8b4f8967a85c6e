import threading
from typing import Any

import pytest
from conftest import known, wait_until

from tools.serving import CEILING
from transcrevai_core.errors import Cancelled, InputError
from transcrevai_core.messages import Message
from transcrevai_core.workers.background import Task


def test_it_tells_how_far_it_is_and_answers() -> None:
    go = threading.Event()

    def call(task: Any) -> int:
        task.report(Message("counting"), 0.5)
        go.wait(CEILING)
        return 7

    task = Task(call)
    wait_until(lambda: task.share)
    assert (task.stage, task.share, task.is_alive()) == (Message("counting"), 0.5, True)
    earlier, left = task.elapsed, task.left
    assert earlier <= known(left) <= task.elapsed
    go.set()
    assert task.result() == 7 and not task.error


def test_a_fault_is_one_sentence_and_a_cancel_none(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(task: Any) -> None:
        raise InputError("That is no number.")

    def stumble(task: Any) -> None:
        raise ZeroDivisionError("by zero")

    def stop(task: Any) -> None:
        while not task.should_stop():
            pass
        raise Cancelled("It was cancelled.")

    refused, stumbled, stopped = Task(refuse), Task(stumble), Task(stop)
    stopped.cancel()
    for task in (refused, stumbled, stopped):
        task.join(CEILING)
    assert str(refused.error) == "That is no number." and not stopped.error
    assert str(stumbled.error) == "An unexpected fault ended the work (ZeroDivisionError: by zero)."
    assert stumbled.error and caplog.text.count("work in the background failed") == 1
    with pytest.raises(ZeroDivisionError):
        stumbled.result()
