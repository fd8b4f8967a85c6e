"""How long a job takes, and how far it is."""

from pathlib import Path
from types import MappingProxyType

import pytest
from paging import put_model

from transcrevai_core.memory.forecast import Shape
from transcrevai_core.memory.pace import Pace, pace_of
from transcrevai_core.memory.plan import Need, Plan

STAGES = ("prepare", "transcription", "diarization")


def plan(model: str = "base", threads: int = 1, side_by_side: bool = False) -> Plan:
    needs = MappingProxyType({stage: Need(stage, 0, 0) for stage in STAGES})
    return Plan(Shape(model, threads=threads), needs, side_by_side, 1, 0)


@pytest.mark.parametrize(
    ("side_by_side", "order"),
    [
        (True, ("download", "prepare", "transcription", "diarization")),
        (False, ("download", "prepare", "diarization", "transcription")),
    ],
)
def test_the_share_that_is_done_never_goes_back(side_by_side: bool, order: tuple[str, ...]) -> None:
    took = {"download": 20.0, "prepare": 3.0, "transcription": 40.0, "diarization": 60.0}
    pace = Pace(took, side_by_side)
    shares = [pace.share(stage, done / 10) for stage in order for done in range(11)]
    assert shares[0] == 0 and shares[-1] == 1
    assert shares == sorted(shares)
    lefts = [pace.left(share, share * pace.total) for share in shares]
    assert lefts == sorted(lefts, reverse=True)
    assert lefts[0] == pytest.approx(pace.total) and lefts[-1] == 0


@pytest.mark.usefixtures("hub")
def test_a_model_that_is_not_here_is_waited_for_too(hub: Path) -> None:
    absent = pace_of(plan("base"), 100.0, lambda stage, key: None)
    put_model(hub, "Systran/faster-whisper-base")
    here = pace_of(plan("base"), 100.0, lambda stage, key: None)
    assert absent.total - here.total == absent.stages["download"] > 10
    assert "download" not in pace_of(plan("demo"), 100.0, lambda stage, key: None).stages


def test_what_it_took_counts_more_than_what_was_forecast() -> None:
    pace = Pace({"prepare": 8.0, "transcription": 90.0}, False)
    assert pace.left(0.5, 200.0) == pytest.approx(125.0)  # half of it took four times as long
    assert pace.left(0.9, 360.0) == pytest.approx(37.0)


@pytest.mark.usefixtures("hub")
def test_its_like_tells_more_than_a_rule_of_thumb() -> None:
    known = {("transcription", "transcription"): 0.5}
    pace = pace_of(plan(), 100.0, lambda stage, key: known.get((stage, key)))
    assert pace.stages["transcription"] == 50.0
    thumb = pace_of(plan(), 100.0, lambda stage, key: None)
    assert 0 < thumb.stages["prepare"] < thumb.stages["transcription"] < 50
    larger = pace_of(plan("small"), 100.0, lambda stage, key: None)
    assert larger.total > 2 * thumb.total - 10
    threads = pace_of(plan(threads=4), 100.0, lambda stage, key: None)
    assert threads.stages["transcription"] < thumb.stages["transcription"] / 2
    beside = pace_of(plan(side_by_side=True), 100.0, lambda stage, key: None)
    assert beside.total < thumb.total
