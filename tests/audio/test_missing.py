"""Recordings of which something is missing: how much, where, and whether times stay true."""

import wave
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from transcrevai_core.audio import decode as audio
from transcrevai_core.audio import pcm
from transcrevai_core.audio.clock import Clock
from transcrevai_core.codes import Note
from transcrevai_core.types import AudioInfo

MakeSound = Callable[..., Path]
MP3 = {"codec": "mp3", "sample_format": "s16p", "rate": 44_100}
AAC = {"codec": "aac", "sample_format": "fltp", "rate": 44_100}
OPUS = {"codec": "libopus", "rate": 48_000}
SECONDS = 20


def decoded(source: Path) -> AudioInfo:
    return audio.decode(source, source.with_name("out.wav"))


def codes(info: AudioInfo) -> list[Any]:
    return [note.code for note in info.notes]


def cut(path: Path, start: float, end: float, between: bytes | None = b"") -> Path:
    """Take the bytes between two shares of a file out; None puts zeros in their place."""
    data = path.read_bytes()
    first, last = round(start * len(data)), round(end * len(data))
    path.write_bytes(data[:first] + (bytes(last - first) if between is None else between))
    with path.open("ab") as file:
        file.write(data[last:])
    return path


def stamped(
    path: Path,
    stretches: Iterable[tuple[float, float]],
    options: dict[str, str] | None = None,
    wrong: Callable[[float], float] = lambda time: time,
    video: float = 0.0,
) -> Path:
    """Write a tone in stretches (start, seconds), each packet stamped with its own time."""
    tone = np.round(9_000 * np.sin(2 * np.pi * 440 * np.arange(960) / 48_000)).astype(np.int16)
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono", format="s16")
        film: Any = None
        if video:
            film = container.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        for start, seconds in stretches:
            for number in range(round(seconds * 50)):
                piece = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
                piece.rate, piece.time_base = 48_000, Fraction(1, 48_000)
                piece.pts = round(wrong(start + number / 50) * 48_000)
                container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
        for _ in range(round(10 * video)):
            picture = np.zeros((64, 64, 3), np.uint8)
            container.mux(film.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        if film:
            container.mux(film.encode(None))
    return path


def loud(wav: Path) -> NDArray[np.bool_]:
    """Tell of each second whether it holds sound."""
    samples = np.concatenate([*pcm.blocks(wav, 10)])
    return np.array(
        [np.abs(samples[i : i + 16_000]).max() > 0.1 for i in range(0, len(samples), 16_000)]
    )


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a.wav", {}),
        ("a.flac", {"codec": "flac"}),
        ("a.mp3", MP3),
        ("a.webm", OPUS),
        ("a.mkv", OPUS),
        ("a.aiff", {"codec": "pcm_s16be"}),
        ("a.caf", {"codec": "pcm_s16be"}),
        ("a.flv", AAC),
        ("a.avi", MP3),
    ],
)
def test_a_file_that_ends_before_the_length_it_states_says_so(
    name: str, settings: dict[str, Any], make_sound: MakeSound
) -> None:
    info = decoded(cut(make_sound(name, seconds=SECONDS, **settings), 0.5, 1.0))
    assert codes(info) == [Note.CUT]
    values = info.notes[0].values
    assert values["stated"] == pytest.approx(SECONDS, abs=0.5)
    assert values["read"] == pytest.approx(info.duration) and 8 < info.duration < 12


@pytest.mark.parametrize(("name", "codec"), [("a.w64", "pcm_s16le"), ("a.wma", "wmav2")])
def test_the_length_that_other_headers_state_is_read(name: str, codec: str, tmp_path: Path) -> None:
    with av.open(str(tmp_path / name), "w") as container:
        stream: Any = container.add_stream(codec, rate=16_000, layout="mono")
        stream.bit_rate = 24_000
        resampler = av.AudioResampler(stream.format, "mono", 16_000, frame_size=1_024)
        tone = np.tile(np.arange(-500, 500, dtype=np.int16), 16 * SECONDS)
        frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
        frame.rate = 16_000
        for piece in (*resampler.resample(frame), None):
            container.mux(stream.encode(piece))
    assert decoded(tmp_path / name).notes == ()
    info = decoded(cut(tmp_path / name, 0.5, 1.0))
    assert codes(info) == [Note.CUT]
    assert info.notes[0].values["stated"] == pytest.approx(SECONDS, abs=0.2)


