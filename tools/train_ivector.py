"""Train the i-vector model from a folder of speech laid out as LibriSpeech's: SPEAKER-*.flac.

    python -m tools.train_ivector FOLDER [--out transcrevai_core/diarization/embeddings/ivector.npz]

Every file is heard at three speeds (a changed speed counts as another speaker: pitch and formants
move) and in four conditions (clean, room, telephone, room with noise), so that the model learns
to ignore conditions. As in a conversation, the cepstral mean is removed over several speakers
together. The seed is fixed: the same folder gives the same model.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from scipy import linalg, signal

from transcrevai_core.diarization.embeddings import ivector
from transcrevai_core.diarization.embeddings.features import FRAMES_PER_SECOND, mfcc
from transcrevai_core.types import SAMPLE_RATE

SPEEDS = ((1, 1), (10, 9), (10, 11))  # resampling up, down: 1.0, 0.9 and 1.1 times as fast
GAUSSIANS, UBM_ROUNDS = 128, 12
FACTORS, FACTOR_ROUNDS = 100, 8
CONDITIONS = 4
SEGMENT_SECONDS = 1.5  # as the windows of diarization
GROUP = 4  # speakers that share one mean, as in a conversation
_SPEECH_DECIBELS = 35.0  # frames this far below the loud ones are no speech


@dataclass(frozen=True)
class Utterance:
    """Cepstra (frames, 20) of one speaker at one speed in one condition."""

    speaker: str
    condition: int  # 0 clean, 1 room, 2 telephone, 3 room with noise
    frames: np.ndarray


def read_flac(path: Path) -> np.ndarray:
    """Return a file's samples: float32 in -1 to 1, 16 kHz mono."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(path)) as container:
        frames = [*container.decode(audio=0), None]
        pieces = [out.to_ndarray()[0] for frame in frames for out in resampler.resample(frame)]
    return np.concatenate(pieces).astype(np.float32)


def room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reverberate: a direct path, then noise that decays by 60 dB in 0.2 to 0.7 s."""
    seconds = rng.uniform(0.2, 0.7)
    time_axis = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time_axis)) * np.exp(-6.9 * time_axis / seconds)
    tail[: round(0.002 * SAMPLE_RATE)] = 0.0
    tail *= 10 ** (-rng.uniform(0, 8) / 20) / np.linalg.norm(tail)
    tail[0] = 1.0
    wet: np.ndarray = signal.fftconvolve(samples, tail)[: len(samples)].astype(np.float32)
    return wet


def noise(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add noise at 8 to 22 dB below the speech, its spectrum falling by a random slope."""
    spectrum = np.fft.rfft(rng.standard_normal(len(samples)))
    hertz = np.maximum(np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE), 50.0)
    coloured = np.fft.irfft(spectrum * hertz ** -rng.uniform(0.0, 1.0), len(samples))
    ratio = 10 ** (-rng.uniform(8, 22) / 20) * samples.std() / coloured.std()
    noisy: np.ndarray = (samples + ratio * coloured).astype(np.float32)
    return noisy


def telephone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Keep the telephone's band and its 8-bit mu-law steps."""
    low, high = rng.uniform(200, 350), rng.uniform(3200, 3700)
    band = signal.butter(4, [low, high], "bandpass", fs=SAMPLE_RATE, output="sos")
    narrow = signal.sosfilt(band, samples)
    narrow /= np.abs(narrow).max() + 1e-9
    compressed = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    steps = np.round(compressed * 127) / 127
    expanded = np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255
    heard: np.ndarray = expanded.astype(np.float32)
    return heard


def speech_frames(samples: np.ndarray) -> np.ndarray:
    """Which 10 ms frames are speech in a clean recording: those near its loud frames' level."""
    count = (len(samples) - 400) // 160 + 1
    windows = np.lib.stride_tricks.sliding_window_view(samples, 400)[::160][:count]
    level = 10 * np.log10((windows**2).mean(axis=1) + 1e-12)
    loud = level > np.percentile(level, 95) - _SPEECH_DECIBELS
    # 0.1 s around, as VAD pads
    around: np.ndarray = signal.convolve(loud, np.ones(21), "same") > 0.5
    return around


