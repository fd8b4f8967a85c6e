"""`transcrevai score` on turns and words whose errors can be counted on one's fingers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tools.serving import CEILING
from transcrevai_core.cli import app
from transcrevai_core.errors import InputError, SettingError
from transcrevai_core.evaluation.metrics import DiarizationErrors, der
from transcrevai_core.library.store import Store
from transcrevai_core.transcript.rttm import format_rttm, write_rttm
from transcrevai_core.types import Chunk, Segment, Turn

# 0         8   10 s      a for 8 s, b for 2 s
# 0          9    11 s    x for 9 s, y for 2 s: 1 s confused (8-9), 1 s of false alarm (10-11)
REFERENCE = [Turn(0, 8, "a"), Turn(8, 10, "b")]
HYPOTHESIS = [Turn(0, 9, "x"), Turn(9, 11, "y")]


def parts(errors: Any) -> tuple[Any, Any, Any, Any]:
    return (errors.total, errors.missed, errors.false_alarm, errors.confusion)


def test_each_kind_of_error_is_counted_in_seconds() -> None:
    found = der(REFERENCE, HYPOTHESIS)
    assert parts(found) == pytest.approx((10, 0, 1, 1))
    assert found.rate == pytest.approx(0.2)
    # a: 8 of 9 s are shared; b: 1 of 3 s
    assert found.jer == pytest.approx((1 / 9 + 2 / 3) / 2)
    assert parts(der(REFERENCE, HYPOTHESIS[:1])) == pytest.approx((10, 1, 0, 1))


def test_a_collar_is_on_each_side_of_a_boundary() -> None:
    # 0-0.25, 7.75-8.25 and 9.75-10.25 are not scored: 9 s are left of the reference, 0.75 s of
    # both errors; the Jaccard error stays what it was
    found = der(REFERENCE, HYPOTHESIS, collar=0.25)
    assert parts(found) == pytest.approx((9, 0, 0.75, 0.75))
    assert found.rate == pytest.approx(1.5 / 9)
    assert found.jer == der(REFERENCE, HYPOTHESIS).jer


def test_overlap_is_scored_unless_it_is_left_out() -> None:
    reference = [Turn(0, 8, "a"), Turn(7, 10, "b")]
    hypothesis = [Turn(0, 7, "x"), Turn(7, 10, "y")]
    assert parts(der(reference, hypothesis)) == pytest.approx((11, 1, 0, 0))
    assert parts(der(reference, hypothesis, skip_overlap=True)) == pytest.approx((9, 0, 0, 0))


def test_nobody_overlaps_with_themselves() -> None:
    twice = [Turn(0, 10, "a"), Turn(2, 3, "a"), Turn(5, 10, "a")]
    assert parts(der(twice, [Turn(0, 10, "x")])) == pytest.approx((10, 0, 0, 0))
    assert parts(der([Turn(0, 10, "x")], twice)) == pytest.approx((10, 0, 0, 0))
    assert der(twice, [Turn(0, 10, "x")]).jer == pytest.approx(0)
    touching = [Turn(0, 5, "a"), Turn(5, 10, "a")]  # a boundary is where the reference has one
    assert der(touching, [Turn(0, 10, "x")], collar=0.25).total == pytest.approx(9)


def test_where_one_side_is_silent() -> None:
    assert der([], []) == DiarizationErrors()
    assert der([], []).rate == der([], []).jer == 0
    assert der(REFERENCE, []).rate == der(REFERENCE, []).jer == 1
    assert der([], HYPOTHESIS).rate == der([], HYPOTHESIS).jer == 1


def test_sums_are_over_seconds_and_over_speakers() -> None:
    both = der(REFERENCE, HYPOTHESIS) + der([Turn(0, 10, "c")], [])
    assert both.rate == pytest.approx((2 + 10) / 20)
    assert both.jer == pytest.approx((1 / 9 + 2 / 3 + 1) / 3)


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyannote.core", None)
    with pytest.raises(SettingError, match=r"needs `pip install transcrevai\[score\]`"):
        der(REFERENCE, HYPOTHESIS)


# --- the command


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """References of two recordings, and a hypothesis for each."""
    for name in ("right", "found"):
        (tmp_path / name).mkdir()
    write_rttm(tmp_path / "right" / "one.rttm", REFERENCE, "one")
    write_rttm(tmp_path / "right" / "two talks.rttm", [Turn(0, 10, "c")], "two talks")
    write_rttm(tmp_path / "found" / "one.rttm", HYPOTHESIS, "whatever")
    write_rttm(tmp_path / "found" / "two talks.rttm", [Turn(0, 10, "z")], "two talks")
    return tmp_path


def run(right: Any, found: Any, *more: Any) -> Result:
    command = ["score", "der", "--reference", str(right), "--hypothesis", str(found), *more]
    return CliRunner().invoke(app, command)


def told(*arguments: Any) -> tuple[Any, Result]:
    result = run(*arguments, "--json")
    return json.loads(result.stdout), result


def test_folders_are_matched_by_name(folders: Path) -> None:
    found, result = told(folders / "right", folders / "found")
    assert result.exit_code == 0
    one, two = found["files"]
    assert (one["name"], one["der"], one["false_alarm"], one["confusion"]) == ("one", 0.2, 0.1, 0.1)
    assert (one["speakers_reference"], one["speakers_hypothesis"]) == (2, 2)
    assert (two["name"], two["der"]) == ("two_talks", 0)
    assert found["total"]["der"] == 0.1  # 2 of 20 s
    assert found["total"]["right_counts"] == 2
    assert (found["collar_each_side"], found["overlap"]) == (0, "scored")


def test_the_table_says_what_was_scored(folders: Path) -> None:
    result = run(folders / "right", folders / "found", "--collar", "0.25", "--skip-overlap")
    assert result.exit_code == 0
    assert "16.67" in result.stdout  # 1.5 of 9 s
    assert (
        "collar 0.25 s on each side of every reference boundary (0.5 s in all, which is what "
        "pyannote.metrics calls collar=0.5); overlap is left out"
    ) in result.stdout
    plain = run(folders / "right", folders / "found")
    assert "no collar, every moment is scored; overlap is scored" in plain.stdout


def test_a_missing_hypothesis_is_named_and_counts_as_missed(folders: Path) -> None:
    (folders / "found" / "two talks.rttm").rename(folders / "found" / "other.rttm")
    found, result = told(folders / "right", folders / "found")
    assert result.exit_code == 1
    assert (found["missing"], found["extra"]) == (["two_talks"], ["other"])
    assert found["files"][1]["missed"] == 1
    assert found["total"]["der"] == 0.6  # 2 + 10 of 20 s
    assert "Without a hypothesis, and counted as missed: two_talks." in result.stderr
    assert "Without a reference, and left out: other." in result.stderr


def test_one_file_may_hold_many_recordings(folders: Path) -> None:
    many = folders / "all.rttm"
    many.write_text(format_rttm(HYPOTHESIS, "one") + format_rttm([Turn(0, 9, "z")], "two talks"))
    found, result = told(folders / "right", many)
    assert result.exit_code == 0
    assert [row["der"] for row in found["files"]] == [0.2, 0.1]


def test_two_files_are_a_pair_whatever_their_names(folders: Path) -> None:
    write_rttm(folders / "mine.rttm", HYPOTHESIS, "mine")
    found, _ = told(folders / "right" / "one.rttm", folders / "mine.rttm")
    assert [(row["name"], row["der"]) for row in found["files"]] == [("one", 0.2)]
    (folders / "mine.rttm").write_text("")  # no speech was found
    found, _ = told(folders / "right" / "one.rttm", folders / "mine.rttm")
    assert found["total"]["missed"] == 1


def test_what_cannot_be_read_is_one_sentence(folders: Path) -> None:
    def sentence(right: Any) -> str:
        result = run(right, folders / "found")
        assert isinstance(result.exception, InputError)  # main turns it into exit code 2
        return str(result.exception)

    assert "There is no" in sentence(folders / "gone")
    (folders / "empty").mkdir()
    assert "holds no .rttm, .stm or .json file" in sentence(folders / "empty")
    broken = folders / "broken.rttm"
    broken.write_text("SPEAKER\n")
    assert sentence(broken).startswith(f"{broken}: Line 1 of the RTTM is broken;")
    broken.write_bytes(b"\xff\xfe\x00")
    assert "is no text" in sentence(broken)
    (folders / "right" / "many.rttm").write_text(
        format_rttm(REFERENCE, "one") + format_rttm(REFERENCE, "three")
    )
    assert "holds one twice" in sentence(folders / "right")


def test_exit_code_2_is_wrong_use(folders: Path) -> None:
    command = [sys.executable, "-m", "transcrevai_core", "score", "der", "-r", "gone", "-y", "gone"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CEILING)
    assert done.returncode == 2 and done.stderr.startswith("There is no gone;")
    assert run(folders / "right", folders / "found", "--collar", "-1").exit_code == 2


def test_the_web_process_never_imports_the_scorer() -> None:
    code = "import sys, transcrevai_core.web.uploads; assert 'pyannote.metrics' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- words


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """References of two recordings in two formats, and what was found of them."""
    for name in ("right", "found"):
        (tmp_path / name).mkdir()
    (tmp_path / "right" / "one.stm").write_text(
        ";; a comment\none 1 Ana 0 2 <o> Bom dia a todos\none 1 Zé 2 3 <o> Tudo bem?\n"
    )
    (tmp_path / "right" / "two talks.txt").write_text("Até logo.\n")
    (tmp_path / "found" / "one.vtt").write_text(
        "WEBVTT\n\n00:00.000 --> 00:02.000\n<v X>bom dia todos\n\n"
        "00:02.000 --> 00:03.000\n<v Y>tudo bom\n"
    )
    (tmp_path / "found" / "two talks.txt").write_text("até logo gente\n")
    return tmp_path


def count(command: Any, right: Any, found: Any, *more: Any) -> Result:
    arguments = ["score", command, "-r", str(right), "-y", str(found), *more]
    return CliRunner().invoke(app, arguments)


def test_words_of_folders_are_matched_by_name_whatever_the_format(talks: Path) -> None:
    found = json.loads(count("wer", talks / "right", talks / "found", "--json").stdout)
    one, two = found["files"]
    assert (one["name"], one["words"], one["deletions"], one["substitutions"]) == ("one", 6, 1, 1)
    assert (two["name"], two["insertions"], two["wer"]) == ("two_talks", 1, 0.5)
    assert found["total"]["wer"] == pytest.approx(3 / 8)
    assert found["total"]["cer"] == pytest.approx((2 + 1 + 6) / (24 + 8), abs=1e-6)
    assert "lower case" in found["normalisation"]
    shown = count("wer", talks / "right", talks / "found").stdout
    assert "37.50" in shown and "compared in lower case and without punctuation" in shown


def test_speakers_words(talks: Path) -> None:
    found = json.loads(
        count("cpwer", talks / "right" / "one.stm", talks / "found", "--json").stdout
    )
    (one,) = found["files"]
    assert [(p["reference"], p["hypothesis"]) for p in one["pairs"]] == [("Ana", "X"), ("Zé", "Y")]
    assert (one["cpwer"], found["extra"]) == (pytest.approx(2 / 6, abs=1e-6), ["two_talks"])
    shown = count("cpwer", talks / "right" / "one.stm", talks / "found" / "one.vtt")
    assert "33.33" in shown.stdout and "speakers paired so that" in shown.stdout
    refused = count("cpwer", talks / "right", talks / "found").exception
    assert (
        isinstance(refused, InputError)
        and "two_talks in " in str(refused)
        and "names no speakers;" in str(refused)
    )


@pytest.mark.parametrize(
    ("command", "content"),
    [("wer", ""), ("wer", " \n"), ("wer", "?!\n"), ("cpwer", ""), ("cpwer", "\ufeff")],
)
def test_a_reference_without_a_word_is_one_sentence(
    talks: Path, command: Any, content: str
) -> None:
    (empty := talks / "empty.txt").write_text(content)
    refused = count(command, empty, talks / "found" / "one.vtt").exception
    assert isinstance(refused, InputError)
    assert str(refused) == f"{empty} holds no word; what is said in the recording would be right."
    found = talks / "found" / "one.vtt"
    found.write_text("WEBVTT\n")  # where nothing is heard, everything is left out
    assert count("wer", talks / "right" / "one.stm", found).exit_code == 0


def test_a_reference_without_a_turn_is_one_sentence(folders: Path) -> None:
    (empty := folders / "empty.rttm").write_text("")
    refused = run(empty, folders / "found" / "one.rttm").exception
    assert str(refused) == f"{empty} holds no turn; who speaks when would be right."


def test_an_export_of_one_segment_is_scored_without_its_speakers_name(talks: Path) -> None:
    (right := talks / "a.txt").write_text("Then you go into your folder again\n")
    (found := talks / "b.txt").write_text("Speaker 1: Then you go into your folder again\n")
    for pair in ((right, found), (found, right)):
        assert json.loads(count("wer", *pair, "--json").stdout)["total"]["wer"] == 0


def test_numbers_accents_and_hyphens_count_as_the_policy_says(talks: Path) -> None:
    (right := talks / "a.txt").write_text("Ana: São vinte e três na segunda-feira.\nZé: Não.\n")
    (found := talks / "b.txt").write_text("X: Sao 23 na segunda feira\nY: nao\n")
    plain = json.loads(count("wer", right, found, "--json").stdout)
    assert plain["total"]["wer"] > 0.8 and "Numbers in words stay words" in plain["normalisation"]
    options = ("--numbers", "pt", "--ignore_accents", "--ignore_hyphens")
    for command in ("wer", "cpwer"):
        told = json.loads(count(command, right, found, *options, "--json").stdout)
        assert (told["total"][command], told["total"]["words"]) == (0, 6)
        for said in ("in digits, in Portuguese", "accents and cedillas", "hyphens count as spaces"):
            assert said in told["normalisation"]
        assert "hyphens count as spaces" in count(command, right, found, *options).stdout
    refused = count("wer", right, found, "--numbers", "de").exception
    assert isinstance(refused, InputError) and "are known in pt, en, not in 'de';" in str(refused)


def test_words_that_are_missing_count_as_left_out(talks: Path) -> None:
    (talks / "found" / "one.vtt").unlink()
    result = count("wer", talks / "right", talks / "found", "--json")
    assert result.exit_code == 1 and "counted as missed: one." in result.stderr
    assert json.loads(result.stdout)["files"][0]["deletions"] == 6


def test_the_format_that_tells_most_is_taken_of_one_recording(talks: Path) -> None:
    (talks / "right" / "one.txt").write_text("what nobody said\n")
    found = json.loads(count("wer", talks / "right", talks / "found", "--json").stdout)
    assert found["files"][0]["words"] == 6


def test_turns_of_other_formats(talks: Path) -> None:
    exported = {
        "segments": [], "turns": [
            {"start": 0, "end": 2, "speaker": "X"}, {"start": 2, "end": 4, "speaker": "Y"},
        ],
    }  # fmt: skip
    (talks / "one.json").write_text(json.dumps(exported))
    found, _ = told(talks / "right" / "one.stm", talks / "one.json")
    assert found["total"]["false_alarm"] == pytest.approx(1 / 3, abs=1e-6)
    refused = run(talks / "right" / "two talks.txt", talks / "one.json").exception
    assert "does not say who speaks when; one that does would be right." in str(refused)


def test_a_job_of_the_library_is_a_hypothesis(talks: Path, store: Store) -> None:
    job = store.add_job(talks / "gone.wav", {}, title="Reunião")
    store.save_plan(job.id, [Chunk(0, 0, 4)])
    said = [Segment(0, 2, " bom dia todos", speaker="SPEAKER_00"),
            Segment(2, 3, " tudo bom", speaker="SPEAKER_01")]  # fmt: skip
    store.save_chunk(job.id, 0, said, dropped=0, seconds=1)
    store.update_job(job.id, model="demo")
    for command, rate in (("wer", "wer"), ("cpwer", "cpwer")):
        result = count(command, talks / "right" / "one.stm", job.id[:8], "--json")
        assert json.loads(result.stdout)["total"][rate] == pytest.approx(2 / 6, abs=1e-6)
    refused = run(talks / "right" / "one.stm", job.id).exception
    assert str(refused).startswith(f"{job.id} does not say who speaks when;")
    assert "No jobs have an id" in str(run(talks / "right" / "one.stm", "abcd1234").exception)
