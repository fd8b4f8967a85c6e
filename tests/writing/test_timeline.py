"""Speakers in colour, and the picture of who spoke when."""

import itertools
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from transcrevai_core.figures import timeline
from transcrevai_core.transcript.turns import display_name
from transcrevai_core.types import Segment, Transcript, Turn, Word

A, B = "SPEAKER_00", "SPEAKER_01"


def words(start: float, *texts: Any) -> tuple[Word, ...]:
    return tuple(Word(start + n, start + n + 1, text, 0.9) for n, text in enumerate(texts))


def transcript(
    turns: Sequence[Turn],
    segments: Sequence[Segment] = (),
    names: Any = None,
    duration: float = 100.0,
) -> Transcript:
    return Transcript(
        "a", duration, "pt", 0.9, "small", "int8", tuple(segments), turns=tuple(turns),
        names=names or {},
    )  # fmt: skip


def drawn(*args: Any, **kwargs: Any) -> Any:
    """What reaches the browser."""
    return json.loads(timeline.timeline(transcript(*args, **kwargs)).to_json())


def luminance(colour: Any) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Any, other: Any) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# -- colours and names -------------------------------------------------------------------------


def test_every_colour_is_readable_on_both_backgrounds() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for fill, text in timeline.PALETTE:
        assert contrast(fill, text) >= 4.5
        assert min(contrast(fill, "#ffffff"), contrast(fill, "#111816")) >= 2.9


# what eyes without one kind of cone see of linear RGB (Machado, Oliveira and Fernandes 2009)
BLINDNESS = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deutan": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritan": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


def lab(colour: Any, seen: Any) -> tuple[float, float, float]:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    rgb = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    rgb = [min(1, max(0, sum(f * c for f, c in zip(row, rgb, strict=True)))) for row in seen]
    to_xyz = (0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8728)
    xyz = [sum(f * c for f, c in zip(row, rgb, strict=True)) for row in to_xyz]
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_differ_for_every_kind_of_eye(kind: Any) -> None:
    seen = [lab(fill, BLINDNESS[kind]) for fill, _ in timeline.PALETTE]
    for one, other in itertools.combinations(seen, 2):
        # 2.3 is what an eye can just tell apart
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 10


def test_twenty_speakers_look_different_and_keep_their_looks() -> None:
    looks = [timeline.colour(f"SPEAKER_{n:02}") for n in range(20)]
    assert len(set(looks)) == 20
    assert [look.fill for look in looks[:10]] == [look.fill for look in looks[10:]]
    assert timeline.colour("Ana") == timeline.colour("Ana")  # a label from elsewhere


def test_names() -> None:
    assert display_name(A, {}) == "Speaker 1"
    assert display_name(A, {A: "Ana"}) == "Ana"
    assert display_name("host", {}) == "host"


# -- what is said in a turn --------------------------------------------------------------------


def test_words_go_with_their_speakers_turn() -> None:
    turns = [Turn(0, 2, A), Turn(1, 4, B), Turn(6, 8, A)]
    segments = [
        Segment(0, 8, " um dois três", words(0, " um", " dois") + words(6, " três"), speaker=A),
        Segment(1, 4, " yes", words(2, " yes"), speaker=B),
        Segment(9, 10, " late", words(9, " late"), speaker=A),  # after its last turn
        Segment(3, 4, " nobody's", words(3, " nobody's")),
    ]
    assert timeline.turn_texts(turns, segments) == ["um dois", "yes", "três late"]


def test_a_correction_is_what_was_said() -> None:
    segment = Segment(0, 2, " um dois", words(0, " um", " dois"), speaker=A, edited="one two")
    assert timeline.turn_texts([Turn(0, 2, A)], [segment]) == ["one two"]


def test_long_speeches_are_cut() -> None:
    segment = Segment(0, 99, " palavra" * 99, words(0, *[" palavra"] * 99), speaker=A)
    (said,) = timeline.turn_texts([Turn(0, 99, A)], [segment], 20)
    assert said == "palavra palavra pal…"


