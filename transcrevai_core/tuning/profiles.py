"""Settings of diarization that are kept under a name, to be used on other recordings."""

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transcrevai_core.errors import InputError
from transcrevai_core.library.store import Store
from transcrevai_core.tuning.parameters import NAMES, checked

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Profile:
    """Settings (`JobOptions.diarization`) with a name; `source` says what they come from.

    It holds what is known of the digests of the sound and the reference, and of the DER.
    """

    name: str
    options: Mapping[str, Any]
    source: Mapping[str, Any]
    created: float


def check_name(store: Store, name: str) -> str:
    """Return a name as a profile would have it; raises InputError where it is taken or none."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise InputError(
            "A profile needs a name of 1 to {longest} characters, such as interviews.",
            longest=LONGEST_NAME,
        )
    if name in (profile.name for profile in list_profiles(store)):
        raise InputError(
            "There is a profile {name} already; another name would be right, or deleting it first.",
            name=name,
        )
    return name


def save(store: Store, name: str, options: Mapping[str, Any], source: Mapping[str, Any]) -> Profile:
    """Keep settings under a name that none has; raises InputError."""
    name = check_name(store, name)
    known = {key: value for key, value in options.items() if key in NAMES and key != "channels"}
    kept = {key: value for key, value in checked(known).items() if key in known}
    row = name, json.dumps(kept), json.dumps(dict(source)), time.time()
    with store.database.write() as db:
        db.execute(
            "INSERT OR REPLACE INTO profiles (name, options, source, created) VALUES (?, ?, ?, ?)",
            row,
        )
    return find(store, name)


def list_profiles(store: Store) -> list[Profile]:
    """Return all profiles by name."""
    with store.database.read() as db:
        rows = db.execute("SELECT * FROM profiles ORDER BY name COLLATE NOCASE, name").fetchall()
    return [_from_row(row) for row in rows]


def find(store: Store, name: str) -> Profile:
    """Return one profile; raises InputError where there is none."""
    with store.database.read() as db:
        row = db.execute("SELECT * FROM profiles WHERE name = ?", (name,)).fetchone()
    if row is None:
        names = ", ".join(profile.name for profile in list_profiles(store))
        if not names:
            raise InputError("There is no profile {name}; those there are: none so far.", name=name)
        raise InputError(
            "There is no profile {name}; those there are: {names}.", name=name, names=names
        )
    return _from_row(row)


def delete(store: Store, name: str) -> None:
    """Forget a profile; one that is gone already is fine."""
    with store.database.write() as db:
        db.execute("DELETE FROM profiles WHERE name = ?", (name,))


def apply(profile: Profile, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a job with a profile's settings in place of its own."""
    return {**options, **profile.options, "diarize": True}


def _from_row(row: sqlite3.Row) -> Profile:
    options, source = json.loads(row["options"]), json.loads(row["source"])
    return Profile(row["name"], options, source, row["created"])
