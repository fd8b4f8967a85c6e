"""Gaps that play and the report that is downloaded, as a person meets them."""

import re
import wave
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import expect, opened, visitor

from tools.serving import Server
from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.types import Chunk, Job, Region, Segment, Turn, Word

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def meeting(library: Store, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A transcript of half a minute, in which 3 s of speech have no words."""
    source = tmp_path_factory.mktemp("meeting") / "a.wav"
    with wave.open(str(source), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(2 * 16_000 * 30))
    job = library.add_job(source, JobOptions(model="demo").model_dump(), title="Ata <i>")
    library.wav(job.id).write_bytes(source.read_bytes())
    library.save_plan(job.id, [Chunk(0, 0, 30, (Region(0, 20), Region(22, 30)))])
    said = (Word(0, 8, " Quem", 0.9), Word(8, 20, " vem?", 0.9))
    answer = (Word(25, 30, " Nós.", 0.9),)
    segments = [Segment(0, 20, " Quem vem?", said), Segment(25, 30, " Nós.", answer)]
    library.save_chunk(job.id, 0, segments, dropped=0, seconds=1.0)
    turns = [Turn(0, 20, "SPEAKER_00"), Turn(22, 30, "SPEAKER_01")]
    library.save_diarization(job.id, turns, {"speakers": 2})
    library.update_job(job.id, state="done", duration=30.0, language="pt", model="demo")
    return library.job(job.id)


@pytest.fixture
def page(browser: Any, server: Server, meeting: Job) -> Iterator[Any]:
    with opened(browser, f"{server.url}/transcript?job={meeting.id}", height=1000) as tab:
        yield tab


def test_a_gap_plays_from_its_beginning_to_its_end(page: Any) -> None:
    page.get_by_text("89% of the speech is text, with 1 gap").click()
    page.get_by_role("button", name="0:22 – 0:25").click()
    player = "window.transcrevaiClip"
    page.wait_for_function(f"{player} && {player}.currentTime > 22")
    page.wait_for_function(f"{player}.paused && {player}.currentTime >= 25")
    assert not page.evaluate(f"{player}.ended")


def test_a_report_is_downloaded_and_its_links_arrive(
    page: Any, browser: Any, server: Server, meeting: Job
) -> None:
    page.get_by_role("button", name="Report").click()
    page.get_by_role("radio", name="HTML").click()
    page.get_by_text("Links that play the sound").click()
    expect(page.get_by_role("switch", name="Links that play the sound")).to_be_checked()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)  # the switch has been heard
    page.get_by_role("button", name="Write the report").click()
    with page.expect_download() as event:
        page.get_by_role("button", name="Download the report").click()
    assert event.value.suggested_filename == "Ata _i_-report.html"
    tab = visitor(browser).new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.set_content(event.value.path().read_text(encoding="utf-8"))
    expect(tab.get_by_role("heading", name="Ata <i>")).to_be_visible()
    expect(tab.get_by_role("img", name=re.compile("Timeline"))).to_be_visible()
    assert not [url for url in asked if url.startswith("http")]
    question = tab.get_by_role("row", name=re.compile(r"Quem vem\?"))
    hear = question.get_by_role("link", name="Hear it in TranscrevAI")
    assert hear.get_attribute("href") == f"{server.url}/transcript?job={meeting.id}&t=0.00"
    assert question.get_by_role("link", name="0:00", exact=True).get_attribute("href") == "#turn-1"
    assert tab.locator("#turn-1").inner_text().endswith("Quem vem?")
    tab.context.close()
