"""A file that is taken for a recording: opened where it has sound that may be heard, else refused.

What strangers' files name is never opened: playlists and other lists of files are refused.
"""

import logging
import re
from contextlib import suppress
from itertools import islice
from pathlib import Path

import av

from transcrevai_core.errors import AudioError, refusal
from transcrevai_core.types import Media

log = logging.getLogger(__name__)

# they open other files or addresses, or make pictures of what is no recording
_REFUSED = {
    "applehttp", "concat", "concatf", "dash", "hds", "hls", "image2", "image2pipe", "imf", "lavfi",
    "rtp", "rtsp", "sap", "sdp", "smoothstreaming", "tty", "webm_dash_manifest",
}  # fmt: skip
_LIST = re.compile(
    rb"\s*(#EXTM3U|ffconcat version|\[playlist\]|\[Reference\]|v=0\r?\no=|"
    rb"(<\?xml.{,2000}?)?<(MPD|smil|playlist|asx|ASX|SmoothStreamingMedia|CompositionPlaylist)\b|"
    rb"(https?|rtsp|file)://)",
    re.DOTALL,
)
_LIST_NAMES = {".cue", ".m3u", ".m3u8", ".wpl"}  # those that may hold names alone
_HEAD_BYTES = 65_536
_MOST_PACKETS = 2_000  # one of which can be decoded, where any can
# sample entries of MP4 whose sound only a player with a key can read
_PROTECTED_TAGS = {"enca", "encv", "drms", "drmi", "aavd"}
_ASF_PROTECTED = (  # the GUIDs of its two objects of content encryption
    bytes.fromhex("fbb31122 23bd d211 b4b7 00a0c955fc6e"),
    bytes.fromhex("14e68a29 2226 174c b935 dae07ee9289c"),
)


def open_recording(source: Path) -> "av.container.InputContainer":
    """Open a file that has sound; raises AudioError with one sentence where it has none."""
    head = _head(source)
    if _LIST.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise _list(source)
    try:
        container = _open(source)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        log.info("%s cannot be opened: %s", source.name, error)
        if source.suffix.lower() in _LIST_NAMES:
            raise _list(source) from None
        if any(mark in head for mark in (b"drms", b"AAXC", b"aaxc")):
            raise protected(source) from None
        if head[4:8] == b"ftyp":
            raise AudioError(
                "{name} cannot be read: it breaks off, or its index is missing or damaged; the "
                "whole file would be right.",
                name=source.name,
            ) from None
        raise AudioError(
            "{name} is not a recording that can be read; audio or video such as wav, mp3, "
            "m4a, mp4, ogg, opus, flac, webm, mkv or mov would be right.",
            name=source.name,
        ) from None
    sound = container.streams.audio
    if (
        any(guid in head for guid in _ASF_PROTECTED)
        or (container.format.name == "mpegts" and _is_scrambled(head))
        or (not sound and any(_is_protected(stream) for stream in container.streams))
    ):
        container.close()
        raise protected(source)
    if not sound:
        container.close()
        raise AudioError(
            "{name} has no sound track; a recording with sound would be right.", name=source.name
        )
    return container


def describe(source: Path) -> Media:
    """Return what a recording says of itself; raises AudioError where it is none.

    The name of a file is no proof: the beginning of its sound is decoded.
    """
    with open_recording(source) as container:
        if not _is_decoded(container):
            raise undecodable(source)
        stated = container.duration
        spoken = (track.metadata.get("language", "") for track in container.streams.audio)
        return Media(
            stated / av.time_base if stated and stated > 0 else None,
            tuple("" if code == "und" else code for code in spoken),
        )


def _is_decoded(container: "av.container.InputContainer") -> bool:
    packets = container.demux(*container.streams.audio)
    try:
        for packet in islice(packets, _MOST_PACKETS):
            with suppress(av.error.FFmpegError):  # a damaged beginning
                if packet.decode():
                    return True
    except (av.error.FFmpegError, ValueError) as error:
        log.info("the beginning cannot be read: %s", error)
    return False


def sound_tracks(source: Path) -> list[int]:
    """Return the numbers of the sound tracks, from 1, in the order in which to try them.

    Those that the file calls its default come first. Raises as `open_recording` does.
    """
    with open_recording(source) as container:
        tracks = container.streams.audio
        usual = [bool(int(getattr(track, "disposition", 0)) & 1) for track in tracks]
    return sorted(range(1, len(usual) + 1), key=lambda number: not usual[number - 1])


def pick_track(
    source: Path, container: "av.container.InputContainer", number: int
) -> "av.AudioStream":
    """Return a sound track by its number, from 1; raises AudioError where it cannot be heard."""
    tracks = container.streams.audio
    if number > len(tracks):
        if len(tracks) == 1:
            raise AudioError(
                "{name} has no sound track {number}: it has one alone; the setting track=1 would "
                "be right.",
                name=source.name,
                number=number,
            )
        raise AudioError(
            "{name} has no sound track {number}; a track from 1 to {all} would be right.",
            name=source.name,
            number=number,
            all=len(tracks),
        )
    track = tracks[number - 1]
    if _is_protected(track):
        raise protected(source)
    return track


def _open(source: Path) -> "av.container.InputContainer":
    options = {
        "format_whitelist": ",".join(sorted(av.formats_available - _REFUSED)),
        "protocol_whitelist": "file",
    }
    path = str(source.absolute())  # a name such as concat:a is a path too
    if int(av.__version__.split(".")[0]) >= 19:
        return av.open(path, options=options)
    # older ones take no recording whose title is not UTF-8, unless they are told to
    return av.open(path, options=options, metadata_errors="ignore")


def _head(source: Path) -> bytes:
    """Return the first bytes of a file that there is."""
    if not source.exists():
        raise AudioError(
            "There is no file {source}; the path of a recording would be right.", source=source
        )
    if not source.is_file():
        raise AudioError(
            "{source} is not a file; the path of one recording would be right.", source=source
        )
    try:
        with source.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise AudioError(
            "{name} cannot be opened: {reason}.", name=source.name, reason=refusal(error)
        ) from None
    if not head:
        raise AudioError("{name} is empty (0 bytes); a recording would be right.", name=source.name)
    return head


def _is_protected(stream: "av.stream.Stream") -> bool:
    context = stream.codec_context
    tag = context.codec_tag if context else ""
    return tag in _PROTECTED_TAGS or "enc_key_id" in stream.metadata


def _is_scrambled(head: bytes) -> bool:
    """Tell whether most packets of a transport stream have their scrambling bits set."""
    for size, start in ((188, 0), (192, 4)):  # broadcast, camcorders
        packets = [head[at : at + 4] for at in range(start, len(head) - 4, size)]
        if all(packet[0] == 0x47 for packet in packets[:5]):
            return sum(packet[3] >> 7 for packet in packets) > len(packets) / 2
    return False


def _list(source: Path) -> AudioError:
    return AudioError(
        "{name} is a list of other recordings, which are not opened through it; one of those "
        "files itself would be right.",
        name=source.name,
    )


def undecodable(source: Path) -> AudioError:
    """Return the refusal of a file whose sound cannot be decoded."""
    return AudioError(
        "The sound of {name} cannot be decoded; a file that plays elsewhere would be right.",
        name=source.name,
    )


def protected(source: Path) -> AudioError:
    """Return the refusal of a recording that is encrypted."""
    return AudioError(
        "{name} is protected: its sound is encrypted, and only a player that has its key can "
        "play it; a copy without protection would be right.",
        name=source.name,
    )
