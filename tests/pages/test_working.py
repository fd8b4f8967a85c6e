"""Work that a page begins: who is told what came of it, and what a reload leaves of that."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until
from paging import checked, press, texts
from streamlit.testing.v1 import AppTest

from tools.serving import CEILING
from transcrevai_core.components import working
from transcrevai_core.errors import InputError
from transcrevai_core.settings import load_settings
from transcrevai_core.web import downloads

DONE = threading.Event()
PAGE = """
import streamlit as st
from transcrevai_core.components import working
from transcrevai_core.components.working import is_running, show_progress, start, take_result

for name, shared in (("sum", False), ("check", True)):
    if found := take_result(name):
        st.session_state[name] = found
    st.write(f"{name}: {st.session_state.get(name)}, {is_running(name, anybody=shared)}")
    if st.button(f"Begin {name}"):
        start(name, lambda task: working.gate.wait() and "made", alone=shared)
    show_progress(name, anybody=shared)
"""


@pytest.fixture(autouse=True)
def clean(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    DONE.clear()
    monkeypatch.setattr(working, "gate", DONE, raising=False)
    monkeypatch.setattr(working, "_begun", {})
    yield
    DONE.set()


def page(**address: Any) -> Any:
    app = AppTest.from_string(PAGE, default_timeout=CEILING)
    for name, value in address.items():
        app.query_params[name] = value
    return checked(app.run())


def end() -> None:
    tasks = [*working._begun.values()]
    DONE.set()
    for task in tasks:
        task.join()


@pytest.mark.parametrize("name", ["sum", "check"])
def test_what_one_session_began_is_not_told_to_another(name: Any) -> None:
    first, second = page(), page()
    press(first, f"Begin {name}")
    assert first.progress and f"{name}: None, True" in texts(first)
    end()
    assert f"{name}: None, False" in texts(checked(second.run()))  # which asks first
    assert f"{name}: made, False" in texts(checked(first.run()))
    assert f"{name}: None" in texts(checked(second.run()))


def test_others_see_what_nobody_else_may_begin_and_only_that() -> None:
    first, second = page(), page()
    press(first, "Begin check")
    assert "check: None, True" in texts(checked(second.run())) and second.progress
    press(second, "Begin check")  # drawn before: it begins nothing
    assert len(working._begun) == 1
    press(first, "Begin sum")
    assert "sum: None, False" in texts(checked(second.run()))
    assert len(second.progress) == 1 and len(first.progress) == 2


def test_a_page_that_is_loaded_anew_is_told() -> None:
    first = page()
    assert not first.query_params
    press(first, "Begin sum")
    again = page(**first.query_params)
    assert again.progress
    end()
    assert "sum: made" in texts(checked(again.run()))
    assert not again.query_params  # an address that is passed on from here is nobody's


def test_results_that_nobody_fetches_do_not_heap_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "_MOST", 2)
    for _ in range(6):
        DONE.clear()
        press(page(), "Begin sum")
        end()
    assert len(working._begun) == 3  # and the one begun last


def test_a_download_is_told_of_to_whoever_began_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*given: Any, **more: Any) -> None:
        raise InputError("No network.")

    monkeypatch.setattr(downloads, "fetch_model", fetch)
    downloads.begin("tiny", load_settings(), "first")
    wait_until(lambda: not downloads.running())
    assert downloads.take_ended("second") == {} and downloads.belong_to("first")
    assert str(downloads.take_ended("first")["tiny"].error) == "No network."
    assert not downloads.belong_to("first")
