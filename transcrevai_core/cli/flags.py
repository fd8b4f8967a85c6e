"""The flags that several commands share; those of job settings say what their declaration says."""

from pathlib import Path
from typing import Annotated, Any

import typer

from transcrevai_core import export
from transcrevai_core.options import JobOptions


def setting(name: str) -> Any:
    """Return the flag of a job setting."""
    field = JobOptions.model_fields[name]
    default = "" if field.default is None else f" [default: {field.default}]"
    flags = f"--{name}/--no_{name}" if field.annotation is bool else f"--{name}"
    return typer.Option(flags, help=f"{field.description}{default}", show_default=False)


AsJson = Annotated[bool, typer.Option("--json", help="print JSON for a program to read")]
Profile = Annotated[
    str | None,
    typer.Option("--profile", help="settings of speakers that `tune` or its page has saved"),
]
OutputDir = Annotated[
    Path, typer.Option("--output_dir", "-o", help="folder for the files that are written")
]
OutputFormat = Annotated[
    str | None,
    typer.Option(
        "--output_format",
        "-f",
        help=f"{', '.join(export.FORMATS)} or all [default: txt; rttm where there is no text]",
    ),
]

Speakers = Annotated[int | None, setting("speakers")]
MinSpeakers = Annotated[int | None, setting("min_speakers")]
MaxSpeakers = Annotated[int | None, setting("max_speakers")]
Embedding = Annotated[str | None, setting("embedding")]
Overlap = Annotated[bool | None, setting("overlap")]
Clustering = Annotated[str | None, setting("clustering")]
Counting = Annotated[str | None, setting("counting")]
SpeakerThreshold = Annotated[float | None, setting("speaker_threshold")]
MinSpeakerShare = Annotated[float | None, setting("min_speaker_share")]
WindowSeconds = Annotated[float | None, setting("window_seconds")]
HopSeconds = Annotated[float | None, setting("hop_seconds")]
ResegmentRounds = Annotated[int | None, setting("resegment_rounds")]
MinTurnSeconds = Annotated[float | None, setting("min_turn_seconds")]
Channels = Annotated[str | None, setting("channels")]
Track = Annotated[int | None, setting("track")]
VadThreshold = Annotated[float | None, setting("vad_threshold")]
