"""How sure a number of speakers is, in words.

Behind them is a margin from 0 to 1, by which the number that was taken stood out. It is not
calibrated: how often such a number is right depends on the recordings and on the way of counting,
so it is no probability and is not shown as one.
"""

from collections.abc import Mapping
from typing import Any

from transcrevai_core.i18n import mark
from transcrevai_core.messages import NOTHING, Message

# least margins: of conversations of known number 95 % were right, about 87 %, and 56 % or less
_WORDS = ((0.75, mark("quite sure")), (0.65, mark("fairly sure")), (0.0, mark("a guess")))
_KNOWN = ("given", "channels")
_OLD = "confidence"  # what libraries and results of older versions call it


def certainty(facts: Mapping[str, Any], number: int) -> Message:
    """Say how sure it is that `number` speak, and what else it could be where it is not.

    `facts` are how they were found; `NOTHING` where nobody guessed, or the user corrected it since.

    >>> str(certainty({"speakers": 3, "margin": 0.7, "runner_up": 2, "by": "evidence"}, 3))
    'fairly sure; it could be 2'
    >>> str(certainty({"speakers": 3, "margin": 0.8, "runner_up": 2, "by": "evidence"}, 3))
    'quite sure; 2 would be possible'
    >>> str(certainty({"speakers": 3, "margin": 1.0, "by": "given"}, 3))
    ''
    """
    if not number or number != facts.get("speakers") or facts.get("by") in _KNOWN:
        return NOTHING
    margin = with_margin(facts).get("margin", 0.0)
    words = next(Message(words) for least, words in _WORDS if margin >= least)
    other = facts.get("runner_up")
    if other is None or margin >= 1.0:
        return words
    template = mark("{words}; it could be {other}")
    if margin >= _WORDS[0][0]:
        template = mark("{words}; {other} would be possible")
    return Message(template, {"words": words, "other": other})


def with_margin(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return how speakers were found with the margin under its own name.

    >>> with_margin({"speakers": 3, "confidence": 0.7})
    {'speakers': 3, 'margin': 0.7}
    """
    return {"margin" if name == _OLD else name: value for name, value in facts.items()}
