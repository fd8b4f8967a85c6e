"""What the parts cost, when growth is a leak, and what follows in words."""

import json
import os
import random
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from conftest import known
from helpers import run_cli
from rich.console import Console
from typer.testing import CliRunner

from transcrevai_core import cli, workers
from transcrevai_core.cli.doctor import components_table, environment_table
from transcrevai_core.demo import MODEL_DIR
from transcrevai_core.doctor import advice as doctor
from transcrevai_core.doctor import costs, probes
from transcrevai_core.doctor.costs import RUNS, Biggest, Component, biggest, is_leak, measure, slope
from transcrevai_core.doctor.environment import Environment, LocalModel, local_models
from transcrevai_core.doctor.probes import Probe
from transcrevai_core.errors import Cancelled
from transcrevai_core.library.leftovers import size_of
from transcrevai_core.memory import forecast
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.memory.readings import MB
from transcrevai_core.workers.worker import Worker

NAMES = ["worker", "audio", "speech", "transcription", "diarization", "web"]
FIGURES = [
    "import_bytes", "load_bytes", "first_run_bytes", "peak_bytes", "growth_bytes",
    "growth_bytes_per_run", "released_bytes",
]  # fmt: skip


def megabytes(*values: Any) -> list[Any]:
    return [round(value * MB) for value in values]


@pytest.mark.parametrize(
    ("resident", "leak"),
    [
        ([100] * 10, False),
        ([100, 140, 150, 151, 151, 151, 151, 151, 151, 151], False),  # warming up
        ([100, 105, 110, 115, 115.3, 115.6, 115.9, 116.2, 116.5, 116.8], False),  # 0.3 MB a run
        ([100, 101, 102, 103, 104, 105, 106, 107, 108, 109], True),
        ([100, 150, 150, 151, 153, 153, 155, 155, 157, 157], True),  # in small steps
        ([100, 100, 100, 100, 100, 100, 108, 108, 108, 108], False),  # one leap
        ([100, 100, 100, 112, 100, 111, 101, 113, 100, 112], False),  # up and down
        ([100, 100, 100, 101, 102, 103, 80, 105, 106, 107], False),  # a straight line is not it
        ([109, 108, 107, 106, 105, 104, 103, 102, 101, 100], False),
    ],
)
def test_growth_is_a_leak_where_it_goes_on_and_on(resident: Any, leak: bool) -> None:
    assert is_leak(megabytes(*resident)) is leak


def test_noise_is_hardly_ever_a_leak_and_does_not_hide_one() -> None:
    chance = random.Random(1)
    noisy = [[chance.gauss(100, 3) for _ in range(RUNS)] for _ in range(1_000)]
    assert sum(is_leak(megabytes(*series)) for series in noisy) < 30
    rising = [[3 * run + chance.gauss(100, 1) for run in range(RUNS)] for _ in range(1_000)]
    assert sum(is_leak(megabytes(*series)) for series in rising) > 970


def test_the_slope_is_that_of_most_pairs() -> None:
    assert slope([0, 2, 4, 6]) == 2
    assert slope([0, 2, 4, 600, 8, 10, 12]) == 2
    assert slope([5, 5, 5]) == 0


WELL = Environment(
    versions={"python": "3.11.7"},
    system="Linux",
    cores=4,
    work_cores=2,
    limit_bytes=8_000 * MB,
    pressure=0.5,
    swap_bytes=0,
    budget_bytes=4_000 * MB,
    room_bytes=4_000 * MB,
    degraded=0.75,
    emergency=0.80,
    kill=0.85,
    prepare_limit_bytes=256 * MB,
    diarization_limit_bytes=512 * MB,
    compute_types={"cpu": ["float32", "int8"]},
    models=[
        LocalModel("demo", 4 * MB, 180 * MB, True),
        LocalModel("small", 490 * MB, 790 * MB, False),
    ],
    home="/data",
    free_disk_bytes=50_000 * MB,
    library_bytes=0,
    cache_bytes=0,
)
PARTS = [
    Component("worker", 44 * MB, None, *megabytes(0, 44, 0, 0, 0)),
    Component("speech", *megabytes(46, 11, 1, 120, 0, 0, 1)),
    Component("transcription", *megabytes(27, 24, 16, 180, 3, 0, 5)),
    Component("diarization", *megabytes(68, 15, 5, 150, 0, 0, 5)),
    Component("web", 35 * MB, None, None, 79 * MB),
]


