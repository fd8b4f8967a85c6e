"""A transcript as a newcomer works on it: from the sample to the corrected export, step by step."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docx
import pytest
from browsing import NOTE, PLAYS, SOUND, choose_name, download, expect, opened
from conftest import known, wait_until

from tools.serving import Server
from transcrevai_core import demo
from transcrevai_core.library import cuts, edits, history, preferences
from transcrevai_core.library.store import Store
from transcrevai_core.types import Chunk, Job, Segment, Turn, Word
from transcrevai_core.web import transcript_routes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tab(browser: Any, server: Server) -> Iterator[Any]:
    """Keep one tab open for the whole way."""
    with opened(browser, server.url) as page:
        yield page


@pytest.fixture(scope="module")
def job(tab: Any, library: Store) -> Job:
    """Transcribe the English sample, as anyone does first; the transcript opens by itself."""
    tab.get_by_role("button", name=demo.SAMPLES["en"]).click()
    expect(tab.locator(".row").first).to_be_visible()
    return library.jobs(["done"])[0]


@pytest.fixture
def page(tab: Any, job: Job) -> Any:
    """Begin each step without sound and without a menu."""
    tab.keyboard.press("Escape")
    tab.locator("audio").evaluate("a => a.pause()")
    return tab


def row(page: Any, segment: Segment) -> Any:
    return page.locator(f'.row[data-id="{segment.id}"]')


def segments(library: Store, job: Job) -> list[Segment]:
    return library.segments(job.id)


def menu(page: Any, segment: Segment, item: str) -> None:
    row(page, segment).locator(".more").click()
    page.get_by_role("menuitem", name=item).click()


def _class(name: str) -> Any:
    return re.compile(rf"\b{name}\b")


def kept(page: Any, library: Store, job: Job, number: int, what: str) -> None:
    """Wait until the page tells that the last change can be undone, and so is kept."""
    expect(page.locator("[data-do=undo]")).to_have_attribute("title", f"Undo: {what}")
    assert len(segments(library, job)) == number


def middle_word(segment: Segment) -> tuple[int, Word]:
    """A word that begins in mid-second."""
    return next(
        (n, word)
        for n, word in enumerate(segment.words)
        if n and 0.2 < word.start % 1 < 0.8 and word.end - word.start > 0.15
    )


def test_a_click_on_a_word_plays_from_exactly_there(page: Any, library: Store, job: Job) -> None:
    third = segments(library, job)[2]
    number, word = middle_word(third)
    page.locator("audio").evaluate(NOTE)
    row(page, third).locator(".words > span").nth(number).click()
    page.wait_for_function(PLAYS, arg=word.start)
    assert page.evaluate("came") == [pytest.approx(word.start, abs=0.002)]
    # the word is marked while it is heard, and then the next
    page.wait_for_function(
        """from => { const [host] = [...document.querySelectorAll('*')].filter(
        e => e.shadowRoot?.querySelector('audio')); const root = host.shadowRoot
        const time = root.querySelector('audio').currentTime
        window.seen = [time, root.querySelector('.now')?.textContent.trim()]
        return time > from }""",
        arg=word.end + 0.05,
    )
    time, marked = page.evaluate("seen")
    spoken = [w for s in segments(library, job) for w in s.words if w.start <= time + 0.03]
    assert marked in [w.text.strip() for w in spoken[-2:]]
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play (space)")).to_be_visible()


def test_what_plays_is_kept_in_view(page: Any, library: Store, job: Job) -> None:
    last = segments(library, job)[-2]
    page.locator(".reader").evaluate("r => r.scrollIntoView()")
    page.locator("audio").evaluate("(a, time) => { a.currentTime = time }", last.start + 0.01)
    page.keyboard.press("k")
    expect(row(page, last)).to_be_in_viewport()
    expect(row(page, last)).to_have_class(_class("here"))


def test_a_speaker_is_named_from_the_text(page: Any, library: Store, job: Job) -> None:
    first = segments(library, job)[0]
    row(page, first).locator(".who").click()
    page.get_by_role("menuitem", name="Rename").click()
    choose_name(page, "Dana")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(row(page, first).locator(".who")).to_have_text("Dana")
    assert "Dana" in library.transcript(job.id).names.values()


def test_a_word_is_put_right_where_it_stands(page: Any, library: Store, job: Job) -> None:
    third, number = segments(library, job)[2], len(segments(library, job))
    row(page, third).locator(".words > span").first.dblclick()
    field = page.get_by_label("Your text")
    expect(field).to_have_value(third.text.strip())
    field.fill("nothing of this is kept")
    page.keyboard.press("Escape")
    expect(row(page, third).locator(".words")).to_have_text(third.text.strip())
    page.locator("audio").evaluate("a => a.pause()")
    row(page, third).locator(".words > span").first.dblclick()
    field.fill("What I *heard* <b>instead</b>, k?")  # letters that are keys elsewhere
    # the segment is heard to its end, and no further
    page.wait_for_function(
        f"end => {{ const a = {SOUND}; return a.paused && a.currentTime >= end }}", arg=third.end
    )
    assert not page.locator("audio").evaluate("a => a.ended")
    page.keyboard.press("Enter")
    expect(row(page, third).get_by_text("The model wrote:")).to_contain_text(third.text.strip())
    expect(row(page, third).locator(".words")).to_have_text("What I *heard* <b>instead</b>, k?")
    kept(page, library, job, number, "a correction")
    edited = segments(library, job)[2]
    assert (edited.edited, edited.text) == ("What I *heard* <b>instead</b>, k?", third.text)


def test_what_is_corrected_is_not_played_on_where_a_page_is_slow(
    page: Any, library: Store, job: Job
) -> None:
    first = segments(library, job)[0]
    row(page, first).locator(".words > span").first.dblclick()
    page.wait_for_function(PLAYS, arg=first.start)
    page.locator("audio").evaluate(
        """(a, end) => { a.currentTime = end - 0.5
        const free = performance.now() + 3000
        while (performance.now() < free) continue }""",
        first.end,
    )
    page.wait_for_function(
        f"end => {{ const a = {SOUND}; return a.paused && a.currentTime >= end }}", arg=first.end
    )
    assert not page.locator("audio").evaluate("a => a.ended")
    page.keyboard.press("Escape")


def test_a_segment_is_given_to_another_by_its_number(page: Any, library: Store, job: Job) -> None:
    second = segments(library, job)[1]
    speakers = library.transcript(job.id).speakers
    other = next(place for place, label in enumerate(speakers) if label != second.speaker)
    row(page, second).locator(".time").click()
    page.locator("audio").evaluate("a => a.pause()")
    page.keyboard.press(str(other + 1))
    expect(page.locator("[data-do=undo]")).to_have_attribute("title", "Undo: who speaks")
    assert segments(library, job)[1].speaker == speakers[other]


def test_a_segment_is_split_at_a_word_and_merged_again(page: Any, library: Store, job: Job) -> None:
    before = segments(library, job)
    fifth = before[4]
    number, word = middle_word(fifth)
    row(page, fifth).locator(".words > span").nth(number).click()
    page.locator("audio").evaluate("a => a.pause()")
    menu(page, fifth, f"Split before “{word.text.strip()}”")
    kept(page, library, job, len(before) + 1, "a split")
    first, second = segments(library, job)[4:6]
    assert first.words + second.words == fifth.words and second.words[0] == word
    expect(row(page, second).locator(".words")).to_have_text(second.text.strip())
    menu(page, first, "Merge with the next one")
    kept(page, library, job, len(before), "a merge")
    assert segments(library, job)[4] == fifth
    expect(row(page, second)).to_have_count(0)


def test_find_and_replace_and_undo(page: Any, library: Store, job: Job) -> None:
    before = [segment.final_text for segment in segments(library, job)]
    number = sum(text.lower().split().count("the") for text in before)
    assert number > 1
    page.locator(".box").focus()
    page.keyboard.press("f")
    form = page.locator(".search")
    form.get_by_label("Find", exact=True).fill("THE")
    form.get_by_label("Whole words").check()
    expect(form.locator(".count")).to_have_text(re.compile(rf"^\d+ of {number}$"))
    form.get_by_label("Replace with").fill("a certain")
    form.get_by_role("button", name="Replace all").click()
    expect(page.get_by_text(f"Replaced: {number}")).to_be_visible()
    expect(form.locator(".count")).to_have_text("Not found")
    page.keyboard.press("Escape")
    texts = [segment.final_text for segment in segments(library, job)]
    assert sum(text.count("a certain") for text in texts) == number
    page.locator(".box").focus()
    page.keyboard.press("Control+z")
    expect(page.get_by_text("Undone: replacements")).to_be_visible()
    assert [segment.final_text for segment in segments(library, job)] == before
    page.keyboard.press("Control+y")
    expect(page.get_by_text("Made again: replacements")).to_be_visible()
    page.reload()  # it can be undone still
    page.locator("[data-do=undo]").click()
    expect(page.get_by_text("Undone: replacements")).to_be_visible()
    assert [segment.final_text for segment in segments(library, job)] == before


def test_letters_are_found_whole_however_they_are_composed(
    page: Any, library: Store, job: Job
) -> None:
    first = known(segments(library, job)[0].id)
    edits.edit_text(library, first, "Jose\u0301 e Jose, कि का क, d’água e água")
    page.reload()
    page.locator(".box").focus()
    page.keyboard.press("f")
    form = page.locator(".search")
    form.get_by_label("Whole words").check()
    for sought, number in (("José", 1), ("Jose", 1), ("क", 1), ("água", 1), ("d'água", 1)):
        form.get_by_label("Find", exact=True).fill(sought)
        expect(form.locator(".count")).to_have_text(f"1 of {number}")
    form.get_by_label("Whole words").uncheck()
    form.get_by_label("Find", exact=True).fill("José")
    form.get_by_label("Replace with").fill("Zé")
    form.get_by_role("button", name="Replace", exact=True).click()
    expect(form.locator(".count")).to_have_text("Not found")
    page.keyboard.press("Escape")
    assert segments(library, job)[0].final_text == "Zé e Jose, कि का क, d’água e água"
    edits.edit_text(library, first, None)
    page.reload()


def test_notes_and_highlights_reach_the_export(page: Any, library: Store, job: Job) -> None:
    fourth = segments(library, job)[3]
    menu(page, fourth, "Add a note")
    page.get_by_label("Note").fill("ask *again*")
    page.keyboard.press("Enter")
    expect(row(page, fourth).get_by_text("ask *again*")).to_be_visible()
    row(page, fourth).locator(".time").click()
    page.locator("audio").evaluate("a => a.pause()")
    page.keyboard.press("h")
    expect(row(page, fourth)).to_have_class(_class("highlighted"))
    page.get_by_role("button", name="Copy or export").click()
    told = json.loads(download(page, "JSON"))["segments"]
    assert (told[3]["note"], told[3]["highlighted"]) == ("ask *again*", True)
    assert told[2]["text"].startswith("What I *heard*") and "note" not in told[2]
    page.get_by_text("With my corrections").click()
    third = download(page, "TSV").splitlines()[3]  # as the model wrote it
    assert third.endswith(f"\t{segments(library, job)[2].text.strip()}")


def test_the_text_is_copied_and_word_comes_first(page: Any, library: Store, job: Job) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.reload()
    page.get_by_role("button", name="Copy or export").click()
    expect(page.get_by_role("radio", name="Word:")).to_be_checked()
    expect(page.get_by_role("button", name="Download Word")).to_be_visible()
    page.get_by_role("button", name="Copy the text").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    said = page.evaluate("navigator.clipboard.readText()")
    assert segments(library, job)[0].final_text.strip() in said and "[0:0" not in said
    page.get_by_text("With times", exact=True).click()

    def copied() -> bool:
        page.get_by_role("button", name="Copy the text").click()
        return bool(page.evaluate("navigator.clipboard.readText()").startswith("[0:0"))

    wait_until(copied)
    with page.expect_download() as event:
        page.get_by_role("button", name="Download Word").click()
    document = docx.Document(event.value.path())
    assert segments(library, job)[0].final_text.strip() in document.element.xml


def test_keys_are_listed_and_lead_to_doubtful_words(
    page: Any, library: Store, server: Server, job: Job
) -> None:
    page.locator(".box").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("k")  # no key while something lies above the page
    assert page.locator("audio").evaluate("a => a.paused")
    page.keyboard.press("Escape")
    doubtful = add_doubts(library)
    page.goto(f"{server.url}/transcript?job={doubtful.id}&t=1.25")
    expect(page.locator(".now")).to_have_text("one")
    at = page.locator("audio")
    assert at.evaluate("a => a.currentTime") == pytest.approx(1.25, abs=0.01)
    page.keyboard.press("n")
    expect(page.locator(".now")).to_have_text("three")
    expect(page.locator(".low")).to_have_count(2)
    page.keyboard.press("n")
    expect(page.locator(".now")).to_have_text("five")
    page.keyboard.press("n")
    expect(page.get_by_text("no doubtful word after this place")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator(".now")).to_have_text("two")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".row.here .words")).to_have_text("four five")
    shaded = page.locator(".low").first
    colour = "e => getComputedStyle(e).backgroundColor"
    marked = shaded.evaluate(colour)
    page.keyboard.press("d")
    assert shaded.evaluate(colour) != marked
    page.keyboard.press("d")
    assert shaded.evaluate(colour) == marked


def add_doubts(library: Store) -> Job:
    """Put six words in two segments into the library, a second each; two are in doubt."""
    sample = library.jobs(["done"])[0]
    job = library.add_job(sample.source, {}, title="Doubts", claim=True)
    shutil.copy(library.wav(sample.id), library.wav(job.id))
    library.save_plan(job.id, [Chunk(0, 0, 6)])
    words = [
        Word(n, n + 1, f" {text}", 0.2 if text in ("three", "five") else 0.9)
        for n, text in enumerate(("zero", "one", "two", "three", "four", "five"))
    ]
    made = [
        Segment(start, end, "".join(w.text for w in words[start:end]), tuple(words[start:end]))
        for start, end in ((0, 4), (4, 6))
    ]
    library.save_chunk(job.id, 0, made, dropped=0, seconds=1)
    library.update_job(job.id, state="done", duration=6.0, owner=None, model="demo")
    return library.job(job.id)


@pytest.fixture
def doubts(page: Any, library: Store, server: Server) -> tuple[Job, Segment, Segment]:
    """Open a new recording of two segments, which others can change too."""
    job = add_doubts(library)
    page.goto(f"{server.url}/transcript?job={job.id}")
    first, second = library.segments(job.id)
    expect(row(page, second)).to_be_visible()
    return job, first, second


@contextmanager
def held(page: Any, method: str) -> Iterator[None]:
    """Keep the first request of a kind on its way until the end, and let all others pass."""
    kept: list[Any] = []

    def hold(route: Any) -> None:
        if route.request.method == method and not kept:
            kept.append(route)
        else:
            route.continue_()

    page.route("**/api/transcript/*", hold)
    with page.expect_request(
        lambda asked: asked.method == method and transcript_routes.URL in asked.url
    ):
        yield
    while not kept:
        page.wait_for_timeout(10)
    kept[0].continue_()
    page.unroute("**/api/transcript/*")


def write(page: Any, segment: Segment, text: str) -> None:
    row(page, segment).locator(".words").dblclick()
    page.get_by_label("Your text").fill(text)
    page.keyboard.press("Enter")


def settled(page: Any, segment: Segment, text: str) -> None:
    """Wait until the page shows what the server has made of a text: that it is no longer known."""
    expect(row(page, segment).locator(".words")).to_have_text(text)
    expect(row(page, segment).get_by_text("The model wrote:")).to_be_visible()


def test_what_is_written_before_an_answer_is_kept_whole(
    page: Any, library: Store, doubts: tuple[Job, Segment, Segment],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    job, first, _second = doubts
    monkeypatch.setenv("TRANSCREVAI_HOME", str(library.home))
    preferences.save({"author": "Ana Sá"})
    page.reload()
    with held(page, "POST"):
        write(page, first, "put right")
        page.keyboard.type("omy note")  # O, and on at once
    expect(page.get_by_label("Note", exact=True)).to_have_value("my note")
    page.keyboard.press("Enter")
    expect(row(page, first).get_by_text("my note")).to_be_visible()
    settled(page, first, "put right")
    with held(page, "POST"):
        write(page, first, "put right twice")
        page.keyboard.type("e indeed")
    expect(page.get_by_label("Your text")).to_have_value("put right twice indeed")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your text")).to_have_count(0)
    settled(page, first, "put right twice indeed")
    wait_until(lambda: library.segments(job.id)[0].edited == "put right twice indeed")
    kept(page, library, job, 2, "a correction")
    noted = library.segments(job.id)[0]
    assert (noted.note, noted.noted_by) == ("my note", "Ana Sá")
    expect(row(page, first).get_by_text("Ana Sá · ")).to_be_visible()
    preferences.save({"author": None})


def test_changes_of_others_are_shown_and_nothing_written_meanwhile_is_lost(
    page: Any, library: Store, doubts: tuple[Job, Segment, Segment]
) -> None:
    job, first, second = doubts
    edits.set_note(library, second.id or 0, "theirs")
    with held(page, "GET"):
        page.locator(".box").focus()
        page.keyboard.press("h")
        expect(row(page, first)).to_have_class(_class("highlighted"))
        page.keyboard.type("e, I say")
    expect(row(page, second).get_by_text("theirs")).to_be_visible()
    expect(page.get_by_label("Your text")).to_have_value("zero one two three, I say")
    # the page is drawn anew while somebody writes
    edits.set_note(library, second.id or 0, "")
    page.get_by_label("Your text").press("Enter")
    settled(page, first, "zero one two three, I say")
    expect(row(page, second).get_by_text("theirs")).to_have_count(0)
    # a state that was here before is another one in between
    history.undo(library, job.id)
    page.locator(".box").focus()
    page.keyboard.press("h")
    expect(row(page, first).locator(".words")).to_have_text("zero one two three")


def test_what_others_wrote_is_not_written_over_unseen(
    page: Any, library: Store, doubts: tuple[Job, Segment, Segment]
) -> None:
    job, first, second = doubts
    edits.edit_text(library, second.id or 0, "theirs")
    write(page, second, "mine")
    expect(page.get_by_text("it reads now: “theirs”.")).to_be_visible()
    expect(page.get_by_label("Your text")).to_have_value("mine")
    assert library.segments(job.id)[1].edited == "theirs"
    row(page, first).locator(".time").click()  # leaving it is no answer
    page.locator("audio").evaluate("a => a.pause()")
    settled(page, second, "theirs")
    lost = page.locator(".unkept")
    expect(lost).to_contain_text("mine")
    assert library.segments(job.id)[1].edited == "theirs"
    lost.get_by_role("button", name="Close").click()
    write(page, second, "mine, all the same")
    settled(page, second, "mine, all the same")


def test_what_others_wrote_is_not_split_where_it_had_other_words(
    page: Any, library: Store, doubts: tuple[Job, Segment, Segment]
) -> None:
    job, first, _second = doubts
    edits.edit_text(library, first.id or 0, "other words")
    row(page, first).locator(".words > span").nth(2).click()
    page.locator("audio").evaluate("a => a.pause()")
    page.keyboard.press("s")
    expect(page.get_by_text("it reads now: “other words”.")).to_be_visible()
    settled(page, first, "other words")
    assert len(library.segments(job.id)) == 2


def test_a_note_that_did_not_arrive_is_written_still(
    page: Any, library: Store, doubts: tuple[Job, Segment, Segment]
) -> None:
    job, first, _second = doubts
    menu(page, first, "Add a note")
    page.route("**/api/transcript/*", lambda route: route.abort(), times=1)
    page.get_by_label("Note", exact=True).fill("ask again")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The connection to TranscrevAI broke off")).to_be_visible()
    expect(page.get_by_label("Note", exact=True)).to_have_value("ask again")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Note", exact=True)).to_have_count(0)
    expect(row(page, first).get_by_text("ask again")).to_be_visible()
    kept(page, library, job, 2, "a note")


def test_what_was_written_for_a_row_that_is_gone_stays(
    page: Any, library: Store, doubts: tuple[Job, Segment, Segment]
) -> None:
    _job, first, second = doubts
    row(page, second).locator(".words").dblclick()
    cuts.merge_segments(library, first.id or 0)
    page.get_by_label("Your text").fill("my words")
    page.keyboard.press("Enter")
    expect(page.get_by_text("it was merged or made anew")).to_be_visible()
    expect(row(page, second)).to_have_count(0)
    expect(row(page, first).locator(".words")).to_have_text("zero one two three four five")
    lost = page.locator(".unkept")
    expect(lost).to_contain_text("my words")
    lost.get_by_role("button", name="Close").click()
    expect(lost).to_be_hidden()


def test_a_text_whose_sound_is_gone_can_be_put_right(
    page: Any, library: Store, server: Server, job: Job
) -> None:
    silent = add_doubts(library)
    library.wav(silent.id).unlink()
    page.goto(f"{server.url}/transcript?job={silent.id}")
    expect(page.get_by_text("The sound of this recording is not kept any more")).to_be_visible()
    expect(page.get_by_role("button", name="Play (space)")).to_be_disabled()
    first, _second = library.segments(silent.id)
    row(page, first).locator(".words > span").nth(1).click()
    page.keyboard.press(" ")
    page.keyboard.press("e")
    page.get_by_label("Your text").fill("put right")
    page.keyboard.press("Enter")
    settled(page, first, "put right")
    expect(page.get_by_text("is TranscrevAI still running?")).to_have_count(0)


def test_nothing_left_to_undo_shows_turns_as_they_are(
    page: Any, library: Store, server: Server, job: Job
) -> None:
    bare = library.add_job(job.source, {}, title="Turns", claim=True)
    library.save_diarization(bare.id, [Turn(0, 2, "A"), Turn(2, 4, "B")], {"speakers": 2})
    library.update_job(bare.id, state="done", duration=4.0, owner=None)
    edits.assign_turn(library, bare.id, Turn(2, 4, "B"), "A")
    page.goto(f"{server.url}/transcript?job={bare.id}")
    expect(page.locator(".row")).to_have_count(1)
    history.undo(library, bare.id)
    page.locator("[data-do=undo]").click()
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator("[data-do=redo]")).to_be_enabled()
