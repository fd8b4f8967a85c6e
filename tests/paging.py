"""What tests of pages share: libraries filled by hand, and how pages are opened and read."""

import json
from pathlib import Path
from typing import Any

from conftest import wait_until
from streamlit.testing.v1 import AppTest

from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.types import Chunk, Job, Segment, Turn, Word
from transcrevai_core.web import arrivals

FACTS = {"speakers": 3, "margin": 0.7, "runner_up": 2, "by": "likeness", "why": "three differ"}


def open_page(app: AppTest, name: str, **query: str) -> AppTest:
    app.run()
    app.switch_page(name)
    for key, value in query.items():
        app.query_params[key] = value
    return checked(app.run())


def checked(app: AppTest) -> AppTest:
    assert not app.exception, app.exception[0].message
    return app


def press(app: AppTest, label: str) -> AppTest:
    return checked(next(b for b in app.button if b.label == label).click().run())


def take_in(app: AppTest, path: Path | str) -> AppTest:
    """Give the page a path, and wait until the file has been looked into."""
    next(t for t in app.text_input if "path" in t.label).set_value(f' "{path}" ')
    press(app, "Take it in")
    wait_until(lambda: not arrivals.is_looked_into(Path(path)))
    return checked(app.run())


def begin(app: AppTest) -> AppTest:
    """Begin with what waits."""
    return checked(app.button(key="begin").click().run())


def texts(app: AppTest) -> str:
    kinds = ("title", "subheader", "markdown", "caption", "info", "warning", "error")
    elements: list[Any] = [element for kind in kinds for element in app.get(kind)]
    return "\n".join(element.value for element in elements)


def bars(app: AppTest) -> list[str]:
    """What stands above the bars of jobs."""
    found = (dict(json.loads(part.proto.json)) for part in app.get("bidi_component"))
    return [data["text"] for data in found if "share" in data]


def read(app: AppTest) -> dict[str, Any]:
    """What the page gives to the reader of its transcript."""
    found = (dict(json.loads(part.proto.json)) for part in app.get("bidi_component"))
    return next(data for data in found if "labels" in data)


def fill(store: Store, title: str = "Reunião", segments: int = 3, **changes: Any) -> Job:
    """Put a job into the library; the words of its segment 1 are marked as unsure."""
    job = store.add_job(Path("/recordings/a.mp3"), JobOptions().model_dump(), title=title)
    store.save_plan(job.id, [Chunk(0, 0, 2 * segments)])
    made = []
    for n in range(segments):
        words = (Word(2 * n, 2 * n + 1, f" número {n}", 0.9), Word(2 * n + 1, 2 * n + 2, " certo?",
                 0.2 if n == 1 else 0.8))  # fmt: skip
        made.append(Segment(2 * n, 2 * n + 2, f" número {n} certo?", words, looping=n == 2))
    store.save_chunk(job.id, 0, made, dropped=1, seconds=1.0)
    changes = {
        "state": "done", "duration": 2.0 * segments, "language": "pt", "model": "small",
        "language_probability": 0.98, "compute_type": "int8_float32", "device": "cpu",
    } | changes  # fmt: skip
    store.update_job(job.id, **changes)
    return store.job(job.id)


def fill_speakers(
    store: Store, speakers: str = "ABBC", *, text: bool = True, facts: Any = FACTS, **changes: Any
) -> Job:
    """Put a job into the library; its segments are of 10 s, one a letter of `speakers`."""
    options = JobOptions(model="small" if text else "none").model_dump()
    job = store.add_job(Path(__file__), options, title="Reunião")
    store.save_plan(job.id, [Chunk(0, 0, 10 * len(speakers))])
    segments = [Segment(10 * n, 10 * n + 10, f" frase {n}") for n in range(len(speakers))]
    if text:
        store.save_chunk(job.id, 0, segments, dropped=0, seconds=1.0)
    turns = [
        Turn(10 * n, 10 * n + 10, f"SPEAKER_{ord(letter) - ord('A'):02}")
        for n, letter in enumerate(speakers)
        if letter != "-"
    ]
    if turns:
        store.save_diarization(job.id, turns, facts)
    changes = {
        "state": "done", "duration": 10.0 * len(speakers), "language": "pt", "model": "small",
        "compute_type": "int8", "device": "cpu",
    } | changes  # fmt: skip
    store.update_job(job.id, **changes)
    return store.job(job.id)


def put_model(hub: Path, repo: str, whole: bool = True) -> Path:
    folder = hub / f"models--{repo.replace('/', '--')}"
    snapshot = folder / "snapshots" / "1"
    snapshot.mkdir(parents=True)
    (snapshot / ("model.bin" if whole else "part")).write_bytes(b"0" * 2_000_000)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("1")
    return folder
