"""Words on real speech: the program against faster-whisper alone, on the same weights, in one run.

    python -m benchmarks.words FOLDER [--model base] [--threads 1] [--only NAME ...]

FOLDER holds recordings with their reference text as NAME.txt; those without one count as holding
no speech where their name says so (`noise`, `white`, `music`), and are only listed otherwise. A
recording's languages are the codes in its name (`h_pt_tel`: pt; `en_de`: both). Words may be
timed by hand in NAME.words.json, rows of start, end, word.

Four ways are compared: the program with the language given and with it found, and faster-whisper
alone with its defaults and with `vad_filter`, both with the language given. Figures are errors of
words and characters in per cent (numbers count as equal in words and digits, hyphens as spaces),
and processor seconds of decoding. The last lines give the totals, the program's processor time
against faster-whisper's, and how far its words' starts are from those of the hand.
"""

import argparse
import difflib
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from transcrevai_core.evaluation.metrics import (
    WordErrors,
    align_words,
    character_errors,
    count_words,
)
from transcrevai_core.evaluation.normalisation import Policy, normalise
from transcrevai_core.jobs import direct, models, tasks
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.library.store import Store
from transcrevai_core.memory.forecast import Shape
from transcrevai_core.models.catalogue import locate
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import load_settings
from transcrevai_core.types import Word
from transcrevai_core.workers.worker import Worker

SOUND = {".flac", ".wav", ".mp3", ".ogg", ".m4a", ".opus"}
NO_SPEECH = {"noise", "white", "music"}
WAYS = ("given", "found", "plain", "vad")
NAMES = {
    "given": "program, language given",
    "found": "program, language found",
    "plain": "faster-whisper",
    "vad": "faster-whisper, vad_filter",
}


@dataclass
class Way:
    """What one way of transcribing has made so far."""

    words: WordErrors = field(default_factory=WordErrors)
    characters: tuple[int, int] = (0, 0)
    seconds: float = 0.0  # of the processor, decoding
    beside: float = 0.0  # of the processor, everything else
    invented: int = 0  # words where nobody speaks
    starts: list[float] = field(default_factory=list)  # s by which words begin too late


def languages_of(name: str) -> list[str]:
    """Return the languages that a recording's name tells, in its order."""
    return [part for part in name.split("_") if len(part) == 2 and part in LANGUAGES]


def decode_alone(
    spec: tasks.ModelSpec, source: Path, languages: list[str], vad: bool
) -> tuple[str, float]:
    """In a worker: transcribe by faster-whisper alone; return the text and processor seconds."""
    from faster_whisper.audio import decode_audio

    model = tasks._model(spec).model
    samples = decode_audio(str(source))
    begun = time.process_time()
    several = len(languages) > 1
    segments, _ = model.transcribe(
        samples,
        language=None if several or not languages else languages[0],
        multilingual=several,
        vad_filter=vad,
        word_timestamps=True,
    )
    text = "".join(segment.text for segment in segments)
    return text, time.process_time() - begun


def processor_seconds() -> float:
    """In a worker: return what it has used so far."""
    return time.process_time()


def decode_by_program(
    governor: Governor, source: Path, options: JobOptions
) -> tuple[str, list[Word], float, float]:
    """Run a job; return text, words, and processor seconds of its decoder and of the rest."""
    store, shape = governor.store, Shape(options.model, options.compute_type, 1)
    with governor.transcriber(shape, "benchmark") as worker:
        before = worker.call(processor_seconds)
    rest = time.process_time() + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    job = direct.run(governor, direct.open_job(store, source, options))
    assert job.state == "done", job.error
    rest = time.process_time() + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - rest
    with governor.transcriber(shape, "benchmark") as worker:
        seconds = worker.call(processor_seconds) - before
    segments = store.segments(job.id)
    words = [word for segment in segments for word in segment.words]
    return "".join(segment.text for segment in segments), words, seconds, rest


