"""A model that is not on this computer: told before a recording begins, and a way on after."""

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until
from paging import bars, checked, fill, fill_speakers, open_page, press, put_model, texts
from streamlit.testing.v1 import AppTest

from tools.serving import CEILING
from transcrevai_core import demo, ui
from transcrevai_core.codes import Stage
from transcrevai_core.components import options, working
from transcrevai_core.errors import ModelError
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message
from transcrevai_core.models import catalogue, folders
from transcrevai_core.options import JobOptions
from transcrevai_core.types import Job
from transcrevai_core.web import downloads

pytestmark = pytest.mark.usefixtures("hub")
BASE, TINY = "Systran/faster-whisper-base", "Systran/faster-whisper-tiny"
TINY_EN = "Systran/faster-whisper-tiny.en"


def told(app: AppTest) -> str:
    return "\n".join(info.value for info in app.info)


def test_a_model_that_is_not_here_is_told_before_the_upload(app: AppTest, hub: Path) -> None:
    checked(app.run())
    assert "**The model small is not on this computer.**" in told(app)
    assert "(486 MB)" in told(app) and "Only demo is on this computer" in told(app)
    for repo in (BASE, TINY):
        put_model(hub, repo)
    put_model(hub, "Systran/faster-whisper-medium", whole=False)
    checked(app.run())
    assert "On this computer now: tiny, base." in told(app)
    app.selectbox(key="new_model").select("base")
    checked(app.run())
    assert not app.info


def test_better_voices_come_beside_a_model(
    app: AppTest, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go = list[str](), threading.Event()

    def fetch(name: str, *_settings: Any, **_more: Any) -> None:
        begun.append(name)
        go.wait(CEILING)

    monkeypatch.setattr(downloads, "fetch_model", fetch)
    checked(app.run())
    assert "Better ones are downloaded once" in texts(app)
    press(app, "Download small now (486 MB)")
    press(app, "Download better voices (34 MB)")
    wait_until(lambda: sorted(begun) == ["campplus", "segmentation", "small"])
    checked(app.run())  # each is watched once
    assert not [button for button in app.button if button.label.startswith("Download better")]
    go.set()
    wait_until(lambda: not downloads.running())
    for name in ("campplus", "segmentation"):
        model = catalogue.VOICES[name]
        folder = catalogue.folder_of(name)
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text("x")
        (folder / "snapshots" / "x").mkdir(parents=True)
        (folder / "snapshots" / "x" / model.file).touch()
    checked(app.run())
    assert "Better ones are downloaded once" not in texts(app)


def test_what_auto_would_fetch_is_told_too(app: AppTest, hub: Path) -> None:
    checked(app.run())
    app.selectbox(key="new_model").select("auto")
    checked(app.run())
    assert "is not on this computer" in told(app) and "small" not in told(app)
    put_model(hub, BASE)
    checked(app.run())
    assert not app.info


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("smal", "There is no model smal;"),
        ("/no/such/folder", "There is no folder /no/such/folder;"),
        ("C:\\models\\none", "There is no folder"),
        (str(Path(__file__).parent), "holds no model.bin;"),
    ],
)
def test_what_can_be_no_model_is_told_before_the_upload(app: AppTest, name: str, said: str) -> None:
    checked(app.run())
    press(app, "Another model: a folder or a Hugging Face id")
    field = app.text_input(key="new_model_other")
    assert "/home/" in field.placeholder and "owner/name" in field.placeholder
    field.set_value(name)
    checked(app.run())
    (error,) = (error.value.replace("\\", "") for error in app.error[:1])
    assert said in error and "downloading" not in told(app)
    assert len([e for e in app.error if "would be right" in e.value.replace("\\", "")]) <= 2


