"""The evaluation page over a library filled by hand: what it says, and what it measures."""

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import wait_until
from paging import checked, fill, open_page, press, texts
from streamlit.testing.v1 import AppTest

from transcrevai_core import demo
from transcrevai_core.components import evaluation
from transcrevai_core.errors import Cancelled
from transcrevai_core.evaluation.metrics import Piece
from transcrevai_core.evaluation.normalisation import NORMALISATION
from transcrevai_core.evaluation.scoring import Line, Score, rows
from transcrevai_core.jobs import measure_precision
from transcrevai_core.library import edits, precision
from transcrevai_core.library.journal import Journal, Run
from transcrevai_core.library.precision import Measure
from transcrevai_core.library.store import Store
from transcrevai_core.memory.levels import limits_of
from transcrevai_core.memory.readings import MB
from transcrevai_core.messages import Message
from transcrevai_core.settings import load_settings
from transcrevai_core.types import Turn
from transcrevai_core.workers.background import Task
from transcrevai_core.workers.oneshot import one_shot_worker


def run_until(app: AppTest, condition: Callable[[], object]) -> None:
    """Run a page again, as its fragments would, until it shows what is waited for."""
    wait_until(lambda: condition() or (checked(app.run()) and condition()))


def compare(app: AppTest, name: str, content: bytes) -> str:
    app.file_uploader[0].set_value((name, content, "text/plain"))
    checked(app.run())
    press(app, "Compare")
    run_until(app, lambda: app.metric or app.error)
    return texts(app).replace("\\", "").replace("\N{NO-BREAK SPACE}", " ")


def metrics(app: AppTest) -> dict[str, str]:
    return {m.label: m.value.replace("\N{NO-BREAK SPACE}", " ") for m in app.metric}


def test_an_empty_library_says_what_to_do(app: AppTest, store: Store) -> None:
    open_page(app, "evaluation.py")
    assert app.title[0].value == "Evaluation"
    assert "no finished recording yet" in texts(app)
    assert not app.file_uploader


def test_a_text_reference_gives_figures_and_marks_the_errors(app: AppTest, store: Store) -> None:
    job = fill(store, "Reunião | *1*")  # número 0 certo? número 1 certo? número 2 certo?
    Journal(store.database, "").add_run(
        Run(time.time(), job.id, "job", "x", 0, 0, 353 * MB, 3.0, 6.0)
    )
    open_page(app, "evaluation.py")
    assert next(b for b in app.button if b.label == "Compare").disabled
    shown = compare(app, "ref.txt", "Número zero certo?\nNúmero 1 é certo?\nNúmero 2\n".encode())
    assert metrics(app) == {
        "WER": "33.3%", "CER": "27.9%", "RTF": "0.50", "Peak memory": "353 MB",
    }  # fmt: skip
    assert ":orange-background[~~zero~~ **0**]" in shown
    assert "número 1 :red-background[~~é~~] certo" in shown
    assert "número 2 :blue-background[**+certo**]" in shown
    assert NORMALISATION in shown
    assert "does not say who speaks when, so DER is not scored" in shown
    app.toggle(key="evaluation_only").set_value(True)
    checked(app.run())
    assert ":orange-background[~~zero~~" in texts(app)


def test_an_stm_reference_tells_speakers_too(app: AppTest, store: Store) -> None:
    job = fill(store, segments=2)
    store.save_diarization(
        job.id, [Turn(0, 2, "SPEAKER_00"), Turn(2, 5, "SPEAKER_01")], {"speakers": 2}
    )
    open_page(app, "evaluation.py", job=job.id)
    stm = "a 1 Ana 0 2 <o> número 0 certo\na 1 Zé 2 4 <o> número 2 certo\n"
    shown = compare(app, "ref.stm", stm.encode())
    assert {name: metrics(app)[name] for name in ("WER", "cpWER", "DER")} == {
        "WER": "16.7%", "cpWER": "16.7%", "DER": "25.0%",
    }  # fmt: skip
    assert re.search(r"\| Zé \| .*Speaker 2.* \| 3 \| 1 \| 33.3% \|", shown)
    assert "| False alarm | 1.0 s | 25.0% |" in shown
    assert "no collar, every moment is scored; overlap is scored" in shown
    assert "`0:02` **Zé** número :orange-background[~~2~~ **1**] certo" in shown
    assert "RTF and peak memory were not kept" in shown
    found = json.loads(
        evaluation.as_json(job, "ref.stm", False, app.session_state["evaluation_found"][1])
    )
    assert (found["recording"], found["reference"]) == (job.title, "ref.stm")
    assert found["words"]["substitutions"] == 1 and found["turns"]["der"] == 0.25
    assert found["alignment"][1] == {"kind": "substitute", "reference": "2", "hypothesis": "1"}


