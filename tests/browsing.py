"""What tests in a browser share: tabs that may not fail, and how a person acts in them."""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until

from tools.serving import CEILING, find_chromium
from transcrevai_core.library.store import Store
from transcrevai_core.types import Job

if not find_chromium() and os.environ.get("TRANSCREVAI_REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: install it or name it in CHROMIUM", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=CEILING * 1000)

HEAVY = ("ctranslate2", "onnxruntime", "librosa", "sklearn", "/av/", "av.libs", "pandas", "pyarrow",
         "plotly", "torch")  # fmt: skip
SOUND = """[...document.querySelectorAll('*')]
.map(e => e.shadowRoot?.querySelector('audio')).find(a => a)"""
# whether the sound plays, at a time or later
PLAYS = f"from => {{ const a = {SOUND}; return a && !a.paused && a.currentTime >= from }}"
# writes down to where the sound is brought
NOTE = "a => { window.came = []; a.addEventListener('seeking', () => came.push(a.currentTime)) }"

# what the page sends is a second underway, as on a busy machine
SLOW_LINE = """
const send = WebSocket.prototype.send
window.underway = 0
WebSocket.prototype.send = function (...sent) {
  window.underway += 1
  setTimeout(() => { send.apply(this, sent); window.underway -= 1 }, 1000)
}
"""


def visitor(browser: Any, **options: Any) -> Any:
    """Give the context of a new visitor, who waits as long as any test does."""
    context = browser.new_context(**options)
    context.set_default_timeout(CEILING * 1000)
    return context


@contextmanager
def opened(
    browser: Any, url: str, width: int = 1280, height: int = 900, locale: str = "en-US"
) -> Iterator[Any]:
    """Give a new tab of a new visitor; nothing in it may fail or ask any other server."""
    context = visitor(browser, viewport={"width": width, "height": height}, locale=locale)
    tab = context.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    own = ("http://localhost", "data:", "blob:")
    tab.on("request", lambda asked: faults.extend([asked.url] * (not asked.url.startswith(own))))
    tab.goto(url)
    try:
        yield tab
    finally:
        context.close()
    assert not faults


def settle(page: Any) -> None:
    """Wait until nothing is being drawn."""
    page.wait_for_function(
        "!document.querySelector('[data-stale=true], [data-testid=stSkeleton]')"
        " && document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
    )


def fits(page: Any, width: int) -> None:
    """Wait until a page is drawn, and nothing of it scrolls sideways."""
    settle(page)
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)


def choose_format(page: Any, format: str, more: str = "More formats") -> None:
    """Choose a format to export in, of those that are shown first or of all."""
    page.get_by_test_id("stDownloadButton").wait_for()
    if not page.get_by_role("radio", name=f"{format}:").is_visible():
        page.get_by_text(more).click()
    page.get_by_role("radio", name=f"{format}:").locator("xpath=ancestor::label").click()


def download(page: Any, format: str) -> str:
    choose_format(page, format)
    with page.expect_download() as event:
        page.get_by_role("button", name=f"Download {format}").click()
    assert event.value.suggested_filename.endswith(f".{format.lower()}")
    return Path(event.value.path()).read_text(encoding="utf-8")


def until(element: Any, act: Callable[[], Any]) -> None:
    """Act again and again, as people do, until an element shows."""
    for seconds in (1, 2, 4, 8, 16, 32, 64):  # one that is on its way would be sent back
        act()
        with contextlib.suppress(AssertionError):
            expect(element).to_be_visible(timeout=1_000 * seconds)
            return
    raise AssertionError(f"{element} never showed")


def choose_name(page: Any, name: str, label: str = "Name") -> None:
    page.get_by_role("dialog").get_by_role("textbox", name=label).fill(name)


def ended(library: Store, job: Job) -> Job:
    wait_until(lambda: library.job(job.id).state in ("done", "failed"))
    job = library.job(job.id)
    assert job.state == "done", job.error
    return job


# -- what WCAG 2.2 and eMAG ask of a page: each measure returns what falls short on it -----------

