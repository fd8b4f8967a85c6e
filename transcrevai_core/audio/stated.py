"""How long a recording says that it is, where that was written when it was whole.

FFmpeg also estimates lengths, from bit rates or from the file as it is now; those tell nothing of
what is missing.
"""

import re
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av

# their headers or indexes state a length, and FFmpeg passes it on
_STATING = {
    "aiff", "ape", "au", "flac", "flv", "mov,mp4,m4a,3gp,3g2,mj2", "ogg", "tta", "wv",
}  # fmt: skip
_INFO = re.compile(rb"\x15\x49\xa9\x66.{1,400}?\x44\x89[\x84\x88]", re.DOTALL)
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c 47a9 cf11 8ee4 00c00c205365")
_HEAD_BYTES = 65_536


def length(container: "av.container.InputContainer", stream: "av.AudioStream") -> float | None:
    """Return a track's length in seconds as far as FFmpeg knows or guesses it."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return float(Fraction(container.duration, av.time_base))
    return None


def stated_length(
    source: Path, container: "av.container.InputContainer", stream: "av.AudioStream"
) -> float | None:
    """Return the length in seconds that the file itself states; None where it states none."""
    found, kind = length(container, stream), container.format.name
    if not found or kind in _STATING:
        return found
    with source.open("rb") as file:
        if kind == "mp3":
            frames, rate = _counted_frames(file), stream.sample_rate
            return frames * (1152 if rate >= 32_000 else 576) / rate if frames else None
        head = file.read(_HEAD_BYTES)
    if kind == "matroska,webm":
        return found if _INFO.search(head) else None
    if kind == "asf":
        return _asf_seconds(head)
    if head[:4] == b"RF64":
        return found
    size, stated = source.stat().st_size, _stated_bytes(head)
    if stated and stated > size:  # FFmpeg looks at what is there
        return found * stated / size
    return found if stated else None


def _counted_frames(file: BinaryIO) -> int | None:
    """Return the count of frames that an MP3 file begins with, by Xing, LAME or Fraunhofer."""
    head = file.read(10)
    size = 0
    if head[:3] == b"ID3":
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        size += 10
    file.seek(size)
    frame = file.read(4_096)
    for mark in (b"Xing", b"Info"):
        at = frame.find(mark)
        if at >= 0 and frame[at + 7] & 1:
            return int.from_bytes(frame[at + 8 : at + 12], "big")
    at = frame.find(b"VBRI")
    return int.from_bytes(frame[at + 14 : at + 18], "big") if at >= 0 else None


def _stated_bytes(head: bytes) -> int | None:
    """Return how large a RIFF, W64 or CAF file says that it is; None where it was written live."""
    if head[:4] == b"RIFF":
        size = int.from_bytes(head[4:8], "little")
        return size + 8 if 0 < size < 0xFFFF_F000 else None
    if head[:4] == b"riff":
        return int.from_bytes(head[16:24], "little")
    if head[:4] == b"caff" and (at := head.find(b"data")) > 0:
        size = int.from_bytes(head[at + 4 : at + 12], "big", signed=True)
        return at + 12 + size if size > 0 else None
    return None


def _asf_seconds(head: bytes) -> float | None:
    """Return the length that the file properties of a WMA or WMV state; None of a live one."""
    at = head.find(_ASF_PROPERTIES)
    if at < 0 or head[at + 88] & 1:
        return None
    ticks, preroll = (int.from_bytes(head[at + k : at + k + 8], "little") for k in (64, 80))
    return ticks / 1e7 - preroll / 1e3
