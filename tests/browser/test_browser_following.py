"""Jobs as they run, in a browser: what moves on the page, the title of the tab, word at the end."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import SLOW_LINE, expect, fits, opened, settle
from conftest import wait_until

from tools.serving import Server, serving
from transcrevai_core import demo
from transcrevai_core.codes import Stage
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message
from transcrevai_core.options import JobOptions
from transcrevai_core.types import Chunk, Job, Segment

pytestmark = pytest.mark.slow

# notes what is touched on the page; what a component draws is its own
TOUCHED = """() => {
  window.touched = []
  const app = document.querySelector('[data-testid=stApp]')
  new MutationObserver(records => {
    for (const { target } of records)
      if (target !== app && !target.closest?.('[data-testid=stHeader]'))
        touched.push(target.closest?.('[class*=st-key-]')?.className ?? target.textContent)
  }).observe(app, { subtree: true, childList: true, attributes: true, characterData: true })
}"""
# notes whether the page is ever without anything to be read
BLANK = """() => {
  window.blank = false
  const look = () => {
    const page = document.querySelector('[data-testid=stMainBlockContainer]')
    if (!page?.innerText.trim()) window.blank = true
    requestAnimationFrame(look)
  }
  look()
}"""
# a browser that shows nothing to anybody, and gives the leave that it is asked for
STUB = """
window.said = []
window.asked = 0
window.Notification = class {
  static permission = sessionStorage.getItem('leave') ?? 'default'
  static async requestPermission() {
    window.asked += 1
    sessionStorage.setItem('leave', window.leave ?? 'granted')
    return (Notification.permission = window.leave ?? 'granted')
  }
  constructor(title, options) {
    said.push({ title, body: options.body })
    window.last = this
  }
  close() {}
}
"""


@pytest.fixture
def still(tmp_path: Path) -> Iterator[tuple[Server, Store]]:
    """A server without a runner: jobs move on by hand alone."""
    library = Store(tmp_path / "home")
    with serving(library.home, "tests/slow_app.py") as server:
        yield server, library


def running(library: Store, title: str = "Interview") -> Job:
    """A job that runs, by its state; nobody works on it."""
    options = JobOptions(model="small", language="en").model_dump()
    job = library.add_job(demo.sample_path("en"), options, title=title, claim=True)
    library.save_plan(job.id, [Chunk(n, 10.0 * n, 10.0 * n + 10) for n in range(20)])
    library.update_job(
        job.id, state="transcribing", stage=Stage.TRANSCRIBING(), duration=200.0,
        started=time.time(),
    )  # fmt: skip
    return library.job(job.id)


def write(library: Store, job: Job, number: int, text: str) -> None:
    segment = Segment(10.0 * number, 10.0 * number + 10, f" {text}")
    library.save_chunk(job.id, number, [segment], dropped=0, seconds=1.0)


def value(page: Any) -> Any:
    return page.get_by_role("progressbar").first.get_attribute("aria-valuenow")


def moves(library: Store, job: Job, page: Any, share: float) -> None:
    """Move a job on, and wait until the page says so."""
    before = value(page)
    library.update_job(job.id, progress=share)
    wait_until(lambda: value(page) != before)


def test_a_page_stands_still_while_a_job_runs(browser: Any, still: tuple[Server, Store]) -> None:
    server, library = still
    job = running(library)
    write(library, job, 0, "This is the first line.")
    with opened(browser, f"{server.url}/?job={job.id}") as page:
        expect(page.get_by_text("This is the first line.")).to_be_visible()
        settle(page)
        page.evaluate(TOUCHED)
        for share in (0.3, 0.5, 0.7):
            moves(library, job, page, share)
        assert page.evaluate("touched") == []
        write(library, job, 1, "This is the second line.")
        expect(page.get_by_text("This is the second line.")).to_be_visible()
        settle(page)
        touched = page.evaluate("touched")
        assert touched and not [text for text in touched if "Cancel" in text or "Interview" in text]

        library.add_job(demo.sample_path("pt"), {}, title="Another")
        page.goto(server.url)
        expect(page.get_by_text("the next to start")).to_be_visible()
        settle(page)
        page.evaluate(TOUCHED)
        moves(library, job, page, 0.8)
        assert page.evaluate("touched") == []
        library.add_job(demo.sample_path("pt"), {}, title="One that comes later")
        expect(page.get_by_text("One that comes later")).to_be_visible()


def test_the_tab_says_how_far_the_job_is(browser: Any, still: tuple[Server, Store]) -> None:
    server, library = still
    job = running(library)
    library.update_job(job.id, progress=0.5)
    with opened(browser, f"{server.url}/?job={job.id}") as page:
        expect(page).to_have_title(re.compile(r"^\d\d% · Interview · TranscrevAI$"))
        page.get_by_role("link", name="Library").click()
        expect(page).to_have_title("Library · TranscrevAI")
        page.goto(f"{server.url}/?job={job.id}")
        expect(page).to_have_title(re.compile(r"^\d\d% · Interview"))
        library.end_job(job.id, state="failed", error=Message("It is no recording."))
        expect(page.get_by_role("button", name="Retry")).to_be_visible()
        expect(page).to_have_title("Interview · TranscrevAI")


def test_the_browser_tells_when_a_job_is_done(browser: Any, still: tuple[Server, Store]) -> None:
    server, library = still
    first, second, third = (running(library, name) for name in ("One", "Two", "Three"))
    with opened(browser, "about:blank") as page:
        page.add_init_script(STUB)
        page.goto(f"{server.url}/?job={first.id}")
        tell = page.get_by_role("switch", name="Tell me when it is done")
        expect(tell).to_have_attribute("aria-checked", "false")
        assert page.evaluate("asked") == 0
        tell.click()
        expect(tell).to_have_attribute("aria-checked", "true")
        assert page.evaluate("asked") == 1
        page.reload()
        expect(tell).to_have_attribute("aria-checked", "true")  # the browser remembers
        page.get_by_role("link", name="Library").click()
        expect(page.get_by_role("heading", name="Library")).to_be_visible()
        library.end_job(first.id, state="done", progress=1.0)
        page.wait_for_function("said.length")
        assert page.evaluate("said") == [{"title": "One", "body": "The transcript is ready."}]
        page.evaluate("last.onclick()")
        expect(page).to_have_url(re.compile(f"/transcript.*job={first.id}"))

        page.goto(f"{server.url}/?job={second.id}")
        tell.wait_for()
        library.end_job(second.id, state="failed", error=Message("It is no recording."))
        page.wait_for_function("said.length")
        assert page.evaluate("said") == [{"title": "Two", "body": "It failed; see why."}]

        page.goto(f"{server.url}/?job={third.id}")
        tell.click()
        expect(tell).to_have_attribute("aria-checked", "false")
        library.end_job(third.id, state="failed", error=Message("It is no recording."))
        expect(page.get_by_role("button", name="Retry")).to_be_visible()
        assert page.evaluate("said") == []


def test_a_browser_that_may_not_tell_says_so(browser: Any, still: tuple[Server, Store]) -> None:
    server, library = still
    job = running(library)
    with opened(browser, "about:blank") as page:
        page.add_init_script(STUB + "window.leave = 'denied'")
        page.goto(f"{server.url}/?job={job.id}")
        tell = page.get_by_role("switch", name="Tell me when it is done")
        tell.click()
        expect(page.get_by_text("does not let this page tell you")).to_be_visible()
        expect(tell).to_have_attribute("aria-checked", "false")


def test_no_page_is_blank_or_narrow_on_a_slow_line(
    browser: Any, still: tuple[Server, Store]
) -> None:
    server, library = still
    job, done = running(library), running(library, "Finished")
    write(library, done, 0, "This is the first line.")
    library.end_job(done.id, state="done", progress=1.0)
    with opened(browser, "about:blank") as page:
        page.add_init_script(SLOW_LINE)
        page.goto(f"{server.url}/?job={job.id}")
        expect(page.get_by_role("heading", name="Interview")).to_be_visible()
        page.evaluate(BLANK)
        page.get_by_role("link", name="Transcript", exact=True).click()
        stands(page, f"/transcript.*job={done.id}", "This is the first line.")
        assert page.get_by_test_id("stMainBlockContainer").bounding_box()["width"] > 1000
        page.get_by_role("link", name="Library").click()
        stands(page, "/library", "Finished")
        page.get_by_role("link", name="Transcribe", exact=True).click()
        stands(page, "/(\\?.*)?$", "In progress")
        assert page.get_by_test_id("stMainBlockContainer").bounding_box()["width"] < 1000
        assert not page.evaluate("blank")
        expect(page).to_have_title("Transcribe · TranscrevAI")


def stands(page: Any, address: str, text: str) -> None:
    """Expect a page that stays, when all that was sent before it has arrived."""
    expect(page.get_by_text(text).first).to_be_visible()
    page.wait_for_function("!window.underway")
    settle(page)
    expect(page).to_have_url(re.compile(address))
    expect(page.get_by_text(text).first).to_be_visible()


def test_on_a_telephone_from_the_file_to_the_transcript(
    browser: Any, server: Server, library: Store
) -> None:
    with opened(browser, server.url, width=400, height=800) as page:
        expect(page.get_by_role("button", name="Choose files")).to_be_enabled()
        fits(page, 400)
        page.get_by_role("combobox", name="Model").click()
        page.get_by_role("option", name="demo · samples only").click()
        page.locator("input[type=file]").set_input_files([demo.sample_path("en")])
        begin = page.locator(".st-key-begin").get_by_role("button")
        begin.wait_for()
        fits(page, 400)
        begin.click()
        expect(page.get_by_role("progressbar").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        expect(page).to_have_url(re.compile("/transcript"))
        page.locator(".row").first.wait_for()
        fits(page, 400)
    # pages were visited and a job was run: nothing asked for a session that it does not have
    assert "missing ScriptRunContext" not in server.log.read_text()
