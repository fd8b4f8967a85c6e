"""The database's shape, as small functions: each is applied once, in order, in a transaction."""

import json
import sqlite3
from collections.abc import Callable


def m001_initial(db: sqlite3.Connection) -> None:
    """Jobs, their chunks, and the segments of finished chunks."""
    db.execute(
        """CREATE TABLE jobs (
            id TEXT PRIMARY KEY, title TEXT NOT NULL, source TEXT NOT NULL,
            fingerprint TEXT NOT NULL DEFAULT '', state TEXT NOT NULL,
            options TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL, started REAL,
            seconds REAL NOT NULL DEFAULT 0, stage TEXT NOT NULL DEFAULT '',
            progress REAL NOT NULL DEFAULT 0, duration REAL, digest TEXT NOT NULL DEFAULT '',
            language TEXT, language_probability REAL, model TEXT NOT NULL DEFAULT '',
            compute_type TEXT NOT NULL DEFAULT '', device TEXT NOT NULL DEFAULT '',
            error TEXT NOT NULL DEFAULT '', notes TEXT NOT NULL DEFAULT '[]',
            dropped_segments INTEGER NOT NULL DEFAULT 0, owner TEXT,
            cancel_requested INTEGER NOT NULL DEFAULT 0)"""
    )
    db.execute("CREATE INDEX jobs_by_state ON jobs (state, created)")
    db.execute(
        """CREATE TABLE chunks (
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL,
            "start" REAL NOT NULL, "end" REAL NOT NULL, speech TEXT NOT NULL,
            decodes INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,
            seconds REAL NOT NULL DEFAULT 0, PRIMARY KEY (job, number)) WITHOUT ROWID"""
    )
    db.execute(
        """CREATE TABLE segments (
            id INTEGER PRIMARY KEY, job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            chunk INTEGER NOT NULL, "start" REAL NOT NULL, "end" REAL NOT NULL,
            text TEXT NOT NULL, edited TEXT, words TEXT NOT NULL, speaker TEXT,
            details TEXT NOT NULL,
            current TEXT GENERATED ALWAYS AS (coalesce(edited, text)) VIRTUAL)"""
    )
    db.execute('CREATE INDEX segments_by_job ON segments (job, "start")')


def m002_search(db: sqlite3.Connection) -> None:
    """Full-text search over the current text, blind to case and accents."""
    db.execute(
        """CREATE VIRTUAL TABLE segments_fts USING fts5 (
            current, content='segments', content_rowid='id',
            tokenize='unicode61 remove_diacritics 2')"""
    )
    new = "coalesce(new.edited, new.text)"
    add = f"INSERT INTO segments_fts (rowid, current) VALUES (new.id, {new})"
    remove = (
        "INSERT INTO segments_fts (segments_fts, rowid, current) "
        "VALUES ('delete', old.id, coalesce(old.edited, old.text))"
    )
    db.execute(f"CREATE TRIGGER segments_added AFTER INSERT ON segments BEGIN {add}; END")
    db.execute(f"CREATE TRIGGER segments_removed AFTER DELETE ON segments BEGIN {remove}; END")
    db.execute(
        "CREATE TRIGGER segments_changed AFTER UPDATE OF text, edited ON segments "
        f"BEGIN {remove}; {add}; END"
    )


def m003_speakers(db: sqlite3.Connection) -> None:
    """Who spoke when, what the user calls them, and what may be found again in the cache."""
    db.execute("ALTER TABLE jobs ADD COLUMN diarization TEXT NOT NULL DEFAULT '{}'")
    db.execute(
        """CREATE TABLE turns (
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            "start" REAL NOT NULL, "end" REAL NOT NULL, speaker TEXT NOT NULL)"""
    )
    db.execute('CREATE INDEX turns_by_job ON turns (job, "start")')
    db.execute(
        """CREATE TABLE speakers (
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, label TEXT NOT NULL,
            name TEXT NOT NULL, PRIMARY KEY (job, label)) WITHOUT ROWID"""
    )
    db.execute(
        """CREATE TABLE cache (
            key TEXT PRIMARY KEY, tier TEXT NOT NULL, digest TEXT NOT NULL, bytes INTEGER NOT NULL,
            created REAL NOT NULL, used REAL NOT NULL) WITHOUT ROWID"""
    )
    db.execute(
        """CREATE TABLE cache_counts (
            tier TEXT PRIMARY KEY, hits INTEGER NOT NULL, misses INTEGER NOT NULL) WITHOUT ROWID"""
    )


