import numpy as np
import pytest
from numpy.typing import NDArray

from transcrevai_core import demo
from transcrevai_core.audio import decode, pcm, vad
from transcrevai_core.audio.speech import find_regions

BLOCK = 512 * vad.FRAME


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float32]:
    wav = tmp_path_factory.mktemp("vad") / "pt.wav"
    decode.decode(demo.sample_path("pt"), wav)
    return pcm.read(wav, 0, 44.8)


def probabilities(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    blocks = [samples[i : i + BLOCK] for i in range(0, len(samples), BLOCK)]
    return np.concatenate([*vad.speech_probabilities(blocks)])


def seconds(samples: NDArray[np.float32]) -> float:
    return sum(region.duration for region in find_regions([probabilities(samples)]))


def test_what_the_network_hears_at_its_level_is_heard_here(speech: NDArray[np.float32]) -> None:
    from faster_whisper.vad import get_vad_model

    loud = speech * (0.5 / np.abs(speech).max())
    theirs = get_vad_model()(loud).reshape(-1)
    ours = probabilities(loud)
    assert len(ours) == len(theirs) == 1400
    sure = theirs > 0.5
    assert (ours[sure] > 0.4).mean() > 0.99


def test_quiet_speech_and_one_who_is_far_away_are_found(speech: NDArray[np.float32]) -> None:
    found = seconds(speech)
    quiet = np.round(speech * 0.001 / np.abs(speech).max() * 32768) / 32768  # a peak of -60 dB
    assert seconds(quiet.astype(np.float32)) > 0.9 * found
    far = np.concatenate([speech[: 16 * 16_000], 0.03 * speech[: 16 * 16_000]])
    assert seconds(far) > 1.9 * seconds(speech[: 16 * 16_000])


def test_silence_and_noise_stay_empty() -> None:
    chance = np.random.default_rng(1)
    hiss = chance.normal(0, 0.05, 40 * 16_000).astype(np.float32)
    hum = 0.3 * np.sin(2 * np.pi * 50 * np.arange(40 * 16_000) / 16_000).astype(np.float32)
    for sound in (hiss, hiss * 0.01, hum, np.zeros(40 * 16_000, np.float32)):
        assert seconds(sound) == 0


class Deaf:
    """Stands for the network: what it remembers of a block's beginning makes it deaf to the end."""

    def __init__(self) -> None:
        self.heard = 0

    def run(
        self, _: None, inputs: dict[str, NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        sound, h, c = inputs["input"], inputs["h"], inputs["c"]
        self.heard += len(sound)
        first = round(float(h[0, 0, 0]))
        place = first + np.arange(len(sound))
        deaf = place > 100
        answer = np.where(deaf, 0.0, 0.9) * (np.abs(sound).max(axis=1) > 0.01)
        return answer.astype(np.float32), h + len(sound), c


def test_what_a_state_made_it_deaf_to_is_heard_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    from faster_whisper import vad as theirs

    class Model:
        session = Deaf()

    monkeypatch.setattr(theirs, "get_vad_model", Model)
    sound = np.full(2 * BLOCK, 0.4, np.float32)
    found = probabilities(sound)
    assert len(found) == 1024
    assert (found > 0.4).mean() > 0.5  # 101 of 1024 frames at the first hearing


def test_a_last_block_of_few_frames_is_no_fault(speech: NDArray[np.float32]) -> None:
    assert len(probabilities(speech[: BLOCK + 700])) == 514
