"""Pictures of memory from readings made by hand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from transcrevai_core.figures import memory_history, memory_meters
from transcrevai_core.figures.memory_meters import Palette
from transcrevai_core.library.journal import Event, Journal, Point, Run
from transcrevai_core.library.store import Store
from transcrevai_core.memory.levels import LEVELS, Limits
from transcrevai_core.memory.readings import MB, Machine, Reading, WorkerReading
from transcrevai_core.messages import Message

NOW = 1_800_000_000.0
LIMITS = Limits(600 * MB, degraded=0.7, emergency=0.8, kill=0.9)
PALETTE = Palette("#46524d", "#0b6e5f", "#1a7f4b", "#b45f06", "#b3261e")


def reading(time: float = NOW, pressure: float = 0.5, total: int = 300, *workers: Any) -> Reading:
    return Reading(time, Machine(round(pressure * 8000) * MB, 8000 * MB), total * MB, workers)


def worker(resident: int, limit: int) -> WorkerReading:
    return WorkerReading("transcription", 7, True, resident * MB, 0, 0, limit * MB, 0, 0.4, "j")


def run(n: int = 0, seconds: float = 30, peak: int = 500) -> Run:
    key = "prepare + small, int8, beam 5 + diarization, voice"
    return Run(NOW + n, "j", "job", key, 400 * MB, 400 * MB, peak * MB, seconds, 60)


# -- meters ------------------------------------------------------------------------------------


def test_a_meter_each_in_words_and_on_the_scale_of_the_levels() -> None:
    seen = reading(NOW, 0.5, 300, worker(450, 500), worker(60, 0))
    rows = memory_meters.meters_of(seen, LIMITS, 400 * MB)
    assert [row.words for row in rows] == [
        "4.0 of 8.0 GB · 50%",
        "300 of 600 MB · peak 400 MB",
        "450 of 500 MB",
        "60 MB",
    ]
    # a full budget, and a full worker, stand where workers are ended
    assert [round(row.share, 3) for row in rows] == [0.5, 0.45, 0.81, 0.09]
    assert memory_meters.meters_of(seen, LIMITS, 0)[1].note == "peak 300 MB"


def test_bands_of_meters_begin_at_the_limits() -> None:
    rows = memory_meters.meters_of(reading(NOW, 0.75, 600, worker(510, 500)), LIMITS, 0)
    spec = memory_meters.meters(rows, LIMITS, PALETTE)
    *bands, taken = spec["series"]
    assert [band["name"] for band in bands] == list(LEVELS)
    widths = [[band["data"][row]["value"] for band in bands] for row in range(3)]
    assert widths == [[0.7, 0.1, 0.1, 0.1], [0.7, 0.1, 0.1, 0.1], [0.9, 0, 0, 0.1]]
    assert [bar["value"] for bar in taken["data"]] == [0.75, 0.9, 0.918]
    colours = [bar["itemStyle"]["color"] for bar in taken["data"]]
    assert colours == [PALETTE.orange, PALETTE.red, PALETTE.red]


def test_a_bar_ends_with_its_meter() -> None:
    spec = memory_meters.meters(
        memory_meters.meters_of(reading(NOW, 0.2, 9000), LIMITS, 0), LIMITS, PALETTE
    )
    assert spec["series"][-1]["data"][1]["value"] == 1.0


# -- the course --------------------------------------------------------------------------------


def point(time: float, pressure: float = 0.5, total: int = 300) -> Point:
    return Point(time, pressure, total * MB)


def course(points: Sequence[Point], events: Sequence[Event] = ()) -> Any:
    return memory_history.over_time(points, events, LIMITS, PALETTE, NOW - 600, NOW)


def test_nothing_read_is_no_picture() -> None:
    assert course([]) is None


def test_bands_of_the_course_lie_at_the_limits_on_both_axes() -> None:
    figure = course([point(NOW - 60)])
    bands = [(round(shape.y0), round(shape.y1)) for shape in figure.layout.shapes]
    assert bands == [(70, 80), (80, 90), (90, 100)]
    left, right = figure.layout.yaxis, figure.layout.yaxis2
    assert right.tickvals[-1] == 600 and right.ticktext[-1] == "600 MB"
    # the budget stands at 90 %, whatever the height of the picture
    assert right.tickvals[-1] / right.range[1] == pytest.approx(90 / left.range[1])


def test_lines_tell_per_cent_and_megabytes_and_break_where_nothing_was_read() -> None:
    times = [NOW - 300, NOW - 298, NOW - 60, NOW - 57.5]
    own, everything, _ = course([point(time, 0.5, 1000) for time in times]).data
    assert list(everything.y) == [50, 50, None, 50, 50]
    assert list(own.customdata) == [1000, 1000, None, 1000, 1000]
    assert [x and datetime.fromisoformat(x) for x in own.x] == [
        moment(times[0]), moment(times[1]), None, moment(times[2]), moment(times[3]),
    ]  # fmt: skip
    # what an earlier, larger budget allowed stays within the picture
    assert max(y for y in own.y if y is not None) == pytest.approx(600 / 0.9)


def test_thousands_of_readings_become_few_points_that_keep_the_peak(store: Store) -> None:
    journal = Journal(store.database, "1:a")
    begin = NOW - 1800
    for n in range(0, 3600, 4):
        journal.add_reading(reading(begin + n / 2, 0.9 if n == 1232 else 0.5, n), "normal", 1)
    Journal(store.database, "2:b").add_reading(reading(NOW - 10, 0.99), "normal", 1)
    points = journal.course(begin, memory_history.step_of(begin, NOW))
    assert len(points) == 240
    assert max(points, key=lambda point: point.pressure).time == pytest.approx(begin + 616, abs=8)
    assert points[-1].total_bytes == 3596 * MB and journal.peak_bytes() == 3596 * MB
    assert set(points[20:]) <= set(journal.course(begin + 100, 7.5))  # the same a little later


def moment(time: float) -> datetime:
    return datetime.fromtimestamp(time)


def test_events_stand_at_their_times_and_tell_their_cause() -> None:
    events = [
        Event(NOW - 700, "died", "normal", "", Message("too old")),
        Event(NOW - 120, "recovered", "normal", "", Message("Recovered 2 jobs")),
        Event(NOW - 30, "level", "kill", "", Message("97% is <b>in use</b>")),
    ]
    marks = course([point(NOW - 60)], events).data[2]
    assert [datetime.fromisoformat(x) for x in marks.x] == [moment(NOW - 120), moment(NOW - 30)]
    assert "Recovered 2 jobs" in marks.hovertext[0] and "&lt;b&gt;" in marks.hovertext[1]
    assert tuple(marks.marker.color) == (PALETTE.good, PALETTE.red)
    assert memory_history.event_colour(events[0], PALETTE) == PALETTE.red


# -- past jobs ---------------------------------------------------------------------------------


def test_history_shows_each_job_and_the_rolling_mean() -> None:
    assert memory_history.past_jobs([], PALETTE) is None
    figure = memory_history.past_jobs([run(n, seconds=30 + 6 * n) for n in range(6)], PALETTE)
    assert figure is not None
    each, mean, error, _ = figure.data
    assert list(each.y) == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert list(mean.y)[-1] == pytest.approx(0.8)
    assert list(error.y) == pytest.approx([25.0] * 6)
    assert "small" in each.hovertext[0]


@pytest.mark.parametrize(
    ("key", "model"),
    [
        ("small, int8, beam 5", "small"),
        ("diarization, voice", "none"),
        ("prepare + org/model, int8, beam 1", "org/model"),
    ],
)
def test_the_model_is_in_the_key(key: str, model: str) -> None:
    assert memory_history.model_of(key) == model
