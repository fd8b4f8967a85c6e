"""What was said, found by its words in all recordings."""

from transcrevai_core.library.rows import segment_from_row
from transcrevai_core.library.store import Store
from transcrevai_core.transcript.names import clean
from transcrevai_core.types import Job, Segment


def search(store: Store, query: str, limit: int = 100) -> list[tuple[Job, Segment]]:
    """Find segments that hold every word of `query` (the last one may be a beginning).

    Case and accents do not matter: "reuniao" finds "reunião". Best matches come first.
    """
    words = [word.replace('"', '""') for word in clean(query).split()]
    if not words:
        return []
    match = " ".join(f'"{word}"' for word in words) + "*"
    with store.database.snapshot() as db:
        found = db.execute(
            "SELECT segments.* FROM segments_fts "
            "JOIN segments ON segments.id = segments_fts.rowid "
            "WHERE segments_fts MATCH ? ORDER BY rank LIMIT ?",
            (match, limit),
        ).fetchall()
        jobs = {job_id: store.job(job_id) for job_id in {row["job"] for row in found}}
    return [(jobs[row["job"]], segment_from_row(row)) for row in found]
