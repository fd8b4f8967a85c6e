"""Words on real speech with real weights; figures of all of it: `python -m benchmarks.words`."""

import json
import statistics
from pathlib import Path

import pytest

from benchmarks.words import start_errors
from transcrevai_core import transcribe
from transcrevai_core.evaluation.metrics import wer
from transcrevai_core.evaluation.normalisation import Policy
from transcrevai_core.types import Transcript

pytestmark = [pytest.mark.real, pytest.mark.slow]


def heard(speech: Path, name: str, model: Path, language: str | None) -> Transcript:
    (file,) = (f for f in (speech / "words").glob(f"{name}.*") if f.suffix in (".flac", ".mp3"))
    found: Transcript = transcribe(
        file, model=str(model), language=language, diarize=False, threads=1
    )
    return found


def error(speech: Path, name: str, text: str, language: str) -> float:
    reference = (speech / "words" / f"{name}.txt").read_text(encoding="utf-8")
    return wer(reference, text, Policy(numbers=language, hyphens=False))


@pytest.mark.parametrize(
    ("name", "language", "most"),
    [
        ("h_pt_repeat", "pt", 0.13),  # six times one sentence is no loop
        ("h_pt_quiet60", "pt", 0.2),  # a peak of -60 dB
        ("h_pt_tel", "pt", 0.16),  # sentences that begin softly
        ("h_pt_pauses", "pt", 0.16),
        ("pt_misc", "pt", 0.16),  # sentences that a window of 30 s skips
    ],
)
def test_no_sentence_is_lost(
    speech: Path, base_model: Path, name: str, language: str, most: float
) -> None:
    found = heard(speech, name, base_model, language)
    assert error(speech, name, found.text, language) <= most
    assert all(s.end - s.start <= 12.5 and len(s.text) <= 201 for s in found.segments)


def test_fast_speech_is_whole_and_its_words_are_in_time(speech: Path, base_model: Path) -> None:
    found = heard(speech, "en_spont", base_model, "en")
    assert error(speech, "en_spont", found.text, "en") <= 0.19  # INT8 differs by processor
    timed = json.loads((speech / "words" / "en_spont.words.json").read_text(encoding="utf-8"))
    words = [word for segment in found.segments for word in segment.words]
    off = sorted(map(abs, start_errors(words, timed)))
    assert len(off) > 130
    assert statistics.median(off) <= 0.07 and off[int(0.9 * len(off))] <= 0.22


@pytest.mark.parametrize("name", ["h_noise", "h_white", "h_music"])
def test_where_nobody_speaks_there_are_no_words(speech: Path, base_model: Path, name: str) -> None:
    assert heard(speech, name, base_model, "pt").text == ""


def test_each_language_is_written_in_itself(speech: Path, base_model: Path) -> None:
    for asked in (None, "en,de"):
        found = heard(speech, "en_de", base_model, asked)
        german = [s for s in found.segments if s.language == "de"]
        assert found.language == "en" and german[0].start == pytest.approx(30.9, abs=2)
        text = " ".join(segment.text for segment in german)
        assert "Software" in text and " die " in text and " the " not in text
    alone = heard(speech, "en_de", base_model, "en")
    assert {segment.language for segment in alone.segments} == {"en"}
