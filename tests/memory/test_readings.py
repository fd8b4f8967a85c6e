"""What the machine or the container has to give."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from transcrevai_core.memory import readings

GIGABYTE = 10**9


def test_at_least_one_core_and_some_memory() -> None:
    assert 1 <= readings.cores() <= psutil.cpu_count()
    assert readings.work_cores() == max(1, readings.cores() - 2) and readings.work_cores(5) == 5
    found = readings.machine()
    assert 0 < found.used_bytes < found.limit_bytes <= psutil.virtual_memory().total
    assert 0 < readings.limit_bytes() <= psutil.virtual_memory().total


def group(folder: Path, version: Any, limit: Any, used: Any, droppable: Any) -> None:
    """Write the files of a control group."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {
        2: ("memory.max", "memory.current", "inactive_file"),
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    }[version]
    for name, content in zip(names, (limit, used), strict=False):
        (folder / name).write_text(f"{content}\n")
    (folder / "memory.stat").write_text(f"anon 1\n{names[2]} {droppable}\n")


@pytest.fixture
def empty_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 8 GB of which 1 GB is in use."""
    memory_of = type("Memory", (), {"total": 8 * GIGABYTE, "available": 7 * GIGABYTE})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory_of)


@pytest.mark.parametrize("version", [1, 2])
def test_a_container_counts_where_it_is_tighter_and_files_that_can_go_do_not(
    tmp_path: Path, version: int, empty_machine: None
) -> None:
    top = tmp_path / ("memory" if version == 1 else "")
    membership = tmp_path / "self"
    membership.write_text("4:cpu,memory:/\n" if version == 1 else "0::/\n")
    group(top, version, 2 * GIGABYTE, GIGABYTE, GIGABYTE // 2)
    found = readings.machine(tmp_path, membership)
    assert found == readings.Machine(GIGABYTE // 2, 2 * GIGABYTE) and found.pressure == 0.25
    assert readings.limit_bytes(tmp_path, membership) == 2 * GIGABYTE


@pytest.mark.parametrize("version", [1, 2])
def test_the_tightest_of_nested_groups_counts(
    tmp_path: Path, version: int, empty_machine: None
) -> None:
    top = tmp_path / ("memory" if version == 1 else "")
    membership = tmp_path / "self"
    membership.write_text("4:memory:/a/b\n" if version == 1 else "0::/a/b\n")
    group(top / "a", version, 4 * GIGABYTE, 3 * GIGABYTE, 0)
    group(top / "a" / "b", version, 3 * GIGABYTE, GIGABYTE, 0)
    assert readings.machine(tmp_path, membership).pressure == 0.75
    assert readings.limit_bytes(tmp_path, membership) == 3 * GIGABYTE


def test_a_container_without_a_limit_has_what_the_machine_has(
    tmp_path: Path, empty_machine: None
) -> None:
    whole = readings.Machine(GIGABYTE, 8 * GIGABYTE)
    group(tmp_path, 2, "max", GIGABYTE, 0)
    assert readings.machine(tmp_path, tmp_path / "nothing") == whole
    group(tmp_path / "memory", 1, 2**63 - 4096, 7 * GIGABYTE, 0)
    assert readings.machine(tmp_path, tmp_path / "nothing") == whole
    assert readings.machine(tmp_path / "nowhere", tmp_path / "nothing") == whole
    assert readings.limit_bytes(tmp_path, tmp_path / "nothing") == 8 * GIGABYTE


def test_shares_add_up_and_what_is_gone_has_none() -> None:
    mine = readings.share_bytes(os.getpid())
    assert 0 < mine <= readings.resident_bytes(os.getpid())
    assert readings.own_bytes() >= mine
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert readings.share_bytes(child.pid) > 0
    child.kill()
    child.wait()
    assert readings.share_bytes(child.pid) == readings.resident_bytes(child.pid) == 0
    assert readings.peak_bytes(child.pid) == 0


def test_a_share_is_read_again_only_where_it_may_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    resident = {1: 100, 2: 1000}
    asked: list[int] = []

    def ask(pid: int) -> int:
        asked.append(pid)
        return resident[pid] // 2

    def this() -> SimpleNamespace:
        others = [SimpleNamespace(pid=pid) for pid in resident if pid != 1]
        return SimpleNamespace(pid=1, children=lambda recursive: others)

    monkeypatch.setattr(readings, "share_bytes", ask)
    monkeypatch.setattr(readings, "resident_bytes", resident.get)
    monkeypatch.setattr(psutil, "Process", this)
    assert readings.own_shares() == {1: 50, 2: 500}
    resident[2] = 1080  # what it took is its own
    assert readings.own_shares() == {1: 50, 2: 580}
    assert asked == [1, 2]
    resident[2] = 1200
    assert readings.own_shares() == {1: 50, 2: 600}
    assert asked == [1, 2, 2]
    resident[3] = 10  # who may share with the others
    assert readings.own_shares() == {1: 50, 2: 600, 3: 5}
    assert asked == [1, 2, 2, 1, 2, 3]
