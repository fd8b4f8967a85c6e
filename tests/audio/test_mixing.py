"""Voices on any channels of a recording, and what the mix leaves of them."""

import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from transcrevai_core import demo
from transcrevai_core.audio import decode as audio
from transcrevai_core.audio import pcm
from transcrevai_core.codes import Note
from transcrevai_core.types import AudioInfo

Sound = NDArray[Any]
RATE = 16_000


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    """Twenty seconds of a sample, float32."""
    path = tmp_path_factory.mktemp("voice") / "voice.wav"
    audio.decode(demo.sample_path("en"), path)
    return pcm.read(path, 0, 20)


def noise(voice: Sound, decibels: float, seed: int = 0) -> Sound:
    return np.random.default_rng(seed).standard_normal(len(voice)) * 10 ** (decibels / 20)


def mixed(
    channels: Sequence[Sound], tmp_path: Path, **asked: Any
) -> tuple[AudioInfo, NDArray[np.float32]]:
    """Return what becomes of a WAV file with these channels, whose layout it does not tell."""
    sound = np.round(np.clip(np.stack(channels, axis=1), -1, 1) * 32767).astype("<i2")
    with wave.open(str(tmp_path / "in.wav"), "wb") as wav:
        wav.setparams((len(channels), 2, RATE, 0, "NONE", ""))
        wav.writeframes(sound.tobytes())
    info = audio.decode(tmp_path / "in.wav", tmp_path / "out.wav", **asked)
    return info, pcm.read(tmp_path / "out.wav", 0, info.duration)


def kept(mix: Sound, voice: Sound) -> tuple[float, float]:
    """Return how much of a voice is in a mix (1: all), and how far the rest lies below, in dB."""
    gain = float(np.dot(mix, voice) / np.dot(voice, voice))
    rest = mix - gain * voice
    signal = np.sum((gain * voice) ** 2)
    return gain, float(10 * np.log10(signal / (np.sum(rest**2) + 1e-9)))


@pytest.mark.parametrize("number", [2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 23, 32, 64])
def test_a_voice_on_one_of_any_number_of_channels_keeps_its_level(
    number: int, voice: Sound, tmp_path: Path
) -> None:
    silent = [np.zeros_like(voice)] * (number - 1)
    for channels in ([*silent, voice], [voice, *silent]):
        info, mix = mixed(channels, tmp_path)
        assert info.duration == 20
        assert np.abs(mix - voice).max() < 1e-3


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("inverted", (1.0, -1.0)),
        ("inverted, one quieter", (1.0, -0.3)),
        ("inverted, the other quieter", (-0.8, 1.0)),
        ("inverted amid others", (0.0, 1.0, 0.0, -1.0)),
    ],
)
def test_channels_that_are_each_others_opposite_do_not_cancel(
    name: str, factors: tuple[float, ...], voice: Sound, tmp_path: Path
) -> None:
    info, mix = mixed([factor * voice for factor in factors], tmp_path)
    gain, below = kept(mix, voice)
    assert abs(gain) > 0.79 and below > 40
    assert Note.OPPOSED in {note.code for note in info.doubts}


def test_channels_that_oppose_each_other_now_and_then_do_not_cancel(
    voice: Sound, tmp_path: Path
) -> None:
    turned = np.where(np.arange(len(voice)) // (3 * RATE) % 2, -1.0, 1.0)
    _, mix = mixed([voice, turned * voice], tmp_path)
    assert kept(mix, voice)[0] > 0.98
    for second in range(20):
        part = slice(second * RATE, (second + 1) * RATE)
        if np.sqrt(np.mean(voice[part] ** 2)) > 0.02:
            assert kept(mix[part], voice[part])[0] > 0.85, second


def test_opposite_voices_below_what_both_channels_share_do_not_cancel(
    voice: Sound, tmp_path: Path
) -> None:
    hum = 0.2 * np.sin(2 * np.pi * 60 * np.arange(len(voice)) / RATE)
    _, mix = mixed([0.5 * voice + hum, -0.5 * voice + hum], tmp_path)
    assert kept(mix, 0.5 * voice)[0] > 0.9


@pytest.mark.parametrize("decibels", [-60, -45])
def test_hiss_of_dozens_of_channels_does_not_bury_a_voice(
    decibels: float, voice: Sound, tmp_path: Path
) -> None:
    hiss = [noise(voice, decibels, seed) for seed in range(31)]
    gain, below = kept(mixed([*hiss, voice], tmp_path)[1], voice)
    assert gain > 0.8 and below > 20


def test_steady_noise_on_one_channel_does_not_bury_a_voice_on_another(
    voice: Sound, tmp_path: Path
) -> None:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(len(voice)) / RATE)
    assert kept(mixed([noise(voice, -20), voice], tmp_path)[1], voice)[1] > 10
    assert kept(mixed([tone, voice], tmp_path)[1], voice)[1] > 0
    assert kept((tone + voice) / 2, voice)[1] < -8  # as an average would be