def with_part(name: str, **changes: Any) -> list[Component]:
    return [replace(part, **changes) if part.name == name else part for part in PARTS]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"pressure": 0.76}, "76% of the memory is in use, and from 75% on no job begins"),
        ({"swap_bytes": 900 * MB}, "900 MB are swapped out"),
        ({"free_disk_bytes": 1_500 * MB}, "1500 MB are left on the disk of /data"),
        ({"cores": 1}, "one core only"),
        ({"room_bytes": 500 * MB}, "small (790 MB); the largest here that fits is demo."),
        ({"room_bytes": 100 * MB}, "demo (180 MB), small (790 MB); none here fits."),
        ({"prepare_limit_bytes": 119 * MB}, "prepare_limit_mb lets the worker take 119 MB"),
        ({"diarization_limit_bytes": 149 * MB}, "diarization_limit_mb lets the worker take 149 MB"),
        ({"budget_bytes": 400 * MB}, "up to 409 MB, more than the budget of 400 MB"),
    ],
)
def test_what_the_environment_lacks_becomes_one_sentence(
    changes: dict[str, Any], sentence: str
) -> None:
    (advice,) = doctor.advise(PARTS, replace(WELL, **changes))
    assert sentence in advice and advice.endswith(".")


def test_where_all_is_well_nothing_stands_out() -> None:
    assert doctor.advise(PARTS, WELL) == [doctor.NOTHING]
    just = replace(WELL, pressure=0.749, swap_bytes=800 * MB, free_disk_bytes=2_000 * MB)
    assert doctor.advise(PARTS, just) == [doctor.NOTHING]


def test_a_leak_and_a_failure_are_told() -> None:
    leaking = with_part("transcription", leak=True, growth_bytes_per_run=1_500_000)
    (advice,) = doctor.advise(leaking, WELL)
    assert advice.startswith("transcription grows by 1.5 MB a run")
    failed = with_part("speech", failed=True, note="Its worker ended unexpectedly.")
    (advice,) = doctor.advise(failed, WELL)
    assert advice == "speech could not be measured: Its worker ended unexpectedly."


def test_the_biggest_share_is_that_of_the_highest_peak() -> None:
    # 180 less 44 for the process, 27 for imports, 24 for the model
    assert biggest(PARTS) == Biggest(
        "transcription", 180 * MB, "what it takes while loading and working", 85 * MB
    )
    large = with_part("transcription", load_bytes=900 * MB, peak_bytes=1_100 * MB)
    assert biggest(large) == Biggest("transcription", 1_100 * MB, "what it loads", 900 * MB)
    assert biggest(PARTS[:1]) == Biggest("worker", 44 * MB, "the empty process", 44 * MB)
    assert biggest([Component("worker", failed=True)]) is biggest([]) is None


def drawn(table: Any) -> str:
    page = StringIO()
    Console(width=80, file=page).print(table)
    return page.getvalue()


def test_the_table_fits_eighty_columns() -> None:
    parts = [*PARTS, Component("audio", failed=True, note="It failed.")]
    large = Component("transcription", *megabytes(1234, 3456, 1234, 9876, -123.4, -12.3, 4321))
    text = drawn(components_table([*parts, large]))
    assert all(len(line) <= 80 for line in text.splitlines())
    assert all(name in text for name in NAMES)
    for value in ("3456", "9876", "-123.4", "-12.3", "failed", "leak", "a run", "freed"):
        assert value in text
    assert "-0" not in drawn(
        components_table([Component("worker", *megabytes(-0.2, 0, 0, 0, -0.01))])
    )
    text = drawn(environment_table(WELL))
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "about 790 MB" in text and "4, 2 of them for work" in text


def test_models_are_listed_with_what_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    own = tmp_path / "own"
    own.mkdir()
    (own / "model.bin").write_bytes(bytes(5_000))
    found = {here.name: here for here in local_models(str(own))}
    assert found[str(own)] == LocalModel(
        str(own), 5_000, forecast.transcription_bytes(Shape(str(own))), False
    )
    assert found["demo"].disk_bytes == size_of(MODEL_DIR) > 3 * MB
    (bundled,) = (here for here in local_models("demo", 180 * MB) if here.name == "demo")
    assert bundled.need_bytes == 180 * MB and bundled.measured
    assert size_of(tmp_path / "nowhere") == 0


kept: list[Any] = []


def keep_memory(megabytes: int) -> None:
    kept.append(b"x" * (megabytes * MB))


def die(*args: Any) -> None:
    os._exit(3)


def refuse() -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.slow
def test_growth_is_measured_in_a_fresh_process_that_ends() -> None:
    shares: list[Any] = []
    worker = Worker("test")
    found = measure(
        # these functions come with this file, whose imports are not to be counted with them
        Probe("test", (__name__,), keep_memory, (50,), keep_memory, (4,)),
        worker,
        on_progress=shares.append,
    )
    assert 48 * MB < known(found.load_bytes) < 55 * MB
    assert 3.5 * MB < known(found.first_run_bytes) < 6 * MB
    assert 35 * MB < known(found.growth_bytes) < 40 * MB
    assert 3.8 * MB < known(found.growth_bytes_per_run) < 4.4 * MB
    assert found.leak and not found.failed
    assert known(found.peak_bytes) > sum(
        map(known, (found.import_bytes, found.load_bytes, found.first_run_bytes))
    )
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert worker.pid is None and worker not in workers.live()


