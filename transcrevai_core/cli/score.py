"""`transcrevai score`: how far hypotheses are from their references."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from transcrevai_core.cli.flags import AsJson
from transcrevai_core.cli.screen import complain, err, out
from transcrevai_core.errors import InputError
from transcrevai_core.metrics import DiarizationErrors, der
from transcrevai_core.rttm import parse_rttm
from transcrevai_core.types import Turn

app = typer.Typer(help="Errors against references, counted as published tools count them.")


@app.callback()
def _group() -> None:
    """Keep `score` a group while it has but one command."""


@app.command("der")
def score_der(
    reference: Annotated[
        Path, typer.Option("--reference", "-r", help="RTTM file, or folder of them, that is right")
    ],
    hypothesis: Annotated[
        Path, typer.Option("--hypothesis", "-y", help="RTTM file, or folder of them, to be judged")
    ],
    collar: Annotated[
        float,
        typer.Option(
            "--collar",
            min=0.0,
            help="seconds that are not scored on each side of every boundary of the reference",
        ),
    ] = 0.0,
    skip_overlap: Annotated[
        bool, typer.Option("--skip_overlap", help="leave out where the reference overlaps")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Diarization and Jaccard error rates of RTTM files, matched by name; in percent.

    A recording goes by its file's name, or by the name inside where a file holds several. One
    that is missing from the hypotheses is named and counts as missed; the exit code is then 1.
    """
    references, hypotheses = _recordings(reference), _recordings(hypothesis)
    if reference.is_file() and hypothesis.is_file() and len(references) == len(hypotheses) == 1:
        hypotheses = dict(zip(references, hypotheses.values(), strict=True))  # two files, a pair
    missing = sorted(references.keys() - hypotheses.keys())
    extra = sorted(hypotheses.keys() - references.keys())
    rows, total = [], DiarizationErrors()
    for name, turns in sorted(references.items()):
        found = hypotheses.get(name, [])
        errors = der(turns, found, collar=collar, skip_overlap=skip_overlap)
        total += errors
        rows.append(_row(name, errors, _count(turns), _count(found)))
    right = sum(row["speakers_reference"] == row["speakers_hypothesis"] for row in rows)
    if as_json:
        result = {
            "collar_each_side": collar,
            "overlap": "left out" if skip_overlap else "scored",
            "files": rows,
            "total": _row("total", total) | {"right_counts": right},
            "missing": missing,
            "extra": extra,
        }
        print(json.dumps(result, ensure_ascii=False, indent=2))
    else:
        _show(rows, _row("total", total), right)
        out.print(_policy(collar, skip_overlap), soft_wrap=True)
    if extra:
        err.print(f"Without a reference, and left out: {', '.join(extra)}.", soft_wrap=True)
    if missing:
        complain(f"Without a hypothesis, and counted as missed: {', '.join(missing)}.")
        raise typer.Exit(1)


def _recordings(path: Path) -> dict[str, list[Turn]]:
    """Return the turns of each recording in an RTTM file or a folder of them, by name."""
    if not path.exists():
        raise InputError(f"There is no {path}; an RTTM file or a folder of them would be right.")
    files = sorted(path.glob("*.rttm")) if path.is_dir() else [path]
    if not files:
        raise InputError(f"The folder {path} holds no .rttm file; one for each would be right.")
    found: dict[str, list[Turn]] = {}
    for file in files:
        for name, turns in _read(file).items():
            if name in found:
                raise InputError(f"{path} holds {name} twice; once would be right.")
            found[name] = turns
    return found


def _read(file: Path) -> dict[str, list[Turn]]:
    try:
        text = file.read_text(encoding="utf-8")
        lines = [line.split() for line in text.splitlines()]
        inside = dict.fromkeys(line[1] for line in lines if line[:1] == ["SPEAKER"] and line[1:])
        if len(inside) > 1:
            return {name: parse_rttm(text, name) for name in inside}
        return {"_".join(file.stem.split()): parse_rttm(text)}  # as format_rttm writes names
    except UnicodeDecodeError:
        raise InputError(f"{file} is no text; an RTTM file would be right.") from None
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}).") from None
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def _count(turns: list[Turn]) -> int:
    return len({turn.speaker for turn in turns})


def _row(name: str, errors: DiarizationErrors, *speakers: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": name,
        "seconds": round(errors.total, 3),
        "der": round(errors.rate, 6),
        "missed": round(errors.share(errors.missed), 6),
        "false_alarm": round(errors.share(errors.false_alarm), 6),
        "confusion": round(errors.share(errors.confusion), 6),
        "jer": round(errors.jer, 6),
    }
    return row | dict(zip(("speakers_reference", "speakers_hypothesis"), speakers, strict=False))


def _show(rows: list[dict[str, Any]], total: dict[str, Any], right: int) -> None:
    table = Table("recording", "speech s", "DER", "missed", "alarm", "confusion", "JER", "speakers")
    for column in table.columns[1:]:
        column.justify = "right"

    def add(row: dict[str, Any], speakers: str) -> None:
        parts = (row[key] for key in ("der", "missed", "false_alarm", "confusion", "jer"))
        cells = (f"{100 * part:.2f}" for part in parts)
        table.add_row(row["name"], f"{row['seconds']:.1f}", *cells, speakers)

    for row in rows:
        add(row, f"{row['speakers_hypothesis']} of {row['speakers_reference']}")
    table.add_section()
    add(total, f"{right}/{len(rows)} right")
    out.print(table)


def _policy(collar: float, skip_overlap: bool) -> str:
    """Say in words what was scored.

    >>> print(_policy(0.25, False))
    DER: collar 0.25 s on each side of every reference boundary (0.5 s in all, which is what \
pyannote.metrics calls collar=0.5); overlap is scored. JER: no collar, overlap is scored.
    """
    width = "no collar, every moment is scored"
    if collar:
        whole = f"{2 * collar:g}"
        width = (
            f"collar {collar:g} s on each side of every reference boundary ({whole} s in all, "
            f"which is what pyannote.metrics calls collar={whole})"
        )
    overlap = "left out" if skip_overlap else "scored"
    return f"DER: {width}; overlap is {overlap}. JER: no collar, overlap is scored."
