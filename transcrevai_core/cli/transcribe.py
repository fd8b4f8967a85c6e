"""`transcrevai transcribe`: recordings in, transcripts out."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from transcrevai_core import demo, export, metrics
from transcrevai_core.cli.flags import (
    AsJson,
    Channels,
    Clustering,
    Counting,
    Embedding,
    HopSeconds,
    MaxSpeakers,
    MinSpeakers,
    MinSpeakerShare,
    MinTurnSeconds,
    OutputDir,
    OutputFormat,
    Profile,
    ResegmentRounds,
    Speakers,
    SpeakerThreshold,
    VadThreshold,
    WindowSeconds,
    setting,
)
from transcrevai_core.cli.screen import (
    check_folder,
    check_format,
    err,
    open_library,
    run_all,
    with_profile,
)
from transcrevai_core.errors import InputError
from transcrevai_core.options import JobOptions
from transcrevai_core.transcription.catalogue import DEMO
from transcrevai_core.types import Transcript


def transcribe(
    files: Annotated[list[Path] | None, typer.Argument(help="recordings", metavar="FILES")] = None,
    sample: Annotated[
        str | None, typer.Option("--sample", help="use a bundled sample instead: pt or en")
    ] = None,
    model: Annotated[str | None, setting("model")] = None,
    language: Annotated[str | None, setting("language")] = None,
    task: Annotated[str | None, setting("task")] = None,
    output_dir: OutputDir = Path(),
    output_format: OutputFormat = None,
    device: Annotated[str | None, setting("device")] = None,
    compute_type: Annotated[str | None, setting("compute_type")] = None,
    threads: Annotated[int | None, setting("threads")] = None,
    beam_size: Annotated[int | None, setting("beam_size")] = None,
    initial_prompt: Annotated[str | None, setting("initial_prompt")] = None,
    hotwords: Annotated[str | None, setting("hotwords")] = None,
    chunk_seconds: Annotated[float | None, setting("chunk_seconds")] = None,
    vad_threshold: VadThreshold = None,
    condition_on_previous_text: Annotated[
        bool | None, setting("condition_on_previous_text")
    ] = None,
    diarize: Annotated[bool | None, setting("diarize")] = None,
    speakers: Speakers = None,
    min_speakers: MinSpeakers = None,
    max_speakers: MaxSpeakers = None,
    embedding: Embedding = None,
    clustering: Clustering = None,
    counting: Counting = None,
    speaker_threshold: SpeakerThreshold = None,
    min_speaker_share: MinSpeakerShare = None,
    window_seconds: WindowSeconds = None,
    hop_seconds: HopSeconds = None,
    resegment_rounds: ResegmentRounds = None,
    min_turn_seconds: MinTurnSeconds = None,
    channels: Channels = None,
    profile: Profile = None,
    score: Annotated[
        bool, typer.Option("--score", help="add the word error rate where a reference is known")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Transcribe FILES, or a bundled sample, and write the transcripts.

    With --json a list of transcripts is printed, and files are written only on request.
    """
    given = dict(locals())
    overrides = {name: given[name] for name in JobOptions.model_fields}
    if bool(files) == bool(sample):
        raise InputError("transcribe needs recordings or --sample, one of the two.")
    check_format(output_format)
    writes = bool(output_format or not as_json)
    if writes:
        check_folder(output_dir)
    settings, store = open_library()
    if sample:
        overrides["model"] = model or DEMO.name
        files = [demo.sample_path(sample)]
    options = settings.job_options(with_profile(store, profile, overrides))
    if options.model == DEMO.name and not sample:
        err.print(demo.NOTE, style="yellow")
    format = output_format or "txt" if writes else None
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
