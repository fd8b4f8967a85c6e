from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from transcrevai_core.audio import decode as audio
from transcrevai_core.audio import pcm
from transcrevai_core.errors import AudioError
from transcrevai_core.types import AudioInfo


def all_samples(wav: Path) -> NDArray[Any]:
    return np.round(np.concatenate([*pcm.blocks(wav, 10)]) * 32768).astype(np.int16)


def decode(source: Path, tmp_path: Path) -> tuple[AudioInfo, NDArray[Any]]:
    return audio.decode(source, tmp_path / "out.wav"), all_samples(tmp_path / "out.wav")


def main_frequency(pcm: Any) -> float:
    spectrum = np.abs(np.fft.rfft(pcm[4000:12000].astype(float)))
    return int(np.argmax(spectrum)) * 16_000 / 8_000


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a.wav", {}),
        ("a.mp3", {"codec": "mp3", "sample_format": "s16p", "rate": 44_100}),
        ("a.m4a", {"codec": "aac", "sample_format": "fltp", "rate": 44_100}),
        ("a.mp4", {"codec": "aac", "sample_format": "fltp", "rate": 48_000, "layout": "stereo"}),
        ("a.ogg", {"codec": "libopus", "rate": 48_000, "layout": "stereo"}),
        ("a.opus", {"codec": "libopus", "rate": 48_000}),
        ("a.flac", {"codec": "flac", "rate": 44_100, "layout": "stereo"}),
        ("a.webm", {"codec": "libopus", "rate": 48_000}),
        ("a.mkv", {"codec": "libopus", "rate": 48_000}),
        ("a.mov", {"codec": "aac", "sample_format": "fltp", "rate": 44_100}),
        ("8khz.wav", {"rate": 8_000}),
        ("192khz.wav", {"rate": 192_000}),
        ("24bit.wav", {"codec": "pcm_s24le", "sample_format": "s32", "rate": 48_000}),
        ("8channels.wav", {"layout": "7.1", "rate": 48_000}),
        (
            "6channels.m4a",
            {"codec": "aac", "sample_format": "fltp", "rate": 48_000, "layout": "5.1"},
        ),
        ("24bit.flac", {"codec": "flac", "sample_format": "s32", "layout": "stereo"}),
        ("8bit.mkv", {"codec": "pcm_u8", "sample_format": "u8", "layout": "stereo"}),
        ("double.mkv", {"codec": "pcm_f64le", "sample_format": "dbl", "layout": "stereo"}),
        ("pasta com espaço/reunião de março.wav", {}),
    ],
)
def test_every_kind_of_recording_becomes_16_khz_mono(
    name: str, settings: dict[str, Any], make_sound: Callable[..., Path], tmp_path: Path
) -> None:
    info, pcm = decode(make_sound(name, **settings), tmp_path)
    assert info.duration == pytest.approx(1.0, abs=0.1)  # lossy codecs pad their ends
    assert len(pcm) == round(info.duration * 16_000)
    assert main_frequency(pcm) == pytest.approx(440, abs=4)


def test_pcm_is_kept_sample_by_sample_and_its_digest_is_of_the_content(
    make_sound: Callable[..., Path], tmp_path: Path
) -> None:
    info, pcm = decode(make_sound("one.wav"), tmp_path)
    expected = np.round(0.5 * 32767 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000))
    assert np.array_equal(pcm, expected.astype(np.int16))
    lossless, _ = decode(make_sound("one.flac", codec="flac"), tmp_path)
    other, _ = decode(make_sound("two.wav", hertz=441), tmp_path)
    assert info.digest == lossless.digest != other.digest


def test_read_gives_the_asked_stretch_in_minus_one_to_one(
    make_sound: Callable[..., Path], tmp_path: Path
) -> None:
    _, whole = decode(make_sound(), tmp_path)
    samples = pcm.read(tmp_path / "out.wav", 0.25, 0.75)
    assert samples.dtype == np.float32
    assert np.array_equal(samples * 32768, whole[4_000:12_000])
    assert len(pcm.read(tmp_path / "out.wav", 0.5, 9)) == 8_000
    assert len(pcm.read(tmp_path / "out.wav", 3, 9)) == 0
    assert 0.49 < np.abs(samples).max() <= 0.51


def test_progress_rises_to_one(make_sound: Callable[..., Path], tmp_path: Path) -> None:
    seen: list[Any] = []
    audio.decode(make_sound(seconds=35), tmp_path / "o.wav", on_progress=seen.append)
    assert len(seen) >= 3
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)


def test_the_sound_of_a_video_is_taken(make_sound: Callable[..., Path], tmp_path: Path) -> None:
    info, _ = decode(make_video(tmp_path / "talk.mp4", sound=True), tmp_path)
    assert info.duration == pytest.approx(1.0, abs=0.1)


