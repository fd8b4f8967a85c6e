"""Where speech is: regions by hysteresis, and chunks of them cut at silences."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby, pairwise

import numpy as np

from transcrevai_core.audio.vad import FRAME_SECONDS
from transcrevai_core.types import Chunk, Region

PAUSE = 2.0  # s; a longer silence within what is heard at once is shortened to it
EDGE = 0.7  # s; so much silence is heard before and after speech, which may begin softly
LEAST_GAP = 1.0  # s of speech without a word; shorter ones are pauses between words
LEAST_REST = 1.5  # s, where it is what words have left of a region: their ends may be wrong
TAIL = 4.0  # s of silence after what is heard, without which the end of a text goes wrong
WINDOW = 30.0  # s; what Whisper hears at once, with that silence
_BREATH = 1.5  # s


def find_regions(
    probabilities: Iterable[np.ndarray],
    *,
    threshold: float = 0.4,
    min_silence: float = 0.3,
    min_speech: float = 0.1,
    pad: float = 0.15,
    max_region: float = 30.0,
) -> list[Region]:
    """Turn frame probabilities into speech regions, in order, without overlap.

    Speech is where the probability reaches `threshold`, and before and after it as long as it
    does not stay below 0.6 of that for `min_silence` seconds: it may begin and end softly. What
    is shorter than `min_speech` from where it is sure is dropped, the others widened by `pad` on
    each side. One longer than `max_region` is cut at its least speech-like frame.
    """
    leave, patience = 0.6 * threshold, round(min_silence / FRAME_SECONDS)
    pad_frames, limit = round(pad / FRAME_SECONDS), round(max_region / FRAME_SECONDS)
    limit -= 2 * pad_frames
    spans: list[tuple[int, int]] = []
    inside: list[float] = []  # probabilities of the open region
    start = quiet = index = 0

    def close(end: int) -> None:
        sure = next((i for i, p in enumerate(inside) if p >= threshold), None)
        if sure is not None and (end - start - sure) * FRAME_SECONDS >= min_speech:
            spans.append((start, end))

    for index, p in enumerate((float(p) for block in probabilities for p in block), start=1):
        if not inside:
            if p >= leave:
                start, quiet, inside = index - 1, 0, [p]
            continue
        inside.append(p)
        quiet = quiet + 1 if p < leave else 0
        if quiet >= patience:
            close(index - quiet)
            inside = []
        elif len(inside) >= limit:
            half = limit // 2  # not so early that slivers arise
            cut = half + int(np.argmin(inside[half:]))
            rest = inside[cut:]
            inside = inside[:cut]
            close(start + cut)
            start, inside = start + cut, rest
            quiet = min(quiet, len(inside))
    if inside:
        close(index - quiet)
    regions = []
    for number, (a, b) in enumerate(spans):
        # neighbours share the silence between them, so that padding never makes them overlap
        low = (spans[number - 1][1] + a + 1) // 2 if number else 0
        high = (b + spans[number + 1][0] + 1) // 2 if number + 1 < len(spans) else index
        regions.append(
            Region(
                max(low, a - pad_frames) * FRAME_SECONDS, min(high, b + pad_frames) * FRAME_SECONDS
            )
        )
    return regions


def plan_chunks(regions: Iterable[Region], chunk_seconds: float, end: float) -> list[Chunk]:
    """Pack regions, in order, into chunks of at most `chunk_seconds`, cut at their longest pauses.

    What counts is the length as it is heard, with longer silences shortened to `PAUSE`. Each chunk
    reaches into the silence around it, by `EDGE` at most, and the last one to the recording's
    `end`. A single region that is longer than `chunk_seconds` makes a chunk of its own.

    >>> regions = [Region(1, 4), Region(5, 9), Region(9.5, 12), Region(40, 44)]
    >>> [(c.start, c.end) for c in plan_chunks(regions, 10, 60)]
    [(0.3, 9.25), (9.25, 44.7)]
    """
    groups: list[list[Region]] = []
    open_group: list[Region] = []
    for region in regions:
        open_group.append(region)
        while len(open_group) > 1 and heard_seconds(open_group) > chunk_seconds:
            cut = _best_cut(open_group, chunk_seconds)
            groups.append(open_group[:cut])
            open_group = open_group[cut:]
    groups += [open_group] if open_group else []
    chunks = []
    for i, group in enumerate(groups):
        before = (groups[i - 1][-1].end + group[0].start) / 2 if i else 0.0
        after = (group[-1].end + groups[i + 1][0].start) / 2 if i + 1 < len(groups) else end
        edges = max(before, group[0].start - EDGE), min(after, group[-1].end + EDGE)
        chunks.append(Chunk(i, round(edges[0], 3), round(edges[1], 3), tuple(group)))
    return chunks


def room(chunk_seconds: float, window: float = WINDOW) -> float:
    """Return how long a chunk may be that is heard in a window, with silence after it."""
    return min(chunk_seconds, window - TAIL)


def heard_seconds(regions: Sequence[Region]) -> float:
    """Return how long regions are with the silences between them, each `PAUSE` at most.

    >>> heard_seconds([Region(0, 3), Region(4, 6), Region(60, 61)])
    9.0
    """
    pauses = (min(PAUSE, b.start - a.end) for a, b in pairwise(regions))
    return sum(region.duration for region in regions) + sum(pauses)


def _best_cut(regions: Sequence[Region], chunk_seconds: float) -> int:
    """Return before which of several regions to cut: at the longest pause that wastes no half."""
    fitting = [i for i in range(1, len(regions)) if heard_seconds(regions[:i]) <= chunk_seconds]
    late = [i for i in fitting if heard_seconds(regions[:i]) >= chunk_seconds / 2]
    # pauses of a breath and longer are equally good, and the later the better
    pauses = {i: min(_BREATH, regions[i].start - regions[i - 1].end) for i in fitting or [1]}
    return max(late or fitting or [1], key=lambda i: (pauses[i], i))


def speech_share(start: float, end: float, regions: Iterable[Region]) -> float:
    """Return which share (0 to 1) of the stretch from `start` to `end` lies inside `regions`.

    >>> speech_share(1.0, 3.0, [Region(0.0, 1.5), Region(2.5, 9.0)])
    0.5
    """
    if end <= start:
        return float(any(r.start <= start <= r.end for r in regions))
    inside = sum(max(0.0, min(end, r.end) - max(start, r.start)) for r in regions)
    return min(1.0, inside / (end - start))


def without_words(
    regions: Iterable[Region], spans: Iterable[tuple[float, float]]
) -> list[list[Region]]:
    """Return the stretches of speech that no word covers: `LEAST_GAP` seconds of it, or more.

    What words have left of a region has `LEAST_REST`. `spans` are where words are, or whole texts.
    Stretches with no word between them are together.

    >>> without_words([Region(0, 5), Region(6, 9)], [(1.5, 2), (3.0, 5.0)])
    [[Region(start=0, end=1.5)], [Region(start=6, end=9)]]
    """
    spans = sorted(spans)
    starts = [start for start, _ in spans]
    latest = [0.0, *accumulate((end for _, end in spans), max)]  # end of the words before each
    bare: list[Region] = []
    for region in regions:
        first = bisect_right(starts, region.start)
        at = max(region.start, latest[first])
        for start, end in spans[first : bisect_right(starts, region.end)]:
            if start - at >= LEAST_REST:
                bare.append(Region(at, start))
            at = max(at, end)
        if region.end - at >= (LEAST_REST if at > region.start else LEAST_GAP):
            bare.append(Region(at, region.end))
    together = groupby(bare, key=lambda stretch: bisect_right(starts, stretch.start))
    return [list(group) for _, group in together]
