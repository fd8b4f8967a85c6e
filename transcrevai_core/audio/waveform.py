"""A recording's loudness over time, small enough to be drawn at once."""

import os
import secrets
from pathlib import Path

from transcrevai_core.types import SAMPLE_RATE, WAV_HEADER_BYTES

PER_SECOND = 20
_STEP = SAMPLE_RATE // PER_SECOND
_BLOCK = 60 * SAMPLE_RATE  # samples read at once


def peaks_path(wav: Path) -> Path:
    """Return where the loudness of a sound is kept."""
    return wav.with_suffix(".peaks")


def peaks(wav: Path) -> bytes:
    """Return the highest amplitude of each twentieth of a second: 0 to 255, one byte each.

    `wav` is 16 kHz mono 16-bit. What was found is kept beside it, until it is made anew.
    Raises OSError where it cannot be read.
    """
    kept = peaks_path(wav)
    if kept.is_file() and kept.stat().st_mtime_ns >= wav.stat().st_mtime_ns:
        return kept.read_bytes()
    found = _measure(wav)
    partial = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}.part")
    try:
        partial.write_bytes(found)
        partial.replace(kept)
    except OSError:  # a full disk: it is found again the next time
        partial.unlink(missing_ok=True)
    return found


def _measure(wav: Path) -> bytes:
    import numpy as np  # here, because the web process can do without it until then

    found = bytearray()
    with wav.open("rb") as file:
        file.seek(WAV_HEADER_BYTES, os.SEEK_SET)
        while (block := np.fromfile(file, "<i2", _BLOCK)).size:
            block = np.pad(block, (0, -block.size % _STEP)).reshape(-1, _STEP)
            # in 32 bits, as the lowest number has no positive counterpart in 16
            highest = np.maximum(block.max(1).astype(np.int32), -block.min(1).astype(np.int32))
            found += (np.minimum(highest, 32767) >> 7).astype(np.uint8).tobytes()
    return bytes(found)
