"""A library with something in it for every picture: names, crowds, failures, short memory."""

import math
import re
import shutil
import time
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from transcrevai_core import demo
from transcrevai_core.codes import Cause, Note, Stage, WorkerName
from transcrevai_core.library import edits, shelf
from transcrevai_core.library.journal import EventKind, Journal, Run
from transcrevai_core.library.store import Store
from transcrevai_core.memory.levels import Level, Limits, decide
from transcrevai_core.memory.readings import MB, Machine, Reading, WorkerReading
from transcrevai_core.messages import Message
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.transcript.turns import joined
from transcrevai_core.tuning import parameters, sweep_run, sweeps
from transcrevai_core.types import Chunk, Segment, Turn
from transcrevai_core.workers.processes import this_process

NAMES = ("Carlos", "Renata", "João")
LONG_NAME = "Maria Aparecida do Nascimento Albuquerque de Vasconcelos e S"


def transcribe_samples(library: Store) -> None:
    """Let the server work on both samples, and wait for it."""
    for language, title in demo.SAMPLES.items():
        options = JobOptions().model_copy(update={"model": "demo", "language": language})
        library.add_job(demo.sample_path(language), options.model_dump(), title=title)
    while len(library.jobs(["done"])) < len(demo.SAMPLES):
        time.sleep(0.5)
    for job, language in zip(library.jobs(["done"]), reversed(demo.SAMPLES), strict=True):
        correct(library, job.id, re.split(r"(?<=[.?!])\s+", demo.reference_text(language)))


def correct(library: Store, job_id: str, sentences: list[str]) -> None:
    """Correct the first segment that the model got wrong, or else embellish the third."""
    segments = library.segments(job_id)
    for segment in segments:
        near = get_close_matches(segment.text.strip(), sentences, 1, cutoff=0.7)
        if near and near[0] != segment.text.strip():
            edits.edit_text(library, segment.id or 0, near[0])
            return
    text = segments[2].text.strip()
    edits.edit_text(library, segments[2].id or 0, f"{text[:-1]}!")


def add_sweep(library: Store) -> None:
    """Try some settings on the first sample, against its reference."""
    job = library.jobs(["done"])[-1]
    path = demo.sample_path("pt").with_suffix(".rttm")
    reference = path.read_text(encoding="utf-8")
    sweeps.keep_reference(library, job, path.name, path.read_bytes())
    grid = parameters.parse_grid(["speakers=2,3,4", "min_turn_seconds=0,0.4,0.8"])
    plan = sweeps.plan(parameters.job_settings(job), grid, reference, collar=0.25)
    sweep_run.run(library, load_settings(home=library.home), sweeps.create(library, job, plan))


def add_gap(library: Store) -> None:
    """Let one segment of the second sample be missing, as where a model was deaf."""
    segments = library.segments(library.jobs(["done"])[0].id)
    with library.database.write() as db:
        db.execute("DELETE FROM segments WHERE id = ?", (segments[5].id,))


def add_speakers(library: Store) -> None:
    """Name the speakers of one sample; add a recording without text, and a crowd with long names.

    The sounds are the sample's: nobody listens to a picture.
    """
    sample = library.jobs(["done"])[-1]
    for label, name in zip(library.transcript(sample.id).speakers, NAMES, strict=False):
        edits.rename_speaker(library, sample.id, label, name)
    wordless = JobOptions(model="none").model_dump()
    silent = library.add_job(
        sample.source, wordless, claim=True, title="Conselho tutelar, 12 de maio.mp3"
    )
    crowd = library.add_job(
        sample.source, {}, claim=True, title="Audiência pública sobre o plano diretor.m4a"
    )
    sentences = [segment.text for segment in library.segments(sample.id)]
    for job, number, length in ((silent, 2, 4.0), (crowd, 12, 25.0)):
        turns, segments = [], []
        for n in range(120):
            start = length * n
            label = f"SPEAKER_{n if n < number else (n * n // 7) % number:02}"
            turns.append(Turn(start, start + length * (0.5 + n % 4 / 8), label))
            segments.append(Segment(start, turns[-1].end, sentences[n % len(sentences)]))
        library.save_plan(job.id, [Chunk(0, 0, length * 120)])
        library.save_diarization(job.id, joined(turns), {
            "speakers": number, "margin": 0.6, "runner_up": number - 1, "by": "likeness",
            "why": "the voices differ clearly",
        })  # fmt: skip
        shutil.copy(library.wav(sample.id), library.wav(job.id))
        done: dict[str, Any] = {"state": "done", "duration": length * 120}
        if job is crowd:
            library.save_chunk(job.id, 0, segments, dropped=0, seconds=60)
            done |= {"language": "pt", "model": "small", "compute_type": "int8", "device": "cpu"}
        library.update_job(job.id, **done)
    edits.rename_speaker(library, crowd.id, "SPEAKER_02", LONG_NAME)


