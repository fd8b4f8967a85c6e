"""CAM++ (Wang et al. 2023, arXiv:2303.00332), and what tells its voices apart in one recording.

The network is other people's and is fetched; the arrays beside this file are ours: a linear
discriminant analysis of its vectors, scaled so that within-speaker covariance is I and
between-speaker covariance is diagonal (`between`), as VBx wants it. They are trained by
`tools.train_campplus`; see README.md there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from transcrevai_core.diarization.embeddings import onnx
from transcrevai_core.diarization.embeddings.features import Read, log_mel
from transcrevai_core.diarization.embeddings.windows import frames_of, in_batches, with_samples
from transcrevai_core.models.catalogue import CAMPPLUS
from transcrevai_core.types import Region

NAME = CAMPPLUS
HEAD_FILE = Path(__file__).parent / "campplus.npz"
_BINS, _BAND = 80, (20.0, 8000.0)
_BATCH = 4  # windows: more are no faster on one thread, and take 150 MB more


@dataclass(frozen=True)
class Head:
    """Discriminants of vectors of length 1; D dimensions, L discriminants."""

    centre: np.ndarray  # mean of the training speakers, (D,)
    discriminants: np.ndarray  # (D, L)
    between: np.ndarray  # between-speaker variances, within-speaker ones being 1, (L,)

    def save(self, path: Path) -> None:
        """Write float32 arrays, compressed."""
        arrays = {f.name: getattr(self, f.name).astype(np.float32) for f in fields(self)}
        np.savez_compressed(path, **arrays)

    def vectors(self, raw: np.ndarray) -> np.ndarray:
        """Voice vectors (windows, L) from the network's (windows, D)."""
        lengths = np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9)
        return np.asarray((raw / lengths - self.centre) @ self.discriminants, np.float32)


def load_head(path: Path = HEAD_FILE) -> Head:
    """Read what `Head.save` wrote."""
    with np.load(path) as stored:
        return Head(**{f.name: stored[f.name] for f in fields(Head)})


class Network:
    """The network in onnxruntime, on one thread. Raises ModelAbsent where it is not here."""

    def __init__(self, path: Path | None = None) -> None:
        self._session = onnx.session(path or onnx.fetched(NAME), NAME)
        self._input = self._session.get_inputs()[0].name

    def vectors(self, samples: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Vectors (spans, 192) of spans of samples, first and last + 1, first of a frame each."""
        mel = log_mel(samples, _BINS, _BAND)  # once for all windows, which overlap
        pieces = [mel[frames_of(a, b)] for a, b in spans]
        return in_batches([piece - piece.mean(axis=0) for piece in pieces], self._run, _BATCH)

    def _run(self, batch: np.ndarray) -> np.ndarray:
        (vectors,) = self._session.run(None, {self._input: np.ascontiguousarray(batch)})
        return np.asarray(vectors, np.float32).reshape(len(batch), -1)


class CampplusEmbedding:
    """The network's vectors after the discriminants."""

    name = NAME
    window = 1.5
    hop = 0.5

    def __init__(self, network: Network | None = None, head: Head | None = None) -> None:
        self.network = network or Network()
        self.head = head or load_head()
        self.between: np.ndarray | None = self.head.between

    def embed(self, read: Read, regions: Sequence[Region], windows: np.ndarray) -> np.ndarray:
        """See `Embedding`; 100 dimensions, within-speaker covariance I."""
        found = [self.network.vectors(*stretch) for stretch in with_samples(read, windows)]
        return self.head.vectors(np.concatenate(found))