def test_what_else_counts_as_equal_is_chosen_and_said(app: AppTest, store: Store) -> None:
    job = fill(store, segments=2)  # número 0 certo? número 1 certo?
    store.update_job(job.id, language="pt")
    reference = "Numero zero certo? Núme-ro um certo?\n".encode()
    open_page(app, "evaluation.py")
    compare(app, "ref.txt", reference)
    assert metrics(app)["WER"] == "66.7%"
    for label in ("Numbers in words count as digits", "Accents do not count"):
        next(toggle for toggle in app.toggle if toggle.label == label).set_value(True)
    del app.session_state["evaluation_found"]
    shown = compare(app, "ref.txt", reference.replace(b"-", b""))
    assert metrics(app)["WER"] == "0.0%"
    assert "numbers in words count as the same in digits, in Portuguese" in shown
    assert "accents and cedillas do not count" in shown and "hyphens count as" not in shown
    store.update_job(job.id, language="de")
    checked(app.run())
    assert "Numbers in words" not in " ".join(toggle.label for toggle in app.toggle)


def test_corrections_are_judged_on_request_only(app: AppTest, store: Store) -> None:
    job = fill(store, segments=1)
    edits.edit_text(store, store.segments(job.id)[0].id or 0, "Algo novo")
    open_page(app, "evaluation.py")
    compare(app, "ref.txt", b"algo novo")
    assert metrics(app)["WER"] == "150.0%"
    app.toggle[0].set_value(True)
    press(app, "Compare")
    run_until(app, lambda: metrics(app).get("WER") == "0.0%")
    assert "With your corrections." in texts(app)


def test_an_rttm_reference_scores_turns_alone(app: AppTest, store: Store) -> None:
    job = fill(store, segments=2)
    store.save_diarization(job.id, [Turn(0, 4, "SPEAKER_00")], {"speakers": 1})
    open_page(app, "evaluation.py")
    rttm = "SPEAKER a 1 0 3 <NA> <NA> A <NA> <NA>\nSPEAKER a 1 3 1 <NA> <NA> B <NA> <NA>\n"
    shown = compare(app, "a.rttm", rttm.encode())
    assert metrics(app) == {"DER": "25.0%"}
    assert "Wrong speaker" in shown and "Word by word" not in shown
    assert "The reference has no text" in shown


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("ref.txt", b"ol\xe1", "is no text in UTF-8"),
        ("ref.srt", b"no cue", "holds no cue"),
        ("ref.txt", b"  ", "is empty"),
    ],
)
def test_a_bad_reference_gets_one_sentence(
    app: AppTest, store: Store, name: str, content: bytes, sentence: str
) -> None:
    fill(store)
    open_page(app, "evaluation.py")
    compare(app, name, content)
    assert len(app.error) == 1 and sentence in app.error[0].value.replace("\\", "")
    assert not app.metric


def test_lines_follow_the_reference_and_long_ones_are_cut() -> None:
    pieces = (Piece("equal", "a b c", "a b c"), Piece("delete", "d", ""), Piece("insert", "", "e"),
              Piece("equal", "f", "f"))  # fmt: skip
    found = Score(pieces=pieces, lines=(Line(0, "x", 2), Line(5, "y", 3)))
    assert rows(found) == [
        (Line(0, "x", 2), [Piece("equal", "a b", "a b")]),
        (Line(5, "y", 3), [Piece("equal", "c", "c"), *pieces[1:]]),
    ]
    long = Score(pieces=pieces, lines=(Line(None, None, 5),))
    assert [line.words for line, _ in rows(long, longest=2)] == [2, 2, 0, 1]
    words = " ".join("w" * 130)
    many = rows(Score(pieces=(Piece("equal", words, words),), lines=(Line(None, None, 130),)))
    assert [len(page) for page in evaluation.paged(many, most=60)] == [1, 1, 1]
    much = rows(Score(pieces=(*pieces, *[pieces[2]] * 130), lines=(Line(7, "x", 5),)))
    assert [(line.start, len(row)) for line, row in much] == [(7, 60), (None, 60), (None, 14)]
    assert [len(page) for page in evaluation.paged(much, most=100)] == [1, 2]
    nothing = rows(Score(pieces=(Piece("insert", "", "e"),), lines=()))
    assert [pieces for _, pieces in nothing] == [[Piece("insert", "", "e")]]


