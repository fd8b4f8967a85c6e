"""Folders with a model that people bring themselves: found on a stick, and what is wrong with one.

Light enough for the web process: files are looked at, and no model is loaded.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from transcrevai_core.messages import Message
from transcrevai_core.models.integrity import OnBytes, first_wrong
from transcrevai_core.models.pins import PINS

_DEPTH, _MOST = 4, 2_000  # folders that are looked into, below each other and in all
_SPEC = b"WhisperSpec"  # in the head of CTranslate2's file
_OTHER = ("*.safetensors", "pytorch_model*.bin", "*.pt", "ggml*.bin", "*.gguf")
_POINTER = b"version https://git-lfs"


def problems(folder: Path) -> list[Message]:
    """Return a sentence for each thing that keeps a folder from being a CTranslate2 Whisper."""
    values = {"folder": str(folder)}
    found = [_wrong_weights(folder)]
    for file in ("config.json", "tokenizer.json"):
        if not (folder / file).is_file():
            said = Message(
                "{folder} holds no {file}; a copy of it from the model that was converted would "
                "be right.",
                {**values, "file": file},
            )
            found.append(said)
        elif not _is_json(folder / file):
            said = Message(
                "{file} in {folder} is damaged; another copy of it would be right.",
                {**values, "file": file},
            )
            found.append(said)
    if not any((folder / f"vocabulary.{kind}").is_file() for kind in ("json", "txt")):
        said = Message(
            "{folder} holds no vocabulary.json or vocabulary.txt; CTranslate2 writes one beside "
            "the model.bin, and a copy of that would be right.",
            values,
        )
        found.append(said)
    return [message for message in found if message]


def _wrong_weights(folder: Path) -> Message:
    values = {"folder": str(folder)}
    try:
        with (folder / "model.bin").open("rb") as file:
            head = file.read(64)
    except OSError:
        others = sorted(path.name for kind in _OTHER for path in folder.glob(kind))
        if others:
            return Message(
                "{folder} holds {file}, which is not in CTranslate2's format; a model that "
                "ct2-transformers-converter has converted would be right.",
                {**values, "file": others[0]},
            )
        return Message(
            "The folder {name} holds no model.bin; a CTranslate2 Whisper model would be right.",
            {"name": str(folder)},
        )
    if head.startswith(_POINTER):
        return Message(
            "model.bin in {folder} is a pointer of Git LFS without the weights; git lfs pull "
            "there, or the file itself, would be right.",
            values,
        )
    if _SPEC not in head:
        return Message(
            "model.bin in {folder} is not a Whisper of CTranslate2, or is damaged; another copy "
            "of it would be right.",
            values,
        )
    return Message()


def _is_json(file: Path) -> bool:
    try:
        return isinstance(json.loads(file.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError):
        return False


def known_as(folder: Path, on_bytes: OnBytes = lambda count: None) -> str | None:
    """Return the hub's id of the model that a folder holds byte by byte; None for an unknown one.

    Reads all of it, which takes a while from a stick; `on_bytes` as `integrity.first_wrong`.
    """
    known = (repo for repo, pin in PINS.items() if not first_wrong(folder, pin.digests, on_bytes))
    return next(known, None)


def usual_places() -> list[Path]:
    """Return where people keep what they bring: removable disks, and their downloads."""
    import platformdirs

    places = [Path(platformdirs.user_downloads_dir())]
    for root, pattern in (("/media", "*/*"), ("/run/media", "*/*"), ("/Volumes", "*")):
        with suppress(OSError):
            places += sorted(Path(root).glob(pattern))
    if os.name == "nt":
        places += [Path(f"{letter}:/") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ"]
    return places


def find(places: Iterable[Path], most: int = 5) -> list[Path]:
    """Return up to `most` folders with a model.bin, in `places` and not far below them."""
    found: list[Path] = []
    for folder in _below(places):
        if (folder / "model.bin").is_file() and folder not in found:
            found.append(folder)
        if len(found) == most:
            break
    return found


def _below(places: Iterable[Path]) -> Iterator[Path]:
    """Go through folders, the nearest first, and through no more than can be done in a moment."""
    level, seen = list(places), 0
    for _depth in range(_DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            if (seen := seen + 1) > _MOST:
                return
            yield folder
            with suppress(OSError), os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir())
                below += [folder / name for name in names if not name.startswith(".")]
        level = below
