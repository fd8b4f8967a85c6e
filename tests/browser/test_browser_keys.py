"""A transcript heard and put right by keys alone, while one writes and while one does not."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import PLAYS, SOUND, expect, opened
from conftest import wait_until

from tools.serving import Server
from transcrevai_core import demo
from transcrevai_core.audio import decode
from transcrevai_core.library import preferences
from transcrevai_core.library.store import Store
from transcrevai_core.types import Chunk, Job, Segment, Turn, Word

pytestmark = pytest.mark.slow

TEXTS = [
    "the first thing we hear",
    "a second one with dowt in it",
    "and a third that is plain",
    "then a fourth, hardly herd at all",
    "so the fifth ends it",
]
DOUBTED = {"dowt", "herd"}
STEP = 4.0  # seconds of each segment
NOW = f"() => {SOUND}.currentTime"
PAUSED = f"() => {SOUND}.paused"


def add_text(library: Store) -> Job:
    """Put five segments of two speakers into the library, a word every half second or so."""
    job = library.add_job(demo.sample_path("pt"), {}, title="Keys", claim=True)
    decode.decode(demo.sample_path("pt"), library.wav(job.id))
    library.save_plan(job.id, [Chunk(0, 0, 20)])
    made = []
    for number, text in enumerate(TEXTS):
        said = text.split()
        each = STEP / len(said)
        words = tuple(
            Word(number * STEP + n * each, number * STEP + (n + 1) * each, f" {word}",
                 0.2 if word in DOUBTED else 0.95)
            for n, word in enumerate(said)
        )  # fmt: skip
        made.append(Segment(words[0].start, words[-1].end, f" {text}", words))
    library.save_chunk(job.id, 0, made, dropped=0, seconds=1)
    turns = [Turn(n * STEP, (n + 1) * STEP, f"SPEAKER_0{n % 2}") for n in range(len(TEXTS))]
    library.save_diarization(job.id, turns, {"speakers": 2, "by": "given"})
    library.update_job(job.id, state="done", duration=20.0, owner=None, model="demo", language="en")
    return library.job(job.id)


@pytest.fixture(scope="module")
def tab(browser: Any, server: Server) -> Iterator[Any]:
    with opened(browser, server.url) as page:
        yield page


@pytest.fixture
def job(tab: Any, library: Store, server: Server) -> Job:
    """Open a new transcript; keys are pressed on the page from then on."""
    job = add_text(library)
    tab.goto(f"{server.url}/transcript?job={job.id}")
    expect(tab.locator(".row")).to_have_count(len(TEXTS))
    tab.wait_for_function(f"{SOUND}.readyState > 0")
    return job


def texts(library: Store, job: Job) -> list[str]:
    return [segment.final_text.strip() for segment in library.segments(job.id)]


def field(page: Any) -> Any:
    return page.get_by_label("Your text")


def selected(page: Any) -> str:
    said: str = field(page).evaluate("f => f.value.slice(f.selectionStart, f.selectionEnd)")
    return said


def test_a_page_is_put_right_without_a_mouse(tab: Any, library: Store, job: Job) -> None:
    press = tab.keyboard.press
    press("n")  # to the first word in doubt
    expect(tab.locator(".now")).to_have_text("dowt")
    press("e")
    expect(field(tab)).to_be_focused()
    assert selected(tab) == "dowt"
    tab.keyboard.type("doubt")
    press("Alt+n")  # kept, and on to the next one, which is selected again
    wait_until(lambda: field(tab).count() == 1 and selected(tab) == "herd")
    tab.keyboard.type("heard")
    press("Alt+1")
    expect(tab.locator("[data-do=undo]")).to_have_attribute("title", "Undo: who speaks")
    expect(field(tab)).to_have_value("then a fourth, hardly heard at all")
    press("Alt+ArrowUp")
    expect(field(tab)).to_have_value(TEXTS[2])
    press("Alt+i")
    expect(field(tab)).to_have_value(f"{TEXTS[2]} [inaudible]")
    press("Control+Enter")
    expect(field(tab)).to_have_value("then a fourth, hardly heard at all")
    press("Control+Enter")
    expect(field(tab)).to_have_value(TEXTS[4])
    press("Home")
    tab.keyboard.type("And ")
    press("Enter")
    expect(field(tab)).to_have_count(0)
    right = [
        TEXTS[0],
        "a second one with doubt in it",
        f"{TEXTS[2]} [inaudible]",
        "then a fourth, hardly heard at all",
        f"And {TEXTS[4]}",
    ]
    wait_until(lambda: texts(library, job) == right)
    speakers = [segment.speaker for segment in library.segments(job.id)]
    assert speakers[3] == "SPEAKER_00"


def test_sound_is_played_and_wound_while_one_writes(tab: Any, job: Job) -> None:
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("e")
    expect(field(tab)).to_be_focused()
    tab.keyboard.press("Control+Space")
    tab.wait_for_function(PLAYS, arg=STEP + 0.5)
    tab.keyboard.press("Alt+k")
    tab.wait_for_function(PAUSED)
    at = tab.evaluate(NOW)
    tab.keyboard.press("Alt+j")
    assert tab.evaluate(NOW) == pytest.approx(max(0, at - 3), abs=0.05)
    tab.keyboard.press("F9")
    assert tab.evaluate(NOW) == pytest.approx(max(0, at - 3) + 3, abs=0.05)
    tab.keyboard.press("F8")
    tab.wait_for_function(f"!{SOUND}.paused")
    tab.keyboard.press("Alt+.")
    assert tab.evaluate(f"{SOUND}.playbackRate") == 1.25
    tab.keyboard.press("Alt+,")
    assert tab.evaluate(f"{SOUND}.playbackRate") == 1.0
    # it is heard to its end, and from its beginning again
    tab.wait_for_function(f"{SOUND}.paused && {SOUND}.currentTime >= {2 * STEP}")
    tab.keyboard.press("Control+Space")
    tab.wait_for_function(f"!{SOUND}.paused && {SOUND}.currentTime < {STEP + 2}")
    expect(field(tab)).to_have_value(TEXTS[1])
    tab.keyboard.press("Escape")
    tab.keyboard.press("k")


def test_after_a_pause_it_goes_on_a_little_earlier(
    tab: Any, library: Store, server: Server, job: Job
) -> None:
    play = f"() => {{ window.from = undefined; {SOUND}.addEventListener('play', event => {{ window.from = event.target.currentTime }}, {{once: true}}) }}"  # noqa: E501

    def resumed() -> tuple[float, float]:
        tab.keyboard.press("k")
        tab.wait_for_function(f"!{SOUND}.paused && {SOUND}.currentTime > 3")
        tab.keyboard.press("k")
        tab.wait_for_function(PAUSED)
        left = tab.evaluate(NOW)
        tab.evaluate(play)
        tab.keyboard.press("k")
        tab.wait_for_function("window.from !== undefined")
        tab.keyboard.press("k")
        return left, tab.evaluate("window.from")

    left, went_on = resumed()
    assert left - went_on == pytest.approx(1.5, abs=0.2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSCREVAI_HOME", str(library.home))
        preferences.save({"resume_seconds": 0.0})
        tab.goto(f"{server.url}/transcript?job={job.id}&t=0.5")
        expect(tab.locator(".row")).to_have_count(len(TEXTS))
        left, went_on = resumed()
        preferences.save({"resume_seconds": None})
    assert left - went_on == pytest.approx(0, abs=0.2)


def test_a_segment_is_repeated_until_another_is_wanted(tab: Any, job: Job) -> None:
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("r")
    loop = tab.get_by_role("button", name="Repeat this segment")
    expect(loop).to_have_attribute("aria-pressed", "true")
    for _ in range(2):
        tab.evaluate(f"() => {{ {SOUND}.currentTime = {2 * STEP - 0.3} }}")
        tab.wait_for_function(f"{SOUND}.currentTime < {2 * STEP - 1} && !{SOUND}.paused")
    tab.keyboard.press("ArrowDown")
    expect(loop).to_have_attribute("aria-pressed", "false")
    tab.keyboard.press("k")


def test_marks_stand_where_one_hears_and_are_in_the_language_of_the_speech(
    tab: Any, library: Store, server: Server, job: Job
) -> None:
    tab.locator(".row").nth(2).locator(".words > span").nth(2).click()
    tab.keyboard.press("k")
    tab.keyboard.press("i")
    right = "and a third [inaudible] that is plain"
    expect(tab.locator(".row").nth(2).locator(".words")).to_have_text(right)
    library.update_job(job.id, language="pt")
    tab.reload()
    expect(tab.locator(".row")).to_have_count(len(TEXTS))
    tab.locator(".row").nth(4).locator(".words > span").nth(0).click()
    tab.keyboard.press("k")
    tab.keyboard.press("v")
    right = "so [vozes sobrepostas] the fifth ends it"
    expect(tab.locator(".row").nth(4).locator(".words")).to_have_text(right)


def test_only_what_is_in_doubt_is_shown_and_left_again(tab: Any, job: Job) -> None:
    tab.keyboard.press("q")
    expect(tab.locator(".row:visible")).to_have_count(2)
    expect(tab.get_by_text("Doubtful words: 2")).to_be_visible()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(".row.here .words")).to_have_text(TEXTS[3])
    tab.keyboard.press("n")
    expect(tab.locator(".now")).to_have_text("herd")
    tab.keyboard.press("Shift+N")
    expect(tab.locator(".now")).to_have_text("dowt")
    tab.keyboard.press("q")
    expect(tab.locator(".row:visible")).to_have_count(len(TEXTS))


def test_speed_and_place_are_remembered(tab: Any, server: Server, job: Job) -> None:
    tab.get_by_label("Speed").select_option("1.5")
    tab.locator(".row").nth(3).locator(".time").click()
    tab.wait_for_function(PLAYS, arg=3 * STEP)
    tab.keyboard.press("k")
    tab.wait_for_function(PAUSED)
    tab.reload()
    expect(tab.locator(".row.here .words")).to_have_text(TEXTS[3])
    assert tab.evaluate(f"{SOUND}.playbackRate") == 1.5
    tab.goto(f"{server.url}/transcript?job={job.id}&t=1")  # an address goes before
    expect(tab.locator(".row.here .words")).to_have_text(TEXTS[0])
    tab.get_by_label("Speed").select_option("1")


def test_what_arrows_lead_to_is_told_to_who_cannot_see_it(tab: Any, job: Job) -> None:
    grid = tab.get_by_role("grid", name="Text")
    grid.focus()
    names = []
    for _ in range(2):
        tab.keyboard.press("ArrowDown")
        active = grid.get_attribute("aria-activedescendant")
        names.append(tab.locator(f"#{active}").get_attribute("aria-label"))
    assert names == [f"0:04, Speaker 2, {TEXTS[1]}", f"0:08, Speaker 1, {TEXTS[2]}"]
    expect(tab.locator(".speaking")).to_have_text("Speaker 1")


def test_every_key_is_listed(tab: Any, job: Job) -> None:
    tab.locator(".box").focus()
    tab.keyboard.press("?")
    listed = tab.locator("dialog kbd").all_inner_texts()
    source = tab.locator("dialog h3").all_inner_texts()
    assert source == ["Listening", "Moving", "Correcting", "Marking"]
    keys = {"Space", "K", "J", "L", ",", ".", "R", "N", "Q", "F", "E", "S", "M", "I", "V", "O", "H"}
    keys |= {"D", "X", "U", "1…9", "Ctrl+Enter", "F7", "F8", "F9", "?"}
    assert keys <= set(listed), keys - set(listed)
    assert not [key for key, more in itertools.groupby(sorted(listed)) if len(list(more)) > 1]
    tab.keyboard.press("Escape")
