"""What is tried on a recording's voices: settings, grids of them, and how a result is written.

Plain values alone: pages and the command line make them, workers are asked with them.
"""

import itertools
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from transcrevai_core.diarization.recipes import KNOWING, REVISION, resolved
from transcrevai_core.errors import InputError, SettingError, refusal
from transcrevai_core.export.plain import explained
from transcrevai_core.i18n import mark
from transcrevai_core.library.rows import fingerprint
from transcrevai_core.messages import Message
from transcrevai_core.options import DEFAULTS, JobOptions
from transcrevai_core.settings import describe
from transcrevai_core.types import Job, Turn

Values = dict[str, Any]

FORMAT = "transcrevai diarization 1"
MOST_POINTS = 2_000  # of a grid: more is a slip of the pen
# settings of the voices themselves, which are found anew where they change
VOICE_SETTINGS = ("embedding", "overlap", "window_seconds", "hop_seconds")
# what a random search looks through where nothing else is asked for
USUAL_GRID: Mapping[str, Sequence[Any]] = {
    "speaker_threshold": [None, *(round(0.4 + 0.02 * n, 2) for n in range(21))],
    "clustering": ["auto", "agglomerative", "spectral", "k-means", "vbx"],
    "min_speaker_share": [0.003, 0.01, 0.02, 0.05],
    "resegment_rounds": [None, 1, 2],
    "min_turn_seconds": [0.0, 0.3, 0.6],
}
NAMES = tuple(JobOptions(**DEFAULTS).diarization())
_COUNTING = ("speaker_threshold", "counting")  # what finds the number of speakers
# settings that leave others without effect
_DECIDING = (
    "channels", "speakers", "min_speakers", "max_speakers", "counting", "clustering", "embedding"
)  # fmt: skip
_NONE_WORDS = ("auto", "none", "")


def checked(values: Mapping[str, Any]) -> Values:
    """Return all settings of diarization, those of `values` checked, the others their defaults.

    Raises SettingError with one sentence.
    """
    known = {name: value for name, value in values.items() if name in JobOptions.model_fields}
    if unknown := sorted(set(values) - set(known)):
        raise SettingError(
            "There is no setting {name} of speakers; one of {known} is.",
            name=unknown[0],
            known=", ".join(sorted(NAMES)),
        )
    try:
        return resolved(JobOptions(**known).diarization())
    except ValidationError as error:
        raise SettingError.of(describe(error)) from None


def job_settings(job: Job) -> Values:
    """Return the settings that a job's speakers were, or would be, found with, of its mix."""
    kept = job.diarization.get("settings") or JobOptions(**job.options).diarization()
    settings = {name: kept.get(name, DEFAULTS[name]) for name in NAMES} | {"channels": "mix"}
    return resolved(settings)


# -- grids -------------------------------------------------------------------------------------


def parse_grid(texts: Iterable[str]) -> dict[str, list[Any]]:
    """Read what is to be tried: `NAME=FIRST:LAST:STEP` or `NAME=VALUE,VALUE`.

    Raises SettingError with one sentence.

    >>> parse_grid(["speaker_threshold=0.4:0.5:0.05", "speakers=auto,3"])
    {'speaker_threshold': [0.4, 0.45, 0.5], 'speakers': [None, 3]}
    """
    grid: dict[str, list[Any]] = {}
    for text in texts:
        name, sign, right = text.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or not right.strip():
            raise SettingError(
                "{sweep!r} is no sweep; NAME=FIRST:LAST:STEP or NAME=VALUE,VALUE would be right.",
                sweep=text,
            )
        pieces = _range(text, right) if ":" in right else right.split(",")
        grid[name] = [_value(name, piece.strip()) for piece in pieces]
    return grid


def _range(text: str, right: str) -> list[str]:
    try:
        first, last, step = (float(piece) for piece in right.split(":"))
    except ValueError:
        first = last = step = 0.0
    if not step > 0 or last < first or (last - first) / step > MOST_POINTS:
        raise SettingError(
            "{range!r} is no range; NAME=FIRST:LAST:STEP would be right.", range=text
        )
    count = int((last - first) / step + 1e-6) + 1
    return [f"{first + n * step:.6g}" for n in range(count)]


def _value(name: str, piece: str) -> Any:
    """Return a value of a setting as it is kept, checked by its declaration."""
    info = JobOptions.model_fields.get(name)
    empty = info is not None and info.default is None and piece in _NONE_WORDS
    value = None if empty else piece
    if name == "max_speakers":  # it is checked against the fewest
        return checked({name: value, "min_speakers": 1})[name]
    if name == "min_speakers":
        return checked({name: value, "max_speakers": 20})[name]
    settings = checked({name: value})
    if name not in settings:
        raise SettingError(
            "{name} says nothing of speakers; one of {known} would.",
            name=name,
            known=", ".join(NAMES),
        )
    return settings[name]


def points(grid: Mapping[str, Sequence[Any]], number: int | None = None) -> list[Values]:
    """Return the points of a grid in order, or so many of them at random (always the same ones).

    Points of the same voices follow each other. Raises SettingError where there are too many.
    """
    size = 1
    for values in grid.values():
        size *= len(values)
    if min(size, number or size) > MOST_POINTS:
        raise SettingError(
            "The sweep has {size} settings; at most {most}, or so many of them at random, would be "
            "right.",
            size=size,
            most=MOST_POINTS,
        )
    names = sorted(grid, key=lambda name: name not in VOICE_SETTINGS)
    chosen: Iterable[int] = range(size)
    if number is not None and number < size:
        chosen = sorted(random.Random(0).sample(range(size), number))
    return [_point(grid, names, place) for place in chosen]


