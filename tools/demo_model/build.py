"""Everything from nothing: pool, tokenizer, training, export and samples, in one folder.

Each stage keeps what it made and is passed over when it is there, so that a stopped build goes
on where it was. Remove the folder to begin again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.demo_speech.samples import write_samples
from tools.demo_speech.synthesis import make_pool
from tools.demo_speech.tokenizer import make_tokenizer


@dataclass(frozen=True)
class Settings:
    """What a build depends on: the same settings give the same data, batch for batch."""

    seed: int = 20261120
    #: Shards of 2,000 utterances.
    shards: int = 14
    steps: int = 5000
    #: Processes for the synthesis and threads for the training.
    processes: int = 2


def build(folder: Path, settings: Settings) -> Path:
    """Makes the model in ``folder / "model"`` and returns that."""
    # Imported here so that the other commands do without torch.
    from tools.demo_model.export import export
    from tools.demo_model.train import Data, train

    pool, tokenizer = folder / "pool", folder / "tokenizer.json"
    checkpoint, model = folder / "checkpoint.pt", folder / "model"
    folder.mkdir(parents=True, exist_ok=True)
    make_pool(pool, settings.shards, settings.seed, settings.processes)
    if not tokenizer.exists():
        make_tokenizer(settings.seed).save(str(tokenizer))
    data = Data(pool, settings.shards, tokenizer, settings.seed)
    train(data, checkpoint, settings.steps, settings.processes)
    export(checkpoint, tokenizer, model)
    write_samples(folder / "samples")
    return model
