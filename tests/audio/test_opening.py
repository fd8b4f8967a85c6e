"""Files that are refused, each with one sentence: lists of others, encrypted ones."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from transcrevai_core.audio import decode as audio
from transcrevai_core.audio import opening
from transcrevai_core.errors import AudioError
from transcrevai_core.types import Media

MakeSound = Callable[..., Path]
LISTS = {
    "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tone}\n#EXT-X-ENDLIST\n",
    "named_otherwise.mp3": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tone}\n",
    "with_mark.m3u": "\ufeff#EXTM3U\n{tone}\n",
    "names_alone.m3u": "{tone}\n{tone}\n",
    "a.txt": "ffconcat version 1.0\nfile {tone}\n",
    "a.pls": "[playlist]\nFile1={tone}\n",
    "a.mpd": '<?xml version="1.0"?>\n<!-- made by hand -->\n<MPD type="static"></MPD>\n',
    "a.xspf": '<?xml version="1.0"?>\n<playlist version="1"></playlist>\n',
    "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    "a.cue": 'FILE "{tone}" WAVE\n  TRACK 01 AUDIO\n',
    "a.url": "http://localhost/a.mp3\n",
}


def refused(source: Path) -> str:
    with pytest.raises(AudioError) as caught:
        audio.decode(source, source.with_name("out.wav"))
    assert not source.with_name("out.wav").exists()
    return str(caught.value)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_recordings_is_refused_and_opens_none(
    name: str, make_sound: MakeSound, tmp_path: Path
) -> None:
    tone = make_sound()
    path = tmp_path / name
    path.write_text(LISTS[name].replace("{tone}", str(tone)), encoding="utf-8")
    assert "is a list of other recordings" in refused(path)


def test_a_list_that_nobody_knows_as_one_opens_nothing(
    make_sound: MakeSound, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the first words are, no demuxer that opens other files is at hand."""
    monkeypatch.setattr(opening, "_LIST", re.compile(b"(?!)"))
    path = tmp_path / "list.mp3"
    path.write_text(f"ffconcat version 1.0\nfile {make_sound().name}\n", encoding="utf-8")
    assert "is not a recording that can be read" in refused(path)


def test_a_name_that_looks_like_an_address_is_a_file(
    make_sound: MakeSound, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    make_sound().rename("concat:tone.wav")
    assert audio.decode(Path("concat:tone.wav"), Path("out.wav")).duration == 1.0


def test_an_encrypted_mp4_is_said_to_be_protected(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    options = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "00112233445566778899aabbccddeeff",
        "encryption_kid": "ffeeddccbbaa99887766554433221100",
    }
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        for number in range(30):
            tone = np.sin(np.arange(1024, dtype=np.float32) + number)[None]
            frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            frame.rate = 16_000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert "is protected" in refused(path)


@pytest.mark.parametrize("entry", [b"drms", b"enca", b"aavd"])
def test_a_bought_song_or_book_is_said_to_be_protected(entry: bytes, make_sound: MakeSound) -> None:
    path = make_sound("a.m4a", codec="aac", sample_format="fltp", rate=44_100)
    path.write_bytes(path.read_bytes().replace(b"mp4a", entry))
    assert "is protected" in refused(path)


def test_a_scrambled_transport_stream_is_said_to_be_protected(make_sound: MakeSound) -> None:
    kind: dict[str, Any] = {"codec": "aac", "sample_format": "fltp", "rate": 44_100}
    path = make_sound("a.ts", seconds=5, **kind)
    data = bytearray(path.read_bytes())
    for start in range(0, len(data), 188):
        if (data[start + 1] & 31) << 8 | data[start + 2] == 0x100:  # its sound, not its tables
            data[start + 3] |= 0x80
    path.write_bytes(data)
    assert "is protected" in refused(path)


def test_an_mp4_without_its_index_is_said_to_break_off(make_sound: MakeSound) -> None:
    path = make_sound("a.mp4", codec="aac", sample_format="fltp", rate=44_100, seconds=5)
    path.write_bytes(path.read_bytes()[:-2_000])
    assert "it breaks off, or its index is missing" in refused(path)


def test_a_recording_says_how_long_it_is_and_in_which_languages(
    make_sound: Callable[..., Path], tmp_path: Path
) -> None:
    assert opening.describe(make_sound(seconds=2.0)) == Media(2.0, ("",))
    two = tmp_path / "two.mkv"
    with av.open(str(two), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in "ab"]
        for stream, language in zip(streams, ("por", "und"), strict=True):
            stream.metadata["language"] = language
        silence = np.zeros((1, 16_000), np.int16)
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
            frame.rate, frame.pts = 16_000, 0
            container.mux(stream.encode(frame))
    assert opening.describe(two).languages == ("por", "")


@pytest.mark.parametrize("content", [b"# Notes\n" * 10_000, b"\0" * 100_000])
def test_a_name_makes_no_recording(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes.mp3").write_bytes(content)
    with pytest.raises(AudioError, match="cannot be decoded"):
        opening.describe(tmp_path / "notes.mp3")
