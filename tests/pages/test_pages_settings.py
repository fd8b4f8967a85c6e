"""The settings page: every setting, models, what lies on disk and how long it stays."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import known, wait_until
from paging import checked, fill, open_page, press, put_model, texts
from streamlit.testing.v1 import AppTest

from tools.serving import CEILING
from transcrevai_core import workers
from transcrevai_core.codes import Note
from transcrevai_core.components.settings import preferences
from transcrevai_core.errors import Cancelled, ModelError, StorageError
from transcrevai_core.jobs import retention
from transcrevai_core.jobs.runner import Runner
from transcrevai_core.library import edits
from transcrevai_core.library.journal import Journal
from transcrevai_core.library.store import Store
from transcrevai_core.memory import readings
from transcrevai_core.memory.readings import MB
from transcrevai_core.models import catalogue
from transcrevai_core.settings import Settings, load_settings
from transcrevai_core.types import Job
from transcrevai_core.web import downloads

pytestmark = pytest.mark.usefixtures("hub")

OLD = time.time() - 40 * retention.DAY


def show(app: AppTest, section: str) -> AppTest:
    app.session_state["settings_view"] = "all"
    app.session_state["settings_section"] = section
    return open_page(app, "settings.py")


def old(store: Store, title: str, **changes: Any) -> Job:
    job = fill(store, title, created=OLD, **changes)
    (store.job_dir(job.id) / "source").mkdir()
    (store.job_dir(job.id) / "source" / "a.mp3").write_bytes(b"0" * 1_000_000)
    store.wav(job.id).write_bytes(b"0" * 1_000_000)
    return job


# -- settings ----------------------------------------------------------------------------------


def test_every_setting_has_its_place_once() -> None:
    groups = [
        preferences.RECORDINGS, preferences.SPEAKERS, preferences.MEMORY, preferences.MODELS,
        preferences.STORAGE, preferences.RETENTION, preferences.INTERFACE,
    ]  # fmt: skip
    placed = [name for group in groups for name in group]
    # where the settings themselves lie cannot be among them
    assert sorted(placed) == sorted({*Settings.model_fields} - {"home"})


def test_a_default_for_new_recordings_is_kept_and_given_up(app: AppTest, home: Path) -> None:
    checked(app.run())
    app.number_input(key="new_beam_size").set_value(7)
    checked(app.run())
    show(app, ":material/mic: New recordings")
    assert "Default: 5 · 1 to 20" in texts(app)
    assert not [button for button in app.button if button.label.startswith("Back to 5")]
    app.number_input(key="recordings0_beam_size").set_value(2)
    app.multiselect(key="recordings0_language").select("pt").select("en")
    app.text_input(key="recordings0_hotwords").set_value("Itaquaquecetuba")
    press(app, "Save")
    assert app.success[0].value == "Saved; new recordings begin with it."
    written = (home / "config.toml").read_text()
    assert sorted(written.splitlines()) == [
        "beam_size = 2", 'hotwords = "Itaquaquecetuba"', 'language = "pt,en"',
    ]  # fmt: skip
    open_page(app, "transcribe.py")
    assert app.number_input(key="new_beam_size").value == 2
    assert app.multiselect(key="new_language").value == ["pt", "en"]
    show(app, ":material/mic: New recordings")
    press(app, "Back to 5")
    assert load_settings().beam_size == 5 and load_settings().language == "pt,en"
    app.text_input(key="recordings2_hotwords").set_value("")
    press(app, "Save")
    assert load_settings().hotwords is None
    press(app, "Back to the defaults")
    assert (home / "config.toml").read_text() == ""


def test_a_model_that_the_environment_names_is_told(
    app: AppTest, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHISPER_MODEL", "tiny")
    show(app, ":material/mic: New recordings")
    assert app.selectbox(key="recordings0_model").disabled
    assert "Model is set by WHISPER\\_MODEL in the environment" in texts(app)
    app.number_input(key="recordings0_beam_size").set_value(2)
    press(app, "Save")
    assert (home / "config.toml").read_text() == "beam_size = 2\n"


def test_the_language_of_the_pages_is_a_setting(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(app, ":material/translate: Interface")
    app.selectbox(key="interface0_interface_language").select("pt_BR")
    press(app, "Save")
    assert app.title[0].value == "Configurações"
    assert load_settings().interface_language == "pt_BR"


def test_what_cannot_be_is_refused_by_its_name_on_screen(app: AppTest, home: Path) -> None:
    show(app, ":material/group: Speakers")
    app.number_input(key="speakers0_min_speakers").set_value(9)
    press(app, "Save")
    (error,) = app.error
    assert error.value.replace("\\", "").startswith("“At most” is 6; it should be at least “At l")
    assert not (home / "config.toml").exists()


# -- models ------------------------------------------------------------------------------------

MODELS = ":material/neurology: Models"


def test_models_are_listed_and_deleted(
    app: AppTest, store: Store, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = put_model(hub, "Systran/faster-whisper-base")
    put_model(hub, "somebody/whisper-of-mine")
    tiny = put_model(hub, "Systran/faster-whisper-tiny", whole=False)
    put_model(hub, "somebody/no-whisper", whole=False)
    show(app, MODELS)
    shown = texts(app).replace("\\", "")
    assert "2 MB on disk · needs about" in shown and "2 MB on disk · not complete" in shown
    assert "somebody/whisper-of-mine" in shown and "no-whisper" not in shown
    fill(store, "waits", state="queued", options=fill(store).options | {"model": "base"})
    checked(app.run())
    assert app.button(key="remove_base").disabled and not app.button(key="remove_tiny").disabled
    chosen = fill(store, "chose", state="transcribing", model="tiny")
    monkeypatch.setattr(workers, "live", list)
    checked(app.run())
    assert app.button(key="remove_tiny").disabled
    store.update_job(chosen.id, state="done")
    monkeypatch.setattr(workers, "live", lambda: [workers.Worker("check")])
    checked(app.run())
    assert app.button(key="remove_tiny").disabled
    monkeypatch.setattr(workers, "live", list)
    checked(app.run())
    checked(app.button(key="remove_tiny").click().run())
    assert tiny.exists()  # it asks first
    assert "**tiny** can be downloaded again" in texts(app)
    catalogue.remove("tiny")
    assert not tiny.exists() and base.exists()
    with pytest.raises(StorageError, match="The model tiny cannot be deleted"):
        catalogue.remove("tiny")


def test_a_model_is_fetched_with_progress_and_can_be_cancelled(
    app: AppTest, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = threading.Event()

    def fetch(
        name: str, settings: Any, *, on_progress: Any, should_stop: Callable[[], bool], **more: Any
    ) -> None:
        on_progress(0.25)
        going.set()
        wait_until(should_stop)
        raise Cancelled("The job was cancelled.")

    monkeypatch.setattr(downloads, "fetch_model", fetch)
    show(app, MODELS)
    press(app, "Download")
    assert going.wait(CEILING)
    checked(app.run())
    assert app.progress[0].text.startswith("Downloading tiny, 25% · ")
    checked(app.button(key="stop_tiny").click().run())
    wait_until(lambda: not downloads.running())
    checked(app.run())
    assert not app.error and not app.progress
    assert [button for button in app.button if button.label == "Download"]


def test_a_download_that_fails_says_why(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*given: Any, **more: Any) -> None:
        raise ModelError("The model tiny could not be downloaded (no network); demo would work.")

    monkeypatch.setattr(downloads, "fetch_model", fetch)
    show(app, MODELS)
    press(app, "Download")
    wait_until(lambda: not downloads.running())
    if not app.error:  # it had not failed yet
        checked(app.run())
    assert "could not be downloaded" in app.error[0].value


# -- storage -----------------------------------------------------------------------------------

STORAGE = ":material/hard_drive: Storage"


def test_what_lies_on_disk_is_told(app: AppTest, store: Store, hub: Path) -> None:
    old(store, "Reunião")
    put_model(hub, "Systran/faster-whisper-base")
    show(app, STORAGE)
    shown = texts(app).replace("\N{NO-BREAK SPACE}", " ")
    assert "| Sound of recordings | 2 MB |" in shown and "| Cache | 0 MB |" in shown


def test_nothing_is_deleted_unless_asked_for(store: Store) -> None:
    job = old(store, "Reunião")
    assert retention.clean(store, load_settings()) == retention.Due()
    assert store.wav(job.id).exists() and not Journal(store.database, "").events()


def test_what_would_go_at_once_is_asked_for(app: AppTest, store: Store) -> None:
    job = old(store, "Reunião")
    fill(store, "Ontem")
    show(app, STORAGE)
    app.number_input(key="retention0_job_days").set_value(30)
    press(app, "Save")
    assert "- Reunião" in texts(app) and "Ontem" not in texts(app)
    assert load_settings().job_days is None and store.job(job.id)
    assert [button for button in app.button if button.label == "Save and delete"]


def test_sound_goes_and_the_text_stays(store: Store) -> None:
    job, running = old(store, "Reunião"), old(store, "Aula", state="transcribing")
    again = old(store, "De novo", started=time.time())
    found = retention.clean(store, load_settings(sound_days=30))
    assert [sound.id for sound in found.sound] == [job.id] and found.bytes == 2_000_000
    assert not retention.sound_of(store, job) and len(store.segments(job.id)) == 3
    assert retention.sound_of(store, running) and retention.sound_of(store, again)
    assert store.job(job.id).notes == (Note.SOUND_GONE(),)
    (event,) = Journal(store.database, "").events()
    assert (event.kind, str(event.cause)) == ("cleaned", "Sound older than 30 days deleted: 1")
    assert retention.clean(store, load_settings(sound_days=30)) == retention.Due()


def test_one_that_cannot_go_keeps_no_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = old(store, "Reunião"), old(store, "Aula")
    store.wav(second.id).with_suffix(".peaks").write_bytes(b"0")
    listed = retention.due(store, load_settings(sound_days=30))
    third = old(store, "De novo")
    store.update_job(third.id, state="queued")  # since it was listed
    monkeypatch.setattr(retention, "due", lambda *given: retention.Due((*listed.sound, third)))
    stuck = store.wav(first.id)
    stuck.unlink()
    stuck.mkdir()
    monkeypatch.setattr(shutil, "rmtree", refuse(stuck, shutil.rmtree))
    with pytest.raises(StorageError, match="Reunião could not be deleted"):
        retention.clean(store, load_settings(sound_days=30))
    assert not list(store.job_dir(second.id).iterdir()) and stuck.exists()
    assert retention.sound_of(store, third)
    assert [str(e.cause) for e in Journal(store.database, "").events()] == [
        "Sound older than 30 days deleted: 1"
    ]


def refuse(stuck: Path, remove: Callable[[Path], None]) -> Callable[[Path], None]:
    def rmtree(path: Path) -> None:
        if path == stuck:
            raise PermissionError(13, "no")
        remove(path)

    return rmtree


def test_what_somebody_works_on_stays(store: Store) -> None:
    job = old(store, "Reunião")
    edits.edit_text(store, known(store.segments(job.id)[0].id), "Outra coisa.")
    settings = load_settings(sound_days=30, job_days=30)
    assert retention.clean(store, settings) == retention.Due() and retention.sound_of(store, job)
    with store.database.write() as db:
        db.execute("UPDATE changes SET time = ?", (OLD,))
    assert [gone.id for gone in retention.clean(store, settings).whole] == [job.id]


def test_the_runner_deletes_what_is_due(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    job = old(store, "Reunião")
    monkeypatch.setenv("TRANSCREVAI_JOB_DAYS", "30")
    runner = Runner(store, load_settings())
    runner.start()
    try:
        wait_until(lambda: not store.jobs())
    finally:
        runner.stop()
    assert not store.job_dir(job.id).exists()
    assert [e.kind for e in Journal(store.database, "").events()] == ["cleaned"]


# -- for everyone ------------------------------------------------------------------------------


def budget(app: AppTest) -> Any:
    return next(radio for radio in app.radio if radio.label == "Memory that TranscrevAI may take")


def test_what_everyone_needs_is_said_in_words_and_kept_at_once(app: AppTest, home: Path) -> None:
    open_page(app, "settings.py")
    assert not app.get("tab") and budget(app).value == "normal"
    budget(app).set_value("light")
    checked(app.run())
    assert app.success[0].value == "Saved; running jobs keep to it at once."
    light = load_settings().memory_budget_mb
    assert light and light < readings.limit_bytes() / MB / 2 and budget(app).value == "light"
    budget(app).set_value("normal")
    checked(app.run())
    assert load_settings().memory_budget_mb is None
    (home / "config.toml").write_text("memory_budget_mb = 1234\n")
    checked(app.run())
    assert budget(app).value == "own" and "As set: 1,234 MB" in budget(app).options[-1]


def test_the_language_of_the_pages_is_the_first_of_all(app: AppTest) -> None:
    open_page(app, "settings.py")
    app.radio[0].set_value("pt_BR")
    checked(app.run())
    assert load_settings().interface_language == "pt_BR"


@pytest.mark.parametrize(
    ("section", "label"), [("models", ":material/neurology: Models"), ("nonsense", None)]
)
def test_an_address_leads_to_a_part_of_all_settings(
    app: AppTest, section: str, label: str | None
) -> None:
    app.query_params["section"] = section
    open_page(app, "settings.py")
    assert bool(app.get("tab")) == bool(label)
    if label:
        assert app.session_state["settings_section"] == label


def test_what_is_kept_is_told_in_words(app: AppTest, home: Path) -> None:
    open_page(app, "settings.py")
    assert "Recordings are kept until you delete them." in texts(app)
    (home / "config.toml").write_text("sound_days = 30\n")
    checked(app.run())
    assert "deleted after 30 days; their text stays" in texts(app)
