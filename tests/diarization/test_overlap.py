"""Two at once: what the segmentation says, who is meant, and turns that overlap."""

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from transcrevai_core import demo, transcribe
from transcrevai_core.diarization import overlap, pipeline, segmentation
from transcrevai_core.diarization.counting import Count
from transcrevai_core.diarization.embeddings import onnx
from transcrevai_core.diarization.grouping import Grouping
from transcrevai_core.diarization.pipeline import Voices
from transcrevai_core.diarization.recipes import RECIPES, chosen_recipe, resolved
from transcrevai_core.errors import ModelAbsent, SettingError
from transcrevai_core.messages import Message
from transcrevai_core.models import catalogue
from transcrevai_core.options import JobOptions
from transcrevai_core.types import Region

SECONDS = 23.0


class Network:
    """Hears somebody where the sound is above 0, and two where it is above 0.5."""

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="sound")]

    def run(self, _outputs: None, feed: dict[str, Any]) -> list[Any]:
        (sound,) = feed["sound"][0]
        middles = sound[496 : 496 + 589 * 270 : 270]
        scores = np.full((589, 7), -9.0, np.float32)
        scores[:, 0] = np.where(middles > 0, -9.0, 9.0)
        scores[:, 1] = np.where((middles > 0) & (middles <= 0.5), 9.0, -9.0)
        scores[:, 4] = np.where(middles > 0.5, 9.0, -9.0)
        return [scores[None]]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    sound = np.zeros(round(SECONDS * 16_000), np.float32)
    sound[3 * 16_000 : 20 * 16_000] = 0.3
    sound[9 * 16_000 : 12 * 16_000] = 0.9

    def read(start: float, end: float) -> np.ndarray:
        return sound[round(start * 16_000) : round(end * 16_000)]

    monkeypatch.setattr(onnx, "session", lambda file, name: Network())
    return segmentation.activity(read, SECONDS, Path("none"))


def test_windows_agree_on_who_speaks_in_the_whole_recording(heard: np.ndarray) -> None:
    times = np.arange(0.5, SECONDS - 0.5, 0.25)
    speech, two = (segmentation.at(values, times) for values in heard.T)
    sure = np.minimum(np.abs(times - 3), np.abs(times - 20)) > 0.1
    assert ((speech > 0.5) == ((times > 3) & (times < 20)))[sure].all()
    sure = np.minimum(np.abs(times - 9), np.abs(times - 12)) > 0.1
    assert ((two > 0.5) == ((times > 9) & (times < 12)))[sure].all()


def test_two_at_once_are_two_turns() -> None:
    windows = np.array([[n, n + 1.0] for n in range(8)])
    two = np.zeros(round(8 / segmentation.STEP) + 1, np.float16)
    two[round(3.5 / segmentation.STEP) : round(4.5 / segmentation.STEP)] = 1.0
    voices = Voices((Region(0, 8),), windows, np.zeros((8, 1)), None, two)
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    grouping = Grouping(labels, Count(2), 0, Message(""))
    turns = pipeline.windows_to_turns(voices, grouping, RECIPES["voice"], lambda a, b: windows)
    assert [turn.speaker for turn in turns] == ["SPEAKER_00", "SPEAKER_01"]
    first, second = turns
    assert (first.start, second.end) == (0, 8)
    assert first.end == pytest.approx(4.5, abs=0.05) and second.start == pytest.approx(
        3.5, abs=0.05
    )


def test_nobody_is_added_where_nobody_else_is_near() -> None:
    labels = [np.zeros(200, np.int8), np.ones(200, np.int8)]
    spans = [(0, 200), (900, 1100)]  # 7 s apart
    found = overlap.second_speakers(spans, labels, np.ones(2000, bool))
    assert all((part == overlap.NOBODY).all() for part in found)
    near = overlap.second_speakers([(0, 200), (400, 600)], labels, np.ones(600, bool))
    assert (near[0][100:] == 1).all() and (near[1][:100] == 0).all()
    assert (near[0][:99] == overlap.NOBODY).all()


def test_what_is_heard_of_two_is_kept_with_the_voices(tmp_path: Path) -> None:
    two = np.linspace(0, 1, 50).astype(np.float16)
    voices = Voices((Region(0, 1),), np.array([[0.0, 1.0]]), np.ones((1, 3)), None, two)
    voices.save(tmp_path / "voices.npz")
    again = Voices.load(tmp_path / "voices.npz")
    assert again.between is None and again.two is not None
    np.testing.assert_array_equal(again.two, two)


def test_auto_is_the_best_that_is_here(
    tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = JobOptions().diarization()
    assert (resolved(options)["embedding"], resolved(options)["overlap"]) == ("voice", False)
    monkeypatch.setenv(catalogue.VOICE_FOLDER, str(tmp_path))
    for name in (catalogue.CAMPPLUS, catalogue.SEGMENTATION):
        (tmp_path / catalogue.VOICES[name].alias).touch()
    recipe = chosen_recipe(options)
    assert (recipe.embedding, recipe.overlap) == ("campplus", True)
    chosen = options | {"embedding": "ivector", "overlap": False}
    assert (chosen_recipe(chosen).embedding, chosen_recipe(chosen).overlap) == ("ivector", False)


def test_a_voice_model_that_is_not_here_says_how_to_get_it(hub: Path) -> None:
    with pytest.raises(ModelAbsent, match="models pull campplus gets it"):
        onnx.fetched("campplus")


def test_a_model_of_voices_is_asked_for_no_words(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="campplus is a model of voices and writes no words"):
        transcribe(demo.sample_path("pt"), home=tmp_path, model="campplus")


def test_turns_of_one_speaker_do_not_overlap_each_other() -> None:
    windows = np.array([[n / 2, n / 2 + 1.0] for n in range(40)])
    labels = np.array([n // 4 % 2 for n in range(40)])
    two = np.ones(round(20 / segmentation.STEP), np.float16)
    voices = Voices((Region(0, 20.5),), windows, np.zeros((40, 1)), None, two)
    grouping = Grouping(labels, Count(2), 0, Message(""))
    turns = pipeline.windows_to_turns(voices, grouping, RECIPES["voice"], lambda a, b: windows)
    for speaker in ("SPEAKER_00", "SPEAKER_01"):
        own = [turn for turn in turns if turn.speaker == speaker]
        assert own == sorted(own, key=lambda turn: turn.start)
        assert all(a.end < b.start for a, b in itertools.pairwise(own))
