"""i-vectors: the low-dimensional factor by which a stretch of speech differs from all speech.

A universal background model (UBM: diagonal Gaussians over cepstra) sorts frames by sound; the
total-variability matrix T tells how all its means move together when voices change; the i-vector
is the posterior mean of that factor (Dehak et al. 2011, doi:10.1109/TASL.2010.2064307). Linear
discriminant analysis then keeps what tells speakers apart, scaled so that within-speaker
covariance is I and between-speaker covariance is diagonal (`between`), as VBx wants it.

The model beside this file is trained by `tools.train_ivector`; see README.md there.
"""

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np

MODEL_FILE = Path(__file__).parent / "ivector.npz"
_BATCH = 64  # i-vectors solved at once: their 100 x 100 precisions take 5 MB


@dataclass(frozen=True)
class IvectorModel:
    """The arrays of a trained model; C Gaussians, D coefficients, R factors, L discriminants."""

    weights: np.ndarray  # (C,)
    means: np.ndarray  # (C, D)
    variances: np.ndarray  # (C, D)
    loadings: np.ndarray  # T in units of each Gaussian's standard deviation, (C, D, R)
    centre: np.ndarray  # mean i-vector of the training speakers, (R,)
    discriminants: np.ndarray  # (R, L)
    between: np.ndarray  # between-speaker variances, within-speaker ones being 1, (L,)

    def save(self, path: Path) -> None:
        """Write float32 arrays, compressed."""
        arrays = {f.name: getattr(self, f.name).astype(np.float32) for f in fields(self)}
        np.savez_compressed(path, **arrays)


def load_model(path: Path = MODEL_FILE) -> IvectorModel:
    """Read a model that `IvectorModel.save` wrote."""
    with np.load(path) as stored:
        return IvectorModel(**{f.name: stored[f.name] for f in fields(IvectorModel)})


@cache
def shipped_model() -> IvectorModel:
    """The model that comes with the program."""
    return load_model()


def log_likelihoods(
    frames: np.ndarray, weights: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> np.ndarray:
    """Log of weight times density of each diagonal Gaussian for each frame: (frames, C).

    A Gaussian's values lie beside each other in memory: what is then done over C Gaussians is
    done to many frames at once, far sooner where C is small.
    """
    precision = 1.0 / variances
    constant = np.log(weights) - 0.5 * (np.log(2.0 * np.pi * variances) + means**2 * precision).sum(
        axis=1
    )
    scores = (means * precision) @ frames.T - 0.5 * (precision @ (frames**2).T) + constant[:, None]
    return np.asarray(scores.T)


def posteriors(log_joint: np.ndarray) -> np.ndarray:
    """Turn log joint densities (frames, C) into posteriors whose rows sum to 1."""
    shifted = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def statistics(
    frames: np.ndarray, spans: np.ndarray, model_means: np.ndarray, responsibilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Baum-Welch statistics of spans of frames, `spans` (S, 2) being first and last + 1.

    Returns counts (S, C) and first-order sums about the model's means (S, C, D).
    """
    counts = np.empty((len(spans), len(model_means)), np.float32)
    sums = np.empty((len(spans), *model_means.shape), np.float32)
    for row, (first, last) in enumerate(spans):
        share = responsibilities[first:last]
        counts[row] = share.sum(axis=0)
        sums[row] = share.T @ frames[first:last]
    sums -= counts[:, :, None] * model_means
    return counts, sums


def extract(counts: np.ndarray, sums: np.ndarray, loadings: np.ndarray) -> np.ndarray:
    """Posterior means of the factor, (S, R): solve (I + sum_c N_c T_c' T_c) w = T' F.

    `sums` and `loadings` are in units of the Gaussians' standard deviations.
    """
    gaussians, dims, factors = loadings.shape
    products = np.einsum("cdr,cds->crs", loadings, loadings).reshape(gaussians, -1)
    flat = loadings.reshape(gaussians * dims, factors)
    out = np.empty((len(counts), factors), np.float32)
    for first in range(0, len(counts), _BATCH):
        rows = slice(first, first + _BATCH)
        precision = (counts[rows] @ products).reshape(-1, factors, factors)
        precision += np.eye(factors, dtype=np.float32)
        right = sums[rows].reshape(-1, gaussians * dims) @ flat
        out[rows] = np.linalg.solve(precision, right[:, :, None])[:, :, 0]
    return out


def window_vectors(model: IvectorModel, frames: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """i-vectors of spans of frames, after discriminant analysis: float32, (spans, L)."""
    share = posteriors(log_likelihoods(frames, model.weights, model.means, model.variances))
    counts, sums = statistics(frames, spans, model.means, share.astype(np.float32))
    sums /= np.sqrt(model.variances)
    factors = extract(counts, sums, model.loadings)
    return np.asarray((factors - model.centre) @ model.discriminants, np.float32)
