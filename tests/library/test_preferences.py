"""What a page keeps in config.toml, and what it leaves as it was."""

import os
from pathlib import Path
from typing import Any

import pytest

from transcrevai_core.errors import SettingError, StorageError
from transcrevai_core.library import preferences
from transcrevai_core.library.preferences import overruled, save
from transcrevai_core.settings import Settings, load_settings

WRITTEN = """# mine
beam_size = 2  # quick

# below: memory
kill_percent = 90
"""


@pytest.fixture(autouse=True)
def plain(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no setting come from the environment."""
    for name in os.environ:
        if name.startswith("TRANSCREVAI_") and name != "TRANSCREVAI_HOME":
            monkeypatch.delenv(name)


@pytest.fixture
def config(home: Path) -> Path:
    home.mkdir()
    return home / "config.toml"


def test_comments_and_other_keys_stay(config: Path) -> None:
    config.write_text(WRITTEN)
    save({"memory_budget_mb": 900, "kill_percent": 88.5})
    text = config.read_text()
    assert "# mine\nbeam_size = 2  # quick\n\n# below: memory\nkill_percent = 88.5\n" in text
    settings = load_settings()
    assert (settings.memory_budget_mb, settings.kill_percent, settings.beam_size) == (900, 88.5, 2)
    assert [file.name for file in config.parent.iterdir()] == ["config.toml"]


def test_none_takes_a_setting_away(config: Path) -> None:
    config.write_text(WRITTEN)
    save({"kill_percent": None, "memory_budget_mb": None})
    assert config.read_text() == WRITTEN.replace("kill_percent = 90\n", "")
    assert load_settings().kill_percent == 85


def test_a_library_without_the_file_gets_one(home: Path) -> None:
    save({"work_cores": 1})
    assert (home / "config.toml").read_text() == "work_cores = 1\n"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"memory_budget_mb": 5}, "memory_budget_mb is 5; it should be greater than or equal to"),
        ({"wings": 2}, "There is no setting named wings"),
        # each fits its own range, but not the others
        ({"degraded_percent": 95.0}, "emergency_percent is 80; it should be at least degraded"),
        ({"kill_percent": 50.0}, "kill_percent is 50.0; it should be at least emergency"),
    ],
)
def test_what_is_not_valid_is_not_written(
    config: Path, changes: dict[str, Any], sentence: str
) -> None:
    config.write_text("# mine\n")
    with pytest.raises(SettingError, match=sentence) as caught:
        save({"work_cores": 1, **changes})
    assert "\n" not in str(caught.value)
    assert config.read_text() == "# mine\n"


def test_no_change_writes_nothing(config: Path) -> None:
    save({})
    save({"kill_percent": None})
    assert not config.exists()


def test_three_thresholds_can_move_together(config: Path) -> None:
    save({"degraded_percent": 95.0, "emergency_percent": 96.0, "kill_percent": 97.0})
    save({"degraded_percent": None, "emergency_percent": 75.0, "kill_percent": 76.0})
    settings = load_settings()
    assert (settings.degraded_percent, settings.emergency_percent, settings.kill_percent) == (
        75.0, 75.0, 76.0,
    )  # fmt: skip


def test_what_the_environment_would_make_invalid_is_refused(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCREVAI_EMERGENCY_PERCENT", "84")
    assert overruled(["emergency_percent", "kill_percent"]) == {
        "emergency_percent": "TRANSCREVAI_EMERGENCY_PERCENT"
    }
    with pytest.raises(SettingError, match="kill_percent is 82"):
        save({"kill_percent": 82.0})
    assert not config.exists()
    monkeypatch.setenv("TRANSCREVAI_EMERGENCY_PERCENT", "")
    assert not overruled(["emergency_percent"])
    save({"kill_percent": 82.0})


def test_a_broken_file_is_left_alone(config: Path) -> None:
    config.write_text("beam_size = = 2\n")
    with pytest.raises(SettingError, match="is not valid TOML"):
        save({"work_cores": 1})
    assert config.read_text() == "beam_size = = 2\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write it all")
def test_a_folder_that_cannot_be_written_is_told_by_permission(config: Path) -> None:
    config.parent.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="cannot be written"):
            save({"work_cores": 1})
    finally:
        config.parent.chmod(0o700)


def test_a_place_that_cannot_be_written_is_told(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (config.parent / "file").touch()
    monkeypatch.setenv("TRANSCREVAI_HOME", str(config.parent / "file"))
    with pytest.raises(StorageError, match="cannot be written") as caught:
        save({"work_cores": 1})
    assert "\n" not in str(caught.value)


def test_what_has_not_changed_is_not_read_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Any] = []
    load = load_settings

    def counted(**flags: Any) -> Settings:
        reads.append(flags)
        return load(**flags)

    monkeypatch.setattr(preferences, "load_settings", counted)
    assert preferences.current().beam_size == preferences.current().beam_size == 5
    assert len(reads) == 1
    preferences.save({"beam_size": 3})
    assert preferences.current().beam_size == 3
    config = home / "config.toml"
    config.write_text("beam_size = 4\n")  # as long as before
    assert preferences.current().beam_size == 4
    monkeypatch.setenv("TRANSCREVAI_BEAM_SIZE", "7")
    assert preferences.current().beam_size == 7
    assert preferences.current(beam_size=2).beam_size == 2
    monkeypatch.delenv("TRANSCREVAI_BEAM_SIZE")
    config.unlink()
    assert preferences.current().beam_size == 5
    config.write_text("beam_size = 400\n")
    for _ in range(2):
        with pytest.raises(SettingError):
            preferences.current()
