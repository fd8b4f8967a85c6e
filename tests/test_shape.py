"""The house's own rules: few rooms know Streamlit, and what goes wrong freely has one place."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import transcrevai_core

ROOT = Path(__file__).parents[1]
CORE = ROOT / "transcrevai_core"


def room(path: Path) -> str:
    return path.relative_to(CORE).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[Any]:
    """Yield the absolute names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_only_the_rooms_at_the_window_know_streamlit() -> None:
    modules = [path for path in CORE.rglob("*.py") if path.parent != CORE or path.stem == "ui"]
    knowing = {room(p) for p in modules if any(n.split(".")[0] == "streamlit" for n in imported(p))}
    assert knowing <= {"ui", "web", "components"}


@pytest.mark.parametrize(
    ("name", "only"),
    [
        # elsewhere a late poll would empty the page that was opened
        ("switch_page", "recording.py"),
        # of two layouts in one run the browser may keep the first
        ("set_page_config", "_router.py"),
    ],
)
def test_what_goes_wrong_where_it_is_called_freely_is_called_in_one_place(
    name: str, only: str
) -> None:
    files = [*CORE.rglob("*.py"), *ROOT.glob("pages/*.py")]
    found = {path.name for path in files if f"st.{name}(" in path.read_text()}
    assert found == {only}


def test_the_public_names_are_these() -> None:
    assert transcrevai_core.__all__ == [
        "Job", "JobOptions", "Runner", "Segment", "Settings", "Store", "TranscrevaiError",
        "Transcript", "Turn", "Word", "diarize", "load_settings", "transcribe", "wer",
    ]  # fmt: skip
    assert all(getattr(transcrevai_core, name) for name in transcrevai_core.__all__)


def test_readme_names_every_command() -> None:
    from typer.main import get_command

    from transcrevai_core.cli import app

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    whole: Any = get_command(app)
    for name, command in whole.commands.items():
        assert f"transcrevai {name}" in readme
        if hasattr(command, "commands"):
            assert f"transcrevai {name} {'|'.join(command.commands)}" in readme
