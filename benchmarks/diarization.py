"""Who spoke when: error, count, speed and memory of each embedding, in one run on one folder.

    python -m benchmarks.diarization FOLDER [--embeddings ivector mfcc] [--leave-out 4]

FOLDER holds sets as folders (conversations, single, meetings, ...) of NAME.flac with NAME.rttm.
Needs `pip install pyannote.metrics`. Policy: overlapped speech is scored; "collar 0" scores
everything, "±0.25 s" leaves out a quarter of a second on each side of every reference boundary
(pyannote's `collar=0.5`, which is the whole width). Errors are seconds summed over a set's files
over seconds of reference speech; the Jaccard error rate (JER) is the mean over files at collar 0.
RTF is processor seconds, sound to turns, per second of audio, on one thread, imports apart.

`--leave-out N` also chooses the threshold of the speaker count without the files that it is
judged on: N folds, every N-th file of every set left out in turn.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.long_recordings import peak_bytes
from transcrevai_core import audio
from transcrevai_core.rttm import read_rttm
from transcrevai_core.types import Turn
from transcrevai_core.workers import Worker

ALIKE_CHOICES = (0.5, 0.55, 0.6, 0.65, 0.7)


@dataclass
class Found:
    """What came of one file."""

    name: str
    duration: float
    reference: list[Turn]
    turns: list[Turn]
    processor_seconds: float
    variants: dict[float, list[Turn]]  # by the threshold of the count, where asked for


def diarize_once(
    wav: Path, embedding: str, given: int | None, vary: bool
) -> tuple[list[Turn], float, dict[float, list[Turn]]]:
    """In a worker: diarize a file, and once more for each choice where `vary` says so."""
    from transcrevai_core.diarization.pipeline import hear, reader, settle
    from transcrevai_core.diarization.recipes import RECIPES

    recipe = RECIPES[embedding]
    speakers = given or (1, 6)
    read = reader(wav)
    begun = time.process_time()
    voices = hear(wav, recipe)
    turns = list(settle(voices, speakers, recipe, read).turns)
    took = time.process_time() - begun
    choices = ALIKE_CHOICES if vary else ()
    variants = {
        a: list(settle(voices, speakers, replace(recipe, alike=a), read).turns) for a in choices
    }
    return turns, took, variants


def measure(
    files: list[Path], embedding: str, *, count_given: bool = False, vary: bool = False
) -> tuple[list[Found], int]:
    """Diarize files in a fresh worker; returns what was found and the worker's peak bytes."""
    worker = Worker("diarization")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "audio.wav"
        worker.call(
            diarize_once, _silence(Path(folder) / "first.wav"), embedding, None, False
        )  # imports
        for path in files:
            info = audio.decode(path, wav)
            reference = read_rttm(path.with_suffix(".rttm"))
            given = len({turn.speaker for turn in reference}) if count_given else None
            turns, took, variants = worker.call(diarize_once, wav, embedding, given, vary)
            found.append(Found(path.stem, info.duration, reference, turns, took, variants))
    peak = worker.call(peak_bytes)
    worker.stop()
    return found, peak


