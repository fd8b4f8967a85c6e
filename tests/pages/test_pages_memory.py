"""The memory page over a journal filled by hand: what it says, and what it changes."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from paging import checked, fill, open_page, press, texts
from streamlit.testing.v1 import AppTest

from transcrevai_core import ui, workers
from transcrevai_core.components import memory
from transcrevai_core.components.settings.preferences import MEMORY
from transcrevai_core.doctor.freeing import Freed
from transcrevai_core.library.cache import Cache
from transcrevai_core.library.journal import Journal, Run
from transcrevai_core.library.store import Store
from transcrevai_core.memory.readings import MB, Machine, Reading, WorkerReading
from transcrevai_core.messages import Message
from transcrevai_core.settings import load_settings
from transcrevai_core.workers.processes import this_process

EVENTS, LIMITS, CACHE, PAST = (
    ":material/history: Events",
    ":material/tune: Limits",
    ":material/inventory_2: Cache",
    ":material/monitoring: Past jobs",
)


@pytest.fixture(autouse=True)
def plain(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no setting come from the environment."""
    for name in os.environ:
        if name.startswith("TRANSCREVAI_") and name != "TRANSCREVAI_HOME":
            monkeypatch.delenv(name)


@pytest.fixture
def journal(store: Store) -> Journal:
    return Journal(store.database, this_process())


def show(app: AppTest, section: str = "") -> AppTest:
    open_page(app, "memory.py")
    if section:
        app.session_state["section"] = section
        checked(app.run())
    return app


def reading(pressure: float = 0.5, total: int = 300, *seen: WorkerReading, ago: float = 0.0) -> Any:
    machine = Machine(round(pressure * 8000) * MB, 8000 * MB)
    return Reading(time.time() - ago, machine, total * MB, seen)


def worker(name: str, job: str, busy: bool = True) -> WorkerReading:
    return WorkerReading(name, 7, busy, 412 * MB, 0, 450 * MB, 900 * MB, 1, 0.42, job)


def see(monkeypatch: pytest.MonkeyPatch, found: Reading) -> None:
    """Let the page read this, of a program whose budget is 1000 MB."""
    monkeypatch.setenv("TRANSCREVAI_MEMORY_BUDGET_MB", "1000")
    monkeypatch.setattr(workers, "take_reading", lambda: found)


def meters(app: AppTest) -> str:
    return str(app.get("echarts_chart")[0].proto.alt)


def test_empty_library_says_what_to_do(app: AppTest, store: Store) -> None:
    shown = texts(show(app))
    assert app.title[0].value == "Memory"
    for said in ("No worker runs", "Nothing was measured yet", "Nothing has happened yet"):
        assert said in shown
    assert not app.get("plotly_chart")
    assert "All programs: " in meters(app) and "TranscrevAI: " in meters(app)
    show(app, PAST)
    assert "No job has ended yet" in texts(app)
    assert [link.label for link in app.page_link] == [ui.START] * 2


@pytest.mark.parametrize(
    ("pressure", "total", "label", "cause", "calm"),
    [
        (0.5, 300, "Normal", "50%", ""),
        (0.5, 900, "Degraded", "900 MB", "824 MB"),
        (0.82, 300, "Emergency", "82%", "70%"),
        (0.9, 300, "Stopped", "90%", "70%"),
    ],
)
def test_the_level_is_told_in_words_with_its_cause(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, pressure: float, total: int, label: str,
    cause: str, calm: str,
) -> None:  # fmt: skip
    see(monkeypatch, reading(pressure, total))
    shown = texts(show(app)).replace("\\", "")
    meaning = next(words for words in memory.MEANINGS.values() if words[0] == label)
    assert f"{meaning[1]} {label}" in shown and meaning[3] in shown
    assert cause in shown
    assert ("Normal again" in shown) == bool(calm) and calm in shown
    assert f"{total} of 1,000 MB · peak {total} MB" in meters(app)


