"""Train the voice network from a folder of speech laid out as LibriSpeech's: SPEAKER-*.flac.

    python -m tools.train_voicenet FOLDER [--steps 2000] [--out diarization/embeddings]

Needs `pip install torch onnx resemblyzer webrtcvad-wheels` beside the program itself. The GE2E
encoder of resemblyzer (https://github.com/resemble-ai/Resemblyzer, Wan et al. 2018) is the
teacher: it hears clean speech, and the network, five times as fast, learns to say the same of
that speech in rooms, by telephone and in noise. Only the network is written, nothing of the
teacher's. One thread: about 5 minutes for the features and the teacher, 0.3 s a step.
"""

import argparse
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tools.train_ivector import train_discriminants
from tools.voicenet_speech import (
    ROOM,
    STEP_FRAMES,
    TEACHER_FRAMES,
    Voice,
    disturb,
    load_teacher,
    voices_of,
)
from transcrevai_core.diarization.embeddings import voicenet

CROP_WINDOWS = 5
CROP_FRAMES = TEACHER_FRAMES + (CROP_WINDOWS - 1) * STEP_FRAMES  # 3.2 s
LENGTHS = (100, 120, 150, 150, 160)  # frames that the network pools over, one drawn a batch
BATCH = 32
WIDTH, POOLED, DIMS = 240, 480, 128
DISCRIMINANTS = 64
RATE = 2e-3
SHARPNESS = 15.0  # of the choice among all voices


