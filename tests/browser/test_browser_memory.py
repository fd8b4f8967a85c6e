"""The memory page as a person meets it: meters, limits that last, and memory given back."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import expect, fits, opened

from tools.serving import Server
from transcrevai_core.library.journal import Journal
from transcrevai_core.library.store import Store
from transcrevai_core.memory.readings import MB, Machine, Reading
from transcrevai_core.workers.processes import name_of

pytestmark = pytest.mark.slow


@pytest.fixture(params=[1280, 400])
def page(request: Any, browser: Any, server: Server, library: Store) -> Iterator[Any]:
    """Open the page wide and narrow."""
    journal = Journal(library.database, name_of(server.pid))
    for n in range(60):
        machine = Machine(6000 * MB, 8000 * MB)
        reading = Reading(time.time() - 60 + n, machine, (400 + n) * MB)
        journal.add_reading(reading, "degraded", 900 * MB)
    with opened(browser, f"{server.url}/memory", request.param) as tab:
        expect(tab.get_by_role("heading", name="Memory", exact=True)).to_be_visible()
        yield tab


def test_meters_limits_and_memory_given_back(page: Any, library: Store) -> None:
    expect(page.get_by_text("There is enough memory")).to_be_visible()
    expect(page.get_by_text(re.compile(r"of \S+ GB · \d+%"))).to_be_visible()  # a meter's words
    expect(page.get_by_text(re.compile(r"peak 459 MB"))).to_be_visible()
    chart = page.get_by_role("figure", name="Memory in the last 10 minutes")
    expect(chart.get_by_text("emergency")).to_be_visible()
    fits(page, page.viewport_size["width"])

    page.get_by_role("tab", name="Limits").click()
    percent = page.get_by_role("spinbutton", name="Largest worker ended from (%)")
    percent.fill("91")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved; running jobs keep to it at once.")).to_be_visible()
    assert "kill_percent = 91.0\n" in (library.home / "config.toml").read_text()
    page.reload()
    expect(page.get_by_text("from 91% the largest worker is ended")).to_be_visible()
    page.get_by_role("tab", name="Limits").click()
    expect(percent).to_have_value("91")
    percent.fill("12")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“Largest worker ended from” is 12")).to_be_visible()
    page.get_by_role("button", name="Back to the defaults").click()
    expect(page.get_by_text("The defaults count again.")).to_be_visible()
    expect(percent).to_have_value("85")

    page.get_by_role("button", name="Free memory now").click()
    expect(page.get_by_text(re.compile(r"\d+ MB came back"))).to_be_visible()
