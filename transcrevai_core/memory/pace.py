"""How long a job takes, stage by stage: as its like took on this computer, else by a rule of thumb.

The rule's constants are of `python -m benchmarks.words` and `benchmarks.long_diarization` on one
thread of an ordinary processor; the first recording of a kind corrects them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from transcrevai_core.memory.forecast import weights_bytes
from transcrevai_core.memory.plan import Plan

_PREPARE, _DIARIZATION = 0.006, 0.01  # s of work for each second of sound
_WEIGHT = 1.1e-9  # s of work for each second of sound and each weight of a model
_SHARING = 0.7  # exponent of the threads: of two, each gives less than one alone
_BEGIN = 2.0  # s in which workers start and a model is loaded

RtfOf = Callable[[str, str], float | None]  # of a stage and its key, where it is known


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that each stage of a job takes, and whether text and speakers come side by side."""

    stages: Mapping[str, float]
    side_by_side: bool

    @property
    def total(self) -> float:
        """Seconds from beginning to end."""
        both = [self.stages.get(stage, 0.0) for stage in ("transcription", "diarization")]
        later = max(both) if self.side_by_side else sum(both)
        return _BEGIN + self.stages.get("prepare", 0.0) + later

    def share(self, stage: str, done: float) -> float:
        """Return which share of the whole is done where `done` (0 to 1) of a stage is.

        >>> pace = Pace({"prepare": 8.0, "transcription": 80.0, "diarization": 10.0}, False)
        >>> pace.share("prepare", 0.5), pace.share("transcription", 0.5)
        (0.05, 0.5)
        """
        first = _BEGIN + self.stages.get("prepare", 0.0)
        if stage == "prepare":
            return done * first / self.total
        text, mine = self.stages.get("transcription", 0.0), self.stages.get(stage, 0.0)
        if stage == "diarization":
            later = max(text, done * mine) if self.side_by_side else text + done * mine
        else:
            later = done * mine
        return min(1.0, (first + later) / self.total)

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
    return Pace(stages, plan.side_by_side)
