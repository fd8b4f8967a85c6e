"""The page Tuning over a bundled sample: settings that answer, references, sweeps, profiles."""

import json
from typing import Any

import numpy as np
import pytest
from conftest import known, wait_until
from paging import checked, open_page, press, texts
from streamlit.testing.v1 import AppTest

from transcrevai_core import demo, ui
from transcrevai_core.components.profiles import value_name
from transcrevai_core.components.tuning.findings import relabelled
from transcrevai_core.diarization.pipeline import Voices
from transcrevai_core.errors import InputError
from transcrevai_core.library.cache import Cache
from transcrevai_core.library.store import Store
from transcrevai_core.settings import load_settings
from transcrevai_core.tuning import laboratory, parameters, profiles, sweep_run, sweeps
from transcrevai_core.types import Job, Turn

pytestmark = pytest.mark.slow

RTTM = demo.sample_path("pt").with_suffix(".rttm")
TRIALS = ":material/rule: Reference and sweep"
SOUND = ":material/graphic_eq: Sound"


@pytest.fixture
def library(diarized: Store) -> Store:
    return diarized


@pytest.fixture
def job(library: Store) -> Job:
    return library.jobs()[-1]


def slider(app: AppTest, job: Job, name: str) -> Any:
    return app.select_slider(key=f"lab_{job.id}_{name}")


def lanes(app: AppTest) -> list[str]:
    """The names beside the lanes, before and after."""
    chart = json.loads(app.get("plotly_chart")[0].proto.spec)
    return [name.strip() for name in chart["layout"]["yaxis"]["ticktext"]]


def open_tab(app: AppTest, job: Job, name: str) -> AppTest:
    app.session_state[f"lab_tabs_{job.id}"] = name
    return checked(app.run())


def test_an_empty_library_says_what_to_do(app: AppTest, store: Store) -> None:
    open_page(app, "tuning.py")
    assert "no finished recording" in texts(app)


def test_a_setting_is_answered_at_once_and_the_library_stays(
    app: AppTest, library: Store, job: Job
) -> None:
    before = library.transcript(job.id).turns
    open_page(app, "tuning.py", job=job.id)
    assert "**3 speakers**" in texts(app)
    assert lanes(app) == ["", "Speaker 1", "Speaker 2", "Speaker 3"] * 2
    assert (
        "**3 speakers**, quite sure; 6 would be possible" in texts(app)
        and "by eigengap" in texts(app)
        and "% sure" not in texts(app)
    )
    slider(app, job, "speakers").set_value(2)
    checked(app.run())
    assert "**2 speakers** · " in texts(app)
    assert "Whoever speaks for less than 0.2 s" in texts(app)  # 0.3 % of the sample's speech
    assert len(lanes(app)) == 4 + 3
    assert library.transcript(job.id).turns == before


def test_a_setting_without_effect_says_so(app: AppTest, library: Store, job: Job) -> None:
    no_effect = ":material/info: No effect: "
    open_page(app, "tuning.py", job=job.id)
    assert no_effect not in texts(app)
    counting = app.selectbox(key=f"lab_{job.id}_counting")
    for way in ("eigengap", "silhouette"):
        checked(counting.select(way).run())
        assert f"{no_effect}this way of counting has no threshold" in texts(app)
    checked(counting.select("likeness").run())
    assert no_effect not in texts(app)
    slider(app, job, "speakers").set_value(2)
    checked(app.run())
    assert texts(app).count(f"{no_effect}the number of speakers is given") == 3


def test_turns_are_heard_one_after_another(app: AppTest, library: Store, job: Job) -> None:
    turns = library.transcript(job.id).turns

    def heard() -> tuple[float, str]:
        told = (json.loads(component.proto.json) for component in app.get("bidi_component"))
        data = next(data for data in told if "clock" in data)
        return data["start"], data["clock"]

    open_page(app, "tuning.py", job=job.id)
    assert app.button(key=f"lab_previous_{job.id}").disabled
    for turn in turns[:2]:
        press(app, "Next turn")
        assert heard() == (turn.start, f"{ui.clock(turn.start)} · Speaker 1")
    press(app, "Previous turn")
    assert heard()[0] == turns[0].start
    box = app.selectbox(key=f"lab_window_{job.id}")
    assert len(box.options) > 50
    box.select_index(0)
    checked(app.run())
    assert f"{heard()[0]:.2f} s to" in box.options[0]


def test_pictures_are_numbers_too(app: AppTest, library: Store, job: Job) -> None:
    open_page(app, "tuning.py", job=job.id)
    open_tab(app, job, ":material/grid_on: Likeness")
    assert "| Mean cosine | Speaker 1 | Speaker 2 | Speaker 3 |" in texts(app)
    open_tab(app, job, ":material/bar_chart: How many")
    assert "| Speakers | Silhouette: high is good |" in texts(app)
    assert "| **3** | **0." in texts(app)


