"""Files with several sound tracks: which of them is heard."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from helpers import write_tracks

from transcrevai_core.audio import decode, tracks
from transcrevai_core.audio.opening import sound_tracks
from transcrevai_core.codes import Note
from transcrevai_core.errors import AudioError
from transcrevai_core.types import AudioInfo, Region

SILENCE = np.zeros(160_000, np.int16)


def heard(
    path: Path, speech: Sequence[float | None], asked: int | None = None
) -> tuple[AudioInfo, list[Region], list[int]]:
    """Hear a file whose tracks hold so many seconds of speech, None of one that is refused."""
    listened: list[int] = []

    def listen(number: int) -> tracks.Heard:
        listened.append(number)
        seconds = speech[number - 1]
        if seconds is None:
            raise AudioError("The sound of {name} cannot be decoded.", name=path.name)
        return AudioInfo(600.0, str(number)), [Region(0.0, seconds)] if seconds else []

    info, regions = tracks.hear(path, asked, listen)
    assert listened[-1] == int(info.digest)  # its sound is the one that was left
    return info, regions, listened


@pytest.mark.parametrize(
    ("speech", "taken", "listened"),
    [
        ([300.0, 400.0], 1, [1]),
        ([0.0, 300.0], 2, [1, 2]),
        ([0.0, 0.0, 300.0], 3, [1, 2, 3]),
        ([0.0, 0.0], 1, [1, 2, 1]),
        ([5.0, 8.0], 1, [1, 2, 1]),  # the default one, unless another has far more
        ([0.5, 8.0, 3.0], 2, [1, 2, 3, 2]),
        ([None, 300.0], 2, [1, 2]),
        ([2.0, None], 1, [1, 2, 1]),
    ],
)
def test_the_default_track_is_heard_unless_another_one_holds_the_speech(
    speech: list[float | None], taken: int, listened: list[int], tmp_path: Path
) -> None:
    path = write_tracks(tmp_path / "a.mkv", [SILENCE] * len(speech))
    info, regions, tried = heard(path, speech)
    assert (info.digest, tried) == (str(taken), listened)
    assert info.notes == (Note.TRACK(number=taken, all=len(speech)),)
    assert sum(region.duration for region in regions) == (speech[taken - 1] or 0.0)
    assert Note.NO_TRACK(all=len(speech)) in info.doubts


def test_the_track_that_was_asked_for_is_heard_alone(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "a.mkv", [SILENCE] * 3)
    info, _, tried = heard(path, [300.0, 0.0, 300.0], asked=2)
    assert tried == [2]
    assert info.notes == (Note.TRACK(number=2, all=3),)
    assert info.doubts == (Note.OTHER_TRACKS(all=3),)


def test_a_single_track_is_no_choice(tmp_path: Path) -> None:
    info, _, tried = heard(write_tracks(tmp_path / "a.mkv", [SILENCE]), [0.0])
    assert tried == [1] and info.notes == info.doubts == ()


def test_the_track_that_the_file_calls_its_default_comes_first(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "a.mkv", [SILENCE] * 3, default=2)
    assert sound_tracks(path) == [2, 1, 3]
    with av.open(str(path)) as container:
        assert container.streams.audio[1].disposition & Disposition.default


def test_where_no_track_can_be_decoded_the_first_says_why(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "a.mkv", [SILENCE] * 2)
    with pytest.raises(AudioError, match="cannot be decoded"):
        heard(path, [None, None])


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(1, "it has one alone; the setting track=1 would be right"), (2, "a track from 1 to 2 would")],
)
def test_a_track_that_is_not_there_is_refused(number: int, sentence: str, tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "a.mkv", [SILENCE] * number)
    with pytest.raises(AudioError, match=sentence):
        decode.decode(path, tmp_path / "out.wav", track=3)


def test_each_track_is_decoded_by_its_number(tmp_path: Path) -> None:
    tones: list[Any] = [SILENCE + level for level in (1_000, 2_000)]
    path = write_tracks(tmp_path / "a.mkv", tones)
    digests = {decode.decode(path, tmp_path / "out.wav", track=n).digest for n in (1, 2)}
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("level", "code"), [(0, Note.SILENT), (20, Note.QUIET), (20_000, Note.LOUD)]
)
def test_how_loud_a_recording_is_may_be_why_no_speech_is_found(
    level: int, code: Note, tmp_path: Path
) -> None:
    path = write_tracks(tmp_path / "a.mkv", [SILENCE + level])
    (doubt,) = decode.decode(path, tmp_path / "out.wav").doubts
    assert doubt.code is code
    if level:
        assert doubt.values["peak"] == pytest.approx(20 * np.log10(level / 32768))