def test_a_comparison_can_be_cancelled(
    app: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    open_page(app, "evaluation.py")
    begun: list[Any] = []

    def forever(*given: Any) -> Callable[[Task], None]:
        def call(task: Task) -> None:
            begun.append(task)
            task.report(Message("Comparing"), 0.5)
            wait_until(task.should_stop)
            raise Cancelled("The job was cancelled.")

        return call

    monkeypatch.setattr(evaluation, "scoring_work", forever)
    app.file_uploader[0].set_value(("a.txt", b"oi", "text/plain"))
    checked(app.run())
    press(app, "Compare")
    assert "elapsed" in app.get("progress")[0].proto.text
    press(app, "Cancel")
    run_until(app, lambda: app.info)
    assert begun and "Cancelled" in app.info[0].value


def test_comparisons_of_many_pages_take_turns(app: AppTest, store: Store) -> None:
    fill(store, segments=1)
    open_page(app, "evaluation.py")
    app.file_uploader[0].set_value(("a.txt", b"oi", "text/plain"))
    checked(app.run())
    with one_shot_worker("another", 0, limits_of(load_settings())):
        press(app, "Compare")
        assert app.get("progress")[0].proto.text.startswith("Waiting for its turn")
        press(app, "Cancel")
        run_until(app, lambda: app.info)
    press(app, "Compare")
    run_until(app, lambda: app.metric)
    assert "of 1 word" in texts(app) and "of 1 words" not in texts(app)


# -- INT8 against float32 ----------------------------------------------------------------------

NUMBERS = ":material/compare_arrows: Numbers: INT8 against float32"


def show_numbers(app: AppTest) -> str:
    open_page(app, "evaluation.py")
    app.session_state["evaluation_section"] = NUMBERS
    checked(app.run())
    return texts(app).replace("\\", "").replace("\N{NO-BREAK SPACE}", " ")


def test_both_are_shown_side_by_side_with_what_follows(app: AppTest, store: Store) -> None:
    assert "No model was checked yet" in show_numbers(app)
    good = Measure("int8", "int8_float32", 0.951, 0.021, 164 * MB, 0.05)
    exact = Measure("float32", "float32", 1.0, None, 300 * MB, 0.081)
    check = precision.new_check("demo", {"Reunião": 6}, demo.MODEL_DIR, (good, exact))
    precision.save(store.database, check, demo.MODEL_DIR)
    shown = show_numbers(app)
    assert "| int8 | 95.1% | 2.1% | 4 MB | 3 MB | 164 MB | 0.05 |" in shown
    assert "| float32 | 100.0% |  | 4 MB | 11 MB | 300 MB | 0.08 |" in shown
    assert "so it goes on in int8." in app.success[0].value.replace("\\", "")
    assert "6 clips of Reunião" in shown
    worse = precision.new_check(
        "demo", {"a": 1}, demo.MODEL_DIR, (replace(good, agreement=0.5), exact)
    )
    precision.save(store.database, worse, demo.MODEL_DIR)
    show_numbers(app)
    assert "less than the 90% that is asked for" in app.warning[0].value.replace("\\", "")
    assert not app.success


@pytest.mark.slow
def test_a_check_runs_from_the_page_on_a_recording(
    app: AppTest, store: Store, short_recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCREVAI_AGREEMENT_PERCENT", "82.5")
    monkeypatch.setattr(measure_precision, "LEAST_WORDS", 30)  # it is a short one
    fill(store, "Sem som")
    job = fill(store, "Reunião")
    shutil.copy(short_recording, store.wav(job.id))
    assert "Below 82.5% the model" in show_numbers(app)
    assert app.selectbox(key="numbers_model").value == "demo"
    assert app.multiselect(key="numbers_clips").options == ["Reunião"]
    app.multiselect(key="numbers_clips").set_value([job.id])
    checked(app.run())
    press(app, "Check")
    assert next(button for button in app.button if button.label == "Check").disabled
    run_until(app, lambda: app.success or app.warning or app.error)
    (found,) = precision.latest(store.database)
    assert found.clips == {"Reunião": 2} and not app.error


def test_a_check_that_cannot_be_made_is_one_sentence(
    app: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCREVAI_MEMORY_BUDGET_MB", "200")
    show_numbers(app)
    press(app, "Check")
    run_until(app, lambda: app.error)
    assert "a budget of" in app.error[0].value
