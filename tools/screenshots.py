"""Pictures of every page, wide and narrow, light and dark, for a person to look at.

Run `python -m tools.screenshots [FOLDER [VIEW ...]]`; docs/screenshot.png is the view
transcript, wide and light.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.picture_library import (
    add_memory,
    add_other_states,
    add_speakers,
    transcribe_samples,
)
from tools.serving import browsing, serving
from transcrevai_core import demo
from transcrevai_core.processes import name_of
from transcrevai_core.store import Store

WIDTHS = {"wide": (1440, 900), "narrow": (400, 800)}


def newcomer_views(url: str) -> dict[str, Callable[[Any], None]]:
    """Return what a new user sees, as name and how to get there."""
    return {
        "start-new": lambda page: visit(page, url, "New here?"),
        "library-empty": lambda page: visit(page, f"{url}/library", "Nothing here yet"),
        "memory-empty": lambda page: visit(page, f"{url}/memory", "Nothing has happened yet"),
        "transcript-empty": lambda page: visit(page, f"{url}/transcript", "no transcript yet"),
    }


def views(url: str, library: Store, running: str) -> dict[str, Callable[[Any], None]]:
    """Return every other view, as name and how to get there."""
    crowd, silent, second, first = (
        f"{url}/transcript?job={job.id}" for job in library.jobs(["done"])
    )
    transcript, other = first, second
    failed = library.jobs(["failed"])[0].id

    def seek(page: Any) -> None:
        speakers(page, transcript)
        page.locator(".row").nth(2).locator(".words > span").nth(1).click()
        page.mouse.move(0, 400)
        page.wait_for_timeout(1500)
        page.locator("h1").scroll_into_view_if_needed()

    def edit(page: Any) -> None:
        visit(page, other, "Marked words")
        page.locator(".row").nth(4).locator(".words").dblclick()
        page.get_by_label("Your text").wait_for()
        page.locator(".reader").scroll_into_view_if_needed()

    def words(page: Any) -> None:
        speakers(page, crowd)
        page.locator(".box").scroll_into_view_if_needed()
        page.locator(".row").nth(30).scroll_into_view_if_needed()

    def menu(page: Any) -> None:
        speakers(page, transcript)
        page.locator(".row").nth(3).locator(".words > span").nth(2).click()
        page.keyboard.press("k")
        page.locator(".row").nth(3).locator(".more").click()
        page.get_by_role("menu").wait_for()

    def find(page: Any) -> None:
        speakers(page, transcript)
        page.locator(".box").focus()
        page.keyboard.press("f")
        page.get_by_label("Find", exact=True).fill("re")

    def keys(page: Any) -> None:
        speakers(page, transcript)
        page.locator(".box").focus()
        page.keyboard.press("?")
        page.get_by_role("heading", name="Keys").wait_for()

    def rename(page: Any) -> None:
        speakers(page, transcript)
        page.get_by_role("button", name="rename").first.click()
        page.get_by_role("dialog").get_by_text("Save").wait_for()

    def merge(page: Any) -> None:
        speakers(page, transcript)
        page.get_by_role("button", name="merge").first.click()
        page.get_by_role("dialog").get_by_text("undoing parts them").wait_for()

    def number(page: Any) -> None:
        speakers(page, transcript)
        page.get_by_role("button", name="Change the number").click()
        page.get_by_text("More", exact=True).click()
        page.get_by_text("Threshold of likeness").wait_for()

    def export(page: Any) -> None:
        visit(page, other, "Marked words")
        page.get_by_role("button", name="Export").click()
        page.get_by_text("With my corrections").wait_for()

    def search(page: Any) -> None:
        visit(page, f"{url}/library", "Search in titles")
        page.get_by_label("Search in titles").fill("reunião")
        page.get_by_text("Said in recordings").wait_for()

    def delete(page: Any) -> None:
        visit(page, f"{url}/library", "Search in titles")
        page.get_by_role("button", name="Delete").first.click()
        page.get_by_text("cannot be undone").wait_for()

    def memory(page: Any, section: str = "") -> None:
        (library.home / "config.toml").unlink(missing_ok=True)  # of the view before
        look(page, section)

    def look(page: Any, section: str = "") -> None:
        visit(page, f"{url}/memory", "Last minutes")
        page.locator(".js-plotly-plot").first.wait_for()
        if section:
            page.get_by_role("tab", name=section).click()
            page.wait_for_timeout(1000)
            page.get_by_role("tab", name=section).scroll_into_view_if_needed()
            page.mouse.move(200, 500)
            page.mouse.wheel(0, 2000)

    def short(page: Any) -> None:
        config = library.home / "config.toml"
        config.write_text(
            "memory_budget_mb = 200\n"
            "degraded_percent = 20\nemergency_percent = 60\nkill_percent = 70\n"
        )
        look(page)

    def options(page: Any) -> None:
        visit(page, url, "More options")
        page.get_by_role("combobox", name="Model").click()
        page.get_by_role("option", name="demo (samples only)").click()
        page.get_by_text("More options").click()
        page.get_by_text("Beam size").wait_for()

    def speaker_options(page: Any) -> None:
        visit(page, url, "More options")
        page.get_by_text("Speakers", exact=True).click()
        page.get_by_text("Voice model").wait_for()

    def upload(page: Any) -> None:
        visit(page, url, "More options")
        slow = page.context.new_cdp_session(page)
        slow.send("Network.enable")
        slow.send("Network.emulateNetworkConditions", {
            "offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000,
        })  # fmt: skip
        files = [demo.sample_path(name) for name in demo.SAMPLES]
        page.locator("input[type=file]").set_input_files(files)
        page.get_by_text("left").first.wait_for()
        page.get_by_text("Choose files").scroll_into_view_if_needed()

    return {
        "start": lambda page: visit(page, url, "In progress"),
        "options": options,
        "upload": upload,
        "running": lambda page: visit(page, f"{url}/?job={running}", "elapsed"),
        "failed": lambda page: visit(page, f"{url}/?job={failed}", "cannot be decoded"),
        "transcript": seek,
        "menu": menu,
        "find": find,
        "keys": keys,
        "rename": rename,
        "merge": merge,
        "number": number,
        "crowd": lambda page: speakers(page, crowd),
        "crowd-words": words,
        "no-text": lambda page: speakers(page, silent),
        "speaker-options": speaker_options,
        "edit": edit,
        "export": export,
        "library": lambda page: visit(page, f"{url}/library", "Search in titles"),
        "search": search,
        "delete": delete,
        "memory": memory,
        "memory-short": short,
        "memory-limits": lambda page: memory(page, "Limits"),
        "memory-cache": lambda page: memory(page, "Cache"),
        "memory-jobs": lambda page: memory(page, "Past jobs"),
    }


def visit(page: Any, url: str, text: str) -> None:
    """Open an address and wait for a text on it."""
    page.goto(url)
    page.get_by_text(text).first.wait_for()


def speakers(page: Any, url: str) -> None:
    """Open a transcript and wait for its text, or its turns."""
    page.goto(url)
    page.locator(".row").first.wait_for()


def take(browser: Any, folder: Path, wanted: dict[str, Callable[[Any], None]]) -> None:
    """Take each view in both widths and both themes."""
    for width, (x, y) in WIDTHS.items():
        for theme in ("light", "dark"):
            for name, go in wanted.items():
                if sys.argv[2:] and name not in sys.argv[2:]:
                    continue
                context = browser.new_context(
                    viewport={"width": x, "height": y}, color_scheme=theme, locale="en-US"
                )
                page = context.new_page()
                go(page)
                page.wait_for_timeout(700)  # until transitions have ended
                page.screenshot(path=folder / f"{name}-{width}-{theme}.png")
                context.close()


def main() -> None:
    """Fill a library of its own, and photograph it."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, browsing() as browser:
        home = Path(temporary) / "home"
        with serving(home) as server:
            library = Store(home)
            take(browser, folder, newcomer_views(server.url))
            transcribe_samples(library)
            add_speakers(library)
            running = add_other_states(library)
            add_memory(library, name_of(server.pid))
            take(browser, folder, views(server.url, library, running))
    print(f"{len([*folder.glob('*.png')])} pictures in {folder}")


if __name__ == "__main__":
    main()
