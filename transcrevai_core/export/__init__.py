"""Transcripts as files that other programs read, all in UTF-8.

Imports only the bottom layer and the standard library (pysubs2 and pympi when a file of theirs is
written), so that pages and the command line can load it at once.
"""

import io
import itertools
import secrets
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from transcrevai_core.errors import InputError, StorageError, refusal
from transcrevai_core.export.annotation import write_eaf, write_textgrid
from transcrevai_core.export.filenames import file_stem, safe_stem
from transcrevai_core.export.nist import write_ctm, write_rttm
from transcrevai_core.export.plain import as_dict, as_text, write_json, write_tsv, write_txt
from transcrevai_core.export.subtitles import write_srt, write_vtt
from transcrevai_core.transcript.names import speaker_turns, with_names
from transcrevai_core.transcript.turns import default_name
from transcrevai_core.types import Transcript

__all__ = [
    "FORMATS", "applicable", "archive", "as_dict", "file_name", "file_stem", "mime_type", "save",
    "text", "write",
]  # fmt: skip

# A writer takes a transcript, as `with_names` gives it, and `edited`.
FORMATS: dict[str, Callable[[Transcript, bool], str]] = {
    "txt": write_txt,
    "srt": write_srt,
    "vtt": write_vtt,
    "tsv": write_tsv,
    "json": write_json,
    "rttm": write_rttm,
    "ctm": write_ctm,
    "textgrid": write_textgrid,
    "eaf": write_eaf,
}
# The name of a format is also its files' suffix, but for this one, as Praat writes it.
_SUFFIXES = {"textgrid": "TextGrid"}
_FOR_PROGRAMS = ("json", "rttm", "ctm")  # here who has no name keeps the label, SPEAKER_00
_MIME_TYPES = {"json": "application/json", "eaf": "application/xml"}


def applicable(transcript: Transcript) -> list[str]:
    """Those of FORMATS that `transcript` can be written in: text of nobody cannot be rttm."""
    has_speakers = bool(speaker_turns(with_names(transcript))) or not transcript.segments
    return [format for format in FORMATS if has_speakers or format != "rttm"]


def file_name(stem: str, format: str) -> str:
    """Name a file in one of FORMATS.

    >>> file_name("ata", "textgrid")
    'ata.TextGrid'
    """
    return f"{stem}.{_SUFFIXES.get(format, format)}"


def mime_type(format: str) -> str:
    """Return the media type of a file in one of FORMATS."""
    return _MIME_TYPES.get(format, "text/plain")


def write(transcript: Transcript, format: str, *, edited: bool = True) -> str:
    """Give `transcript` as the text of a file in one of FORMATS.

    With `edited` the text is what the user made of it, else what the model wrote; speakers have
    their display names either way. Raises InputError for an unknown format, and for one that is
    not `applicable`.
    """
    if format not in FORMATS:
        raise InputError(
            "Format {format!r} is unknown; one of {known} is right.",
            format=format,
            known=", ".join(FORMATS),
        )
    text = FORMATS[format](
        with_names(transcript, str if format in _FOR_PROGRAMS else default_name), edited
    )
    # Half a surrogate pair, as a damaged edit may hold, cannot be written as UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8")


def text(transcript: Transcript, *, times: bool, speakers: bool, edited: bool = True) -> str:
    """Give `transcript` as text to be read or pasted, with times and display names if wanted."""
    return as_text(
        with_names(transcript, default_name), times=times, speakers=speakers, edited=edited
    )


def archive(transcripts: Iterable[Transcript], format: str) -> bytes:
    """Give a ZIP file of transcripts in one of FORMATS, each named by its title.

    Those that the format is not `applicable` to are left out.
    """
    content, taken = io.BytesIO(), set[str]()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as files:
        for transcript in transcripts:
            if format not in applicable(transcript):
                continue
            stem = file_stem(transcript.title)
            names = (stem if n == 1 else f"{stem} ({n})" for n in itertools.count(1))
            stem = next(name for name in names if name.casefold() not in taken)
            taken.add(stem.casefold())
            files.writestr(file_name(stem, format), write(transcript, format))
    return content.getvalue()


def save(
    transcript: Transcript,
    folder: Path,
    format: str,
    *,
    stem: str | None = None,
    edited: bool = True,
) -> list[Path]:
    """Write `transcript` into `folder`, made if need be, and give the paths written.

    `format` is one of FORMATS, or "all" for those that are `applicable`; the files are named by
    `stem`, else by the title. A file of that name is replaced whole or not at all. Raises
    InputError as `write` does, StorageError where the disk refuses.
    """
    if format != "all" and format not in FORMATS:
        raise InputError(
            "Format {format!r} is unknown; one of {known} or all is right.",
            format=format,
            known=", ".join(FORMATS),
        )
    name = file_stem(transcript.title) if stem is None else safe_stem(stem)
    chosen = applicable(transcript) if format == "all" else [format]
    contents = {
        folder / file_name(name, chosen_format): write(transcript, chosen_format, edited=edited)
        for chosen_format in chosen
    }
    for path, content in contents.items():
        _replace(path, content)
    return list(contents)


def _replace(path: Path, content: str) -> None:
    """Write `path` under another name first: a reader never meets half a file."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content.encode())
        partial.replace(path)
    except OSError as error:
        raise StorageError(
            "{name} could not be written: {reason}.", name=path.name, reason=refusal(error)
        ) from None
    finally:
        with suppress(OSError):  # gone by now, or what went wrong above is what matters
            partial.unlink()
