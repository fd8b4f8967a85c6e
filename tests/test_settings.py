from pathlib import Path
from typing import Any

import pytest

from transcrevai_core.errors import SettingError
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import Settings, load_settings


def test_flags_win_over_environment_over_toml_over_defaults(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "config.toml").write_text("beam_size = 2\nthreads = 3\nchunk_seconds = 12\n")
    monkeypatch.setenv("TRANSCREVAI_BEAM_SIZE", "4")
    monkeypatch.setenv("TRANSCREVAI_THREADS", "5")
    settings = load_settings(beam_size=6)
    assert (settings.beam_size, settings.threads, settings.chunk_seconds) == (6, 5, 12)
    assert load_settings().vad_threshold == JobOptions.model_fields["vad_threshold"].default
    assert load_settings().home == home


def test_whisper_model_and_preload_are_heard_but_our_own_names_win(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WHISPER_MODEL", "tiny")
    monkeypatch.setenv("WHISPER_PRELOAD", "true")
    assert (load_settings().model, load_settings().preload) == ("tiny", True)
    monkeypatch.setenv("TRANSCREVAI_MODEL", "base")
    assert load_settings().model == "base"
    monkeypatch.setenv("WHISPER_HOME", "/somewhere")  # another program's, not ours
    assert load_settings().home != Path("/somewhere")


def test_homes_and_model_folders_are_the_same_from_anywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.bin").touch()
    assert load_settings().job_options({"model": "mine"}).model == str(tmp_path / "mine")
    monkeypatch.setenv("TRANSCREVAI_HOME", "~/talks")
    assert load_settings().home == Path("~/talks").expanduser()
    monkeypatch.setenv("TRANSCREVAI_HOME", "")
    assert load_settings().home != tmp_path


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("beam_size", 99, "beam_size is 99; it should be less than or equal to 20"),
        ("chunk_seconds", 2, "chunk_seconds is 2; it should be greater than or equal to 5"),
        ("device", "tpu", "device is 'tpu'; it should be one of 'auto', 'cpu', 'cuda'"),
        ("language", "xx", "language is 'xx'; it should be a language that Whisper knows"),
        ("threads", "many", "threads is 'many'; it should be a valid integer"),
        ("model", "", "model is ''; it should have at least 1 character"),
        ("chunk_seconds", float("nan"), "chunk_seconds is nan; it should be a finite number"),
        ("wings", 2, "There is no setting named wings"),
    ],
)
def test_a_wrong_value_gets_one_sentence(name: str, value: Any, sentence: str) -> None:
    with pytest.raises(SettingError) as caught:
        load_settings(**{name: value})
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_a_wrong_name_and_broken_toml_in_the_file_get_one_sentence(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("beam_sise = 2\n")
    with pytest.raises(SettingError, match="There is no setting named beam_sise"):
        load_settings()
    (home / "config.toml").write_bytes('model = "reunião"'.encode("latin-1"))
    with pytest.raises(SettingError, match="is not valid TOML in UTF-8"):
        load_settings()
    (home / "config.toml").write_text("beam_size = = 2\n")
    with pytest.raises(SettingError, match="is not valid TOML"):
        load_settings()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("pt", "pt"),
        ("pt-BR", "pt"),
        ("pt_br", "pt"),
        ("Portuguese", "pt"),
        ("auto", None),
        ("", None),
    ],
)
def test_languages_are_known_by_code_name_and_region(given: str, code: str | None) -> None:
    assert load_settings().job_options({"language": given}).language == code


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_languages_are_whispers_own() -> None:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    assert set(LANGUAGES) == set(_LANGUAGE_CODES)


def test_what_is_wrong_with_a_setting_is_said_in_parts_that_can_be_translated() -> None:
    with pytest.raises(SettingError) as caught:
        Settings().job_options({"beam_size": 99})
    message = caught.value.message
    assert (message.values["name"], message.values["value"]) == ("beam_size", "99")
    assert message.values["meaning"].text == Settings.model_fields["beam_size"].description
    assert str(message.values["rule"]) == "less than or equal to 20"
    with pytest.raises(SettingError) as caught:
        Settings().job_options({"min_speakers": 9})
    assert caught.value.message.values["rule"].values == {"other": "min_speakers"}
