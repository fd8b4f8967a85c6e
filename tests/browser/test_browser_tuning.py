"""The tuning way in a browser: change the count, see the answer, sweep, keep the best, use it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import HEAVY, ended, expect, fits, opened, until
from conftest import wait_until

from tools.serving import Server
from transcrevai_core import demo
from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.tuning import profiles, sweeps
from transcrevai_core.types import Job

pytestmark = pytest.mark.slow

RTTM = demo.sample_path("pt").with_suffix(".rttm")
LANES = ".stPlotlyChart .ytick text"


@pytest.fixture(scope="module")
def sample(server: Server, library: Store) -> Job:
    options = JobOptions(model="none", language="pt").model_dump()
    return ended(library, library.add_job(demo.sample_path("pt"), options, title="Reunião"))


@pytest.fixture
def page(browser: Any, server: Server, sample: Job) -> Iterator[Any]:
    with opened(browser, f"{server.url}/tuning?job={sample.id}", height=1600) as tab:
        expect(tab.locator(LANES).filter(has_text="Speaker 3")).to_have_count(2)
        yield tab


def test_the_tuning_way(page: Any, library: Store, sample: Job, server: Server) -> None:
    # the count, by keyboard, is answered in the lower timeline
    slider = page.get_by_role("slider", name="Number of speakers")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("2 speakers", exact=True)).to_be_visible()
    expect(page.locator(LANES).filter(has_text="Speaker 3")).to_have_count(1)

    page.get_by_role("tab", name="Reference and sweep").click()
    field, score = page.locator("input[type=file]"), page.get_by_role("cell", name="2 of 3")
    field.set_input_files(RTTM)
    expect(score).to_be_visible()
    expect(page.get_by_text("12 turns · 3 speakers")).to_be_visible()
    page.get_by_role("button", name="Remove the reference").click()
    expect(score).to_have_count(0)
    field.set_input_files(RTTM)  # the field was emptied, and takes the same file again
    expect(score).to_be_visible()
    page.get_by_role("tab", name="Use and export").click()
    with page.expect_download() as exported:
        page.get_by_role("button", name="Export as JSON").click()
    assert json.loads(exported.value.path().read_text())["score"]["speakers_reference"] == 3
    page.get_by_role("tab", name="Reference and sweep").click()
    expect(page.get_by_text("No effect in this sweep: Threshold of likeness")).to_be_visible()
    for name in ("Threshold of likeness", "Smallest share of speech"):
        page.get_by_role("button", name=re.compile(f"(Remove|Clear) {name}")).first.click()
    box = page.get_by_role("combobox", name="Settings to vary")
    until(page.get_by_role("option").first, box.click)
    page.get_by_role("option", name="Number of speakers").click()
    values = page.get_by_role("textbox", name="Number of speakers")
    until(values, lambda: page.keyboard.press("Escape"))  # what is behind an open list is hidden
    values.fill("2,3")
    values.press("Enter")
    page.get_by_role("button", name="Try 2 settings").click()
    expect(page.get_by_text("with Number of speakers: 3")).to_be_visible()

    page.get_by_role("textbox", name="Name of a profile").fill("meetings")
    page.get_by_role("button", name="Save as profile").click()
    expect(page.get_by_text("The profile meetings is saved.")).to_be_visible()
    assert profiles.find(library, "meetings").options["speakers"] == 3
    sweep = sweeps.latest(library, sample.id)
    assert sweep and sweep.state == "done"

    mapped = Path(f"/proc/{server.pid}/maps")
    if mapped.exists():  # figures were drawn, and what they are drawn from was found elsewhere
        heavy = {*HEAVY, "/scipy/", "/pyannote/"} - {"plotly"}
        assert not [name for name in heavy if name in mapped.read_text()]

    page.get_by_role("button", name="Use on this recording").click()
    page.get_by_role("button", name="Find again").click()
    expect(page).to_have_url(re.compile(r"/transcript\?job="))
    wait_until(lambda: library.job(sample.id).state == "done")
    assert library.job(sample.id).diarization["by"] == "given"
    assert len(library.transcript(sample.id).speakers) == 3


def test_a_dot_of_the_map_plays_its_window_and_no_more(page: Any, sample: Job) -> None:
    dots = page.locator(".stPlotlyChart").nth(1).locator(".points path")
    expect(dots.first).to_be_visible()
    clip = page.get_by_role("button", name=re.compile("(Play|Stop): "))

    def click() -> None:
        box = dots.nth(5).bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    until(clip, click)
    label = clip.get_attribute("aria-label")
    start, end = (float(n) for n in re.findall(r"[\d.]+", label))
    assert 0.5 <= end - start <= 1.6
    page.wait_for_function("window.transcrevaiClip && window.transcrevaiClip.currentTime > 0")
    page.wait_for_function(
        "end => transcrevaiClip.paused && transcrevaiClip.currentTime >= end - 0.1", arg=end
    )
    assert not page.evaluate("transcrevaiClip.ended")


def test_turns_and_windows_are_heard_by_keyboard(page: Any, sample: Job, library: Store) -> None:
    first, second = library.transcript(sample.id).turns[:2]
    onward = page.get_by_role("button", name="Next turn")
    heard = "transcrevaiClip.currentTime >"
    onward.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"window.transcrevaiClip && {heard} {first.start}")
    page.keyboard.press("Enter")  # the next one goes on where the first is cut short
    page.wait_for_function(f"{heard} {second.start + 0.3}")
    expect(onward).to_be_focused()
    told = page.get_by_role("status").filter(has_text="Speaker 1")
    expect(told).to_contain_text(f"{second.start:.2f} s to {second.end:.2f} s")
    expect(page.get_by_role("button", name="Previous turn")).to_be_enabled()

    windows = page.get_by_role("combobox", name="Hear a window")
    windows.focus()
    page.keyboard.press("ArrowDown")
    farthest = page.get_by_role("option").first.text_content()
    page.keyboard.press("Enter")
    start = float(re.findall(r"([\d.]+) s to", farthest)[0])
    page.wait_for_function(f"Math.abs(transcrevaiClip.currentTime - {start}) < 1.6")


@pytest.mark.parametrize("tab", ["Map", "How many", "Use and export"])
def test_a_phone_shows_all_of_it(page: Any, tab: str) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.get_by_role("tab", name=tab).click()
    fits(page, 400)
