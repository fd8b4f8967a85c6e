"""`transcrevai diarize`: recordings in, who spoke when out. Needs no model to be downloaded."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from transcrevai_core import export
from transcrevai_core.cli import flags
from transcrevai_core.cli.screen import chosen_format, err, open_library, run_all, with_profile
from transcrevai_core.models.catalogue import NONE
from transcrevai_core.options import JobOptions
from transcrevai_core.transcript.certainty import certainty
from transcrevai_core.types import Transcript


def diarize(
    files: Annotated[list[Path], typer.Argument(help="recordings", metavar="FILES")],
    speakers: flags.Speakers = None,
    min_speakers: flags.MinSpeakers = None,
    max_speakers: flags.MaxSpeakers = None,
    embedding: flags.Embedding = None,
    overlap: flags.Overlap = None,
    clustering: flags.Clustering = None,
    counting: flags.Counting = None,
    speaker_threshold: flags.SpeakerThreshold = None,
    min_speaker_share: flags.MinSpeakerShare = None,
    window_seconds: flags.WindowSeconds = None,
    hop_seconds: flags.HopSeconds = None,
    resegment_rounds: flags.ResegmentRounds = None,
    min_turn_seconds: flags.MinTurnSeconds = None,
    channels: flags.Channels = None,
    track: flags.Track = None,
    profile: flags.Profile = None,
    output_dir: flags.OutputDir = Path(),
    output_format: flags.OutputFormat = None,
    as_json: flags.AsJson = False,
) -> None:
    """Find who speaks when in FILES, without their words, and write it as RTTM.

    The library keeps it, and the words can follow there. With --json a list is printed, and
    files are written only on request.
    """
    given = dict(locals())
    overrides = {name: given[name] for name in JobOptions.model_fields if name in given}
    format = chosen_format(output_format, output_dir, usual=None if as_json else "rttm")
    settings, store = open_library()
    chosen = with_profile(store, profile, overrides)
    options = settings.job_options({**chosen, "model": NONE, "diarize": True})
    results: list[dict[str, Any]] = []

    def done(transcript: Transcript) -> None:
        results.append(export.as_dict(transcript))
        err.print(f"{transcript.title}: {_summary(transcript)}", soft_wrap=True)

    failed = run_all(store, settings, files, options, done, output_dir, format)
    if as_json:
        print(json.dumps(results, ensure_ascii=False, indent=2))
    if failed:
        raise typer.Exit(1)


def _summary(transcript: Transcript) -> str:
    """Say how many speak, and how sure that is."""
    number = len(transcript.speakers)
    found = {0: "no speech", 1: "1 speaker"}.get(number, f"{number} speakers")
    sure = certainty(transcript.diarization, number)
    return f"{found} ({sure})" if sure else found
