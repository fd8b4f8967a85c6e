"""Pictures of every page, wide and narrow, light and dark, for a person to look at.

Run `python -m tools.screenshots [FOLDER [VIEW ...]]`; docs/screenshot.png and
docs/tuning.png are the views transcript and tuning, wide and light.
"""

import argparse
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from tools.picture_library import (
    add_gap,
    add_memory,
    add_other_states,
    add_speakers,
    add_sweep,
    transcribe_samples,
)
from tools.picture_views import newcomer_views, views
from tools.serving import browsing, serving
from transcrevai_core.library.store import Store
from transcrevai_core.workers.processes import name_of

WIDTHS = {"wide": (1440, 900), "narrow": (400, 800)}


def take(
    browser: Any, folder: Path, found: dict[str, Callable[[Any], None]], wanted: Collection[str]
) -> None:
    """Take each view, or those that are `wanted`, in both widths and both themes."""
    # view by view: one lets memory be short, and the voices that others show leave the cache then
    for name, go in found.items():
        if wanted and name not in wanted:
            continue
        for width, (x, y) in WIDTHS.items():
            for theme in ("light", "dark"):
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
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("out/screenshots"))
    parser.add_argument("views", nargs="*", help="only these, such as transcript")
    asked = parser.parse_args()
    folder: Path = asked.folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, browsing() as browser:
        home = Path(temporary) / "home"
        with serving(home) as server:
            library = Store(home)
            take(browser, folder, newcomer_views(server.url), asked.views)
            transcribe_samples(library)
            add_sweep(library)
            add_gap(library)
            add_speakers(library)
            running = add_other_states(library)
            add_memory(library, name_of(server.pid))
            take(browser, folder, views(server.url, library, running), asked.views)
    print(f"{len([*folder.glob('*.png')])} pictures in {folder}")


if __name__ == "__main__":
    main()
