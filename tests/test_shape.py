"""The house's own rules: imports point down, and every file stays small."""

import ast
from pathlib import Path

import pytest

import transcrevai_core

ROOT = Path(__file__).parents[1]
CORE = ROOT / "transcrevai_core"
# from the ground up: a room may use what stands on a line above its own
FLOORS = [
    {"errors", "types", "texts", "languages", "processes", "migrations", "memory"},
    {"background", "senders"},
    {
        "options",
        "rttm",
        "turns",
        "inside",
        "watcher",
        "terms",
        "mentions",
        "retiming",
        "waveform",
        "report_values",
    },
    {"demo", "settings", "metrics", "references", "audio", "speech", "export"},
    {"cpwer", "database", "workers", "transcription.catalogue", "diarization", "alignment"},
    {"records", "figures", "journal", "forecast", "scoring", "checks"},
    {"store", "report", "views"},
    {"governor", "experiments", "errands", "lab_words"},
    {"changes", "coverage", "bars", "cache", "profiles", "transcription.loading", "reporting"},
    {"sweeps", "edits", "transcription.decoding", "preferences", "gauges"},
    {"courses", "lab_figures"},
    {"stages"},
    {"models", "probes", "laboratory"},
    {"budget", "costs", "downloads"},
    {"program"},
    {"attempt", "queueing", "checking"},
    {"speakers", "words", "environment"},
    {"pipeline", "retention", "bench"},
    {"jobs", "sweeping"},
    {"reading", "supervisor"},
    {"web"},
    {"ui"},
    {"components"},
    {"doctor"},
    {"cli"},
]
# a Transcript shows itself in a notebook, by a room that is imported when it is asked for
UPSTAIRS = ("types", "views")
RANK = {room: rank for rank, rooms in enumerate(FLOORS) for room in rooms}


def room(path):
    parts = path.relative_to(CORE).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    name = ".".join(parts)
    return name if name in RANK else parts[0] if parts else ""


def imported(path):
    """Yield the absolute names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


MODULES = [p for p in sorted(CORE.rglob("*.py")) if p.stem not in ("__main__",)]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(CORE)))
def test_imports_point_down(path):
    mine = room(path)
    if mine in ("", "transcription"):  # the public names, imported lazily; a docstring
        return
    for name in imported(path):
        if not name.startswith("transcrevai_core."):
            continue
        parts = name.split(".")[1:]
        other = next((r for r in (".".join(parts[:2]), parts[0]) if r in RANK), None)
        assert other is not None, f"{name} is in no room"
        down = RANK[other] < RANK[mine] or other == mine or (mine, other) == UPSTAIRS
        assert down, f"{mine} imports {name}"


def test_only_the_rooms_at_the_window_know_streamlit():
    knowing = {room(p) for p in MODULES if any(n.split(".")[0] == "streamlit" for n in imported(p))}
    assert knowing <= {"ui", "web", "components"}


@pytest.mark.parametrize(
    ("pattern", "limit"), [("transcrevai_core/**/*.py", 300), ("pages/*.py", 150)]
)
def test_files_stay_small(pattern, limit):
    long = {p.name: n for p in ROOT.glob(pattern) if (n := len(p.read_text().splitlines())) > limit}
    assert not long


def test_the_public_names_are_these():
    assert transcrevai_core.__all__ == [
        "Job", "JobOptions", "Runner", "Segment", "Settings", "Store", "TranscrevaiError",
        "Transcript", "Turn", "Word", "diarize", "load_settings", "transcribe", "wer",
    ]  # fmt: skip
    assert all(getattr(transcrevai_core, name) for name in transcrevai_core.__all__)


def test_readme_names_every_command():
    from typer.main import get_command

    from transcrevai_core.cli import app

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, command in get_command(app).commands.items():
        assert f"transcrevai {name}" in readme
        if hasattr(command, "commands"):
            assert f"transcrevai {name} {'|'.join(command.commands)}" in readme
