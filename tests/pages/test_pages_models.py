"""A model that is not on this computer: told before a recording begins, and a way on after."""

from pathlib import Path
from typing import Any

import pytest
from paging import checked, fill_speakers, open_page, press, put_model, texts
from streamlit.testing.v1 import AppTest

from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message
from transcrevai_core.types import Job

pytestmark = pytest.mark.usefixtures("hub")
BASE, TINY = "Systran/faster-whisper-base", "Systran/faster-whisper-tiny"


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


def test_what_auto_would_fetch_is_told_too(app: AppTest, hub: Path) -> None:
    checked(app.run())
    app.selectbox(key="new_model").select("auto")
    checked(app.run())
    assert "is not on this computer" in told(app) and "small" not in told(app)
    put_model(hub, BASE)
    checked(app.run())
    assert not app.info


@pytest.mark.parametrize("name", ["smal", "/no/such/folder"])
def test_what_can_be_no_model_is_told_before_the_upload(app: AppTest, name: str) -> None:
    checked(app.run())
    app.selectbox(key="new_model").select("")
    checked(app.run())
    app.text_input(key="new_model_other").set_value(name)
    checked(app.run())
    assert "There is no model" in app.error[0].value


def failed(store: Store, **changes: Any) -> Job:
    """A job whose speakers are known, and whose model could not be had."""
    job = fill_speakers(
        store, text=False, state="failed", error=Message("No hub."), digest="d", **changes
    )
    options = {**job.options, "model": "small", "diarize": True}
    store.update_job(job.id, options=options)
    return store.job(job.id)


@pytest.mark.parametrize(("here", "offered"), [((TINY, BASE), "base"), ((), "none")])
def test_a_job_without_its_model_goes_on_with_what_is_here(
    app: AppTest, store: Store, hub: Path, here: tuple[str, ...], offered: str
) -> None:
    for repo in here:
        put_model(hub, repo)
    job = failed(store)
    app.query_params["job"] = job.id
    checked(app.run())
    assert "**Go on with another model.**" in texts(app) and "this computer" in texts(app)
    assert app.selectbox(key=f"other_{job.id}_model").value == offered
    assert [button.label for button in app.button][:1] == ["Retry"]
    press(app, "Go on")
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
    press(app, "Go on")
    assert store.job(job.id).options["model"] == "base"


def test_a_default_model_can_be_typed(app: AppTest, home: Path) -> None:
    app.session_state["settings_section"] = ":material/mic: New recordings"
    open_page(app, "settings.py")
    app.selectbox(key="recordings0_model").select("")
    checked(app.run())
    app.text_input(key="recordings0_model_other").set_value("owner/typed")
    press(app, "Save")
    assert "owner/typed" in (home / "config.toml").read_text(encoding="utf-8")