# every element that is seen, in the roots of components too
_SEEN = """const seen = (root = document) => [...root.querySelectorAll('*')].flatMap(e =>
  [...(e.checkVisibility({ visibilityProperty: true }) ? [e] : []),
   ...(e.shadowRoot ? seen(e.shadowRoot) : [])])
const called = e => `${e.tagName} ${e.dataset?.testid ?? e.className} ` +
  `${e.getAttribute('aria-label') ?? e.textContent.trim().slice(0, 40)}`
"""
# all that is read on a page or read out; what icons are drawn by is neither
WORDS = f"""() => {{ {_SEEN}
  const hidden = '[aria-hidden=true], script, style, [data-testid=stIconMaterial]'
  return [...new Set(seen().filter(e => !e.matches(hidden)).flatMap(e => [
    ...['aria-label', 'title', 'placeholder', 'alt'].map(name => e.getAttribute(name) ?? ''),
    ...[...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data)
  ].map(text => text.trim()).filter(text => text)))] }}"""
# what is pressed, with its label or the field around it; a link in a sentence is as high as a line
_SMALL = f"""() => {{ {_SEEN}
  const pressed = 'a[href], button, input, select, textarea, summary, [role=button], [role=tab], ' +
    '[role=radio], [role=checkbox], [role=menuitem]'
  const around = 'label, [data-testid=stMultiSelect], [data-testid=stSelectbox], ' +
    '[data-testid=stDateInput], [data-testid=stSlider]'
  return seen().filter(e => {{
    if (!e.matches(pressed) || e.disabled || e.closest('[inert], [aria-hidden=true]')) return false
    if (e.matches('a') && getComputedStyle(e).display === 'inline') return false
    const own = e.getBoundingClientRect()
    if (own.width <= 1 || own.height <= 1 || own.right <= 0 || own.bottom <= 0) return false
    const box = (e.matches('input') && e.closest(around) || e).getBoundingClientRect()
    return Math.max(box.width, own.width) < 23.5 || Math.max(box.height, own.height) < 23.5
  }}).map(e => `${{called(e)}} ${{Math.round(e.getBoundingClientRect().width)}} x ` +
    Math.round(e.getBoundingClientRect().height)) }}"""
_SPACED = f"""() => {{ {_SEEN}
  const roots = [document.head, ...seen().map(e => e.shadowRoot).filter(root => root)]
  for (const root of roots) {{
    const style = document.createElement('style')
    style.className = 'spaced'
    style.textContent = '* {{ line-height: 1.5 !important; letter-spacing: .12em !important; ' +
      'word-spacing: .16em !important }} p {{ margin-bottom: 2em !important }}'
    root.append(style)
  }} }}"""
_UNSPACED = f"""() => {{ {_SEEN}
  for (const e of [document.head, ...seen().map(e => e.shadowRoot).filter(root => root)])
    e.querySelector('style.spaced')?.remove() }}"""
# text that its box cuts off above or below, and does not let scroll
_CUT = f"""() => {{ {_SEEN}
  const apart = '[data-testid=stIconMaterial], svg, canvas, .js-plotly-plot *'
  return seen().filter(e => !e.matches(apart)
    && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
    && ['hidden', 'clip'].includes(getComputedStyle(e).overflowY)
    && e.clientHeight > 1 && e.scrollHeight > e.clientHeight + 4).map(called) }}"""