def m004_memory(db: sqlite3.Connection) -> None:
    """What memory did, what each stage of a job needed, and who asked for a job."""
    db.execute("ALTER TABLE jobs ADD COLUMN session TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE jobs ADD COLUMN forecast INTEGER NOT NULL DEFAULT 0")
    db.execute(
        """CREATE TABLE readings (
            id INTEGER PRIMARY KEY, program TEXT NOT NULL, time REAL NOT NULL,
            level TEXT NOT NULL, used_bytes INTEGER NOT NULL, limit_bytes INTEGER NOT NULL,
            total_bytes INTEGER NOT NULL, budget_bytes INTEGER NOT NULL, workers TEXT NOT NULL)"""
    )
    db.execute(
        """CREATE TABLE events (
            id INTEGER PRIMARY KEY, program TEXT NOT NULL, time REAL NOT NULL, kind TEXT NOT NULL,
            level TEXT NOT NULL, job TEXT NOT NULL, cause TEXT NOT NULL)"""
    )
    db.execute(
        """CREATE TABLE runs (
            id INTEGER PRIMARY KEY, time REAL NOT NULL, job TEXT NOT NULL, stage TEXT NOT NULL,
            key TEXT NOT NULL, table_bytes INTEGER NOT NULL, forecast_bytes INTEGER NOT NULL,
            peak_bytes INTEGER NOT NULL,
            seconds REAL NOT NULL, duration REAL NOT NULL)"""
    )
    db.execute("CREATE INDEX runs_by_key ON runs (key, id)")


def m005_changes(db: sqlite3.Connection) -> None:
    """Notes and highlights on segments, and what the user changed, to be undone."""
    db.execute("ALTER TABLE segments ADD COLUMN note TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE segments ADD COLUMN highlighted INTEGER NOT NULL DEFAULT 0")
    db.execute(
        """CREATE TABLE changes (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, time REAL NOT NULL,
            what TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
            undone INTEGER NOT NULL DEFAULT 0)"""
    )
    db.execute("CREATE INDEX changes_by_job ON changes (job, id)")


def m006_laboratory(db: sqlite3.Connection) -> None:
    """Settings of diarization with a name, and what came of trying many of them."""
    db.execute(
        """CREATE TABLE profiles (
            name TEXT PRIMARY KEY, options TEXT NOT NULL, source TEXT NOT NULL,
            created REAL NOT NULL) WITHOUT ROWID"""
    )
    db.execute(
        """CREATE TABLE sweeps (
            id TEXT PRIMARY KEY, job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            created REAL NOT NULL, state TEXT NOT NULL, plan TEXT NOT NULL, owner TEXT,
            error TEXT NOT NULL DEFAULT '')"""
    )
    db.execute(
        """CREATE TABLE sweep_results (
            sweep TEXT NOT NULL REFERENCES sweeps (id) ON DELETE CASCADE, number INTEGER NOT NULL,
            result TEXT NOT NULL, PRIMARY KEY (sweep, number)) WITHOUT ROWID"""
    )


