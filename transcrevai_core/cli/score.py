"""`transcrevai score`: how far hypotheses are from their references."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from transcrevai_core.cli.flags import AsJson
from transcrevai_core.cli.matching import (
    MatchedRecordings,
    match,
    missing_speakers,
    missing_text,
    missing_turns,
)
from transcrevai_core.cli.screen import err, out, print_error
from transcrevai_core.errors import InputError
from transcrevai_core.evaluation.annotation import Annotation
from transcrevai_core.evaluation.cpwer import SpeakerPair, cpwer
from transcrevai_core.evaluation.metrics import (
    DiarizationErrors,
    WordErrors,
    align_words,
    character_errors,
    count_words,
)
from transcrevai_core.evaluation.normalisation import Policy
from transcrevai_core.evaluation.references import WITH_TEXT, WITH_TURNS
from transcrevai_core.evaluation.scoring import (
    CPWER,
    character_rate,
    check_reference,
    count_speakers,
    der_policy,
    pair_figures,
    sum_pairs,
    turn_errors,
    turn_figures,
    word_figures,
)

app = typer.Typer(help="Errors against references, counted as published tools count them.")

Reference = Annotated[
    Path, typer.Option("--reference", "-r", help="file, or folder of files, that is right")
]
Hypothesis = Annotated[
    Path,
    typer.Option(
        "--hypothesis", "-y", help="file, folder of files, or job of the library, to be judged"
    ),
]
Numbers = Annotated[
    str,
    typer.Option(
        "--numbers",
        help="language, pt or en, in which numbers in words count as the same in digits",
    ),
]
IgnoreAccents = Annotated[
    bool, typer.Option("--ignore_accents", help="take words for equal that differ in accents only")
]
IgnoreHyphens = Annotated[bool, typer.Option("--ignore_hyphens", help="take hyphens for spaces")]


@app.command("wer")
def score_wer(
    reference: Reference,
    hypothesis: Hypothesis,
    numbers: Numbers = "",
    ignore_accents: IgnoreAccents = False,
    ignore_hyphens: IgnoreHyphens = False,
    as_json: AsJson = False,
) -> None:
    """Word and character error rates of txt, srt, vtt, stm or json files, matched by name.

    A hypothesis may also be the id of a job, whose text is then as the model wrote it. What an stm
    wants to be ignored is left out, also from hypotheses that have times. What is missing from
    the hypotheses is named and counts as left out; the exit code is then 1.
    """
    policy = Policy(numbers, not ignore_accents, not ignore_hyphens)
    found = match(reference, hypothesis, WITH_TEXT, missing_text)
    check_reference(str(reference), (right for right, _ in found.pairs.values()))
    rows, total, errors, characters = [], WordErrors(), 0, 0
    for name, (right, mine) in found.pairs.items():
        text = (mine or Annotation()).without(right.unscored).text
        words = count_words(align_words(right.text, text, policy))
        wrong, length = character_errors(right.text, text, policy)
        rows.append(_word_row(name, words) | {"cer": round(character_rate(wrong, length), 6)})
        total, errors, characters = total + words, errors + wrong, characters + length
    summed = _word_row("total", total) | {"cer": round(character_rate(errors, characters), 6)}
    if as_json:
        _print(found, rows, summed, normalisation=str(policy))
    else:
        _show_words(rows, summed, ("WER", "wer"), ("CER", "cer"))
        out.print(str(policy), soft_wrap=True)
        out.print("CER counts the spaces between words as characters.", soft_wrap=True)
    _end(found)


@app.command("cpwer")
def score_cpwer(
    reference: Reference,
    hypothesis: Hypothesis,
    numbers: Numbers = "",
    ignore_accents: IgnoreAccents = False,
    ignore_hyphens: IgnoreHyphens = False,
    as_json: AsJson = False,
) -> None:
    """Word error rate with speakers (cpWER) of files that say who says what, matched by name.

    Those are stm, json, vtt with voices, and subtitles or txt in which every cue or line begins
    with a name and a colon, or which were exported here; a hypothesis may also be the id of a job.
    """
    policy = Policy(numbers, not ignore_accents, not ignore_hyphens)
    found = match(reference, hypothesis, WITH_TEXT, missing_speakers)
    check_reference(str(reference), (right for right, _ in found.pairs.values()))
    rows, total = [], WordErrors()
    for name, (right, mine) in found.pairs.items():
        theirs = (mine or Annotation()).without(right.unscored).speakers
        pairs: tuple[SpeakerPair, ...] = tuple(cpwer(right.speakers, theirs, policy))
        errors = sum_pairs(pairs)
        row = _word_row(name, errors, "cpwer")
        rows.append(row | {"pairs": [pair_figures(pair) for pair in pairs]})
        total += errors
    summed = _word_row("total", total, "cpwer")
    if as_json:
        _print(found, rows, summed, normalisation=str(policy), policy=CPWER)
    else:
        _show_words(rows, summed, ("cpWER", "cpwer"))
        out.print(CPWER, soft_wrap=True)
        out.print(str(policy), soft_wrap=True)
    _end(found)


@app.command("der")
def score_der(
    reference: Reference,
    hypothesis: Hypothesis,
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
    """Diarization and Jaccard error rates of rttm, stm or json files, matched by name; in percent.

    A recording goes by its file's name, or by the name inside where a file holds several. A
    hypothesis may also be the id of a job. One that is missing from the hypotheses is named and
    counts as missed; the exit code is then 1.
    """
    found = match(reference, hypothesis, WITH_TURNS, missing_turns)
    if not any(right.turns for right, _ in found.pairs.values()):
        raise InputError(
            "{file} holds no turn; who speaks when would be right.", file=str(reference)
        )
    rows, total = [], DiarizationErrors()
    for name, (right, mine) in found.pairs.items():
        errors = turn_errors(right, mine or Annotation(), collar, skip_overlap)
        total += errors
        rows.append(
            {"name": name}
            | turn_figures(errors)
            | {
                "speakers_reference": count_speakers(right),
                "speakers_hypothesis": count_speakers(mine or Annotation()),
            }
        )
    right_counts = sum(row["speakers_reference"] == row["speakers_hypothesis"] for row in rows)
    summed = {"name": "total"} | turn_figures(total) | {"right_counts": right_counts}
    if as_json:
        overlap = "left out" if skip_overlap else "scored"
        _print(found, rows, summed, collar_each_side=collar, overlap=overlap)
    else:
        _show_turns(rows, summed)
        out.print(str(der_policy(collar, skip_overlap)), soft_wrap=True)
    _end(found)


# -- what is printed ---------------------------------------------------------------------------


def _word_row(name: str, errors: WordErrors, rate: str = "wer") -> dict[str, Any]:
    return {"name": name} | word_figures(errors, rate)


def _print(
    found: MatchedRecordings, rows: list[dict[str, Any]], total: dict[str, Any], **policy: Any
) -> None:
    result = policy | {
        "files": rows, "total": total, "missing": found.missing, "extra": found.extra,
    }  # fmt: skip
    print(json.dumps(result, ensure_ascii=False, indent=2))


def _show_words(rows: list[dict[str, Any]], total: dict[str, Any], *rates: tuple[str, str]) -> None:
    counts = ("words", "substitutions", "deletions", "insertions")
    table = Table("recording", "words", *(head for head, _ in rates), "subst.", "deleted",
                  "inserted")  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    for row in (*rows, total):
        if row is total:
            table.add_section()
        words, *errors = (str(row[name]) for name in counts)
        table.add_row(row["name"], words, *(f"{100 * row[key]:.2f}" for _, key in rates), *errors)
    out.print(table)


def _show_turns(rows: list[dict[str, Any]], total: dict[str, Any]) -> None:
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
    add(total, f"{total['right_counts']}/{len(rows)} right")
    out.print(table)


def _end(found: MatchedRecordings) -> None:
    """Name what had no counterpart; exit with 1 where something was missing."""
    if found.extra:
        err.print(f"Without a reference, and left out: {', '.join(found.extra)}.", soft_wrap=True)
    if found.missing:
        names = ", ".join(found.missing)
        print_error(f"Without a hypothesis, and counted as missed: {names}.")
        raise typer.Exit(1)
