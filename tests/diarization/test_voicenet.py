"""The voice network, its head, and merging by likelihood."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import known

from transcrevai_core import demo
from transcrevai_core.audio import decode, pcm
from transcrevai_core.diarization import counting, plda
from transcrevai_core.diarization.embeddings import voicenet
from transcrevai_core.diarization.embeddings.extractors import VoiceEmbedding, load
from transcrevai_core.diarization.embeddings.voicenet import Network
from transcrevai_core.diarization.embeddings.windows import plan_windows
from transcrevai_core.diarization.pipeline import reader
from transcrevai_core.transcript.rttm import read_rttm
from transcrevai_core.types import Region


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("voicenet") / "audio.wav"
    decode.decode(demo.sample_path("pt"), path)
    return path


@pytest.fixture(scope="module")
def network() -> Network:
    return voicenet.shipped_network()


def unit(rows: Any) -> Any:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_both_files_are_small() -> None:
    sizes = [path.stat().st_size for path in (voicenet.NETWORK_FILE, voicenet.HEAD_FILE)]
    assert sum(sizes) < 4e6


def test_a_voice_is_nearer_to_itself_than_to_others(wav: Path) -> None:
    reference = read_rttm(demo.sample_path("pt").with_suffix(".rttm"))
    turns = [turn for turn in reference if turn.end - turn.start > 1.5]
    embedding = load("voice")
    assert isinstance(embedding, VoiceEmbedding)
    regions = [Region(turn.start, turn.end) for turn in turns]
    windows = np.concatenate([plan_windows([r], 1.5, 0.75) for r in regions])
    vectors = embedding.embed(reader(wav), regions, windows)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(windows), len(known(embedding.between)))
    assert (known(embedding.between) >= 0).all()
    middles = windows.mean(axis=1)
    owners = [next(t.speaker for t in turns if t.start <= m <= t.end) for m in middles]
    between = known(embedding.between)
    weights = np.sqrt(between / (between + 1))
    network_only = slice(len(known(embedding.ivectors.between)), None)
    for part in (slice(None), network_only):
        told = unit((vectors * weights)[:, part])
        cosine = told @ told.T
        same = np.equal.outer(owners, owners) & ~np.eye(len(owners), dtype=bool)
        assert cosine[same].mean() > cosine[~np.equal.outer(owners, owners)].mean() + 0.25


def test_level_does_not_matter_and_short_or_silent_sound_has_an_answer(
    wav: Path, network: Network
) -> None:
    samples = pcm.read(wav, 0, 4)
    windows = np.array([[0.5, 2.0], [1.0, 2.5], [3.9, 4.9]])
    loud = network.window_vectors(samples, windows)
    assert network.window_vectors(samples * 0.1, windows) == pytest.approx(loud, abs=0.1)
    for some in (samples[:10], np.zeros(16_000, np.float32), samples[:0]):
        assert np.isfinite(network.window_vectors(some, np.array([[0.0, 1.0]]))).all()


def test_pooling_weighs_steps() -> None:
    hidden = np.array([[1.0], [3.0], [100.0]])
    weight = np.array([0.5, 0.5, 0.0])
    (mean, deviation), (first, _) = voicenet.pool(hidden, weight, np.array([[0, 3], [0, 1]]))
    assert mean == pytest.approx(2.0, rel=0.01)
    assert deviation == pytest.approx(1.0, rel=0.01)
    assert first == pytest.approx(1.0, rel=0.01)


def test_levelled_frames_have_mean_energy_one_and_a_floor() -> None:
    mel = np.random.default_rng(0).normal(5, 2, (50, 40)).astype(np.float32)
    mel[0] = -30
    out = voicenet.levelled(mel)
    assert np.exp(out).mean() == pytest.approx(1.0, rel=0.01)
    assert out.min() == voicenet.FLOOR
    assert voicenet.levelled(mel + 3) == pytest.approx(out, abs=1e-4)


def test_the_same_voice_is_told_from_two() -> None:
    between = np.full(30, 5.0)
    rng = np.random.default_rng(0)
    voice, other = rng.normal(0, np.sqrt(5), (2, 30))
    means = np.stack([voice, voice + rng.normal(0, 0.5, 30), other])
    same, different = plda.same_voice(means, np.full(3, 4.0), 0, np.array([1, 2]), between)
    assert same > 20 and different < -20
    # the density itself, for two looks of one dimension
    a, b, x, y = 2.0 + 1.0, 2.0 + 0.5, 0.3, -0.4
    from scipy.stats import multivariate_normal as normal

    expected = normal([0, 0], [[a, 2.0], [2.0, b]]).logpdf([x, y]) - (
        normal(0, a).logpdf(x) + normal(0, b).logpdf(y)
    )
    found = plda.same_voice(
        np.array([[x], [y]]), np.array([1.0, 2.0]), 0, np.array([1]), np.array([2.0])
    )
    assert found[0] == pytest.approx(expected)


def test_merging_finds_the_voices_and_one_that_speaks_little() -> None:
    rng = np.random.default_rng(1)
    between = np.linspace(8, 1, 40)
    places = rng.normal(0, np.sqrt(between), (3, 40))
    owners = np.repeat([0, 1, 2], [200, 150, 8])
    vectors = places[owners] + rng.standard_normal((len(owners), 40))
    stages = plda.agglomerate(vectors, between, np.full(len(owners), 0.25))
    assert [stage.clusters for stage in stages] == list(range(20, 0, -1))
    for stage in stages:
        assert len(np.unique(stage.labels)) == stage.clusters
    found = plda.by_clusters(stages, lambda labels: labels)
    count = counting.by_evidence({n: s.evidence for n, s in found.items()}, 1, 6, threshold=5.0)
    assert count.number == 3
    assert len({(a, b) for a, b in zip(owners, found[3].labels, strict=True)}) == 3


def test_counting_by_evidence_keeps_to_its_range() -> None:
    evidence = {5: 70.0, 4: 40.0, 3: -10.0, 2: -60.0, 1: -np.inf}
    assert counting.by_evidence(evidence, 1, 6, threshold=5.0).number == 3
    assert counting.by_evidence(evidence, 4, 6, threshold=5.0).number == 4
    assert counting.by_evidence(evidence, 1, 2, threshold=5.0).number == 2
    assert counting.by_evidence({1: -np.inf}, 1, 6, threshold=5.0).margin == 1.0
    unsure = counting.by_evidence({3: 6.0, 2: -60.0, 1: -np.inf}, 1, 6, threshold=5.0)
    assert (unsure.number, unsure.runner_up) == (2, 3)
    assert unsure.margin < 0.6
