"""How far a job is told to be, over all of its stages as they really come: it never goes back."""

from typing import Any

import pytest

from transcrevai_core import demo
from transcrevai_core.codes import Stage
from transcrevai_core.jobs import direct, progress
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.types import Chunk, Turn

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cores", ["1", "4"])  # text and speakers one after another, and beside
@pytest.mark.parametrize("known", [True, False])  # the length, before it is read
def test_the_bar_never_goes_back(
    store: Store, monkeypatch: pytest.MonkeyPatch, cores: str, known: bool
) -> None:
    monkeypatch.setenv("TRANSCREVAI_WORK_CORES", cores)
    settings = load_settings()
    options = settings.job_options({"model": "demo", "embedding": "mfcc"})
    job = direct.open_job(store, demo.sample_path("en"), options)
    if known:  # as what was dropped has it
        store.update_job(job.id, duration=60.0)
    seen: list[tuple[str, float]] = []
    update = Store.update_job

    def watched(self: Store, job_id: str, **changes: Any) -> None:
        update(self, job_id, **changes)
        if "progress" in changes and changes.get("state") != "done":
            job = self.job(job_id)
            seen.append((str(job.stage), progress.how_far(self, settings, job)[0]))

    monkeypatch.setattr(Store, "update_job", watched)
    with Governor(store, settings) as governor:
        assert direct.run(governor, job).state == "done"
    assert {stage for stage, share in seen} >= {"reading the recording", "transcribing"}
    shares = [share for stage, share in seen]
    assert shares == sorted(shares), seen


def at(store: Store, job_id: str, stage: Stage, done: float) -> float:
    store.update_job(job_id, stage=stage(), progress=done)
    return progress.how_far(store, load_settings(), store.job(job_id))[0]


def test_nothing_goes_back_where_what_was_planned_beside_comes_one_by_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCREVAI_WORK_CORES", "4")
    options = JobOptions(model="small", embedding="mfcc").model_dump()
    job = store.add_job(demo.sample_path("en"), options, claim=True)
    store.update_job(job.id, state="preparing", started=1.0)
    assert at(store, job.id, Stage.READING, 0.9) == 0  # of what, nobody knows yet
    store.update_job(job.id, duration=600.0)
    store.save_plan(job.id, [Chunk(0, 0, 300), Chunk(1, 300, 600)])
    seen = [at(store, job.id, Stage.DIARIZING, done) for done in (0.0, 0.5, 1.0)]
    assert seen[-1] < 0.9  # the text is still to come
    store.save_diarization(job.id, [Turn(0, 9, "SPEAKER_00")], {"speakers": 1})
    seen += [at(store, job.id, Stage.LOADING_MODEL, 0.0)]
    seen += [at(store, job.id, Stage.TRANSCRIBING, done) for done in (0.0, 0.5, 1.0)]
    seen += [at(store, job.id, Stage.READING, 0.0)]  # whatever comes
    assert seen == sorted(seen) and seen[3] < seen[5] < seen[6] == 0.99