def test_an_index_at_the_front_states_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        for number in range(16 * SECONDS):
            tone = np.sin(np.arange(1024, dtype=np.float32) + number)[None]
            frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            frame.rate = 16_000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert codes(decoded(path)) == []
    assert codes(decoded(cut(path, 0.6, 1.0))) == [Note.CUT]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a.wav", {}),
        ("a.mp3", MP3),
        ("a.mp3", MP3 | {"layout": "stereo"}),
        ("a.m4a", AAC),
        ("a.mp4", AAC),
        ("a.mov", AAC),
        ("a.aac", AAC),
        ("a.ogg", OPUS),
        ("a.opus", OPUS),
        ("a.flac", {"codec": "flac", "rate": 44_100}),
        ("a.webm", OPUS),
        ("a.mkv", OPUS),
        ("a.ts", AAC),
        ("a.flv", AAC),
        ("a.avi", MP3),
        ("a.aiff", {"codec": "pcm_s16be"}),
        ("a.caf", {"codec": "pcm_s16be"}),
    ],
)
def test_nothing_is_missing_of_ordinary_files(
    name: str, settings: dict[str, Any], make_sound: MakeSound
) -> None:
    info = decoded(make_sound(name, seconds=SECONDS, **settings))
    assert info.notes == ()
    assert info.duration == pytest.approx(SECONDS, abs=0.2)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_a_wav_that_was_written_live_states_no_length(size: int, make_sound: MakeSound) -> None:
    path = make_sound(seconds=SECONDS)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = size.to_bytes(4, "little")
    path.write_bytes(data)
    info = decoded(cut(path, 0.5, 1.0))
    assert info.notes == () and info.duration == pytest.approx(SECONDS / 2, abs=0.1)


def test_an_mp3_without_a_count_of_its_frames_states_no_length(tmp_path: Path) -> None:
    path = tmp_path / "vbr.mp3"
    with av.open(str(path), "w", options={"write_xing": "0"}) as container:
        stream: Any = container.add_stream("mp3", rate=44_100, layout="mono")
        rng = np.random.default_rng(0)
        for number in range(38 * SECONDS):  # the bit rate of the start is not that of the rest
            level = 0.0 if number < 300 else 0.5
            tone = (level * rng.standard_normal((1, 1152))).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            frame.rate = 44_100
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert decoded(path).notes == ()


def test_what_follows_an_mp3_makes_it_no_longer(make_sound: MakeSound) -> None:
    """FFmpeg guesses a length from bit rate and size where the size is not the stated one."""
    path = make_sound("a.mp3", seconds=SECONDS, **MP3)
    path.write_bytes(path.read_bytes() + bytes(40_000))
    assert decoded(path).notes == ()


@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_an_mp3_of_a_low_rate_counts_shorter_frames(rate: int, make_sound: MakeSound) -> None:
    path = make_sound("a.mp3", seconds=SECONDS, **MP3 | {"rate": rate})
    info = decoded(cut(path, 0.5, 1.0))
    assert codes(info) == [Note.CUT]
    assert info.notes[0].values["stated"] == pytest.approx(SECONDS, abs=0.2)


def test_sound_that_is_shorter_than_its_video_is_not_cut(tmp_path: Path) -> None:
    info = decoded(stamped(tmp_path / "a.mkv", [(0, 5)], video=SECONDS))
    assert info.notes == () and info.duration == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a.mp3", MP3),
        ("a.ts", AAC),
        ("a.webm", OPUS),
        ("a.ogg", OPUS),
        ("a.flac", {"codec": "flac"}),
        ("a.ac3", {"codec": "ac3", "sample_format": "fltp", "rate": 44_100}),
    ],
)
def test_a_stretch_of_zeros_becomes_silence_and_times_stay_true(
    name: str, settings: dict[str, Any], make_sound: MakeSound
) -> None:
    path = cut(make_sound(name, seconds=SECONDS, **settings), 0.4, 0.6, None)
    info = decoded(path)
    assert info.duration == pytest.approx(SECONDS, abs=0.3)
    assert codes(info) == [Note.HOLE]
    hole = info.notes[0].values
    assert hole["start"] == pytest.approx(0.4 * SECONDS, abs=2)
    assert hole["end"] == pytest.approx(0.6 * SECONDS, abs=4)  # some lose a whole cluster
    heard = loud(path.with_name("out.wav"))
    assert heard[:6].all() and heard[-4:-1].all() and not heard[9:11].any()


