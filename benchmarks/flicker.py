"""How still a page stands while jobs run: run with `python -m benchmarks.flicker [--against PATH]`.

Counts, in Chromium, what is drawn anew needlessly: an element that is replaced by its like, or
whose attribute or text changes and comes back to what it was. Looks at the page of one job, and at
the list of several; the jobs are moved on by hand, no model is needed. `--against` measures another
checkout of the program as well, so that before and after stand in one run.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tools import serving
from transcrevai_core import demo
from transcrevai_core.codes import Stage
from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.types import Chunk, Segment

SECONDS = 20  # that are looked at
CHUNK = 4.0  # s between two chunks of text
STEP = 0.25  # s between two changes of the progress
WAITING = 4  # other jobs in the list
COUNT = """() => {
  const app = document.querySelector('[data-testid=stApp]'), known = new Map()
  window.needless = {}
  const note = target => {
    const near = target.closest?.('[data-testid]') ?? target.parentElement?.closest('[data-testid]')
    const name = near?.dataset.testid ?? target.nodeName
    needless[name] = (needless[name] ?? 0) + 1
  }
  const look = (target, name, old, now) => {
    if (!known.has(target)) known.set(target, {})
    const of = known.get(target), moment = performance.now()
    if (!of[name] || moment - of[name].at > 2000) of[name] = { value: old }
    of[name].at = moment
    if (of[name].value === now) { note(target); delete of[name] }
  }
  new MutationObserver(records => {
    for (const { type, target, attributeName, oldValue, removedNodes, addedNodes } of records) {
      if (target === app) continue // says itself whether anything is drawn
      if (type === 'attributes') look(target, attributeName, oldValue, target.getAttribute(attributeName))
      else if (type === 'characterData') look(target, '', oldValue, target.data)
      else {
        const html = node => node.outerHTML ?? node.data
        for (const gone of removedNodes)
          for (const come of addedNodes) if (html(gone) === html(come)) note(target)
      }
    }
  }).observe(app, { subtree: true, childList: true, attributes: true, attributeOldValue: true,
    characterData: true, characterDataOldValue: true })
}"""  # noqa: E501


def add_jobs(library: Store) -> str:
    """Put one job that runs, of this process, and some that wait into the library."""
    options = JobOptions(model="small", language="en").model_dump()
    job = library.add_job(demo.sample_path("en"), options, title="Interview", claim=True)
    chunks = [Chunk(n, 10.0 * n, 10.0 * n + 10) for n in range(200)]
    library.save_plan(job.id, chunks)
    library.update_job(
        job.id, state="transcribing", stage=Stage.TRANSCRIBING(), duration=2000.0,
        started=time.time(),
    )  # fmt: skip
    for n in range(WAITING):
        library.add_job(demo.sample_path("en"), options, title=f"Meeting {n}")
    return job.id


def go_on(library: Store, job_id: str, page: Any) -> None:
    """Move the job on as one of a slow computer is, while the page is looked at."""
    begun, chunk = time.monotonic(), len(library.chunks(job_id)) - 200
    chunk += len(library.segments(job_id))
    written, share = begun, 0.0
    while (now := time.monotonic()) - begun < SECONDS:
        share += 0.0005
        library.update_job(job_id, progress=share)
        if now - written > CHUNK:
            segment = Segment(10.0 * chunk, 10.0 * chunk + 10, f" And this is line {chunk}.")
            library.save_chunk(job_id, chunk, [segment], dropped=0, seconds=1.0)
            chunk, written = chunk + 1, now
        page.wait_for_timeout(1000 * STEP)


def measure(browser: Any) -> None:
    """Print what the program draws needlessly."""
    with tempfile.TemporaryDirectory() as folder:
        library = Store(Path(folder) / "home")
        job_id = add_jobs(library)
        with serving.serving(
            library.home, "tests/slow_app.py", PYTHONPATH=str(serving.ROOT)
        ) as server:  # which has no runner: nobody else works on the jobs
            for what, place in (("one job", f"/?job={job_id}"), ("a list of jobs", "/")):
                page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
                page.goto(server.url + place)
                page.get_by_text("elapsed").first.wait_for()
                page.wait_for_timeout(3000)
                page.evaluate(COUNT)
                go_on(library, job_id, page)
                found = page.evaluate("needless")
                most = sorted(found.items(), key=lambda item: -item[1])[:4]
                said = ", ".join(f"{name} {number}" for name, number in most)
                print(
                    f"{what:<16}{sum(found.values()) / SECONDS:6.1f} a second  {said}", flush=True
                )
                page.close()


def main() -> None:
    """Measure this checkout, after another one where one is given."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--against", type=Path, help="another checkout, measured first")
    asked = parser.parse_args()
    os.environ.setdefault("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "false")
    if asked.against:  # by its own code, which alone knows its library
        root = str(asked.against.resolve())
        subprocess.run(
            [sys.executable, __file__], cwd=root, env={**os.environ, "PYTHONPATH": root}, check=True
        )
    print(serving.ROOT, flush=True)
    with serving.browsing() as browser:
        measure(browser)


if __name__ == "__main__":
    main()