def _silence(wav: Path) -> Path:
    import wave

    with wave.open(str(wav), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    return wav


class Score:
    """Sums of errors over files; seconds, as pyannote.metrics counts them."""

    def __init__(self) -> None:
        from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate

        self.strict = DiarizationErrorRate(collar=0.0, skip_overlap=False)
        self.lenient = DiarizationErrorRate(collar=0.5, skip_overlap=False)
        self.jaccard = JaccardErrorRate(collar=0.0, skip_overlap=False)
        self.jaccards: list[float] = []
        self.files = self.right = 0

    def add(self, name: str, duration: float, reference: list[Turn], turns: list[Turn]) -> None:
        """Score one file."""
        from pyannote.core import Annotation, Segment, Timeline

        def annotation(of: list[Turn]) -> Annotation:
            out = Annotation(uri=name)
            for number, turn in enumerate(of):
                out[Segment(turn.start, turn.end), number] = turn.speaker
            return out

        a, b = annotation(reference), annotation(turns)
        end = max([duration, *(turn.end for turn in reference)])
        whole = Timeline([Segment(0, end)], uri=name)
        self.strict(a, b, uem=whole)
        self.lenient(a, b, uem=whole)
        self.jaccards.append(self.jaccard(a, b, uem=whole))
        self.files += 1
        self.right += len({t.speaker for t in reference}) == len({t.speaker for t in turns})

    def line(self) -> str:
        """D0 with its parts, D25 with its confusion, JER, right counts; percent."""
        parts = {}
        for name, metric in (("strict", self.strict), ("lenient", self.lenient)):
            total = max(metric["total"], 1e-9)
            keys = ("missed detection", "false alarm", "confusion")
            parts[name] = [100 * metric[key] / total for key in keys]
        miss, alarm, confusion = parts["strict"]
        jer = 100 * sum(self.jaccards) / max(len(self.jaccards), 1)
        return (
            f"{miss + alarm + confusion:6.1f} {miss:6.1f} {alarm:6.1f} {confusion:6.1f} "
            f"{sum(parts['lenient']):6.1f} {parts['lenient'][2]:6.1f} {jer:6.1f} "
            f"{self.right:3d}/{self.files:<3d}"
        )


HEAD = (
    f"{'embedding':<18} {'set':<14} {'DER 0':>6} {'miss':>6} {'alarm':>6} {'conf':>6} "
    f"{'±0.25':>6} {'conf':>6} {'JER':>6} {'count':>7} {'RTF':>7} {'peak MB':>8}"
)


def report(label: str, kind: str, found: list[Found], peak: int) -> None:
    """Print one line of the table."""
    score = Score()
    for one in found:
        score.add(one.name, one.duration, one.reference, one.turns)
    rtf = sum(f.processor_seconds for f in found) / sum(f.duration for f in found)
    print(f"{label:<18} {kind:<14} {score.line()} {rtf:7.4f} {peak / 1e6:8.0f}", flush=True)


def leave_out(sets: dict[str, list[Found]], folds: int) -> None:
    """Choose the threshold on all sets' other files, judge on those left out; print lines."""
    every = [
        (kind, number, one) for kind, found in sets.items() for number, one in enumerate(found)
    ]
    scores, chosen = {kind: Score() for kind in sets}, []
    for fold in range(folds):
        errors = {}
        for alike in ALIKE_CHOICES:
            trial = Score()
            for _, number, one in every:
                if number % folds != fold:
                    trial.add(one.name, one.duration, one.reference, one.variants[alike])
            errors[alike] = abs(trial.lenient)
        best = min(ALIKE_CHOICES, key=lambda alike: errors[alike])
        chosen.append(best)
        for kind, number, one in every:
            if number % folds == fold:
                scores[kind].add(one.name, one.duration, one.reference, one.variants[best])
    for kind, score in scores.items():
        print(f"{'  left out':<18} {kind:<14} {score.line()}")
    print(f"  thresholds chosen: {', '.join(map(str, chosen))}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--embeddings", nargs="*", default=["ivector", "mfcc"])
    parser.add_argument("--leave-out", type=int, default=0, metavar="FOLDS")
    arguments = parser.parse_args()
    sets = {
        folder.name: files
        for folder in sorted(arguments.folder.iterdir())
        if (files := [f for f in sorted(folder.glob("*.flac")) if f.with_suffix(".rttm").exists()])
    }
    print("Overlap is scored. DER in percent at collar 0 (with its parts) and at ±0.25 s.\n" + HEAD)
    for embedding in arguments.embeddings:
        vary = bool(arguments.leave_out) and embedding == "ivector"
        heard: dict[str, list[Found]] = {}
        for kind, files in sets.items():
            heard[kind], peak = measure(files, embedding, vary=vary)
            report(embedding, kind, heard[kind], peak)
            given, peak = measure(files, embedding, count_given=True)
            report("  count given", kind, given, peak)
        if vary:
            leave_out(heard, arguments.leave_out)


if __name__ == "__main__":
    main()