def test_a_stretch_is_seen_as_it_is_heard(app: AppTest, library: Store, job: Job) -> None:
    open_page(app, "tuning.py", job=job.id)
    press(app, "Next turn")
    open_tab(app, job, SOUND)
    wait_until(lambda: len(checked(app.run()).get("plotly_chart")) > 1)  # beside the lanes
    said = texts(app)
    assert "The pitch is " in said and "| From second | Loudness (dB) | Pitch (Hz) |" in said
    first = library.transcript(job.id).turns[0]
    chart = json.loads(app.get("plotly_chart")[-1].proto.spec)
    assert chart["layout"]["xaxis"]["range"][0] == pytest.approx(first.start, abs=0.01)
    # what was seen once is there at once, in another session too
    (seen,) = [tier for tier in Cache(library, load_settings()).stats() if tier.tier == "sounds"]
    assert seen.entries == 1
    del app.session_state["sound_shown"]
    assert "The pitch is " in texts(checked(app.run()))


def test_a_sound_that_cannot_be_measured_is_offered_again(
    app: AppTest, library: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **more: Any) -> Any:
        raise InputError("The sound is gone.")

    with monkeypatch.context() as patch:
        patch.setattr("transcrevai_core.components.tuning.sound.check_sound", fails)
        open_page(app, "tuning.py", job=job.id)
        press(app, "Next turn")
        press(app, "Next turn")
        open_tab(app, job, SOUND)
        wait_until(lambda: bool(app.error or checked(app.run()).error))
        assert "The sound is gone" in app.error[0].value
        checked(app.run())
        assert not app.error  # nothing begins by itself again
    press(app, "Measure the sound")
    wait_until(lambda: len(checked(app.run()).get("plotly_chart")) > 1)


@pytest.mark.parametrize(
    ("tab", "said"),
    [
        (":material/scatter_plot: Map", "near ones sound alike"),
        (":material/grid_on: Likeness", "bright squares"),
        (":material/bar_chart: How many", "What speaks for each number"),
        (":material/output: Use and export", "revision"),
        (TRIALS, "With a reference"),
    ],
)
def test_each_tab_shows_its_evidence(
    app: AppTest, library: Store, job: Job, tab: str, said: str
) -> None:
    open_page(app, "tuning.py", job=job.id)
    open_tab(app, job, tab)
    assert said in texts(app)


def test_other_voices_are_offered_to_be_found(app: AppTest, library: Store, job: Job) -> None:
    open_page(app, "tuning.py", job=job.id)
    app.number_input(key=f"lab_{job.id}_window_seconds").set_value(2.5)
    checked(app.run())
    assert "not kept with these settings" in texts(app) and not app.get("plotly_chart")
    press(app, "Find the voices")
    values = parameters.job_settings(job) | {"window_seconds": 2.5}
    task = laboratory.for_store(library).voice_task(job, values)
    assert task
    task.join()
    checked(app.run())
    assert app.get("plotly_chart")
    windows = app.selectbox(key=f"lab_window_{job.id}")
    windows.select_index(len(windows.options) - 1)
    checked(app.run())
    app.number_input(key=f"lab_{job.id}_window_seconds").set_value(None)
    checked(app.run())  # among other windows, the one that was chosen is not there any more
    assert app.selectbox(key=f"lab_window_{job.id}").value is None


def test_a_sweep_is_judged_kept_and_used(app: AppTest, library: Store, job: Job) -> None:
    sweeps.keep_reference(library, job, RTTM.name, RTTM.read_bytes())
    open_page(app, "tuning.py", job=job.id)
    open_tab(app, job, TRIALS)
    assert "| DER |" in texts(app)
    app.multiselect[0].set_value(["speakers", "min_turn_seconds"])
    checked(app.run())
    app.text_input(key=f"lab_sweep_{job.id}_speakers").set_value("2,3")
    app.text_input(key=f"lab_sweep_{job.id}_min_turn_seconds").set_value("0,0.2")
    checked(app.run())
    press(app, "Try 4 settings")

    def ended() -> bool:
        sweep = sweeps.latest(library, job.id)
        return sweep is not None and sweep.state == "done"

    assert not app.multiselect  # what is asked for is not drawn meanwhile
    wait_until(ended)
    checked(app.run())
    assert "**Best: DER" in texts(app)
    assert app.multiselect[0].value == ["speakers", "min_turn_seconds"]
    assert app.text_input(key=f"lab_sweep_{job.id}_speakers").value == "2,3"
    assert "Number of speakers: 3" in texts(app).replace("\\", "")
    assert len(app.get("plotly_chart")) == 2  # the turns, and the heat map
    name = next(box for box in app.text_input if box.label == "Name of a profile")
    name.set_value("calls")
    press(app, "Save as profile")
    kept = profiles.find(library, "calls")
    assert kept.options["speakers"] == 3 and kept.source["der"] < 0.2
    assert "what you corrected or merged there is lost" in texts(app)
    with pytest.MonkeyPatch.context() as patch:  # another tab was first
        patch.setattr(Store, "requeue", lambda *args: False)
        checked(app.button(key="sweep_use").click().run())
    assert "being worked on" in app.error[0].value
    app.button(key="sweep_use").click()
    checked(app.run())
    again = library.job(job.id)
    assert again.state == "queued" and again.options["speakers"] == 3
    library.update_job(job.id, state="done")


