"""What tests in a browser share: tabs that may not fail, and how a person acts in them."""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until

from tools.serving import CEILING, find_chromium
from transcrevai_core.library.store import Store
from transcrevai_core.types import Job

if not find_chromium() and os.environ.get("TRANSCREVAI_REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: install it or name it in CHROMIUM", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=CEILING * 1000)

HEAVY = ("ctranslate2", "onnxruntime", "librosa", "sklearn", "/av/", "av.libs", "pandas", "pyarrow",
         "plotly", "torch")  # fmt: skip
SOUND = """[...document.querySelectorAll('*')]
.map(e => e.shadowRoot?.querySelector('audio')).find(a => a)"""
# whether the sound plays, at a time or later
PLAYS = f"from => {{ const a = {SOUND}; return a && !a.paused && a.currentTime >= from }}"
# writes down to where the sound is brought
NOTE = "a => { window.came = []; a.addEventListener('seeking', () => came.push(a.currentTime)) }"

# what the page sends is a second underway, as on a busy machine
SLOW_LINE = """
const send = WebSocket.prototype.send
window.underway = 0
WebSocket.prototype.send = function (...sent) {
  window.underway += 1
  setTimeout(() => { send.apply(this, sent); window.underway -= 1 }, 1000)
}
"""


def visitor(browser: Any, **options: Any) -> Any:
    """Give the context of a new visitor, who waits as long as any test does."""
    context = browser.new_context(**options)
    context.set_default_timeout(CEILING * 1000)
    return context


@contextmanager
def opened(
    browser: Any, url: str, width: int = 1280, height: int = 900, locale: str = "en-US"
) -> Iterator[Any]:
    """Give a new tab of a new visitor; nothing in it may fail or ask any other server."""
    context = visitor(browser, viewport={"width": width, "height": height}, locale=locale)
    tab = context.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    own = ("http://localhost", "data:", "blob:")
    tab.on("request", lambda asked: faults.extend([asked.url] * (not asked.url.startswith(own))))
    tab.goto(url)
    try:
        yield tab
    finally:
        context.close()
    assert not faults


def settle(page: Any) -> None:
    """Wait until nothing is being drawn."""
    page.wait_for_function(
        "!document.querySelector('[data-stale=true], [data-testid=stSkeleton]')"
        " && document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
    )


def fits(page: Any, width: int) -> None:
    """Wait until a page is drawn, and nothing of it scrolls sideways."""
    settle(page)
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)


def choose_format(page: Any, format: str, more: str = "More formats") -> None:
    """Choose a format to export in, of those that are shown first or of all."""
    page.get_by_test_id("stDownloadButton").wait_for()
    if not page.get_by_role("radio", name=f"{format}:").is_visible():
        page.get_by_text(more).click()
    page.get_by_role("radio", name=f"{format}:").locator("xpath=ancestor::label").click()


def download(page: Any, format: str) -> str:
    choose_format(page, format)
    with page.expect_download() as event:
        page.get_by_role("button", name=f"Download {format}").click()
    assert event.value.suggested_filename.endswith(f".{format.lower()}")
    return Path(event.value.path()).read_text(encoding="utf-8")


def until(element: Any, act: Callable[[], Any]) -> None:
    """Act again and again, as people do, until an element shows."""
    for seconds in (1, 2, 4, 8, 16, 32, 64):  # one that is on its way would be sent back
        act()
        with contextlib.suppress(AssertionError):
            expect(element).to_be_visible(timeout=1_000 * seconds)
            return
    raise AssertionError(f"{element} never showed")


def choose_name(page: Any, name: str, label: str = "Name") -> None:
    page.get_by_role("dialog").get_by_role("textbox", name=label).fill(name)


def ended(library: Store, job: Job) -> Job:
    wait_until(lambda: library.job(job.id).state in ("done", "failed"))
    job = library.job(job.id)
    assert job.state == "done", job.error
    return job
