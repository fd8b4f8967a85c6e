"""Each stage of diarization on its own, with answers that can be counted on one's fingers."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from transcrevai_core.diarization import (
    clustering,
    counting,
    grouping,
    pipeline,
    resegmentation,
    vbx,
)
from transcrevai_core.diarization.counting import Count
from transcrevai_core.diarization.embeddings import ivector
from transcrevai_core.diarization.embeddings.features import (
    Features,
    log_mel,
    mel_filters,
    mfcc,
    spread,
)
from transcrevai_core.diarization.embeddings.windows import plan_windows, vote, widen
from transcrevai_core.diarization.recipes import Recipe, VbxSettings
from transcrevai_core.errors import InputError, SettingError
from transcrevai_core.transcript.rttm import format_rttm, parse_rttm, read_rttm, write_rttm
from transcrevai_core.types import Region, Turn


def blobs(
    *sizes: Any, spread: float = 0.1, dims: int = 8, seed: int = 0
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Points about one axis for each size, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return np.eye(dims)[labels] + spread * rng.standard_normal((len(labels), dims)), labels


def same_partition(a: Any, b: Any) -> bool:
    return np.array_equal(a[:, None] == a[None], b[:, None] == b[None])


# --- cepstra


def test_a_tone_sounds_in_the_filter_that_holds_its_frequency() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    frames = log_mel(tone)
    assert frames.shape == (98, 40)  # 1 + (16000 - 400) / 160
    mel = 1127 * np.log1p(np.array([60, 1000, 7600]) / 700)
    expected = (mel[1] - mel[0]) / ((mel[2] - mel[0]) / 41) - 1  # in widths of a triangle
    assert abs(frames.mean(axis=0).argmax() - expected) < 0.6


def test_filters_sum_to_one_between_the_first_and_last_peak() -> None:
    total = mel_filters().sum(axis=1)
    assert total[10:200] == pytest.approx(1.0, abs=1e-5)
    assert total[0] == total[1] == 0  # 0 and 31 Hz


def test_cepstra_of_sound_too_short_for_a_frame_are_none() -> None:
    assert mfcc(np.zeros(399, np.float32)).shape == (0, 20)
    assert mfcc(np.zeros(400, np.float32)).shape == (1, 20)


def test_gain_changes_nothing_but_c0() -> None:
    sound = np.random.default_rng(0).standard_normal(8_000).astype(np.float32) * 0.1
    quiet, loud = mfcc(sound), mfcc(4 * sound)
    assert np.abs(loud - quiet)[:, 1:].max() < 1e-3
    # every filter's log energy rises by ln 16, and c0 is their sum over sqrt(40)
    assert loud[:, 0] - quiet[:, 0] == pytest.approx(np.log(16) * np.sqrt(40), abs=1e-3)


def test_stretches_agree_with_the_whole_and_have_no_mean_over_speech() -> None:
    sound = np.random.default_rng(0).standard_normal(16_000 * 25).astype(np.float32)
    calls = []

    def read(start: float, end: float) -> Any:
        calls.append(end - start)
        return sound[round(start * 16_000) : round(end * 16_000)]

    features = Features(read, [Region(2, 12), Region(15, 24.5)])
    whole = mfcc(sound)
    speech = np.concatenate([whole[200:1200], whole[1500:2450]])
    assert features.mean == pytest.approx(speech.mean(axis=0), abs=1e-4)
    assert features.frames(990, 1010) == pytest.approx(whole[990:1010] - features.mean, abs=1e-3)
    assert len(features.between(24, 99)) == len(whole) - 2400  # the recording ends before
    assert max(calls) < 10.1  # never more than a block at once
    assert len(calls) <= 11  # each block is made once, though asked for again


def test_a_long_recording_is_sampled_evenly() -> None:
    pieces = spread([Region(0, 1000), Region(2000, 3000)], 100)
    assert len(pieces) == 10
    assert all(p.duration == 10 for p in pieces)
    assert sum(p.start < 1500 for p in pieces) == 5


# --- windows


def test_windows_fill_regions_and_short_ones_are_widened() -> None:
    windows = plan_windows([Region(0, 2), Region(3, 3.4)], 1.5, 0.25)
    assert windows.tolist() == [[0, 1.5], [0.25, 1.75], [0.5, 2], [3, 3.4]]
    assert widen(windows)[-1] == pytest.approx([2.7, 3.7])


@given(st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 3)), max_size=8))
def test_windows_stay_inside_and_cover_every_region(lengths: list[Any]) -> None:
    regions, at = [], 0.0
    for length, gap in lengths:
        regions.append(Region(at, at + length))
        at += length + gap
    windows = plan_windows(regions, 1.5, 0.25)
    assert (np.diff(windows[:, 0]) > -1e-6).all()
    for region in regions:
        inside = windows[(windows[:, 0] >= region.start - 1e-5) & (windows[:, 0] < region.end)]
        assert inside[0, 0] == pytest.approx(region.start, abs=1e-5)
        assert inside[:, 1].max() == pytest.approx(region.end, abs=2e-3)
        assert (inside[1:, 0] <= inside[:-1, 1] + 1e-5).all()


def test_a_window_counts_most_in_its_middle() -> None:
    windows = np.array([[0.0, 1.0], [0.5, 1.5]])
    votes = vote(windows, np.eye(2), 0, 15, 0.1)
    # frame 5 is at 0.55 s: 0.05 past the first window's middle, 0.05 into the second window
    assert votes[5] == pytest.approx([1 - 0.9 * 0.1, 1 - 0.9 * 0.9])
    assert votes.argmax(axis=1).tolist() == [0] * 7 + [votes[7].argmax()] + [1] * 7
    assert votes[12, 0] == 0


# --- clustering


@pytest.mark.parametrize(
    "divider",
    [
        clustering.agglomerative,
        clustering.k_means_cosine,
        lambda vectors: clustering.spectral(vectors, 6)[0],
    ],
    ids=["agglomerative", "k-means", "spectral"],
)
@pytest.mark.parametrize("sizes", [(20, 20), (30, 10, 25), (12, 12, 12, 12)])
def test_clear_groups_are_found_whatever_the_order(divider: Any, sizes: tuple[Any, ...]) -> None:
    vectors, labels = blobs(*sizes)
    assert same_partition(divider(vectors)(len(sizes)), labels)
    order = np.random.default_rng(1).permutation(len(labels))
    assert same_partition(divider(vectors[order])(len(sizes)), labels[order])
    assert same_partition(divider(7.0 * vectors)(len(sizes)), labels)  # cosine knows no length


def test_more_windows_than_the_sample_are_all_labelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "SAMPLE", 50)
    monkeypatch.setattr(clustering, "SPECTRAL_SAMPLE", 50)
    vectors, labels = blobs(300, 200)
    for cluster in (
        clustering.agglomerative(vectors),
        clustering.k_means_cosine(vectors),
        clustering.spectral(vectors, 4)[0],
    ):
        assert same_partition(cluster(2), labels)


def test_one_point_and_equal_points_are_clusters_too() -> None:
    for vectors in (np.ones((1, 3)), np.ones((5, 3))):
        assert clustering.agglomerative(vectors)(1).tolist() == [0] * len(vectors)
        assert set(clustering.k_means(vectors, 3)) <= {0, 1, 2}
        clustering.spectral(vectors, 3)[0](1)


def test_eigengap_is_widest_at_the_number_of_groups() -> None:
    vectors, _ = blobs(20, 20, 20)
    _, gaps = clustering.spectral(vectors, 6)
    assert gaps.argmax() + 1 == 3


def test_a_cluster_with_too_little_speech_is_absorbed_by_the_most_alike() -> None:
    vectors = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1], [0.2, 1]])
    labels = np.array([0, 0, 1, 1, 2])
    seconds = np.array([1.0, 1, 1, 1, 0.5])
    assert clustering.absorb(vectors, labels, seconds, 1.0).tolist() == [0, 0, 1, 1, 1]
    assert clustering.absorb(vectors, labels, seconds, 0.5).tolist() == labels.tolist()
    assert clustering.absorb(vectors, labels, seconds, 9.0, fewest=3).tolist() == labels.tolist()
    assert clustering.absorb(vectors, labels, seconds, 9.0).tolist() == [0] * 5


# --- VBx


def test_vbx_drops_the_speaker_that_was_one_too_many() -> None:
    rng = np.random.default_rng(0)
    between = np.full(10, 8.0)
    places = rng.standard_normal((2, 10)) * np.sqrt(between)
    truth = np.repeat([0, 1, 0, 1], 40)
    vectors = places[truth] + rng.standard_normal((160, 10))
    first = truth.copy()
    first[::5] = 2  # strewn over both speakers
    share = vbx.refine(vectors, between, first, VbxSettings())
    assert share.sum(axis=1) == pytest.approx(1.0)
    assert same_partition(share.argmax(axis=1), truth)
    assert share.shape[1] == 2


def test_a_window_alone_follows_its_neighbours_unless_it_is_clear() -> None:
    between = np.full(4, 9.0)
    vectors = np.repeat([[3.0, 3, 0, 0], [0, 0, 3, 3]], 20, axis=0)
    vectors[10] = [1.4, 1.4, 1.6, 1.6]  # hardly the second speaker
    vectors[30] = [3.0, 3, 0, 0]  # clearly the first
    labels = np.repeat([0, 1], 20)
    found = vbx.refine(vectors, between, labels, VbxSettings(fa=1.0, fb=1.0)).argmax(axis=1)
    assert found[10] == found[9]
    assert found[30] == found[0] != found[31]


# --- counting


def test_a_count_is_given_or_in_a_range() -> None:
    assert counting.check_range(3) == (3, 3)
    for wrong in (0, (2, 1), (1, 21)):
        with pytest.raises(SettingError, match="1 to 20"):
            counting.check_range(wrong)


@pytest.mark.parametrize("speakers", [2, 3, 5])
def test_every_way_of_counting_counts_clear_groups(speakers: int) -> None:
    vectors, _ = blobs(*[20] * speakers)
    cluster = clustering.k_means_cosine(vectors)
    _, gaps = clustering.spectral(vectors, 6)
    for count in (
        counting.by_likeness(vectors, cluster, 1, 6, threshold=0.6),
        counting.by_silhouette(vectors, cluster, 1, 6, single=False),
        counting.by_gaps(gaps, 1, 6),
    ):
        assert count.number == speakers
        assert 0.5 < count.margin <= 1
        assert count.runner_up != speakers


def test_one_voice_is_one_and_a_range_is_kept() -> None:
    vectors, _ = blobs(40)
    cluster = clustering.k_means_cosine(vectors)
    assert counting.by_likeness(vectors, cluster, 1, 6, threshold=0.6).number == 1
    assert counting.by_silhouette(vectors, cluster, 1, 6, single=True).number == 1
    assert counting.by_likeness(vectors, cluster, 2, 4, threshold=0.6).number == 2
    three, _ = blobs(20, 20, 20)
    assert counting.by_likeness(
        three, clustering.k_means_cosine(three), 1, 2, threshold=0.6
    ) == Count(2, 0.95, 1, "likeness")


def test_whether_there_are_two_has_a_threshold_of_its_own() -> None:
    # two groups 60 degrees apart: cosine 0.5
    vectors = np.repeat([[1.0, 0], [0.5, np.sqrt(0.75)]], 10, axis=0)
    cluster = clustering.k_means_cosine(vectors)
    assert counting.by_likeness(vectors, cluster, 1, 2, threshold=0.6).number == 2
    one = counting.by_likeness(vectors, cluster, 1, 2, threshold=0.6, two=0.4)
    assert (one.number, one.runner_up) == (1, 2)
    assert one.margin == pytest.approx(0.5 + 0.45 * (0.5 - 0.4) / 0.2, abs=1e-3)
    # who asks for at least two gets them
    assert counting.by_likeness(vectors, cluster, 2, 2, threshold=0.6, two=0.4).number == 2


# --- resegmentation


def test_a_change_of_speaker_must_earn_its_price() -> None:
    scores = np.zeros((30, 2))
    scores[:10, 0] = scores[20:, 0] = scores[10:20, 1] = 1.0
    assert resegmentation.viterbi(scores, 4.0).tolist() == [0] * 10 + [1] * 10 + [0] * 10
    assert resegmentation.viterbi(scores, 6.0).tolist() == [0] * 30  # 2 x 6 > 10


def test_slivers_go_to_the_longer_neighbour() -> None:
    labels = np.array([0] * 5 + [1] * 2 + [2] * 9 + [0])
    assert resegmentation.smooth(labels, 3).tolist() == [0] * 5 + [2] * 12
    assert resegmentation.smooth(np.array([1]), 3).tolist() == [1]
    assert resegmentation.smooth(np.zeros(0, int), 3).tolist() == []


def test_a_mixture_fits_what_it_was_drawn_from() -> None:
    rng = np.random.default_rng(0)
    frames = np.concatenate([rng.normal(-3, 1, (500, 2)), rng.normal(3, 0.5, (500, 2))])
    deviation = frames.std(axis=0)
    weights, means, variances = resegmentation.fit_mixture(frames, deviation)
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ means == pytest.approx(frames.mean(axis=0), abs=1e-6)
    assert len(weights) == 8
    assert (variances >= 0.01 * deviation**2).all()
    fitted = resegmentation.mixture_scores(frames, [(weights, means, variances)]).mean()
    parts = ([0.5, 0.5], [[-3, -3], [3, 3]], [[1, 1], [0.25, 0.25]])
    weights, means, variances = (np.array(part, float) for part in parts)
    drawn = [(weights, means, variances)]
    assert fitted > resegmentation.mixture_scores(frames, drawn).mean() - 0.05


# --- i-vectors


def test_an_ivector_is_the_shrunken_mean_of_its_frames() -> None:
    # one Gaussian, one factor along one coefficient: w = T sum / (1 + N T^2)
    frames = np.array([[2.0], [4.0]], np.float32)
    share = np.ones((2, 1), np.float32)
    counts, sums = ivector.statistics(frames, np.array([[0, 2]]), np.array([[1.0]]), share)
    assert counts.tolist() == [[2]]
    assert sums.tolist() == [[[4]]]  # 2 + 4 - 2 * 1
    loadings = np.array([[[0.5]]], np.float32)
    assert ivector.extract(counts, sums, loadings)[0, 0] == pytest.approx(0.5 * 4 / (1 + 2 * 0.25))


def test_likelihoods_are_those_of_gaussians() -> None:
    value = ivector.log_likelihoods(
        np.array([[1.0]]), np.array([0.5, 0.5]), np.array([[1.0], [3.0]]), np.array([[1.0], [4.0]])
    )
    expected = [np.log(0.5 / np.sqrt(2 * np.pi)), np.log(0.5 / np.sqrt(8 * np.pi)) - 0.5]
    assert value[0] == pytest.approx(expected)
    assert ivector.posteriors(value).sum() == pytest.approx(1.0)


def test_the_shipped_model_is_whole_and_small() -> None:
    model = ivector.load_model()
    assert model.weights.sum() == pytest.approx(1.0, abs=1e-4)
    assert model.loadings.shape[:2] == model.means.shape == model.variances.shape
    assert model.discriminants.shape == (len(model.centre), len(model.between))
    assert (model.variances > 0).all()
    assert (np.diff(model.between) <= 1e-5).all()
    assert ivector.MODEL_FILE.stat().st_size < 4e6


# --- RTTM


def test_rttm_comes_back_as_it_was_written(tmp_path: Path) -> None:
    turns = [Turn(0.0, 1.25, "SPEAKER_00"), Turn(1.0, 3.5, "SPEAKER_01")]
    write_rttm(tmp_path / "talk.rttm", turns, "talk")
    assert read_rttm(tmp_path / "talk.rttm") == turns
    assert read_rttm(tmp_path / "talk.rttm", "other") == []


def test_rttm_lines_of_other_kinds_and_orders() -> None:
    text = "SPKR-INFO a 1 <NA> <NA> <NA> unknown x <NA>\n\n" + format_rttm(
        [Turn(5, 6, "b"), Turn(1, 2, "a name")], "a file"
    )
    assert parse_rttm(text) == [Turn(1, 2, "a_name"), Turn(5, 6, "b")]
    with pytest.raises(InputError, match="Line 1"):
        parse_rttm("SPEAKER a 1 zero 1.0 <NA> <NA> x <NA> <NA>")


# --- grouping


def by_hand(vectors: Any, seconds: float = 1.0) -> pipeline.Voices:
    """Voices of windows that follow each other without overlap."""
    starts = np.arange(len(vectors)) * seconds
    windows = np.stack([starts, starts + seconds], axis=1)
    regions = (Region(0.0, float(len(vectors) * seconds)),)
    return pipeline.Voices(regions, windows, vectors.astype(np.float32), None)


def silence(start: float, end: float) -> NDArray[Any]:
    return np.zeros(0, np.float32)


def test_states_of_a_sequence_are_those_of_all_its_paths_summed() -> None:
    rng = np.random.default_rng(3)
    score, prior, loop = rng.standard_normal((7, 2)), np.array([0.7, 0.3]), 0.8
    step = loop * np.eye(2) + (1 - loop) * prior
    paths = np.array([*itertools.product(range(2), repeat=7)])
    chances = prior[paths[:, 0]] * np.exp(score[np.arange(7), paths].sum(axis=1))
    chances *= step[paths[:, :-1], paths[:, 1:]].prod(axis=1)
    share, evidence, fresh = vbx._forward_backward(score, prior, loop)
    assert evidence == pytest.approx(np.log(chances.sum()))
    for t in range(7):
        second = chances[paths[:, t] == 1].sum() / chances.sum()
        assert share[t] == pytest.approx([1 - second, second])
    # fresh starts: the first window, and the part of each step that was drawn anew
    begun = np.zeros(2)
    for chance, path in zip(chances, paths, strict=True):
        begun[path[0]] += chance
        for a, b in itertools.pairwise(path):
            begun[b] += chance * (1 - loop) * prior[b] / step[a, b]
    assert fresh == pytest.approx(begun / begun.sum())


def test_voices_on_disk_are_the_voices(tmp_path: Path) -> None:
    voices = replace(by_hand(np.eye(3)), between=np.array([1.0, 2.0]))
    voices.save(tmp_path / "voices.npz")
    again = pipeline.Voices.load(tmp_path / "voices.npz")
    assert again.regions == voices.regions
    for name in ("windows", "vectors", "between"):
        assert (getattr(again, name) == getattr(voices, name)).all()
    plain = by_hand(np.zeros((0, 4)))
    plain.save(tmp_path / "voices.npz")
    assert pipeline.Voices.load(tmp_path / "voices.npz").between is None
    assert [file.name for file in tmp_path.iterdir()] == ["voices.npz"]


def test_the_way_of_clustering_is_chosen_by_what_is_seen() -> None:
    def chosen(vectors: Any, modelled: bool = False) -> tuple[Any, str]:
        windows = np.arange(len(vectors))[:, None] + [0.0, 1.0]
        between = np.ones(vectors.shape[1]) if modelled else None
        method, why = grouping.choose_clustering(
            grouping.ClusterInput(vectors, windows, between), 6
        )
        return method, str(why)

    apart, _ = blobs(20, 20, 20, spread=0.01)
    noise = np.random.default_rng(0).standard_normal((60, 8))
    assert chosen(apart, modelled=True)[0] == "vbx"
    assert chosen(apart) == ("k-means", "voices are clearly apart (silhouette 1.00)")
    assert chosen(noise)[0] == "spectral"
    assert chosen(apart[:10]) == (
        "agglomerative", "10 windows are few, and a tree weighs every pair",
    )  # fmt: skip
    assert chosen(np.tile(noise, (40, 1)))[0] == "k-means"
    found = pipeline.cluster(by_hand(apart), (1, 6), Recipe("mfcc"), silence)
    assert str(found.why) == "k-means: voices are clearly apart (silhouette 1.00)"
    asked = pipeline.cluster(by_hand(apart), 3, Recipe("mfcc", "agglomerative"), silence)
    assert str(asked.why) == "agglomerative: as set"


def test_a_phantom_does_not_take_a_speakers_place() -> None:
    divisions = {2: [0, 0, 0, 0, 1], 3: [0, 0, 1, 1, 2]}
    vectors = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1], [-1, 0.1]])

    def prune(labels: Any, keep: int = 1) -> Any:
        return clustering.absorb(vectors, labels, np.ones(5), 2.0, keep)

    labels, clusters = grouping._without_phantoms(lambda n: np.array(divisions[n]), prune, 2)
    assert labels.tolist() == [0, 0, 1, 1, 1]
    assert clusters == 3


@given(
    st.integers(1, 40),
    st.sampled_from([(1, 6), (2, 3), (1, 1), (4, 4), (1, 20)]),
    st.sampled_from(["auto", "vbx", "k-means", "agglomerative", "spectral"]),
    st.sampled_from(["likeness", "silhouette", "eigengap"]),
    st.integers(0, 5),
)
@settings(max_examples=40, deadline=None)
def test_whatever_the_vectors_every_window_has_a_speaker_and_the_range_is_kept(
    count: int, speakers: Any, way: Any, counting_by: Any, seed: int
) -> None:
    vectors = np.random.default_rng(seed).standard_normal((count, 5))
    recipe = Recipe("mfcc", way, counting_by)
    found = pipeline.cluster(by_hand(vectors), speakers, recipe, silence)
    assert sum(turn.duration for turn in found.turns) == pytest.approx(count, abs=0.01)
    assert min(speakers[0], 1) <= found.count.number <= speakers[1]
    assert len({turn.speaker for turn in found.turns}) == found.count.number
    assert 0 <= found.count.margin <= 1


def test_turns_follow_the_voices_exactly_where_windows_do_not_overlap() -> None:
    vectors, _labels = blobs(3, 4, 2, spread=0.01)
    found = pipeline.cluster(by_hand(vectors), (1, 6), Recipe("mfcc", "k-means"), silence)
    assert [(t.start, t.end) for t in found.turns] == [(0, 3), (3, 7), (7, 9)]
    assert found.count.number == 3
    swapped = pipeline.cluster(by_hand(vectors[::-1]), (1, 6), Recipe("mfcc", "k-means"), silence)
    assert [(t.start, t.end) for t in swapped.turns] == [(0, 2), (2, 6), (6, 9)]
