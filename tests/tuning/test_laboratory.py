"""The laboratory below its page: hand-made voices, grids, sweeps that end badly, exports."""

import hashlib
import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import wait_until, worker_named
from typer.testing import CliRunner

from tools.serving import CEILING
from transcrevai_core import demo
from transcrevai_core.cli import app
from transcrevai_core.components.tuning.trials import _GRIDS
from transcrevai_core.diarization import clustering, grouping
from transcrevai_core.diarization.pipeline import Voices
from transcrevai_core.diarization.recipes import REVISION, Recipe
from transcrevai_core.errors import Cancelled, InputError, SettingError, WorkerDied
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library.cache import Cache
from transcrevai_core.library.store import Store
from transcrevai_core.memory.plan import base_bytes
from transcrevai_core.memory.readings import MB
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.tuning import laboratory, parameters, profiles, sweep_run, sweeps
from transcrevai_core.tuning import tasks as lab_tasks
from transcrevai_core.tuning.tasks import Trial
from transcrevai_core.types import Job, Region
from transcrevai_core.workers import admission
from transcrevai_core.workers.worker import Worker

pytestmark = pytest.mark.slow

PT = demo.sample_path("pt")
RTTM = PT.with_suffix(".rttm").read_text()


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """Three voices that say ten windows each, one after the other, at right angles."""
    labels = np.repeat([0, 1, 2], 10)
    noise = np.random.default_rng(0).normal(0, 0.02, (30, 3))
    windows = np.arange(30)[:, None] + [0.0, 1.0]
    voices = Voices((Region(0.0, 30.0),), windows, np.eye(3)[labels] + noise, None)
    voices.save(tmp_path / "voices.npz")
    values = parameters.checked({"embedding": "mfcc", "resegment_rounds": 0})
    return Trial(tmp_path / "voices.npz", tmp_path / "audio.wav", values)


def other(trial: Trial, **changes: Any) -> Trial:
    values = parameters.checked({**trial.settings, **changes})
    return Trial(trial.voices, trial.wav, values)


# -- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "idle"),
    [
        ({}, set()),
        ({"speaker_threshold": 0.5}, set()),
        ({"counting": "silhouette"}, {"speaker_threshold"}),
        ({"counting": "eigengap", "speaker_threshold": 0.5}, {"speaker_threshold"}),
        ({"speakers": 2}, {"speaker_threshold", "counting", "min_speakers", "max_speakers"}),
        ({"min_speakers": 2, "max_speakers": 2}, {"speaker_threshold", "counting"}),
        ({"counting": "evidence"}, set()),
        ({"counting": "evidence", "clustering": "spectral"}, {"counting"}),
        ({"counting": "evidence", "clustering": "vbx", "embedding": "mfcc"},
         {"counting", "clustering"}),
        ({"channels": "speakers"}, {*parameters.NAMES} - {"channels"}),
    ],
)  # fmt: skip
def test_settings_without_effect_are_known(values: dict[str, Any], idle: set[str]) -> None:
    assert parameters.idle(parameters.checked(values)).keys() == idle


@pytest.mark.parametrize(
    ("settings", "name", "tried"),
    [
        ({"counting": "eigengap"}, "speaker_threshold", [None, 0.05, 0.95]),
        ({"counting": "silhouette"}, "speaker_threshold", [None, 0.05, 0.95]),
        ({"speakers": 2}, "counting", ["auto", "likeness", "silhouette", "eigengap"]),
        ({"clustering": "spectral"}, "counting", ["likeness", "evidence"]),
        ({"counting": "likeness"}, "clustering", ["k-means", "vbx"]),
    ],
)
def test_settings_without_effect_have_none(
    trial: Trial, settings: dict[str, Any], name: str, tried: list[Any]
) -> None:
    assert name in parameters.idle(other(trial, **settings, **{name: tried[-1]}).settings)
    turns = [lab_tasks.diarize(other(trial, **settings, **{name: x}))["turns"] for x in tried]
    assert all(found == turns[0] for found in turns)


