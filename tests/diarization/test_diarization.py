"""Diarization from sound to turns, on the bundled samples."""

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import error_rate, run_cli, write_wav
from numpy.typing import NDArray

from tools.serving import CEILING
from transcrevai_core import demo
from transcrevai_core.audio import decode, pcm
from transcrevai_core.diarization.pipeline import (
    Voices,
    cluster,
    diarize,
    embed_recording,
    name_turns,
)
from transcrevai_core.diarization.recipes import RECIPES
from transcrevai_core.transcript.rttm import read_rttm
from transcrevai_core.types import Region, Turn

IVECTOR = RECIPES["ivector"]


@pytest.fixture(scope="module", params=["pt", "en"])
def sample(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Path, list[Turn]]:
    """A bundled conversation: its name, its WAV file and its reference."""
    wav = tmp_path_factory.mktemp("diarization") / "audio.wav"
    decode.decode(demo.sample_path(request.param), wav)
    reference = read_rttm(demo.sample_path(request.param).with_suffix(".rttm"))
    return request.param, wav, reference


@pytest.fixture(scope="module")
def voices(sample: tuple[Any, Path, list[Turn]]) -> Voices:
    return embed_recording(sample[1], IVECTOR)


def unheard(start: float, end: float) -> NDArray[Any]:
    raise AssertionError("i-vectors are divided without hearing the sound again")


def test_who_speaks_when_in_the_samples(
    sample: tuple[Any, Path, list[Turn]], voices: Voices
) -> None:
    _, _, reference = sample
    found = cluster(voices, (1, 6), IVECTOR, unheard)
    assert error_rate(reference, found.turns) < 0.10
    assert found.count.number == len({turn.speaker for turn in reference})
    assert found.count.number == len({turn.speaker for turn in found.turns})
    assert 0.5 <= found.count.margin <= 1


def test_cepstra_alone_do_it_too_when_the_count_is_given(
    sample: tuple[Any, Path, list[Turn]],
) -> None:
    _, wav, reference = sample
    speakers = len({turn.speaker for turn in reference})
    found = diarize(wav, speakers=speakers, recipe=RECIPES["mfcc"])
    assert error_rate(reference, found.turns) < 0.10


def test_turns_are_in_order_and_speakers_named_as_they_come(
    sample: tuple[Any, Path, list[Turn]], voices: Voices
) -> None:
    for speakers in (1, 2, 3, (1, 6)):
        turns = cluster(voices, speakers, IVECTOR, unheard).turns
        assert list(turns) == sorted(turns, key=lambda turn: turn.start)
        assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(turns))
        order = list(dict.fromkeys(turn.speaker for turn in turns))
        assert order == [f"SPEAKER_{n:02d}" for n in range(len(order))]
        if isinstance(speakers, int):
            assert len(order) == speakers


def test_the_order_of_windows_does_not_matter_to_the_clusters(voices: Voices) -> None:
    plain = replace(IVECTOR, clustering="k-means")  # VBx reads windows in time
    first = cluster(voices, 3, plain, unheard).turns
    again = cluster(voices, 3, plain, unheard).turns
    assert first == again
    from transcrevai_core.diarization.clustering import k_means_cosine

    order = np.random.default_rng(0).permutation(len(voices.vectors))
    labels = k_means_cosine(voices.vectors)(2)
    shuffled = k_means_cosine(voices.vectors[order])(2)
    agree = (labels[order] == shuffled).mean()
    assert max(agree, 1 - agree) > 0.98


