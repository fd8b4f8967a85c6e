"""A SQLite file in WAL mode: one connection a thread, every write one transaction."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transcrevai_core.errors import StorageError
from transcrevai_core.library.migrations import MIGRATIONS, migrate

PATIENCE_SECONDS = 30.0  # that another process's write is waited for


class Database:
    """Safe in many threads and processes at once; what SQLite refuses becomes a StorageError."""

    def __init__(self, path: Path):
        self.path = path
        self._local = threading.local()
        with self.read() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                raise StorageError(
                    "The library {path} was made by a newer TranscrevAI (version {version}); "
                    "that one would be right to open it.",
                    path=path,
                    version=version,
                )
            db.execute("PRAGMA journal_mode = WAL")
            migrate(db)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give this thread's connection."""
        try:
            if not hasattr(self._local, "db"):
                db = sqlite3.connect(self.path, timeout=PATIENCE_SECONDS, isolation_level=None)
                db.row_factory = sqlite3.Row
                db.execute("PRAGMA foreign_keys = ON")
                # a finished chunk outlives a power cut too, not only a killed program
                db.execute("PRAGMA synchronous = FULL")
                self._local.db = db
            yield self._local.db
        except sqlite3.Error as error:
            raise StorageError(
                "The library {path} refused: {error}.", path=self.path, error=error
            ) from error

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for several reads of one and the same state."""
        with self.read() as db:
            if db.in_transaction:  # a part of something larger
                yield db
                return
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("COMMIT")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the connection in a transaction that is kept whole or not at all."""
        with self.read() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
