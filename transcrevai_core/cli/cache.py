"""`transcrevai cache`: what was found and may be wanted again."""

import dataclasses
import json
from typing import Annotated

import typer
from rich.table import Table

from transcrevai_core.cli.flags import AsJson
from transcrevai_core.cli.screen import err, open_library, out
from transcrevai_core.library.cache import Cache

app = typer.Typer(help="What diarization has found and may find again: voices and turns.")


@app.command("stats")
def cache_stats(as_json: AsJson = False) -> None:
    """Show how much the cache holds and how often it had the answer."""
    settings, store = open_library()
    tiers = Cache(store, settings).stats()
    if as_json:
        told = [{**dataclasses.asdict(tier), "hit_rate": tier.hit_rate} for tier in tiers]
        print(json.dumps(told, indent=2))
        return
    table = Table("tier", "entries", "size", "hits", "misses", "hit rate", "oldest")
    for tier in tiers:
        table.add_row(
            tier.tier,
            str(tier.entries),
            f"{tier.bytes / 1e6:.1f} MB",
            str(tier.hits),
            str(tier.misses),
            "" if tier.hit_rate is None else f"{tier.hit_rate:.0%}",
            "" if tier.oldest is None else f"{tier.oldest / 3_600:.1f} h",
        )
    out.print(table)


@app.command("clear")
def cache_clear(
    expired_only: Annotated[
        bool, typer.Option("--expired_only", help="leave what is still fresh")
    ] = False,
) -> None:
    """Empty the cache; nothing is lost but the time to find it again."""
    settings, store = open_library()
    entries, size = Cache(store, settings).clear(expired_only=expired_only)
    err.print(f"removed {entries} entries, {size / 1e6:.1f} MB")
