"""The library as a list: narrowed, sorted, and worked on many at once."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from paging import checked, fill, open_page, press, texts
from streamlit.testing.v1 import AppTest

from transcrevai_core.components.library import listing
from transcrevai_core.library import shelf
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message


class Drawn:
    """Stands for the list in the browser: keeps what it was told, and asks for what is wanted."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.asked: dict[str, Any] | None = None

    def __call__(self, *, data: dict[str, Any], **_more: Any) -> Any:
        import json
        from types import SimpleNamespace

        self.rows = json.loads(data["told"])["rows"]
        asked, self.asked = self.asked, None
        return SimpleNamespace(asked=asked)

    @property
    def titles(self) -> list[str]:
        return [row["title"] for row in self.rows]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    drawn = Drawn()
    monkeypatch.setattr(listing, "_renderer", lambda: drawn)
    return drawn


def ask(app: AppTest, drawn: Drawn, name: str, ids: list[str]) -> None:
    drawn.asked = {"do": name, "ids": ids}
    checked(app.run())


def test_what_was_said_is_found_with_its_place(app: AppTest, store: Store, drawn: Drawn) -> None:
    fill(store, "Reunião")
    fill(store, "Other", segments=1)
    open_page(app, "library.py")
    app.text_input(key="q").set_value("NUMERO 2")
    checked(app.run())
    assert "Said in recordings (1)" in texts(app)
    assert ":primary-background[número] :primary-background[2]" in texts(app)
    assert app.page_link[0].label == "0:04"
    app.text_input(key="q").set_value("reuniao")
    checked(app.run())
    assert "Titles (1)" in texts(app) and "Said in recordings (0)" in texts(app)
    assert drawn.titles == ["Reunião"]


def test_the_list_is_narrowed_and_sorted_by_the_address(
    app: AppTest, store: Store, drawn: Drawn
) -> None:
    good, other = fill(store, "good"), fill(store, "also good")
    bad = fill(store, "bad", state="failed", error=Message("It holds no sound."))
    shelf.tag(store, [good.id, bad.id], "urgent")
    shelf.move(store, [other.id], "Council")
    open_page(app, "library.py")
    assert drawn.titles == ["bad", "also good", "good"]
    assert [row["error"] for row in drawn.rows] == ["It holds no sound.", "", ""]
    assert [row["tags"] for row in drawn.rows] == [["urgent"], [], ["urgent"]]
    for params, titles in (
        ({"state": "failed"}, ["bad"]),
        ({"tag": "urgent"}, ["bad", "good"]),
        ({"project": "Council"}, ["also good"]),
        ({"tag": "urgent", "state": "done"}, ["good"]),
        ({"sort": "title"}, ["also good", "bad", "good"]),
        ({"sort": "-title"}, ["good", "bad", "also good"]),
        ({"sort": "nonsense"}, ["bad", "also good", "good"]),
    ):
        for name in ("state", "tag", "project", "sort"):
            app.query_params.pop(name, None)
            app.session_state[name] = None
        for name, value in params.items():
            app.query_params[name] = value
            if name != "sort":
                app.session_state[name] = value
        checked(app.run())
        assert drawn.titles == titles, params


def test_a_click_on_a_column_changes_the_address(app: AppTest, store: Store, drawn: Drawn) -> None:
    fill(store, "b")
    fill(store, "a")
    open_page(app, "library.py")
    drawn.asked = {"do": "sort", "name": "title", "down": True}
    checked(app.run())
    assert app.query_params["sort"] in ("-title", ["-title"]) and drawn.titles == ["b", "a"]


def test_what_matches_nothing_can_be_taken_back(app: AppTest, store: Store, drawn: Drawn) -> None:
    fill(store, "only one")
    open_page(app, "library.py")
    app.text_input(key="q").set_value("nothing like it")
    checked(app.run())
    press(app, "Show all recordings")
    assert drawn.titles == ["only one"] and not app.text_input(key="q").value


def test_many_are_cancelled_and_resumed_and_it_is_told_what_could_not_be(
    app: AppTest, store: Store, drawn: Drawn
) -> None:
    waiting, done = fill(store, "waiting", state="queued"), fill(store, "done")
    open_page(app, "library.py")
    ask(app, drawn, "cancel", [waiting.id, done.id])
    assert store.job(waiting.id).state == "cancelled" and store.job(done.id).state == "done"
    assert app.success[0].value == "Cancelled: 1."
    assert "does not apply to 1 of the selected" in app.warning[0].value
    ask(app, drawn, "resume", [waiting.id])
    assert store.job(waiting.id).state == "queued" and app.success[0].value == "Queued: 1."


def test_deleting_many_asks_first_and_names_what_stays(
    app: AppTest, store: Store, drawn: Drawn
) -> None:
    jobs = [fill(store, "a"), fill(store, "b")]
    open_page(app, "library.py")
    ask(app, drawn, "delete", [job.id for job in jobs])
    assert len(store.jobs()) == 2 and "cannot be undone" in texts(app)
    assert "- a\n- b" in texts(app) and "Originals that lie elsewhere" in texts(app)
    assert any(button.label == "Delete for good" for button in app.button)


def test_many_are_exported_as_one_file(store: Store) -> None:
    from transcrevai_core import export

    jobs = [fill(store, "Same"), fill(store, "same"), fill(store, "Other")]
    content = export.archive((store.transcript(job.id) for job in jobs), "txt")
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert names == ["Same.txt", "same (2).txt", "Other.txt"]


def test_who_asks_to_run_many_again_is_told_which(
    app: AppTest, store: Store, drawn: Drawn, tmp_path: Path
) -> None:
    done, running = fill(store, "done"), fill(store, "running", state="queued")
    open_page(app, "library.py")
    ask(app, drawn, "again", [done.id, running.id])
    assert "These are transcribed anew" in texts(app) and "- done" in texts(app)
    assert "- running" not in texts(app)
