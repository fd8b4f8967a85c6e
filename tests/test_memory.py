"""What the machine or the container has to give."""

import psutil
import pytest

from transcrevai_core import memory


def test_at_least_one_core_and_some_memory():
    assert 1 <= memory.cores() <= psutil.cpu_count()
    assert 0 < memory.available_bytes() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("limit", "used"),
    [
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ],
)
def test_a_container_limits_it(tmp_path, limit, used):
    for name, content in ((limit, "5000000\n"), (used, "3000000\n")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert memory.available_bytes(tmp_path) == 2_000_000
    (tmp_path / used).write_text("6000000\n")
    assert memory.available_bytes(tmp_path) == 0


def test_a_container_without_a_limit_has_what_the_machine_has(tmp_path, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 77}))
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("3000000\n")
    assert memory.available_bytes(tmp_path) == 77
    assert memory.available_bytes(tmp_path / "nowhere") == 77
