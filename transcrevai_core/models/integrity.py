"""What every source of a model owes: the right bytes, and where the hub's cache has them."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from transcrevai_core.errors import ModelAbsent
from transcrevai_core.messages import Message

OnBytes = Callable[[int], None]
BLOCK = 1 << 24  # bytes


class Refused(Exception):
    """A source did not give the model; the next one may."""

    def __init__(self, why: Message):
        super().__init__(str(why))
        self.why = why


def first_wrong(
    folder: Path, digests: Mapping[str, str], on_bytes: OnBytes = lambda count: None
) -> str:
    """Return the first file that is not what its SHA-256 says; empty where all are.

    `on_bytes` receives the bytes of the folder again and again: a slow disk is no stall.
    """
    size = sum(file.stat().st_size for file in folder.iterdir())
    for file, digest in digests.items():
        hashed = hashlib.sha256()
        try:
            with (folder / file).open("rb") as source:
                while block := source.read(BLOCK):
                    hashed.update(block)
                    on_bytes(size)
        except FileNotFoundError:
            return file
        if hashed.hexdigest() != digest:
            return file
    return ""


def mismatch(name: str, file: str) -> ModelAbsent:
    """Return the error for a file whose bytes are not those that were published."""
    return ModelAbsent(
        "What came for the model {name} is not what was published ({file} differs), and nothing of "
        "it was kept; another network, or a folder with the model on this computer, would be "
        "right.",
        name=name,
        file=file,
    )


def make_main(snapshot: Path) -> None:
    """Let the hub's cache name a snapshot as the one that a model's name means."""
    main = snapshot.parent.parent / "refs" / "main"
    main.parent.mkdir(parents=True, exist_ok=True)
    part = main.with_suffix(".part")
    part.write_text(snapshot.name)
    part.replace(main)
