"""INT8 against float32: measured on the demo model, and what follows where they disagree."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import known
from typer.testing import CliRunner

from transcrevai_core import demo
from transcrevai_core.cli import app
from transcrevai_core.codes import Note, Stage
from transcrevai_core.errors import Cancelled, InputError, ModelError
from transcrevai_core.jobs import direct, measure_precision, planning, tasks
from transcrevai_core.jobs.governor import RUNNING, Governor
from transcrevai_core.jobs.measure_precision import check_model
from transcrevai_core.library import precision
from transcrevai_core.library.precision import (
    Check,
    Measure,
    Recording,
    disagreeing,
    latest,
    recordings,
    samples,
)
from transcrevai_core.library.store import Store
from transcrevai_core.memory.forecast import weights_bytes
from transcrevai_core.messages import Message
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.transcription import loading
from transcrevai_core.types import Segment
from transcrevai_core.workers import admission

GOOD = Measure("int8", "int8_float32", 0.95, 0.02, 100, 0.1)
BAD = replace(GOOD, agreement=0.4)
FLOAT = Measure("float32", "float32", 1.0, 0.01, 200, 0.2)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the demo model, which a test may change."""
    return Path(shutil.copytree(demo.MODEL_DIR, tmp_path / "model"))


@pytest.fixture
def few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a short recording be enough."""
    monkeypatch.setattr(measure_precision, "LEAST_WORDS", 30)


def keep(store: Store, folder: Path, *measures: Any) -> Check:
    check = precision.new_check(str(folder), {"a.wav": 2}, folder, measures)
    precision.save(store.database, check, folder)
    return check


def garbled(
    spec: Any, wav: Path, chunk: Any, options: Any, longest: float
) -> tuple[list[Segment], int]:
    """Decode as usual; but INT8 hears other words."""
    segments, dropped = tasks.decode(spec, wav, chunk, options, longest)
    if spec.compute_type == "int8":
        segments = [replace(segment, text=" outra coisa.") for segment in segments]
    return segments, dropped


def overflow(spec: Any, wav: Path, chunk: Any, options: Any, longest: float) -> None:
    raise RuntimeError("CUDA failed\nwith more")


def refused(spec: Any, language: str, task: Any) -> tasks.ModelReport:
    return tasks.ModelReport("cpu", "float32", (Message("int8 was refused."),))


# --- the store


def test_the_last_check_of_a_model_counts_as_long_as_it_is_the_same_file(
    store: Store, model: Path
) -> None:
    keep(store, model, BAD, FLOAT)
    assert disagreeing(store.database, str(model), 90) == (("int8", 0.4),)
    assert disagreeing(store.database, str(model), 30) == ()
    last = keep(store, model, GOOD, FLOAT)
    assert disagreeing(store.database, str(model), 90) == ()
    assert latest(store.database) == [last]
    with (model / "model.bin").open("ab") as file:
        file.write(b"0")  # another download
    assert disagreeing(store.database, str(model), 99) == () == tuple(latest(store.database))
    for no_path in ("~nobody-has-this-name/x", "a\0b", "none"):
        assert disagreeing(store.database, no_path, 99) == ()
    shutil.rmtree(model)
    assert disagreeing(store.database, str(model), 99) == () == tuple(latest(store.database))


def test_the_verdict_is_one_sentence() -> None:
    said = str(precision.verdict(Check(0, "base", {}, 0, (BAD, FLOAT)), 90))
    assert said == (
        "40.0% of the words of base in int8 agree with float32's, less than the 90% that is asked "
        "for, so from now on it works in the next compute type."
    )


# --- the ladder


def test_a_type_that_disagrees_is_passed_over_with_the_reason() -> None:
    loaded = loading.load(demo.MODEL_DIR, "demo", disagreeing={"int8": 0.4})
    assert loaded.compute_type != "int8_float32"
    assert tuple(map(str, loaded.notes)) == (
        "int8 was passed over for demo: a check found that only 40.0% of its words agree with "
        "float32's.",
    )


@pytest.mark.parametrize("asked", ["int8", "int8_float32"])
def test_a_type_that_was_asked_for_is_obeyed_with_a_warning(asked: str) -> None:
    loaded = loading.load(demo.MODEL_DIR, "demo", compute_type=asked, disagreeing={"int8": 0.4})
    assert loaded.compute_type == "int8_float32"
    assert tuple(map(str, loaded.notes)) == (
        f"{asked} was used as asked for, although a check found that only 40.0% of its words "
        "agree with float32's.",
    )


def test_the_forecast_counts_what_the_ladder_comes_to(store: Store, model: Path) -> None:
    options = JobOptions(model=str(model), diarize=False)
    before = planning.plan_for(store, load_settings(), options)
    keep(store, model, BAD, FLOAT)
    after = planning.plan_for(store, load_settings(), options)
    asked = planning.plan_for(
        store, load_settings(), options.model_copy(update={"compute_type": "int8"})
    )
    assert after.workers_bytes >= before.workers_bytes
    assert after.needs["transcription"].key.endswith("float32, beam 5")
    assert after.shape.compute_type == "auto"  # so that the ladder says what it passed over
    assert asked.needs["transcription"].key.endswith("int8, beam 5")
    assert weights_bytes("small", "float32") == 4 * weights_bytes("small", "int8") > 800e6


# --- the check


@pytest.mark.slow
def test_agreement_error_memory_and_speed_of_both(
    governor: Governor, short_recording: Path, few_words: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, made, plain = [], [], Governor.worker

    def worker(self: Governor, *given: Any, **more: Any) -> Any:
        made.append(plain(self, *given, **more))
        return made[-1]

    monkeypatch.setattr(Governor, "worker", worker)
    text = demo.reference_text("pt")
    clip = Recording(short_recording, "pt", " ".join(text.splitlines()[:3]))
    found = check_model(governor, "demo", [clip], on_progress=lambda *now: told.append(now))
    int8, exact = found.measures
    assert (int8.runs_as, exact.runs_as) == ("int8_float32", "float32")
    assert int8.agreement >= 0.9 and exact.agreement == 1.0
    assert max(known(int8.wer), known(exact.wer)) < 0.25
    assert min(int8.peak_bytes, exact.peak_bytes) > 50e6 and min(int8.rtf, exact.rtf) > 0
    assert found.clips == {"short.wav": 2}
    assert found.model_bytes == (demo.MODEL_DIR / "model.bin").stat().st_size
    assert latest(governor.store.database) == [found]
    assert (Stage.DECODING_CLIPS(model="demo", kind="int8"), 0.0) in told and told[-1] == (
        Stage.DECODING_CLIPS(model="demo", kind="float32"),
        1.0,
    )
    assert not admission.kept()
    assert [one.name for one in made] == ["prepare", "check", "check"]
    assert all(one.pid is None and one.limit_bytes for one in made)


@pytest.mark.slow
def test_a_model_that_disagrees_falls_back_for_the_next_job(
    governor: Governor, short_recording: Path, few_words: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "decode", garbled)
        found = check_model(governor, "demo", [Recording(short_recording, "pt")])
    assert found.measures[0].agreement < 0.5 and found.measures[0].wer is None
    options = JobOptions(model="demo", language="pt", diarize=False)
    job = direct.run(governor, direct.open_job(governor.store, short_recording, options))
    assert job.state == "done" and not job.compute_type.startswith("int8")
    share = f"{found.measures[0].agreement:.1%}"
    assert any(note.code is Note.TYPE_PASSED_OVER and share in str(note) for note in job.notes)
    monkeypatch.setenv("TRANSCREVAI_AGREEMENT_PERCENT", "0")
    governor.settings = load_settings()
    job = direct.run(governor, direct.open_job(governor.store, short_recording, options))
    assert job.compute_type == "int8_float32"


@pytest.mark.slow
def test_what_cannot_be_checked_gets_one_sentence(
    governor: Governor,
    short_recording: Path,
    make_sound: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip = [Recording(short_recording, "pt")]
    with pytest.raises(InputError, match="The model tiny is not on this computer; one that"):
        check_model(governor, "tiny", clip)
    with pytest.raises(InputError, match="There is no file"):
        check_model(governor, "demo", [Recording(Path("/no/such.wav"))])
    with pytest.raises(InputError, match="No speech was found in the clips"):
        check_model(governor, "demo", [Recording(make_sound())])
    with pytest.raises(InputError, match=r"Too little .* \(\d+ words\) .* clips with 50 words"):
        check_model(governor, "demo", clip)
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "load_model", refused)
        with pytest.raises(ModelError, match="cannot work in int8 here, it runs in float32"):
            check_model(governor, "demo", clip)
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "decode", overflow)
        with pytest.raises(ModelError, match=r"demo failed at its work \(CUDA failed\)\."):
            check_model(governor, "demo", clip)
    monkeypatch.setenv("TRANSCREVAI_MEMORY_BUDGET_MB", "200")
    governor.settings = load_settings()
    with pytest.raises(InputError, match=r"demo in float32 needs about \d+ MB .* a budget of"):
        check_model(governor, "demo", clip)
    assert latest(governor.store.database) == [] and not admission.kept()


@pytest.mark.slow
def test_a_check_waits_for_room_and_can_be_cancelled(
    governor: Governor, short_recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages_seen = []
    monkeypatch.setattr(governor, "admit", lambda key, plan: Stage.WAITING_FOR_PROCESSOR())
    with pytest.raises(Cancelled):
        check_model(
            governor, "demo", [Recording(short_recording)],
            on_progress=lambda stage, done: stages_seen.append(stage),
            should_stop=lambda: bool(stages_seen),
        )  # fmt: skip
    assert stages_seen == [Stage.WAITING_FOR_PROCESSOR()]


def test_the_running_governor_is_taken_else_one_for_the_time_being(
    store: Store, home: Path
) -> None:
    settings = load_settings()
    with measure_precision.running_governor(store, settings) as alone:
        assert alone in RUNNING
    assert alone not in RUNNING
    with (
        Governor(store, settings) as mine,
        measure_precision.running_governor(store, settings) as found,
    ):
        assert found is mine
        assert found in RUNNING
    assert mine not in RUNNING


def test_references_belong_to_clips_of_their_name(tmp_path: Path) -> None:
    (found,) = recordings([tmp_path / "a talk.mp3"], {"a_talk": "oi"}, "pt")
    assert (found.reference, found.language) == ("oi", "pt")
    with pytest.raises(InputError, match="No clip is called other;"):
        recordings([tmp_path / "a.mp3"], {"other": "oi"}, None)
    assert [one.language for one in samples("small")] == ["pt", "en"]
    assert [one.language for one in samples("small.en")] == ["en"]


# --- the command


@pytest.mark.slow
def test_the_command_tells_both_side_by_side(
    short_recording: Path, few_words: None, tmp_path: Path, store: Store
) -> None:
    (tmp_path / "short.txt").write_text("Vamos começar a reunião de segunda-feira.", "utf-8")
    command = ["models", "check", "demo", "--clips", str(short_recording), "--references",
               str(tmp_path / "short.txt")]  # fmt: skip
    result = CliRunner().invoke(app, [*command, "--json"])
    found = json.loads(result.stdout)
    assert [one["compute_type"] for one in found["measures"]] == ["int8", "float32"]
    assert found["measures"][0]["wer"] is not None
    assert "so it goes on in int8" in found["verdict"]
    assert latest(store.database)[0].clips == {"short.wav": 2}


def test_the_command_refuses_in_one_sentence(tmp_path: Path) -> None:
    gone = CliRunner().invoke(app, ["models", "check", "tiny"])
    assert isinstance(gone.exception, InputError)
    lonely = CliRunner().invoke(app, ["models", "check", "demo", "--references", str(tmp_path)])
    assert isinstance(lonely.exception, InputError)
