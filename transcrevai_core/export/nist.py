"""RTTM and CTM, NIST's formats of who spoke when and which word was said when."""

import math
import re
from itertools import islice

from transcrevai_core.errors import InputError
from transcrevai_core.export.cues import segment_texts
from transcrevai_core.export.filenames import file_stem
from transcrevai_core.transcript.names import one_line, speaker_turns
from transcrevai_core.transcript.retiming import letters, timed_pieces
from transcrevai_core.transcript.rttm import format_rttm
from transcrevai_core.types import Segment, Transcript, Word


def write_rttm(transcript: Transcript, edited: bool) -> str:
    """Write the turns, names without spaces; nothing where nothing is said.

    Raises InputError where something is said and nobody is known to say it.
    """
    turns = speaker_turns(transcript)
    if not turns and transcript.segments:
        raise InputError(
            "{title} has no speakers, which rttm is about; a transcript with speakers, or another "
            "format, would be right.",
            title=transcript.title,
        )
    return format_rttm(turns, _recording(transcript.title))


def write_ctm(transcript: Transcript, edited: bool) -> str:
    """Write `recording 1 start duration word confidence` a word, in seconds and order of time.

    The confidence is from 0 to 1, and 1 in a segment that the user corrected.
    """
    name = _recording(transcript.title)
    return "".join(
        f"{name} 1 {word.start:.3f} {word.end - word.start:.3f} {word.text} "
        f"{min(1.0, max(0.0, word.probability)):.2f}\n"  # in this order, what is no number is 0
        for word in timed_words(transcript, edited)
    )


def timed_words(transcript: Transcript, edited: bool) -> list[Word]:
    """Give the words, without spaces in or around them, in order of time.

    A word is what stands between two spaces, so what Whisper timed in two parts ("segunda" and
    "-feira") is one, as sure as its least sure part; in Chinese and Japanese it is a character.
    Corrected segments are sure; those without words are as sure as the model was on average.
    """
    found = []
    for segment, text in segment_texts(transcript, edited):
        heard = one_line("".join(word.text for word in segment.words))
        if edited and segment.edited is not None:
            sure = [1.0] * len(letters(text))
        elif heard:
            text = text if letters(text) == letters(heard) else heard
            sure = _character_probabilities(segment)
        else:
            sure = [math.exp(min(segment.avg_logprob, 0.0))] * len(letters(text))
        following = iter(sure)
        for piece in timed_pieces(segment, text):
            word = piece.text.strip()
            found.append(Word(piece.start, piece.end, word, min(islice(following, len(word)))))
    return sorted(found, key=lambda word: word.start)


def _character_probabilities(segment: Segment) -> list[float]:
    return [w.probability for w in segment.words for _ in letters(one_line(w.text))]


def _recording(title: str) -> str:
    """Name the recording in one word; a line that began with `;;` would be a comment."""
    return re.sub("^;", "_", "_".join(file_stem(title).split()))
