"""Who spoke when: error, count, speed and memory of each embedding, in one run on one folder.

    python -m benchmarks.diarization FOLDER [--embeddings voice ivector mfcc resemblyzer MODEL.onnx]
                                            [--leave-out 4]

NAME+overlap, such as campplus+overlap, asks the segmentation as well.

FOLDER holds sets as folders (conversations, single, meetings, ...) of NAME.flac with NAME.rttm.
Needs the extra `score`; a row whose own extra is missing is left out and says so. Errors are
seconds summed over a set's files over seconds of reference speech (`metrics.der`); the Jaccard
error rate (JER) is the mean over all reference speakers at collar 0. RTF is processor seconds,
sound to turns, per second of audio, on one thread, imports apart; memory is the highest of the
worker that did it.

`--leave-out N` also chooses the threshold of the speaker count without the files that it is
judged on: N folds, every N-th file of every set left out in turn.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.recordings import recipe_of
from transcrevai_core import demo
from transcrevai_core.audio import decode
from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.evaluation.metrics import DiarizationErrors, der
from transcrevai_core.transcript.rttm import read_rttm
from transcrevai_core.types import Turn
from transcrevai_core.workers.worker import Worker

# the threshold of the count that is chosen, and among what
CHOICES = {
    "ivector": ("alike", (0.5, 0.55, 0.6, 0.65, 0.7)),
    "voice": ("evidence", (-40.0, -20.0, 0.0, 20.0, 40.0)),
}


@dataclass
class Found:
    """What came of one file."""

    duration: float
    reference: list[Turn]
    turns: list[Turn]
    processor_seconds: float
    variants: dict[float, list[Turn]]  # by the threshold of the count, where asked for


def diarize_once(
    wav: Path, embedding: str, given: int | None, vary: bool
) -> tuple[list[Turn], float, dict[float, list[Turn]]]:
    """In a worker: diarize a file, and once more for each choice where `vary` says so."""
    from transcrevai_core.diarization.pipeline import cluster, embed_recording, reader

    recipe = recipe_of(embedding)
    speakers = given or (1, 6)
    read = reader(wav)
    begun = time.process_time()
    voices = embed_recording(wav, recipe)
    turns = list(cluster(voices, speakers, recipe, read).turns)
    took = time.process_time() - begun
    field, choices = CHOICES[embedding] if vary else ("", ())
    variants = {}
    for choice in choices:
        other: dict[str, Any] = {field: choice}
        variants[choice] = list(cluster(voices, speakers, replace(recipe, **other), read).turns)
    return turns, took, variants


def measure(
    files: list[Path], embedding: str, *, count_given: bool = False, vary: bool = False
) -> tuple[list[Found], int]:
    """Diarize files in a fresh worker; returns what was found and the worker's peak bytes."""
    worker = Worker("diarization")
    found = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "audio.wav"
            decode.decode(demo.sample_path("pt"), wav)
            worker.call(diarize_once, wav, embedding, None, False)  # imports
            for path in files:
                info = decode.decode(path, wav)
                reference = read_rttm(path.with_suffix(".rttm"))
                given = len({turn.speaker for turn in reference}) if count_given else None
                turns, took, variants = worker.call(diarize_once, wav, embedding, given, vary)
                found.append(Found(info.duration, reference, turns, took, variants))
        return found, worker.read_peak()
    finally:
        worker.stop()


class Score:
    """Sums of errors over files, at collar 0 and at 0.25 s on each side of a boundary."""

    def __init__(self) -> None:
        self.strict = self.lenient = DiarizationErrors()
        self.files = self.right = 0

    def add(self, reference: list[Turn], turns: list[Turn]) -> None:
        """Score one file."""
        self.strict += der(reference, turns)
        self.lenient += der(reference, turns, collar=0.25)
        self.files += 1
        self.right += len({t.speaker for t in reference}) == len({t.speaker for t in turns})

    def line(self) -> str:
        """DER and its parts at either collar, JER, right counts and their share; percent."""
        cells = []
        for errors in (self.strict, self.lenient):
            parts = (errors.missed, errors.false_alarm, errors.confusion)
            shares = [errors.rate, *(errors.share(part) for part in parts)]
            cells.append(" ".join(f"{100 * share:6.1f}" for share in shares))
        count = f"{self.right:3d}/{self.files:<3d}{100 * self.right / max(self.files, 1):4.0f} %"
        return f"{' |'.join(cells)} |{100 * self.strict.jer:6.1f} {count}"


_PARTS = f"{'':>6} {'miss':>6} {'alarm':>6} {'conf':>6}"
HEAD = (
    f"{'embedding':<18} {'set':<14} {'DER 0':>6}{_PARTS[6:]} |{'±0.25':>6}{_PARTS[6:]} |"
    f"{'JER':>6} {'right count':>13} {'RTF':>7} {'peak MB':>8}"
)
POLICY = (
    "Errors in percent of the reference's speech. Collar 0: all is scored; ±0.25: a quarter of a "
    "second\non each side of every reference boundary is left out (pyannote.metrics calls this "
    "collar=0.5). Overlap is scored."
)


def report(label: str, kind: str, found: list[Found], peak: int) -> None:
    """Print one line of the table."""
    score = Score()
    for one in found:
        score.add(one.reference, one.turns)
    rtf = sum(f.processor_seconds for f in found) / sum(f.duration for f in found)
    print(f"{label:<18} {kind:<14} {score.line()} {rtf:7.4f} {peak / 1e6:8.0f}", flush=True)


def leave_out(sets: dict[str, list[Found]], folds: int) -> None:
    """Choose the threshold on all sets' other files, judge on those left out; print lines."""
    every = [
        (kind, number, one) for kind, found in sets.items() for number, one in enumerate(found)
    ]
    choices = list(every[0][2].variants)
    scores, chosen = {kind: Score() for kind in sets}, []
    for fold in range(folds):
        errors = {}
        for choice in choices:
            trial = Score()
            for _, number, one in every:
                if number % folds != fold:
                    trial.add(one.reference, one.variants[choice])
            errors[choice] = trial.lenient.rate
        best = min(choices, key=lambda choice: errors[choice])
        chosen.append(best)
        for kind, number, one in every:
            if number % folds == fold:
                scores[kind].add(one.reference, one.variants[best])
    for kind, score in scores.items():
        print(f"{'  left out':<18} {kind:<14} {score.line()}")
    print(f"  thresholds chosen: {', '.join(map(str, chosen))}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--embeddings", nargs="*", default=["voice", "ivector", "mfcc"])
    parser.add_argument("--leave-out", type=int, default=0, metavar="FOLDS")
    arguments = parser.parse_args()
    sets = {
        folder.name: files
        for folder in sorted(arguments.folder.iterdir())
        if (files := [f for f in sorted(folder.glob("*.flac")) if f.with_suffix(".rttm").exists()])
    }
    try:
        der([], [])
    except TranscrevaiError as error:
        raise SystemExit(str(error)) from None
    print(f"{POLICY}\n{HEAD}")
    for embedding in arguments.embeddings:
        vary = bool(arguments.leave_out) and embedding in CHOICES
        label = Path(embedding).name[:18]
        heard: dict[str, list[Found]] = {}
        try:
            for kind, files in sets.items():
                heard[kind], peak = measure(files, embedding, vary=vary)
                report(label, kind, heard[kind], peak)
                given, peak = measure(files, embedding, count_given=True)
                report("  count given", kind, given, peak)
        except TranscrevaiError as error:
            print(f"{label:<18} left out: {error}", flush=True)
            continue
        if vary:
            leave_out(heard, arguments.leave_out)


if __name__ == "__main__":
    main()
