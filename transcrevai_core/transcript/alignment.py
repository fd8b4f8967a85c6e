"""Words get speakers, and segments are split where the speaker changes inside them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import accumulate, groupby

from transcrevai_core.transcript.turns import overlapping
from transcrevai_core.types import Segment, Turn, Word

# What a change of speaker costs, in words that are wholly covered by one speaker's turns: little
# where a sentence ends or a pause is, more inside a phrase, where a turn's edge that is off by a
# tenth of a second would otherwise tear a word away.
_CHANGE_AT_PAUSE, _CHANGE_IN_PHRASE = 0.2, 0.6
_PAUSE = 0.3  # seconds
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*\s*$")


def align(segments: Sequence[Segment], turns: Sequence[Turn]) -> list[Segment]:
    """Give each segment its speaker; one that several speak becomes several.

    The first piece keeps the id and the note, all keep the highlight, and pieces that earlier turns
    have made are one again first. A segment whose text was edited stays as it is, as does one
    whose words do not spell its text.
    Without turns nobody is known.
    """
    segments = _whole(segments)
    if not turns:
        return [replace(segment, speaker=None) for segment in segments]
    words = [word for segment in segments for word in _words(segment)]
    firsts = {0, *accumulate(len(_words(segment)) for segment in segments)}
    speakers = iter(word_speakers(words, turns, firsts))
    out: list[Segment] = []
    for segment in segments:
        spoken = [(word, next(speakers)) for word in _words(segment)]
        out += _split(segment, spoken)
    return out


def word_speakers(
    words: Sequence[Word], turns: Sequence[Turn], firsts: Collection[int] = ()
) -> list[str]:
    """The speaker of each word: who covers the words best, with a price on each change.

    `firsts`: numbers of words where a segment begins, and a change is cheap. A word outside all
    turns goes with its neighbours. The best path is found by Viterbi's algorithm.
    """
    labels = list(dict.fromkeys(turn.speaker for turn in turns))
    cover = _coverage(words, turns, labels)
    best, back = [0.0] * len(labels), []
    for number, word in enumerate(words):
        if number:
            price = _price(words[number - 1], word, number in firsts)
            leader = max(range(len(labels)), key=best.__getitem__)
            came = [k if best[k] >= best[leader] - price else leader for k in range(len(labels))]
            best = [best[f] - (price if f != k else 0.0) for k, f in enumerate(came)]
            back.append(came)
        best = [score + cover[number][k] for k, score in enumerate(best)]
    path = [max(range(len(labels)), key=best.__getitem__)] if words else []
    for came in reversed(back):
        path.append(came[path[-1]])
    return [labels[k] for k in reversed(path)]


def _whole(segments: Sequence[Segment]) -> list[Segment]:
    """Put together what was one segment, unless the user has made one part unlike the other."""
    out: list[Segment] = []
    for segment in segments:
        if segment.continues and out and _alike(out[-1], segment):
            first = out.pop()
            segment = replace(
                first,
                end=segment.end,
                text=first.text + segment.text,
                words=first.words + segment.words,
            )
        out.append(segment)
    return out


def _alike(first: Segment, segment: Segment) -> bool:
    return (
        first.edited is None
        and segment.edited is None
        and not segment.note
        and first.highlighted == segment.highlighted
    )


def _words(segment: Segment) -> Sequence[Word]:
    """Return the words that speakers are found for; the segment stands for itself without any."""
    return segment.words or (Word(segment.start, segment.end, segment.text, 1.0),)


def _price(before: Word, word: Word, first: bool) -> float:
    pause = word.start - before.end >= _PAUSE or _SENTENCE_END.search(before.text)
    return _CHANGE_AT_PAUSE if first or pause else _CHANGE_IN_PHRASE


def _coverage(
    words: Sequence[Word], turns: Sequence[Turn], labels: Sequence[str]
) -> list[list[float]]:
    """Which share (0 to 1) of each word each label's turns cover."""
    find = overlapping(turns)
    place = {label: k for k, label in enumerate(labels)}
    found = []
    for word in words:
        row = [0.0] * len(labels)
        end = max(word.end, word.start + 0.01)  # some words have no length
        for turn in find(word.start, end):
            shared = min(end, turn.end) - max(word.start, turn.start)
            row[place[turn.speaker]] += max(0.0, shared) / (end - word.start)
        found.append(row)
    return found


def _split(segment: Segment, spoken: Sequence[tuple[Word, str]]) -> list[Segment]:
    runs = [
        (speaker, [word for word, _ in group])
        for speaker, group in groupby(spoken, key=lambda pair: pair[1])
    ]
    spelt = "".join(word.text for word, _ in spoken)
    whole = segment.edited is not None or not segment.words or spelt.strip() != segment.text.strip()
    if whole or len(runs) == 1:
        seconds: dict[str, float] = {}
        for word, speaker in spoken:
            seconds[speaker] = seconds.get(speaker, 0.0) + word.end - word.start + 1e-6
        return [replace(segment, speaker=max(seconds, key=seconds.__getitem__))]
    last = len(runs) - 1
    return [
        replace(
            segment,
            start=words[0].start if number else segment.start,
            end=words[-1].end if number < last else segment.end,
            text="".join(word.text for word in words),
            words=tuple(words),
            speaker=speaker,
            continues=segment.continues or number > 0,
            note="" if number else segment.note,
            id=None if number else segment.id,
        )
        for number, (speaker, words) in enumerate(runs)
    ]
