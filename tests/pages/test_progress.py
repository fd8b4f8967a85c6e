"""What pages show of a job's progress, over all of its stages as they really come."""

from typing import Any

import pytest

from transcrevai_core import demo
from transcrevai_core.jobs import direct, progress
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library.store import Store
from transcrevai_core.settings import load_settings

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cores", ["1", "4"])  # text and speakers one after another, and beside
def test_the_bar_never_goes_back(store: Store, monkeypatch: pytest.MonkeyPatch, cores: str) -> None:
    monkeypatch.setenv("TRANSCREVAI_WORK_CORES", cores)
    settings = load_settings()
    options = settings.job_options({"model": "demo", "embedding": "mfcc"})
    job = direct.open_job(store, demo.sample_path("en"), options)
    store.update_job(job.id, duration=60.0)  # as what was dropped has it
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
