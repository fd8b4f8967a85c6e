"""Every view of the app that a picture is taken of: its name, and how a browser gets there."""

from collections.abc import Callable
from typing import Any

from transcrevai_core import demo
from transcrevai_core.library.store import Store

Views = dict[str, Callable[[Any], None]]


def newcomer_views(url: str) -> Views:
    """Return what a new user sees, as name and how to get there."""
    return {
        "start-new": lambda page: visit(page, url, "New here?"),
        "library-empty": lambda page: visit(page, f"{url}/library", "Nothing here yet"),
        "memory-empty": lambda page: visit(page, f"{url}/memory", "Nothing has happened yet"),
        "tuning-empty": lambda page: visit(page, f"{url}/tuning", "no finished recording"),
        "evaluation-empty": lambda page: visit(page, f"{url}/evaluation", "no finished recording"),
        "transcript-empty": lambda page: visit(page, f"{url}/transcript", "no transcript yet"),
    }


def views(url: str, library: Store, running: str) -> Views:
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
        page.get_by_role("heading", name="Keyboard shortcuts").wait_for()

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
        page.get_by_role("button", name="Copy or export").click()
        page.get_by_text("With my corrections").wait_for()

    def search(page: Any) -> None:
        visit(page, f"{url}/library", "Entrevista com")
        page.get_by_label("Search in titles").fill("reunião")
        page.get_by_text("Said in recordings").wait_for()

    def chosen(page: Any) -> None:
        page.goto(f"{url}/library")
        boxes = page.get_by_role("checkbox")
        for place in (1, 2):
            boxes.nth(place).click()
        page.get_by_role("button", name="Delete").wait_for()

    def delete(page: Any) -> None:
        chosen(page)
        page.get_by_role("button", name="Delete").click()
        page.get_by_text("cannot be undone").wait_for()

    def selection(page: Any) -> None:
        speakers(page, transcript)
        for place in (2, 4):
            page.locator(".row").nth(place).locator(".words").click(modifiers=["Control"])
        page.locator(".picked-bar").wait_for()

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
        page.wait_for_timeout(1500)  # what is drawn anew meanwhile folds again
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

    def arrived(page: Any) -> None:
        visit(page, url, "More options")
        page.locator("input[type=file]").set_input_files(demo.sample_path("pt"))
        page.get_by_role("button", name="Transcribe", exact=True).wait_for(timeout=60_000)
        page.wait_for_timeout(3000)

    def other_voices(page: Any) -> None:
        tuning(page)
        page.get_by_text("More settings").click()
        page.get_by_role("spinbutton", name="Window of a voice").fill("2.5")
        page.keyboard.press("Enter")
        page.get_by_text("not kept with these settings").wait_for()
        page.locator("h1").scroll_into_view_if_needed()

    def coverage(page: Any) -> None:
        visit(page, other, "of the speech is text")
        page.get_by_text("of the speech is text").click()
        page.get_by_text("Here someone seems to speak").wait_for()

    def report(page: Any) -> None:
        speakers(page, transcript)
        page.get_by_role("button", name="Report").click()
        page.get_by_text("Participants, key terms").wait_for()

    def tuning(page: Any, section: str = "", text: str = "") -> None:
        page.goto(transcript.replace("transcript", "tuning"))
        page.locator(".js-plotly-plot .ytick").first.wait_for()
        if section:
            tab = page.get_by_role("tab", name=section)
            tab.click()
            page.get_by_text(text).first.wait_for()
            page.wait_for_timeout(1000)
            tab.scroll_into_view_if_needed()
            page.mouse.move(200, 500)
            page.mouse.wheel(0, 900)

    def evaluation(page: Any) -> None:
        visit(page, transcript.replace("transcript", "evaluation"), "Reference: what is")
        page.locator("input[type=file]").set_input_files(demo.sample_path("pt").with_suffix(".txt"))
        page.wait_for_timeout(1500)
        page.get_by_role("button", name="Compare").click()
        page.get_by_text("Word by word").wait_for(timeout=60_000)

    def numbers(page: Any) -> None:
        visit(page, f"{url}/evaluation", "Reference: what is")
        page.get_by_role("tab", name="Numbers").click()
        page.get_by_text("Models work in INT8").wait_for()

    def settings(page: Any, section: str) -> None:
        visit(page, f"{url}/settings?section={section}", "They are kept in config.toml")
        page.wait_for_timeout(1000)

    def portuguese(page: Any) -> None:
        visit(page, url, "More options")
        page.get_by_role("radio", name="Português").click()
        page.get_by_role("heading", name="Transcrever").wait_for()
        (library.home / "config.toml").unlink(missing_ok=True)

    return {
        "start": lambda page: visit(page, url, "In progress"),
        "options": options,
        "upload": upload,
        "arrived": arrived,
        "running": lambda page: visit(page, f"{url}/?job={running}", "elapsed"),
        "failed": lambda page: visit(page, f"{url}/?job={failed}", "cannot be decoded"),
        "transcript": seek,
        "coverage": coverage,
        "report": report,
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
        "selection": selection,
        "library": lambda page: visit(page, f"{url}/library", "Entrevista com"),
        "chosen": chosen,
        "search": search,
        "delete": delete,
        "tuning": tuning,
        "tuning-map": lambda page: tuning(page, "Map", "Each dot"),
        "tuning-likeness": lambda page: tuning(page, "Likeness", "bright squares"),
        "tuning-evidence": lambda page: tuning(page, "How many", "What speaks for"),
        "tuning-voices": other_voices,
        "tuning-sound": lambda page: tuning(page, "Sound", "Next turn"),
        "tuning-sweep": lambda page: tuning(page, "Reference and sweep", "Best: DER"),
        "tuning-result": lambda page: tuning(page, "Use and export", "Export as JSON"),
        "evaluation": evaluation,
        "evaluation-numbers": numbers,
        "settings": lambda page: visit(page, f"{url}/settings", "Memory that TranscrevAI"),
        "settings-recordings": lambda page: settings(page, "recordings"),
        "settings-models": lambda page: settings(page, "models"),
        "settings-storage": lambda page: settings(page, "storage"),
        "portuguese": portuguese,
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
