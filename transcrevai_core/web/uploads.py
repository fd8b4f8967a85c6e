"""HTTP routes beside the pages: uploads that stream to disk, and a job's sound with ranges.

Those of a transcript's text are in `transcript_routes`, those of jobs that run in `progress`.
None ever holds a recording in memory.
"""

import errno
import re
import shutil
import time
import unicodedata
import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from transcrevai_core.errors import StorageError, TranscrevaiError, refusal
from transcrevai_core.library.store import Store
from transcrevai_core.web import progress, transcript_routes
from transcrevai_core.web.origin import Refused, check_sender

UPLOAD_URL, AUDIO_URL = "/api/upload", "/api/audio"
DAY = 86_400.0

_PART = ".part"
_HEX = re.compile(r"[0-9a-f]{32}")


def build_routes(find_store: Callable[[], Store], max_bytes: Callable[[], int]) -> list[Route]:
    """Return the routes; both callables are asked at each request, when settings are known."""

    async def upload(request: Request) -> Response:
        transcript_routes.LANGUAGE.set(request.query_params.get("language", ""))
        try:
            if request.method == "POST":  # asks only: a browser that is sending reads no refusal
                size = request.query_params.get("size", "")
                announced = int(size) if size.isdecimal() else 0
                check(request, announced, find_store().home, max_bytes())
                return JSONResponse({})
            return JSONResponse(await receive(request, find_store().home, max_bytes()))
        except Refused as error:
            return transcript_routes.error_response(error, error.status)
        except TranscrevaiError as error:
            return transcript_routes.error_response(error, 507)
        except ClientDisconnect:  # nobody is left to read an answer
            return Response(status_code=400)

    async def audio(request: Request) -> Response:
        job_id = request.path_params["job_id"]
        wav = find_store().wav(job_id)
        if not _HEX.fullmatch(job_id) or not wav.is_file():
            return JSONResponse({"error": "There is no sound for this job."}, 404)
        headers = {"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "private"}
        return FileResponse(wav, media_type="audio/wav", headers=headers)

    routes = [
        Route(UPLOAD_URL, upload, methods=["PUT", "POST"]),
        Route(AUDIO_URL + "/{job_id}", audio, methods=["GET"]),
        *transcript_routes.build_routes(find_store),
        *progress.build_routes(find_store),
    ]
    return [Route(r.path, _guarded(r.endpoint), methods=[*(r.methods or ())]) for r in routes]


def _guarded(
    answer: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Answer only where the address is one of ours: Streamlit looks after its own routes alone."""

    async def guarded(request: Request) -> Response:
        from streamlit import config

        if is_ours(request.url.hostname or "", config.get_option("server.allowedHosts")):
            return await answer(request)
        return JSONResponse({"error": "TranscrevAI does not answer to this address."}, 403)

    return guarded


def is_ours(host: str, allowed: Sequence[str]) -> bool:
    """Tell whether Streamlit's own setting `server.allowedHosts` names a host."""
    patterns = [pattern.strip().lower().strip("[]").rstrip(".") for pattern in allowed]
    host = host.lower().rstrip(".")
    return not patterns or any(
        pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))
        for pattern in patterns
    )


def check(request: Request, announced: int, home: Path, max_bytes: int) -> str:
    """Return the safe name of an upload of so many bytes; raises Refused or StorageError."""
    check_sender(request)
    name = safe_name(request.query_params.get("name", ""))
    _check_limit(name, announced, max_bytes)
    free = shutil.disk_usage(home).free
    if announced > free:
        raise StorageError(
            "The disk is full: {name} needs {needed} MB and {free} MB are free; make room and try "
            "again.",
            name=name,
            needed=announced // 10**6,
            free=free // 10**6,
        )
    return name