def test_a_title_that_is_not_utf_8_does_no_harm(
    make_sound: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_sound()
    title = "Reunião de março\0\0".encode("latin-1")
    info = b"INFOINAM" + len(title).to_bytes(4, "little") + title
    data = source.read_bytes() + b"LIST" + len(info).to_bytes(4, "little") + info
    source.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    found, _ = decode(source, tmp_path)
    assert found.duration == 1.0


def test_recordings_that_were_joined_are_read_to_the_end(
    make_sound: Callable[..., Path], tmp_path: Path
) -> None:
    kind = {"codec": "mp3", "sample_format": "s16p"}
    first = make_sound("a.mp3", **kind, rate=44_100, layout="stereo", seconds=5)
    second = make_sound("b.mp3", **kind, rate=44_100, layout="mono", seconds=5)
    first.write_bytes(first.read_bytes() + second.read_bytes())
    info, pcm = decode(first, tmp_path)
    assert info.duration == pytest.approx(10, abs=0.3)
    assert info.notes == ()
    assert main_frequency(pcm[-16_000:]) == pytest.approx(440, abs=4)


def test_times_are_those_of_the_file_where_sound_begins_late_or_has_a_hole(tmp_path: Path) -> None:
    """Half a second of silence in a second of video, a tone, a hole of two seconds, a tone."""
    tone = np.round(9_000 * np.sin(2 * np.pi * 440 * np.arange(960) / 48_000)).astype(np.int16)
    with av.open(str(tmp_path / "late.mkv"), "w") as container:
        video = container.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        sound = container.add_stream("libopus", rate=48_000, layout="mono", format="s16")
        for _ in range(50):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(video.encode(frame))
        for begin in (0.5, 3.5):
            for number in range(50):
                piece = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
                piece.rate, piece.time_base = 48_000, Fraction(1, 48_000)
                piece.pts = round(begin * 48_000) + number * 960
                container.mux(sound.encode(piece))
        container.mux(sound.encode(None))
        container.mux(video.encode(None))
    info, pcm = decode(tmp_path / "late.mkv", tmp_path)
    loud = [np.abs(pcm[i : i + 1600]).max() > 3_000 for i in range(0, len(pcm) - 1600, 1600)]
    assert info.duration == pytest.approx(4.5, abs=0.15)
    assert loud[7:13] == [True] * 6 and loud[37:43] == [True] * 6
    assert not any(loud[:4]) and not any(loud[17:33])


def test_a_truncated_wav_is_kept_as_far_as_it_goes(
    make_sound: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_sound(seconds=4)
    source.write_bytes(source.read_bytes()[:64_000])
    info, _ = decode(source, tmp_path)
    assert info.duration == pytest.approx(2.0, abs=0.01)


def test_a_recording_damaged_in_the_middle_is_kept_around_the_damage(
    make_sound: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_sound("a.mp3", codec="mp3", sample_format="s16p", rate=44_100, seconds=20)
    data = bytearray(source.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2_000] = bytes(2_000)
    source.write_bytes(data)
    info, _ = decode(source, tmp_path)
    assert 15 < info.duration < 21


def unreadable(kind: str, tmp_path: Path, make_sound: Callable[..., Path]) -> Path:
    path = tmp_path / f"{kind}.wav"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("Ata da reunião de segunda-feira.\n" * 50, encoding="utf-8")
    elif kind == "zero seconds":
        path = make_sound("zero.wav", seconds=0.0)
    elif kind == "silent video":
        path = make_video(tmp_path / "mute.mp4", sound=False)
    elif kind == "truncated mp4":
        path = make_sound("a.mp4", codec="aac", sample_format="fltp", rate=44_100, seconds=5)
        path.write_bytes(path.read_bytes()[:3_000])
    elif kind == "directory":
        path = tmp_path
    return path


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("empty", r"is empty \(0 bytes\)"),
        ("text", r"is not a recording that can be read; audio or"),
        ("zero seconds", r"holds no sound: it is 0 seconds long|is not a recording"),
        ("silent video", r"has no sound track"),
        ("truncated mp4", r"cannot be read: it breaks off, or its index is missing"),
        ("directory", r"is not a file"),
        ("missing", r"There is no file"),
    ],
)
def test_what_holds_no_sound_gets_one_sentence(
    kind: str, sentence: str, tmp_path: Path, make_sound: Callable[..., Path]
) -> None:
    with pytest.raises(AudioError, match=sentence) as caught:
        decode(unreadable(kind, tmp_path, make_sound), tmp_path)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.wav").exists()
    assert not list(tmp_path.glob("*.part"))


def make_video(path: Path, *, sound: Any) -> Path:
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        tone = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if tone:
            for _ in range(16):
                piece = av.AudioFrame.from_ndarray(
                    np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
                )
                piece.rate = 16_000
                container.mux(tone.encode(piece))
            container.mux(tone.encode(None))
    return path
