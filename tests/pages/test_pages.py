"""The pages over a library filled by hand: what they show, and what they write to the store."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import beginning
from paging import bars, begin, checked, fill, open_page, press, read, take_in, texts
from streamlit.testing.v1 import AppTest

from tools.serving import CEILING
from transcrevai_core import demo, ui
from transcrevai_core.codes import Cause, Note, Stage
from transcrevai_core.errors import InputError, SettingError
from transcrevai_core.library import edits, rows
from transcrevai_core.library.store import Store
from transcrevai_core.memory import plan
from transcrevai_core.memory.readings import MB
from transcrevai_core.messages import Message
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import Settings
from transcrevai_core.types import Segment
from transcrevai_core.web import uploads

ROOT = Path(__file__).parents[2]


# -- transcribe --------------------------------------------------------------------------------


def test_sample_becomes_a_job_of_the_demo_model(app: AppTest, store: Store) -> None:
    checked(app.run())
    assert "Try a sample" in texts(app)
    press(app, demo.SAMPLES["pt"])
    (job,) = store.jobs()
    assert (job.source, job.options["model"]) == (demo.sample_path("pt"), "demo")
    assert app.query_params["job"] == job.id
    assert "starts in a moment" in bars(app)[0]


def test_path_becomes_a_job_with_the_chosen_options(
    app: AppTest, store: Store, short_recording: Path
) -> None:
    checked(app.run())
    app.multiselect(key="new_language").select("pt")
    app.number_input(key="new_beam_size").set_value(2)
    checked(app.run())
    take_in(app, short_recording)
    assert "0:20" in texts(app) and "found while listening" not in texts(app)
    begin(app)
    (job,) = store.jobs()
    assert job.source == short_recording
    assert (job.options["language"], job.options["beam_size"]) == ("pt", 2)


@pytest.mark.parametrize("path", ["/nowhere/a.mp3", "a.mp3", "", "/"])
def test_wrong_path_is_told_beside_it(app: AppTest, store: Store, path: str) -> None:
    checked(app.run())
    next(t for t in app.text_input if "path" in t.label).set_value(path)
    press(app, "Take it in")
    assert len(app.error) == 1 and "recording" in app.error[0].value
    assert ("No path is given" in app.error[0].value) == (not path)
    assert not store.jobs()


def test_demo_model_warns_before(app: AppTest) -> None:
    checked(app.run())
    assert not app.warning
    app.selectbox(key="new_model").select("demo")
    checked(app.run())
    assert "synthesized demo speech only" in app.warning[0].value


def test_options_offer_every_field_within_its_limits(app: AppTest) -> None:
    checked(app.run())
    keys = {
        widget.key for kind in ("selectbox", "multiselect", "number_input", "toggle", "text_input")
        for widget in app.get(kind)
    }  # fmt: skip
    assert {f"new_{name}" for name in JobOptions.model_fields} <= keys
    beams = app.number_input(key="new_beam_size")
    assert (beams.min, beams.max) == (1, 20)


def test_the_forecast_is_shown_before_a_job_begins(app: AppTest, monkeypatch: Any) -> None:
    monkeypatch.setenv("TRANSCREVAI_MEMORY_BUDGET_MB", "4000")
    checked(app.run())
    assert "of memory at the peak, of a budget of 4,000 MB, with text and speakers" in texts(app)
    app.selectbox(key="new_model").select("auto")
    checked(app.run())
    assert "is the largest that fits" in texts(app)


def test_what_does_not_fit_is_refused_with_what_does(
    app: AppTest, store: Store, monkeypatch: Any, short_recording: Path
) -> None:
    monkeypatch.setenv("TRANSCREVAI_MEMORY_BUDGET_MB", "1000")
    monkeypatch.setattr(plan, "base_bytes", lambda: 150 * MB)  # not what this process has grown to
    checked(app.run())
    app.selectbox(key="new_model").select("medium")
    checked(app.run())
    (error,) = app.error
    assert error.value.startswith("The model medium needs about")
    assert "small" in error.value or "base" in error.value
    take_in(app, short_recording)
    assert len(app.error) == 1 and app.button(key="begin").disabled
    assert not store.jobs()


def test_what_is_no_recording_is_refused_before_it_is_queued(
    app: AppTest, store: Store, short_recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "README.mp3").write_text("# Words\n" * 100)
    checked(app.run())
    take_in(app, tmp_path / "README.mp3")
    assert "README.mp3 is not a recording that can be read" in texts(app).replace("\\", "")
    assert "begin" not in [button.key for button in app.button]
    take_in(app, short_recording)  # the other one goes its way
    begin(app)
    assert [job.source for job in store.jobs()] == [short_recording]


def test_what_waits_can_be_left_out_again(app: AppTest, store: Store, tmp_path: Path) -> None:
    sound = beginning(tmp_path / "a.wav", 2)
    kept = uploads.keep(store.home, "b.wav", sound)
    app.query_params["upload"] = kept.parent.name  # as after a reload
    checked(app.run())
    assert "b" in texts(app)
    take_in(app, sound)
    while leaving := [b for b in app.button if b.label == "Leave out"]:
        checked(leaving[0].click().run())
    assert not kept.exists() and sound.exists()
    assert "begin" not in [button.key for button in app.button]


def test_asked_for_once_recordings_begin_at_once(
    app: AppTest, store: Store, tmp_path: Path
) -> None:
    checked(app.run())
    take_in(app, beginning(tmp_path / "a.wav", 2))
    checked(app.toggle(key="begin_at_once").set_value(True).run())
    assert len(store.jobs()) == 1
    assert "begin_at_once = true" in (store.home / "config.toml").read_text(encoding="utf-8")
    press(app, "Transcribe another")
    take_in(app, beginning(tmp_path / "b.wav", 2))
    assert len(store.jobs()) == 2


def test_positions_in_the_queue_are_told(app: AppTest, store: Store) -> None:
    fill(store, "one", state="transcribing", stage=Stage.TRANSCRIBING, progress=0.5)
    ids = [fill(store, name, state="queued").id for name in ("two", "three", "four")]
    store.update_job(ids[0], stage=Stage.WAITING_FOR_MEMORY(cause=Cause.MACHINE(share=0.8)))
    checked(app.run())
    told = bars(app)
    assert "memory is in use" in told[1] and told[2:] == ["Waiting: 1 before it",
                                                          "Waiting: 2 before it"]  # fmt: skip


def test_recovered_jobs_are_told_of(app: AppTest, store: Store) -> None:
    from transcrevai_core.library.journal import Journal

    Journal(store.database, "").add_event("recovered", "normal", Cause.JOBS_RECOVERED(number=2))
    checked(app.run())
    assert app.success[0].value.startswith("Recovered 2 jobs: what was finished is kept")


def test_active_jobs_are_found_again_in_a_new_tab(app: AppTest, store: Store) -> None:
    running = fill(store, "one", state="transcribing", stage=Stage.TRANSCRIBING, progress=0.5)
    waiting = fill(store, "two", state="queued")
    checked(app.run())
    assert "In progress" in texts(app)
    assert {"%" in bar for bar in bars(app)} == {True, False}
    assert any("the next to start" in bar for bar in bars(app))
    app.query_params["job"] = running.id
    checked(app.run())
    assert app.title[0].value == "one" and "número 2" in texts(app)
    press(app, "Cancel")
    assert store.job(running.id).state == "cancelled" and store.job(waiting.id).state == "queued"
    checked(app.run())
    press(app, "Resume")
    assert store.job(running.id).state == "queued"


def test_running_job_shows_its_latest_text(app: AppTest, store: Store) -> None:
    job = fill(store, segments=100, state="transcribing")
    app.query_params["job"] = job.id
    checked(app.run())
    assert "número 99 " in texts(app) and "número 70 " in texts(app)
    assert "número 69 " not in texts(app)


def test_failed_job_says_why_and_can_be_retried(app: AppTest, store: Store) -> None:
    job = fill(store, state="failed", error=Message("The file a.mp3 holds no sound."), segments=0)
    app.query_params["job"] = job.id
    checked(app.run())
    assert app.error[0].value == ui.say(job.error)
    press(app, "Retry")
    assert store.job(job.id).state == "queued"


def test_bad_setting_is_told_by_a_transcrevai_error(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCREVAI_BEAM_SIZE", "99")
    app.run()
    assert len(app.exception) == 1  # that app.py draws as one sentence
    with pytest.raises(SettingError, match="beam_size is '99'"):
        ui.settings()


# -- transcript --------------------------------------------------------------------------------


def test_transcript_shows_text_and_how_it_came(app: AppTest, store: Store) -> None:
    job = fill(store, notes=[Message("The recording is damaged after 3 s.")])
    open_page(app, "transcript.py", job=job.id)
    shown = texts(app)
    assert app.title[0].value == "Reunião"
    for fact in (
        "0:06",
        "Portuguese, probability 98% by the model",
        "small",
        "int8",
        "cpu",
        "damaged",
        ": 1",
    ):
        assert fact in shown
    data = read(app)
    assert (data["audio"], data["place"]) == ("", None)  # there is no sound yet
    assert data["url"] == f"/api/transcript/{job.id}"
    store.wav(job.id).write_bytes(b"RIFF")
    checked(app.run())
    assert read(app)["audio"] == f"/api/audio/{job.id}"


def test_demo_model_warns_after_on_own_recordings_only(app: AppTest, store: Store) -> None:
    job = fill(store, model="demo")
    open_page(app, "transcript.py", job=job.id)
    assert "synthesized demo speech only" in app.warning[0].value
    store.update_job(job.id, source=str(demo.sample_path("pt")))
    checked(app.run())
    assert not app.warning and "synthesized demo speech only" in texts(app)


def test_the_address_names_a_place(app: AppTest, store: Store) -> None:
    job = fill(store)
    open_page(app, "transcript.py", job=job.id, t="2.5")
    assert read(app)["place"] == 2.5
    open_page(app, "transcript.py", job=job.id, t="soon")
    assert read(app)["place"] is None


def test_another_version_is_told_to_the_reader(app: AppTest, store: Store) -> None:
    job = fill(store)
    open_page(app, "transcript.py", job=job.id)
    before = read(app)["version"]
    assert read(checked(app.run()))["version"] == before
    edits.edit_text(store, store.segments(job.id)[0].id or 0, "número zero")
    assert read(checked(app.run()))["version"] != before


def test_silence_says_so(app: AppTest, store: Store) -> None:
    job = fill(store, segments=0, notes=[Note.NO_SPEECH])
    open_page(app, "transcript.py", job=job.id)
    assert "no speech was found" in app.info[0].value


@pytest.mark.parametrize("state", ["transcribing", "failed", "cancelled"])
def test_unfinished_transcript_says_so(app: AppTest, store: Store, state: str) -> None:
    job = fill(store, state=state)
    open_page(app, "transcript.py", job=job.id)
    said = {
        "transcribing": "still being transcribed",
        "failed": "text is whole",  # speakers are what is missing
        "cancelled": "not complete",
    }
    assert said[state] in app.info[0].value and read(app)


@pytest.mark.parametrize("page", ["transcript.py", "library.py"])
def test_empty_library_says_what_to_do(app: AppTest, page: str) -> None:
    open_page(app, page)
    assert app.info
    press(app, "Transcribe a recording or try a sample")
    assert app.title[0].value == "Transcribe"


def test_transcript_without_an_address_is_the_newest(app: AppTest, store: Store) -> None:
    fill(store, "older")
    newest = fill(store, "newer")
    fill(store, "not yet", state="queued")
    open_page(app, "transcript.py")
    assert app.title[0].value == "newer" and app.query_params["job"] == newest.id


# -- running again ----------------------------------------------------------------------------


def test_run_again_is_independent_of_the_first(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"sound")
    first = store.add_job(tmp_path / "a.mp3", {}, title="Interview", take=True)
    again = ui.run_again(first, {"model": "base"})
    store.delete_job(first.id)
    again = store.job(again.id)
    assert again.source.read_bytes() == b"sound" and again.title == "Interview"
    again.source.unlink()
    with pytest.raises(InputError, match="is gone"):
        ui.run_again(again, {})


# -- when something breaks ----------------------------------------------------------------------


def broken(kind: str) -> None:
    import app
    from transcrevai_core.errors import InputError

    error: Exception = InputError("It is 2 * 3.") if kind == "told" else RuntimeError("secret")
    app.on_script_error(error)


@pytest.mark.parametrize(
    ("kind", "sentence"), [("told", "It is 2 \\* 3\\."), ("other", "Something went wrong here")]
)
def test_an_error_is_one_calm_sentence(kind: str, sentence: str) -> None:
    app = checked(AppTest.from_function(broken, args=(kind,), default_timeout=CEILING).run())
    assert len(app.error) == 1 and app.error[0].value.startswith(sentence)
    assert "secret" not in app.error[0].value


# -- what a page costs -------------------------------------------------------------------------

FORBIDDEN = ("ctranslate2", "onnxruntime", "librosa", "numba", "sklearn", "faster_whisper", "av",
             "torch", "pandas", "pyarrow")  # fmt: skip
SERVER = f"""
import sys
import app                                    # routes, lifespan and all that they import
from streamlit.testing.v1 import AppTest
at = AppTest.from_file("pages/_router.py", default_timeout={CEILING}).run()
for page in ("transcript.py", "library.py", "memory.py", "settings.py", "tuning.py",
             "evaluation.py", "transcribe.py"):
    at.switch_page(page).run()
    assert not at.exception, at.exception[0].message