def utterances(folder: Path, rng: np.random.Generator) -> Iterator[Utterance]:
    """Yield every file at every speed in every condition."""
    files = sorted(folder.glob("*-*.flac"))
    if not files:
        raise SystemExit(f"There is no SPEAKER-*.flac in {folder}.")
    for path in files:
        original = read_flac(path)
        for up, down in SPEEDS:
            clean = signal.resample_poly(original, up, down).astype(np.float32)
            spoken = speech_frames(clean)
            wet = room(clean, rng)
            heard = (clean, wet, telephone(clean, rng), noise(room(clean, rng), rng))
            speaker = f"{path.name.split('-')[0]}x{down}/{up}"
            yield from (Utterance(speaker, c, mfcc(x)[spoken]) for c, x in enumerate(heard))


def centre_by_groups(found: list[Utterance], rng: np.random.Generator) -> list[Utterance]:
    """Remove the mean over random groups of speakers at the same speed, in the same condition."""
    kinds = CONDITIONS * len(SPEEDS)  # in this order for every file
    out = []
    for kind in range(kinds):
        alike = found[kind::kinds]
        order = rng.permutation(len(alike))
        for first in range(0, len(order), GROUP):
            members = [alike[i] for i in order[first : first + GROUP]]
            mean = np.concatenate([m.frames for m in members]).mean(axis=0)
            out += [replace(m, frames=m.frames - mean) for m in members]
    return out


