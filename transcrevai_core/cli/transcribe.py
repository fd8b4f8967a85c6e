"""`transcrevai transcribe`: recordings in, transcripts out."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from transcrevai_core import demo, export
from transcrevai_core.cli import flags
from transcrevai_core.cli.screen import chosen_format, err, open_library, run_all, with_profile
from transcrevai_core.codes import Note
from transcrevai_core.errors import InputError
from transcrevai_core.evaluation import metrics
from transcrevai_core.models.catalogue import DEMO
from transcrevai_core.options import JobOptions
from transcrevai_core.types import Transcript


def transcribe(
    files: Annotated[list[Path] | None, typer.Argument(help="recordings", metavar="FILES")] = None,
    sample: Annotated[
        str | None, typer.Option("--sample", help="use a bundled sample instead: pt or en")
    ] = None,
    model: Annotated[str | None, flags.setting("model")] = None,
    language: Annotated[str | None, flags.setting("language")] = None,
    task: Annotated[str | None, flags.setting("task")] = None,
    output_dir: flags.OutputDir = Path(),
    output_format: flags.OutputFormat = None,
    device: Annotated[str | None, flags.setting("device")] = None,
    compute_type: Annotated[str | None, flags.setting("compute_type")] = None,
    threads: Annotated[int | None, flags.setting("threads")] = None,
    beam_size: Annotated[int | None, flags.setting("beam_size")] = None,
    initial_prompt: Annotated[str | None, flags.setting("initial_prompt")] = None,
    hotwords: Annotated[str | None, flags.setting("hotwords")] = None,
    chunk_seconds: Annotated[float | None, flags.setting("chunk_seconds")] = None,
    vad_threshold: flags.VadThreshold = None,
    track: flags.Track = None,
    condition_on_previous_text: Annotated[
        bool | None, flags.setting("condition_on_previous_text")
    ] = None,
    diarize: Annotated[bool | None, flags.setting("diarize")] = None,
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
    profile: flags.Profile = None,
    score: Annotated[
        bool, typer.Option("--score", help="add the word error rate where a reference is known")
    ] = False,
    as_json: flags.AsJson = False,
) -> None:
    """Transcribe FILES, or a bundled sample, and write the transcripts.

    With --json a list of transcripts is printed, and files are written only on request.
    """
    given = dict(locals())
    overrides = {name: given[name] for name in JobOptions.model_fields}
    if bool(files) == bool(sample):
        raise InputError("transcribe needs recordings or --sample, one of the two.")
    format = chosen_format(output_format, output_dir, usual=None if as_json else "txt")
    settings, store = open_library()
    if sample:
        overrides["model"] = model or DEMO.name
        files = [demo.sample_path(sample)]
    options = settings.job_options(with_profile(store, profile, overrides))
    if options.model == DEMO.name and not sample:
        err.print(str(Note.DEMO), style="yellow")
    results: list[dict[str, Any]] = []
    failed = run_all(
        store,
        settings,
        files or [],
        options,
        lambda transcript: results.append(_result(transcript, sample if score else None)),
        output_dir,
        format,
    )
    if as_json:
        print(json.dumps(results, ensure_ascii=False, indent=2))
    if failed:
        raise typer.Exit(1)


def _result(transcript: Transcript, sample: str | None) -> dict[str, Any]:
    result = export.as_dict(transcript)
    if sample:
        result["wer"] = metrics.wer(demo.reference_text(sample), transcript.text)
        err.print(f"word error rate {result['wer']:.1%} against the sample's reference")
    return result