def test_a_profile_is_listed_and_can_be_deleted(app: AppTest, library: Store, job: Job) -> None:
    profiles.save(library, "old one", {"speakers": 2}, {})
    open_page(app, "tuning.py", job=job.id)
    open_tab(app, job, ":material/output: Use and export")
    assert "**old one** &nbsp; :small[Number of speakers: 2]" in texts(app).replace("\\", "")
    checked(app.button(key="forget_old one").click().run())
    assert "old one" not in texts(app)
    assert "old one" not in [profile.name for profile in profiles.list_profiles(library)]


def test_values_of_settings_are_written_as_they_are_read() -> None:
    found = [value_name(value) for value in (None, "k-means", "vbx", 0.55, 3)]
    assert found == ["Automatic", "k-means", "VBx", "0.55", "3"]


def test_a_wrong_range_is_told_where_it_stands(app: AppTest, library: Store, job: Job) -> None:
    sweeps.keep_reference(library, job, RTTM.name, RTTM.read_bytes())
    open_page(app, "tuning.py", job=job.id)
    open_tab(app, job, TRIALS)
    app.multiselect[0].set_value(["speakers"])
    checked(app.run())
    app.text_input(key=f"lab_sweep_{job.id}_speakers").set_value("2:1:1")
    checked(app.run())
    assert "no range" in app.error[0].value


def give(app: AppTest, name: str, content: bytes) -> None:
    app.file_uploader[0].set_value((name, content, "text/plain"))
    checked(app.run())


def test_the_reference_that_is_kept_is_named_and_removed(
    app: AppTest, library: Store, job: Job
) -> None:
    open_page(app, "tuning.py", job=job.id)
    open_tab(app, job, TRIALS)
    content = RTTM.read_bytes()
    x, y = (content.replace(b"SPEAKER pt", b"SPEAKER " + name) for name in (b"x", b"y"))
    give(app, "both.rttm", x + y)
    assert "2 recordings" in app.error[0].value and "| DER |" not in texts(app)
    give(app, "certa [1].rttm", b"\xef\xbb\xbf" + content)
    assert not app.error and "| DER |" in texts(app)
    assert "**certa [1].rttm** &nbsp; :small[12 turns · 3 speakers]" in texts(app).replace("\\", "")
    assert app.file_uploader[0].value is None  # the field is for another one
    checked(app.button(key=f"lab_reference_{job.id}_remove").click().run())
    assert "With a reference" in texts(app) and "certa" not in texts(app)
    assert sweeps.kept_reference(library, job.id) is None


def test_a_sweep_belongs_to_the_reference_that_judged_it(
    app: AppTest, library: Store, job: Job
) -> None:
    sweeps.keep_reference(library, job, RTTM.name, RTTM.read_bytes())
    grid = parameters.parse_grid(["speakers=3", "min_turn_seconds=0,0.1"])
    plan = sweeps.plan(parameters.job_settings(job), grid, RTTM.read_text())
    sweep_run.run(library, load_settings(), sweeps.create(library, job, plan))
    open_page(app, "tuning.py", job=job.id)
    open_tab(app, job, TRIALS)
    assert "**Best: DER" in texts(app)
    assert "2 of the 2 settings come to the same DER" in texts(app)
    assert "another collar" not in texts(app)
    collars: Any = app.get("button_group")[0]
    collars.set_value(0.25)
    checked(app.run())
    assert "judged with another collar, 0.00 s" in texts(app).replace("\\", "")

    give(app, "other.rttm", RTTM.read_bytes().replace(b"SPEAKER_00", b"Eva"))
    assert "judged by another reference" in texts(app) and "Best: DER" not in texts(app)
    assert "sweep_use" not in [button.key for button in app.button]
    press(app, "Run it again")
    wait_until(lambda: known(sweeps.latest(library, job.id)).state == "done")
    checked(app.run())
    assert "**Best: DER" in texts(app) and "judged by another" not in texts(app)
    again = sweeps.latest(library, job.id)
    assert again and again.plan["points"] == plan["points"]