print(*sys.modules)
"""


@pytest.mark.slow
def test_no_page_imports_machine_learning(store: Store) -> None:
    fill(store)
    run = subprocess.run(
        [sys.executable, "-c", SERVER], cwd=ROOT, capture_output=True, text=True, timeout=CEILING
    )
    assert run.returncode == 0, run.stderr
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert loaded.isdisjoint(FORBIDDEN), loaded.intersection(FORBIDDEN)


@pytest.mark.parametrize("page", ["transcript.py", "library.py", "transcribe.py", "memory.py"])
def test_a_page_reads_words_and_settings_once(
    app: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    job = fill(store, segments=5)
    open_page(app, page, **({"job": job.id} if page == "transcript.py" else {}))
    words: list[Any] = []
    settings: list[Any] = []
    read, sources = rows.segment_from_row, Settings.settings_customise_sources

    def counted_read(row: Any) -> Segment:
        words.append(row)
        return read(row)

    def counted_sources(*given: Any, **more: Any) -> Any:
        settings.append(1)
        return sources(*given, **more)

    monkeypatch.setattr(rows, "segment_from_row", counted_read)
    monkeypatch.setattr(Settings, "settings_customise_sources", counted_sources)
    checked(app.run())
    assert len(words) == (5 if page == "transcript.py" else 0)
    assert settings == []  # they are as they were
    monkeypatch.setenv("TRANSCREVAI_BEAM_SIZE", "2")
    checked(app.run())
    assert settings == [1]
