"""The laboratory of diarization, inside its worker: settings in, turns and their evidence out.

What any settings have in common (voices, trees, spectra, cepstra) is kept from call to call, so
that most changes are answered at once. Plain values in and out.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transcrevai_core.errors import InputError
from transcrevai_core.inside import report

if TYPE_CHECKING:
    import numpy as np

    from transcrevai_core.diarization.features import Features
    from transcrevai_core.diarization.pipeline import Diarization

_BLOCKS = 720  # of cepstra that are kept: two hours, 58 MB
_ANSWERS = 32  # that are kept
_COUNTS = 9  # of speakers that k-means is made for ahead: the most by default, and phantoms
_FEW = 30  # windows
_DOTS = 800  # of the map
_MOMENT = 0.1  # seconds, and one more piece, that whoever asks next may have to wait
_ROWS = 150  # of the affinity matrix


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which sound: files of its voices and samples, and all settings."""

    voices: Path
    wav: Path
    settings: Mapping[str, Any]


class _Bench:
    """One recording's voices, and what was found out about them."""

    def __init__(self, question: Question) -> None:
        from transcrevai_core.diarization.pipeline import Voices

        self.key = _key(question)
        self.wav = question.wav
        self.voices = Voices.load(question.voices)
        self._answers: dict[Any, tuple[Diarization, float]] = {}
        self._ahead = self._work_ahead()

    @cached_property
    def features(self) -> "Features":
        """Cepstra, for resegmentation."""
        from transcrevai_core.diarization.features import Features
        from transcrevai_core.diarization.pipeline import reader

        return Features(reader(self.wav), self.voices.regions, _BLOCKS)

    def prepare(self, seconds: float) -> bool:
        """Make for so long what may be wanted; tell whether there is more to make."""
        end = time.perf_counter() + seconds
        return any(time.perf_counter() >= end for _made in self._ahead)

    def _work_ahead(self) -> Iterator[object]:
        """Make one by one what other groupings need, and then cepstra, for resegmentation."""
        material = self.voices.material
        if len(self.voices.windows) > _FEW:  # fewer take no time
            yield material.tree
            yield material.spectrum(1)  # as good as one of more
            for count in range(2, _COUNTS + 1):
                yield material.means(count)
        regions = self.features.regions
        # of longer ones the first would have left when the last comes
        if sum(region.duration for region in regions) <= _BLOCKS * 10.0:
            for region in regions:
                yield self.features.between(region.start, region.end)

    def answer(self, settings: Mapping[str, Any]) -> tuple["Diarization", float]:
        """Return who speaks when, and the seconds that it took to find out."""
        from transcrevai_core.diarization.pipeline import reader, settle
        from transcrevai_core.diarization.recipes import chosen_recipe

        recipe = chosen_recipe(settings)
        speakers = settings["speakers"] or (settings["min_speakers"], settings["max_speakers"])
        key = recipe, speakers
        if key not in self._answers:
            begun = time.perf_counter()
            features = self.features if recipe.resegment_rounds else None
            found = settle(self.voices, speakers, recipe, reader(self.wav), features)
            while len(self._answers) >= _ANSWERS:
                del self._answers[next(iter(self._answers))]
            self._answers[key] = found, time.perf_counter() - begun
        return self._answers[key]

    def speakers(self, settings: Mapping[str, Any]) -> "np.ndarray":
        """Return the label of whoever speaks in the middle of each window, (windows,)."""
        import numpy as np

        turns = self.answer(settings)[0].turns
        middles = self.voices.windows.mean(axis=1)
        starts = np.array([turn.start for turn in turns])
        rows = np.clip(np.searchsorted(starts, middles, side="right") - 1, 0, None)
        return np.array([turn.speaker for turn in turns])[rows]


_held: _Bench | None = None


def _key(question: Question) -> Any:
    try:
        return question.voices, question.voices.stat().st_mtime_ns, question.wav
    except OSError:
        raise InputError(
            "The voices of this recording are not kept any more; finding them again would be right."
        ) from None


def _bench(question: Question) -> _Bench:
    global _held
    if _held is None or _held.key != _key(question):
        _held = None  # the old ones leave before the new ones come
        _held = _Bench(question)
    return _held


def hear(question: Question) -> None:
    """Find the voices of a sound and write them; reports the finished share (0 to 1)."""
    import numpy as np

    from transcrevai_core import stages
    from transcrevai_core.diarization import pipeline
    from transcrevai_core.diarization.recipes import chosen_recipe

    speech = question.wav.with_name(stages.SPEECH)
    pipeline.hear(
        question.wav,
        chosen_recipe(question.settings),
        probabilities=[np.fromfile(speech, np.float32)] if speech.is_file() else None,
        on_progress=report,
    ).save(question.voices)


