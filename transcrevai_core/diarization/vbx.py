"""VBx: a Bayesian hidden Markov model over voice vectors, speakers being its states.

Landini, Profant, Diez, Burget 2022 (doi:10.1016/j.csl.2021.101254). A speaker's place is a latent
vector with prior N(0, I); a window of that speaker is that vector scaled by sqrt(between), plus
noise N(0, I). Speakers that explain too little lose their share, which is how it counts them.
"""

import numpy as np
from scipy.special import logsumexp

from transcrevai_core.diarization.recipes import VbxSettings


def refine(
    vectors: np.ndarray,
    between: np.ndarray,
    labels: np.ndarray,
    settings: VbxSettings,
) -> np.ndarray:
    """Responsibilities (windows, speakers) from first labels; speakers that vanish are left out.

    `vectors`: (windows, dims) in order of time, within-speaker covariance I; `between`: (dims,).
    """
    count = int(labels.max()) + 1
    share = np.eye(count)[labels] * settings.smoothing
    share = np.exp(share - logsumexp(share, axis=1, keepdims=True))
    prior = np.full(count, 1.0 / count)
    # no copy of the vectors is made, as they are what grows with the recording
    root = np.sqrt(between)
    squares = np.einsum("td,td->t", vectors, vectors)
    constant = -0.5 * (squares + vectors.shape[1] * np.log(2 * np.pi))
    ratio = settings.fa / settings.fb
    bound = -np.inf
    for _ in range(settings.rounds):
        spread = 1.0 / (1.0 + ratio * share.sum(axis=0)[:, None] * between)  # (K, dims)
        mean = ratio * spread * (_sums(share, vectors) * root)
        score = settings.fa * (
            vectors @ (root * mean).T.astype(np.float32)
            - 0.5 * (spread + mean**2) @ between
            + constant[:, None]
        )
        share, total, prior = _forward_backward(score, prior, settings.loop)
        latent = 0.5 * (np.log(spread) - spread - mean**2 + 1.0).sum()
        new_bound = total + settings.fb * latent
        if new_bound - bound < 1e-4 * len(vectors) and bound > -np.inf:
            break
        bound = new_bound
        alive = prior > 1e-4
        if not alive.all():
            share, prior = share[:, alive], prior[alive] / prior[alive].sum()
            share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-30)
    found: np.ndarray = share
    return found


def _sums(share: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Sum the vectors by responsibility, (speakers, dims), in double precision, block by block."""
    total = np.zeros((share.shape[1], vectors.shape[1]))
    for first in range(0, len(vectors), 4_096):
        rows = slice(first, first + 4_096)
        total += share[rows].T @ vectors[rows]
    return total


def _forward_backward(
    score: np.ndarray, prior: np.ndarray, loop: float
) -> tuple[np.ndarray, float, np.ndarray]:
    """State posteriors, log evidence, and the new prior over the speakers of fresh starts.

    From any state: with `loop` stay, else draw a state from `prior` (which may be the same).
    Exact, and quick: the sequence is cut into blocks that are gone through side by side, once the
    product of each block's steps has shown how it is entered and left.
    """
    count, states = score.shape
    best = score.max(axis=1, keepdims=True)
    length = int(np.ceil(np.sqrt(count)))
    blocks = -(-count // length)
    density = np.ones((blocks * length, states))
    density[:count] = np.exp(score - best)
    density = density.reshape(blocks, length, states)
    real = (np.arange(blocks * length) < count).reshape(blocks, length, 1)
    jump = (1.0 - loop) * prior

    product = np.tile(np.eye(states), (blocks, 1, 1))  # what a block does to what enters it
    for t in range(length):
        step = loop * product + product.sum(axis=2, keepdims=True) * jump
        step *= density[:, t, None]
        step /= step.sum(axis=(1, 2), keepdims=True)
        product = np.where(real[:, t, None], step, product)
    enter, leave = np.tile(prior, (blocks, 1)), np.ones((blocks, states))
    for b in range(1, blocks):
        enter[b] = _share(enter[b - 1] @ product[b - 1])
        leave[-1 - b] = _share(product[-b] @ leave[-b])

    forward = np.empty_like(density)
    scale = np.ones((blocks, length, 1))
    current = enter
    for t in range(length):
        step = (loop * current + jump) * density[:, t]
        total = step.sum(axis=1, keepdims=True)
        scale[:, t] = np.where(real[:, t], total, 1.0)
        current = forward[:, t] = np.where(real[:, t], step / total, current)
    share = np.empty_like(density)
    fresh = np.zeros(states)
    backward = leave / (current * leave).sum(axis=1, keepdims=True)
    for t in range(length - 1, -1, -1):
        share[:, t] = forward[:, t] * backward
        ahead = density[:, t] * backward / scale[:, t]
        begun = np.where(real[:, t], jump * ahead, 0.0)  # chances that window t began afresh
        fresh += begun[1:].sum(axis=0) + (begun[0] if t else share[0, 0])
        before = loop * ahead + (ahead @ jump)[:, None]
        backward = np.where(real[:, t], before, backward)
    share = share.reshape(-1, states)[:count]
    share /= share.sum(axis=1, keepdims=True)
    return share, float(np.log(scale).sum() + best.sum()), fresh / fresh.sum()


def _share(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / vector.sum())
