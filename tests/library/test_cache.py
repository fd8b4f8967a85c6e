"""What the cache keeps, counts, and lets go."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from conftest import known

from transcrevai_core.library import cache as caching
from transcrevai_core.library.cache import Cache, Tier, key
from transcrevai_core.library.store import Store
from transcrevai_core.settings import load_settings


@pytest.fixture
def make(store: Store) -> Callable[..., Cache]:
    """Return a function that opens the cache with some limits."""
    return lambda **limits: Cache(store, load_settings(**limits))


def put(cache: Cache, name: str, size: int = 1_000, tier: Tier = "turns") -> None:
    caching.write(cache.path(name), bytes(size))
    cache.keep(name, tier, "digest")


def files(cache: Cache) -> list[str]:
    return sorted(file.name for file in cache.folder.iterdir())


def test_keys_tell_sounds_and_settings_apart() -> None:
    one = key("digest", {"a": 1, "b": 2})
    assert one == key("digest", {"b": 2, "a": 1})
    others = {
        key("other", {"a": 1, "b": 2}),
        key("digest", {"a": 1}),
        key("digest", {"a": 1, "b": 3}),
    }
    assert len(others) == 3 and one not in others


def test_nothing_is_kept_for_a_job_that_is_gone_or_without_room(make: Callable[..., Cache]) -> None:
    cache = make()
    caching.write(cache.path("gone"), b"1")
    assert not cache.keep("gone", "voices", "digest", job="nobody") and files(cache) == []
    caching.write(cache.path("none"), b"1")
    assert not make(cache_entries=0).keep("none", "voices", "digest")
    caching.write(cache.path("some"), b"1")
    assert make().keep("some", "voices", "digest")


def test_questions_are_counted(make: Callable[..., Cache]) -> None:
    cache = make()
    assert cache.find("a", "turns") is None
    put(cache, "a", 7)
    assert known(cache.find("a", "turns")).read_bytes() == bytes(7)
    assert cache.find("a", "voices") is None  # of the other tier
    turns = next(tier for tier in cache.stats() if tier.tier == "turns")
    assert (turns.entries, turns.bytes, turns.hits, turns.misses) == (1, 7, 1, 1)
    assert turns.hit_rate == 0.5 and 0 <= known(turns.newest) <= known(turns.oldest) < 60
    voices = next(tier for tier in cache.stats() if tier.tier == "voices")
    assert replace(voices) == caching.TierStats("voices", 0, 0, 0, 1, None, None)


def test_what_was_used_longest_ago_leaves_first(
    make: Callable[..., Cache], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    cache = make(cache_entries=2)
    for name in ("a", "b"):
        clock[0] += 1
        put(cache, name)
    clock[0] += 1
    assert cache.find("a", "turns")  # so b is the one that leaves
    clock[0] += 1
    put(cache, "c")
    assert cache.find("b", "turns") is None
    assert cache.find("a", "turns") and cache.find("c", "turns")
    assert "b" not in files(cache)


def test_sounds_leave_before_voices(make: Callable[..., Cache]) -> None:
    cache = make(cache_entries=3)
    put(cache, "voices", tier="voices")
    for name in ("a", "b", "c"):
        time.sleep(0.002)
        put(cache, name, tier="sounds")
    assert files(cache) == ["b", "c", "voices"]
    assert cache.shrink() == 2 and files(cache) == ["voices"]


def test_bytes_are_limited_too(make: Callable[..., Cache]) -> None:
    cache = make(cache_mb=1)
    for name in ("a", "b", "c"):
        put(cache, name, 400_000)
        time.sleep(0.002)
    assert files(cache) == ["b", "c"]
    assert sum(tier.bytes for tier in cache.stats()) == 800_000


def test_an_entry_too_large_does_not_drive_out_the_others(make: Callable[..., Cache]) -> None:
    cache = make(cache_mb=1)
    put(cache, "a", 400_000)
    put(cache, "large", 1_200_000)
    assert files(cache) == ["a"]


def test_what_has_expired_takes_no_place(
    make: Callable[..., Cache], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, now = make(cache_entries=2), time.time()
    put(cache, "old")
    monkeypatch.setattr(time, "time", lambda: now + 23 * 3_600)
    put(cache, "a")
    assert cache.find("old", "turns")  # used last, and about to expire
    monkeypatch.setattr(time, "time", lambda: now + 25 * 3_600)
    put(cache, "b")
    assert files(cache) == ["a", "b"]


def test_entries_expire(make: Callable[..., Cache], monkeypatch: pytest.MonkeyPatch) -> None:
    cache = make(cache_hours=24)
    put(cache, "old")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 23 * 3_600)
    put(cache, "new")
    assert cache.find("old", "turns")
    monkeypatch.setattr(time, "time", lambda: now + 25 * 3_600)
    assert cache.find("old", "turns") is None
    assert cache.clear(expired_only=True) == (1, 1_000)
    assert files(cache) == ["new"]
    assert cache.clear() == (1, 1_000)
    assert files(cache) == []
    assert [tier.misses for tier in cache.stats()] == [0, 1, 0]  # what was counted stays


def test_a_file_that_someone_removed_is_a_miss(make: Callable[..., Cache]) -> None:
    cache = make()
    put(cache, "a")
    cache.path("a").unlink()
    assert cache.find("a", "turns") is None


def test_what_a_kill_left_behind_is_swept(
    make: Callable[..., Cache], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = make()
    cache.path("orphan").write_bytes(b"x")
    put(cache, "a")
    assert files(cache) == ["a", "orphan"]  # it may be in the making
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7_200)
    put(cache, "b")
    assert files(cache) == ["a", "b"]
