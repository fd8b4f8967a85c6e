"""Speakers as a person meets them: lanes that play, names that go everywhere, another count."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import NOTE, PLAYS, choose_name, download, ended, expect, fits, until, visitor
from paging import fill_speakers

from tools.serving import Server
from transcrevai_core import demo, ui
from transcrevai_core.library import edits
from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.types import Job

pytestmark = pytest.mark.slow

ROW = ".row"

SELECTED = """() => { const field = document.activeElement
return field.selectionStart === 0 && field.selectionEnd === field.value.length }"""


@pytest.fixture(scope="module")
def sample(server: Server, library: Store) -> Job:
    """Find who speaks in the English sample, without any text yet."""
    options = JobOptions(model="none", language="en").model_dump()
    return ended(library, library.add_job(demo.sample_path("en"), options, title="A call"))


@pytest.fixture(scope="module")
def context(browser: Any) -> Iterator[Any]:
    """Keep one cache for all."""
    made = visitor(browser, viewport={"width": 1280, "height": 900}, locale="en-US")
    yield made
    made.close()


@pytest.fixture
def page(context: Any, server: Server, sample: Job) -> Iterator[Any]:
    """Open the sample's transcript; nothing may fail in the browser."""
    tab = context.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.goto(f"{server.url}/transcript?job={sample.id}")
    expect(tab.locator(ROW).first).to_be_visible()
    yield tab
    tab.close()
    assert not faults


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
    page.get_by_role("option", name="demo · samples only").click()
    expect(page.get_by_text("For your own recordings, choose another model")).to_be_visible()
    page.get_by_role("button", name="Transcribe", exact=True).click()
    # the page comes back by itself
    expect(page.locator(".words").first).to_be_visible()
    expect(page.get_by_text("There is no text yet")).to_have_count(0)
    after = library.transcript(sample.id)
    assert after.turns == before.turns and after.diarization == before.diarization
    assert all(segment.speaker for segment in after.segments)


def test_a_click_on_a_lane_plays_from_there(page: Any, library: Store, sample: Job) -> None:
    transcript = library.transcript(sample.id)
    second = transcript.speakers[1]
    longest = max(
        (turn for turn in transcript.turns if turn.speaker == second),
        key=lambda turn: turn.duration,
    )
    canvas = page.locator("canvas")
    box = canvas.bounding_box()
    middle = (longest.start + longest.end) / 2
    place = {"x": middle / transcript.duration * box["width"], "y": 56 + 1.5 * 16}
    canvas.hover(position=place)
    expect(page.locator(".hover")).to_have_text(f"{ui.clock(middle)} Speaker 2")
    page.locator("audio").evaluate(NOTE)
    for number in (1, 2):  # a second time on one place
        canvas.click(position=place)
        page.wait_for_function("number => came.length === number", arg=number)
        page.wait_for_function(PLAYS, arg=middle - 0.5)
    assert page.evaluate("came") == [pytest.approx(middle, abs=0.5)] * 2


@pytest.mark.parametrize("left_by", ["Enter", "Tab", "a click elsewhere"])
def test_a_typed_name_is_kept_however_the_field_is_left(
    page: Any, library: Store, sample: Job, left_by: str
) -> None:
    page.get_by_role("button", name="rename").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox", name="Name")).to_be_focused()
    page.wait_for_function(SELECTED)
    page.keyboard.type(f"Eva after {left_by}")  # over the name before
    if left_by == "a click elsewhere":
        dialog.get_by_text("Rename a speaker").click()
    else:
        page.keyboard.press(left_by)
    if left_by != "Enter":
        dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".names", has_text=f"Eva after {left_by}")).to_be_visible()
    assert f"Eva after {left_by}" in library.transcript(sample.id).names.values()


@pytest.mark.parametrize("width", [1440, 400])
def test_known_names_leave_save_free_and_are_taken_by_a_click(
    page: Any, library: Store, sample: Job, width: int
) -> None:
    other = fill_speakers(library)
    edits.rename_speaker(library, other.id, "SPEAKER_00", f"Known {width}")
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("button", name="rename").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox", name="Name")).to_be_focused()
    known = dialog.get_by_role("button", name=f"Known {width}")
    expect(known).to_be_visible()
    dialog.get_by_role("button", name="Save").click(trial=True)  # nothing lies over it
    known.click()
    expect(dialog).to_be_hidden()
    assert library.transcript(sample.id).names["SPEAKER_00"] == f"Known {width}"
    library.delete_job(other.id)


def test_rename_reaches_text_and_export(page: Any, library: Store, sample: Job) -> None:
    page.get_by_role("button", name="rename").first.click()
    dialog = page.get_by_role("dialog")
    choose_name(page, "Ana *Lima* <b>")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".who", has_text="Ana *Lima* <b>").first).to_be_visible()
    expect(page.locator(".names", has_text="Ana *Lima* <b>")).to_be_visible()
    page.get_by_role("button", name="Copy or export").click()
    assert "Ana *Lima* <b>:\N{NO-BREAK SPACE}" in download(page, "SRT")
    page.keyboard.press("Escape")
    # another speaker cannot have the same name
    page.get_by_role("button", name="rename").nth(1).click()
    choose_name(page, "ana *lima* <b>")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("merge the two if they are one")).to_be_visible()
    page.keyboard.press("Escape")


def test_the_page_stays_wide_when_it_is_drawn_anew(page: Any, sample: Job) -> None:
    main = page.get_by_test_id("stMainBlockContainer")
    for name in "ABCDEF":
        page.get_by_role("button", name="rename").last.click()
        choose_name(page, f"Speaker {name}")
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(page.locator(".who", has_text=f"Speaker {name}").first).to_be_visible()
        assert main.bounding_box()["width"] == 1280


def test_a_segment_is_given_to_somebody_else(page: Any, library: Store, sample: Job) -> None:
    number = len(library.transcript(sample.id).speakers)
    segment = library.segments(sample.id)[3]
    page.locator(ROW).nth(3).locator(".more").click()
    page.get_by_role("menuitem", name="Somebody else").click()
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
    expect(page.get_by_text("4 speakers")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    transcript = library.transcript(sample.id)
    assert len(transcript.speakers) == 4
    assert re.sub(r"\s+", " ", transcript.text) == re.sub(r"\s+", " ", texts)
    assert "Ana *Lima* <b>" in transcript.names.values()  # the same speaker is still there


def test_narrow_screens_hold_the_reader(page: Any) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.reload()
    expect(page.locator(ROW).first).to_be_visible()
    expect(page.locator(".who", has_text="Ana *Lima* <b>").first).to_be_visible()
    fits(page, 400)
    for element in [*page.get_by_role("button").all(), page.locator("canvas")]:
        box = element.bounding_box()
        assert not box or box["x"] + box["width"] <= 400