def _point(grid: Mapping[str, Sequence[Any]], names: Sequence[str], place: int) -> Values:
    found = {}
    for name in reversed(names):
        place, at = divmod(place, len(grid[name]))
        found[name] = grid[name][at]
    return {name: found[name] for name in names}


def fixed(values: Mapping[str, Any], grid: Mapping[str, Sequence[Any]]) -> Values:
    """Return the settings that are not as they are by default, and that a grid does not vary.

    >>> fixed({"speakers": 3, "clustering": "vbx"}, {"clustering": ["auto", "vbx"]})
    {'speakers': 3}
    """
    return changed({name: value for name, value in values.items() if name not in grid})


def idle(values: Mapping[str, Any]) -> dict[str, Message]:
    """Return which settings change nothing beside the others, each with the reason.

    >>> {name: str(reason) for name, reason in idle(checked({"counting": "eigengap"})).items()}
    {'speaker_threshold': 'this way of counting has no threshold'}
    """
    if values["channels"] == "speakers":
        others = [name for name in NAMES if name != "channels"]
        return dict.fromkeys(others, Message(mark("each channel is taken as one speaker")))
    if values["speakers"] is not None:
        names = (*_COUNTING, "min_speakers", "max_speakers")
        return dict.fromkeys(names, Message(mark("the number of speakers is given")))
    if values["min_speakers"] == values["max_speakers"]:
        return dict.fromkeys(_COUNTING, Message(mark("at least and at most are the same number")))
    found, knows = dict[str, Message](), resolved(values)["embedding"] in KNOWING
    if values["counting"] in ("eigengap", "silhouette"):
        found["speaker_threshold"] = Message(mark("this way of counting has no threshold"))
    if values["counting"] == "evidence" and not (knows and values["clustering"] in ("auto", "vbx")):
        reason = mark("only VBx weighs evidence, and likeness counts with this grouping")
        if not knows:
            reason = mark("this voice model gives no evidence, and likeness counts")
        found["counting"] = Message(reason)
    if values["clustering"] == "vbx" and not knows:
        reason = mark("this voice model has nothing for VBx, and k-means groups")
        found["clustering"] = Message(reason)
    return found


def without_effect(
    values: Mapping[str, Any], grid: Mapping[str, Sequence[Any]]
) -> dict[str, Message]:
    """Return what a grid varies that changes nothing at any of its points, with the reason.

    >>> grid = {"speaker_threshold": [0.5, 0.6], "clustering": ["auto", "vbx"]}
    >>> [*without_effect(checked({"speakers": 3}), grid)]
    ['speaker_threshold']
    """
    deciding = [name for name in _DECIDING if name in grid]
    found = [
        idle({**values, **dict(zip(deciding, chosen, strict=True))})
        for chosen in itertools.product(*(grid[name] for name in deciding))
    ]
    return {
        name: reason
        for name, reason in found[0].items()
        if name in grid and all(name in others for others in found)
    }


# -- results -----------------------------------------------------------------------------------


def export(
    job: Job, values: Mapping[str, Any], found: Mapping[str, Any], score: Any = None
) -> dict[str, Any]:
    """Return a result with all that it takes to reproduce it.

    `found` is what `tasks.diarize` returned, `score` what `tasks.score` did.
    """
    return {
        "format": FORMAT,
        "recording": {"title": job.title, "seconds": job.duration, "digest": job.digest},
        "model": model_of(values),
        "parameters": dict(values),
        "found": explained(found["facts"]),
        "score": score,
        "turns": [[turn.start, turn.end, turn.speaker] for turn in turns_of(found)],
    }


def model_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells one embedding from another."""
    name = values["embedding"]
    return {"embedding": name, "file": fingerprint(Path(name)), "revision": REVISION}


def turns_of(found: Mapping[str, Any]) -> list[Turn]:
    """Return the turns of a result of `tasks.diarize`."""
    return [Turn(*row) for row in found["turns"]]


def read_export(path: Path) -> dict[str, Any]:
    """Read what `export` wrote to a file; raises InputError with one sentence."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known = isinstance(found["recording"]["digest"], str)
        if found["format"] != FORMAT or not known or not isinstance(found["model"], dict):
            raise ValueError
        return {**found, "parameters": checked(dict(found["parameters"]))}
    except SettingError:
        raise
    except OSError as error:
        raise InputError(
            "{path} cannot be read ({reason}).", path=str(path), reason=refusal(error)
        ) from None
    except (ValueError, KeyError, TypeError):
        raise InputError(
            "{path} is no result of the laboratory; JSON from its page, or from "
            "`transcrevai tune --json`, would be right.",
            path=str(path),
        ) from None


def changed(values: Mapping[str, Any]) -> Values:
    """Return the settings that are not as they are by default.

    >>> changed({"speakers": 3, "clustering": "auto"})
    {'speakers': 3}
    """
    return {name: value for name, value in values.items() if value != DEFAULTS.get(name)}
