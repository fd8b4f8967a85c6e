"""The same engine from the command line; progress goes to standard error, results to output.

Exit codes: 0 all done, 1 at least one job failed, 2 wrong use, 130 interrupted.
"""

import io
import signal
import sys

import typer

from transcrevai_core.cli import cache, jobs, models, score
from transcrevai_core.cli.coverage import coverage
from transcrevai_core.cli.diarize import diarize
from transcrevai_core.cli.doctor import doctor
from transcrevai_core.cli.report import report
from transcrevai_core.cli.screen import print_error
from transcrevai_core.cli.transcribe import transcribe
from transcrevai_core.cli.tune import tune
from transcrevai_core.errors import InputError, TranscrevaiError

app = typer.Typer(
    help="Transcribe recordings on this computer, offline.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={
        # --output-dir is as good as --output_dir
        "token_normalize_func": lambda token: token.replace("-", "_"),
        "help_option_names": ["-h", "--help"],
    },
)
app.command()(transcribe)
app.command()(diarize)
app.command()(tune)
app.command()(doctor)
app.command()(report)
app.command()(coverage)
app.add_typer(models.app, name="models", no_args_is_help=True)
app.add_typer(jobs.app, name="jobs", no_args_is_help=True)
app.add_typer(cache.app, name="cache", no_args_is_help=True)
app.add_typer(score.app, name="score", no_args_is_help=True)


def main() -> None:
    """Run the command line; whatever a user can mend ends in one sentence."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # whatever a console is set to
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the same calm end as Ctrl-C
        app()
    except InputError as error:
        print_error(str(error))
        sys.exit(2)
    except TranscrevaiError as error:
        print_error(str(error))
        sys.exit(1)