def test_a_grid_is_without_effect_where_each_point_is() -> None:
    values, grid = parameters.checked({}), {"speaker_threshold": [0.4, 0.6]}
    spectral: dict[str, list[Any]] = {**grid, "counting": ["silhouette", "eigengap"]}
    assert [*parameters.without_effect(values, spectral)] == ["speaker_threshold"]
    assert not parameters.without_effect(values, {**grid, "counting": ["silhouette", "auto"]})
    assert not parameters.without_effect({**values, "speakers": 2}, {**grid, "speakers": [None, 2]})


# -- what it answers ---------------------------------------------------------------------------


def test_answers_follow_the_settings(trial: Trial) -> None:
    found = lab_tasks.diarize(other(trial, speakers=3))
    assert [row[2] for row in found["turns"]] == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]
    assert [round(row[0]) for row in found["turns"]] == [0, 10, 20]
    assert len(lab_tasks.diarize(other(trial, speakers=1))["turns"]) == 1
    # turns of ten seconds are amid speech: a longer least one leaves none of them between two
    assert (
        lab_tasks.diarize(other(trial, speakers=3, min_turn_seconds=5))["turns"] == (found["turns"])
    )


def test_a_score_has_der_and_its_parts(trial: Trial) -> None:
    lines = [f"SPEAKER a 1 {10 * n} 10 <NA> <NA> s{n} <NA> <NA>" for n in range(3)]
    right = lab_tasks.score(other(trial, speakers=3), "\n".join(lines), 0.25)
    assert right["der"] == pytest.approx(0, abs=0.01) and right["speakers"] == 3
    wrong = lab_tasks.score(other(trial, speakers=1), "\n".join(lines), 0.0)
    assert wrong["confusion"] == pytest.approx(2 / 3) == pytest.approx(wrong["der"])
    assert (wrong["speakers"], wrong["speakers_reference"]) == (1, 3)


