"""Trains the model: a fixed number of steps, checkpoints, and going on from the last of them.

The loss is the tokens' cross-entropy, with two guides without which so small a model on so little
data stays on a plateau: the phoneme of every encoder position, and where the guided heads look
(layer 0 at the token just read, layer 1 at the one to predict), known from the synthesizer.
"""

from __future__ import annotations

import math
import multiprocessing
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from tools.demo_model.batches import IGNORED, Batch, Composer, stage_seconds
from tools.demo_model.model import Output, Shape, Whisper
from tools.demo_speech.pool import Pool
from tools.demo_speech.synthesis import read_inventory
from tools.demo_speech.tokenizer import Vocabulary

PEAK_RATE = 1.6e-3
WARM_UP_STEPS = 200
#: The rate falls to this share of its peak.
FINAL_SHARE = 0.015
WEIGHT_DECAY = 0.02
AVERAGING = 0.998
PHONEME_WEIGHT = 0.6
GUIDE_WEIGHT = 0.3
CHECKPOINT_SECONDS = 180


class Losses(NamedTuple):
    """The parts of the loss, each a scalar."""

    tokens: Tensor
    phonemes: Tensor
    reading: Tensor
    predicting: Tensor

    def total(self) -> Tensor:
        """The weighted sum, which training lowers."""
        guides = GUIDE_WEIGHT * (self.reading + self.predicting)
        return self.tokens + PHONEME_WEIGHT * self.phonemes + guides


class Data(NamedTuple):
    """What the batches are made from."""

    pool: Path
    shards: int
    tokenizer: Path
    seed: int


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to FINAL_SHARE of the peak."""
    falling = max(0.0, step / steps - 0.05) / 0.95
    cosine = 0.5 * (1 + math.cos(math.pi * falling))
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return PEAK_RATE * warm * (cosine * (1 - FINAL_SHARE) + FINAL_SHARE)


def guide_loss(logits: Tensor, spans: Tensor) -> Tensor:
    """Minus the log of the attention that lies within the spans.

    logits (B, heads, L, K); spans (B, L, 2), first and last key, -1 where anything goes.
    """
    keys = torch.arange(logits.shape[-1]).view(1, 1, -1)
    inside = (keys >= spans[..., :1]) & (keys <= spans[..., 1:])
    known = spans[..., 0] >= 0
    within = logits.masked_fill(~inside[:, None], -1e4).logsumexp(-1)
    missing = (logits.logsumexp(-1) - within) * known[:, None]
    return missing.sum() / (known.sum() * logits.shape[1]).clamp(min=1)


def losses(output: Output, batch: dict[str, Tensor]) -> Losses:
    """All parts of the loss of one batch."""
    spans = batch["spans"]
    return Losses(
        functional.cross_entropy(
            output.logits.float().flatten(0, 1), batch["targets"].flatten(), ignore_index=IGNORED
        ),
        functional.cross_entropy(
            output.phonemes.float().flatten(0, 1), batch["phonemes"].flatten()
        ),
        guide_loss(output.attention[0], spans[0]),
        guide_loss(output.attention[1], spans[1]),
    )


def _compose(data: Data, first: int, steps: int, queue: Any) -> None:
    """Puts the batches of the steps from ``first`` on into the queue; runs in its own process."""
    torch.set_num_threads(1)
    vocabulary = Vocabulary.load(data.tokenizer)
    composer = Composer(Pool(data.pool, data.shards, vocabulary), vocabulary, data.seed)
    for step in range(first, steps):
        queue.put(composer.batch(step, steps))


class Trainer:
    """Model, average, optimizer and step: all that a checkpoint holds."""

    def __init__(self, shape: Shape, steps: int, seed: int) -> None:
        torch.manual_seed(seed)
        self.model = Whisper(shape)
        self.steps, self.step = steps, 0
        matrices = [p for p in self.model.parameters() if p.dim() > 1]
        vectors = [p for p in self.model.parameters() if p.dim() <= 1]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": WEIGHT_DECAY},
                {"params": vectors, "weight_decay": 0.0},
            ],
            PEAK_RATE,
            betas=(0.9, 0.98),
            fused=True,
        )
        self.average = {name: value.clone() for name, value in self.model.state_dict().items()}

    def update(self, batch: Batch) -> tuple[Losses, float]:
        """One step; returns the losses and the share of tokens predicted right."""
        tensors = {name: torch.from_numpy(array) for name, array in batch._asdict().items()}
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, self.steps)
        with torch.autocast("cpu", torch.bfloat16):
            output = self.model(tensors["mel"], tensors["inputs"])
        parts = losses(output, tensors)
        self.optimizer.zero_grad()
        parts.total().backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.model.pin_bias()
        self.step += 1
        # The average begins as the latest weights and grows slower with time.
        keep = min(AVERAGING, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                self.average[name].lerp_(value, 1 - keep)
            learned = tensors["targets"] != IGNORED
            right = (output.logits.argmax(-1) == tensors["targets"])[learned].float().mean()
        return parts, right.item()

    def save(self, path: Path) -> None:
        """Writes a checkpoint, replacing the last one only once it is whole."""
        partial = path.with_suffix(".partial")
        state = {
            "shape": asdict(self.model.shape),
            "steps": self.steps,
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
        }
        torch.save(state, partial)
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Goes on from a checkpoint of the same training."""
        state = torch.load(path, weights_only=True)
        if state["steps"] != self.steps or state["shape"] != asdict(self.model.shape):
            raise ValueError(f"{path} belongs to another training: remove it or use another folder")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.step = state["average"], state["step"]
        torch.set_rng_state(state["random"])


def train(data: Data, checkpoint: Path, steps: int, threads: int = 2) -> None:
    """Trains up to ``steps``, from the checkpoint if there is one."""
    torch.set_num_threads(threads)
    vocabulary = Vocabulary.load(data.tokenizer)
    phonemes = len(read_inventory(data.pool)) + 1  # and pauses
    trainer = Trainer(Shape(vocabulary.size, phonemes), steps, data.seed)
    if checkpoint.exists():
        trainer.load(checkpoint)
        print(f"going on from step {trainer.step}", flush=True)
    if trainer.step >= steps:
        return
    # A process of its own makes the batches; spawned, as a fork would share torch's threads.
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue(6)
    worker = context.Process(target=_compose, args=(data, trainer.step, steps, queue), daemon=True)
    worker.start()
    begun = saved = time.monotonic()
    waited = 0.0
    history: list[tuple[float, ...]] = []
    try:
        while trainer.step < steps:
            asked = time.monotonic()
            batch = queue.get(timeout=600)
            waited += time.monotonic() - asked
            parts, right = trainer.update(batch)
            history.append((*(part.item() for part in parts), right))
            if trainer.step % 50 == 0:
                means = [sum(column) / len(history) for column in zip(*history, strict=True)]
                print(
                    f"step {trainer.step}/{steps} {time.monotonic() - begun:.0f} s "
                    f"window {stage_seconds(trainer.step / steps)} s tokens {means[0]:.3f} "
                    f"phonemes {means[1]:.3f} guides {means[2]:.3f} {means[3]:.3f} "
                    f"right {means[4]:.3f} waited {waited:.0f} s",
                    flush=True,
                )
                history.clear()
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                trainer.save(checkpoint)
                saved = time.monotonic()
    finally:
        worker.terminate()
    trainer.save(checkpoint)
