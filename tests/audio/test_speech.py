from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from transcrevai_core import demo
from transcrevai_core.audio import decode, pcm
from transcrevai_core.audio.speech import (
    EDGE,
    PAUSE,
    find_regions,
    heard_seconds,
    plan_chunks,
    speech_share,
    without_words,
)
from transcrevai_core.audio.vad import BLOCK_SECONDS, speech_probabilities
from transcrevai_core.types import Region

SECOND = 1 / 0.032  # frames


def frames(*runs: Any) -> list[NDArray[Any]]:
    """Probabilities from runs of (seconds, probability)."""
    return [np.concatenate([np.full(round(s * SECOND), p) for s, p in runs])]


def spans(regions: Any) -> list[tuple[int, int]]:
    return [(round(r.start, 1), round(r.end, 1)) for r in regions]


def test_a_region_is_widened_and_a_short_pause_stays_inside_it() -> None:
    (found,) = find_regions(frames((2, 0), (1, 0.9), (0.2, 0), (1, 0.9), (2, 0)))
    assert found.start == pytest.approx(2.0 - 0.15, abs=0.04)  # a frame is 0.032 s
    assert found.end == pytest.approx(4.2 + 0.15, abs=0.04)


def test_a_long_pause_divides_and_padding_never_makes_neighbours_overlap() -> None:
    first, second = find_regions(frames((1, 0.9), (0.32, 0), (1, 0.9)), pad=0.5)
    assert first.end == second.start == pytest.approx(1.16, abs=0.05)


def test_speech_that_begins_and_ends_softly_is_whole() -> None:
    (found,) = find_regions(frames((1, 0), (0.8, 0.3), (1, 0.9), (0.8, 0.3), (1, 0)), pad=0)
    assert (found.start, found.end) == pytest.approx((1.0, 3.6), abs=0.05)
    assert find_regions(frames((1, 0), (5, 0.39), (1, 0))) == []  # nowhere sure


def test_a_click_is_no_speech() -> None:
    assert find_regions(frames((1, 0), (0.06, 0.9), (1, 0))) == []


def test_speech_to_the_last_frame_is_kept() -> None:
    assert spans(find_regions(frames((1, 0), (1, 0.9)))) == [(0.8, 2.0)]


def test_endless_speech_is_cut_where_it_is_least_like_speech() -> None:
    found = find_regions(frames((20, 0.9), (0.1, 0.5), (20, 0.9)), max_region=30)
    assert len(found) == 2
    assert found[0].end == pytest.approx(20.05, abs=0.1)
    assert found[0].end == found[1].start
    assert max(r.duration for r in found) <= 30


@given(
    st.lists(st.tuples(st.floats(0.05, 8), st.floats(0, 1)), max_size=30),
    st.sampled_from([5.0, 12.0, 30.0]),
)
def test_regions_and_chunks_are_ordered_and_short_enough_whatever_comes(
    runs: list[Any], longest: Any
) -> None:
    probabilities = frames((0.1, 0), *runs)
    regions = find_regions(probabilities, max_region=longest)
    end = len(probabilities[0]) * 0.032
    edges = [edge for r in regions for edge in (r.start, r.end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= end + 1e-6 for edge in edges)
    assert all(r.duration <= longest + 1e-6 for r in regions)
    chunks = plan_chunks(regions, longest, end)
    assert [region for chunk in chunks for region in chunk.speech] == regions
    assert all(heard_seconds(c.speech) <= longest + 1e-6 for c in chunks)
    sides = [side for c in chunks for side in (c.start, c.end)]
    assert sides == sorted(sides)


def test_chunks_are_packed_to_the_limit_and_cut_at_the_longest_pauses() -> None:
    regions = [Region(1, 4), Region(5, 7), Region(7.2, 9), Region(9.5, 12), Region(60, 66)]
    first, second, third = plan_chunks(regions, 10, 66.2)
    assert (first.speech, second.speech) == (tuple(regions[:3]), tuple(regions[3:4]))
    assert third.speech == (regions[4],)
    # into the silence around them, but not into other speech
    assert (first.start, first.end) == pytest.approx((1 - EDGE, 9.25))
    assert (second.start, second.end) == (9.25, 12 + EDGE)
    assert (third.start, third.end) == (60 - EDGE, 66.2)


def test_long_silences_count_as_short_ones() -> None:
    regions = [Region(0, 3), Region(40, 43), Region(90, 92)]
    assert heard_seconds(regions) == 8 + 2 * PAUSE
    (chunk,) = plan_chunks(regions, 12, 100)
    assert chunk.speech == tuple(regions)


def test_speech_without_words_is_found_around_and_between_them() -> None:
    regions = [Region(0, 5), Region(6, 9), Region(9.5, 11)]
    bare = without_words(regions, [(1.5, 2.0), (2.9, 5.0)])
    assert bare == [[Region(0, 1.5)], [Region(6, 9), Region(9.5, 11)]]
    assert without_words(regions, [(0, 11)]) == []
    assert without_words(regions, []) == [regions]


def test_speech_share_counts_each_second_once() -> None:
    assert speech_share(0, 4, [Region(1, 2), Region(3, 5)]) == pytest.approx(0.5)
    assert speech_share(0, 4, []) == 0
    assert speech_share(2, 2, [Region(1, 3)]) == 1


def test_speech_is_found_where_the_reference_has_it(tmp_path: Path) -> None:
    info = decode.decode(demo.sample_path("pt"), tmp_path / "pt.wav")
    regions = find_regions(speech_probabilities(pcm.blocks(tmp_path / "pt.wav", BLOCK_SECONDS)))
    rttm = demo.sample_path("pt").with_suffix(".rttm").read_text(encoding="utf-8").split("\n")
    turns = [(float(f[3]), float(f[3]) + float(f[4])) for f in map(str.split, rttm) if f]
    spoken = sum(end - start for start, end in turns)
    covered = sum(speech_share(start, end, regions) * (end - start) for start, end in turns)
    assert covered / spoken > 0.95
    assert sum(r.duration for r in regions) < info.duration