@pytest.mark.parametrize("name", ["a.ts", "a.webm", "a.flac"])
def test_a_stretch_that_was_taken_out_leaves_times_true_where_stamps_tell(
    name: str, make_sound: MakeSound
) -> None:
    kinds: dict[str, dict[str, Any]] = {"a.ts": AAC, "a.webm": OPUS, "a.flac": {"codec": "flac"}}
    info = decoded(cut(make_sound(name, seconds=SECONDS, **kinds[name]), 0.4, 0.6))
    assert codes(info) == [Note.HOLE]
    assert info.duration == pytest.approx(SECONDS, abs=0.3)


def test_a_stretch_that_was_taken_out_of_an_mp3_is_told_with_how_early_times_are(
    make_sound: MakeSound,
) -> None:
    info = decoded(cut(make_sound("a.mp3", seconds=SECONDS, **MP3), 0.4, 0.6))
    assert codes(info) == [Note.CUT_NEAR]
    values = info.notes[0].values
    assert values["at"] == pytest.approx(0.4 * SECONDS, abs=0.5)
    assert values["missing"] == pytest.approx(0.2 * SECONDS, abs=0.5)


def test_damage_of_unknown_length_is_told(make_sound: MakeSound) -> None:
    info = decoded(cut(make_sound("a.aac", seconds=SECONDS, **AAC), 0.4, 0.6))
    assert codes(info) == [Note.BROKEN]
    assert info.notes[0].values["at"] == pytest.approx(0.4 * SECONDS, abs=1)


LIVE = {"live": "1"}  # as browsers record: no length is stated


def test_pauses_without_a_stated_length_become_silence(tmp_path: Path) -> None:
    path = stamped(tmp_path / "a.webm", [(0, 5), (12, 5)], LIVE)
    info = decoded(path)
    assert info.duration == pytest.approx(17, abs=0.1)
    assert codes(info) == [Note.HOLE]
    assert info.notes[0].values == pytest.approx({"start": 5, "end": 12}, abs=0.1)
    heard = loud(path.with_name("out.wav"))
    assert heard[:5].all() and not heard[6:11].any() and heard[12:17].all()


def test_many_pauses_are_one_note(tmp_path: Path) -> None:
    info = decoded(stamped(tmp_path / "a.webm", [(4 * n, 2) for n in range(6)], LIVE))
    assert codes(info) == [Note.HOLES]
    assert info.notes[0].values["number"] == 5
    assert info.notes[0].values["seconds"] == pytest.approx(10, abs=0.3)


def test_a_recording_without_a_stated_length_misses_nothing(tmp_path: Path) -> None:
    info = decoded(stamped(tmp_path / "a.webm", [(0, 5)], LIVE))
    assert info.notes == () and info.duration == pytest.approx(5, abs=0.1)


def test_stamps_that_jump_by_days_make_no_days_of_silence(tmp_path: Path) -> None:
    later = lambda time: time + (100_000 if time >= 3 else 0)  # noqa: E731
    info = decoded(stamped(tmp_path / "a.mka", [(0, 6)], LIVE, later))
    assert info.duration == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("wrong", [500.0, 3_000.0, -90.0])
def test_one_wrong_stamp_among_right_ones_moves_nothing(
    wrong: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    frames: list[Any] = [
        SimpleNamespace(time=100.0 + number, samples=16_000, sample_rate=16_000)
        for number in range(10)
    ]
    frames[5].time += wrong
    container: Any = SimpleNamespace(
        start_time=100 * av.time_base, size=0, format=SimpleNamespace(name="mpegts")
    )
    stream: Any = SimpleNamespace(index=0)
    clock = Clock(tmp_path, container, stream, None)
    monkeypatch.setattr(clock, "_frames", lambda: ((frame, 0.0) for frame in frames))
    assert [hole for hole, _ in clock] == [0.0] * 10
    assert clock.seconds == 10 and clock.holes == []


def test_recordings_that_were_joined_keep_their_holes(tmp_path: Path) -> None:
    first = stamped(tmp_path / "a.ogg", [(0, 5)])
    second = stamped(tmp_path / "b.ogg", [(0, 3), (7, 3)])
    first.write_bytes(first.read_bytes() + second.read_bytes())
    info = decoded(first)
    assert info.duration == pytest.approx(15, abs=0.3)
    assert Note.CUT not in codes(info)


def test_a_stereo_wav_is_held_against_its_own_length(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as wav:
        wav.setparams((2, 2, 8_000, 0, "NONE", ""))
        wav.writeframes(np.ones(2 * 8_000 * SECONDS, np.int16).tobytes())
    assert codes(decoded(tmp_path / "a.wav")) == []
    assert codes(decoded(cut(tmp_path / "a.wav", 0.9, 1.0))) == [Note.CUT]
