"""The library as a clerk uses it: many recordings chosen, labelled, narrowed, exported, deleted."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
from browsing import expect, fits, opened
from conftest import wait_until

from tools.serving import Server, serving
from transcrevai_core import demo
from transcrevai_core.library import shelf
from transcrevai_core.library.store import Store
from transcrevai_core.types import Chunk, Segment

pytestmark = pytest.mark.slow

MANY = 24


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A library of its own, with more recordings than a page shows."""
    store = Store(tmp_path_factory.mktemp("shelf") / "home")
    for number in range(MANY):
        title = f"Hearing {number:02}"
        job = store.add_job(demo.sample_path("pt"), {"model": "demo"}, title=title)
        store.save_plan(job.id, [Chunk(0, 0, 6)])
        said = Segment(0, 6, f" what was said in {number}", ())
        store.save_chunk(job.id, 0, [said], dropped=0, seconds=1)
        store.update_job(
            job.id, state="done", duration=60.0 + number, language="pt", model="demo",
            created=1_770_000_000.0 + 86_400 * number,
        )  # fmt: skip
    return store


@pytest.fixture(scope="module")
def desk(shelves: Store) -> Any:
    with serving(shelves.home, TRANSCREVAI_HOME=str(shelves.home)) as server:
        yield server


def lines(page: Any) -> Any:
    return page.locator("tbody tr")


def act(page: Any, name: str) -> Any:
    page.locator(".bar").get_by_role("button", name=name).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    return dialog


def test_many_are_labelled_narrowed_exported_and_deleted(
    browser: Any, desk: Server, shelves: Store
) -> None:
    with opened(browser, f"{desk.url}/library", 1440, 900) as page:
        expect(lines(page)).to_have_count(20)
        expect(lines(page).first).to_contain_text(f"Hearing {MANY - 1}")
        lines(page).nth(15).scroll_into_view_if_needed()
        heights = lines(page).evaluate_all("all => all.map(e => e.offsetHeight)")
        assert max(heights) <= 40  # dense: twenty on a screen
        lines(page).nth(1).locator("input").check()
        lines(page).nth(4).locator(".date").click(modifiers=["Shift"])
        expect(page.locator(".bar b")).to_have_text("Selected: 4")
        dialog = act(page, "Tags")
        dialog.get_by_label("Add a tag").fill("urgent")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog).to_be_hidden()
        expect(page.locator(".tag", has_text="urgent")).to_have_count(4)
        dialog = act(page, "Project")
        dialog.get_by_role("combobox").fill("Council 2026")
        dialog.get_by_role("combobox").press("Enter")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog).to_be_hidden()
        expect(page.locator(".project", has_text="Council 2026")).to_have_count(4)
        page.get_by_role("button", name="Select nothing").click()
        # the address is the list
        page.get_by_role("combobox", name="Tag").click()
        page.get_by_role("option", name="urgent").click()
        expect(lines(page)).to_have_count(4)
        page.get_by_role("button", name="Title").click()
        expect(lines(page).first).to_contain_text("Hearing 19")
        address = page.url
        assert "tag=urgent" in address and "sort=title" in address
        page.goto(f"{desk.url}/")
        page.goto(address)
        expect(lines(page)).to_have_count(4)
        expect(lines(page).first).to_contain_text("Hearing 19")
        expect(page.get_by_role("columnheader", name="Title")).to_have_attribute(
            "aria-sort", "ascending"
        )
        page.get_by_label("Select all that are shown").check()
        dialog = act(page, "Export")
        with page.expect_download() as event:
            dialog.get_by_role("button", name="Download ZIP").click()
        names = zipfile.ZipFile(Path(event.value.path())).namelist()
        assert names == [f"Hearing {n}.txt" for n in range(19, 23)]
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_be_hidden()
        before = len(shelves.jobs())
        dialog = act(page, "Delete")
        dialog.get_by_role("button", name="Delete for good").click()
        expect(page.get_by_text("Deleted: 4.")).to_be_visible()
        assert len(shelves.jobs()) == before - 4 and not shelf.labels(shelves)


def test_the_way_on_a_phone(browser: Any, desk: Server, shelves: Store) -> None:
    address = f"{desk.url}/library?q=Hearing+0"
    titles = [job.title for job in shelves.jobs() if "0" in job.title]
    with opened(browser, address, 400, 850, locale="pt-BR") as page:
        expect(lines(page)).to_have_count(len(titles))
        fits(page, 400)
        for number in (0, 1):
            lines(page).nth(number).locator("input").check()
        expect(page.locator(".bar b")).to_have_text("Selecionados: 2")
        fits(page, 400)
        dialog = act(page, "Etiquetas")
        dialog.get_by_label("Adicionar uma etiqueta").fill("rever")
        dialog.get_by_role("button", name="Salvar").click()
        wait_until(lambda: len(shelf.labels(shelves)) == 2)
        lines(page).first.locator("a").click()
        expect(page.get_by_role("heading", name=titles[0])).to_be_visible()
        expect(page.locator(".row")).to_have_count(1)


def test_what_was_said_opens_at_its_place(browser: Any, desk: Server) -> None:
    with opened(browser, f"{desk.url}/library") as page:
        page.get_by_label("Search in titles").fill("said in 7")
        expect(page.get_by_role("heading", name="Said in recordings (1)")).to_be_visible()
        page.get_by_role("link", name="0:00").click()
        expect(page.get_by_role("heading", name="Hearing 07")).to_be_visible()
