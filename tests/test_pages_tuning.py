"""The page Tuning over a bundled sample: settings that answer, references, sweeps, profiles."""

# ruff: noqa: F811
import json
from typing import Any

import pytest
from conftest import wait_until
from streamlit.testing.v1 import AppTest

from tests.test_laboratory import RTTM, done, job, library  # noqa: F401
from tests.test_pages import checked, open_page, press, texts
from transcrevai_core import bench, experiments, profiles, sweeps, ui
from transcrevai_core.components.findings import relabelled
from transcrevai_core.components.profiles import value_name
from transcrevai_core.store import Store
from transcrevai_core.types import Job, Turn


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
    slider(app, job, "speakers").set_value(2)
    checked(app.run())
    assert "**2 speakers**" in texts(app) and "% sure" not in texts(app)
    assert len(lanes(app)) == 4 + 3
    assert library.transcript(job.id).turns == before


def test_turns_are_heard_one_after_another(app: AppTest, library: Store, job: Job) -> None:
    turns = library.transcript(job.id).turns

    def heard() -> tuple[float, str]:
        (component,) = app.get("bidi_component")
        data = json.loads(component.proto.json)
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


@pytest.mark.parametrize(
    ("tab", "said"),
    [
        (":material/scatter_plot: Map", "principal components"),
        (":material/grid_on: Likeness", "Cosines of pairs"),
        (":material/bar_chart: How many", "What speaks for each number"),
        (":material/output: Use and export", "revision"),
        (":material/rule: Reference and sweep", "With a reference"),
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
    values = experiments.of_job(job) | {"window_seconds": 2.5}
    task = bench.of(library).hearing(job, values)
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
    sweeps.keep_reference(library, job, RTTM)
    open_page(app, "tuning.py", job=job.id)
    tab = ":material/rule: Reference and sweep"
    open_tab(app, job, tab)
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

    wait_until(ended)
    checked(app.run())
    assert "**Best: DER" in texts(app)
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
    assert "old one" not in [profile.name for profile in profiles.every(library)]


def test_values_of_settings_are_written_as_they_are_read() -> None:
    found = [value_name(value) for value in (None, "k-means", "vbx", 0.55, 3)]
    assert found == ["Automatic", "k-means", "VBx", "0.55", "3"]


def test_a_wrong_range_is_told_where_it_stands(app: AppTest, library: Store, job: Job) -> None:
    sweeps.keep_reference(library, job, RTTM)
    open_page(app, "tuning.py", job=job.id)
    open_tab(app, job, ":material/rule: Reference and sweep")
    app.multiselect[0].set_value(["speakers"])
    checked(app.run())
    app.text_input(key=f"lab_sweep_{job.id}_speakers").set_value("2:1:1")
    checked(app.run())
    assert "no range" in app.error[0].value


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