def start_errors(words: Iterable[Word], timed: list[list[float | str]]) -> list[float]:
    """Return by how much words begin later than the same words, timed by hand."""
    words = [word for word in words if normalise(word.text)]
    said = [normalise(word.text) for word in words]
    right = [normalise(str(row[2])) for row in timed]
    found = difflib.SequenceMatcher(None, right, said, autojunk=False).get_matching_blocks()
    return [
        words[b + i].start - float(timed[a + i][0]) for a, b, size in found for i in range(size)
    ]


def line(name: str, cells: Iterable[str]) -> str:
    """Return one row of the table."""
    return f"{name:14s}" + "".join(f"{cell:>28s}" for cell in cells)


def main() -> None:
    """Print a row for each recording, and what they come to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    if locate(arguments.model) is None:
        raise SystemExit(f"{arguments.model} is not here: transcrevai models pull it first")
    spec = models.model_spec(Shape(arguments.model, "int8", arguments.threads), "cpu")
    files = [f for f in sorted(arguments.folder.iterdir()) if f.suffix in SOUND]
    ways = {way: Way() for way in WAYS}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        governor = stack.enter_context(Governor(Store(home), load_settings(home=home)))
        peer = Worker("peer", cores=arguments.threads)
        stack.callback(peer.stop)
        peer.call(tasks.load_model, spec, (), "transcribe")
        print(line("WER (CER), %", (NAMES[way] for way in WAYS)))
        for file in files:
            if not arguments.only or file.stem in arguments.only:
                measure(file, governor, peer, spec, ways)
    summary(ways)


def measure(
    file: Path, governor: Governor, peer: Worker, spec: tasks.ModelSpec, ways: dict[str, Way]
) -> None:
    """Transcribe a recording in each way, and print its row."""
    languages = languages_of(file.stem)
    reference = file.with_suffix(".txt")
    timed = file.with_name(f"{file.stem}.words.json")
    numbers = languages[0] if languages and languages[0] in ("pt", "en") else ""
    policy = Policy(numbers=numbers, hyphens=False)
    cells = []
    for name, way in ways.items():
        words: list[Word] = []
        rest = 0.0
        if name in ("plain", "vad"):
            text, seconds = peer.call(decode_alone, spec, file, languages, name == "vad")
        else:
            given = ",".join(languages) if name == "given" else None
            options = JobOptions(
                model=spec.name, compute_type="int8", threads=spec.threads, device="cpu",
                language=given, diarize=False,
            )  # fmt: skip
            text, words, seconds, rest = decode_by_program(governor, file, options)
        way.seconds += seconds
        way.beside += rest
        if reference.is_file():
            right = reference.read_text(encoding="utf-8")
            found = count_words(align_words(right, text, policy))
            wrong, length = character_errors(right, text, policy)
            way.words += found
            way.characters = way.characters[0] + wrong, way.characters[1] + length
            cells.append(f"{found.rate:.1%} ({wrong / length:.1%}) {seconds:.1f} s")
        else:
            count = len(normalise(text).split())
            way.invented += count if NO_SPEECH & set(file.stem.split("_")) else 0
            cells.append(f"{count} words {seconds:.1f} s")
        if timed.is_file() and words:
            way.starts += start_errors(words, json.loads(timed.read_text(encoding="utf-8")))
    print(line(file.stem, cells), flush=True)


def summary(ways: dict[str, Way]) -> None:
    """Print what all recordings come to."""
    rows = ways.values()
    print(line("all", (f"{w.words.rate:.2%} of {w.words.words}" for w in rows)))
    print(line("CER", (f"{w.characters[0] / max(1, w.characters[1]):.2%}" for w in rows)))
    print(line("no speech", (f"{w.invented} words" for w in rows)))
    print(line("decoding", (f"{w.seconds:.1f} s" for w in rows)))
    mine, peer = ways["given"], ways["vad"]
    if peer.seconds:
        print(f"decoding: {mine.seconds / peer.seconds:.2f} times faster-whisper with vad_filter")
        print(f"everything else: {mine.beside / peer.seconds:.1%} of that")
    if mine.starts:
        off = sorted(map(abs, mine.starts))
        print(
            f"starts of {len(off)} words: median {statistics.median(off) * 1000:.0f} ms off, "
            f"nine of ten within {off[int(0.9 * len(off))] * 1000:.0f} ms"
        )


if __name__ == "__main__":
    main()
