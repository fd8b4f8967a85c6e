"""A server that was started with a wrong setting, in a browser: told, put right, and at work."""

from pathlib import Path
from typing import Any

import pytest
from browsing import expect, opened

from tools.serving import serving
from transcrevai_core import demo
from transcrevai_core.library.store import Store

pytestmark = pytest.mark.slow

RESTS = "Work rests, and goes on by itself as soon as it can: hang_seconds is 1;"


def test_pages_say_why_work_rests_until_it_does_not(browser: Any, tmp_path: Path) -> None:
    home = tmp_path / "home"
    options = {"model": "demo", "language": "pt", "beam_size": 1, "diarize": False}
    job = Store(home).add_job(demo.sample_path("pt"), options, title="Reunião")
    (home / "config.toml").write_text("hang_seconds = 1\n")
    with serving(home) as server, opened(browser, server.url) as page:
        for name in ("Library", "Memory", "Settings", "Transcribe"):
            page.get_by_role("link", name=name, exact=True).click()
            expect(page.get_by_text(RESTS)).to_be_visible()
            expect(page.get_by_text("hang_seconds is 1;")).to_have_count(1)
        # by hand, and nobody touches the page: it is drawn as soon as it can be
        (home / "config.toml").write_text("hang_seconds = 60\n")
        expect(page.get_by_role("heading", name="Transcribe")).to_be_visible()
        expect(page.get_by_text("Work rests")).to_have_count(0)
        page.goto(f"{server.url}/transcript?job={job.id}")
        expect(page.locator(".row").first).to_be_visible()
