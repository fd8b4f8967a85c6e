"""A small convolutional network for voices: log-mel frames in, one vector a window out.

It runs once over a stretch of speech, giving hidden values and a weight every 20 ms; a window's
vector comes from their weighted mean and deviation over it (statistics pooling: Snyder et al.
2018, doi:10.1109/ICASSP.2018.8461375), so that windows may overlap at no cost. Linear discriminant
analysis then scales vectors so that within-speaker covariance is I and between-speaker covariance
is diagonal (`between`), as VBx wants it.

The model beside this file is trained by `tools.train_voicenet`; see README.md there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np

from transcrevai_core.diarization.embeddings import onnx
from transcrevai_core.diarization.embeddings.features import FRAMES_PER_SECOND, log_mel
from transcrevai_core.types import SAMPLE_RATE

NETWORK_FILE = Path(__file__).parent / "voicenet.onnx"
HEAD_FILE = Path(__file__).parent / "voicenet.npz"
FLOOR = -11.0  # nats below the mean energy: what is quieter is inaudible
STEPS_PER_SECOND = FRAMES_PER_SECOND // 2
_STRETCH_SECONDS = 20.0  # of a recording that is worked on at once
_LEAST_SAMPLES = SAMPLE_RATE // 10


@dataclass(frozen=True)
class Head:
    """What follows the network; P pooled values, D dimensions, L discriminants."""

    weights: np.ndarray  # (P, D)
    bias: np.ndarray  # (D,)
    centre: np.ndarray  # mean of the training speakers, of vectors of length 1, (D,)
    discriminants: np.ndarray  # (D, L)
    between: np.ndarray  # between-speaker variances, within-speaker ones being 1, (L,)

    def save(self, path: Path) -> None:
        """Write float32 arrays, compressed."""
        arrays = {f.name: getattr(self, f.name).astype(np.float32) for f in fields(self)}
        np.savez_compressed(path, **arrays)

    def vectors(self, pooled: np.ndarray) -> np.ndarray:
        """Voice vectors from pooled values (windows, P): float32, (windows, L)."""
        projected = pooled @ self.weights + self.bias
        projected /= np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-9)
        return np.asarray((projected - self.centre) @ self.discriminants, np.float32)


def load_head(path: Path = HEAD_FILE) -> Head:
    """Read what `Head.save` wrote."""
    with np.load(path) as stored:
        return Head(**{f.name: stored[f.name] for f in fields(Head)})


class Network:
    """The network in onnxruntime, on one thread, and its head."""

    def __init__(self, network: Path = NETWORK_FILE, head: Path = HEAD_FILE) -> None:
        self._session = onnx.session(network, "voice")
        self.head = load_head(head)

    def steps(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hidden values (steps, hidden) and weights (steps,) every 20 ms of a stretch of sound."""
        samples = np.pad(samples, (0, max(0, _LEAST_SAMPLES - len(samples))))
        mel = levelled(log_mel(samples))
        hidden, weight = self._session.run(None, {"mel": np.ascontiguousarray(mel.T)[None]})
        return hidden[0].T, weight[0, 0]

    def window_vectors(self, samples: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Voice vectors of windows (windows, 2), in seconds of `samples`: (windows, L)."""
        hidden, weight = self.steps(samples)
        spans = np.round(windows * STEPS_PER_SECOND).astype(int)
        spans = np.minimum(spans, [len(hidden) - 1, len(hidden)])
        return self.head.vectors(pool(hidden, weight, spans))


@cache
def shipped_network() -> Network:
    """The network that comes with the program."""
    return Network()


def levelled(mel: np.ndarray) -> np.ndarray:
    """Log-mel frames (frames, 40) relative to their mean energy, in nats, no less than FLOOR."""
    top = mel.max(initial=-100.0)
    level = float(np.log(np.exp(mel - top, dtype=np.float32).mean()) + top) if mel.size else 0.0
    return np.maximum(mel - np.float32(level), np.float32(FLOOR))


def pool(hidden: np.ndarray, weight: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """Weighted mean and deviation of spans of steps (S, 2), first and last + 1: (S, 2 hidden)."""
    out = np.empty((len(spans), 2 * hidden.shape[1]), np.float32)
    for row, (first, last) in enumerate(spans):
        share = weight[first:last] / (weight[first:last].sum() + 1e-3)
        mean = share @ hidden[first:last]
        variance = share @ hidden[first:last] ** 2 - mean**2
        out[row] = np.concatenate([mean, np.sqrt(np.maximum(variance, 1e-4))])
    return out


def stretches(windows: np.ndarray, longest: float = _STRETCH_SECONDS) -> Iterator[slice]:
    """Yield slices of windows, in order, that touch each other and begin within `longest` s.

    >>> list(stretches(np.array([[0, 1.5], [1, 2.5], [3, 4.5], [22, 23.5]])))
    [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None)]
    """
    first, end = 0, -np.inf
    for row, (start, stop) in enumerate(windows):
        if row > first and (start > end or start > windows[first, 0] + longest):
            yield slice(first, row)
            first = row
        end = max(end, stop) if row > first else stop
    if len(windows):
        yield slice(first, len(windows))