def train_ubm(frames: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Fit diagonal Gaussians by EM from random frames; returns weights, means, variances."""
    spread = frames.var(axis=0)
    means = frames[rng.choice(len(frames), GAUSSIANS, replace=False)]
    variances = np.tile(spread, (GAUSSIANS, 1))
    weights = np.full(GAUSSIANS, 1 / GAUSSIANS, np.float32)
    for _ in range(UBM_ROUNDS):
        count = np.zeros(GAUSSIANS)
        first, second = np.zeros(means.shape), np.zeros(means.shape)
        for block in np.array_split(frames, max(1, len(frames) // 20_000)):
            share = ivector.posteriors(
                ivector.log_likelihoods(block, weights, means, variances)
            ).astype(np.float32)
            count += share.sum(axis=0)
            first += share.T @ block
            second += share.T @ block**2
        count = np.maximum(count, 1.0)
        weights = (count / count.sum()).astype(np.float32)
        means = (first / count[:, None]).astype(np.float32)
        variances = (second / count[:, None] - means.astype(np.float64) ** 2).astype(np.float32)
        variances = np.maximum(variances, 0.01 * spread)
    return weights, means, variances


def train_loadings(counts: np.ndarray, sums: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fit the total-variability matrix by EM (Kenny et al. 2005); `sums` in standard deviations."""
    segments, gaussians, dims = sums.shape
    flat_sums = sums.reshape(segments, -1)
    loadings = (0.1 * rng.standard_normal((gaussians, dims, FACTORS))).astype(np.float32)
    identity = np.eye(FACTORS, dtype=np.float32)
    for _ in range(FACTOR_ROUNDS):
        products = np.einsum("cdr,cds->crs", loadings, loadings).reshape(gaussians, -1)
        flat = loadings.reshape(-1, FACTORS)
        second = np.zeros((gaussians, FACTORS * FACTORS), np.float32)
        cross = np.zeros((gaussians * dims, FACTORS), np.float32)
        spread = np.zeros((FACTORS, FACTORS), np.float64)
        for first in range(0, segments, 512):
            rows = slice(first, first + 512)
            precision = (counts[rows] @ products).reshape(-1, FACTORS, FACTORS) + identity
            covariance = np.linalg.inv(precision)
            mean = np.einsum("srq,sq->sr", covariance, flat_sums[rows] @ flat)
            moment = covariance + mean[:, :, None] * mean[:, None, :]
            second += counts[rows].T @ moment.reshape(len(mean), -1)
            cross += flat_sums[rows].T @ mean
            spread += moment.sum(axis=0)
        cross = cross.reshape(gaussians, dims, FACTORS)
        second = second.reshape(gaussians, FACTORS, FACTORS) + 1e-3 * identity
        loadings = np.linalg.solve(second, cross.transpose(0, 2, 1)).transpose(0, 2, 1)
        # minimum divergence: rotate so that the factors' covariance becomes I, as assumed
        root = np.linalg.cholesky(spread / segments).astype(np.float32)
        loadings = np.ascontiguousarray(loadings @ root)
    return loadings


def train_discriminants(
    vectors: np.ndarray, speakers: np.ndarray, conditions: np.ndarray, *, shrinkage: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return centre, projection and between-speaker variances; within-speaker covariance is I.

    Both covariances are those within one condition, as diarization only ever compares voices of
    the same recording. `shrinkage` draws the covariance within speakers towards a multiple of I,
    which dimensions that never vary need.
    """
    names, index = np.unique(
        np.char.add(np.char.add(speakers, "/"), conditions.astype(str)), return_inverse=True
    )
    size = np.bincount(index)
    means = np.zeros((len(names), vectors.shape[1]))
    np.add.at(means, index, vectors)
    means /= size[:, None]
    condition_of = np.zeros(len(names), int)
    condition_of[index] = conditions
    centres = np.array([vectors[conditions == c].mean(axis=0) for c in range(conditions.max() + 1)])
    within = np.cov((vectors - means[index]).T)
    even = np.eye(len(within)) * np.trace(within) / len(within)
    within = (1.0 - shrinkage) * within + shrinkage * even
    apart = means - centres[condition_of]
    between = (apart * size[:, None]).T @ apart / len(vectors)
    between -= within * len(names) / len(vectors)  # what the segments' own scatter adds to means
    values, projection = linalg.eigh(between, within)
    order = np.argsort(values)[::-1]
    return vectors.mean(axis=0), projection[:, order], np.maximum(values[order], 0.0)


def train(folder: Path, seed: int = 0) -> ivector.IvectorModel:
    """Hear a folder and return the model; says on the screen what it is at."""
    rng, begun = np.random.default_rng(seed), time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {what}", flush=True)

    found = centre_by_groups(list(utterances(folder, rng)), rng)
    tell(f"{len(found)} utterances, {sum(len(u.frames) for u in found) / 360_000:.1f} h of frames")
    some = np.concatenate([u.frames[rng.integers(4) :: 4] for u in found])
    weights, means, variances = train_ubm(some, rng)
    tell(f"background model of {GAUSSIANS} Gaussians")
    length = round(SEGMENT_SECONDS * FRAMES_PER_SECOND)
    rows = []
    for utterance in found:
        starts = np.arange(0, len(utterance.frames) - length + 1, length)
        share = ivector.posteriors(
            ivector.log_likelihoods(utterance.frames, weights, means, variances)
        )
        spans = np.stack([starts, starts + length], axis=1)
        rows.append(ivector.statistics(utterance.frames, spans, means, share.astype(np.float32)))
    counts = np.concatenate([c for c, _ in rows])
    sums = np.concatenate([s for _, s in rows]) / np.sqrt(variances)
    segments = [len(c) for c, _ in rows]
    speakers = np.repeat([u.speaker for u in found], segments)
    conditions = np.repeat([u.condition for u in found], segments)
    tell(f"statistics of {len(counts)} segments of {len(np.unique(speakers))} speakers")
    loadings = train_loadings(counts, sums, rng)
    tell(f"total variability of {FACTORS} factors")
    vectors = ivector.extract(counts, sums, loadings)
    centre, projection, between = train_discriminants(vectors, speakers, conditions)
    tell(f"discriminants, between-speaker variances {between.round(1)[:5]} ...")
    return ivector.IvectorModel(weights, means, variances, loadings, centre, projection, between)


def main() -> None:
    """Read the arguments, train, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where the SPEAKER-*.flac files are")
    parser.add_argument("--out", type=Path, default=ivector.MODEL_FILE)
    arguments = parser.parse_args()
    model = train(arguments.folder)
    model.save(arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
