"""HTTP routes of a transcript: its text and its waveform to read, and the changes of its user.

What the reader on the page shows comes from here, so that a correction costs one small request
and no drawing of the page.
"""

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from transcrevai_core import export
from transcrevai_core.audio import waveform
from transcrevai_core.errors import InputError, Outdated, TranscrevaiError
from transcrevai_core.figures import timeline
from transcrevai_core.i18n import say
from transcrevai_core.library import edits, history
from transcrevai_core.library.rows import read_names, read_turns, segment_from_row
from transcrevai_core.library.store import Store
from transcrevai_core.transcript.names import signature
from transcrevai_core.transcript.retiming import timed_words
from transcrevai_core.transcript.turns import display_name
from transcrevai_core.types import is_uncertain
from transcrevai_core.web.origin import Refused, check_sender
from transcrevai_core.web.transcript_changes import Asked, apply, given, numbers_of

URL = "/api/transcript"
LANGUAGE: ContextVar[str] = ContextVar("language", default="")  # of who asks
_COPIED = ("times", "speakers", "edited")  # what the text to be copied can have
_LONGEST_BODY = 1_000_000  # bytes; no segment is as long


def build_routes(find_store: Callable[[], Store]) -> list[Route]:
    """Return the routes; `find_store` is asked at each request, when settings are known."""

    async def text(request: Request) -> Response:
        return await _answer(request, lambda job, _asked: _packed(shown(find_store(), job)))

    async def wave(request: Request) -> Response:
        def loudness(job_id: str, _asked: Asked) -> Response:
            store = find_store()
            store.job(job_id)  # nothing but a job's own sound
            try:
                return _zipped(waveform.peaks(store.wav(job_id)), "application/octet-stream")
            except OSError:
                return JSONResponse({"error": "There is no sound for this job."}, 404)

        return await _answer(request, loudness)

    async def change(request: Request) -> Response:
        return await _answer(request, lambda job, asked: _packed(changed(find_store(), job, asked)))

    async def plain(request: Request) -> Response:
        wanted = {name: request.query_params.get(name) == "1" for name in _COPIED}

        def copied(job_id: str, _asked: Asked) -> Response:
            return _zipped(
                export.text(find_store().transcript(job_id), **wanted).encode("utf-8", "replace"),
                "text/plain; charset=utf-8",
            )

        return await _answer(request, copied)

    async def selection(request: Request) -> Response:
        return await _answer(request, lambda job, asked: _chosen(find_store(), job, asked))

    place = URL + "/{job_id}"
    return [
        Route(place, text, methods=["GET"]),
        Route(place, change, methods=["POST"]),
        Route(place + "/waveform", wave, methods=["GET"]),
        Route(place + "/text", plain, methods=["GET"]),
        Route(place + "/selection", selection, methods=["POST"]),
    ]


def error_response(error: TranscrevaiError, status: int) -> Response:
    """Say in the asker's language why there is no answer."""
    return JSONResponse({"error": say(error.message)}, status)


async def _answer(request: Request, make: Callable[[str, Asked], Response]) -> Response:
    """Make an answer in a thread, to what is asked for where it is sent, or a refusal."""
    LANGUAGE.set(request.query_params.get("language", ""))
    try:
        asked = await _body(request) if request.method == "POST" else {}
        return await run_sync(make, request.path_params["job_id"], asked)
    except Refused as error:
        return error_response(error, error.status)
    except Outdated as error:  # whoever asked should read it again
        return error_response(error, 409)
    except InputError as error:
        return error_response(error, 400)
    except TranscrevaiError as error:
        return error_response(error, 507)


async def _body(request: Request) -> Asked:
    check_sender(request)
    if int(request.headers.get("content-length") or _LONGEST_BODY + 1) > _LONGEST_BODY:
        raise Refused("This is more than one change can be.", 413)
    try:
        asked = await request.json()
        json.dumps(asked, ensure_ascii=False).encode()  # half a character could not be kept
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise Refused("A change is asked for as a JSON object, of whole characters.", 400)
    return asked


def _packed(content: Mapping[str, Any]) -> Response:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return _zipped(text.encode("utf-8", "replace"), "application/json")


def _zipped(content: bytes, media_type: str) -> Response:
    headers = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}
    return Response(gzip.compress(content, 3), media_type=media_type, headers=headers)


# -- what is shown -----------------------------------------------------------------------------