@pytest.mark.slow
def test_what_goes_wrong_is_one_sentence_beside_what_was_measured() -> None:
    found = measure(Probe("test", load=refuse), Worker("test"))
    assert found.failed and known(found.import_bytes) > 0 and found.load_bytes is None
    assert found.note == "It failed (OSError: [Errno 28] No space left on device)."
    found = measure(Probe("test", ("there_is_no_such_module",)), Worker("test"))
    assert found.failed and "No module named" in found.note
    greedy = Probe("test", load=keep_memory, load_args=(400,))
    found = measure(greedy, Worker("test", limit_bytes=200 * MB))
    assert found.failed and "more memory than its limit of 200 MB" in found.note
    with pytest.raises(Cancelled):
        measure(Probe("test"), Worker("test"), should_stop=lambda: True)


@pytest.mark.slow
def test_a_component_that_dies_is_a_row_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def few(spec: Any, decoding: Any, folder: Path) -> list[Any]:
        plan = {probe.name: probe for probe in real(spec, decoding, folder)}
        return [plan["worker"], plan["audio"], plan["speech"]]

    real = probes.probes
    monkeypatch.setattr(probes, "probes", few)
    monkeypatch.setattr(probes, "read_sample", die)
    done = CliRunner().invoke(cli.app, ["doctor", "--json"])
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    worker, audio, speech = report["components"]
    assert not worker["failed"] and worker["note"] == ""
    assert audio["failed"] and audio["note"] == "Its worker ended unexpectedly."
    assert audio["import_bytes"] > 0 and audio["first_run_bytes"] is None
    # it has nothing to hear, and says so, after its network was loaded
    assert speech["load_bytes"] > 0 and "the sample was not decoded" in speech["note"]
    assert len(report["advice"]) == 2 and all("could not" in text for text in report["advice"])
    told = CliRunner().invoke(cli.app, ["doctor"])
    assert told.exit_code == 1 and "audio: Its worker ended unexpectedly." in told.stdout
    assert not workers.live()


@pytest.mark.slow
def test_the_whole_program_is_measured_on_the_demo_model(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "RUNS", 6)  # fewer than for users, for the time they take
    done = CliRunner().invoke(cli.app, ["doctor", "--json"])
    assert done.exit_code == 0, done.stderr
    assert "measuring" in done.stderr
    report = json.loads(done.stdout)
    assert set(report) == {"components", "biggest", "environment", "advice", "model"}
    assert report["model"] == "demo"
    assert [part["name"] for part in report["components"]] == NAMES
    parts = {part["name"]: part for part in report["components"]}
    for part in parts.values():
        assert {"name", *FIGURES, "leak", "note"} <= set(part)
        assert not part["failed"] and not part["leak"], part
        assert 10 * MB < part["peak_bytes"] < 1_000 * MB
    assert 20 * MB < parts["worker"]["import_bytes"] < 100 * MB
    for name in ("speech", "transcription", "diarization"):
        assert parts[name]["import_bytes"] > 5 * MB
        assert parts[name]["load_bytes"] > 1 * MB
        assert parts[name]["released_bytes"] > 0
        assert abs(parts[name]["growth_bytes"]) < 50 * MB
    assert parts["web"]["import_bytes"] > 5 * MB and parts["web"]["growth_bytes"] is None
    assert report["biggest"]["peak_bytes"] == max(part["peak_bytes"] for part in parts.values())
    environment = report["environment"]
    assert environment["home"] == str(home) and not home.exists()  # looking leaves no trace
    assert environment["cores"] >= 1 and 0 < environment["pressure"] <= 1
    assert set(environment["versions"]) >= {"python", "streamlit", "ctranslate2", "joblib"}
    assert "float32" in environment["compute_types"]["cpu"]
    (demo,) = (model for model in environment["models"] if model["name"] == "demo")
    assert demo["need_bytes"] == parts["transcription"]["peak_bytes"] and demo["measured"]
    assert report["advice"] and all(text.endswith(".") for text in report["advice"])


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("tiny", "The model tiny is not on this computer"),
        ("no/such", "The model no/such is not on this computer"),
        ("none", "The model none is not on this computer"),
        ("", "model is ''"),
    ],
)
def test_a_model_that_is_not_here_gets_one_sentence(
    model: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    done = run_cli("doctor", "--model", model)
    assert done.returncode == 2 and sentence in done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