def test_the_map_parts_voices_and_says_whose_dots_they_are(trial: Trial) -> None:
    found = lab_tasks.voice_map(other(trial, speakers=3))
    places = np.array([dot[:2] for dot in found["dots"]])
    assert found["share"] > 0.9 and [dot[2] for dot in found["dots"]] == [*range(30)]
    assert [dot[4] for dot in found["dots"]] == [f"SPEAKER_{n // 10:02d}" for n in range(30)]
    middles = places.reshape(3, 10, 2).mean(axis=1)
    spread = np.abs(places.reshape(3, 10, 2) - middles[:, None]).max()
    apart = min(np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert apart > 5 * spread


def test_likeness_is_ordered_by_speaker(trial: Trial) -> None:
    found = lab_tasks.affinity(other(trial, speakers=3))
    matrix = np.array(found["matrix"])
    assert matrix.shape == (30, 30) and found["labels"] == sorted(found["labels"])
    assert matrix[:10, :10].min() > 0.9 and np.abs(matrix[:10, 10:]).max() < 0.2
    assert found["spans"][0] == [0.0, 1.0]


def test_evidence_is_given_for_each_number(trial: Trial) -> None:
    found = lab_tasks.evidence(other(trial, max_speakers=5, speakers=3))
    assert [row["speakers"] for row in found["rows"]] == [1, 2, 3, 4, 5] and found["chosen"] == 3
    best = max(found["rows"], key=lambda row: row["silhouette"] or 0)
    assert best["speakers"] == 3 and best["silhouette"] > 0.9
    assert found["rows"][0]["silhouette"] is None and found["rows"][0]["evidence"] is None
    assert max(found["rows"], key=lambda row: row["eigengap"])["speakers"] == 3


def test_evidence_of_voices_that_are_understood_is_in_nats() -> None:
    vectors = np.repeat(10 * np.eye(4)[:2], 40, axis=0)
    vectors = vectors + np.random.default_rng(1).normal(0, 1, vectors.shape)
    windows = np.arange(80)[:, None] + [0.0, 1.0]
    material = grouping.ClusterInput(vectors, windows, np.full(4, 25.0))
    rows = grouping.evidence_by_count(material, 3, Recipe("voice", counting="evidence"))
    assert rows[1]["evidence"] is not None and rows[1]["evidence"] < 0  # two are not one
    assert rows[0]["evidence"] is None  # there is nothing to merge


def test_voices_that_are_gone_are_one_sentence(trial: Trial) -> None:
    trial.voices.unlink()
    with pytest.raises(InputError, match="not kept any more"):
        lab_tasks.diarize(trial)


def test_no_speech_is_no_fault(trial: Trial) -> None:
    Voices((), np.zeros((0, 2)), np.zeros((0, 1)), None).save(trial.voices)
    assert lab_tasks.diarize(trial)["turns"] == []
    assert lab_tasks.voice_map(trial)["dots"] == lab_tasks.affinity(trial)["matrix"] == []
    assert lab_tasks.evidence(trial)["rows"] == []


# -- grids and profiles ------------------------------------------------------------------------


def test_grids_are_read_and_checked() -> None:
    grid = parameters.parse_grid(["speaker-threshold=0.4:0.5:0.05", "clustering=vbx,auto"])
    assert grid == {"speaker_threshold": [0.4, 0.45, 0.5], "clustering": ["vbx", "auto"]}
    assert len(parameters.points(grid)) == 6
    assert parameters.parse_grid(["speakers=auto,2"]) == {"speakers": [None, 2]}
    assert parameters.parse_grid(["max_speakers=1:3:1"])["max_speakers"] == [1, 2, 3]
    some = parameters.points(grid, 4)
    assert len(some) == 4 and some == parameters.points(grid, 4)
    assert all(point in parameters.points(grid) for point in some)
    usual = parameters.points(parameters.USUAL_GRID, 25)
    assert len({json.dumps(point) for point in usual}) == 25
    for name, text in _GRIDS.items():  # what the page offers
        assert parameters.parse_grid([f"{name}={text}"])[name]


def test_points_of_the_same_voices_follow_each_other() -> None:
    grid = parameters.parse_grid(["clustering=vbx,auto", "window_seconds=1,2"])
    assert [p["window_seconds"] for p in parameters.points(grid)] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    "text",
    ["speaker_threshold", "speaker_threshold=", "speaker_threshold=0.4:0.5", "beam_size=1,2",
     "speaker_threshold=0.5:0.4:0.1", "speaker_threshold=7", "clustering=best", "nothing=1",
     "speaker_threshold=0.1:0.9:0"],
)  # fmt: skip
def test_a_wrong_grid_is_one_sentence(text: str) -> None:
    with pytest.raises(SettingError, match=r"^[^\n]+$"):
        parameters.parse_grid([text])


def test_a_grid_has_an_end() -> None:
    grid: dict[str, list[Any]] = {"speaker_threshold": [0.5] * 100, "clustering": ["vbx"] * 100}
    for number in (None, parameters.MOST_POINTS + 1):
        with pytest.raises(SettingError, match="10000 settings"):
            parameters.points(grid, number)
    assert len(parameters.points(grid, 10)) == 10


@pytest.mark.parametrize(
    "changes",
    [{"recording": []}, {"recording": {}}, {"recording": {"digest": 1}}, {"model": []},
     {"parameters": 1}, {"parameters": None}, {"format": "other"}],
)  # fmt: skip
def test_what_is_no_export_is_one_sentence(tmp_path: Path, changes: dict[str, Any]) -> None:
    whole = {"format": parameters.FORMAT, "recording": {"digest": "a"}, "model": {}}
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**whole, "parameters": {}}))
    assert parameters.read_export(path)["parameters"] == parameters.checked({})
    for broken in ({**whole, "parameters": {}, **changes}, whole):
        path.write_text(json.dumps(broken))
        with pytest.raises(InputError, match=r"no result of the laboratory"):
            parameters.read_export(path)


def test_profiles_are_kept_and_go_over_other_settings(store: Store) -> None:
    kept = profiles.save(store, "  two  people ", {"speakers": 2, "channels": "mix"}, {"der": 0.1})
    assert kept.name == "two people" and kept.options == {"speakers": 2}
    with pytest.raises(InputError, match="already"):
        profiles.save(store, "two people", {"speakers": 3}, {})
    (found,) = profiles.list_profiles(store)
    assert found.options == {"speakers": 2} and found.source == {"der": 0.1}
    options = profiles.apply(found, JobOptions(diarize=False, beam_size=1).model_dump())
    assert (options["speakers"], options["beam_size"], options["diarize"]) == (2, 1, True)
    profiles.delete(store, "two people")
    with pytest.raises(InputError, match="no profile"):
        profiles.find(store, "two people")
    with pytest.raises(SettingError):
        profiles.save(store, "wrong", {"speakers": 99}, {})
    with pytest.raises(InputError, match="name"):
        profiles.save(store, " ", {}, {})


