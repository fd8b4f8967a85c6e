"""`transcrevai transcribe`: recordings in, transcripts out."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from transcrevai_core import demo, export, jobs, metrics
from transcrevai_core.cli.screen import (
    AsJson,
    OutputDir,
    OutputFormat,
    check_folder,
    check_format,
    complain,
    err,
    follow,
    open_library,
    write,
)
from transcrevai_core.errors import InputError, TranscrevaiError
from transcrevai_core.options import JobOptions
from transcrevai_core.transcription.catalogue import DEMO
from transcrevai_core.types import Transcript
from transcrevai_core.workers import Worker


def _option(name: str) -> Any:
    """Return the option of a job setting, explained by its one declaration."""
    field = JobOptions.model_fields[name]
    default = "" if field.default is None else f" [default: {field.default}]"
    flags = f"--{name}/--no_{name}" if field.annotation is bool else f"--{name}"
    return typer.Option(flags, help=f"{field.description}{default}", show_default=False)


def transcribe(
    files: Annotated[list[Path] | None, typer.Argument(help="recordings", metavar="FILES")] = None,
    sample: Annotated[
        str | None, typer.Option("--sample", help="use a bundled sample instead: pt or en")
    ] = None,
    model: Annotated[str | None, _option("model")] = None,
    language: Annotated[str | None, _option("language")] = None,
    task: Annotated[str | None, _option("task")] = None,
    output_dir: OutputDir = Path(),
    output_format: OutputFormat = None,
    device: Annotated[str | None, _option("device")] = None,
    compute_type: Annotated[str | None, _option("compute_type")] = None,
    threads: Annotated[int | None, _option("threads")] = None,
    beam_size: Annotated[int | None, _option("beam_size")] = None,
    initial_prompt: Annotated[str | None, _option("initial_prompt")] = None,
    hotwords: Annotated[str | None, _option("hotwords")] = None,
    chunk_seconds: Annotated[float | None, _option("chunk_seconds")] = None,
    vad_threshold: Annotated[float | None, _option("vad_threshold")] = None,
    condition_on_previous_text: Annotated[
        bool | None, _option("condition_on_previous_text")
    ] = None,
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
    options = settings.job_options(overrides)
    if options.model == DEMO.name and not sample:
        err.print(demo.NOTE, style="yellow")
    worker = Worker("transcription")
    results: list[dict[str, Any]] = []
    failed, stems = 0, set[str]()
    try:
        for file in files or ():
            try:
                job = jobs.open_job(store, file, options)
                follow(store, settings, worker, job)
                transcript = store.transcript(job.id)
                results.append(_result(transcript, sample if score else None))
                if writes:
                    stem = _unused(export.file_stem(transcript.title), stems)
                    write(transcript, output_dir, output_format, stem)
            except TranscrevaiError as error:  # this recording's end, not the others'
                complain(str(error))
                failed += 1
    finally:
        worker.stop()
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


def _unused(stem: str, taken: set[str]) -> str:
    """Return `stem`, or stem-2 and so on where another file of this call has that name."""
    candidate, number = stem, 1
    while candidate.casefold() in taken:  # some systems do not tell Ata from ata
        number += 1
        candidate = f"{stem}-{number}"
    taken.add(candidate.casefold())
    return candidate
