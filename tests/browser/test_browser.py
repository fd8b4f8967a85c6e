"""The app as a person meets it: a real server, a real browser, the bundled demo model."""

import re
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import HEAVY, SLOW_LINE, download, expect, fits, opened, visitor
from conftest import known

from tools.serving import CEILING, Server, serving
from transcrevai_core import demo
from transcrevai_core.audio import decode
from transcrevai_core.library.store import Store
from transcrevai_core.types import Chunk, Job, Segment

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    with opened(browser, server.url) as tab:
        expect(tab.get_by_role("button", name="Choose files")).to_be_enabled()
        yield tab


def choose_demo_model(page: Any) -> None:
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="demo · samples only").click()
    expect(page.get_by_text("For your own recordings, choose another model")).to_be_visible()


def throttle(chromium: Any, bytes_per_second: int) -> None:
    chromium.send("Network.enable")
    chromium.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 0, "downloadThroughput": -1,
        "uploadThroughput": bytes_per_second,
    })  # fmt: skip


def test_upload_shows_its_progress_and_survives_a_change_of_page(
    page: Any, library: Store, tmp_path: Path
) -> None:
    (tmp_path / "broken.mp3").write_bytes(b"# Notes\n" * 2_500_000)
    sound = tmp_path / "entrevista <b>.flac"
    sound.write_bytes(demo.sample_path("pt").read_bytes())
    choose_demo_model(page)
    chromium = page.context.new_cdp_session(page)
    throttle(chromium, 100_000)  # far longer than two changes of page take
    page.locator("input[type=file]").set_input_files([tmp_path / "broken.mp3", sound])
    expect(page.get_by_text(re.compile(r"of 20 MB · \d+% · \d+ (s|min) left"))).to_be_visible()
    page.get_by_role("link", name="Library").click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    page.get_by_role("link", name="Transcribe", exact=True).click()
    expect(page.get_by_text(re.compile(r"of 20 MB · \d+% · \d+ (s|min) left"))).to_be_visible()
    throttle(chromium, -1)

    expect(page.get_by_text("The sound of broken.mp3 cannot be decoded")).to_be_visible()
    page.reload()  # what waits for its button goes on to wait
    page.get_by_role("button", name="Leave out").first.click()
    expect(page.get_by_text("The sound of broken.mp3")).to_be_hidden()
    choose_demo_model(page)
    page.get_by_role("button", name="Transcribe", exact=True).click()
    expect(page).to_have_url(re.compile("/transcript"))
    (done,) = library.jobs(["done"])
    assert done.title == "entrevista _b_.flac" and library.segments(done.id)
    assert done.source.read_bytes() == sound.read_bytes()
    assert not [*(library.home / "uploads").iterdir()]
    assert demo.SAMPLES_DIR / "pt.wav" not in [*demo.SAMPLES_DIR.iterdir()]


