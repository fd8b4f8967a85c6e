"""The laboratory's worker: diarization settings in, turns and the evidence for them out.

What any settings have in common (voices, trees, spectra, cepstra) is kept from call to call, so
that most changes are answered at once. Plain values in and out.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transcrevai_core.codes import Stage
from transcrevai_core.errors import InputError
from transcrevai_core.workers.child import report

if TYPE_CHECKING:
    import numpy as np

    from transcrevai_core.audio.acoustics import Sound
    from transcrevai_core.diarization.embeddings.features import Features
    from transcrevai_core.diarization.pipeline import Diarization

_BLOCKS = 720  # of cepstra that are kept: two hours, 58 MB
_RESULTS = 32  # that are kept
_COUNTS = 9  # of speakers that k-means is made for ahead: the most by default, and phantoms
_FEW = 30  # windows
_DOTS = 800  # of the map
_AHEAD_SECONDS = 0.1  # and one more piece, for which the next call may have to wait
_ROWS = 150  # of the affinity matrix


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings to try on a recording: the files of its voices and samples, and all settings."""

    voices: Path
    wav: Path
    settings: Mapping[str, Any]


class _Recording:
    """One recording's voices, and the results of trials on them."""

    def __init__(self, trial: Trial) -> None:
        from transcrevai_core.diarization.pipeline import Voices

        self.key = _key(trial)
        self.wav = trial.wav
        self.voices = Voices.load(trial.voices)
        self._results: dict[Any, tuple[Diarization, float]] = {}
        self._ahead = self._steps_ahead()

    @cached_property
    def features(self) -> "Features":
        """Cepstra, for resegmentation."""
        from transcrevai_core.diarization.embeddings.features import Features
        from transcrevai_core.diarization.pipeline import reader

        return Features(reader(self.wav), self.voices.regions, _BLOCKS)

    def work_ahead(self, seconds: float) -> bool:
        """Compute ahead for so many seconds; tell whether there is more to compute."""
        end = time.perf_counter() + seconds
        return any(time.perf_counter() >= end for _made in self._ahead)

    def _steps_ahead(self) -> Iterator[object]:
        """Compute one by one what other clusterings need, then cepstra, for resegmentation."""
        cluster_input = self.voices.cluster_input
        if len(self.voices.windows) > _FEW:  # fewer take no time
            yield cluster_input.agglomerative
            yield cluster_input.spectral(1)  # as good as one of more
            for count in range(2, _COUNTS + 1):
                yield cluster_input.k_means(count)
        regions = self.features.regions
        # of longer ones the first would have left when the last comes
        if sum(region.duration for region in regions) <= _BLOCKS * 10.0:
            for region in regions:
                yield self.features.between(region.start, region.end)

    def diarize(self, settings: Mapping[str, Any]) -> tuple["Diarization", float]:
        """Return who speaks when, and the seconds that it took to find out."""
        from transcrevai_core.diarization.pipeline import cluster, reader
        from transcrevai_core.diarization.recipes import chosen_recipe

        recipe = chosen_recipe(settings)
        speakers = settings["speakers"] or (settings["min_speakers"], settings["max_speakers"])
        key = recipe, speakers
        if key not in self._results:
            begun = time.perf_counter()
            features = self.features if recipe.resegment_rounds else None
            found = cluster(self.voices, speakers, recipe, reader(self.wav), features)
            while len(self._results) >= _RESULTS:
                del self._results[next(iter(self._results))]
            self._results[key] = found, time.perf_counter() - begun
        return self._results[key]

    def speakers(self, settings: Mapping[str, Any]) -> "np.ndarray":
        """Return the speaker's label in the middle of each window, (windows,)."""
        import numpy as np

        turns = self.diarize(settings)[0].turns
        middles = self.voices.windows.mean(axis=1)
        starts = np.array([turn.start for turn in turns])
        rows = np.clip(np.searchsorted(starts, middles, side="right") - 1, 0, None)
        speakers: np.ndarray = np.array([turn.speaker for turn in turns])[rows]
        return speakers


_recording: _Recording | None = None


def _key(trial: Trial) -> Any:
    try:
        return trial.voices, trial.voices.stat().st_mtime_ns, trial.wav
    except OSError:
        raise InputError(
            "The voices of this recording are not kept any more; finding them again would be right."
        ) from None


def _loaded(trial: Trial) -> _Recording:
    global _recording
    if _recording is None or _recording.key != _key(trial):
        _recording = None  # the old ones leave before the new ones come
        _recording = _Recording(trial)
    return _recording


def find_voices(trial: Trial) -> None:
    """Find the voices of a sound and write them; reports the finished share (0 to 1)."""
    import numpy as np

    from transcrevai_core.diarization import pipeline
    from transcrevai_core.diarization.recipes import chosen_recipe
    from transcrevai_core.jobs import tasks

    speech = trial.wav.with_name(tasks.SPEECH)
    pipeline.embed_recording(
        trial.wav,
        chosen_recipe(trial.settings),
        probabilities=[np.fromfile(speech, np.float32)] if speech.is_file() else None,
        on_progress=report,
    ).save(trial.voices)


