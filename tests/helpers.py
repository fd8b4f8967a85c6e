"""What several tests do, or make by hand."""

import http.client
import io
import signal
import subprocess
import sys
import wave
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from tools.serving import CEILING
from transcrevai_core import cli
from transcrevai_core.types import Segment, Transcript, Word


def run_cli(*arguments: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line as its own program does, in this one."""
    out, err = io.StringIO(), io.StringIO()
    ending = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["transcrevai", *arguments])
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main()
        finally:
            signal.signal(signal.SIGTERM, ending)
    return subprocess.CompletedProcess(
        arguments, int(ended.value.code or 0), out.getvalue(), err.getvalue()
    )


def ask(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[Any, bytes]:
    connection = http.client.HTTPConnection("localhost", port, timeout=CEILING)
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def transcript(*segments: Any, **changes: Any) -> Transcript:
    values: dict[str, Any] = {
        "title": "reunião de equipe.mp3",
        "duration": 60.0,
        "language": "pt",
        "language_probability": 0.98,
        "model": "demo",
        "compute_type": "int8",
        "segments": segments,
    }
    return Transcript(**(values | changes))


def spoken(
    text: str, start: float = 0.0, seconds: float = 1.0, probability: float = 0.9, **changes: Any
) -> Segment:
    """A segment whose words each take `seconds`, one right after the other."""
    words = tuple(
        Word(start + i * seconds, start + (i + 1) * seconds, f" {word}", probability)
        for i, word in enumerate(text.split())
    )
    return Segment(start, words[-1].end, f" {text}", words, **changes)


def error_rate(reference: Any, hypothesis: Any, step: float = 0.01) -> float:
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
    return float(errors / spoken.sum())


def write_wav(path: Path, samples: Any) -> Path:
    """Write samples (-1 to 1) as a 16 kHz mono WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def write_tracks(path: Path, sounds: Sequence[Any], *, default: int = 1) -> Path:
    """Write sound tracks of int16 (samples,) or (samples, channels), 16 kHz, without loss."""
    with av.open(str(path), "w") as container:
        streams: list[Any] = []
        for number, sound in enumerate(sounds, start=1):
            layout = "mono" if sound.ndim == 1 else f"{sound.shape[1]} channels"
            streams.append(container.add_stream("pcm_s16le", rate=16_000, layout=layout))
            streams[-1].disposition = Disposition.default if number == default else Disposition(0)
        for stream, sound in zip(streams, sounds, strict=True):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound).reshape(1, -1), format="s16", layout=stream.layout
            )
            frame.rate = 16_000
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path
