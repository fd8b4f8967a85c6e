"""`transcrevai doctor`: the memory diagnosis, in a table and in words."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from transcrevai_core.cli.flags import AsJson
from transcrevai_core.cli.screen import draw, out, print_error
from transcrevai_core.codes import Stage
from transcrevai_core.doctor.advice import examine
from transcrevai_core.doctor.costs import RUNS, Component
from transcrevai_core.doctor.environment import Environment
from transcrevai_core.memory.readings import MB
from transcrevai_core.messages import Message
from transcrevai_core.models.catalogue import DEMO
from transcrevai_core.settings import load_settings
from transcrevai_core.workers.background import Task

_LEGEND = (
    "In MB, each part in a process of its own, which gives back all when it ends: worker is the "
    "empty process, web is Streamlit alone. Peak is of the whole process up to its first run, "
    f"grown is over {RUNS} runs; the others are what each step added and kept, and what was freed "
    "when all was let go."
)


def doctor(
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Whisper model on this computer to measure with: a name, a Hugging Face id or a "
            f"folder [default: {DEMO.name}]",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure what each part of the program costs in memory, and say what stands out."""
    settings = load_settings()
    work = Task(
        lambda task: examine(
            settings,
            DEMO.name if model is None else model,
            on_progress=lambda part, share: task.report(Message(part), share),
            should_stop=task.should_stop,
        )
    )
    try:
        draw("measuring", work.is_alive, lambda: (str(work.stage or Stage.STARTING), work.share))
        report = work.result()
    except KeyboardInterrupt:
        work.cancel()
        work.join()
        print_error("interrupted; nothing of it was kept.")
        raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(dataclasses.asdict(report), ensure_ascii=False, indent=2))
    else:
        out.print(components_table(report.components))
        out.print(_LEGEND)
        for component in report.components:
            if component.note:
                out.print(f"{component.name}: {component.note}")
        if found := report.biggest:
            out.print(
                f"Biggest: {found.name}, {found.peak_bytes / MB:.0f} MB at its peak; most of it, "
                f"{found.part_bytes / MB:.0f} MB, is {found.part}."
            )
        out.print(environment_table(report.environment))
        for sentence in report.advice:
            out.print(f"- {sentence}")
    if any(component.failed for component in report.components):
        raise typer.Exit(1)


def components_table(components: Sequence[Component]) -> Table:
    """Return the costs in MB, a row for each component; what was not measured is left empty."""
    table = Table(pad_edge=False)
    table.add_column("part", no_wrap=True)
    for name in ("import", "load", "run", "peak", "grown", "a run", "freed"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("leak", no_wrap=True)
    for part in components:
        steps = (part.import_bytes, part.load_bytes, part.first_run_bytes, part.peak_bytes)
        grown = (part.growth_bytes, part.growth_bytes_per_run)
        leak = "" if part.growth_bytes is None else "yes" if part.leak else "no"
        table.add_row(
            part.name,
            *(_mb(step, 0) for step in steps),
            *(_mb(growth, 1) for growth in grown),
            _mb(part.released_bytes, 0),
            "failed" if part.failed else leak,
        )
    return table


def environment_table(environment: Environment) -> Table:
    """Return what this computer has and what the settings allow."""
    table = Table(show_header=False)
    e = environment
    rows = {
        "versions": ", ".join(f"{name} {version}" for name, version in e.versions.items()),
        "system": e.system,
        "cores": f"{e.cores}, {e.work_cores} of them for work",
        "memory": f"{_mb(e.limit_bytes)} MB, {e.pressure:.0%} in use; {_mb(e.swap_bytes)} MB of "
        "swap in use",
        "budget": f"{_mb(e.budget_bytes)} MB; {_mb(e.room_bytes)} MB are free within it",
        "limits": f"degraded from {e.degraded:.0%} of the memory, emergency from "
        f"{e.emergency:.0%}, kill from {e.kill:.0%}; reading {_mb(e.prepare_limit_bytes)} MB, "
        f"diarization {_mb(e.diarization_limit_bytes)} MB",
        **{f"types on {name}": ", ".join(found) for name, found in e.compute_types.items()},
        "models here": "\n".join(
            f"{here.name}: {_mb(here.disk_bytes)} MB on disk, {'' if here.measured else 'about '}"
            f"{_mb(here.need_bytes)} MB of memory"
            for here in e.models
        ),
        "data": f"{e.home}: library {_mb(e.library_bytes)} MB, cache {_mb(e.cache_bytes)} MB; "
        f"{_mb(e.free_disk_bytes)} MB are free on its disk",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _mb(count: int | None, digits: int = 0) -> str:
    """Write bytes as MB; a small negative number that rounds to zero has no sign."""
    return "" if count is None else f"{round(count / MB, digits) + 0.0:.{digits}f}"