def test_the_list_says_what_a_model_is_good_for(app: AppTest, hub: Path) -> None:
    put_model(hub, TINY)
    checked(app.run())
    options = app.selectbox(key="new_model").options
    assert options[0] == "tiny · quick drafts · on this computer · 0.3 GB of memory"
    assert options[1].startswith("auto · ")
    assert next(o for o in options if o.startswith("small ·")).endswith(
        " · 486 MB to download · 0.7 GB of memory"
    )
    assert options[-1] == "Another model: a folder or a Hugging Face id"


def failed(store: Store, **changes: Any) -> Job:
    """A job whose speakers are known, and whose model could not be had."""
    job = fill_speakers(
        store, text=False, state="failed", error=Message("No hub."), digest="d", **changes
    )
    options = {**job.options, "model": "small", "diarize": True}
    store.update_job(job.id, options=options)
    return store.job(job.id)


@pytest.mark.parametrize(
    ("here", "offered", "label"),
    [
        ((TINY, BASE), "base", "Go on with base"),
        ((TINY_EN,), "base", "Go on with base (148 MB)"),  # the other one knows English alone
        ((), "base", "Go on with base (148 MB)"),
    ],
)
def test_a_job_without_its_model_goes_on_with_what_is_here(
    app: AppTest, store: Store, hub: Path, here: tuple[str, ...], offered: str, label: str
) -> None:
    for repo in here:
        put_model(hub, repo)
    job = failed(store)
    app.query_params["job"] = job.id
    checked(app.run())
    assert "**Go on with another model.**" in texts(app) and "this computer" in texts(app)
    assert app.selectbox(key=f"other_{job.id}_model").value == offered
    assert [button.label for button in app.button][:1] == ["Retry"]
    press(app, label)
    again = store.job(job.id)
    assert again.state == "queued" and again.options["model"] == offered
    assert store.transcript(job.id).turns and again.diarization


def test_one_whose_model_is_here_can_change_it(app: AppTest, store: Store, hub: Path) -> None:
    for repo in (BASE, "Systran/faster-whisper-small"):
        put_model(hub, repo)
    job = failed(store)
    app.query_params["job"] = job.id
    checked(app.run())
    model = app.selectbox(key=f"other_{job.id}_model")
    assert model.value == "small"  # the one it has; another may need less memory
    model.select("base")
    checked(app.run())
    press(app, "Go on with base")
    assert store.job(job.id).options["model"] == "base"


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def waiting(store: Store, **options: Any) -> Job:
    job = store.add_job(Path(__file__), JobOptions(**{"model": "small"} | options).model_dump())
    why = Message("the hub could not be reached")
    stage = Stage.WAITING_FOR_MODEL(model="small", reason=why)
    error = Message("The model small could not be downloaded ({reason}).", {"reason": why})
    store.update_job(job.id, stage=stage, error=error)
    return job


def test_a_job_that_waits_for_its_model_offers_what_can_be_had(app: AppTest, store: Store) -> None:
    job = waiting(store)
    checked(app.run())
    (row,) = bars(app)  # in the list of jobs
    assert row == "Waiting for the model small: the hub could not be reached"
    app.query_params["job"] = job.id
    checked(app.run())
    assert app.warning[0].value.startswith("The model small could not be downloaded")
    assert [label for label in labels(app) if label][:3] == [
        "Go on with base (148 MB)",
        "Try to download it again",
        "Cancel",
    ]
    press(app, "Go on with base (148 MB)")
    again = store.job(job.id)
    assert again.options["model"] == "base" and not again.stage and not again.error


def test_a_job_that_waits_can_be_tried_again_and_cancelled(app: AppTest, store: Store) -> None:
    job = waiting(store)
    app.query_params["job"] = job.id
    checked(app.run())
    press(app, "Try to download it again")
    assert not store.job(job.id).stage and store.job(job.id).options["model"] == "small"
    second = waiting(store)
    app.query_params["job"] = second.id
    checked(app.run())
    press(app, "Cancel")
    assert store.job(second.id).state == "cancelled"


