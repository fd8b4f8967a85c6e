"""Names of files, taken from titles that people and their systems have given."""

import re
import unicodedata

_STEM_BYTES = 200  # a file name may have 255, and suffixes are still to come
_MEDIA_SUFFIX = re.compile(r"\.(?=\d?[a-z])[a-z0-9]{2,4}$", re.IGNORECASE)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def file_stem(title: str) -> str:
    """Name files after a recording: its title without a media file's suffix, safe on any system.

    >>> file_stem("Reunião 3/4: orçamento.mp3")
    'Reunião 3_4_ orçamento'
    """
    return safe_stem(_MEDIA_SUFFIX.sub("", title))


def safe_stem(name: str) -> str:
    """Keep `name` inside its folder and within what Windows, macOS and Linux allow."""
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r'[<>:"/\\|?*]', "_", " ".join(name.split()))
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C")
    name = name.encode()[:_STEM_BYTES].decode(errors="ignore").strip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    return name or "transcript"
