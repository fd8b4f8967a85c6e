"""Train what tells voices of CAM++ apart, from folders of speech laid out as SPEAKER-*.flac.

    python -m tools.train_campplus FOLDER... [--out transcrevai_core/.../campplus.npz]

Every file is heard in four conditions (clean, room, telephone, room with noise), so that the
discriminants learn to ignore conditions. The seed is fixed: the same folders give the same arrays.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tools.train_ivector import (
    noise,
    read_flac,
    room,
    speech_frames,
    telephone,
    train_discriminants,
)
from transcrevai_core.diarization.embeddings.campplus import HEAD_FILE, Head, Network
from transcrevai_core.diarization.embeddings.features import FRAME_STEP
from transcrevai_core.types import SAMPLE_RATE

SECONDS = 1.5  # as the windows of diarization
DIMENSIONS, SHRINKAGE = 100, 0.6


def pieces(folder: Path, rng: np.random.Generator) -> Iterator[tuple[str, int, np.ndarray]]:
    """Yield speaker, condition and the speech of every file in every condition."""
    files = sorted(folder.glob("*-*.flac"))
    if not files:
        raise SystemExit(f"There is no SPEAKER-*.flac in {folder}.")
    for path in files:
        clean = read_flac(path)
        spoken = np.repeat(speech_frames(clean), FRAME_STEP)
        wet = room(clean, rng)
        heard = (clean, wet, telephone(clean, rng), noise(room(clean, rng), rng))
        speaker = "-".join(path.name.split("_")[0].split("-")[: 1 + path.name[0].isalpha()])
        for condition, samples in enumerate(heard):
            yield speaker, condition, samples[: len(spoken)][spoken]


def train(folders: Sequence[Path], seed: int = 0) -> Head:
    """Hear folders and return the discriminants; says on the screen what it is at."""
    rng, network = np.random.default_rng(seed), Network()
    vectors, speakers, conditions = [], [], []
    length = round(SECONDS * SAMPLE_RATE)
    for folder in folders:
        for speaker, condition, samples in pieces(folder, rng):
            starts = np.arange(0, len(samples) - length + 1, length)
            if len(starts):
                vectors.append(network.vectors(samples, np.stack([starts, starts + length], 1)))
                speakers += [speaker] * len(starts)
                conditions += [condition] * len(starts)
        print(f"{folder}: {len(speakers)} windows of {len(set(speakers))} speakers", flush=True)
    raw = np.concatenate(vectors)
    raw /= np.linalg.norm(raw, axis=1, keepdims=True)
    centre, projection, between = train_discriminants(
        raw, np.array(speakers), np.array(conditions), shrinkage=SHRINKAGE
    )
    return Head(centre, projection[:, :DIMENSIONS], between[:DIMENSIONS])


def main() -> None:
    """Read the arguments, train, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, help="where SPEAKER-*.flac files are")
    parser.add_argument("--out", type=Path, default=HEAD_FILE)
    arguments = parser.parse_args()
    head = train(arguments.folders)
    head.save(arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