def add_other_states(library: Store) -> str:
    """Add a job that seems to run, in the hands of this process, and one of each other kind."""
    sentences = [segment.text for segment in library.segments(library.jobs(["done"])[2].id)]
    options = JobOptions(language="pt").model_dump()
    failed = library.add_job(Path("/recordings/notes.mp3"), options, title="notes.mp3")
    library.update_job(failed.id, state="failed", error=Message(
        "The sound of {name} cannot be decoded; a file that plays elsewhere would be right.",
        {"name": "notes.mp3"},
    ))  # fmt: skip
    library.cancel(library.add_job(Path("/recordings/old.wav"), options, title="old.wav").id)
    running = library.add_job(
        Path("/recordings/a.m4a"), options, title="Entrevista com a secretária de saúde.m4a"
    )
    library.update_job(
        running.id, state="transcribing", stage=Stage.TRANSCRIBING, owner=this_process(),
        started=time.time() - 312, duration=5400, language="pt", model="small",
    )  # fmt: skip
    library.save_plan(running.id, [Chunk(n, 30 * n, 30 * n + 30) for n in range(180)])
    for n in range(70):
        text = " ".join(sentences[(3 * n + k) % len(sentences)].strip() for k in range(3))
        segment = Segment(30 * n, 30 * n + 28, f" {text}", looping=n == 67)
        library.save_chunk(running.id, n, [segment], dropped=0, seconds=4.4)
    shelf.move(library, [failed.id, running.id], "Câmara Municipal")
    shelf.tag(library, [running.id], "entrevista")
    shelf.tag(library, [running.id, library.jobs(["done"])[0].id], "saúde")
    waiting = library.add_job(Path("/recordings/b.ogg"), options, title="Reunião de pauta.ogg")
    library.update_job(waiting.id, owner=this_process())
    return running.id


def add_memory(library: Store, program: str) -> None:
    """Let the memory of a program, by its name, have been through all levels, and jobs before."""
    kept, now = Journal(library.database, program), time.time()
    jobs = library.jobs(["done"])
    level: Level = "normal"
    for n in range(1080):  # nine minutes until now
        at = now - 540 + n / 2
        hill = max(0.0, 1 - abs(n - 640) / 320)
        total = (260 + 190 * (n > 120) + 230 * (n > 300) + 25 * math.sin(n / 9)) * MB
        pressure = 0.46 + 0.42 * hill + 0.01 * math.sin(n / 5)
        limits = Limits(budget_bytes=1200 * MB)
        workers = (
            WorkerReading("transcription", 7, True, 480 * MB, 420 * MB, 510 * MB, 900 * MB, 1, 0.4),
        )
        reading = Reading(at, Machine(round(pressure * 8e9), 8 * 10**9), round(total), workers)
        decision = decide(reading, limits, level)
        if decision.changed:
            kept.add_event("level", decision.level, decision.cause)
            with library.database.write() as db:
                db.execute("UPDATE events SET time = ? WHERE id = last_insert_rowid()", (at,))
        level = decision.level
        kept.add_reading(reading, level, limits.budget_bytes)
    worker = WorkerName.TRANSCRIPTION
    events: tuple[tuple[int, EventKind, Message], ...] = (
        (560, "recovered", Cause.JOBS_RECOVERED(number=2)),
        (244, "lighter", Note.LIGHTER_FROM(time="12:30", change="base")),
        (210, "died", Cause.WORKER_ENDED(worker=worker, cause=Cause.MACHINE(share=0.85))),
        (205, "restart", Cause.RESTART(worker=worker, seconds=2.0)),
        (90, "freed", Cause.FREED(size=84.0)),
    )
    for ago, kind, cause in events:
        kept.add_event(kind, "normal", cause, jobs[0].id if kind in ("lighter", "died") else "")
        with library.database.write() as db:
            db.execute("UPDATE events SET time = ? WHERE id = last_insert_rowid()", (now - ago,))
    for n in range(24):
        model = "base" if n % 5 == 0 else "small"
        table = 410 if model == "base" else 760
        kept.add_run(
            Run(
                now - 86_400 * (24 - n) / 3,
                jobs[n % len(jobs)].id,
                "job",
                f"prepare + {model}, int8, beam 5 + diarization, voice",
                table * MB,
                table * MB,
                round(table * (0.94 + 0.09 * math.sin(n)) * MB),
                (60 + 700 * (n % 4)) * (0.31 + 0.03 * math.cos(n) + 0.25 * (n > 17)),
                60 + 700 * (n % 4),
            )
        )
