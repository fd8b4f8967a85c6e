"""Voice vectors of windows. One protocol serves them all."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from transcrevai_core.diarization.embeddings import campplus, ivector, voicenet
from transcrevai_core.diarization.embeddings.features import FRAMES_PER_SECOND, Features, Read
from transcrevai_core.diarization.embeddings.windows import widen
from transcrevai_core.types import Region

_GROUP_SECONDS = 60.0  # of a recording that is worked on at once


class Embedding(Protocol):
    """Turns windows of a recording into vectors that are near each other for the same voice."""

    name: str
    window: float  # seconds
    hop: float  # seconds
    between: np.ndarray | None  # between-speaker variances where within ones are 1, (dims,)

    def embed(self, read: Read, regions: Sequence[Region], windows: np.ndarray) -> np.ndarray:
        """Vectors of `windows` ((windows, 2), seconds, in order): float32, (windows, dims).

        `read(start, end)` gives samples, as `audio.read` with the file filled in; `regions` is
        where speech is.
        """
        ...


class MfccEmbedding:
    """Mean cepstra of a window, each dimension z-scored over the windows; needs no training."""

    name = "mfcc"
    window = 1.5
    hop = 0.5
    between: np.ndarray | None = None

    def embed(self, read: Read, regions: Sequence[Region], windows: np.ndarray) -> np.ndarray:
        """See `Embedding`; 20 dimensions."""
        features = Features(read, regions)
        means = [
            np.stack([frames[a:b].mean(axis=0) for a, b in spans])
            for frames, spans in grouped(features, windows)
        ]
        vectors = np.concatenate(means)
        deviation = np.maximum(vectors.std(axis=0), 1e-6)
        return np.asarray((vectors - vectors.mean(axis=0)) / deviation, np.float32)


class IvectorEmbedding:
    """i-vectors after discriminant analysis, from the model that comes with the program."""

    name = "ivector"
    window = 1.5
    hop = 0.25

    def __init__(self, model: ivector.IvectorModel | None = None) -> None:
        self.model = model or ivector.shipped_model()
        self.between: np.ndarray | None = self.model.between

    def embed(self, read: Read, regions: Sequence[Region], windows: np.ndarray) -> np.ndarray:
        """See `Embedding`; 80 dimensions, within-speaker covariance I."""
        features = Features(read, regions)
        return np.concatenate(
            [
                ivector.window_vectors(self.model, frames, spans)
                for frames, spans in grouped(features, windows)
            ]
        )


class VoiceEmbedding:
    """Each window's i-vector beside what a small network says of it; both models are shipped.

    They err in different places. As either's within-speaker covariance is I, so is theirs where
    one stands beside the other.
    """

    name = "voice"
    window = 1.5
    hop = 0.25

    def __init__(
        self, ivectors: IvectorEmbedding | None = None, network: voicenet.Network | None = None
    ) -> None:
        self.ivectors = ivectors or IvectorEmbedding()
        self.network = network or voicenet.shipped_network()
        parts = (self.ivectors.model.between, self.network.head.between)
        self._dims = [len(part) for part in parts]
        self.between: np.ndarray | None = np.concatenate(parts)

    def embed(self, read: Read, regions: Sequence[Region], windows: np.ndarray) -> np.ndarray:
        """See `Embedding`; 144 dimensions, within-speaker covariance I."""
        wide = widen(windows)
        out = np.empty((len(windows), sum(self._dims)), np.float32)
        own = self._dims[0]
        out[:, :own] = self.ivectors.embed(read, regions, windows)
        for rows in voicenet.stretches(wide):
            start, end = float(wide[rows, 0].min()), float(wide[rows, 1].max())
            out[rows, own:] = self.network.window_vectors(read(start, end), wide[rows] - start)
        return out


def grouped(features: Features, windows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield frames of about a minute and the windows in them as spans of frames, in order.

    Windows shorter than 1 s are widened; each has at least one frame.
    """
    wide = widen(windows)
    first = 0
    while first < len(wide):
        last = first + int(np.searchsorted(wide[first:, 0], wide[first, 0] + _GROUP_SECONDS))
        spans = np.round(wide[first:last] * FRAMES_PER_SECOND).astype(int)
        offset = spans[:, 0].min()
        frames = features.frames(int(offset), int(spans[:, 1].max()))
        spans = np.minimum(spans - offset, [len(frames) - 1, len(frames)])
        yield frames, spans
        first = last


def load(name: str) -> Embedding:
    """Return the embedding of that name, one of `recipes.RECIPES`, or an ONNX model.

    Raises SettingError or ModelError with one sentence where there is none or it lacks an extra.
    """
    if name == "ivector":
        return IvectorEmbedding()
    if name == "voice":
        return VoiceEmbedding()
    if name == "mfcc":
        return MfccEmbedding()
    if name == campplus.NAME:
        return campplus.CampplusEmbedding()
    # heavy, and its extras may be missing
    from transcrevai_core.diarization.embeddings import neural

    return neural.ResemblyzerEmbedding() if name == "resemblyzer" else neural.OnnxEmbedding(name)