@pytest.mark.parametrize("sample", ["pt"], indirect=True)
def test_level_and_silence_around_do_not_change_the_answer(
    sample: tuple[Any, Path, list[Turn]], voices: Voices, tmp_path: Path
) -> None:
    _, wav, _ = sample
    samples = pcm.read(wav, 0, 1e9)
    before = cluster(voices, (1, 6), IVECTOR, unheard).turns
    silence = np.zeros(16_000 * 16 // 5, np.float32)  # 3.2 s: whole frames of VAD and of cepstra
    quiet = diarize(write_wav(tmp_path / "quiet.wav", samples * 0.25))
    longer = np.concatenate([silence, samples, silence])
    later = diarize(write_wav(tmp_path / "later.wav", longer))
    back = [Turn(t.start - 3.2, t.end - 3.2, t.speaker) for t in later.turns]
    assert error_rate(before, quiet.turns) < 0.02
    assert error_rate(before, back) < 0.02


@pytest.mark.parametrize("embedding", ["ivector", "mfcc"])
def test_silence_and_a_breath_of_sound_have_an_answer(embedding: str, tmp_path: Path) -> None:
    done: list[Any] = []
    recipe = RECIPES[embedding]
    silence = write_wav(tmp_path / "nothing.wav", np.zeros(32_000))
    nothing = diarize(silence, recipe=recipe, on_progress=done.append)
    assert nothing.turns == ()
    assert nothing.count.number == 0
    assert done == sorted(done) and done[-1] == 1.0
    samples = decode.decode(demo.sample_path("pt"), tmp_path / "pt.wav")
    assert samples.duration > 2
    short = diarize(
        write_wav(tmp_path / "short.wav", pcm.read(tmp_path / "pt.wav", 0.5, 1.2)), recipe=recipe
    )
    assert len({turn.speaker for turn in short.turns}) <= 1


def test_runs_of_a_label_become_turns_that_fill_their_region() -> None:
    labels = [np.array([4] * 50 + [1] * 50), np.array([4] * 20)]
    assert name_turns([Region(1.0, 2.005), Region(3.0, 3.2)], labels, {}) == [
        Turn(1.0, 1.5, "SPEAKER_00"),
        Turn(1.5, 2.005, "SPEAKER_01"),
        Turn(3.0, 3.2, "SPEAKER_00"),
    ]


LEAN = """
import sys
from dataclasses import replace
from pathlib import Path
from transcrevai_core.diarization import pipeline, recipes
wav = Path(sys.argv[1])
def loaded(recipe, speakers):
    pipeline.cluster(voices, speakers, recipe, pipeline.reader(wav))
    return {"librosa", "numba", "torch", "sklearn", "pandas"} & set(sys.modules)
for recipe in (recipes.RECIPES["ivector"], recipes.RECIPES["voice"]):
    voices = pipeline.embed_recording(wav, recipe)
    for way in (recipe, replace(recipe, clustering="vbx", counting="likeness", alike=0.5)):
        assert not recipes.learns(way)
        assert not loaded(way, (1, 6)) and not loaded(way, 2)
way = replace(recipe, clustering="k-means")
assert recipes.learns(way) and "sklearn" in loaded(way, 2), sorted(loaded(way, 2))
"""


def test_the_default_way_needs_numpy_and_scipy_only(sample: Any) -> None:
    command = [sys.executable, "-c", LEAN, str(sample[1])]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
def test_the_command_line_writes_rttm_and_json(tmp_path: Path) -> None:
    sample = str(demo.sample_path("pt"))
    command = [sys.executable, "-m", "transcrevai_core", "diarize"]
    missing = str(tmp_path / "gone.wav")
    done = subprocess.run(
        [*command, missing, sample, "-o", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=CEILING,
    )
    assert done.returncode == 1  # the missing one ends alone
    assert "There is no file" in done.stderr and "pt.flac: 3 speakers (" in done.stderr
    turns = read_rttm(tmp_path / "pt.rttm")
    assert {turn.speaker for turn in turns} == {"SPEAKER_00", "SPEAKER_01", "SPEAKER_02"}
    told = run_cli("diarize", sample, "--speakers", "2", "--json")
    (result,) = json.loads(told.stdout)
    assert (result["title"], len(result["speakers"])) == ("pt.flac", 2)
    wrong = run_cli("diarize", sample, "--clustering", "x")
    assert wrong.returncode == 2
    assert "clustering is 'x'; it should be one of 'auto', " in wrong.stderr