def shown(store: Store, job_id: str) -> dict[str, Any]:
    """Return all that the reader shows of a transcript, and nothing else.

    A word is [start, end, text, probability], a turn [start, end, place among `people`]; times
    are seconds. `undo` and `redo` name what would come next; `version` tells whether something
    else has changed the transcript.
    """
    with store.database.snapshot() as db:
        job, version = store.job(job_id), history.version(db, job_id)
        steps = _steps(db, job_id)
        rows = db.execute(
            'SELECT * FROM segments WHERE job = ? ORDER BY "start", "end", id', (job_id,)
        )
        segments = [_segment(row, job.language) for row in rows]
        return {
            "segments": segments,
            "duration": job.duration,
            "version": version,
            **_speakers(db, job_id),
            **steps,
        }


def _segment(row: sqlite3.Row, language: str | None) -> dict[str, Any]:
    # as they are stored, without a Word for each: there are tens of thousands
    words = json.loads(row["words"]) if row["edited"] is None else []
    if not words:
        own = timed_words(segment_from_row(row))
        words = [[round(w.start, 3), round(w.end, 3), w.text, w.probability] for w in own]
    found: dict[str, Any] = {
        "id": row["id"],
        "start": row["start"],
        "end": row["end"],
        "speaker": row["speaker"],
        "words": words,
    }
    if row["edited"] is not None:
        found["original"] = row["text"].strip()
    details = json.loads(row["details"])
    marks = {
        "note": row["note"],
        "highlighted": bool(row["highlighted"]),
        "looping": details["looping"],
        "uncertain": is_uncertain(details.get("temperature", 0), details.get("avg_logprob", 0)),
    }
    if row["note"]:
        marks["noted"] = signature(details.get("noted_by", ""), details.get("noted_at"))
    if details.get("language") not in (None, language):  # another one than most of it
        marks["language"] = details["language"]
    return found | {name: value for name, value in marks.items() if value}


def _speakers(db: sqlite3.Connection, job_id: str) -> dict[str, Any]:
    names, places = read_names(db, job_id), {}
    people = []
    for place, label in enumerate(edits.labels_of(db, job_id)):
        look = timeline.colour(label)
        name = display_name(label, names)
        people.append({"label": label, "name": name, "fill": look.fill, "ink": look.text})
        places[label] = place
    turns = [[turn.start, turn.end, places[turn.speaker]] for turn in read_turns(db, job_id)]
    return {"people": people, "turns": turns}


def _steps(db: sqlite3.Connection, job_id: str) -> dict[str, Any]:
    undo, redo = history.history(db, job_id)
    return {"undo": undo, "redo": redo}


# -- what is changed ---------------------------------------------------------------------------


def changed(store: Store, job_id: str, asked: Asked) -> dict[str, Any]:
    """Do what is asked for; return what is different now, in the shape of `shown`.

    `gone` are the numbers of segments that are no more; `people` and `turns` are told where who
    speaks when has changed. Whoever showed another version than `before` does not show what others
    have changed. Raises Outdated for what is not as it was `shown`, InputError for what cannot be
    done.
    """
    change = apply(store, job_id, asked)
    with store.database.snapshot() as db:
        rows, language = _find(db, job_id, change.segments), store.job(job_id).language
        state = _steps(db, job_id) | (_speakers(db, job_id) if change.speakers else {})
    there = {row["id"] for row in rows}
    return {
        "what": change.what,
        "number": change.number,
        "before": change.before,
        "version": change.version,
        "segments": [_segment(row, language) for row in rows],
        "gone": [number for number in change.segments if number not in there],
        **state,
    }


def _chosen(store: Store, job_id: str, asked: Asked) -> Response:
    """Give a file of some segments alone."""
    format, numbers = given(asked, "format", str), {*numbers_of(asked)}
    whole = store.transcript(job_id)
    some = replace(whole, segments=tuple(s for s in whole.segments if s.id in numbers))
    name = export.file_name(export.file_stem(whole.title), format)
    response = _zipped(export.write(some, format).encode(), export.mime_type(format))
    response.headers["X-File-Name"] = quote(name)
    return response


def _find(db: sqlite3.Connection, job_id: str, numbers: Iterable[int]) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT * FROM segments WHERE job = ? AND id IN (SELECT value FROM json_each(?))",
        (job_id, json.dumps([*numbers])),
    ).fetchall()
