"""How much lies on disk, and how much more could."""

import contextlib
import os
import shutil
from pathlib import Path


def size_of(folder: Path) -> int:
    """Return the bytes of all files under a folder; 0 for one that there is not."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # it has gone meanwhile, or is none of ours
                total += (Path(place) / name).stat().st_size
    return total


def free_bytes(folder: Path) -> int:
    """Return the bytes that are free where a folder lies, or is yet to be made."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):  # it is yet to be made
            return shutil.disk_usage(place).free
    return 0
