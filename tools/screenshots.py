"""Pictures of every page, wide and narrow, light and dark, for a person to look at.

Run `python -m tools.screenshots [FOLDER [VIEW ...]]`; docs/screenshot.png and
docs/tuning.png are the views transcript and tuning, wide and light.
"""

import sys
import tempfile
from collections.abc import Callable
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
from transcrevai_core.processes import name_of
from transcrevai_core.store import Store

WIDTHS = {"wide": (1440, 900), "narrow": (400, 800)}


def take(browser: Any, folder: Path, wanted: dict[str, Callable[[Any], None]]) -> None:
    """Take each view in both widths and both themes."""
    # view by view: one lets memory be short, and the voices that others show leave the cache then
    for name, go in wanted.items():
        if sys.argv[2:] and name not in sys.argv[2:]:
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
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, browsing() as browser:
        home = Path(temporary) / "home"
        with serving(home) as server:
            library = Store(home)
            take(browser, folder, newcomer_views(server.url))
            transcribe_samples(library)
            add_sweep(library)
            add_gap(library)
            add_speakers(library)
            running = add_other_states(library)
            add_memory(library, name_of(server.pid))
            take(browser, folder, views(server.url, library, running))
    print(f"{len([*folder.glob('*.png')])} pictures in {folder}")


if __name__ == "__main__":
    main()