class Network(nn.Module):
    """Log-mel (batch, 40, frames) to hidden (batch, POOLED, frames / 2) and weights of frames.

    Two convolutions in time and frequency, then five in time with residual paths: a frame sees
    0.2 s to each side.
    """

    def __init__(self) -> None:
        super().__init__()
        self.front = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 24, 3, stride=(2, 1), padding=1, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(),
        )
        self.enter = nn.Sequential(
            nn.Conv1d(240, WIDTH, 1, bias=False), nn.BatchNorm1d(WIDTH), nn.ReLU()
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(WIDTH, WIDTH, 3, padding=gap, dilation=gap, bias=False),
                nn.BatchNorm1d(WIDTH),
                nn.ReLU(),
            )
            for gap in (1, 2, 3, 1)
        )
        self.leave = nn.Sequential(
            nn.Conv1d(WIDTH, POOLED, 1, bias=False), nn.BatchNorm1d(POOLED), nn.ReLU()
        )
        self.weigh = nn.Conv1d(POOLED, 1, 1)
        self.head = nn.Sequential(
            nn.BatchNorm1d(2 * POOLED), nn.Dropout(0.25), nn.Linear(2 * POOLED, DIMS)
        )

    def frames(self, mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden values and weights (0 to 1) of frames of 20 ms."""
        hidden = self.front((mel[:, None] / 3.0).contiguous(memory_format=torch.channels_last))
        hidden = self.enter(hidden.flatten(1, 2))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        hidden = self.leave(hidden)
        return hidden, torch.sigmoid(self.weigh(hidden))

    def pool(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Weighted mean and deviation over all frames given: (batch, 2 POOLED)."""
        total = weight.sum(2) + 1e-3
        mean = (hidden * weight).sum(2) / total
        square = (hidden**2 * weight).sum(2) / total
        return torch.cat([mean, torch.sqrt(torch.clamp(square - mean**2, min=1e-4))], 1)


def targets(voices: list[Voice]) -> tuple[list[np.ndarray], np.ndarray]:
    """What the network is to say of each window, and of each voice (voices, DIMS); length 1.

    The teacher's vectors after discriminant analysis, so that the network spends itself on what
    tells speakers apart. A window's target leans half to its voice's own: a window of the
    teacher's has its own errors, the mean over 12 s has few.
    """
    taught = np.concatenate([v.taught for v in voices]).astype(np.float64)
    owner = np.repeat(np.arange(len(voices)), [len(v.taught) for v in voices])
    centre, projection, between = train_discriminants(
        taught, owner.astype(str), np.zeros(len(owner), int), shrinkage=0.1
    )
    projection = projection[:, :DIMS] * np.sqrt(between / (between + 1.0))[:DIMS]
    vectors = [unit((v.taught - centre) @ projection).astype(np.float32) for v in voices]
    means = unit(np.stack([v.mean(axis=0) for v in vectors]))
    return [unit(v + m) for v, m in zip(vectors, means, strict=True)], means


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1."""
    unit: np.ndarray = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
    return unit


def batches(
    voices: list[Voice], aims: list[np.ndarray], rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield crops (BATCH, 40, CROP_FRAMES), aims (BATCH, windows, DIMS) and voices (BATCH,)."""
    while True:
        chosen = rng.integers(len(voices), size=BATCH)
        mels, wanted = [], []
        for index in chosen:
            voice = voices[index]
            room_left = (voice.heard.shape[1] - CROP_FRAMES) // STEP_FRAMES
            first = rng.integers(min(room_left, len(voice.taught) - CROP_WINDOWS) + 1)
            start = first * STEP_FRAMES
            condition = rng.integers(len(voice.heard))
            mels.append(voice.heard[condition, start : start + CROP_FRAMES])
            wanted.append(aims[index][first : first + CROP_WINDOWS])
        mel = disturb(np.stack(mels), rng).transpose(0, 2, 1)
        yield np.ascontiguousarray(mel), np.stack(wanted), chosen


def fit(
    voices: list[Voice], steps: int, seed: int = 0, tell: Callable[[str], None] = print
) -> Network:
    """Train on voices; says how it goes every 250 steps."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    aims, means = targets(voices)
    prototypes = torch.from_numpy(means.astype(np.float32))
    network = Network()
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps, pct_start=0.1)
    network.train()
    begun, sums = time.monotonic(), np.zeros(3)
    for step, batch in zip(range(steps), batches(voices, aims, rng), strict=False):
        mel, wanted, chosen = batch
        length = int(rng.choice(LENGTHS))
        with torch.autocast("cpu", torch.bfloat16):
            hidden, weight = network.frames(torch.from_numpy(mel))
        hidden, weight = hidden.float(), weight.float()
        pooled = []
        for number in range(CROP_WINDOWS):
            a = number * STEP_FRAMES + int(rng.integers(TEACHER_FRAMES - length + 1))
            span = slice(a // 2, (a + length) // 2)
            pooled.append(network.pool(hidden[:, :, span], weight[:, :, span]))
        said = nn.functional.normalize(network.head(torch.cat(pooled)), dim=1)
        aim = torch.from_numpy(np.concatenate(wanted.transpose(1, 0, 2)).astype(np.float32))
        away = (1.0 - (said * aim).sum(1)).mean()
        which = torch.from_numpy(np.tile(chosen, CROP_WINDOWS))
        soft = torch.softmax(SHARPNESS * prototypes @ prototypes.T, 1)[which]
        confused = nn.functional.cross_entropy(SHARPNESS * said @ prototypes.T, soft)
        loss = away + 0.2 * confused
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 3.0)
        optimiser.step()
        schedule.step()
        sums += [1, float(away.detach()), float(confused.detach())]
        if (step + 1) % 250 == 0:
            count, away_sum, confused_sum = sums
            tell(
                f"{time.monotonic() - begun:6.0f} s  step {step + 1}: cosine "
                f"{1 - away_sum / count:.3f}, cross-entropy {confused_sum / count:.3f}"
            )
            sums[:] = 0
    network.eval()
    return network


def make_head(network: Network, voices: list[Voice], rng: np.random.Generator) -> voicenet.Head:
    """Fold the last layer, and do discriminant analysis on what the network says of voices."""
    norm, _, last = network.head
    scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().numpy()
    shift = norm.bias - norm.running_mean * norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weights = last.weight.detach().numpy().T
    bias = last.bias.detach().numpy() + shift.detach().numpy() @ weights
    nothing = np.zeros(DIMS), np.eye(DIMS), np.ones(DIMS)
    head = voicenet.Head(scale[:, None] * weights, bias, *nothing)
    rows, names, conditions = [], [], []
    for number, voice in enumerate(voices):
        mels = np.stack([*voice.heard.astype(np.float32), disturb(voice.heard[ROOM][None], rng)[0]])
        with torch.inference_mode():
            hidden, weight = network.frames(torch.from_numpy(mels.transpose(0, 2, 1).copy()))
        for condition in range(len(mels)):
            count = hidden.shape[2] // 75
            spans = np.stack([np.arange(count) * 75, np.arange(1, count + 1) * 75], axis=1)
            pooled = voicenet.pool(hidden[condition].numpy().T, weight[condition, 0].numpy(), spans)
            rows.append(head.vectors(pooled))
            names += [str(number)] * count
            conditions += [condition] * count
    centre, projection, between = train_discriminants(
        np.concatenate(rows), np.array(names), np.array(conditions), shrinkage=0.1
    )
    kept = slice(0, DISCRIMINANTS)
    return replace(head, centre=centre, discriminants=projection[:, kept], between=between[kept])


def export(network: Network, path: Path) -> None:
    """Write the part of the network that runs once over a stretch, as ONNX, weights in 16 bits."""
    import onnx

    class Frames(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.network.frames(mel)

    whole = io.BytesIO()
    torch.onnx.export(
        Frames().eval(),
        (torch.zeros(1, 40, 200),),
        whole,
        input_names=["mel"],
        output_names=["hidden", "weight"],
        dynamic_axes={"mel": {2: "frames"}, "hidden": {2: "steps"}, "weight": {2: "steps"}},
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load_from_string(whole.getvalue())
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 1_000:
            name, half = tensor.name, tensor.name + "_half"
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), half))
            widen = onnx.helper.make_node("Cast", [half], [name], to=onnx.TensorProto.FLOAT)
            model.graph.node.insert(0, widen)
    onnx.save(model, str(path))


def train(folder: Path, steps: int, seed: int = 0) -> tuple[Network, voicenet.Head]:
    """Hear a folder and return the network and its head; says on the screen what it is at.

    Every fifth file is kept from the network and makes the head: of voices that it learned by
    heart the network is far surer than of others, and the variances would be wrong.
    """
    rng = np.random.default_rng(seed)
    files = sorted(folder.glob("*-*.flac"))
    if not files:
        raise SystemExit(f"There is no SPEAKER-*.flac in {folder}.")
    teacher = load_teacher()
    learned: list[Any] = []
    kept: list[Any] = []
    for number, path in enumerate(files):
        (kept if number % 5 == 2 else learned).extend(voices_of(path, teacher, rng))
    print(f"{len(learned)} voices to learn, {len(kept)} kept for the head", flush=True)
    network = fit(learned, steps, seed)
    return network, make_head(network, kept, rng)


def main() -> None:
    """Read the arguments, train, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where the SPEAKER-*.flac files are")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=voicenet.NETWORK_FILE.parent)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    network, head = train(arguments.folder, arguments.steps)
    arguments.out.mkdir(parents=True, exist_ok=True)
    export(network, arguments.out / voicenet.NETWORK_FILE.name)
    head.save(arguments.out / voicenet.HEAD_FILE.name)


if __name__ == "__main__":
    main()
