"""Several segments chosen at once, by mouse, by keys and on a phone; and the reader's form."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdf
import pytest
from browsing import expect, fits, opened, settle
from conftest import wait_until

from tools.serving import Server
from transcrevai_core import demo
from transcrevai_core.audio import decode
from transcrevai_core.library import edits
from transcrevai_core.library.store import Store
from transcrevai_core.types import Chunk, Job, Segment, Turn, Word

pytestmark = pytest.mark.slow

ROWS = 60
COVERED = """selector => { const bar = document.querySelector('header').getBoundingClientRect()
const root = [...document.querySelectorAll('*')].find(e => e.shadowRoot?.querySelector('.desk'))
const box = root.shadowRoot.querySelector(selector).getBoundingClientRect()
return [box.top, box.bottom, bar.bottom, window.innerHeight] }"""
# what can be pressed in the reader and is smaller than 24 pixels, or reaches beyond the window
SMALL = """() => { const root = [...document.querySelectorAll('*')]
.find(e => e.shadowRoot?.querySelector('.desk')).shadowRoot
const all = root.querySelectorAll('button, select, label, input:not([type=checkbox])')
return [...all].filter(e => e.checkVisibility())
.map(e => [e.dataset.do ?? e.className, e.getBoundingClientRect()])
.filter(([, b]) => b.width < 24 || b.height < 24 || b.right > window.innerWidth + 1)
.map(([name, b]) => `${name} ${b.width} ${b.height} ${b.right}`) }"""


def add_text(library: Store, rows: int = ROWS) -> Job:
    """Put a transcript of many short segments by two speakers into the library."""
    job = library.add_job(demo.sample_path("pt"), {}, title="Council", claim=True)
    decode.decode(demo.sample_path("pt"), library.wav(job.id))
    library.save_plan(job.id, [Chunk(0, 0, float(rows))])
    made = []
    for n in range(rows):
        words = [Word(n + k / 4, n + (k + 1) / 4, f" w{n}x{k}", 0.9) for k in range(3)]
        made.append(Segment(n, n + 0.75, "".join(w.text for w in words), tuple(words)))
    library.save_chunk(job.id, 0, made, dropped=0, seconds=1)
    turns = [Turn(n, n + 0.75, f"SPEAKER_0{n // 5 % 2}") for n in range(rows)]
    library.save_diarization(job.id, turns, {"speakers": 2, "by": "given"})
    library.update_job(
        job.id, state="done", duration=float(rows), owner=None, model="demo", language="en"
    )
    return library.job(job.id)


@pytest.fixture(scope="module")
def tab(browser: Any, server: Server) -> Iterator[Any]:
    with opened(browser, server.url) as page:
        yield page


@pytest.fixture
def job(tab: Any, library: Store, server: Server) -> Job:
    job = add_text(library)
    tab.goto(f"{server.url}/transcript?job={job.id}")
    expect(tab.locator(".row")).to_have_count(ROWS)
    return job


def bar(page: Any) -> Any:
    return page.locator(".picked-bar")


def row(page: Any, number: int) -> Any:
    return page.locator(".row").nth(number)


def undone(page: Any, what: str) -> None:
    page.locator("[data-do=undo]").click()
    expect(page.get_by_text(f"Undone: {what}")).to_be_visible()


def test_a_range_is_chosen_and_changed_at_once(tab: Any, library: Store, job: Job) -> None:
    before = library.segments(job.id)
    row(tab, 1).locator(".words").click(modifiers=["Control"], position={"x": 3, "y": 8})
    row(tab, 3).locator(".words").click(modifiers=["Shift"], position={"x": 3, "y": 8})
    row(tab, 6).locator(".words").click(modifiers=["Control"], position={"x": 3, "y": 8})
    expect(bar(tab).locator("b")).to_have_text("Selected: 4")
    assert tab.locator("audio").evaluate("a => a.paused")  # choosing is no playing
    bar(tab).get_by_role("button", name="Say who speaks").click()
    tab.get_by_role("menuitemradio", name="Speaker 2").click()
    expect(bar(tab)).to_be_hidden()
    speakers = [segment.speaker for segment in library.segments(job.id)]
    assert [speakers[n] for n in (1, 2, 3, 6)] == ["SPEAKER_01"] * 4
    undone(tab, "who speaks")
    assert library.segments(job.id) == before


def test_neighbours_are_merged_highlighted_and_emptied_as_one_change(
    tab: Any, library: Store, job: Job
) -> None:
    before = library.segments(job.id)
    tab.locator(".box").focus()
    for _ in range(3):
        tab.keyboard.press("Shift+ArrowDown")
    expect(bar(tab).locator("b")).to_have_text("Selected: 4")
    bar(tab).get_by_role("button", name="Merge").click()
    expect(tab.locator(".row")).to_have_count(ROWS - 3)
    assert library.segments(job.id)[0].words == sum((s.words for s in before[:4]), ())
    undone(tab, "a merge")
    expect(tab.locator(".row")).to_have_count(ROWS)
    assert library.segments(job.id) == before
    row(tab, 10).locator(".words").click(modifiers=["Control"], position={"x": 3, "y": 8})
    row(tab, 12).locator(".words").click(modifiers=["Control"], position={"x": 3, "y": 8})
    bar(tab).get_by_role("button", name="Merge").click()
    expect(tab.get_by_text("No two of the selected segments follow each other")).to_be_visible()
    bar(tab).get_by_role("button", name="Highlight").click()
    wait_until(lambda: sum(s.highlighted for s in library.segments(job.id)) == 2)
    expect(bar(tab)).to_be_hidden()
    tab.locator(".box").focus()
    tab.keyboard.press("Control+a")
    expect(bar(tab).locator("b")).to_have_text(f"Selected: {ROWS}")
    bar(tab).get_by_role("button", name="Delete the text").click()
    wait_until(lambda: not any(s.final_text for s in library.segments(job.id)))
    assert all(s.text for s in library.segments(job.id))  # what the model wrote stays
    undone(tab, "deleted texts")
    assert all(s.final_text for s in library.segments(job.id))


def test_what_is_chosen_is_copied_and_saved_alone(tab: Any, library: Store, job: Job) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row(tab, 4).locator(".words").click(modifiers=["Control"], position={"x": 3, "y": 8})
    row(tab, 5).locator(".words").click(modifiers=["Shift"], position={"x": 3, "y": 8})
    bar(tab).get_by_role("button", name="Copy").click()
    expect(tab.get_by_text("Copied", exact=True)).to_be_visible()
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied == "[0:04] Speaker 1: w4x0 w4x1 w4x2\n[0:05] Speaker 2: w5x0 w5x1 w5x2"
    bar(tab).get_by_role("button", name="Save as").click()
    with tab.expect_download() as event:
        tab.get_by_role("menuitem", name="SRT").click()
    assert event.value.suggested_filename == "Council.srt"
    said = Path(event.value.path()).read_text(encoding="utf-8")
    assert "w4x0" in said and "w5x2" in said and "w3x0" not in said and "w6x0" not in said
    tab.locator(".box").focus()
    tab.keyboard.press("Escape")
    expect(bar(tab)).to_be_hidden()
    expect(tab.locator(".row.picked")).to_have_count(0)


def test_what_others_changed_meanwhile_is_refused_whole(tab: Any, library: Store, job: Job) -> None:
    third = library.segments(job.id)[2].id
    for number in (2, 3):
        row(tab, number).locator(".words").click(modifiers=["Control"], position={"x": 3, "y": 8})
    with library.database.write() as db:
        db.execute("DELETE FROM segments WHERE id = ?", (third,))
    bar(tab).get_by_role("button", name="Highlight").click()
    expect(tab.get_by_text("it was merged or made anew")).to_be_visible()
    assert not any(segment.highlighted for segment in library.segments(job.id))


# -- the form of the reader --------------------------------------------------------------------


def test_the_page_scrolls_and_the_player_stays(tab: Any, job: Job) -> None:
    expect(tab.locator(".picture")).to_be_visible()
    row(tab, ROWS - 1).scroll_into_view_if_needed()
    top, _bottom, header, _height = tab.evaluate(COVERED, ".desk")
    assert top == pytest.approx(header, abs=8)  # below the bar, and not behind it
    assert tab.locator(".box").evaluate("b => b.scrollHeight <= b.clientHeight + 1")
    row(tab, ROWS - 2).locator(".time").click()
    tab.keyboard.press("k")
    expect(tab.locator(".speaking")).to_have_text("Speaker 2")
    expect(tab.locator(".speaking")).to_be_in_viewport()


def test_the_text_begins_high_and_the_wave_is_folded_for_good(tab: Any, job: Job) -> None:
    tab.get_by_role("button", name="Show the sound and who speaks when").click()
    expect(tab.locator(".picture")).to_be_hidden()
    tab.reload()
    expect(tab.locator(".row")).to_have_count(ROWS)
    expect(tab.locator(".picture")).to_be_hidden()
    top, *_rest, height = tab.evaluate(COVERED, ".row")
    assert top < height / 3
    tab.get_by_role("button", name="Show the sound and who speaks when").click()
    expect(tab.locator(".picture")).to_be_visible()


def test_all_of_the_text_is_printed(tab: Any, library: Store, job: Job, tmp_path: Path) -> None:
    edits.set_note(library, library.segments(job.id)[7].id or 0, "ask the clerk")
    tab.reload()
    expect(tab.get_by_text("ask the clerk")).to_be_visible()
    tab.pdf(path=tmp_path / "text.pdf")
    pages = [page.extract_text() for page in pypdf.PdfReader(tmp_path / "text.pdf").pages]
    said = re.sub(r"\s+", " ", " ".join(pages))
    missing = [n for n in range(ROWS) if f"w{n}x0 w{n}x1 w{n}x2" not in said]
    assert not missing
    assert "Council" in said and "Speaker 1" in said and "0:59" in said and "ask the clerk" in said
    for button in ("Copy or export", "Library", "Change the number", "Speed"):
        assert button not in said
    assert len(pages) < ROWS / 10


@pytest.mark.parametrize(("width", "height"), [(720, 450), (320, 256)], ids=["200 %", "400 %"])
def test_nothing_is_clipped_when_zoomed(
    browser: Any, server: Server, library: Store, job: Job, width: int, height: int
) -> None:
    with opened(browser, f"{server.url}/transcript?job={job.id}", width, height) as page:
        expect(page.locator(".row")).to_have_count(ROWS)
        row(page, 0).locator(".time").click()
        fits(page, width)
        assert not page.evaluate(SMALL)
        page.locator(".tools [data-do=find]").click()
        page.locator("[data-do=select]").click()
        row(page, 1).click(position={"x": 8, "y": 10})
        assert not page.evaluate(SMALL)
        fits(page, width)


def test_a_high_contrast_and_a_still_system_are_respected(
    browser: Any, server: Server, job: Job
) -> None:
    context = browser.new_context(forced_colors="active", reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{server.url}/transcript?job={job.id}")
    row(page, 2).locator(".words > span").first.click(timeout=60_000)
    page.keyboard.press("k")
    here = page.locator(".row.here")
    expect(here).to_be_visible()
    assert here.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    stripes = {row(page, n).evaluate("e => getComputedStyle(e).borderLeftColor") for n in (0, 5)}
    assert len(stripes) == 2  # speakers keep their colours
    now, plain = (
        page.locator(selector).first.evaluate("e => getComputedStyle(e).backgroundColor")
        for selector in (".now", ".words > span:not(.now)")
    )
    assert now != plain
    context.close()


def test_the_whole_way_on_a_phone(browser: Any, server: Server, library: Store, job: Job) -> None:
    address = f"{server.url}/transcript?job={job.id}"
    with opened(browser, address, 400, 850, locale="pt-BR") as page:
        expect(page.locator(".row")).to_have_count(ROWS)
        settle(page)
        top, *_rest, height = page.evaluate(COVERED, ".row")
        assert top < 0.6 * height
        row(page, 0).locator(".words > span").first.click()
        page.wait_for_function(
            "[...document.querySelectorAll('*')].some("
            "e => e.shadowRoot?.querySelector('audio')?.paused === false)"
        )
        page.locator("[data-do=play]").click()
        row(page, 0).locator(".more").click()
        page.get_by_role("menuitem", name="Editar o texto").click()
        page.get_by_label("Seu texto").fill("corrigido")
        page.get_by_label("Seu texto").press("Enter")
        wait_until(lambda: library.segments(job.id)[0].edited == "corrigido")
        page.get_by_role("button", name="Selecionar vários segmentos").click()
        for number in (1, 2):
            row(page, number).click(position={"x": 60, "y": 12})
        expect(bar(page).locator("b")).to_have_text("Selecionados: 2")
        bar(page).get_by_role("button", name="Unir").click()
        expect(page.locator(".row")).to_have_count(ROWS - 1)
        page.get_by_role("button", name="Desfazer").click()
        expect(page.locator(".row")).to_have_count(ROWS)
        fits(page, 400)
