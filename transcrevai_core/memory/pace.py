"""How long a job takes, stage by stage: as its like took on this computer, else by a rule of thumb.

The rule's constants are of `python -m benchmarks.words` and `benchmarks.long_diarization` on one
thread of an ordinary processor; the first recording of a kind corrects them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from transcrevai_core.memory.forecast import weights_bytes
from transcrevai_core.memory.plan import Plan
from transcrevai_core.models.catalogue import MODELS, locate

_DOWNLOAD = 5e6  # bytes of a model that come in a second
_PREPARE, _DIARIZATION = 0.006, 0.01  # s of work for each second of sound
_WEIGHT = 1.1e-9  # s of work for each second of sound and each weight of a model
_SHARING = 0.7  # exponent of the threads: of two, each gives less than one alone
_BEGIN = 2.0  # s in which workers start and a model is loaded

RtfOf = Callable[[str, str], float | None]  # of a stage and its key, where it is known


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that each stage of a job takes, and whether text and speakers come side by side.

    `stages` has those of a plan, and download where the model is not on this computer.
    """

    stages: Mapping[str, float]
    side_by_side: bool

    @property
    def total(self) -> float:
        """Seconds from beginning to end."""
        text, voices = self._of("transcription"), self._of("diarization")
        return self._first + (max(text, voices) if self.side_by_side else text + voices)

    def share(self, stage: str, done: float) -> float:
        """Return which share of the whole is done where `done` (0 to 1) of a stage is.

        Stages come in the order of `jobs/pipeline`: where text and speakers do not come side by
        side, the speakers come first.

        >>> pace = Pace({"prepare": 8.0, "transcription": 80.0, "diarization": 10.0}, False)
        >>> pace.share("prepare", 0.5), pace.share("diarization", 0.5)
        (0.05, 0.15)
        >>> pace.share("transcription", 0.5)
        0.6
        """
        text, voices = self._of("transcription"), self._of("diarization")
        if stage == "download":
            reached = done * self._of("download")
        elif stage == "prepare":
            reached = self._of("download") + done * (self._first - self._of("download"))
        elif stage == "diarization":
            least = text if self.side_by_side else 0.0  # seen only when the text is written
            reached = self._first + max(least, done * voices)
        else:
            reached = self._first + (0.0 if self.side_by_side else voices) + done * text
        return min(1.0, reached / self.total)

    @property
    def _first(self) -> float:
        return self._of("download") + _BEGIN + self._of("prepare")

    def _of(self, stage: str) -> float:
        return self.stages.get(stage, 0.0)

    def left(self, share: float, worked: float) -> float:
        """Return the seconds that remain after `worked` seconds for a share (0 to 1) of the whole.

        The more is done, the more what it took counts, and the less what was forecast.
        """
        return (1 - share) * (worked + (1 - share) * self.total)


def pace_of(plan: Plan, duration: float, rtf_of: RtfOf) -> Pace:
    """Return how long a plan takes on `duration` seconds of sound."""
    shape = plan.shape
    weights = weights_bytes(shape.model, "int8")
    thumb = {
        "prepare": _PREPARE,
        "transcription": _WEIGHT * weights / max(1, shape.threads) ** _SHARING,
        "diarization": _DIARIZATION,
    }
    stages = {
        stage: duration * (rtf_of(stage, need.key) or thumb[stage])
        for stage, need in plan.needs.items()
    }
    if "transcription" in stages and shape.model in MODELS and not locate(shape.model):
        stages["download"] = MODELS[shape.model].download_mb * 1e6 / _DOWNLOAD
    return Pace(stages, plan.side_by_side)