async def receive(request: Request, home: Path, max_bytes: int) -> dict[str, str | int]:
    """Stream a request's body to a folder of its own; a broken upload leaves nothing behind.

    Returns `{"upload", "name", "size"}`; raises Refused, StorageError or ClientDisconnect.
    """
    name = check(request, int(request.headers.get("content-length") or 0), home, max_bytes)
    upload = uuid.uuid4().hex
    folder = home / "uploads" / upload
    size = 0
    try:
        folder.mkdir(mode=0o700, parents=True)
        with (folder / _PART).open("wb") as file:
            async for block in request.stream():
                size += len(block)
                _check_limit(name, size, max_bytes)
                # in a thread: a slow disk must not hold up the pages of everyone else
                await anyio.to_thread.run_sync(file.write, block)
        if not size:
            raise Refused("{name} is empty; choose a file with sound in it.", 400, name=name)
        (folder / _PART).replace(folder / name)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise _storage_error(error, name, size, home) from error
        raise
    return {"upload": upload, "name": name, "size": size}


def max_upload_bytes() -> int:
    """Return the limit that Streamlit's own setting `server.maxUploadSize` states, in bytes."""
    from streamlit import config

    return int(config.get_option("server.maxUploadSize")) * 2**20


def find_upload(home: Path, upload: str) -> Path | None:
    """Return the file of a finished upload that no job has taken yet, else None."""
    if not _HEX.fullmatch(upload):
        return None
    files = (home / "uploads" / upload).glob("*")
    return next((file for file in files if file.name != _PART), None)


def keep(home: Path, name: str, sound: Path | memoryview) -> Path:
    """Put a recording that is here already, a file or a few minutes in memory, among the uploads.

    A file becomes a second link to the same sound where the disk can do that, else a copy.
    """
    folder = home / "uploads" / uuid.uuid4().hex
    kept = folder / safe_name(name)
    try:
        folder.mkdir(mode=0o700, parents=True)
        if isinstance(sound, Path):
            try:
                kept.hardlink_to(sound)
            except OSError:
                shutil.copyfile(sound, kept)
        else:
            kept.write_bytes(sound)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _storage_error(error, name, 0, home) from error
    return kept


def upload_of(home: Path, file: Path) -> str:
    """Return the id of the upload that a file is; empty for a file of the user's own."""
    return file.parent.name if file.parent.parent == home / "uploads" else ""


def forget(home: Path, file: Path) -> None:
    """Remove an upload that is not wanted after all; a file of the user's own stays."""
    if upload_of(home, file):
        shutil.rmtree(file.parent, ignore_errors=True)


def remove_abandoned(home: Path, older_than: float = DAY) -> int:
    """Remove uploads that no job took and that are older than so many seconds; return how many."""
    removed = 0
    for folder in (home / "uploads").glob("*"):
        try:
            old = time.time() - folder.stat().st_mtime > older_than
        except OSError:  # taken in the meantime
            continue
        if old:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def safe_name(name: str) -> str:
    r"""Return a file name that every platform takes, in at most 120 bytes, with its extension.

    >>> safe_name("../../etc/pass:wd?.mp3"), safe_name("C:\\a\\Reunião 3.wav"), safe_name("..")
    ('pass_wd_.mp3', 'Reunião 3.wav', 'recording')
    """
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = re.sub(r'[\x00-\x1f\x7f<>:"|?*]', "_", name).strip(" .")
    path = Path(name or "recording")
    suffix = path.suffix if len(path.suffix.encode()) <= 20 else ""
    stem = path.name.removesuffix(suffix).encode()[: 120 - len(suffix.encode())]
    return (stem.decode(errors="ignore") or "recording") + suffix


def _check_limit(name: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise Refused(
            "{name} is larger than {most} MB; give its path on this computer instead.",
            413,
            name=name,
            most=max_bytes // 10**6,
        )


def _storage_error(error: OSError, name: str, size: int, home: Path) -> StorageError:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        free = shutil.disk_usage(home).free // 10**6
        return StorageError(
            "The disk is full: {name} needs more than {needed} MB and {free} MB are free; make "
            "room and try again.",
            name=name,
            needed=size // 10**6,
            free=free,
        )
    return StorageError(
        "{name} cannot be written to {home}: {reason}.", name=name, home=home, reason=refusal(error)
    )
