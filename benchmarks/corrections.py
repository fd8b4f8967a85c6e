"""A stopwatch for corrections: run with `python -m benchmarks.corrections`.

Plants 50 errors into a transcript (wrong words, half of which the model was unsure of, words given
to the wrong speaker, stretches that nobody can understand), and puts all of them right in the
browser twice: with what the reader had at first (a double click to edit, and keys where nobody
writes), and with its keys alone, which serve while one writes too. Either way goes through the
words in doubt, hearing each, and then through the rest as one who listens; who listens comes to an
error by itself. Both end with the same text in the library. An action is a click or a press of a
key or combination; what is written is counted beside it, letter by letter. Needs Chromium.
"""

import random
import tempfile
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tools.serving import browsing, serving
from transcrevai_core.library.store import Store
from transcrevai_core.transcript import marks
from transcrevai_core.types import Chunk, Segment, Turn, Word

SEGMENTS, WORDS, SECONDS = 120, 8, 4.0
EACH = SECONDS / WORDS
SPOKEN = (
    "meeting", "budget", "school", "council", "vote", "water", "street", "report", "office",
    "member", "letter",
)  # fmt: skip
Kind = Literal["doubt", "word", "speaker", "inaudible"]
PLANTED: dict[Kind, int] = {"doubt": 15, "word": 15, "speaker": 10, "inaudible": 10}
AUDIO = "window.sound"
FIND = """() => { window.reader = [...document.querySelectorAll('*')]
.find(e => e.shadowRoot?.querySelector('.box')).shadowRoot
window.sound = window.reader.querySelector('audio') }"""
FIELDS = "window.reader.querySelectorAll('.box textarea').length"


@dataclass(frozen=True)
class Planted:
    """An error: in which segment, at which of its words, and what would be right there."""

    kind: Kind
    segment: int
    word: int
    right: str

    @property
    def place(self) -> float:
        """When its word is in the middle, in seconds."""
        return self.segment * SECONDS + (self.word + 0.4) * EACH

    @property
    def person(self) -> int:
        """Who really speaks there, from 1."""
        return self.segment // 6 % 2 + 1


class Hands:
    """What is done to the page, counted."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.actions = self.letters = 0

    def press(self, *keys: str) -> None:
        """Press keys or combinations one after another."""
        for key in keys:
            self.page.keyboard.press(key)
        self.actions += len(keys)

    def write(self, text: str) -> None:
        """Write letters."""
        self.page.keyboard.type(text)
        self.letters += len(text)

    def edit_by_mouse(self, error: Planted) -> None:
        """Click a word twice: its segment is edited, the caret behind the text."""
        row = self.page.locator(".row").nth(error.segment)
        row.locator(".words > span").nth(error.word).dblclick()
        self.actions += 2
        self.fields(1)
        self.page.evaluate(
            f"() => {{ const f = {FIELDS.replace('.length', '[0]')}; "
            "f.setSelectionRange(f.value.length, f.value.length) }"
        )

    def point(self, error: Planted, clicks: int) -> None:
        """Click into the field: once behind a word, or twice to select it."""
        self.page.evaluate(
            f"""([word, twice]) => {{ const f = {FIELDS.replace(".length", "[0]")}
            const ends = [...f.value.matchAll(/\\S+/g)].map(m => [m.index, m.index + m[0].length])
            f.setSelectionRange(ends[word][twice ? 0 : 1], ends[word][1]) }}""",
            [error.word, clicks == 2],
        )
        self.actions += clicks

    def fields(self, count: int) -> None:
        """Wait until so many fields are open."""
        self.page.wait_for_function(f"count => {FIELDS} === count", arg=count)

    def listen(self, error: Planted) -> None:
        """Let the sound, which must be playing, come to an error."""
        self.page.wait_for_function(f"!{AUDIO}.paused")
        self.page.evaluate(f"place => {{ {AUDIO}.currentTime = place }}", error.place)
        self.page.wait_for_function(
            "([row, word]) => window.reader.querySelectorAll('.row')[row]"
            ".querySelectorAll('.words > span')[word].matches('.now')",
            arg=[error.segment, error.word],
        )

    def rest(self) -> None:
        """Let the sound pause, as it has at the segment's end when a person has written."""
        self.page.evaluate(f"() => {AUDIO}.pause()")

    def hear(self) -> None:
        """Wait until something can be heard."""
        self.page.wait_for_function(f"!{AUDIO}.paused")


def at_first(hands: Hands, doubts: list[Planted], others: list[Planted]) -> None:
    """Put errors right as the reader first let one do."""
    for error in doubts:
        hands.press("n", " ")
        hands.hear()
        hands.edit_by_mouse(error)
        hands.point(error, 2)
        hands.write(error.right)
        hands.press("Enter")
        hands.fields(0)
        hands.rest()
    hands.press(" ")
    for error in others:
        hands.listen(error)
        if error.kind == "speaker":
            hands.press(str(error.person))
            continue
        hands.edit_by_mouse(error)
        hands.point(error, 2 if error.kind == "word" else 1)
        hands.write(error.right if error.kind == "word" else f" {marks.of('en')[0]}")
        hands.press("Enter")
        hands.fields(0)
        hands.rest()
        hands.press(" ")


