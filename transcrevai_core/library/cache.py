"""What was found once and may be wanted again: files under `cache`, listed in the library.

Three tiers: "voices", the vectors of a recording, slow to make; "turns", what came of them with
some settings; and "sounds", what stretches of it look like. Where there are too many entries or
bytes, sounds leave first, as they take a moment, and else what was used longest ago.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from transcrevai_core.library.store import Store
from transcrevai_core.settings import Settings

Tier = Literal["voices", "turns", "sounds"]
TIERS: tuple[Tier, ...] = ("voices", "turns", "sounds")
_ABANDONED = 3_600.0  # seconds after which a file that nobody listed is what a kill left behind


@dataclass(frozen=True, slots=True)
class TierStats:
    """One tier's figures since the library was made; ages in seconds."""

    tier: Tier
    entries: int
    bytes: int
    hits: int
    misses: int
    oldest: float | None
    newest: float | None

    @property
    def hit_rate(self) -> float | None:
        """Share of questions that were answered; None where none was asked.

        >>> TierStats("turns", 1, 9, 3, 1, 5.0, 5.0).hit_rate
        0.75
        """
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


def key(digest: str, settings: Mapping[str, Any]) -> str:
    """Return the name of what these settings come to for the sound of this digest."""
    settings_of_sound = json.dumps([digest, dict(settings)], sort_keys=True)
    return hashlib.sha256(settings_of_sound.encode()).hexdigest()[:40]


def write(path: Path, content: bytes) -> None:
    """Write a file that two may write at once; a reader never meets half of it."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class Cache:
    """The cache of a library, within the limits that the settings state."""

    def __init__(self, store: Store, settings: Settings):
        self.folder = store.home / "cache"
        self._database = store.database
        self._seconds = settings.cache_hours * 3_600
        self._entries = settings.cache_entries
        self._bytes = settings.cache_mb * 10**6
        with suppress(OSError):  # without it, everything is found anew
            self.folder.mkdir(mode=0o700, exist_ok=True)

    def path(self, key: str) -> Path:
        """Return where an entry lies, or is to be written."""
        return self.folder / key

    def find(self, key: str, tier: Tier) -> Path | None:
        """Return the file of an entry that is there and fresh, else None; counts either."""
        now = time.time()
        with self._database.write() as db:
            found = (
                db.execute(
                    "UPDATE cache SET used = ? WHERE key = ? AND tier = ? AND created > ?",
                    (now, key, tier, now - self._seconds),
                ).rowcount
                and self.path(key).is_file()
            )
            db.execute(
                "INSERT INTO cache_counts (tier, hits, misses) VALUES (?1, ?2, 1 - ?2) "
                "ON CONFLICT (tier) DO UPDATE SET hits = hits + ?2, misses = misses + 1 - ?2",
                (tier, int(bool(found))),
            )
        return self.path(key) if found else None

    def peek(self, key: str) -> Path | None:
        """Return the file of an entry that is there and fresh, without counting the question."""
        with self._database.read() as db:
            row = db.execute("SELECT created FROM cache WHERE key = ?", (key,)).fetchone()
        fresh = row is not None and row["created"] > time.time() - self._seconds
        return self.path(key) if fresh and self.path(key).is_file() else None

    def keep(self, key: str, tier: Tier, digest: str, *, job: str = "") -> bool:
        """List the file at `path(key)`, made of the sound of `digest`; make room where it must.

        Tell whether it is kept: there may be no room for it, or its job may have been deleted.
        Raises OSError where there is no such file.
        """
        now = time.time()
        with self._database.write() as db:
            if job and not db.execute("SELECT 1 FROM jobs WHERE id = ?", (job,)).fetchone():
                self.path(key).unlink(missing_ok=True)
                return False
            db.execute(
                "INSERT OR REPLACE INTO cache (key, tier, digest, bytes, created, used) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (key, tier, digest, self.path(key).stat().st_size, now, now),
            )
            rows = db.execute(
                "SELECT key, bytes, created FROM cache ORDER BY tier = 'sounds', used DESC, key"
            )
            kept, held = set[str](), 0
            for row in rows.fetchall():
                fresh = row["created"] > now - self._seconds
                if fresh and len(kept) < self._entries and held + row["bytes"] <= self._bytes:
                    kept.add(row["key"])
                    held += row["bytes"]
                else:
                    db.execute("DELETE FROM cache WHERE key = ?", (row["key"],))
                    self.path(row["key"]).unlink(missing_ok=True)
        self._sweep(kept, now - _ABANDONED)
        return key in kept

    def clear(self, *, expired_only: bool = False) -> tuple[int, int]:
        """Remove all entries, or those past their time; return how many, and their bytes."""
        now = time.time()
        limit = now - self._seconds if expired_only else float("inf")
        with self._database.write() as db:
            gone = db.execute(
                "DELETE FROM cache WHERE created <= ? RETURNING key, bytes", (limit,)
            ).fetchall()
            left = {row["key"] for row in db.execute("SELECT key FROM cache")}
        for row in gone:
            self.path(row["key"]).unlink(missing_ok=True)
        self._sweep(left, now - _ABANDONED if expired_only else float("inf"))
        return len(gone), sum(row["bytes"] for row in gone)

    def shrink(self) -> int:
        """Remove the half of the entries that were not used for the longest time; return how many.

        Their files' pages leave the system's memory with them.
        """
        with self._database.write() as db:
            rows = db.execute(
                "SELECT key FROM cache ORDER BY tier != 'sounds', used, key"
            ).fetchall()
            gone = [row["key"] for row in rows[: (len(rows) + 1) // 2]]
            db.executemany("DELETE FROM cache WHERE key = ?", [(key,) for key in gone])
        for key in gone:
            self.path(key).unlink(missing_ok=True)
        return len(gone)

    def _sweep(self, listed: set[str], before: float) -> None:
        """Remove what nobody listed, as a kill leaves it; what is young may be in the making."""
        with suppress(OSError):
            for file in self.folder.iterdir():
                with suppress(OSError):  # another process was first
                    if file.name not in listed and file.stat().st_mtime < before:
                        file.unlink()

    def stats(self) -> list[TierStats]:
        """Return the figures of each tier."""
        now = time.time()
        with self._database.read() as db:
            counts = {row["tier"]: row for row in db.execute("SELECT * FROM cache_counts")}
            found = {
                row["tier"]: row
                for row in db.execute(
                    "SELECT tier, count(*) AS entries, sum(bytes) AS bytes, "
                    "min(created) AS oldest, max(created) AS newest FROM cache GROUP BY tier"
                )
            }
        stats = []
        for tier in TIERS:
            hits, misses = (
                (counts[tier]["hits"], counts[tier]["misses"]) if tier in counts else (0, 0)
            )
            row = found.get(tier)
            stats.append(
                TierStats(
                    tier,
                    row["entries"],
                    row["bytes"],
                    hits,
                    misses,
                    now - row["oldest"],
                    now - row["newest"],
                )
                if row
                else TierStats(tier, 0, 0, hits, misses, None, None)
            )
        return stats