def test_a_dropped_file_tells_what_it_is_before_it_begins(page: Any, library: Store) -> None:
    choose_demo_model(page)
    dropped = page.evaluate_handle(
        "bytes => { const files = new DataTransfer();"
        "files.items.add(new File([new Uint8Array(bytes)], 'dropped.flac')); return files }",
        [*demo.sample_path("en").read_bytes()[:200_000]],
    )
    page.locator(".zone").dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.get_by_text("the language is found while listening")).to_be_visible()
    expect(page.get_by_text(re.compile("of work. About .* MB of memory"))).to_be_visible()
    assert "dropped.flac" not in [job.title for job in library.jobs()]
    page.get_by_role("button", name="Transcribe", exact=True).click()
    expect(page.get_by_role("heading", name="dropped.flac")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?job=[0-9a-f]{32}$"))
    assert library.jobs()[0].title == "dropped.flac"
    expect(page).to_have_url(re.compile("/transcript"))


def test_a_typed_model_is_kept_however_the_field_is_left(
    page: Any, server: Server, library: Store
) -> None:
    def type_model(name: str) -> None:
        page.get_by_role("combobox", name="Model").click()
        page.keyboard.press("End")
        page.get_by_role("option", name="Another model").click()
        page.get_by_role("textbox", name="Another model").click()
        page.keyboard.type(name)

    type_model("owner/typed-one")
    page.keyboard.press("Tab")
    expect(page.get_by_text("The model owner/typed-one is not on this computer")).to_be_visible()
    page.goto(f"{server.url}/settings")
    type_model("owner/typed-two")
    page.get_by_role("heading", name="Settings").click()
    expect(page.get_by_text("Saved; new recordings begin with it")).to_be_visible()
    config = library.home / "config.toml"
    assert "owner/typed-two" in config.read_text(encoding="utf-8")
    config.unlink()  # the other tests begin with what the program does


def test_choosing_files_works_by_keyboard(page: Any) -> None:
    chooser = page.locator("input[type=file]")
    chooser.evaluate("i => { i.onclick = e => { e.preventDefault(); window.asked = true } }")
    page.get_by_role("tab", name="Files").focus()
    for _ in range(3):  # from the tab to the button, without a mouse
        page.keyboard.press("Tab")
        if page.get_by_role("button", name="Choose files").evaluate("b => b.matches(':focus')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_function("window.asked")


def test_reload_and_new_tab_find_the_running_job(
    page: Any, library: Store, server: Server, tmp_path: Path
) -> None:
    long = tmp_path / "long.wav"
    decode.decode(demo.sample_path("en"), long)
    with wave.open(str(long)) as one:
        parameters, frames = one.getparams(), one.readframes(one.getnframes())
    with wave.open(str(long), "w") as many:
        many.setparams(parameters)
        many.writeframes(frames * 10)
    choose_demo_model(page)
    page.get_by_role("tab", name="Path").click()
    page.get_by_label("Full path of a recording").fill(str(long))
    page.get_by_role("button", name="Take it in").click()
    page.locator(".st-key-begin").get_by_role("button").click()
    expect(page.get_by_text(re.compile(r"Transcribing, \d+% · .* elapsed"))).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="long.wav")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Transcribing, \d+%"))).to_be_visible()
    expect(page.get_by_text("how are you").first).to_be_visible()  # the text so far

    tab = page.context.new_page()
    tab.goto(server.url)
    expect(tab.get_by_role("heading", name="In progress")).to_be_visible()
    tab.get_by_role("button").filter(has_text="Open").click()
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_text("What was finished is kept")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()  # the other tab sees it
    assert library.jobs(["cancelled"])[0].title == "long.wav"


def test_a_transcript_stays_when_polls_of_the_page_before_it_come_late(
    browser: Any, tmp_path: Path
) -> None:
    library = Store(tmp_path / "home")
    with (
        serving(library.home, "tests/slow_app.py") as server,
        opened(browser, "about:blank") as tab,
    ):
        tab.context.set_default_timeout(CEILING * 1000)
        tab.add_init_script(SLOW_LINE)
        tab.goto(server.url)
        tab.get_by_role("button", name="Sample meeting").click()
        tab.get_by_role("button", name="Cancel").wait_for()
        job = library.jobs()[0]
        finish(library, job)
        stays(tab)  # opened by the end of the job
        # another that goes on keeps the list of jobs polled
        library.add_job(demo.sample_path("pt"), {}, title="Another")
        tab.get_by_role("link", name="Transcribe", exact=True).click()
        tab.locator(f".st-key-open_{job.id} button").click()
        stays(tab)  # opened from within what is polled


def finish(library: Store, job: Job) -> None:
    """Let a job be done, with one segment."""
    decode.decode(job.source, library.wav(job.id))
    library.save_plan(job.id, [Chunk(0, 0, 6)])
    library.save_chunk(job.id, 0, [Segment(0, 6, "one", ())], dropped=0, seconds=1)
    library.update_job(job.id, state="done", duration=6.0, model="demo")


def stays(tab: Any) -> None:
    """Expect a transcript that can be used, when all that was sent before it has arrived."""
    expect(tab).to_have_url(re.compile("/transcript"))
    tab.locator(".row").first.wait_for()
    tab.wait_for_function("!window.underway")
    tab.locator("[data-test-script-state=notRunning]").wait_for()
    tab.get_by_role("button", name="Copy or export").click()
    assert download(tab, "TXT")
    tab.keyboard.press("Escape")


def test_microphone(page: Any, library: Store) -> None:
    choose_demo_model(page)
    page.get_by_role("tab", name="Microphone").click()
    page.get_by_role("button", name="Record", exact=True).click()
    clock = page.get_by_test_id("stAudioInputWaveformTimeCode")
    expect(clock).to_have_text(re.compile("[1-9]"))  # a second, or more
    page.get_by_role("button", name="Stop recording").click()
    page.get_by_role("button", name="Transcribe the recording").click()
    expect(page.get_by_role("heading", name="Recording")).to_be_visible()
    expect(page.get_by_text("There is no text")).to_be_visible()  # only beeps
    assert known(library.jobs(["done"])[0].duration) > 0.5


def test_delete_is_for_good(page: Any, library: Store, server: Server) -> None:
    job = library.add_job(demo.sample_path("pt"), {}, title="To be deleted")
    library.cancel(job.id)
    page.goto(f"{server.url}/library")
    page.get_by_label("Search in titles").fill("to be deleted")
    expect(page.get_by_role("heading", name="Titles (1)")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)  # what was found before is gone
    page.get_by_role("checkbox", name="To be deleted").check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert job.id not in [other.id for other in library.jobs()]
    assert not library.job_dir(job.id).exists() and job.source.exists()


def test_errors_are_one_sentence(page: Any, server: Server) -> None:
    page.goto(f"{server.url}/transcript?job=unknown")
    expect(page.get_by_text("This recording is not in the library")).to_be_visible()
    expect(page.get_by_text("Traceback")).to_be_hidden()


def test_a_bad_setting_is_told_on_every_page(browser: Any, tmp_path: Path) -> None:
    with serving(tmp_path / "home", TRANSCREVAI_BEAM_SIZE="99") as server:
        tab = visitor(browser).new_page()
        for place in ("", "library"):
            tab.goto(f"{server.url}/{place}")
            expect(tab.get_by_text("beam_size is '99'; it should be")).to_be_visible()
        tab.context.close()


@pytest.mark.parametrize("place", ["", "library", "transcript", "memory", "tuning"])
def test_narrow_screens_need_no_sideways_scrolling(page: Any, server: Server, place: str) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(f"{server.url}/{place}")
    page.get_by_role("heading").first.wait_for()
    fits(page, 400)
    for element in page.get_by_role("button").all():
        box = element.bounding_box()
        assert not box or box["x"] + box["width"] <= 400


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_server_holds_no_heavy_library(page: Any, server: Server) -> None:
    mapped = Path(f"/proc/{server.pid}/maps").read_text()
    assert not [name for name in HEAVY if name in mapped]
