"""The best of a sweep, judged on recordings that had no say in choosing it."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import known
from paging import checked, texts
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from transcrevai_core.cli import app as cli
from transcrevai_core.errors import InputError
from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.tuning import leave_one_out, parameters, sweeps
from transcrevai_core.tuning.leave_one_out import LeftOut
from transcrevai_core.tuning.sweeps import Sweep

LINE = "SPEAKER a 1 0 1 <NA> <NA> s <NA> <NA>"
GRID = {"speaker_threshold": [0.4, 0.5, 0.6]}


def plan(grid: Any = GRID, collar: Any = 0.0, **base: Any) -> Any:
    return sweeps.plan(parameters.checked(base), grid, LINE, collar=collar)


def swept(job: str, *rates: Any, planned: Any = None) -> Any:
    scores = [{"error": "no"} if rate is None else {"der": rate} for rate in rates]
    return Sweep(job, job, 0.0, "done", planned or plan(), dict(enumerate(scores)))


def keep(
    store: Store,
    title: str,
    *rates: float,
    digest: str = "",
    planned: Any = None,
    state: Any = "done",
) -> Any:
    job = store.add_job(Path(__file__), JobOptions().model_dump(), title=title)
    store.update_job(job.id, state="done", digest=digest or title, duration=9.0)
    store.wav(job.id).parent.mkdir(parents=True, exist_ok=True)
    store.wav(job.id).touch()
    sweep = sweeps.create(store, job, planned or plan())
    whole = ("der", "missed", "false_alarm", "confusion", "jer")
    with store.database.write() as db:
        for n, rate in enumerate(rates):
            counts = {"collar": 0.0, "speakers": 2, "speakers_reference": 2, "took": 0.1}
            result = json.dumps(dict.fromkeys(whole, rate) | counts)
            db.execute("INSERT INTO sweep_results VALUES (?, ?, ?)", (sweep, n, result))
        db.execute("UPDATE sweeps SET state = ? WHERE id = ?", (state, sweep))
    return job.id


def test_the_others_choose_and_the_one_left_out_judges() -> None:
    found = leave_one_out.leave_one_out(
        [swept("a", 0.1, 0.2, 0.3), swept("b", 0.5, 0.2, 0.3), swept("c", 0.4, 0.4, 0.1)]
    )
    assert found == [
        LeftOut("a", 2, 0.3, 0.1),  # means of the others: 0.45, 0.3, 0.2
        LeftOut("b", 2, 0.3, 0.2),  # 0.25, 0.3, 0.2
        LeftOut("c", 1, 0.4, 0.1),  # 0.3, 0.2, 0.3
    ]
    assert leave_one_out.mean(found) == pytest.approx(1 / 3)


def test_equal_ones_and_failed_ones() -> None:
    # 0.1 + 0.2 is more than 0.3 by rounding alone
    tied = [swept("a", 0.9, 0.9, 0.0), swept("b", 0.1, 0.3, 0.9), swept("c", 0.2, 0.0, 0.9)]
    assert leave_one_out.leave_one_out(tied)[0].place == 0
    failed = [swept("a", None, 0.2, 0.3), swept("b", 0.0, 0.2, 0.3)]
    assert [one.place for one in leave_one_out.leave_one_out(failed)] == [1, 1]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (plan({"speaker_threshold": [0.4, 0.5]}), "differ in their grid"),
        (plan(collar=0.25), "differ in their collar"),
        (plan(embedding="mfcc"), "differ in their base"),
    ],
)
def test_other_sweeps_are_refused(other: Any, said: Any) -> None:
    with pytest.raises(InputError, match=said):
        leave_one_out.leave_one_out([swept("a", 0.1), swept("b", 0.1, planned=other)])
    with pytest.raises(InputError, match="two recordings"):
        leave_one_out.leave_one_out([swept("a", 0.1)])
    with pytest.raises(InputError, match="No setting"):
        leave_one_out.leave_one_out([swept("a", 0.1, None), swept("b", None, 0.1)])


def test_the_same_sound_is_no_other_recording(store: Store) -> None:
    one = keep(store, "one", 0.1, 0.2, 0.3)
    keep(store, "once more", 0.1, 0.2, 0.3, digest="one")
    keep(store, "not done", 0.1, state="cancelled")
    keep(store, "other collar", 0.1, 0.2, 0.3, planned=plan(collar=0.25))
    keep(store, "other base", 0.1, 0.2, 0.3, planned=plan(embedding="mfcc"))
    two = keep(store, "two", 0.3, 0.2, 0.1)
    sweep = known(sweeps.latest(store, one))
    assert [found.job for found in leave_one_out.comparable(store, sweep)] == [one, two]


def command(*words: Any) -> Any:
    result = CliRunner().invoke(cli, ["tune", *words])
    if isinstance(result.exception, Exception):
        raise result.exception
    return result


def test_the_command_says_each_and_the_mean(store: Store) -> None:
    one, two = keep(store, "one [x]", 0.1, 0.2, 0.3), keep(store, "two", 0.4, 0.2, 0.1)
    result = command(one, two, "--leave-one-out", "--json")
    found = json.loads(result.stdout)
    assert found["mean_der"] == pytest.approx((0.3 + 0.4) / 2)
    assert [row["settings"]["speaker_threshold"] for row in found["recordings"]] == [0.6, 0.4]
    assert [row["best_der"] for row in found["recordings"]] == [0.1, 0.1]
    assert "Mean DER 35.00 percent" in result.stderr and "one [x]" in result.stderr
    with pytest.raises(InputError, match="are for --leave_one_out"):
        command(one, two)
    with pytest.raises(InputError, match="with --json alone"):
        command(one, two, "--leave_one_out", "--sweep", "speakers=2,3")
    with pytest.raises(InputError, match="one recording"):
        command(one, one, "--leave_one_out")
    waiting = keep(store, "three", state="waiting")
    with pytest.raises(InputError, match="three has no sweep that is done"):
        command(one, waiting, "--leave_one_out")


def test_what_is_exported_says_what_the_best_is_worth(store: Store) -> None:
    job = keep(store, "one", 0.1, 0.2, 0.3)
    exported = sweeps.as_dict(store.job(job), known(sweeps.latest(store, job)))
    assert "chose them" in exported["sweep"]["note"]


PAGE = """
from transcrevai_core import ui
from transcrevai_core.components.tuning.trials import _ended
from transcrevai_core.tuning import sweeps

job = next(job for job in ui.store().jobs() if job.title == "one")
_ended(job, sweeps.latest(ui.store(), job.id))
"""


def test_the_page_says_so_and_has_a_table(store: Store) -> None:
    keep(store, "one", 0.1, 0.2, 0.3)
    app = AppTest.from_string(PAGE, default_timeout=300)
    checked(app.run())
    assert "**Best: DER 10.0%**" in texts(app) and "expect more errors on other" in texts(app)
    assert "on a second recording" in texts(app) and "did not choose" not in texts(app)
    keep(store, "two", 0.4, 0.2, 0.1)
    checked(app.run())
    assert "**On recordings that did not choose: DER 35.0%**, the mean of 2" in texts(app)
    shown = texts(app).replace("\\", "")
    assert "| one | Threshold of likeness: 0.6 | 30.0 | 10.0 |" in shown
    assert "| two | Threshold of likeness: 0.4 | 40.0 | 10.0 |" in shown
