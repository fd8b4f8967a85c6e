"""What a stretch of sound looks like: known tones, nothing at all, and what is said of them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import write_wav

from transcrevai_core import i18n
from transcrevai_core.audio import acoustics
from transcrevai_core.audio.acoustics import Sound
from transcrevai_core.figures import acoustics as acoustic_figures

SECONDS = np.arange(4 * 16_000) / 16_000


def voice(hertz: float, seconds: np.ndarray = SECONDS) -> Any:
    """A buzz of ten harmonics."""
    return sum(0.3 / n * np.sin(2 * np.pi * n * hertz * seconds) for n in range(1, 11))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    """Two seconds of a voice of 120 Hz, one of silence, one of 240 Hz; looked at from 0.5 s on."""
    samples = np.where(SECONDS < 2, voice(120), np.where(SECONDS < 3, 0.0, voice(240)))
    wav = write_wav(tmp_path_factory.mktemp("acoustics") / "audio.wav", samples)
    return acoustics.measure(wav, 0.5, 4.0)


def about(sound: Sound, start: float, end: float, values: list[Any]) -> list[Any]:
    return [v for t, v in zip(sound.times, values, strict=True) if start < t < end]


def test_pitch_is_found_where_there_is_a_voice(sound: Sound) -> None:
    assert about(sound, 0.6, 1.9, sound.pitch) == pytest.approx([120] * 129, rel=0.02)
    assert set(about(sound, 2.1, 2.9, sound.pitch)) == {None}
    assert about(sound, 3.1, 3.9, sound.pitch) == pytest.approx([240] * 79, rel=0.02)


def test_levels_are_in_decibels(sound: Sound) -> None:
    assert len(sound.level) == len(sound.hertz) == 64
    assert {len(row) for row in sound.level} == {len(sound.pitch)} == {351}
    assert len(sound.peak) == len(sound.loudness) == 351
    every = [level for row in sound.level for level in row]
    assert max(every) == 0 and min(every) == acoustics.QUIETEST
    middle = [row[about(sound, 0, 9, list(range(351)))[100]] for row in sound.level]
    assert sound.hertz[middle.index(max(middle))] == pytest.approx(120, abs=25)
    # a sine of amplitude 0.3 has -13.5 dB, and its harmonics add 1.9
    assert about(sound, 0.6, 1.9, sound.loudness)[0] == pytest.approx(-11.6, abs=0.5)
    assert max(about(sound, 2.1, 2.9, sound.peak)) == 0


def test_a_long_stretch_has_fewer_columns_and_a_short_one_is_enough(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "audio.wav", voice(120, np.arange(8 * 16_000) / 16_000))
    found = acoustics.measure(wav, 0.0, 8.0)
    assert found.step == 0.02 and len(found.pitch) == len(found.peak) == 401
    assert found.times[-1] == 8.0
    silent = acoustics.measure(write_wav(tmp_path / "b.wav", np.zeros(100)), 0.0, 1.0)
    assert set(silent.pitch) == {None} and max(silent.peak) == 0
    assert "No pitch was found" in acoustic_figures.summary(silent)
    assert len(acoustic_figures.draw(silent).data) == 3


def test_what_was_measured_is_kept_as_it_was(sound: Sound) -> None:
    assert acoustics.read_json(sound.as_json()) == sound
    for broken in (b"", b"[]", b'{"start": 1}'):
        with pytest.raises((ValueError, KeyError, TypeError)):
            acoustics.read_json(broken)


def test_the_picture_has_titles_units_and_one_axis_of_time(sound: Sound) -> None:
    figure = acoustic_figures.draw(sound, "#123456", "#654321")
    assert [note.text for note in figure.layout.annotations] == [
        "<b>Pitch</b>", "<b>Spectrogram</b>", "<b>Waveform</b>",
    ]  # fmt: skip
    assert tuple(figure.layout.xaxis.range) == (0.5, 4.0)
    assert figure.layout.xaxis.title.text == "Seconds of the recording"
    assert figure.layout.yaxis.ticksuffix == " Hz"
    assert figure.layout.yaxis2.ticktext == ("250 Hz", "500 Hz", "1,000 Hz", "2,000 Hz", "4,000 Hz")
    curve, heat, wave = figure.data
    assert list(curve.x) == list(heat.x) == sound.times and None in curve.y
    assert heat.colorbar.ticksuffix == " dB" and len(set(heat.y)) == 64
    assert {note.font.color for note in figure.layout.annotations} == {"#123456"}
    assert curve.line.color == wave.fillcolor == "#654321"


def test_what_the_picture_shows_is_said(sound: Sound, monkeypatch: pytest.MonkeyPatch) -> None:
    said = acoustic_figures.summary(sound)
    assert "% of the stretch" in said and "-1" in said and "dB of full scale" in said
    head, rows = acoustic_figures.numbers(sound)
    assert len(head) == 4 and len(rows) == 12 and {len(row) for row in rows} == {4}
    assert rows[0][0] == "0.5" and int(rows[0][2]) == pytest.approx(120, abs=3)
    assert any(row[2] == "" for row in rows)  # silence
    monkeypatch.setattr(i18n, "language", lambda: "pt_BR")
    assert "altura da voz" in acoustic_figures.summary(sound)


def test_neither_types_nor_pictures_bring_librosa() -> None:
    code = (
        "import sys; from transcrevai_core.audio import acoustics; "
        "from transcrevai_core.figures import acoustics as f; "
        "f.draw(acoustics.Sound(0.0, 0.01, 0.01, [100.0], [[0]], [0.1], [-9.0], [None])); "
        "assert not {'librosa', 'numba', 'sklearn', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
