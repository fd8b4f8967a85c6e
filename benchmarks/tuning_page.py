"""How soon the page Tuning answers: from a setting's change to the redrawn timeline, in a browser.

    python -m benchmarks.tuning_page FOLDER [--embeddings voice ivector mfcc] [--repeats 5]
                                            [--seconds 3600]

FOLDER holds conversations (.flac, .wav), which are joined until they make so many seconds. Times
are taken in the browser, from the key that moves a slider, or the press on a choice, to the last
change of the timeline's picture ("timeline"; where the answer is the same picture, to the end of
the run that says so), and of any picture on the page, the map among them ("whole page"). Every
value is asked for the first time, so that no answer was kept. "first" is the first answer of a
page, which starts the worker and loads the voices.
"""

import argparse
import itertools
import os
import statistics
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.serving import browsing, serving
from transcrevai_core.audio import decode
from transcrevai_core.jobs import direct

SLIDERS = ("Threshold of likeness", "Smallest share of speech", "Shortest turn",
           "Number of speakers")  # fmt: skip
ROUNDS = "Rounds of resegmentation"
CLUSTERINGS = ("Agglomerative", "Spectral", "k-means", "VBx")
COUNTINGS = ("Likeness", "Silhouette", "Eigengap", "Evidence")
# notes when the user acted, the script ran, and pictures changed
WATCH = """() => {
  const seen = window.seen = { begun: 0, run: 0, ended: 0, line: 0, all: 0 }
  const now = () => performance.now()
  const begin = () => Object.assign(seen, { begun: now(), run: 0, ended: 0, line: 0, all: 0 })
  document.addEventListener("keydown", begin, true)
  document.addEventListener("pointerdown", begin, true)
  new MutationObserver(changes => {
    const first = document.querySelector(".stPlotlyChart")
    for (const { target } of changes) {
      const state = target.getAttribute?.("data-test-script-state")
      if (state === "running") seen.run = seen.run || now()
      else if (state && seen.run) seen.ended = now()
      const chart = target.closest?.(".stPlotlyChart") ?? target.parentElement?.closest(
        ".stPlotlyChart")
      if (chart) seen.all = now()
      if (chart && chart === first) seen.line = now()
    }
  }).observe(document.body, { subtree: true, childList: true, attributes: true,
                              characterData: true })
}"""
QUIET = """() => seen.ended && performance.now() - Math.max(seen.ended, seen.all) > 400"""
TOOK = """() => [(seen.line || seen.ended) - seen.begun,
                 Math.max(seen.ended, seen.all) - seen.begun]"""

Times = list[tuple[float, float]]  # seconds: to the timeline, and to the whole page


def join(folder: Path, target: Path, seconds: float) -> Path:
    """Write the folder's recordings one after another until they make so many seconds."""
    files = sorted(f for kind in ("*.flac", "*.wav") for f in folder.glob(kind))
    if not files:
        raise SystemExit(f"{folder} holds no .flac and no .wav; conversations would be right.")
    left = round(seconds * 16_000)
    part = target.with_suffix(".part.wav")
    with wave.open(str(target), "wb") as joined:
        joined.setparams((1, 2, 16_000, 0, "NONE", ""))
        for file in itertools.cycle(files):
            if left <= 0:
                return target
            decode.decode(file, part)
            with wave.open(str(part)) as one:
                frames = one.readframes(min(left, one.getnframes()))
            joined.writeframes(frames)
            left -= len(frames) // 2
    return target


def answered(tab: Any) -> tuple[float, float]:
    """Wait for the answer to what was done last; return its times."""
    tab.wait_for_function(QUIET, timeout=120_000)
    line, whole = tab.evaluate(TOOK)
    return line / 1000, whole / 1000


def slide(tab: Any, name: str, repeats: int) -> Times:
    """Move a slider step by step."""
    slider = tab.get_by_role("slider", name=name)
    found = []
    for _step in range(repeats):
        slider.focus()
        tab.keyboard.press("ArrowRight")
        found.append(answered(tab))
    return found


def choose(tab: Any, label: str, option: str) -> Times:
    """Take one of a list's choices; the time begins with the press on it."""
    tab.get_by_role("combobox", name=label).click()
    tab.get_by_role("option", name=option, exact=True).click()
    return [answered(tab)]


def measure(tab: Any, repeats: int, *, every: bool) -> Iterator[tuple[str, str, Times]]:
    """Yield grouping, change and times: by default, and with `every` for each other grouping."""
    for name in SLIDERS[:-1]:
        yield "auto", name, slide(tab, name, repeats)
    counted: Times = []
    for option in COUNTINGS:
        counted += choose(tab, "Counting of speakers", option)
    yield "auto", "Counting of speakers", counted
    choose(tab, "Counting of speakers", "Automatic")
    tab.get_by_text("More settings").click()
    yield "auto", ROUNDS, slide(tab, ROUNDS, min(3, repeats))
    tab.get_by_role("slider", name=ROUNDS).focus()
    tab.keyboard.press("Home")
    answered(tab)
    chosen: Times = []
    for grouping in CLUSTERINGS if every else ():
        chosen += choose(tab, "Grouping of voices", grouping)
        for name in SLIDERS[:-1]:
            yield grouping, name, slide(tab, name, repeats)
    if chosen:
        yield "each", "Grouping of voices", chosen
        choose(tab, "Grouping of voices", "Automatic")
    yield "auto", SLIDERS[-1], slide(tab, SLIDERS[-1], repeats)


def report(embedding: str, grouping: str, change: str, times: Times) -> None:
    """Print one line of the table."""
    lines, wholes = zip(*times, strict=True)
    print(
        f"{embedding:<10} {grouping:<14} {change:<26} {len(times):>3} "
        f"{statistics.median(lines):8.2f} {max(lines):8.2f} "
        f"{statistics.median(wholes):8.2f} {max(wholes):8.2f}",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--embeddings", nargs="*", default=["voice", "ivector", "mfcc"])
    parser.add_argument("--seconds", type=float, default=3_600)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ["TRANSCREVAI_HOME"] = str(home)
        sound = join(arguments.folder, Path(folder) / "joined.wav", arguments.seconds)
        known = {
            name: direct.diarize(sound, embedding=name).job_id for name in arguments.embeddings
        }
        print(f"{'':52} {'timeline, s':>17} {'whole page, s':>17}")
        heads = " ".join(["  median    worst"] * 2)
        print(f"{'embedding':<10} {'grouping':<14} {'change':<26} {'n':>3} {heads}")
        with serving(home) as server, browsing() as browser:
            for number, (name, job_id) in enumerate(known.items()):
                tab = browser.new_page(viewport={"width": 1280, "height": 1600}, locale="en-US")
                begun = time.perf_counter()
                tab.goto(f"{server.url}/tuning?job={job_id}")
                tab.locator(".stPlotlyChart .points path").first.wait_for()
                first = time.perf_counter() - begun
                tab.evaluate(WATCH)
                tab.wait_for_timeout(2_000)
                report(name, "auto", "first", [(first, first)])
                for grouping, change, times in measure(tab, arguments.repeats, every=number == 0):
                    report(name, grouping, change, times)
                tab.close()


if __name__ == "__main__":
    main()
