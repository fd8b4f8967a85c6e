"""The tool that fetches a real Whisper for tests and benchmarks."""

import sys
from pathlib import Path

import pytest
from paging import put_model

from tools import real_models


def ran(monkeypatch: pytest.MonkeyPatch, *names: str) -> int:
    monkeypatch.setattr(sys, "argv", ["real_models", *names])
    return real_models.main()


def test_a_model_that_is_here_is_named_by_its_folder(
    hub: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "tools.real_models base gets it" in real_models.why_absent("base")
    folder = put_model(hub, "Systran/faster-whisper-base")
    assert ran(monkeypatch, "base") == 0 and not real_models.why_absent("base")
    assert capsys.readouterr().out.strip() == str(folder / "snapshots" / "1")


def test_what_cannot_be_had_is_one_sentence(
    hub: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(monkeypatch, "bse") == 1
    assert capsys.readouterr().err.startswith("There is no model bse; a folder")
