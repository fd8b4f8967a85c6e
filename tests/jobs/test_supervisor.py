"""A server whose runner cannot begin, or dies: pages say so, and work goes on once it can."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until
from streamlit.testing.v1 import AppTest

from transcrevai_core import i18n, ui
from transcrevai_core.errors import SettingError, StorageError
from transcrevai_core.jobs import runner, supervisor
from transcrevai_core.jobs.runner import Runner
from transcrevai_core.jobs.supervisor import Supervisor, resting
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message, dump

pytestmark = pytest.mark.slow

pytestmark = pytest.mark.slow

OPTIONS = {"model": "demo", "language": "pt", "beam_size": 1, "diarize": False}
PAGES = [ui.TRANSCRIBE, ui.TRANSCRIPT, ui.TUNING, ui.LIBRARY, ui.EVALUATION, ui.MEMORY, ui.SETTINGS]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """What keeps a runner at work in a server, not begun yet."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    import app

    monkeypatch.setattr(supervisor, "EVERY", 0.1)
    monkeypatch.setattr(Runner, "_retry_seconds", 0.1)
    ui._open.cache_clear()
    work = Supervisor(app.begin)
    yield work
    work.stop()
    ui._open.cache_clear()
    assert not resting()


def becomes_done(store: Store, job_id: str) -> None:
    wait_until(lambda: store.job(job_id).state == "done")


def test_a_wrong_setting_put_right_by_hand_lets_work_begin(
    work: Supervisor, store: Store, short_recording: Path
) -> None:
    job, config = store.add_job(short_recording, OPTIONS), store.home / "config.toml"
    config.write_text("hang_seconds = 1\n")
    work.start()
    assert str(resting()).startswith("hang_seconds is 1; it should be greater than or equal to 2")
    config.write_text("hang_seconds = \n")
    wait_until(lambda: "is not valid TOML" in str(resting()))  # the reason of this moment
    config.write_text("hang_seconds = 60\n")
    becomes_done(store, job.id)
    wait_until(lambda: not resting())


@pytest.mark.parametrize("place", ["the directory", "the library in it"])
def test_a_library_that_can_be_read_later_lets_work_begin(
    work: Supervisor, home: Path, short_recording: Path, place: str
) -> None:
    if place == "the directory":
        home.write_bytes(b"in the way")
        said = f"The data directory {home} cannot be used: File exists."
    else:
        (home / "library.sqlite3").mkdir(parents=True)
        said = f"The library {home}/library.sqlite3 refused: unable to open database file."
    work.start()
    assert str(resting()) == said
    home.unlink() if home.is_file() else (home / "library.sqlite3").rmdir()
    wait_until(lambda: not resting())
    store = ui.store()
    becomes_done(store, store.add_job(short_recording, OPTIONS).id)


def fault(kind: str, error: str) -> Message:
    text = "An unexpected fault ended the work ({kind}: {error})."
    return Message(text, {"kind": kind, "error": error})


FAULT = fault("KeyError", "'unforeseen'")


@pytest.mark.parametrize("place", [(runner, "recover"), (Runner, "_admit")], ids=lambda p: p[1])
def test_a_fault_that_nobody_foresaw_is_told_and_work_goes_on_after_it(
    work: Supervisor,
    store: Store,
    short_recording: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: tuple[Any, str],
) -> None:
    def fail(*_: Any) -> None:
        failed.append(1)
        raise KeyError("unforeseen")

    failed: list[int] = []
    job = store.add_job(short_recording, OPTIONS)
    with monkeypatch.context() as patch:
        patch.setattr(*place, fail)
        work.start()
        wait_until(lambda: resting() == FAULT)
        before, told = len(failed), set[Message]()

        def fails_on() -> bool:
            told.add(resting())
            return len(failed) >= before + 3

        wait_until(fails_on)
        assert told == {FAULT}  # however often it fails, it is not told as over
    becomes_done(store, job.id)
    wait_until(lambda: not resting())


def test_a_job_that_a_dead_runner_left_is_gone_on_with(
    work: Supervisor, store: Store, short_recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = store.add_job(short_recording, OPTIONS)
    work.start()
    wait_until(lambda: store.job(job.id).state in ("preparing", "transcribing"))
    with monkeypatch.context() as patch:
        patch.setattr(Runner, "_admit", lambda self: sys.exit("unforeseen"))  # past its own mending
        wait_until(lambda: resting() == fault("SystemExit", "unforeseen"))
    becomes_done(store, job.id)


def test_what_is_out_of_reach_is_a_sentence(
    home: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "chmod", refuse)  # a library that belongs to another user
        with pytest.raises(StorageError, match="cannot be used: permission is missing"):
            Store(home)
    (home / "config.toml").write_text("beam_size = 2\n")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SettingError, match=r"config\.toml cannot be read: permission is miss"):
        ui.settings()


# -- on the pages ------------------------------------------------------------------------------


class Resting:
    """Stands for a supervisor that cannot begin."""

    reason = Message(
        "There is no file {path}; give the full path of a recording.", {"path": "2 * 3"}
    )


@pytest.mark.parametrize(
    ("language", "beginning"),
    [
        ("en", "Work rests, and goes on by itself as soon as it can: There is no file 2 \\* 3;"),
        (
            "pt_BR",
            "O trabalho está parado e continuará sozinho assim que for possível: O arquivo 2",
        ),
    ],
)
def test_every_page_says_that_work_rests_and_why(
    app: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch, language: str, beginning: str
) -> None:
    monkeypatch.setattr(i18n, "_find", lambda: language)
    app.session_state[ui.LANGUAGE] = language
    said = []
    for reason in (True, False):
        monkeypatch.setattr(supervisor, "_current", Resting() if reason else None)
        for page in PAGES:
            app.run()
            app.switch_page(page).run()
            assert not app.exception
            said.append([w.value for w in app.warning if w.value.startswith(beginning)])
    assert [len(sentences) for sentences in said] == [1] * 7 + [0] * 7


def broken(sentence: str) -> None:
    import app
    from transcrevai_core.errors import InputError
    from transcrevai_core.messages import load

    app.on_script_error(InputError.of(load(sentence)))


def test_a_page_says_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_current", Resting())
    for message, errors in ((Resting.reason, 0), (Message("It is another."), 1)):
        app = AppTest.from_function(broken, args=(dump(message),), default_timeout=30).run()
        assert len(app.error) == errors and not app.exception
