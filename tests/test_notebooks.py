"""Notebooks: how a transcript shows itself in them, and each one run from its first cell on."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import SETTINGS
from nbclient import NotebookClient

from transcrevai_core import demo, transcribe
from transcrevai_core.errors import SettingError
from transcrevai_core.jobs.progress import bar
from transcrevai_core.library.store import Store
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.types import Segment, Transcript, Turn, Word

pytestmark = pytest.mark.slow

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
A, B = "SPEAKER_00", "SPEAKER_01"


def made(*segments: Any, **changes: Any) -> Transcript:
    values: dict[str, Any] = {
        "title": "Ata <b>", "duration": 65.0, "language": "pt", "language_probability": 0.9,
        "model": "small", "compute_type": "int8", "segments": segments,
        "turns": (Turn(0, 2, A), Turn(2, 4, B)), "names": {A: "Ana & cia"},
    }  # fmt: skip
    return Transcript(**(values | changes))


TWO = made(
    Segment(0, 2, " Bom <dia>.", (Word(0, 1, " Bom", 0.5), Word(1, 2, " <dia>.", 1.0)), A),
    Segment(2, 4, " Sim.", (), B, edited="Não."),
)


# -- a transcript shows itself -----------------------------------------------------------------


def test_a_transcript_is_a_table_with_its_speakers_in_colour() -> None:
    page = TWO._repr_html_()
    assert page.count("<tr>") == 2 and "1:05 · pt · small · 2 speakers" in page
    assert "background:#0072b2;color:#ffffff" in page
    assert "Ana &amp; cia" in page and "Speaker 2" in page
    assert "Bom &lt;dia&gt;." in page and "Ata &lt;b&gt;" in page and "<b>" not in page
    assert ">Não.<" in page and "Sim." not in page


def test_turns_stand_in_where_there_is_no_text_and_much_is_cut() -> None:
    assert "2.0 s" in made()._repr_html_()
    long = made(*(Segment(n, n + 1, " sim", speaker=A) for n in range(300)))._repr_html_()
    assert long.count("<tr>") == 200 and "and 100 more" in long
    assert long.count("Ana &amp; cia") == 1  # once, where one begins to speak


def test_a_transcript_becomes_frames() -> None:
    frame = TWO.to_frame()
    assert [*frame.columns] == [
        "start", "end", "speaker", "text", "edited", "looping", "confidence",
    ]  # fmt: skip
    assert frame.loc[0, ["speaker", "text", "confidence"]].tolist() == [
        "Ana & cia", "Bom <dia>.", 0.75,
    ]  # fmt: skip
    assert frame.loc[1, "text"] == "Não." and frame.loc[1, "edited"]
    assert frame.confidence.isna().tolist() == [False, True]
    words = TWO.to_frame("words")
    assert words[["text", "segment"]].values.tolist() == [["Bom", 0], ["<dia>.", 0]]
    assert TWO.to_frame("turns").values.tolist() == [[0, 2, "Ana & cia"], [2, 4, "Speaker 2"]]
    assert made(turns=()).to_frame().empty
    with pytest.raises(SettingError, match="segments, words, turns"):
        TWO.to_frame("chunks")  # type: ignore[arg-type]


def test_a_frame_without_pandas_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SettingError, match=r"needs `pip install transcrevai\[notebooks\]`"):
        TWO.to_frame()


def test_a_timeline_is_one_call_and_types_bring_nothing_heavy() -> None:
    figure = TWO.timeline()
    assert [lane.name for lane in figure.data if lane.type == "bar"] == [
        "Ana &amp; cia", "Speaker 2",
    ]  # fmt: skip
    assert not figure.layout.annotations
    code = (
        "import sys, transcrevai_core.types; "
        "sys.exit(any(m in sys.modules for m in ('pandas', 'plotly', 'transcrevai_core.notebook')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- progress ----------------------------------------------------------------------------------


def test_progress_is_drawn_up_to_the_end(
    short_recording: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    transcript = transcribe(short_recording, model="demo", beam_size=1, progress=True)
    assert transcript.segments
    drawn = capfd.readouterr().err
    assert "short.wav: done 100%" in drawn
    assert "transcribing" in drawn or "preparing" in drawn


def test_without_progress_nothing_is_drawn(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    job = store.add_job(demo.sample_path("pt"), JobOptions().model_dump())
    with bar(store, load_settings(), job, False):
        pass
    assert capfd.readouterr().err == ""


# -- the notebooks -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped(path: Any) -> None:
    book = json.loads(path.read_text(encoding="utf-8"))
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"] and cell["execution_count"] is None
    assert book["metadata"]["kernelspec"]["name"] == "python3"
    assert book["cells"][0]["cell_type"] == "markdown"


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks") / "home"


def test_there_are_four() -> None:
    assert len(NOTEBOOKS) == 4


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_its_first_cell_on(path: Any, shared_home: Path) -> None:
    book = nbformat.read(path, as_version=4)
    environment = os.environ | SETTINGS | {
        "TRANSCREVAI_HOME": str(shared_home),
        "PYTHONPATH": os.pathsep.join([str(path.parent.parent), os.environ.get("PYTHONPATH", "")]),
    }  # fmt: skip
    client = NotebookClient(book, timeout=300, kernel_name="python3")
    client.execute(env=environment)
    shown = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    kinds = {kind for output in shown for kind in output.get("data", ())}
    assert {"text/html", "application/vnd.plotly.v1+json"} <= kinds
    told = "".join(output.text for output in shown if output.get("name") == "stderr")
    assert "Traceback" not in told and "Warning" not in told, told
