"""Transcripts as files that other programs read: txt, srt, vtt, tsv and json, all in UTF-8.

Imports only types, errors and the standard library (pysubs2 when a subtitle is written), so that
pages and the command line can load it at once.
"""

import re
import secrets
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from transcrevai_core.errors import InputError, StorageError
from transcrevai_core.export.subtitles import write_srt, write_vtt
from transcrevai_core.export.texts import as_dict, write_json, write_tsv, write_txt
from transcrevai_core.types import Transcript

__all__ = ["FORMATS", "as_dict", "file_stem", "save", "write"]

# The name of a format is also its files' suffix; a writer takes a transcript and `edited`.
FORMATS: dict[str, Callable[[Transcript, bool], str]] = {
    "txt": write_txt,
    "srt": write_srt,
    "vtt": write_vtt,
    "tsv": write_tsv,
    "json": write_json,
}

_STEM_BYTES = 200  # a file name may have 255, and suffixes are still to come
_MEDIA_SUFFIX = re.compile(r"\.(?=\d?[a-z])[a-z0-9]{2,4}$", re.IGNORECASE)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def write(transcript: Transcript, format: str, *, edited: bool = True) -> str:
    """Give `transcript` as the text of a file in one of FORMATS.

    With `edited` the text is what the user made of it, else what the model wrote. Raises
    InputError for an unknown format.
    """
    if format not in FORMATS:
        raise InputError(f"Format {format!r} is unknown; one of {', '.join(FORMATS)} is right.")
    text = FORMATS[format](transcript, edited)
    # Half a surrogate pair, as a damaged edit may hold, cannot be written as UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8")


def save(
    transcript: Transcript,
    folder: Path,
    format: str,
    *,
    stem: str | None = None,
    edited: bool = True,
) -> list[Path]:
    """Write `transcript` into `folder`, made if need be, and give the paths written.

    `format` is one of FORMATS or "all"; the files are named by `stem`, else by the title. A file
    of that name is replaced whole or not at all. Raises InputError for an unknown format,
    StorageError where the disk refuses.
    """
    if format != "all" and format not in FORMATS:
        raise InputError(
            f"Format {format!r} is unknown; one of {', '.join(FORMATS)} or all is right."
        )
    name = file_stem(transcript.title) if stem is None else _safe(stem)
    chosen = list(FORMATS) if format == "all" else [format]
    contents = {
        folder / f"{name}.{chosen_format}": write(transcript, chosen_format, edited=edited)
        for chosen_format in chosen
    }
    for path, content in contents.items():
        _replace(path, content)
    return list(contents)


def file_stem(title: str) -> str:
    """Name files after a recording: its title without a media file's suffix, safe on any system.

    >>> file_stem("Reunião 3/4: orçamento.mp3")
    'Reunião 3_4_ orçamento'
    """
    return _safe(_MEDIA_SUFFIX.sub("", title))


def _safe(name: str) -> str:
    """Keep `name` inside its folder and within what Windows, macOS and Linux allow."""
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r'[<>:"/\\|?*]', "_", " ".join(name.split()))
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C")
    name = name.encode()[:_STEM_BYTES].decode(errors="ignore").strip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    return name or "transcript"


def _replace(path: Path, content: str) -> None:
    """Write `path` under another name first: a reader never meets half a file."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content.encode())
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"{path.name} could not be written: {error.strerror}.") from None
    finally:
        with suppress(OSError):  # gone by now, or what went wrong above is what matters
            partial.unlink()
