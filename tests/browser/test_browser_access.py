"""Every page for those who see little or use the keyboard: WCAG 2.2 AA and eMAG as a checklist.

| criterion | how it is checked |
|---|---|
| 1.1.1, 1.3.1, 1.4.3, 1.4.11, 3.3.2, 4.1.2 | axe-core over every page and tab, light and dark |
| 1.4.10, 1.4.12, 2.3.3, 2.5.8, 3.1.1 | `browsing.EVERYWHERE`, over every page and tab |
| 2.1.1, 2.1.2, 2.4.7, 2.4.11 | `browsing.BY_KEYS`: Tab through every page |
| 2.4.1 (eMAG 1.5) | the first Tab leads past the menu |
| 2.4.2 | the titles of pages differ |
| 3.1.2 | no English of Streamlit on a Portuguese page |
| 3.3.1, 3.3.3 | a number out of range is refused with its limits |
| 4.1.3 | what was saved is said in a live region |
"""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import BY_KEYS, EVERYWHERE, WORDS, expect, settle, visitor
from conftest import SETTINGS
from paging import fill

from tools.serving import Server, serving
from transcrevai_core.components.language import STREAMLIT
from transcrevai_core.jobs import direct
from transcrevai_core.jobs.retention import DAY
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message
from transcrevai_core.settings import load_settings
from transcrevai_core.transcript.rttm import format_rttm
from transcrevai_core.tuning import parameters, sweep_run, sweeps
from transcrevai_core.types import Job

pytestmark = pytest.mark.slow

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
PAGES = ("", "transcript", "tuning", "library", "evaluation", "memory", "settings")
VIEWS = (*PAGES, "settings?section=recordings")
PICTURES = {"transcript": "canvas", "tuning": ".stPlotlyChart"}
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, short_recording: Path) -> Path:
    home = tmp_path_factory.mktemp("access") / "home"
    store = Store(home)
    sound = shutil.copy(short_recording, home.parent / "Reunião.wav")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ({"TRANSCREVAI_HOME": str(home)} | SETTINGS).items():
            patch.setenv(name, value)
        made = direct.transcribe(sound, model="demo", embedding="mfcc")
        sweep(store, store.job(made.job_id))
    store.update_job(made.job_id, title="Reunião")
    fill(
        store, "Entrevista", state="failed", error=Message("No speech was found in this recording.")
    )
    fill(store, "Antiga", created=time.time() - 40 * DAY)
    hub = home.parent / "hub" / "models--Systran--faster-whisper-tiny"
    (hub / "snapshots" / "1").mkdir(parents=True)
    (hub / "snapshots" / "1" / "model.bin").write_bytes(b"0")
    (hub / "refs").mkdir()
    (hub / "refs" / "main").write_text("1")
    return home


def sweep(store: Store, job: Job) -> None:
    """Try some settings of a job's speakers against what was found with the usual ones."""
    reference = format_rttm(store.transcript(job.id).turns, "a")
    sweeps.keep_reference(store, job, "right.rttm", reference.encode())
    grid: dict[str, list[Any]] = {"speakers": [2, 3], "min_turn_seconds": [0.0, 0.4]}
    planned = sweeps.plan(parameters.job_settings(job), grid, reference)
    sweep_run.run(store, load_settings(), sweeps.create(store, job, planned))


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    with serving(home, HF_HUB_CACHE=str(home.parent / "hub")) as running:
        yield running