# -- on a bundled sample -----------------------------------------------------------------------


@pytest.fixture
def library(diarized: Store) -> Store:
    return diarized


@pytest.fixture
def job(library: Store) -> Job:
    return library.jobs()[-1]


def planned(job: Job, *texts: str) -> dict[str, Any]:
    grid = parameters.parse_grid(texts or ["speakers=1:4:1"])
    return sweeps.plan(parameters.job_settings(job), grid, RTTM)


def test_the_settings_of_a_job_give_its_turns(library: Store, job: Job) -> None:
    lab = laboratory.for_store(library)
    trial = lab.trial(job, parameters.job_settings(job))
    assert trial
    found = lab.run(job, lab_tasks.diarize, trial)
    assert tuple(parameters.turns_of(found)) == library.transcript(job.id).turns
    assert worker_named("laboratory")


def test_what_may_be_wanted_is_made_ahead(
    library: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = laboratory.for_store(library).trial(job, parameters.job_settings(job))
    assert trial
    lab_tasks._recording = None
    assert not lab_tasks.work_ahead(trial)  # nobody has asked about it
    lab_tasks.diarize(other(trial, resegment_rounds=0))
    while lab_tasks.work_ahead(trial):
        pass
    held = lab_tasks._recording
    assert held
    made = {"agglomerative": "agglomerative", "spectral": "spectral", "k-means": "k_means"}
    for way, maker in made.items():
        with monkeypatch.context() as patch:
            patch.setattr(clustering, maker, lambda *given, **more: pytest.fail("grouped again"))
            assert lab_tasks.diarize(other(trial, clustering=way, counting="likeness"))["turns"]
    held.features._read = lambda start, end: pytest.fail("the sound was read again")
    assert lab_tasks.diarize(other(trial, resegment_rounds=1))["turns"]
    lab_tasks._recording = None


def test_a_worker_that_is_killed_is_replaced_and_nobody_is_told(library: Store, job: Job) -> None:
    lab = laboratory.for_store(library)
    trial = lab.trial(job, parameters.job_settings(job))
    assert trial
    first = lab.run(job, lab_tasks.diarize, trial)
    worker = worker_named("laboratory")
    assert worker and worker.pid
    before = worker.pid
    os.kill(before, signal.SIGKILL)
    again = lab.run(job, lab_tasks.diarize, trial)
    assert again["turns"] == first["turns"] and worker.pid != before


def test_an_idle_worker_ends(library: Store, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCREVAI_MODEL_IDLE_SECONDS", "0")
    lab = laboratory.for_store(library)
    trial = lab.trial(job, parameters.job_settings(job))
    assert trial and lab.run(job, lab_tasks.diarize, trial)
    wait_until(lambda: not worker_named("laboratory"))


def test_no_room_is_one_sentence(library: Store, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCREVAI_MEMORY_BUDGET_MB", "300")
    lab = laboratory.for_store(library)
    trial = lab.trial(job, parameters.job_settings(job))
    assert trial
    with pytest.raises(InputError, match=r"about \d+ MB|no room"):
        lab.run(job, lab_tasks.diarize, trial)
    assert not worker_named("laboratory")


def test_a_warm_worker_is_no_leave_to_take_more(
    library: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = laboratory.for_store(library)
    trial = lab.trial(job, parameters.job_settings(job))
    assert trial and lab.run(job, lab_tasks.diarize, trial)
    monkeypatch.setenv("TRANSCREVAI_MEMORY_BUDGET_MB", "300")
    with pytest.raises(InputError, match=r"about \d+ MB|no room"):
        lab.run(replace(job, duration=36_000.0), lab_tasks.diarize, trial)


def test_room_that_was_promised_is_taken(library: Store, job: Job) -> None:
    settings = load_settings(memory_budget_mb=450 + base_bytes() // MB)
    other, worker = Worker("laboratory"), Worker("laboratory")
    laboratory.prepare_worker(other, settings, job, {"embedding": "mfcc", "overlap": False})
    with pytest.raises(InputError, match=r"about \d+ MB, and \d+ MB of .* are taken"):
        laboratory.prepare_worker(worker, settings, job, {"embedding": "mfcc", "overlap": False})
    laboratory.release_worker(other)
    laboratory.prepare_worker(worker, settings, job, {"embedding": "mfcc", "overlap": False})
    laboratory.release_worker(worker)


def test_jobs_that_wait_take_no_room(library: Store, job: Job) -> None:
    for number in range(5):
        waiting = library.add_job(library.wav(job.id), job.options, title=str(number))
        library.update_job(waiting.id, forecast=10**12)
    lab = laboratory.for_store(library)
    trial = lab.trial(job, parameters.job_settings(job))
    assert trial and lab.run(job, lab_tasks.diarize, trial)["turns"]
    assert not admission.kept()  # what is warm and idle gives way


def test_an_idle_worker_ends_after_a_moment_of_work_ahead(library: Store, job: Job) -> None:
    lab = laboratory.for_store(library)
    trial = lab.trial(job, parameters.job_settings(job))
    assert trial and lab.run(job, lab_tasks.diarize, trial)
    worker = worker_named("laboratory")
    assert worker and lab._timer
    lab._timer.cancel()
    with lab._lock, worker._busy:
        lab._timer = threading.Timer(0, lab._end_idle)
        lab._timer.start()
        lab._timer.join(0.2)  # it comes amid the work
    wait_until(lambda: not worker_named("laboratory"))


def test_voices_that_cannot_be_kept_are_not_sought_for_ever(
    library: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cache, "keep", lambda *args, **kwargs: False)
    lab, values = (
        laboratory.for_store(library),
        parameters.job_settings(job) | {"window_seconds": 2.2},
    )
    lab.find_voices(job, values).join()
    task = lab.voice_task(job, values)
    assert task and "cannot be kept" in str(task.error)
    assert lab.voice_task(job, values) is task  # whoever else looks is told too


def test_the_voices_of_a_deleted_job_are_not_kept(library: Store, job: Job) -> None:
    gone, values = replace(job, id="0" * 32), parameters.job_settings(job) | {"window_seconds": 2.3}
    wav = library.wav(gone.id)
    wav.parent.mkdir()
    wav.write_bytes(library.wav(job.id).read_bytes())
    with pytest.raises(Cancelled):
        laboratory.for_store(library).find_voices(gone, values).result()
    assert laboratory.for_store(library).trial(job, values) is None


def test_a_job_that_needs_the_room_ends_the_idle_laboratory(library: Store, job: Job) -> None:
    lab = laboratory.for_store(library)
    trial = lab.trial(job, parameters.job_settings(job))
    assert trial and lab.run(job, lab_tasks.diarize, trial)
    with Governor(library, load_settings()) as governor:
        wait_until(lambda: governor.end_idle() == 1)  # it may be working ahead for a moment
    assert not worker_named("laboratory")


def test_other_windows_are_other_voices(library: Store, job: Job) -> None:
    lab, values = (
        laboratory.for_store(library),
        parameters.job_settings(job) | {"window_seconds": 2.0},
    )
    assert lab.trial(job, values) is None
    task = lab.find_voices(job, values)
    task.join()
    assert not task.error and task.share == 1.0
    trial = lab.trial(job, values)
    assert trial and lab.run(job, lab_tasks.diarize, trial)["turns"]
    windows = Voices.load(trial.voices).windows
    assert np.diff(windows, axis=1).max() == pytest.approx(2.0)


def test_hearing_can_be_cancelled(library: Store, job: Job) -> None:
    lab, values = (
        laboratory.for_store(library),
        parameters.job_settings(job) | {"window_seconds": 3.0},
    )
    task = lab.find_voices(job, values)
    task.cancel()
    task.join()
    assert not task.error and lab.trial(job, values) is None


def test_a_sweep_finds_the_best_and_can_be_done_again(library: Store, job: Job) -> None:
    sweep = sweep_run.run(library, load_settings(), sweeps.create(library, job, planned(job)))
    assert sweep.state == "done" and sweep.share == 1.0
    best = sweep.plan["points"][sweep.ranked()[0]]
    assert best == {"speakers": 3} and sweep.tied == 1  # so many there are
    exported = sweeps.as_dict(job, sweep)
    assert exported["parameters"]["speakers"] == 3 and len(exported["sweep"]["results"]) == 4
    assert exported["recording"]["digest"] == job.digest
    assert exported["sweep"]["reference"] == hashlib.sha256(RTTM.encode()).hexdigest()
    sweeps.create(library, job, planned(job))
    with pytest.raises(InputError, match="gone"):  # only the last one is kept
        sweeps.find(library, sweep.id)


def test_a_killed_worker_costs_a_sweep_nothing(
    library: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_id = sweeps.create(library, job, planned(job))
    killed: list[Any] = []

    def kill(sweep: sweeps.Sweep) -> None:
        worker = worker_named("sweep")
        assert worker and worker.pid
        if not killed:
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    sweep = sweep_run.run(library, load_settings(), sweep_id, on_result=kill)
    assert killed and sweep.state == "done" and len(sweep.ranked()) == 4


def test_a_cancelled_sweep_keeps_what_is_done_and_goes_on(library: Store, job: Job) -> None:
    sweep_id = sweeps.create(library, job, planned(job))
    with pytest.raises(Cancelled):
        sweep_run.run(
            library, load_settings(), sweep_id,
            on_result=lambda sweep: sweeps.cancel(library, sweep_id),
        )  # fmt: skip
    half = sweeps.find(library, sweep_id)
    assert half.state == "cancelled" and len(half.results) == 1 and half.left
    seen = []
    whole = sweep_run.run(
        library, load_settings(), sweep_id, on_result=lambda s: seen.append(len(s.results))
    )
    assert whole.state == "done" and seen == [2, 3, 4]
    assert whole.results[0] == half.results[0]


def test_going_on_at_once_after_a_cancel_is_another_run(library: Store, job: Job) -> None:
    sweep_id, tasks = sweeps.create(library, job, planned(job)), []

    def again(sweep: sweeps.Sweep) -> None:
        sweeps.cancel(library, sweep_id)
        tasks.append(sweep_run.start(laboratory.for_store(library), sweep_id))

    with pytest.raises(Cancelled):
        sweep_run.run(library, load_settings(), sweep_id, on_result=again)
    tasks[0].join()
    found = sweeps.find(library, sweep_id)
    assert len(tasks) == 1 and found.state == "done" and len(found.ranked()) == 4


def test_what_failed_is_tried_when_a_sweep_goes_on(
    library: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_id, calls = sweeps.create(library, job, planned(job, "speakers=2,3")), []

    def die(*args: Any, **kwargs: Any) -> None:
        calls.append(args)
        raise WorkerDied("It needed too much.", "memory")

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "call", die)
        failed = sweep_run.run(library, load_settings(), sweep_id)
    assert len(calls) == 2 and len(failed.results) == 2 and not failed.ranked()
    assert len(sweep_run.run(library, load_settings(), sweep_id).ranked()) == 2


def test_a_sweep_whose_program_died_is_not_running(library: Store, job: Job) -> None:
    sweep_id = sweeps.create(library, job, planned(job))
    with library.database.write() as db:
        db.execute("UPDATE sweeps SET state = 'running', owner = '1:gone' WHERE id = ?",
                   (sweep_id,))  # fmt: skip
    assert not sweeps.find(library, sweep_id).is_running
    assert sweep_run.run(library, load_settings(), sweep_id).state == "done"


def test_a_fault_does_not_look_as_if_a_sweep_ran_for_ever(library: Store, job: Job) -> None:
    sweep_id = sweeps.create(library, job, planned(job))

    def stumble(sweep: sweeps.Sweep) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sweep_run.run(library, load_settings(), sweep_id, on_result=stumble)
    found = sweeps.find(library, sweep_id)
    assert (
        not found.is_running and "unexpected fault" in str(found.error) and len(found.results) == 1
    )


def test_nobody_works_on_a_sweep_twice(library: Store, job: Job) -> None:
    sweep_id = sweeps.create(library, job, planned(job))
    held, going = threading.Event(), threading.Event()

    def wait(sweep: sweeps.Sweep) -> None:
        going.set()
        held.wait(CEILING)

    thread = threading.Thread(
        target=sweep_run.run, args=(library, load_settings(), sweep_id), kwargs={"on_result": wait}
    )
    thread.start()
    assert going.wait(CEILING)
    owner = sweeps.find(library, sweep_id).owner
    with pytest.raises(InputError, match="runs already"):
        sweep_run.run(library, load_settings(), sweep_id)
    assert sweeps.find(library, sweep_id).owner == owner
    held.set()
    thread.join()
    assert sweeps.find(library, sweep_id).state == "done"


def test_a_sweep_needs_a_reference(library: Store, job: Job) -> None:
    with pytest.raises(InputError, match="reference"):
        sweeps.plan(parameters.job_settings(job), {"speakers": [2]}, "nothing")


# -- references --------------------------------------------------------------------------------


def line(times: str, recording: str = "a") -> str:
    return f"SPEAKER {recording} 1 {times} <NA> <NA> b <NA> <NA>\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"nothing", "holds no turn"),
        ("SPEAKER a 1 0 1 <NA> <NA> Antônio <NA> <NA>".encode("latin-1"), "no text in UTF-8"),
        ((line("0 1", "x") + line("1 1", "y")).encode(), "2 recordings, and none of them"),
        (line("1e9 3").encode(), "from 1000000000 s to 1000000003 s"),
        (line("0 1e6").encode(), r"from 0 s to 1000000 s, but pt.flac is 74\.6 s long"),
        (line("-60 61").encode(), "from -60 s to 1 s"),
        *((line(times).encode(), "Line 1 of the RTTM")
          for times in ("nan 1", "1 nan", "1 inf", "-inf 1", "1 0", "1 -1")),
    ],
)  # fmt: skip
def test_what_is_no_reference_is_one_sentence(
    library: Store, job: Job, tmp_path: Path, content: bytes, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence) as told:
        sweeps.keep_reference(library, job, "right.rttm", content)
    assert "\n" not in str(told.value) and sweeps.kept_reference(library, job.id) is None
    file = tmp_path / "right.rttm"
    file.write_bytes(content)
    with pytest.raises(InputError, match=sentence):  # and so it is from the command line
        command(job.id, "--reference", file)


def test_a_reference_is_kept_with_its_name_and_removed(library: Store, job: Job) -> None:
    # a mark of the order of bytes is no part of the first line
    sweeps.keep_reference(library, job, "the  right\none.txt", b"\xef\xbb\xbf" + RTTM.encode())
    kept = sweeps.kept_reference(library, job.id)
    assert kept == sweeps.Reference("the right one.txt", RTTM)
    assert kept and len(kept.turns) == len(RTTM.splitlines()) == 12
    sweeps.reference_file(library, job.id).write_text("\ufeff" + RTTM, encoding="utf-8")
    assert sweeps.kept_reference(library, job.id) == sweeps.Reference("", RTTM)  # an older one
    sweeps.remove_reference(library, job.id)
    assert sweeps.kept_reference(library, job.id) is None


def test_of_several_recordings_a_reference_is_the_one_of_that_title(job: Job) -> None:
    both = line("0 1", "my_talk") + line("0 2", "other") + line("3 1", "my_talk")
    found = sweeps.read_reference(replace(job, title="my talk"), "all.rttm", both.encode())
    assert found.text == line("0 1", "my_talk") + line("3 1", "my_talk")


def test_a_mark_of_the_order_of_bytes_costs_no_turn(
    library: Store, job: Job, tmp_path: Path
) -> None:
    rates = []
    for mark in ("", "\ufeff"):
        file = tmp_path / "right.rttm"
        file.write_text(mark + RTTM, encoding="utf-8")
        result = command(job.id, "--reference", file, "--json")
        rates.append(json.loads(result.stdout)["score"]["der"])
        assert "against" in result.stderr and "right.rttm" in result.stderr.replace("\n", "")
    assert rates[0] == rates[1] < 0.2


def test_settings_that_are_as_good_are_counted() -> None:
    rates = {0: 0.5, 1: 0.1, 2: 0.1 + 1e-12, 3: 0.1}
    results = {n: {"der": rate} for n, rate in rates.items()} | {4: {"error": "It failed."}}
    assert sweeps.Sweep("a", "b", 0.0, "done", {}, results).tied == 3
    assert sweeps.Sweep("a", "b", 0.0, "done", {}, {}).tied == 0


def test_a_sweep_with_a_given_number_says_what_cannot_change_it(
    library: Store, job: Job, tmp_path: Path
) -> None:
    file = tmp_path / "right.rttm"
    file.write_text(RTTM)
    words = [job.id, "--speakers", 4, "-r", file, "--sweep", "speaker_threshold=0.4,0.8"]
    said = command(*words).stderr
    assert "fixed, and not as by default: speakers=4, embedding=mfcc" in said
    assert "speaker_threshold has no effect: the number of speakers is given, 4; with" in said
    assert "2 of the 2 settings come to the same, least DER" in said
    said = command(*words, "--sweep", "speakers=auto").stderr
    assert "no effect" not in said and "speakers=4" not in said


# -- from the command line ---------------------------------------------------------------------


def command(*words: object) -> Any:
    result = CliRunner().invoke(app, ["tune", *map(str, words)])
    if isinstance(result.exception, Exception):
        raise result.exception
    return result


def test_from_an_export_come_the_same_turns(library: Store, job: Job, tmp_path: Path) -> None:
    kept = tmp_path / "result.json"
    first = command(job.id, "--speakers", 4, "--min-turn-seconds", 0.5, "--json")
    exported = json.loads(first.stdout)
    kept.write_text(first.stdout)
    assert exported["recording"]["digest"] == job.digest
    assert exported["model"] == {"embedding": "mfcc", "file": "", "revision": REVISION}
    assert exported["parameters"]["speakers"] == 4
    again = json.loads(command(PT, "--from", kept, "--json").stdout)
    assert again["turns"] == exported["turns"] and again["parameters"] == exported["parameters"]
    assert len({turn[2] for turn in again["turns"]}) == 4
    # nothing in the library has changed
    assert len(library.transcript(job.id).speakers) != 4


def test_a_sweep_from_the_command_line_saves_a_profile(
    library: Store, job: Job, tmp_path: Path
) -> None:
    reference = tmp_path / "right.rttm"
    reference.write_text(RTTM)
    result = command(job.id, "--sweep", "speakers=2,3", "--reference", reference, "--collar", 0.25,
                     "--save-profile", "best", "--json")  # fmt: skip
    exported = json.loads(result.stdout)
    assert [row["settings"] for row in exported["sweep"]["results"]] == [
        {"speakers": 2},
        {"speakers": 3},
    ]
    profile = profiles.find(library, "best")
    assert profile.options["speakers"] == 3
    assert profile.source["digest"] == job.digest and profile.source["collar"] == 0.25
    assert profile.source["reference"] == exported["sweep"]["reference"]
    # nothing in the library has changed but that
    assert "DER" not in result.stdout and not sweeps.reference_file(library, job.id).is_file()
    with pytest.raises(InputError, match="already"):
        command(job.id, "--save-profile", "best")
    assert command(job.id, "--json").exit_code == 0
    out = CliRunner().invoke(app, ["diarize", str(PT), "--profile", "best", "--json"])
    assert out.exit_code == 0 and json.loads(out.stdout)[0]["diarization"]["speakers"] == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere.wav"], "no file"),
        (["zzzz"], "jobs have an id"),
        ([PT, "--sweep", "speakers=1"], "--reference"),
        ([PT, "--speakers", 99], "speakers is 99"),
        ([PT, "--from", PT], "result of the laboratory"),
    ],
)
def test_wrong_use_is_one_sentence(
    library: Store, job: Job, words: list[Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        command(*words)
