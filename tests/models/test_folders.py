"""What is wrong with a folder that somebody brings, and where one lies."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from transcrevai_core import demo
from transcrevai_core.errors import ModelError
from transcrevai_core.models import catalogue, folders, pins


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo.MODEL_DIR, tmp_path / "stick" / "my model"))


def test_a_whole_model_has_no_problems(brought: Path) -> None:
    assert folders.problems(brought) == []


def pointer(folder: Path) -> None:
    (folder / "model.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")


def converted_by_nobody(folder: Path) -> None:
    (folder / "model.bin").rename(folder / "model.safetensors")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda f: (f / "config.json").unlink(), "holds no config.json; a copy"),
        (lambda f: (f / "tokenizer.json").unlink(), "holds no tokenizer.json; a copy"),
        (lambda f: (f / "vocabulary.json").unlink(), "holds no vocabulary.json or"),
        (lambda f: (f / "model.bin").unlink(), "holds no model.bin"),
        (lambda f: (f / "model.bin").write_bytes(bytes(100)), "is not a Whisper of CTranslate2"),
        (lambda f: (f / "config.json").write_bytes(b"{"), "config.json in .* is damaged"),
        (pointer, "pointer of Git LFS"),
        (converted_by_nobody, "holds model.safetensors, which is not in CTranslate2's format"),
    ],
)
def test_each_thing_that_is_wrong_has_a_sentence(
    brought: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    spoil(brought)
    (said,) = map(str, folders.problems(brought))
    with pytest.raises(ModelError, match=sentence):
        raise ModelError(said)


def test_all_that_is_wrong_is_said_at_once(brought: Path) -> None:
    for file in brought.iterdir():
        file.unlink()
    assert len(folders.problems(brought)) == 4
    with pytest.raises(ModelError, match=r"holds no model.bin"):
        catalogue.check_name(str(brought))


def test_a_folder_with_a_published_model_is_known(
    brought: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    assert folders.known_as(brought) is None
    digests = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in brought.iterdir()}
    monkeypatch.setitem(pins.PINS, "owner/mine", pins.Pin("0" * 40, digests))
    assert folders.known_as(brought) == "owner/mine"


def test_models_are_found_on_a_stick(brought: Path, tmp_path: Path) -> None:
    deep = tmp_path / "stick" / "models--owner--mine" / "snapshots" / "1"
    shutil.copytree(demo.MODEL_DIR, deep)
    hidden = tmp_path / "stick" / ".trash" / "old"
    shutil.copytree(demo.MODEL_DIR, hidden)
    assert folders.find([tmp_path / "nothing", tmp_path / "stick"]) == [brought, deep]
    assert folders.find([tmp_path / "stick"], most=1) == [brought]


@pytest.mark.real
@pytest.mark.slow
def test_the_real_base_is_known(base_model: Path) -> None:
    assert folders.problems(base_model) == []
    assert folders.known_as(base_model) == "Systran/faster-whisper-base"