# -- the timeline ------------------------------------------------------------------------------


def test_lanes_stand_in_order_of_first_speech() -> None:
    figure = drawn([Turn(0, 20, B), Turn(20, 50, A), Turn(60, 70, B)], names={A: "Ana"})
    first, second = figure["data"]
    assert [first["name"], second["name"]] == ["Speaker 2", "Ana"]
    assert [t.strip() for t in figure["layout"]["yaxis"]["ticktext"]] == ["Speaker 2", "Ana"]
    assert first["y"] == [0, 0] and second["y"] == [1]
    assert first["x"] == [20_000, 10_000] and first["customdata"] == [0, 60]
    assert first["base"][1] - first["base"][0] == 60_000
    assert first["marker"]["color"] == timeline.colour(B).fill
    low, high = figure["layout"]["yaxis"]["range"]
    assert low > high  # the first lane is above
    assert figure["layout"]["yaxis"]["fixedrange"]


def test_no_moment_reads_as_a_year() -> None:
    (lane,) = drawn([Turn(n, n + 1, A) for n in range(20)], duration=20.0)["data"]
    assert all(len(str(moment)) > 4 for moment in lane["base"])


def test_what_the_mouse_shows() -> None:
    segment = Segment(3600, 3670, " <i>oi</i> & $x$", speaker=A)
    figure = drawn([Turn(3600, 3670, A)], [segment], {A: "<b>Ana</b>"}, 3670.0)
    (text,) = figure["data"][0]["hovertext"]
    assert text == (
        "<b>&lt;b&gt;Ana&lt;/b&gt;</b><br>1:00:00 to 1:01:10<br>&lt;i&gt;oi&lt;/i&gt; &amp; $x$"
    )
    assert figure["data"][0]["hoverinfo"] == "text"  # no template that a name could break
    assert figure["layout"]["yaxis"]["ticktext"] == ["&lt;b&gt;Ana&lt;/b&gt; "]


@pytest.mark.parametrize(
    ("duration", "labels"), [(3599, "%-M:%S"), (3600, "%-H:%M:%S"), (90_000, "day %-j, %-H:%M")]
)
def test_time_reads_as_a_clock(duration: int, labels: str) -> None:
    axis = drawn([Turn(0, 1, A)], duration=float(duration))["layout"]["xaxis"]
    assert axis["type"] == "date" and axis["tickformat"] == labels
    assert axis["range"][1] - axis["range"][0] == 1000 * duration


def test_thin_turns_can_be_hit_where_they_crowd() -> None:
    turns = [Turn(n, n + 0.5, A) for n in range(1000)]
    bars, targets = drawn(turns, duration=1000.0)["data"]
    assert len(bars["x"]) == 1000
    assert targets["marker"]["opacity"] == 0 and len(targets["x"]) == 100
    assert targets["customdata"][:2] == [0, 10]


def test_three_hours_stay_light() -> None:
    turns, segments = [], []
    for n in range(5000):
        turns.append(Turn(2.16 * n, 2.16 * n + 2, f"SPEAKER_{n % 6:02}"))
        text = tuple(Word(2.16 * n, 2.16 * n + 1, " palavra", 0.9) for _ in range(40))
        segments.append(
            Segment(2.16 * n, 2.16 * n + 2, " palavra" * 40, text, speaker=turns[-1].speaker)
        )
    figure = timeline.timeline(transcript(turns, segments, duration=10_800.0))
    assert len(figure.data) == 12  # bars and targets of each speaker
    assert len(figure.to_json()) < 1_200_000


def test_no_turns_make_an_empty_picture() -> None:
    assert drawn([])["data"] == []


def test_plotly_comes_only_with_a_picture() -> None:
    code = "import sys, transcrevai_core.figures.timeline; print('plotly' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
