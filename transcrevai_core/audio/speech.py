"""Where speech is: Silero VAD run in blocks, regions by hysteresis, chunks cut at silences.

The network is Silero VAD v6 (https://github.com/snakers4/silero-vad), as faster-whisper ships it.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from transcrevai_core.types import SAMPLE_RATE, Chunk, Region

FRAME = 512  # samples that Silero judges at once
FRAME_SECONDS = FRAME / SAMPLE_RATE
BLOCK_SECONDS = 512 * FRAME_SECONDS  # 16 s: large enough to be fast, small enough for memory
_CONTEXT = 64  # samples before each frame that Silero looks back at


def speech_probabilities(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the probability of speech of each 32 ms frame, block by block.

    `blocks`: float32 in -1 to 1, shape (samples,), 16 kHz; all but the last hold whole frames of
    512 samples (`BLOCK_SECONDS` does). Yields float32 of shape (frames,); the very last frame is
    filled with zeros. State is carried on, so the values do not depend on the block size.
    """
    from faster_whisper.vad import get_vad_model  # heavy: only a worker comes here

    session = get_vad_model().session
    h = c = np.zeros((1, 1, 128), np.float32)
    before = np.zeros(_CONTEXT, np.float32)
    for block in blocks:
        frames = np.pad(block, (0, -len(block) % FRAME)).reshape(-1, FRAME)  # (frames, 512)
        context = np.concatenate([before[None], frames[:-1, -_CONTEXT:]])  # (frames, 64)
        before = frames[-1, -_CONTEXT:]
        inputs = np.concatenate([context, frames], axis=1)  # (frames, 576)
        output, h, c = session.run(None, {"input": inputs, "h": h, "c": c})
        yield output.reshape(-1)


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

    Speech begins at `threshold` and ends where the probability stays below 0.6 of it for
    `min_silence` seconds. Regions shorter than `min_speech` are dropped, the others widened by
    `pad` on each side. One longer than `max_region` is cut at its least speech-like frame.
    """
    leave, patience = 0.6 * threshold, round(min_silence / FRAME_SECONDS)
    pad_frames, limit = round(pad / FRAME_SECONDS), round(max_region / FRAME_SECONDS)
    limit -= 2 * pad_frames
    spans: list[tuple[int, int]] = []
    inside: list[float] = []  # probabilities of the open region
    start = quiet = index = 0
    for index, p in enumerate((float(p) for block in probabilities for p in block), start=1):
        if not inside:
            if p >= threshold:
                start, quiet, inside = index - 1, 0, [p]
            continue
        inside.append(p)
        quiet = quiet + 1 if p < leave else 0
        if quiet >= patience:
            spans.append((start, index - quiet))
            inside = []
        elif len(inside) >= limit:
            half = limit // 2  # not so early that slivers arise
            cut = half + int(np.argmin(inside[half:]))
            spans.append((start, start + cut))
            start, inside = start + cut, inside[cut:]
            quiet = min(quiet, len(inside))
    if inside:
        spans.append((start, index - quiet))
    spans = [(a, b) for a, b in spans if (b - a) * FRAME_SECONDS >= min_speech]
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


def plan_chunks(regions: Iterable[Region], chunk_seconds: float) -> list[Chunk]:
    """Pack regions, in order, into chunks of at most `chunk_seconds`, cut at silences only.

    A single region that is longer than `chunk_seconds` makes a chunk of its own.

    >>> [(c.start, c.end) for c in plan_chunks([Region(0, 4), Region(5, 9), Region(20, 24)], 10)]
    [(0, 9), (20, 24)]
    """
    groups: list[list[Region]] = []
    for region in regions:
        if groups and region.end - groups[-1][0].start <= chunk_seconds:
            groups[-1].append(region)
        else:
            groups.append([region])
    return [Chunk(i, g[0].start, g[-1].end, tuple(g)) for i, g in enumerate(groups)]


def speech_share(start: float, end: float, regions: Iterable[Region]) -> float:
    """Return which share (0 to 1) of the stretch from `start` to `end` lies inside `regions`.

    >>> speech_share(1.0, 3.0, [Region(0.0, 1.5), Region(2.5, 9.0)])
    0.5
    """
    if end <= start:
        return float(any(r.start <= start <= r.end for r in regions))
    inside = sum(max(0.0, min(end, r.end) - max(start, r.start)) for r in regions)
    return min(1.0, inside / (end - start))
