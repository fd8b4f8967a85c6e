"""Jobs on recordings whose speech is not where it is looked for first."""

import wave
from pathlib import Path

import numpy as np
import pytest
from helpers import run_cli, write_tracks

from transcrevai_core import transcribe, wer
from transcrevai_core.codes import Note
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.types import Transcript

pytestmark = pytest.mark.slow


def samples_of(recording: Path) -> np.ndarray:
    with wave.open(str(recording)) as wav:
        return np.frombuffer(wav.readframes(wav.getnframes()), np.int16)


def codes(transcript: Transcript) -> list[object]:
    return [note.code for note in transcript.notes]


@pytest.fixture
def two_tracks(short_recording: Path, tmp_path: Path) -> Path:
    """Game sound by itself, then a microphone, as screen recorders write them."""
    speech = samples_of(short_recording)
    return write_tracks(tmp_path / "two.mkv", [np.zeros_like(speech), speech])


def test_speech_on_the_second_track_is_found(two_tracks: Path, short_recording: Path) -> None:
    alone = transcribe(short_recording, model="demo", language="pt", diarize=False)
    found = transcribe(two_tracks, model="demo", language="pt", diarize=False)
    assert found.text == alone.text and found.digest == alone.digest
    assert Note.TRACK(number=2, all=2) in found.notes


def test_a_track_that_was_asked_for_is_taken_as_it_is(two_tracks: Path) -> None:
    found = transcribe(two_tracks, model="demo", diarize=False, track=1)
    assert found.segments == ()
    wanted = [Note.TRACK, Note.NO_SPEECH, Note.SILENT, Note.OTHER_TRACKS]
    assert [code for code in codes(found) if code in wanted] == wanted
    with pytest.raises(TranscrevaiError, match="a track from 1 to 2 would be right"):
        transcribe(two_tracks, model="demo", track=3)


def test_the_command_line_chooses_a_track(two_tracks: Path, tmp_path: Path) -> None:
    options = ["--model=demo", "--language=pt", "--no_diarize", f"--output_dir={tmp_path}"]
    done = run_cli("transcribe", str(two_tracks), "--track=2", *options)
    assert done.returncode == 0, done.stderr
    assert "The file has 2 sound tracks; number 2 was taken." in " ".join(done.stderr.split())
    assert (tmp_path / "two.txt").read_text().strip()


@pytest.mark.parametrize("number", [2, 11])
def test_channels_as_speakers_are_those_of_the_track_that_was_heard(
    number: int, short_recording: Path, tmp_path: Path
) -> None:
    """The voice is on the last channel alone, or on two that are each other's opposite."""
    speech = samples_of(short_recording)
    channels = np.zeros((len(speech), number), np.int16)
    channels[:, -1] = speech
    if number == 2:
        channels[:, 0] = -speech
    path = write_tracks(tmp_path / "two.mkv", [np.zeros_like(channels), channels])
    found = transcribe(path, model="demo", language="pt", channels="speakers")
    alone = transcribe(short_recording, model="demo", language="pt", diarize=False)
    assert wer(alone.text, found.text) <= 0.1
    assert Note.TRACK(number=2, all=2) in found.notes and found.turns
    speaker = "SPEAKER_00" if number == 2 else f"SPEAKER_{number - 1:02d}"
    assert {turn.speaker for turn in found.turns} == {speaker}


def test_a_recording_without_speech_says_what_may_be_the_reason(tmp_path: Path) -> None:
    quiet = np.random.default_rng(1).normal(0, 3, 20 * 16_000).astype(np.int16)
    path = write_tracks(tmp_path / "quiet.mkv", [quiet])
    found = transcribe(path, model="demo", diarize=False)
    assert found.segments == ()
    assert [code for code in codes(found) if code is not Note.DEMO] == [Note.NO_SPEECH, Note.QUIET]


def test_sound_that_is_missing_is_a_note_of_the_transcript(
    short_recording: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(short_recording.read_bytes()[: 32_000 * 12])
    found = transcribe(path, model="demo", language="pt", diarize=False)
    (note,) = (note for note in found.notes if note.code is Note.CUT)
    assert str(note) == (
        "Only 12 s of the 20 s that the file states could be read; the rest is missing."
    )
