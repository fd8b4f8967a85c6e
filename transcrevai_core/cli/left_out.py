"""`transcrevai tune --leave_one_out`: what the settings that others choose do on each recording."""

import json
from collections.abc import Sequence

from rich.table import Table

from transcrevai_core.cli.screen import err
from transcrevai_core.library.store import Store
from transcrevai_core.tuning import leave_one_out


def show(store: Store, job_ids: Sequence[str], as_json: bool) -> None:
    """Print it for the last sweeps of these jobs; raises InputError where they do not match."""
    found = leave_one_out.as_dict(store, leave_one_out.of_jobs(store, job_ids))
    table = Table("left out", *found["grid"], "DER", "its own best")
    for column in table.columns:
        column.overflow = "fold"
    for one in found["recordings"]:
        values = [
            "auto" if one["settings"][name] is None else str(one["settings"][name])
            for name in found["grid"]
        ]
        errors = [f"{100 * one[rate]:.2f}" for rate in ("der", "best_der")]
        table.add_row(one["title"], *values, *errors)
    err.print(table)
    mean, collar = 100 * found["mean_der"], found["collar"]
    err.print(
        f"Mean DER {mean:.2f} percent (collar {collar:g} s) on recordings that did not choose.",
        soft_wrap=True,
        highlight=False,
    )
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