def test_two_voices_on_two_channels_are_both_heard(voice: Sound, tmp_path: Path) -> None:
    first = np.where(np.arange(len(voice)) // (5 * RATE) % 2, 0.0, 1.0) * voice
    _, mix = mixed([first + noise(voice, -60), voice - first + noise(voice, -60, 1)], tmp_path)
    assert kept(mix, first)[0] > 0.4 and kept(mix, voice - first)[0] > 0.4


def test_equal_channels_are_averaged_and_change_no_sample(voice: Sound, tmp_path: Path) -> None:
    info, _ = mixed([voice, voice], tmp_path)
    alone, _ = mixed([voice], tmp_path)
    assert info.digest == alone.digest
    assert Note.OPPOSED not in {note.code for note in info.doubts}


@pytest.mark.parametrize(
    ("codec", "layout"),
    [("aac", "7.1"), ("libopus", "8 channels"), ("libopus", "9 channels"), ("flac", "7.1")],
)
def test_a_voice_on_the_last_of_many_planes_is_heard(
    codec: str, layout: str, voice: Sound, tmp_path: Path
) -> None:
    """Lossy codecs hand each channel out by itself, and more than eight in another place."""
    path, number = tmp_path / "many.mka", av.AudioLayout(layout).nb_channels
    sound = np.zeros((len(voice), number), np.int16)
    sound[:, -1] = np.round(voice * 32767)
    options = {"mapping_family": "255"} if codec == "libopus" else {}
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=RATE, options=options, layout=layout)
        kind = "fltp" if codec == "aac" else "s16"
        stream.format = kind
        resampler = av.AudioResampler(kind, layout, RATE)
        for start in range(0, len(sound), 320):
            piece = np.ascontiguousarray(sound[start : start + 320]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout=layout)
            frame.rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            for ready in resampler.resample(frame) if codec == "aac" else [frame]:
                container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    info = audio.decode(path, tmp_path / "out.wav")
    mix = pcm.read(tmp_path / "out.wav", 0, info.duration)[: len(voice)]
    level = np.sqrt(np.mean(mix**2) / np.mean(voice**2))
    assert level == pytest.approx(1.0, abs=0.2)


def test_each_channel_can_be_had_alone(voice: Sound, tmp_path: Path) -> None:
    channels = [noise(voice, -30, seed) for seed in range(10)] + [voice]
    _, alone = mixed(channels, tmp_path, channel=10)
    assert np.abs(alone - voice).max() < 1e-3
    assert audio.count_channels(tmp_path / "in.wav") == 11


def test_dialogue_in_the_centre_stays_while_effects_rumble(voice: Sound) -> None:
    from transcrevai_core.audio.mixing import Mixer

    rumble = 0.5 * np.sin(2 * np.pi * 40 * np.arange(len(voice)) / RATE)
    around = [noise(voice, -30, seed) for seed in range(4)]
    channels = np.stack([*around[:2], voice, rumble, *around[2:]]).astype(np.float32)
    mixer = Mixer(RATE, ["FL", "FR", "FC", "LFE", "BL", "BR"])
    gain, below = kept(np.concatenate([mixer.mix(channels), mixer.flush()]), voice)
    assert gain > 0.8 and below > 15


def test_what_is_mixed_does_not_depend_on_the_stretches_that_come(voice: Sound) -> None:
    from transcrevai_core.audio.mixing import Mixer

    channels = np.stack([voice, np.roll(voice, RATE)]).astype(np.float32)
    whole, parts = Mixer(RATE, ["", ""]), Mixer(RATE, ["", ""])
    at_once = np.concatenate([whole.mix(channels), whole.flush()])
    cuts = np.split(channels, [1, 700, 5_000, 123_457], axis=1)
    in_parts = np.concatenate([*(parts.mix(cut) for cut in cuts), parts.flush()])
    assert len(at_once) == len(voice)
    assert np.allclose(at_once, in_parts, atol=1e-6)
