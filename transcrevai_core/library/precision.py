"""How far a model's compute types agree with float32, as it was measured on this computer."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transcrevai_core import demo
from transcrevai_core.errors import InputError
from transcrevai_core.evaluation.references import recording_name
from transcrevai_core.library.database import Database
from transcrevai_core.messages import NOTHING, Message
from transcrevai_core.models.catalogue import MODELS, locate

EXACT = "float32"  # what the others are held against


@dataclass(frozen=True, slots=True)
class Measure:
    """How one compute type did on the clips.

    `compute_type` is what was asked for, `runs_as` what the model became of it. `agreement` is
    1 - WER of its words against those of float32, at least 0; `wer` against references, None
    where there were none. `peak_bytes` is the highest resident memory of a worker of its own,
    `rtf` seconds of decoding for each second of sound.
    """

    compute_type: str
    runs_as: str
    agreement: float
    wer: float | None
    peak_bytes: int
    rtf: float


@dataclass(frozen=True, slots=True)
class Check:
    """Compute types of a model side by side, on the same clips; `time` is Unix time.

    `clips` is how many were cut from each recording, `model_bytes` the size of the model's file.
    """

    time: float
    model: str
    clips: Mapping[str, int]
    model_bytes: int
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording to be cut into clips; the language is None where it is to be detected.

    It is called by its `title`, or by its file's name where it has none.
    """

    path: Path
    language: str | None = None
    reference: str | None = None
    title: str = ""


def samples(model: str) -> list[Recording]:
    """Return the bundled recordings that a model can understand, with their references."""
    english = model.endswith(".en") or (model in MODELS and MODELS[model].languages == "en")
    return [
        Recording(demo.sample_path(language), language, demo.reference_text(language), title)
        for language, title in demo.SAMPLES.items()
        if language == "en" or not english
    ]


def recordings(
    files: Sequence[Path], references: Mapping[str, str], language: str | None
) -> list[Recording]:
    """Return files with their references, matched by name.

    Raises InputError for a reference without a file.
    """
    names = {recording_name(file.name) for file in files}
    if lonely := sorted(references.keys() - names):
        raise InputError(
            "No clip is called {name}; a reference named as its clip is right.", name=lonely[0]
        )
    return [Recording(file, language, references.get(recording_name(file.name))) for file in files]


def identity(folder: Path) -> str:
    """Tell one download of a model from another: its place, its size and its time."""
    file = (folder / "model.bin").resolve()
    found = file.stat()
    return f"{file} {found.st_size}:{found.st_mtime_ns}"


def here(model: str) -> str:
    """Return the identity of a model that is on this computer, else nothing."""
    try:
        folder = locate(model)
        return identity(folder) if folder else ""
    except (OSError, ValueError, RuntimeError):  # not to be read, or no path at all
        return ""


def save(database: Database, check: Check, folder: Path) -> None:
    """Keep a check of the model in `folder`; it counts from now on."""
    rows = [
        (
            check.time, check.model, identity(folder), measure.compute_type, measure.runs_as,
            measure.agreement, measure.wer, check.model_bytes, measure.peak_bytes, measure.rtf,
            json.dumps(dict(check.clips)),
        )
        for measure in check.measures
    ]  # fmt: skip
    with database.write() as db:
        db.executemany(
            "INSERT INTO checks (time, model, identity, compute_type, runs_as, agreement, wer, "
            "bytes, peak_bytes, rtf, clips) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def latest(database: Database) -> list[Check]:
    """Return the last check of each model that is still as it was checked, newest first."""
    with database.read() as db:
        rows = db.execute("SELECT * FROM checks ORDER BY time DESC, id").fetchall()
    found: dict[str, Check] = {}
    for row in rows:
        known = found.get(row["model"])
        if (known and known.time != row["time"]) or here(row["model"]) != row["identity"]:
            continue
        measure = Measure(
            row["compute_type"], row["runs_as"], row["agreement"], row["wer"], row["peak_bytes"],
            row["rtf"],
        )  # fmt: skip
        found[row["model"]] = Check(
            row["time"],
            row["model"],
            json.loads(row["clips"]),
            row["bytes"],
            (*(known.measures if known else ()), measure),
        )
    return list(found.values())


def disagreeing(database: Database, model: str, percent: float) -> tuple[tuple[str, float], ...]:
    """Return the compute types of a model whose last check agreed less, with how much it did.

    Empty for a model that is not here, or was never checked.
    """
    known = here(model)
    if not known:
        return ()
    with database.read() as db:
        rows = db.execute(
            "SELECT compute_type, agreement, max(time) FROM checks WHERE identity = ? "
            "GROUP BY compute_type ORDER BY compute_type",
            (known,),
        ).fetchall()
    return tuple((row[0], row[1]) for row in rows if 100 * row[1] < percent)


def new_check(
    model: str, clips: Mapping[str, int], folder: Path, measures: Sequence[Measure]
) -> Check:
    """Return a check that was made now, of the model in `folder`."""
    size = (folder / "model.bin").stat().st_size
    return Check(time.time(), model, dict(clips), size, tuple(measures))


def verdict(check: Check, percent: float) -> Message:
    """Say in one sentence what follows from a check, where `percent` of the words must agree.

    >>> one = Measure("int8", "int8_float32", 0.95, None, 0, 0.1)
    >>> print(verdict(Check(0.0, "base", {"a.wav": 3}, 0, (one,)), 90))
    95.0% of the words of base in int8 agree with float32's, at least the 90% that is asked for, \
so it goes on in int8.
    """
    for one in check.measures:
        if one.compute_type == EXACT:
            continue
        values = {"share": one.agreement, "model": check.model, "type": one.compute_type,
                  "least": percent}  # fmt: skip
        if 100 * one.agreement < percent:
            return Message(
                "{share:.1%} of the words of {model} in {type} agree with float32's, less than the "
                "{least:g}% that is asked for, so from now on it works in the next compute type.",
                values,
            )
        return Message(
            "{share:.1%} of the words of {model} in {type} agree with float32's, at least the "
            "{least:g}% that is asked for, so it goes on in {type}.",
            values,
        )
    return NOTHING
