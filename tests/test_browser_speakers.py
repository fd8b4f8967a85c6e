"""Speakers as a person meets them: lanes that play, names that go everywhere, another count."""

# ruff: noqa: F811
import contextlib
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.test_browser import (  # noqa: F401
    PATIENCE,
    browser,
    download,
    expect,
    library,
    server,
)
from tools.serving import Server
from transcrevai_core import demo, figures
from transcrevai_core.options import JobOptions
from transcrevai_core.store import Store
from transcrevai_core.types import Job

BARS = ".stPlotlyChart .points path"


@pytest.fixture(scope="module")
def sample(server: Server, library: Store) -> Job:
    """Find who speaks in the English sample, without any text yet."""
    options = JobOptions(model="none", language="en").model_dump()
    return ended(library, library.add_job(demo.sample_path("en"), options, title="A call"))


def ended(library: Store, job: Job) -> Job:
    begun = time.monotonic()
    while (job := library.job(job.id)).state != "done":
        assert job.state != "failed" and time.monotonic() - begun < PATIENCE / 1000, job.error
        time.sleep(0.1)
    return job


@pytest.fixture(scope="module")
def context(browser: Any) -> Iterator[Any]:
    """Keep one cache for all: Plotly is large."""
    made = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def page(context: Any, server: Server, sample: Job) -> Iterator[Any]:
    """Open the sample's transcript; nothing may fail in the browser."""
    tab = context.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.goto(f"{server.url}/transcript?job={sample.id}")
    expect(tab.locator(BARS).first).to_be_visible()
    yield tab
    tab.close()
    assert not faults


def until(element: Any, act: Callable[[], Any]) -> None:
    """Act again and again, as people do, until an element shows."""
    for _ in range(20):
        act()
        with contextlib.suppress(AssertionError):
            return expect(element).to_be_visible(timeout=1_000)
    raise AssertionError(f"{element} never showed")


def choose(page: Any, label: str, option: str) -> None:
    box = page.get_by_role("combobox", name=label)
    # scrolling closes the list, and it may go on for a moment
    until(page.get_by_role("option").first, box.click)
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).click()


def test_speakers_come_without_text_and_text_without_finding_them_again(
    page: Any, library: Store, sample: Job
) -> None:
    before = library.transcript(sample.id)
    assert before.turns and not before.segments
    expect(page.get_by_text("There is no text yet")).to_be_visible()
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="demo (samples only)").click()
    expect(page.get_by_text("For your own recordings, choose another model")).to_be_visible()
    page.get_by_role("button", name="Transcribe", exact=True).click()
    # the page comes back by itself
    expect(page.get_by_role("button", name="edit").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("There is no text yet")).to_have_count(0)
    after = library.transcript(sample.id)
    assert after.turns == before.turns and after.diarization == before.diarization
    assert all(segment.speaker for segment in after.segments)


def test_a_click_on_a_lane_plays_from_there(page: Any, library: Store, sample: Job) -> None:
    transcript = library.transcript(sample.id)
    lane = [turn for turn in transcript.turns if turn.speaker == transcript.speakers[0]]
    words = figures.said(transcript.turns, transcript.segments)
    said = dict(zip(transcript.turns, words, strict=True))
    longest = max(lane, key=lambda turn: turn.duration * bool(said[turn]))
    bar = page.locator(BARS).nth(lane.index(longest))  # bars stand lane by lane

    def middle() -> tuple[float, float]:
        box = bar.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def hover() -> None:
        page.mouse.move(0, 0)
        page.mouse.move(*middle())

    until(page.locator(".hoverlayer").get_by_text(said[longest].split()[0]).first, hover)
    for _ in range(3):  # again and again on one bar
        before = page.evaluate("document.querySelector('audio').src")
        page.mouse.click(*middle())
        page.wait_for_function(
            "([before, start]) => { const a = document.querySelector('audio'); return !a.paused "
            "&& a.src != before && a.currentTime >= start && a.currentTime < start + 10 }",
            arg=[before, int(longest.start)],
        )


def test_rename_reaches_text_and_export(page: Any, library: Store, sample: Job) -> None:
    page.get_by_role("button", name="rename").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("Ana *Lima* <b>")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Ana *Lima* <b>", exact=True).nth(1)).to_be_visible()
    # for a moment the old picture and the new one are both there
    lanes = page.locator(".stPlotlyChart .yaxislayer-above", has_text="Ana *Lima* <b>")
    expect(lanes).to_be_visible()
    page.get_by_role("button", name="Export").click()
    assert "Ana *Lima* <b>: " in download(page, "SRT")
    page.keyboard.press("Escape")
    # another speaker cannot have the same name
    page.get_by_role("button", name="rename").nth(1).click()
    dialog.get_by_role("textbox", name="Name").fill("ana *lima* <b>")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("merge the two if they are one")).to_be_visible()
    page.keyboard.press("Escape")


def test_a_segment_is_given_to_somebody_else(page: Any, library: Store, sample: Job) -> None:
    number = len(library.transcript(sample.id).speakers)
    segment = library.segments(sample.id)[3]
    page.get_by_role("button", name="edit").nth(3).click()
    choose(page, "Spoken by", "Somebody else")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Your text")).to_have_count(0)
    expect(page.get_by_text(f"{number + 1} speakers")).to_be_visible()  # above the text too
    assert library.segments(sample.id)[3].speaker != segment.speaker
    assert len(library.transcript(sample.id).speakers) == number + 1


def test_two_speakers_become_one(page: Any, library: Store, sample: Job) -> None:
    transcript = library.transcript(sample.id)
    number, last = len(transcript.speakers), transcript.speakers[-1]
    page.get_by_role("button", name="merge").last.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Merge").click()
    expect(dialog).to_be_hidden()
    words = f"{number - 1} speaker" + ("s" if number > 2 else "")
    expect(page.get_by_text(words, exact=True)).to_be_visible()
    assert last not in library.transcript(sample.id).speakers


def test_another_number_of_speakers_is_found_and_the_text_stays(
    page: Any, library: Store, sample: Job
) -> None:
    texts = library.transcript(sample.id).text
    page.get_by_role("button", name="Change the number").click()
    choose(page, "How many speak", "4")
    page.get_by_role("button", name="Find again").click()
    expect(page.get_by_text("4 speakers")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    transcript = library.transcript(sample.id)
    assert len(transcript.speakers) == 4
    assert re.sub(r"\s+", " ", transcript.text) == re.sub(r"\s+", " ", texts)
    assert "Ana *Lima* <b>" in transcript.names.values()  # the same speaker is still there


def test_narrow_screens_hold_the_timeline(page: Any) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.reload()
    expect(page.locator(BARS).first).to_be_visible()
    expect(page.get_by_text("Ana *Lima* <b>", exact=True).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    for element in [*page.get_by_role("button").all(), page.locator(".stPlotlyChart")]:
        box = element.bounding_box()
        assert not box or box["x"] + box["width"] <= 400