def faults(page: Any) -> list[str]:
    """Return what axe-core finds that is serious, once nothing is being drawn."""
    for pause in (300, 1_000, 3_000, 10_000, 30_000):  # what fades in is pale while it does
        settle(page)
        page.wait_for_timeout(pause)
        found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        grave = [
            f"{fault['id']}: {node['html'][:200]}"
            for fault in found if fault["impact"] in GRAVE
            for node in fault["nodes"]
        ]  # fmt: skip
        if not grave:
            break
    return grave


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_serious_fault(
    browser: Any,
    server: Server,
    theme: str,
) -> None:
    language = "pt-BR" if theme == "dark" else "en"
    context = visitor(browser, color_scheme=theme, locale=language)
    page = context.new_page()
    found = {}
    for name in VIEWS:
        page.goto(f"{server.url}/{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if name in PICTURES:
            expect(page.locator(PICTURES[name]).first).to_be_visible()
        if name == "tuning":
            page.get_by_role("button", name=re.compile("Next turn|Próximo turno")).click()
        tabs = page.get_by_role("tab")
        for tab in range(max(1, tabs.count() if theme == "light" or name == "tuning" else 1)):
            if tabs.count():
                tabs.nth(tab).click()
            if name == "tuning":
                settle(page)
                unfold(page)
            found[f"{name} {tab}"] = faults(page)
            page.set_viewport_size({"width": 400, "height": 800})
            page.wait_for_function(  # nothing scrolls sideways, once charts have become narrow too
                "document.querySelector('[data-testid=stMain]').scrollWidth <= 400"
            )
            if theme == "light" and (name in PICTURES or tab == 0):  # colours are the same
                found[f"{name} {tab}, narrow"] = faults(page)
            page.set_viewport_size({"width": 1280, "height": 720})
    context.close()
    assert not {where: what for where, what in found.items() if what}


def unfold(page: Any) -> None:
    folds = page.locator("details:not([open]) > summary:visible")
    while folds.count():
        folds.first.click()


def parts(page: Any, url: str, name: str) -> Iterator[str]:
    """Open a page and each of its tabs, with all that unfolds; gives what each is called."""
    page.goto(f"{url}/{name}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if name in PICTURES:
        expect(page.locator(PICTURES[name]).first).to_be_visible()
    tabs = page.get_by_role("tab")
    settle(page)
    for tab in range(max(1, tabs.count())):
        if tabs.count():
            tabs.nth(tab).click()
        settle(page)
        unfold(page)
        settle(page)
        yield f"{name} {tab}"


@pytest.mark.parametrize("name", VIEWS)
def test_every_page_keeps_to_what_is_asked_of_it(browser: Any, server: Server, name: str) -> None:
    context = visitor(browser, locale="pt-BR")
    page = context.new_page()
    found: dict[str, Any] = {}
    for part in parts(page, server.url, name):
        found |= {f"{part}: {what}": measure(page) for what, measure in EVERYWHERE.items()}
    page.goto(f"{server.url}/{name}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settle(page)
    found |= {f"{name}: {what}": measure(page) for what, measure in BY_KEYS.items()}
    context.close()
    assert not {where: what for where, what in found.items() if what}


ENGLISH = [
    re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(text)) + "$")
    for text in STREAMLIT
    if not text.startswith("{name}")
]
MORE = re.compile(  # whatever the list of texts above lacks
    r"\b(the|press|enter to|choose|upload|browse|drag|per file|add:|select all|no results|"
    r"help for|fullscreen|icon|available|skip to|rerun)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", VIEWS)
def test_no_english_of_streamlit_is_on_a_portuguese_page(
    browser: Any, server: Server, name: str
) -> None:
    context = visitor(browser, locale="pt-BR")
    page = context.new_page()
    said: set[str] = set()
    for _part in parts(page, server.url, name):
        said |= {*page.evaluate(WORDS)}
        boxes = page.locator("[data-testid=stMain] [data-testid=stPopover] button:visible")
        lists = page.locator("[data-testid=stMain] [role=combobox]:visible")
        for openers in (boxes, lists):
            for place in range(openers.count()):
                if openers.nth(place).is_enabled():
                    openers.nth(place).click()
                    settle(page)
                    said |= {*page.evaluate(WORDS)}
                    page.keyboard.press("Escape")
    page.get_by_role("button", name="Menu principal").click()
    expect(page.get_by_role("menu")).to_be_visible()
    said |= {*page.evaluate(WORDS)}
    context.close()
    assert "Menu principal" in said and "Escuro" in said
    english = {text for text in said if any(known.match(text) for known in ENGLISH)}
    assert not english | {text for text in said if MORE.search(text)}


def test_the_first_tab_leads_past_the_menu_and_titles_differ(browser: Any, server: Server) -> None:
    context = visitor(browser, locale="pt-BR")
    page = context.new_page()
    titles = set()
    for name in PAGES:
        page.goto(f"{server.url}/{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page).to_have_title(re.compile(r".+ · TranscrevAI"))
        settle(page)
        titles.add(page.title())
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Ir para o conteúdo")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()
    context.close()
    assert len(titles) == len(PAGES)


def test_decimals_have_a_comma_where_the_page_is_portuguese(
    browser: Any, server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCREVAI_HOME", str(home))
    context = visitor(browser, locale="pt-BR")
    page = context.new_page()
    page.goto(f"{server.url}/settings?section=speakers")
    share = page.get_by_label("Menor parcela de fala", exact=True)
    expect(share).to_have_value("0,003")
    share.press("ArrowUp")
    expect(share).to_have_value("0,004")
    least = page.get_by_label("Limiar de semelhança", exact=True)
    least.press_sequentially("x7")
    least.press("Tab")
    refused = page.get_by_role("alert").filter(has_text="entre 0,05 e 0,95")
    expect(refused).to_be_attached()
    least.fill("")
    least.press_sequentially("0,35")
    least.press("Tab")
    settle(page)
    page.get_by_role("tabpanel", name="Falantes").get_by_role("button", name="Salvar").click()
    said = page.get_by_role("status").filter(has_text="Salvo")
    expect(said).to_be_visible()
    assert load_settings().speaker_threshold == 0.35
    context.close()


def test_what_is_deleted_is_asked_for_first(
    browser: Any,
    server: Server,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRANSCREVAI_HOME", str(home))
    store = Store(home)
    page = visitor(browser, locale="en-US").new_page()
    page.goto(f"{server.url}/settings?section=models")
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("can be downloaded again")).to_be_visible()
    dialog.get_by_role("button", name="Delete", exact=False).last.click()
    expect(dialog).to_have_count(0)
    assert not [*(home.parent / "hub").iterdir()]

    page.get_by_role("tab", name="Storage").click()
    page.get_by_role("spinbutton", name="Days until all is deleted").fill("30")
    page.get_by_role("button", name="Save").first.click()
    expect(dialog.get_by_text("Antiga")).to_be_visible()
    assert faults(page) == []
    dialog.get_by_role("button", name="Leave it as it is").click()
    expect(dialog).to_have_count(0)
    assert len(store.jobs()) == 3 and load_settings().job_days is None
    page.get_by_role("button", name="Save").first.click()
    dialog.get_by_role("button", name="Save and delete").click()
    expect(page.get_by_text("Saved; running jobs keep to it at once.")).to_be_visible()
    assert {job.title for job in store.jobs()} == {"Reunião", "Entrevista"}
    assert load_settings().job_days == 30
    page.context.close()


def test_a_tab_is_called_by_what_is_in_it(browser: Any, server: Server, home: Path) -> None:
    context = visitor(browser, locale="en-US")
    page = context.new_page()
    page.goto(f"{server.url}/library")
    expect(page).to_have_title("Library · TranscrevAI")
    job = next(job for job in Store(home).jobs() if job.title == "Reunião")
    page.goto(f"{server.url}/transcript?job={job.id}")
    expect(page).to_have_title("Reunião · TranscrevAI")
    context.close()