def work_ahead(trial: Trial) -> bool:
    """Compute a little ahead, for later trials; return whether there is more to compute.

    Resegmentation is then answered as quickly the first time as later.
    """
    if _recording is None or _recording.key != _key(trial):
        return False  # someone has asked about another recording since
    return _recording.work_ahead(_AHEAD_SECONDS)


def diarize(trial: Trial) -> dict[str, Any]:
    """Return turns (start, end, speaker), how they were found, and the seconds that it took."""
    from transcrevai_core.jobs.tasks import plain

    found, seconds = _loaded(trial).diarize(trial.settings)
    turns, facts = plain(found)
    rows = [(turn.start, turn.end, turn.speaker) for turn in turns]
    return {"turns": rows, "facts": facts, "seconds": seconds}


def score(trial: Trial, reference: str, collar: float) -> dict[str, Any]:
    """Return the errors against the text of an RTTM (`metrics.der`), as shares.

    `collar` in seconds on each side of every boundary of the reference.
    """
    from transcrevai_core.evaluation.metrics import der
    from transcrevai_core.transcript.rttm import parse_rttm

    right = parse_rttm(reference)
    found, seconds = _loaded(trial).diarize(trial.settings)
    errors = der(right, found.turns, collar=collar)
    return {
        "der": errors.rate,
        "missed": errors.share(errors.missed),
        "false_alarm": errors.share(errors.false_alarm),
        "confusion": errors.share(errors.confusion),
        "jer": errors.jer,
        "collar": collar,
        "speakers": len({turn.speaker for turn in found.turns}),
        "speakers_reference": len({turn.speaker for turn in right}),
        "seconds": seconds,
    }


def voice_map(trial: Trial) -> dict[str, Any]:
    """Return a map of the windows: x, y, start, end, speaker of at most 800, evenly spread.

    They are the first two principal components (Pearson 1901, doi:10.1080/14786440109462720) of
    what grouping looks at, vectors of length 1; `share` is how much of the variance they hold.
    """
    import numpy as np

    from transcrevai_core.diarization.clustering import evenly, normalise

    recording = _loaded(trial)
    if not len(recording.voices.windows):
        return {"dots": [], "share": 0.0}
    rows = evenly(len(recording.voices.windows), _DOTS)
    unit = normalise(recording.voices.cluster_input.scaled[rows]).astype(np.float64)
    places, share = np.zeros((len(rows), 2)), 0.0
    if len(rows) > 1:
        from sklearn.decomposition import PCA

        found = PCA(min(2, *unit.shape), svd_solver="covariance_eigh").fit(unit)
        places[:, : found.n_components_] = found.transform(unit)
        share = float(np.nan_to_num(found.explained_variance_ratio_).sum())  # 0 / 0 where all agree
    speakers = recording.speakers(trial.settings)[rows]
    dots = [
        (round(float(x), 4), round(float(y), 4), float(start), float(end), str(who))
        for (x, y), (start, end), who in zip(
            places, recording.voices.windows[rows], speakers, strict=True
        )
    ]
    return {"dots": dots, "share": share}


def affinity(trial: Trial) -> dict[str, Any]:
    """Return how alike windows are: cosines of at most 150, ordered by speaker, then by time.

    `labels` and `spans` (seconds) tell whose and which each row is.
    """
    import numpy as np

    from transcrevai_core.diarization.clustering import evenly, normalise

    recording = _loaded(trial)
    if not len(recording.voices.windows):
        return {"matrix": [], "labels": [], "spans": []}
    speakers = recording.speakers(trial.settings)
    order = np.lexsort((recording.voices.windows[:, 0], speakers))
    rows = order[evenly(len(order), _ROWS)]
    unit = normalise(recording.voices.cluster_input.scaled[rows])
    return {
        "matrix": np.round(unit @ unit.T, 3).tolist(),
        "labels": speakers[rows].tolist(),
        "spans": recording.voices.windows[rows].tolist(),
    }


def evidence(trial: Trial) -> dict[str, Any]:
    """Return what speaks for each number of speakers, from 1 to the most there may be.

    See `grouping.evidence_by_count` for what each row holds; `chosen` is the number of speakers
    that the settings come to.
    """
    from transcrevai_core.diarization.grouping import evidence_by_count
    from transcrevai_core.diarization.recipes import chosen_recipe

    recording = _loaded(trial)
    recipe = chosen_recipe(trial.settings)
    most = max(trial.settings["max_speakers"], trial.settings["speakers"] or 1)
    found, _ = recording.diarize(trial.settings)
    rows = (
        evidence_by_count(recording.voices.cluster_input, most, recipe)
        if len(recording.voices.windows)
        else []
    )
    return {"rows": rows, "chosen": int(found.count.number), "by": found.count.by}


def measure_sound(wav: Path, start: float, end: float) -> "Sound":
    """Measure how a stretch of a recording looks; reports its stages."""
    from transcrevai_core.audio import acoustics

    report(Stage.LOADING_LIBROSA())
    return acoustics.measure(wav, start, end, on_loaded=lambda: report(Stage.MEASURING_SOUND()))
