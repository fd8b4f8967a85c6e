"""Who speaks when by the networks that are fetched, on real speech.

Figures of all of it: `python -m benchmarks.diarization`.
"""

from pathlib import Path

import numpy as np
import pytest

from transcrevai_core import diarize
from transcrevai_core.diarization.embeddings import campplus, neural
from transcrevai_core.diarization.embeddings.features import log_mel
from transcrevai_core.evaluation.metrics import DiarizationErrors, der
from transcrevai_core.transcript.rttm import read_rttm
from transcrevai_core.types import Turn

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_the_networks_beat_what_comes_with_the_program(
    speech: Path, voice_models: Path, tmp_path: Path
) -> None:
    files = sorted((speech / "dev" / "meetings").glob("*.flac"))[:4]
    both, errors = 0.0, dict.fromkeys(("auto", "voice"), DiarizationErrors())
    for file in files:
        reference = read_rttm(file.with_suffix(".rttm"))
        for embedding in errors:
            found = diarize(file, embedding=embedding, overlap=embedding == "auto")
            errors[embedding] += der(reference, found.turns)
            if embedding == "auto":
                settings = found.diarization["settings"]
                assert (settings["embedding"], settings["overlap"]) == ("campplus", True)
                both += overlapping(found.turns)
    assert both > 1.0
    assert errors["auto"].rate < 0.85 * errors["voice"].rate


def overlapping(turns: tuple[Turn, ...]) -> float:
    """How many seconds two speak at once."""
    grid = np.zeros(round(100 * max((turn.end for turn in turns), default=0.0)) + 1, int)
    for turn in turns:
        grid[round(100 * turn.start) : round(100 * turn.end)] += 1
    return float((grid > 1).sum() / 100)


def test_the_telephone_is_no_other_voice(speech: Path, voice_models: Path) -> None:
    file = sorted((speech / "dev" / "conversations").glob("*.flac"))[2]
    reference = read_rttm(file.with_suffix(".rttm"))
    found = diarize(file)
    assert len({t.speaker for t in found.turns}) == len({t.speaker for t in reference})
    assert der(reference, found.turns, collar=0.25).rate < 0.1


def test_our_filter_bank_is_kaldis(voice_models: Path) -> None:
    pytest.importorskip("kaldi_native_fbank", reason="needs the extra onnx")
    sound = np.random.default_rng(0).standard_normal(48_000).astype(np.float32) * 0.1
    kaldi = neural.filter_bank(80, nemo=False, window="povey", whole=True, name="x")(sound)
    np.testing.assert_allclose(log_mel(sound, 80, (20.0, 8000.0)), kaldi, atol=2e-3)
    spans = np.array([[0, 24_000], [8_000, 32_000], [16_000, 40_000]])
    vectors = campplus.Network().vectors(sound, spans)
    assert vectors.shape == (3, 192) and np.isfinite(vectors).all()