# where the focus is: nothing, or what is wrong about it
_FOCUS = f"""() => {{ {_SEEN}
  let e = document.activeElement
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement
  if (!e || e === document.body) return null
  const box = e.getBoundingClientRect()
  // a field of a file, or the box of a switch, is drawn by what is around it
  const drawn = [e, e.parentElement, e.parentElement?.parentElement,
    ...(e.closest('label')?.querySelectorAll('*') ?? []),
    ...(e.closest('[data-testid=stSelectbox], [data-testid=stMultiSelect], ' +
      '[data-testid=stDateInput], [data-testid=stNumberInput], [data-testid=stTextInput]')
      ?.querySelectorAll('*') ?? [])].filter(x => x)
  const ringed = drawn.some(x => {{
    const style = getComputedStyle(x)
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
      || !matchMedia('(forced-colors: active)').matches
        && (style.boxShadow !== 'none' || parseFloat(style.borderWidth) > 0)
  }})
  const main = e.matches('main')
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
  const points = [.1, .5, .9].flatMap(x => [.1, .5, .9].map(y =>
    [box.left + x * box.width, box.top + y * box.height]))
  const root = e.getRootNode()
  const clear = e.matches('input') || points.some(([x, y]) => {{
    const top = root.elementFromPoint(x, y)
    return top && (e.contains(top) || top.contains(e))
  }})
  e.focusedAt = (e.focusedAt ?? 0) + 1
  return {{ what: called(e), times: e.focusedAt,
    faults: main ? [] : [...(ringed ? [] : ['no ring']), ...(inside ? [] : ['out of sight']),
      ...(inside && !clear ? ['obscured'] : [])] }} }}"""
_MOVING = """() => document.getAnimations({ subtree: true })
  .filter(a => a.playState === 'running' && a.effect.getComputedTiming().iterations === Infinity)
  .map(a => `${a.animationName} of ${a.effect.target.className}`)"""


def small(page: Any) -> list[str]:
    """2.5.8: what is pressed is 24 pixels wide and high."""
    return list(page.evaluate(_SMALL))


def sideways(page: Any) -> list[str]:
    """1.4.10: at 320 pixels nothing scrolls sideways, and what is pressed is as large as ever."""
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    settle(page)
    page.wait_for_function(  # charts become narrow after the page
        "document.querySelector('[data-testid=stMain]').scrollWidth <= 320"
        " && document.documentElement.scrollWidth <= 320"
    )
    found = small(page)
    page.set_viewport_size(size)
    settle(page)
    return found


def cut(page: Any) -> list[str]:
    """1.4.12: with more space between lines, words and letters no text is cut off."""
    page.evaluate(_SPACED)
    found = page.evaluate(_CUT)
    page.evaluate(_UNSPACED)
    return list(found)


def unlike(page: Any) -> list[str]:
    """3.1.1: the page says its language."""
    said = page.evaluate("document.documentElement.lang")
    return [] if said == page.evaluate("navigator.language") else [said]


def moving(page: Any) -> list[str]:
    """2.3.3: who wants less motion sees nothing move without an end."""
    page.emulate_media(reduced_motion="reduce")
    found = page.evaluate(_MOVING)
    page.emulate_media(reduced_motion="no-preference")
    return list(found)


def lost(page: Any) -> list[str]:
    """2.1.1, 2.1.2, 2.4.7, 2.4.11: Tab goes through all, is seen, not hidden, and goes on."""
    page.evaluate("document.activeElement?.blur()")
    found, stops = [], 0
    while stops < 200:
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUS)
        if at is None or at["times"] > 1:
            break
        stops += 1
        found += [f"{at['what']}: {fault}" for fault in at["faults"]]
    return found if at is None or stops > 8 else [*found, f"Tab stays at {at['what']}"]


def lost_in_forced_colours(page: Any) -> list[str]:
    """1.4.11: where the system's colours are forced, the focus has a ring still."""
    page.emulate_media(forced_colors="active")
    page.evaluate("for (const e of document.querySelectorAll('*')) delete e.focusedAt")
    found = lost(page)
    page.emulate_media(forced_colors="none")
    return found


EVERYWHERE: dict[str, Callable[[Any], list[str]]] = {
    "1.4.10 reflow": sideways,
    "1.4.12 text spacing": cut,
    "2.3.3 motion": moving,
    "2.5.8 target size": small,
    "3.1.1 language of the page": unlike,
}
BY_KEYS: dict[str, Callable[[Any], list[str]]] = {
    "2.4.7 and 2.4.11 focus": lost,
    "2.4.7 focus in forced colours": lost_in_forced_colours,
}