def by_keys(hands: Hands, doubts: list[Planted], others: list[Planted]) -> None:
    """Put errors right by keys alone."""
    hands.press("n", "e")
    for error in doubts:
        hands.fields(1)
        selected = f"() => {{ const f = {FIELDS.replace('.length', '[0]')}; return f && f.value.slice(f.selectionStart, f.selectionEnd) === 'wrong' }}"  # noqa: E501
        hands.page.wait_for_function(selected)
        hands.press("Control+Space")
        hands.hear()
        hands.write(error.right)
        hands.rest()
        hands.press("Alt+n" if error != doubts[-1] else "Enter")
    hands.fields(0)
    hands.press("k")
    for error in others:
        hands.listen(error)
        if error.kind == "speaker":
            hands.press(str(error.person))
            continue
        if error.kind == "inaudible":
            hands.press("i")
            continue
        hands.press("k", "e")
        hands.fields(1)
        hands.write(error.right)
        hands.press("Enter")
        hands.fields(0)
        hands.press("k")


def plant(seed: int = 0) -> tuple[list[Segment], list[Turn], list[Planted]]:
    """Make a text with errors; returns its segments, who speaks, and the errors in order."""
    rng = random.Random(seed)
    places = sorted(rng.sample(range(SEGMENTS), sum(PLANTED.values())))
    kinds = [kind for kind, number in PLANTED.items() for _ in range(number)]
    rng.shuffle(kinds)
    errors = [
        Planted(kind, place, rng.randrange(1, WORDS - 1), rng.choice(SPOKEN))
        for kind, place in zip(kinds, places, strict=True)
    ]
    at = {error.segment: error for error in errors}
    segments, turns = [], []
    for n in range(SEGMENTS):
        said, error = [rng.choice(SPOKEN) for _ in range(WORDS)], at.get(n)
        if error and error.kind in ("doubt", "word"):
            said[error.word] = "wrong"
        words = tuple(
            Word(
                n * SECONDS + k * EACH,
                n * SECONDS + (k + 1) * EACH,
                f" {word}",
                0.2 if error and error.kind == "doubt" and k == error.word else 0.95,
            )
            for k, word in enumerate(said)
        )
        segments.append(Segment(words[0].start, words[-1].end, f" {' '.join(said)}", words))
        astray = error is not None and error.kind == "speaker"
        turns.append(Turn(words[0].start, words[-1].end, f"SPEAKER_0{(n // 6 + astray) % 2}"))
    return segments, turns, errors


def add(library: Store, segments: list[Segment], turns: list[Turn]) -> str:
    """Put the text and as much silence into the library; return the job's id."""
    job = library.add_job(Path("errors.wav"), {}, title="Errors", claim=True)
    long = SEGMENTS * SECONDS
    with wave.open(str(library.wav(job.id)), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(2 * round(16_000 * long)))
    library.save_plan(job.id, [Chunk(0, 0, long)])
    library.save_chunk(job.id, 0, segments, dropped=0, seconds=1)
    library.save_diarization(job.id, turns, {"speakers": 2, "by": "given"})
    library.update_job(job.id, state="done", duration=long, owner=None, model="demo", language="en")
    return job.id


def left(library: Store, job_id: str, errors: list[Planted]) -> int:
    """Count the errors that are not put right."""
    segments, wrong = library.segments(job_id), 0
    for error in errors:
        segment = segments[error.segment]
        words = segment.final_text.split()
        if error.kind == "speaker":
            wrong += segment.speaker != f"SPEAKER_0{error.person - 1}"
        elif error.kind == "inaudible":
            wrong += words[error.word + 1 : error.word + 2] != [marks.of("en")[0]]
        else:
            wrong += words[error.word] != error.right or len(words) != WORDS
    return wrong


def main() -> None:
    """Measure and print."""
    segments, turns, errors = plant()
    doubts = [error for error in errors if error.kind == "doubt"]
    others = [error for error in errors if error.kind != "doubt"]
    ways: dict[str, Callable[..., None]] = {"at first": at_first, "by keys": by_keys}
    counted = {}
    with tempfile.TemporaryDirectory() as folder:
        library = Store(Path(folder) / "home")
        with serving(library.home) as server, browsing() as browser:
            for name, way in ways.items():
                job_id = add(library, segments, turns)
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.set_default_timeout(60_000)
                page.goto(f"{server.url}/transcript?job={job_id}")
                page.locator(".row").nth(SEGMENTS - 1).wait_for()
                page.evaluate(FIND)
                page.wait_for_function(f"{AUDIO}.readyState > 0")
                hands = Hands(page)
                way(hands, doubts, others)
                page.wait_for_timeout(1_000)  # the last change is kept by now
                wrong = left(library, job_id, errors)
                print(
                    f"{name:<10}{hands.actions:5} actions and {hands.letters:4} letters, "
                    f"{hands.actions + hands.letters:5} keystrokes and clicks in all; "
                    f"{wrong} of {len(errors)} errors left",
                    flush=True,
                )
                counted[name] = hands
                page.close()
    old, new = counted["at first"], counted["by keys"]
    every = (new.actions + new.letters) / (old.actions + old.letters)
    print(f"by keys: {new.actions / old.actions:.0%} of the actions, {every:.0%} of all")


if __name__ == "__main__":
    main()