def test_nothing_but_speakers_is_left_where_the_spare_model_cannot_be_had(
    app: AppTest, store: Store
) -> None:
    job = waiting(store, model="base")
    app.query_params["job"] = job.id
    checked(app.run())
    assert app.selectbox(key=f"other_{job.id}_model").value == "none"
    press(app, "Go on")
    assert store.job(job.id).options["model"] == "none"


def test_a_model_can_be_had_before_the_upload(
    app: AppTest, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fetch(name: str, *given: Any, **more: Any) -> None:
        asked.append(name)
        if name == "small":
            raise ModelError("The model small could not be downloaded (no network).")
        put_model(hub, BASE)

    monkeypatch.setattr(downloads, "fetch_model", fetch)
    checked(app.run())
    press(app, "Download small now (486 MB)")
    wait_until(lambda: not downloads.running())
    if not app.error:  # it had not failed yet
        checked(app.run())
    assert "small could not be downloaded" in app.error[0].value
    press(app, "Use base instead (148 MB)")
    assert app.selectbox(key="new_model").value == "base"
    wait_until(lambda: not downloads.running())
    if not app.success:
        checked(app.run())
    assert app.success[0].value == "base is on this computer now."
    assert asked == ["small", "base"] and not app.info
    assert not [label for label in labels(app) if "now (" in label or "instead" in label]


def test_a_model_that_is_here_is_offered_instead(app: AppTest, hub: Path) -> None:
    put_model(hub, TINY)
    checked(app.run())
    assert app.selectbox(key="new_model").value == "tiny"  # rather than one that is not here
    app.selectbox(key="new_model").select("small")
    checked(app.run())
    press(app, "Use tiny instead")
    assert app.selectbox(key="new_model").value == "tiny"
    assert not app.info and not downloads.running()


def test_a_default_model_can_be_typed(app: AppTest, home: Path) -> None:
    app.session_state["settings_view"] = "all"
    app.session_state["settings_section"] = ":material/mic: New recordings"
    open_page(app, "settings.py")
    app.selectbox(key="recordings0_model").select("")
    checked(app.run())
    app.text_input(key="recordings0_model_other").set_value("owner/typed")
    press(app, "Save")
    assert "owner/typed" in (home / "config.toml").read_text(encoding="utf-8")


def test_a_model_on_a_stick_is_found_checked_and_compared(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = tmp_path / "stick"
    model = Path(shutil.copytree(demo.MODEL_DIR, stick / "mine"))
    monkeypatch.setattr(folders, "usual_places", lambda: [stick])
    checked(app.run())
    app.selectbox(key="new_model").select("")
    checked(app.run())
    press(app, ui.escape(str(model)))
    assert app.text_input(key="new_model_other").value == str(model)
    assert "All that a model needs is in this folder." in texts(app)
    press(app, "Compare it with the published models")
    wait_until(lambda: not working.is_running(f"known_{model}", anybody=True))
    checked(app.run())
    assert "of no published model that is known here" in texts(app)
    (model / "config.json").unlink()
    (model / "vocabulary.json").unlink()
    checked(app.run())
    said = [error.value.replace("\\", "") for error in app.error]
    assert "holds no config.json" in said[0] and "holds no vocabulary.json" in said[1]


def test_the_model_that_worked_last_comes_first(
    app: AppTest, store: Store, hub: Path, home: Path
) -> None:
    put_model(hub, TINY)
    fill(store)  # with a model that has gone since
    job = fill(store)
    with store.database.write() as db:
        db.execute("UPDATE jobs SET options = json_set(options, '$.model', 'tiny') WHERE id = ?",
                   (job.id,))  # fmt: skip
    checked(app.run())
    model = app.selectbox(key="new_model")
    assert model.value == "tiny" and model.options[0].startswith("tiny")
    (home / "config.toml").write_text('model = "base"')  # what is set counts
    assert options.defaults().model == "base"
