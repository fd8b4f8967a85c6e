"""How the page of a long transcript feels: run with `python -m benchmarks.transcript_page`.

Makes a transcript of three hours (about 30,000 words in 4,000 segments) with a tone as its sound,
and prints how long it takes to open, the longest gap between two frames while it is scrolled and
played, the time from an edit to its being kept, and how far from its word a click plays. Needs
Chromium.
"""

import math
import tempfile
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np

from tools.serving import browsing, serving
from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.types import Chunk, Segment, Turn, Word

HOURS = 3
SEGMENTS, WORDS = 4_000, 30_000
PEOPLE = 4
SPOKEN = (
    "a", "reunião", "de", "hoje", "começa", "com", "o", "relatório", "e", "depois", "vamos",
    "ouvir", "todas", "as", "equipes",
)  # fmt: skip
TARGETS = {"open": 3.0, "frame": 0.2, "edit": 0.5, "seek": 0.05, "waveform": 2.0}
# frames from now on, and the longest gap between two of them in ms
FRAMES = """() => { window.gap = 0; let last = performance.now(); window.frames_on = true
const next = now => { window.gap = Math.max(window.gap, now - last); last = now
  if (window.frames_on) requestAnimationFrame(next) }; requestAnimationFrame(next) }"""
# what stands in the reader
FOUND = """selector => [...document.querySelectorAll('*')].flatMap(
e => e.shadowRoot ? [...e.shadowRoot.querySelectorAll(selector)] : [])"""
# what the model wrote stands beside an edit as soon as the server has kept it
KEPT = """box => { window.kept = new Promise(done => new MutationObserver(() =>
box.querySelector('.aside') && done()).observe(box, {childList: true, subtree: true})) }"""
PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def add_long_job(library: Store, hours: float = HOURS, segments: int = SEGMENTS) -> str:
    """Put a finished job with its text, speakers and a tone into the library; return its id."""
    seconds = hours * 3600
    options = JobOptions().model_dump()
    job = library.add_job(Path("long.mp3"), options, title="Audiência pública", claim=True)
    with wave.open(str(library.wav(job.id)), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        at = np.arange(16_000 * 60) / 16_000
        swell = np.abs(np.sin(2 * math.pi * at / 7)) * np.abs(np.sin(2 * math.pi * at / 0.9))
        minute = (9_000 * swell * np.sin(2 * math.pi * 220 * at)).astype("<i2").tobytes()
        for _ in range(round(seconds / 60)):
            sound.writeframes(minute)
    library.save_plan(job.id, [Chunk(0, 0, seconds)])
    step, made, spoken = seconds / segments, [], 0
    for n in range(segments):
        count = round((n + 1) * WORDS * segments / SEGMENTS / segments) - spoken
        long = 0.94 * step / count
        words = tuple(
            Word(
                n * step + k * long,
                n * step + (k + 1) * long,
                f" {SPOKEN[(spoken + k) % len(SPOKEN)]}",
                0.3 if (spoken + k) % 23 == 0 else 0.92,
            )
            for k in range(count)
        )
        spoken += count
        made.append(Segment(words[0].start, words[-1].end, "".join(w.text for w in words), words))
    library.save_chunk(job.id, 0, made, dropped=0, seconds=600)
    turns = [
        Turn(s.start, s.end, f"SPEAKER_{(n // 3 * 7) % PEOPLE:02}") for n, s in enumerate(made)
    ]
    library.save_diarization(job.id, turns, {"speakers": PEOPLE, "by": "given"})
    library.update_job(
        job.id, state="done", duration=seconds, model="small", language="pt", compute_type="int8",
        device="cpu", owner=None,
    )  # fmt: skip
    return job.id


def report(what: str, value: float, target: float) -> None:
    """Print one figure in seconds beside its target."""
    verdict = "met" if value < target else "MISSED"
    print(f"{what:<62}{value:8.3f} s   below {target:g} s: {verdict}", flush=True)


def frames(page: Any, act: Any) -> float:
    """Return the longest time between two frames while something is done, in seconds."""
    page.evaluate(FRAMES)
    act()
    page.evaluate("window.frames_on = false")
    return float(page.evaluate("window.gap")) / 1000


def scroll(page: Any) -> None:
    """Turn the wheel over the text for some seconds, as one who looks for something does."""
    box = page.locator(".box").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    for _ in range(60):
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(30)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        library = Store(Path(folder) / "home")
        job_id = add_long_job(library)
        with serving(library.home) as server, browsing() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(60_000)
            page.goto(server.url)  # the program's own files are in the cache, as on any day
            page.get_by_role("button", name="Choose files").wait_for()

            begun = time.monotonic()
            answer = page.request.get(f"{server.url}/api/transcript/{job_id}/waveform")
            report("waveform, made for the first time", time.monotonic() - begun,
                   TARGETS["waveform"])  # fmt: skip
            assert len(answer.body()) == HOURS * 3600 * 20

            for way in ("first", "again"):
                begun = time.monotonic()
                page.goto(f"{server.url}/transcript?job={job_id}")
                page.wait_for_function(f"({FOUND})('.row').length === {SEGMENTS}")
                page.evaluate(PAINTED)
                report(f"from address to text, {way}", time.monotonic() - begun, TARGETS["open"])

            report("longest frame while scrolling", frames(page, lambda: scroll(page)),
                   TARGETS["frame"])  # fmt: skip

            worst, segments = 0.0, library.segments(job_id)
            for number in (400, 3210, 1805):
                row = page.locator(".row").nth(number)
                row.scroll_into_view_if_needed()
                word = segments[number].words[3]
                page.locator("audio").evaluate(
                    "a => { a.addEventListener('seeking', () => (window.came = a.currentTime), "
                    "{once: true}) }"
                )
                row.locator(".words > span").nth(3).click()
                page.wait_for_function("window.came !== undefined")
                worst = max(worst, abs(page.evaluate("window.came") - word.start))
                page.evaluate("window.came = undefined")
            report("a click on a word plays from this far from it", worst, TARGETS["seek"])
            report("longest frame while playing",
                   frames(page, lambda: page.wait_for_timeout(4000)), TARGETS["frame"])  # fmt: skip
            page.locator("[data-do=play]").click()

            row = page.locator(".row").nth(1805)
            row.locator(".words").dblclick(position={"x": 5, "y": 12})
            row.locator("textarea").fill("o que se disse aqui")
            page.locator(".box").evaluate(KEPT)

            def keep() -> None:
                page.keyboard.press("Enter")
                page.evaluate("window.kept")
                page.evaluate(PAINTED)

            begun = time.monotonic()
            gap = frames(page, keep)
            report("from an edit to its being kept and shown", time.monotonic() - begun,
                   TARGETS["edit"])  # fmt: skip
            report("longest frame meanwhile", gap, TARGETS["frame"])
            assert library.segments(job_id)[1805].edited == "o que se disse aqui"


if __name__ == "__main__":
    main()
