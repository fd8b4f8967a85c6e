"""The evaluation page as a person meets it: a reference goes in, figures and marked errors come."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import HEAVY, expect, fits, opened

from tools.serving import Server
from transcrevai_core import demo
from transcrevai_core.library.store import Store
from transcrevai_core.types import Chunk, Segment, Turn

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recording(library: Store) -> str:
    """The Portuguese sample as someone heard it, word for word but for one."""
    job = library.add_job(demo.sample_path("pt"), {"model": "demo"}, title="Reunião", claim=True)
    library.save_plan(job.id, [Chunk(0, 0.0, 74.0)])
    text = demo.reference_text("pt").replace("tem 3 itens", "tem 33 itens")
    segments = [Segment(n, n + 1, line) for n, line in enumerate(text.splitlines())]
    library.save_chunk(job.id, 0, segments, dropped=0, seconds=9.0)
    library.save_diarization(job.id, [Turn(0, 74, "SPEAKER_00")], {"speakers": 1})
    library.update_job(job.id, state="done", owner=None, duration=74.0, model="demo", language="pt")
    return job.id


@pytest.fixture(params=[1280, 400])
def page(request: Any, browser: Any, server: Server, recording: str) -> Iterator[Any]:
    with opened(browser, f"{server.url}/evaluation?job={recording}", request.param) as tab:
        expect(tab.get_by_role("heading", name="Evaluation", exact=True)).to_be_visible()
        yield tab


def test_a_reference_goes_in_and_the_error_is_marked(
    page: Any, server: Server, tmp_path: Path
) -> None:
    expect(page.get_by_role("button", name="Compare")).to_be_disabled()
    page.locator("input[type=file]").set_input_files(demo.sample_path("pt").with_suffix(".txt"))
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Word by word")).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(re.compile(r"^0\.7%$"))
    expect(page.locator("del", has_text=re.compile("^3$"))).to_be_visible()
    expect(page.locator("strong", has_text=re.compile("^33$"))).to_be_visible()
    expect(page.get_by_text("compared in lower case and without punctuation")).to_be_visible()
    fits(page, page.viewport_size["width"])
    with page.expect_download() as event:
        page.get_by_role("button", name="Download JSON").click()
    assert event.value.suggested_filename == "Reunião.score.json"
    found = json.loads(Path(event.value.path()).read_text(encoding="utf-8"))
    assert (found["words"]["substitutions"], found["words"]["words"]) == (1, 151)

    # a reference of turns instead, with nothing but a file chosen anew
    page.get_by_role("button", name="Remove pt.txt").click()
    expect(page.get_by_role("button", name="Compare")).to_be_disabled()  # it has been heard
    page.locator("input[type=file]").set_input_files(demo.sample_path("pt").with_suffix(".rttm"))
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Who speaks when")).to_be_visible()
    expect(page.get_by_text("no collar, every moment is scored")).to_be_visible()
    mapped = Path(f"/proc/{server.pid}/maps").read_text()
    assert not [name for name in (*HEAVY, "rapidfuzz", "/scipy/") if name in mapped]
