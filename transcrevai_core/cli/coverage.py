"""`transcrevai coverage`: which speech of a job has no words, and once more for that."""

import json
from typing import Annotated

import typer
from rich.table import Table

from transcrevai_core.cli.flags import AsJson
from transcrevai_core.cli.screen import err, follow, open_library, out
from transcrevai_core.errors import InputError
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.library.coverage import Coverage, of_job, transcribe_again
from transcrevai_core.transcript.turns import clock

_STATES = {"new": "", "waiting": "waits to be transcribed again", "tried": "tried again in vain"}


def coverage(
    job_id: str,
    again: Annotated[
        bool, typer.Option("--again", help="transcribe the gaps again that were not yet")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show how much of a job's speech became text, and the gaps of a second and longer."""
    settings, store = open_library()
    job = store.find(job_id)
    if not store.segments(job.id, last=1):
        raise InputError(
            "{title} has no text yet; a job that is done would be right.", title=job.title
        )
    found = of_job(store, job.id)
    if again:
        wanted = [gap for gap in found.gaps if gap.state == "new"]
        transcribe_again(store, job, wanted)
        claimed = store.claim(job.id)
        if claimed is None:
            raise InputError("{title} is being worked on by another program.", title=job.title)
        with Governor(store, settings) as governor:
            follow(governor, claimed)
        before, found = found, of_job(store, job.id)
        got = sum(gap.seconds for gap in before.gaps) - sum(gap.seconds for gap in found.gaps)
        told = f"words were found for {got:.1f} s of speech" if got > 0 else "no words were found"
        err.print(f"{len(wanted)} gaps transcribed again: {told}", soft_wrap=True)
    if as_json:
        print(json.dumps(_as_dict(found), indent=2))
        return
    out.print(f"{found.share:.1%} of {clock(found.speech)} of speech is text")
    if found.gaps:
        table = Table("from", "to", "speech", "")
        for gap in found.gaps:
            times = clock(gap.start), clock(gap.end), f"{gap.seconds:.1f} s"
            table.add_row(*times, _STATES[gap.state])
        out.print(table)


def _as_dict(found: Coverage) -> dict[str, object]:
    gaps = [
        {"start": gap.start, "end": gap.end, "seconds": round(gap.seconds, 3), "state": gap.state}
        for gap in found.gaps
    ]
    return {"speech": round(found.speech, 3), "share": round(found.share, 4), "gaps": gaps}
