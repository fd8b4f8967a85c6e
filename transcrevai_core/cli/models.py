"""`transcrevai models`: which Whisper models there are, and which are here."""

import json
import threading

import typer
from rich.table import Table

from transcrevai_core import demo
from transcrevai_core.background import Background
from transcrevai_core.cli.flags import AsJson
from transcrevai_core.cli.screen import complain, draw, out
from transcrevai_core.errors import InputError
from transcrevai_core.models import fetch_model
from transcrevai_core.settings import load_settings
from transcrevai_core.transcription.catalogue import MODELS, locate

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
    out.print(demo.NOTE)


@app.command("pull")
def models_pull(name: str) -> None:
    """Download a model, so that it can be used without a network afterwards."""
    settings = load_settings()
    share, ending = [0.0], threading.Event()
    fetch = Background(
        lambda: fetch_model(
            name,
            settings.download_stall_seconds,
            on_progress=share.append,
            should_stop=ending.is_set,
        )
    )
    try:
        draw(name, fetch.is_alive, lambda: ("downloading", share[-1]))
        out.print(str(fetch.result()), soft_wrap=True)
    except KeyboardInterrupt:
        ending.set()
        fetch.join()
        complain(f"{name}: interrupted; the same command again goes on from there.")
        raise typer.Exit(130) from None


@app.command("path")
def models_path(name: str) -> None:
    """Print the folder of a model that is on this computer."""
    folder = locate(name)
    if folder is None:
        raise InputError(f"{name} is not on this computer; transcrevai models pull {name} gets it.")
    out.print(str(folder), soft_wrap=True)
