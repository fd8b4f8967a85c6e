"""`transcrevai models`: which Whisper models there are, and which are here."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from transcrevai_core.cli.flags import AsJson
from transcrevai_core.cli.matching import load_recordings
from transcrevai_core.cli.screen import draw, open_library, out, print_error
from transcrevai_core.codes import Note, Stage
from transcrevai_core.errors import InputError
from transcrevai_core.evaluation.references import WITH_TEXT
from transcrevai_core.jobs.measure_precision import check_model, running_governor
from transcrevai_core.jobs.models import fetch_model
from transcrevai_core.library import precision
from transcrevai_core.library.precision import Check, recordings, samples
from transcrevai_core.memory.forecast import weights_bytes
from transcrevai_core.memory.readings import MB
from transcrevai_core.models.catalogue import MODELS, locate
from transcrevai_core.settings import load_settings
from transcrevai_core.workers.background import Task

app = typer.Typer(help="The Whisper models: which there are, and which are here.")


@app.command("list")
def models_list(as_json: AsJson = False) -> None:
    """List the models by name: size, languages, and whether they are on this computer."""
    rows = [
        {
            "name": m.name,
            "download_mb": m.download_mb,
            "languages": m.languages,
            "path": str(locate(m.name) or ""),
        }
        for m in MODELS.values()
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("model", "download", "languages", "on this computer")
    for row in rows:
        size = f"{row['download_mb']} MB" if row["download_mb"] else "bundled"
        table.add_row(str(row["name"]), size, str(row["languages"]), "yes" if row["path"] else "")
    out.print(table)
    out.print(str(Note.DEMO))


@app.command("pull")
def models_pull(name: str) -> None:
    """Download a model, so that it can be used without a network afterwards."""
    settings = load_settings()
    fetch = Task(
        lambda task: fetch_model(
            name,
            settings,
            on_progress=lambda share: task.report(Stage.DOWNLOADING, share),
            on_wait=lambda reason: task.report(reason, 0.0),
            should_stop=task.should_stop,
        )
    )
    try:
        draw(name, fetch.is_alive, lambda: (str(fetch.stage or Stage.DOWNLOADING()), fetch.share))
        out.print(str(fetch.result()), soft_wrap=True)
    except KeyboardInterrupt:
        fetch.cancel()
        fetch.join()
        print_error(f"{name}: interrupted; the same command again goes on from there.")
        raise typer.Exit(130) from None


@app.command("path")
def models_path(name: str) -> None:
    """Print the folder of a model that is on this computer."""
    folder = locate(name)
    if folder is None:
        raise InputError(
            "{name} is not on this computer; transcrevai models pull {name} gets it.", name=name
        )
    out.print(str(folder), soft_wrap=True)


@app.command("check")
def models_check(
    name: str,
    clips: Annotated[
        list[Path] | None,
        typer.Option(
            "--clips",
            help="a recording to check with; may be given again [default: the bundled samples]",
            show_default=False,
        ),
    ] = None,
    references: Annotated[
        list[Path] | None,
        typer.Option(
            "--references",
            help="what is said in a clip, a text file of its name, or a "
            "folder of them; may be given again",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold INT8 against float32: the same clips by both, and how many words agree.

    Below the setting agreement_percent the model works in the next compute type from then on.
    """
    settings, store = open_library()
    texts = {
        said: spoken.text
        for path in references or ()
        for said, spoken in load_recordings(path, WITH_TEXT).items()
    }
    used = recordings(clips or (), texts, settings.language) if clips or texts else samples(name)

    def check(task: Task) -> Check:
        with running_governor(store, settings) as program:
            return check_model(
                program,
                name,
                used,
                on_progress=task.report,
                should_stop=task.should_stop,
            )

    work = Task(check)
    try:
        draw(name, work.is_alive, lambda: (str(work.stage or Stage.STARTING), work.share))
        found: Check = work.result()
    except KeyboardInterrupt:
        work.cancel()
        work.join()
        print_error(f"{name}: interrupted; nothing of it was kept.")
        raise typer.Exit(130) from None
    verdict = str(precision.verdict(found, settings.agreement_percent))
    if as_json:
        print(json.dumps(asdict(found) | {"verdict": verdict}, ensure_ascii=False, indent=2))
        return
    out.print(_side_by_side(found))
    out.print(verdict, soft_wrap=True)


def _side_by_side(check: Check) -> Table:
    table = Table("compute type", "agreement", "WER", "on disk", "weights", "peak", "RTF")
    for column in table.columns[1:]:
        column.justify = "right"
    for one in check.measures:
        sizes = (check.model_bytes, weights_bytes(check.model, one.compute_type), one.peak_bytes)
        wer = "" if one.wer is None else f"{one.wer:.1%}"
        told = (one.compute_type, f"{one.agreement:.1%}", wer)
        table.add_row(*told, *(f"{size / MB:.1f} MB" for size in sizes), f"{one.rtf:.3f}")
    return table
