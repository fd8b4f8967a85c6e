"""`transcrevai diarize`: recordings in, who spoke when out. Needs no model to be downloaded."""

import json
import tempfile
import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from transcrevai_core import stages
from transcrevai_core.cli.screen import (
    AsJson,
    Background,
    OutputDir,
    check_folder,
    complain,
    draw,
    err,
)
from transcrevai_core.errors import InputError, TranscrevaiError
from transcrevai_core.rttm import write_rttm
from transcrevai_core.workers import Worker

EMBEDDINGS = ("ivector", "mfcc")


def diarize(
    files: Annotated[list[Path], typer.Argument(help="recordings", metavar="FILES")],
    speakers: Annotated[
        int | None, typer.Option("--speakers", help="how many speak, where that is known")
    ] = None,
    min_speakers: Annotated[
        int, typer.Option("--min_speakers", help="the fewest there may be")
    ] = 1,
    max_speakers: Annotated[int, typer.Option("--max_speakers", help="the most there may be")] = 6,
    embedding: Annotated[
        str, typer.Option("--embedding", help="how voices are told apart: ivector or mfcc")
    ] = "ivector",
    output_dir: OutputDir = Path(),
    as_json: AsJson = False,
) -> None:
    """Find who speaks when in FILES and write it as RTTM, or print it with --json."""
    if embedding not in EMBEDDINGS:
        raise InputError(f"--embedding is {embedding}; {' or '.join(EMBEDDINGS)} would be right.")
    check_folder(output_dir)
    worker = Worker("diarization")
    results: list[dict[str, Any]] = []
    failed = 0
    try:
        for file in files:
            try:
                found = _follow(worker, file, speakers or (min_speakers, max_speakers), embedding)
            except TranscrevaiError as error:  # this recording's end, not the others'
                complain(str(error))
                failed += 1
                continue
            turns = [{"start": t.start, "end": t.end, "speaker": t.speaker} for t in found.turns]
            count = {"speakers": found.count.number, "confidence": found.count.confidence}
            results.append({"title": file.name, **count, "turns": turns})
            err.print(f"{file.name}: {_speakers(found.count.number)}")
            if not as_json:
                path = output_dir / f"{file.stem}.rttm"
                write_rttm(path, found.turns, file.stem)
                err.print(f"wrote {path}", soft_wrap=True)
    finally:
        worker.stop()
    if as_json:
        print(json.dumps(results, ensure_ascii=False, indent=2))
    if failed:
        raise typer.Exit(1)


def _follow(worker: Worker, file: Path, speakers: int | tuple[int, int], embedding: str) -> Any:
    share, ending = [0.0], threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        run = Background(
            lambda: worker.call(
                stages.diarize,
                file,
                Path(folder) / "audio.wav",
                speakers,
                embedding,
                on_event=share.append,
                should_stop=ending.is_set,
            )
        )
        try:
            draw(file.name, run.is_alive, lambda: ("listening", share[-1]))
            return run.result()
        except KeyboardInterrupt:
            ending.set()
            run.join()
            complain(f"{file.name}: interrupted.")
            raise typer.Exit(130) from None


def _speakers(number: int) -> str:
    return {0: "no speech", 1: "1 speaker"}.get(number, f"{number} speakers")