def prepare(question: Question) -> bool:
    """Work ahead for a moment, for changes that need the sound; tell whether there is more to do.

    Resegmentation is then answered as quickly the first time as later.
    """
    if _held is None or _held.key != _key(question):
        return False  # someone has asked about another recording since
    return _held.prepare(_MOMENT)


def answer(question: Question) -> dict[str, Any]:
    """Return turns (start, end, speaker), how they were found, and the seconds that it took."""
    from transcrevai_core.stages import plain

    found, seconds = _bench(question).answer(question.settings)
    turns, facts = plain(found)
    rows = [(turn.start, turn.end, turn.speaker) for turn in turns]
    return {"turns": rows, "facts": facts, "seconds": seconds}


def score(question: Question, reference: str, collar: float) -> dict[str, Any]:
    """Return the errors of an answer against the text of an RTTM (`metrics.der`), as shares.

    `collar` in seconds on each side of every boundary of the reference.
    """
    from transcrevai_core.metrics import der
    from transcrevai_core.rttm import parse_rttm

    truth = parse_rttm(reference)
    found, seconds = _bench(question).answer(question.settings)
    errors = der(truth, found.turns, collar=collar)
    return {
        "der": errors.rate,
        "missed": errors.share(errors.missed),
        "false_alarm": errors.share(errors.false_alarm),
        "confusion": errors.share(errors.confusion),
        "jer": errors.jer,
        "collar": collar,
        "speakers": len({turn.speaker for turn in found.turns}),
        "speakers_reference": len({turn.speaker for turn in truth}),
        "seconds": seconds,
    }


def survey(question: Question) -> dict[str, Any]:
    """Return a map of the windows: x, y, start, end, speaker of at most 800, evenly spread.

    They are the first two principal components (Pearson 1901, doi:10.1080/14786440109462720) of
    what grouping looks at, vectors of length 1; `share` is how much of the variance they hold.
    """
    import numpy as np

    from transcrevai_core.diarization.clustering import evenly, normalise

    bench = _bench(question)
    if not len(bench.voices.windows):
        return {"dots": [], "share": 0.0}
    rows = evenly(len(bench.voices.windows), _DOTS)
    unit = normalise(bench.voices.material.told[rows]).astype(np.float64)
    places, share = np.zeros((len(rows), 2)), 0.0
    if len(rows) > 1:
        from sklearn.decomposition import PCA

        found = PCA(min(2, *unit.shape), svd_solver="covariance_eigh").fit(unit)
        places[:, : found.n_components_] = found.transform(unit)
        share = float(np.nan_to_num(found.explained_variance_ratio_).sum())  # 0 / 0 where all agree
    speakers = bench.speakers(question.settings)[rows]
    dots = [
        (round(float(x), 4), round(float(y), 4), float(start), float(end), str(who))
        for (x, y), (start, end), who in zip(
            places, bench.voices.windows[rows], speakers, strict=True
        )
    ]
    return {"dots": dots, "share": share}


def affinity(question: Question) -> dict[str, Any]:
    """Return how alike windows are: cosines of at most 150, ordered by speaker, then by time.

    `labels` and `spans` (seconds) tell whose and which each row is.
    """
    import numpy as np

    from transcrevai_core.diarization.clustering import evenly, normalise

    bench = _bench(question)
    if not len(bench.voices.windows):
        return {"matrix": [], "labels": [], "spans": []}
    speakers = bench.speakers(question.settings)
    order = np.lexsort((bench.voices.windows[:, 0], speakers))
    rows = order[evenly(len(order), _ROWS)]
    unit = normalise(bench.voices.material.told[rows])
    return {
        "matrix": np.round(unit @ unit.T, 3).tolist(),
        "labels": speakers[rows].tolist(),
        "spans": bench.voices.windows[rows].tolist(),
    }


def evidence(question: Question) -> dict[str, Any]:
    """Return what speaks for each number of speakers, from 1 to the most there may be.

    See `grouping.weigh` for what each row holds; `chosen` is the number that the answer has.
    """
    from transcrevai_core.diarization.grouping import weigh
    from transcrevai_core.diarization.recipes import chosen_recipe

    bench = _bench(question)
    recipe = chosen_recipe(question.settings)
    most = max(question.settings["max_speakers"], question.settings["speakers"] or 1)
    found, _ = bench.answer(question.settings)
    rows = weigh(bench.voices.material, most, recipe) if len(bench.voices.windows) else []
    return {"rows": rows, "chosen": int(found.count.number), "by": found.count.by}
