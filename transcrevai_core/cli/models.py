"""`transcrevai models`: which models there are, of words and of voices, and which are here."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from transcrevai_core.cli.flags import AsJson
from transcrevai_core.cli.matching import load_recordings
from transcrevai_core.cli.screen import draw, open_library, out, print_error
from transcrevai_core.codes import Note, Stage
from transcrevai_core.errors import InputError, ModelAbsent
from transcrevai_core.evaluation.references import WITH_TEXT
from transcrevai_core.jobs.measure_precision import check_model, running_governor
from transcrevai_core.jobs.models import fetch_model
from transcrevai_core.library import precision
from transcrevai_core.library.precision import Check, recordings, samples
from transcrevai_core.memory.forecast import weights_bytes
from transcrevai_core.memory.readings import MB
from transcrevai_core.models.catalogue import (
    MODELS,
    VOICES,
    Model,
    check_name,
    folder_of,
    locate,
    remove,
)
from transcrevai_core.models.integrity import first_wrong
from transcrevai_core.models.pins import PINS
from transcrevai_core.settings import load_settings
from transcrevai_core.workers.background import Task

app = typer.Typer(help="The models of words and of voices: which there are, and which are here.")


@app.command("list")
def models_list(as_json: AsJson = False) -> None:
    """List the models by name: size, what for, licence, and whether they are on this computer."""
    if as_json:
        print(json.dumps([_row(model) for model in (MODELS | VOICES).values()], indent=2))
        return
    table = Table("words", "download", "languages", "licence", "on this computer")
    voices = Table("voices", "download", "what for", "licence", "on this computer")
    for model in (MODELS | VOICES).values():
        size = f"{model.download_mb} MB" if model.repo else "bundled"
        here = "yes" if locate(model.name) else ""
        of_voices = model.name in VOICES
        told = model.use if of_voices else model.languages
        licence = model.licence if model.repo else "ours"
        (voices if of_voices else table).add_row(model.name, size, told, licence, here)
    out.print(table)
    out.print(voices)
    out.print(str(Note.DEMO))


def _row(model: Model) -> dict[str, Any]:
    pin = PINS.get(model.repo)
    return asdict(model) | {
        "revision": pin.revision if pin else None,
        "sha256": pin.digests.get(model.file) if pin else None,
        "path": str(locate(model.name) or ""),
    }


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
    """Print where a model is that is on this computer: its folder, or the file of one of voices."""
    folder = locate(name)
    if folder is None:
        raise InputError(
            "{name} is not on this computer; transcrevai models pull {name} gets it.", name=name
        )
    out.print(str(folder), soft_wrap=True)


@app.command("delete")
def models_delete(name: str) -> None:
    """Delete a model that was downloaded; it can be downloaded again at any time."""
    check_name(name)
    if not folder_of(name).is_dir():
        raise InputError(
            "{name} was not downloaded, so there is nothing to delete; one that is in the hub's "
            "cache would be right.",
            name=name,
        )
    remove(name)
    out.print(f"{name} is deleted.")


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

    Below the setting agreement_percent the model works in the next compute type from then on. Of
    one of voices the bytes are held against those that were published.
    """
    if name in VOICES:
        out.print(_bytes_checked(name), soft_wrap=True)
        return
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


def _bytes_checked(name: str) -> str:
    model, file = VOICES[name], locate(name)
    if file is None:
        raise ModelAbsent(
            "{name} is not on this computer; transcrevai models pull {name} gets it.", name=name
        )
    if not model.repo:
        return f"{name} comes with the program."
    wrong = first_wrong(file.parent, {file.name: PINS[model.repo].digests[model.file]})
    if wrong:
        return f"{file}: other bytes than those that were published, so made by somebody else."
    return f"{file}: the bytes that were published."


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
