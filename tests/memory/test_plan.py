"""What a job will need and whether that fits, with models whose needs are easy to read."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from transcrevai_core.errors import InputError
from transcrevai_core.memory import forecast
from transcrevai_core.memory import plan as budget
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.memory.levels import Limits
from transcrevai_core.memory.plan import (
    Need,
    Plan,
    check,
    differences,
    emergency,
    lighter,
    plan_job,
)
from transcrevai_core.memory.readings import MB
from transcrevai_core.options import JobOptions

NEEDS = {"large-v3": 3_000, "medium": 1_500, "small": 600, "base": 300, "tiny": 200, "demo": 100}


@pytest.fixture(autouse=True)
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of 100 MB; models that need what NEEDS says, twice that in float32."""

    def transcription(shape: Any) -> Any:
        return NEEDS[shape.model] * MB * (2 if shape.compute_type == "float32" else 1)

    monkeypatch.setattr(forecast, "transcription_bytes", transcription)
    monkeypatch.setattr(forecast, "diarization_bytes", lambda embedding, seconds, **more: 200 * MB)
    monkeypatch.setattr(forecast, "prepare_bytes", lambda seconds: 120 * MB)
    monkeypatch.setattr(forecast, "GENERAL", [n for n in NEEDS if n != "demo"])
    monkeypatch.setattr(budget, "base_bytes", lambda: 100 * MB)
    here(monkeypatch, "small", "base", "tiny", "demo")


def here(monkeypatch: pytest.MonkeyPatch, *names: Any) -> None:
    monkeypatch.setattr(budget, "locate", lambda name: name if name in names else None)


def limits(budget_mb: int) -> Limits:
    return Limits(budget_mb * MB, 0.5, 0.8, 1.0)  # half of it can be planned


def plan(
    budget_mb: int = 10_000,
    cores: int = 4,
    correct: Callable[..., Any] = lambda key: 1.0,
    **options: Any,
) -> Plan:
    asked = JobOptions(**{"model": "base", **options})
    return plan_job(asked, 60.0, limits(budget_mb), cores, correct)


def test_stages_go_side_by_side_where_budget_and_processors_allow() -> None:
    both = plan()
    assert both.side_by_side and both.total_bytes == (100 + 300 + 200) * MB
    for less in (plan(budget_mb=1_100), plan(cores=1)):
        assert not less.side_by_side and less.total_bytes == (100 + 300) * MB
    assert plan(model="none").total_bytes == (100 + 200) * MB
    assert plan(diarize=False).total_bytes == (100 + 300) * MB
    assert plan(model="demo", diarize=False).total_bytes == (100 + 120) * MB  # to prepare it


@pytest.mark.parametrize(
    ("cores", "options", "threads"),
    [
        (1, {}, 1), (2, {}, 1), (4, {}, 3), (9, {}, 4), (4, {"diarize": False}, 4),
        (2, {"threads": 8}, 8),
    ],
)  # fmt: skip
def test_processors_are_split_between_the_stages(
    cores: int, options: dict[str, Any], threads: int
) -> None:
    assert plan(cores=cores, **options).shape.threads == threads


def test_past_runs_correct_the_forecast_of_their_like() -> None:
    corrected = plan(correct=lambda key: 1.5 if key.startswith("base") else 1.0)
    assert corrected.needs["transcription"] == Need("base, int8, beam 5", 300 * MB, 450 * MB)
    assert corrected.total_bytes == (100 + 450 + 200) * MB


def test_auto_takes_the_largest_on_this_computer_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(budget_mb: int) -> Any:
        return plan(budget_mb, model="auto").shape.model

    assert [chosen(mb) for mb in (100_000, 1_400, 1_300, 700, 100)] == [
        "small", "small", "base", "tiny", "tiny",
    ]  # fmt: skip
    here(monkeypatch)
    assert chosen(100_000) == "large-v3"  # nothing is here, so it has to be fetched
    assert chosen(3_200) == "medium"


def refused(budget_mb: int, **options: Any) -> str:
    asked = JobOptions(**{"model": "base", **options})
    made = plan_job(asked, 60.0, limits(budget_mb), 4)
    with pytest.raises(InputError) as error:
        check(asked, made, limits(budget_mb), lambda key: 1.0)
    return str(error.value)


def test_what_does_not_fit_is_refused_with_the_nearest_that_does() -> None:
    assert refused(1_000, model="medium") == (
        "The model medium needs about 1600 MB with the rest of the program, and 500 MB of the "
        "memory budget of 1000 MB can be planned; base (about 400 MB) or a budget of 3200 MB would "
        "be right."
    )
    assert "small in int8 (about 700 MB) or" in refused(
        1_500, model="small", compute_type="float32"
    )
    assert refused(200, model="tiny").endswith(
        "100 MB of the memory budget of 200 MB can be planned; a budget of 600 MB would be right."
    )
    assert refused(200, model="none").startswith("Telling the speakers apart needs about 300 MB")
    check(JobOptions(model="base"), plan(800), limits(800), lambda key: 1.0)  # just fits


def test_each_step_is_lighter_in_one_way_until_none_is_left() -> None:
    shape = Shape("small", "float32", threads=4)
    steps = []
    while (after := lighter(shape)) != shape:
        steps.append(str(differences(shape, after)))
        shape = after
    assert steps == ["1 thread", "chunks of 10 s", "int8", "the model base", "the model tiny"]


def test_models_that_are_not_here_are_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    here(monkeypatch, "tiny")
    shape = Shape("small", chunk_seconds=10.0)
    assert lighter(shape).model == "tiny"
    here(monkeypatch)
    assert lighter(shape) == shape


def test_the_emergency_profile_is_the_lightest_of_all() -> None:
    assert emergency(Shape("small", "float32", 4)) == Shape("tiny", "int8", 1, 5, 10.0)
    assert emergency(Shape("demo", "auto", 2)) == Shape("demo", "auto", 1, 5, 10.0)
    assert not differences(Shape("base"), Shape("base"))


def test_peaks_add_up_as_the_plan_says() -> None:
    both = Plan(Shape("base"), {}, True, 2, 0)
    peaks = {"prepare": 5, "transcription": 3, "diarization": 4}
    assert both.together(peaks) == 7
    assert both.sequential().together(peaks) == 5
    assert dataclasses.replace(both, side_by_side=False).together({"diarization": 4}) == 4
