"""Diarization from sound to turns, on the bundled samples."""

import itertools
import json
import subprocess
import sys
import wave
from dataclasses import replace

import numpy as np
import pytest
from conftest import CEILING
from test_pipeline import run_cli

from transcrevai_core import demo
from transcrevai_core.audio import decode, pcm
from transcrevai_core.diarization.pipeline import cluster, diarize, embed_recording, name_turns
from transcrevai_core.diarization.recipes import RECIPES
from transcrevai_core.transcript.rttm import read_rttm
from transcrevai_core.types import Region, Turn

IVECTOR = RECIPES["ivector"]


def error_rate(reference, hypothesis, step=0.01):
    """DER at collar 0 on 10 ms frames, overlap scored, with the best matching of speakers."""
    from scipy.optimize import linear_sum_assignment

    end = max(turn.end for turn in [*reference, *hypothesis])
    grids = []
    for turns in (reference, hypothesis):
        names = sorted({turn.speaker for turn in turns})
        grid = np.zeros((len(names), round(end / step) + 1))
        for turn in turns:
            grid[names.index(turn.speaker), round(turn.start / step) : round(turn.end / step)] = 1
        grids.append(grid)
    together = grids[0] @ grids[1].T
    rows, columns = linear_sum_assignment(-together)
    spoken, heard = grids[0].sum(axis=0), grids[1].sum(axis=0)
    errors = np.maximum(spoken, heard).sum() - together[rows, columns].sum()
    return errors / spoken.sum()


def write(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module", params=["pt", "en"])
def sample(request, tmp_path_factory):
    """A bundled conversation: its name, its WAV file and its reference."""
    wav = tmp_path_factory.mktemp("diarization") / "audio.wav"
    decode.decode(demo.sample_path(request.param), wav)
    reference = read_rttm(demo.sample_path(request.param).with_suffix(".rttm"))
    return request.param, wav, reference


@pytest.fixture(scope="module")
def voices(sample):
    return embed_recording(sample[1], IVECTOR)


def unheard(start, end):
    raise AssertionError("i-vectors are divided without hearing the sound again")


def test_who_speaks_when_in_the_samples(sample, voices):
    _, _, reference = sample
    found = cluster(voices, (1, 6), IVECTOR, unheard)
    assert error_rate(reference, found.turns) < 0.10
    assert found.count.number == len({turn.speaker for turn in reference})
    assert found.count.number == len({turn.speaker for turn in found.turns})
    assert 0.5 <= found.count.margin <= 1


def test_cepstra_alone_do_it_too_when_the_count_is_given(sample):
    _, wav, reference = sample
    speakers = len({turn.speaker for turn in reference})
    found = diarize(wav, speakers=speakers, recipe=RECIPES["mfcc"])
    assert error_rate(reference, found.turns) < 0.10


def test_turns_are_in_order_and_speakers_named_as_they_come(sample, voices):
    for speakers in (1, 2, 3, (1, 6)):
        turns = cluster(voices, speakers, IVECTOR, unheard).turns
        assert list(turns) == sorted(turns, key=lambda turn: turn.start)
        assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(turns))
        order = list(dict.fromkeys(turn.speaker for turn in turns))
        assert order == [f"SPEAKER_{n:02d}" for n in range(len(order))]
        if isinstance(speakers, int):
            assert len(order) == speakers


def test_the_order_of_windows_does_not_matter_to_the_clusters(voices):
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
def test_level_and_silence_around_do_not_change_the_answer(sample, voices, tmp_path):
    _, wav, _ = sample
    samples = pcm.read(wav, 0, 1e9)
    before = cluster(voices, (1, 6), IVECTOR, unheard).turns
    silence = np.zeros(16_000 * 16 // 5, np.float32)  # 3.2 s: whole frames of VAD and of cepstra
    quiet = diarize(write(tmp_path / "quiet.wav", samples * 0.25))
    later = diarize(write(tmp_path / "later.wav", np.concatenate([silence, samples, silence])))
    back = [Turn(t.start - 3.2, t.end - 3.2, t.speaker) for t in later.turns]
    assert error_rate(before, quiet.turns) < 0.02
    assert error_rate(before, back) < 0.02


@pytest.mark.parametrize("embedding", ["ivector", "mfcc"])
def test_silence_and_a_breath_of_sound_have_an_answer(embedding, tmp_path):
    done = []
    recipe = RECIPES[embedding]
    nothing = diarize(
        write(tmp_path / "nothing.wav", np.zeros(32_000)), recipe=recipe, on_progress=done.append
    )
    assert nothing.turns == ()
    assert nothing.count.number == 0
    assert done == sorted(done) and done[-1] == 1.0
    samples = decode.decode(demo.sample_path("pt"), tmp_path / "pt.wav")
    assert samples.duration > 2
    short = diarize(
        write(tmp_path / "short.wav", pcm.read(tmp_path / "pt.wav", 0.5, 1.2)), recipe=recipe
    )
    assert len({turn.speaker for turn in short.turns}) <= 1


def test_runs_of_a_label_become_turns_that_fill_their_region():
    labels = [np.array([4] * 50 + [1] * 50), np.array([4] * 20)]
    assert name_turns([Region(1.0, 2.005), Region(3.0, 3.2)], labels) == [
        Turn(1.0, 1.5, "SPEAKER_00"),
        Turn(1.5, 2.005, "SPEAKER_01"),
        Turn(3.0, 3.2, "SPEAKER_00"),
    ]


def test_the_default_way_needs_numpy_and_scipy_only():
    code = (
        "import sys; from transcrevai_core.diarization import pipeline; "
        "bad = {'librosa', 'numba', 'torch', 'sklearn', 'pandas'} & set(sys.modules); "
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_command_line_writes_rttm_and_json(tmp_path):
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