def m007_checks(db: sqlite3.Connection) -> None:
    """How far a model's compute types agree with float32: a row for each that was measured."""
    db.execute(
        """CREATE TABLE checks (
            id INTEGER PRIMARY KEY, time REAL NOT NULL, model TEXT NOT NULL,
            identity TEXT NOT NULL, compute_type TEXT NOT NULL, runs_as TEXT NOT NULL,
            agreement REAL NOT NULL, wer REAL, bytes INTEGER NOT NULL, peak_bytes INTEGER NOT NULL,
            rtf REAL NOT NULL, clips TEXT NOT NULL)"""
    )
    db.execute("CREATE INDEX checks_by_identity ON checks (identity, time)")


def m008_messages(db: sqlite3.Connection) -> None:
    """Stages, errors, notes and causes as JSON of messages, those that decide something as codes.

    Other sentences of before stay as they were written, which reads as well.
    """
    fixed = {
        "The demo model understands synthesized demo speech only.": "demo",
        "The sound was deleted, because its days were over.": "sound_gone",
        "No speech was found in this recording.": "no_speech",
    }
    begun = {
        "Who spoke when could not be found: ": "no_speakers",
        "The gaps were not transcribed again: ": "gaps_left",
    }

    def converted(note: str) -> str:
        if note in fixed:
            return json.dumps({"code": fixed[note]})
        for beginning, code in begun.items():
            if note.startswith(beginning):
                reason = {"message": {"text": note.removeprefix(beginning)}}
                return json.dumps({"code": code, "values": {"reason": reason}})
        return note

    for job, notes in db.execute("SELECT id, notes FROM jobs WHERE notes != '[]'").fetchall():
        now = json.dumps([converted(note) for note in json.loads(notes)])
        db.execute("UPDATE jobs SET notes = ? WHERE id = ?", (now, job))
    db.execute("UPDATE jobs SET stage = ''")  # whoever works on a job says it anew
    # "Degraded: ..." of an event that says its level beside it
    db.execute(
        "UPDATE events SET cause = substr(cause, length(level) + 3) "
        "WHERE kind = 'level' AND lower(cause) LIKE level || ': %'"
    )


def m009_marks(db: sqlite3.Connection) -> None:
    """Marks are parts of words: vowels of Indian scripts and of Thai tell words apart."""
    db.execute("DROP TABLE segments_fts")
    db.execute(
        """CREATE VIRTUAL TABLE segments_fts USING fts5 (
            current, content='segments', content_rowid='id',
            tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'")"""
    )
    db.execute("INSERT INTO segments_fts (segments_fts) VALUES ('rebuild')")


def m010_versions(db: sqlite3.Connection) -> None:
    """Transcripts as they were at a moment, under a name; `last` is the change made last then."""
    db.execute(
        """CREATE TABLE versions (
            id INTEGER PRIMARY KEY, job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            time REAL NOT NULL, name TEXT NOT NULL, author TEXT NOT NULL,
            checked INTEGER NOT NULL, last INTEGER NOT NULL, state BLOB NOT NULL)"""
    )
    db.execute("CREATE INDEX versions_by_job ON versions (job, time)")


def m011_labels(db: sqlite3.Connection) -> None:
    """Projects that recordings are kept in, and tags that they have."""
    db.execute("ALTER TABLE jobs ADD COLUMN project TEXT NOT NULL DEFAULT ''")
    db.execute(
        """CREATE TABLE tags (
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, tag TEXT NOT NULL,
            PRIMARY KEY (job, tag)) WITHOUT ROWID"""
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m001_initial,
    m002_search,
    m003_speakers,
    m004_memory,
    m005_changes,
    m006_laboratory,
    m007_checks,
    m008_messages,
    m009_marks,
    m010_versions,
    m011_labels,
)


def migrate(db: sqlite3.Connection) -> None:
    """Apply what is missing; `db` must be in autocommit mode. Safe in several processes at once."""
    for number, migration in enumerate(MIGRATIONS, start=1):
        db.execute("BEGIN IMMEDIATE")
        try:
            if db.execute("PRAGMA user_version").fetchone()[0] < number:
                migration(db)
                db.execute(f"PRAGMA user_version = {number}")
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