def test_a_plan_says_what_is_fixed_and_frees_a_given_number(
    app: AppTest, library: Store, job: Job
) -> None:
    sweeps.keep_reference(library, job, RTTM.name, RTTM.read_bytes())
    open_page(app, "tuning.py", job=job.id)
    open_tab(app, job, TRIALS)
    assert not app.warning and "Number of speakers: 4" not in texts(app)
    slider(app, job, "speakers").set_value(4)
    checked(app.run())
    (told,) = app.warning
    assert "No effect in this sweep: Threshold of likeness (the number of speakers is given)" in (
        told.value.replace("\\", "")
    )
    assert "Fixed, and not as by default: Number of speakers: 4" in texts(app).replace("\\", "")
    app.toggle(key=f"lab_sweep_{job.id}_free").set_value(True)
    checked(app.run())
    assert not app.warning and "Fixed, and not as by default: Number" not in texts(app)
    open_tab(app, job, SOUND)
    open_tab(app, job, TRIALS)
    assert app.toggle(key=f"lab_sweep_{job.id}_free").value
    with pytest.MonkeyPatch.context() as patch:
        begun: list[Any] = []

        def create(store: Store, job: Job, plan: Any) -> str:
            begun.append(plan)
            return "none"

        patch.setattr(sweeps, "create", create)
        patch.setattr(sweep_run, "start", lambda place, sweep: None)
        press(app, "Try 36 settings")
    assert begun[0]["base"]["speakers"] is None


def test_what_is_exported_is_scored_where_there_is_a_reference(
    app: AppTest, library: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores, export = [], parameters.export

    def spy(*args: Any) -> dict[str, Any]:
        scores.append(export(*args)["score"])
        return export(*args)

    monkeypatch.setattr(parameters, "export", spy)
    open_page(app, "tuning.py", job=job.id)
    open_tab(app, job, ":material/output: Use and export")
    sweeps.keep_reference(library, job, RTTM.name, RTTM.read_bytes())
    checked(app.run())
    open_tab(app, job, TRIALS)
    collars: Any = app.get("button_group")[0]
    collars.set_value(0.25)
    checked(app.run())
    open_tab(app, job, ":material/output: Use and export")
    assert scores[0] is None and scores[1]["der"] < 0.2 and scores[1]["collar"] == 0
    assert scores[-1]["collar"] == 0.25 and scores[-1]["der"] < scores[1]["der"]


def test_no_speech_is_said_in_each_tab(app: AppTest, library: Store, job: Job) -> None:
    trial = laboratory.for_store(library).trial(job, parameters.job_settings(job))
    assert trial
    heard = trial.voices.read_bytes()
    Voices((), np.zeros((0, 2)), np.zeros((0, 1)), None).save(trial.voices)
    try:
        open_page(app, "tuning.py", job=job.id)
        tabs = "scatter_plot: Map", "grid_on: Likeness", "bar_chart: How many", "graphic_eq: Sound"
        for tab in tabs:
            open_tab(app, job, f":material/{tab}")
            assert "No speech was found in this recording" in texts(app)
            assert len(app.get("plotly_chart")) == 1
    finally:
        trial.voices.write_bytes(heard)


PROFILE = """
import streamlit as st
from transcrevai_core.components.profiles import profile_field
st.write(str(profile_field("new")))
"""


def test_a_profile_is_chosen_in_a_form(store: Store) -> None:
    form = AppTest.from_string(PROFILE)
    assert not checked(form.run()).selectbox and form.markdown[0].value == "{}"
    profiles.save(store, "calls", {"speakers": 2}, {"der": 0.125})
    assert checked(form.run()).markdown[0].value == "{}"
    form.selectbox[0].set_value("calls")
    assert "'speakers': 2" in checked(form.run()).markdown[-1].value
    assert "DER 12.5%" in form.caption[0].value.replace("\\", "")


def test_who_is_the_same_keeps_the_colour() -> None:
    a, b, c = "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"
    before = [Turn(0, 10, b), Turn(10, 20, a)]
    after = [Turn(0, 9, a), Turn(9, 20, b), Turn(20, 21, c)]
    assert relabelled(before, after) == {a: b, b: a, c: c}
    later = [Turn(0, 9, a), Turn(30, 31, b), Turn(31, 32, c)]
    assert relabelled(before[:1], later) == {a: b, b: a, c: c}