def test_a_level_lasts_as_the_governor_lets_it(
    app: AppTest, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(monkeypatch, reading(0.72))
    assert "There is enough memory" in texts(show(app))
    journal.add_reading(reading(0.76), "degraded", 1000 * MB)
    assert "Memory is getting short" in texts(show(app))


def test_workers_with_their_jobs(
    app: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = fill(store, "Reunião | de *pauta*")
    busy, idle = worker("transcription", job.id), worker("diarization", "gone", busy=False)
    see(monkeypatch, reading(0.5, 700, busy, idle))
    shown = texts(show(app)).replace("\N{NO-BREAK SPACE}", " ")
    assert (
        "| transcription | Reunião \\| de \\*pauta\\* | :green-badge[working] | 412 of 900 MB | "
        "450 MB | 1 | 0.4 s ago |" in shown
    )
    assert "| diarization |  | :gray-badge[idle] | 412 of 900 MB | 450 MB | 1 |  |" in shown
    assert "Worker: transcription: 412 of 900 MB" in meters(app)


def test_the_course_of_the_chosen_minutes(
    app: AppTest, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    see(monkeypatch, reading())
    journal.add_reading(reading(0.6, 650, ago=300), "normal", 1000 * MB)
    show(app)
    assert "640" not in meters(app) and "peak 650 MB" in meters(app)
    assert len(app.get("plotly_chart")) == 1
    app.segmented_control(key="memory_minutes").set_value(2)
    checked(app.run())
    assert not app.get("plotly_chart")
    assert "Nothing was measured in the last 2 minutes" in texts(app)


def test_events_newest_first_and_recovered_jobs_stand_out(
    app: AppTest, store: Store, journal: Journal
) -> None:
    job = fill(store, "Reunião")
    for n in range(25):
        journal.add_event("action", "degraded", Message(f"Cause {n}"))
    journal.add_event("recovered", "normal", Message("Recovered 2 jobs"))
    journal.add_event("level", "kill", Message("90% of it"), job.id)
    shown = texts(show(app))
    rows = [line for line in shown.splitlines() if line.startswith("`")]
    assert len(rows) == 20
    assert ":red-badge[:material/block: Stopped]" in rows[0] and "Reunião" in rows[0]
    assert "90% of it" in rows[0] and "Kill" not in rows[0]  # as the badge says it
    assert ":green-badge[:material/healing: **Recovered 2 jobs**]" in rows[1]
    assert "Cause 24" in rows[2] and "Cause 6" not in shown


def test_limits_offer_every_setting_of_memory(app: AppTest) -> None:
    show(app, LIMITS)
    keys = {f"limits0_{name}" for name in MEMORY}
    assert keys == {str(widget.key) for widget in app.number_input}
    percent = app.number_input(key="limits0_degraded_percent")
    assert (percent.min, percent.max, percent.value) == (10, 99, 75)
    assert "(%)" in percent.label and "no job begins" in percent.help
    assert {"memory_budget_mb", "kill_percent", "model_idle_seconds"} <= set(MEMORY)


def test_a_saved_threshold_is_kept_and_can_go_back(app: AppTest, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("# mine\nbeam_size = 2\n")
    show(app, LIMITS)
    app.number_input(key="limits0_kill_percent").set_value(90)
    app.number_input(key="limits0_memory_budget_mb").set_value(900)
    press(app, "Save")
    assert (home / "config.toml").read_text() == (
        "# mine\nbeam_size = 2\nmemory_budget_mb = 900\nkill_percent = 90.0\n"
    )
    settings = load_settings()
    assert (settings.kill_percent, settings.memory_budget_mb) == (90, 900)
    assert "Saved" in app.success[0].value
    assert app.number_input(key="limits1_kill_percent").value == 90
    press(app, "Back to the defaults")
    assert (home / "config.toml").read_text() == "# mine\nbeam_size = 2\n"
    assert app.number_input(key="limits2_kill_percent").value == 85
    assert app.number_input(key="limits2_memory_budget_mb").value is None


def test_an_impossible_threshold_gets_one_sentence(app: AppTest, home: Path) -> None:
    show(app, LIMITS)
    app.number_input(key="limits0_degraded_percent").set_value(95)
    press(app, "Save")
    assert len(app.error) == 1
    sentence = app.error[0].value.replace("\\", "")
    assert sentence.startswith("“Smallest model from” is 80") and sentence.endswith(".")
    assert "“No new jobs from”" in sentence
    assert not (home / "config.toml").exists()
    assert app.number_input(key="limits0_degraded_percent").value == 95  # to be put right


def test_what_the_environment_fixes_is_told(
    app: AppTest, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCREVAI_KILL_PERCENT", "88")
    show(app, LIMITS)
    fixed = app.number_input(key="limits0_kill_percent")
    assert fixed.disabled and fixed.value == 88
    assert "set by TRANSCREVAI\\_KILL\\_PERCENT in the environment" in texts(app)
    app.number_input(key="limits0_hang_seconds").set_value(20)
    press(app, "Save")
    assert (home / "config.toml").read_text() == "hang_seconds = 20.0\n"


def test_cache_in_figures_and_cleared(app: AppTest, store: Store) -> None:
    kept = Cache(store, load_settings())
    kept.path("a").write_bytes(b"0" * 3_000_000)
    kept.keep("a", "voices", "digest")
    for key in ("a", "a", "a", "b"):
        kept.find(key, "voices")
    show(app, CACHE)
    shown = texts(app).replace("\N{NO-BREAK SPACE}", " ")
    assert "| Voices | 1 | 3 MB | 3 | 1 | 75% | " in shown
    assert "| Who speaks when | 0 | 0 MB | 0 | 0 |  |  |  |" in shown
    press(app, "Clear")
    assert app.success[0].value == "Entries removed: 1, 3 MB on disk."
    assert not kept.path("a").exists()
    assert next(button for button in app.button if button.label == "Clear").disabled


def test_free_memory_says_how_much_came_back(
    app: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def free(*given: Any) -> Freed:
        asked.append(given)
        return Freed(84 * MB, 1, 3)

    monkeypatch.setattr(memory, "free_memory", free)
    show(app)
    assert "running jobs go on" in texts(app)
    press(app, "Free memory now")
    assert app.success[0].value == (
        "84 MB came back. Idle workers ended: 1; cache entries removed: 3."
    )
    assert asked[0][0].home == store.home
    checked(app.run())
    assert not app.success


def test_past_jobs_and_a_warning_where_they_become_worse(
    app: AppTest, store: Store, journal: Journal
) -> None:
    job = fill(store, "Reunião")
    key = "prepare + small, int8, beam 5 + diarization, voice"
    for n in range(12):
        seconds = 30.0 if n < 7 else 60.0
        where = job.id if n else "gone"
        journal.add_run(Run(time.time(), where, "job", key, 0, 400 * MB, 500 * MB, seconds, 60.0))
    journal.add_run(Run(time.time(), job.id, "prepare", "prepare", 0, 1, 1, 1.0, 1.0))
    show(app, PAST)
    shown = texts(app).replace("\N{NO-BREAK SPACE}", " ")
    assert shown.count("| Reunião | 1:00 | small | 1.00 | 500 MB | 400 MB | +25% |") == 5
    assert shown.count("| small | 0.50 | 500 MB | 400 MB | +25% |") == 5
    assert "RTF 1.00, peak 500 MB, error of the forecast +25%" in shown
    assert "takes longer: 2.0 times the mean" in app.warning[0].value.replace("\\", "")
    assert len(app.get("plotly_chart")) == 1


def test_a_full_journal_is_drawn_in_few_points(app: AppTest, journal: Journal) -> None:
    for n in range(1200):
        found = reading(0.5, 300, worker("transcription", ""), ago=600 - n / 2)
        journal.add_reading(found, "normal", 1000 * MB)
    show(app)
    chart = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert 200 < len(chart["data"][0]["x"]) < 250  # of ten minutes with two readings a second
