"""NIST's formats of references, as they are read here: STM and RTTM."""

import math
import re

from transcrevai_core.errors import InputError
from transcrevai_core.evaluation.annotation import Annotation, Utterance, in_order
from transcrevai_core.transcript.rttm import parse_rttm, recordings
from transcrevai_core.types import Region

_IGNORED = "ignore_time_segment_in_scoring"
_GAP = "inter_segment_gap"


def read_stm(text: str) -> dict[str, Annotation]:
    """Read NIST's segment time marks: `recording channel speaker start end [<label>] text`."""
    said: dict[str, list[Utterance]] = {}
    unscored: dict[str, list[Region]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith(";;"):
            continue
        fields = line.split(maxsplit=5)
        broken = InputError(
            "Line {number} of the STM is broken; recording channel speaker start end <label> "
            "text would be right.", number=number,
        )  # fmt: skip
        try:
            start, end = float(fields[3]), float(fields[4])
            if not (math.isfinite(start) and start <= end < math.inf):
                raise ValueError
        except (IndexError, ValueError):
            raise broken from None
        words = re.sub(r"^<[^>]*>\s*", "", fields[5]) if len(fields) > 5 else ""
        if re.match(r"[\d.]+\s+<", words):  # a name in two words, the second one a number
            raise broken
        if re.search(r"\{.*/.*\}", words):
            raise InputError(
                "Line {number} of the STM offers alternatives in braces, which cannot be scored; "
                "one text would be right.", number=number,
            )  # fmt: skip
        name, speaker = fields[0], fields[2]
        mine = said.setdefault(name, [])
        if words.strip().lower() == _IGNORED or speaker.lower() == _GAP:
            unscored.setdefault(name, []).append(Region(start, end))
        else:
            mine.append(Utterance(words, start, end, speaker))
    if text.strip() and not said:
        raise InputError("The STM holds comments only; a line for each utterance would be right.")
    return {name: in_order(found, unscored.get(name, ())) for name, found in said.items()} or {
        "": Annotation((), ())
    }


def read_rttm(text: str) -> dict[str, Annotation]:
    """Read who speaks when, by recording; `""` is the only one, whatever it is called."""
    turns = tuple(parse_rttm(text))
    names = recordings(text)
    if len(names) > 1:
        return {name: Annotation(turns=tuple(parse_rttm(text, name))) for name in names}
    if text.strip() and not turns:
        raise InputError(
            "The file holds no turn; SPEAKER name 1 start duration <NA> <NA> speaker would be "
            "right."
        )
    return {"": Annotation(turns=turns)}
