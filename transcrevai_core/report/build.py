"""A transcript as a report of a meeting: who was there, what it was about, asked and counted.

Plain values in the reader's language, which the writers beside this file lay out. Everything is
taken from what was said, nothing is guessed, and each thing found leads to its moment.
"""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

from transcrevai_core.export.cues import segment_texts
from transcrevai_core.i18n import _, date, decimal, language, plural
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.report.key_terms import document_frequencies, key_terms, occurrences
from transcrevai_core.report.model import (
    Cell,
    Comment,
    Moment,
    Passage,
    Report,
    Section,
    Speaker,
    Timeline,
)
from transcrevai_core.report.numbers import mentions
from transcrevai_core.transcript.names import clean, signature, speaker_turns, with_names
from transcrevai_core.transcript.retiming import timed_pieces
from transcrevai_core.transcript.script import composed
from transcrevai_core.transcript.turns import clock, display_name, exclusive, talk_times
from transcrevai_core.types import Segment, Transcript, Turn

_LONGEST = 700  # characters of a passage, after which its speaker's next sentence begins another
_MOST = 2_000  # characters of a passage in which no sentence ends
_BESIDE = 100  # characters of a sentence that are shown on each side of what was found in it
_PAUSE = 2.0  # seconds that part passages where nobody is known
_MOST_PLACES = 5  # of a term that are linked
_TITLES = "".join(
    rf"(?<!\b{title})" for title in ("Sr", "Sra", "Dr", "Dra", "Prof", "Profa", "Mr", "Mrs", "Ms")
)
_SENTENCE = re.compile(rf"\S.*?(?:{_TITLES}[.!?…]+[\"”»')\]]*(?=\s|$)|$)")
_QUESTION = re.compile(r"\?[\"”»')\]!]*$")
_SENTENCE_END = re.compile(r"[.!?…][\"”»')\]]*$")


def build(
    transcript: Transcript,
    *,
    created: float,
    others: Iterable[Iterable[str]] = (),
    address: str = "",
    alone: bool = False,
    edited: bool = True,
) -> Report:
    """Make the report of a transcript, in the reader's language.

    With `alone` it has nothing but the text, which is the model's where it is not `edited`.

    `created`: Unix time at which the recording came into the library; `others`: the other
    transcripts of the library, each as its texts, which tell the words of this one from everyday
    ones; `address`: where the app's page of transcripts is, such as
    http://localhost:8501/transcript, for links to the sound.
    """
    shown = with_names(transcript, partial(display_name, names={}))
    speakers = {
        name: Speaker(label, name, number)
        for number, (name, label) in enumerate(shown.names.items(), 1)
    }
    passages = [*_passages(shown, speakers, edited)]
    turns = speaker_turns(shown)
    sections: list[Section] = []
    if not alone:
        sections = [_terms(passages, others), _questions(passages), _mentions(passages)]
        if marked := _marks(shown, speakers, passages):
            sections.insert(0, marked)
        if speakers:
            sections.insert(0, _participants(turns, speakers, passages))
    return Report(
        title=clean(transcript.title),
        language=language().replace("_", "-"),
        facts=_facts(transcript, created),
        timeline=_timeline(shown, turns, speakers) if turns and not alone else None,
        sections=tuple(sections),
        heading=_("Transcript"),
        passages=tuple(piece.passage for piece in passages),
        listen_label=_("Hear it in TranscrevAI"),
        address=f"{address}?job={transcript.job_id}" if address else "",
    )


@dataclass(slots=True)
class _PassageBuilder:
    """A passage while it grows: where each piece of its text begins, in characters and seconds."""

    number: int
    speaker: Speaker | None
    text: str = ""
    offsets: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    end: float = 0.0
    notes: list[Comment] = field(default_factory=list)

    def add(self, segment: Segment, text: str) -> None:
        at = len(self.text) + bool(self.text)
        self.text += f" {text}" if self.text else text
        for piece in timed_pieces(segment, text):
            self.offsets.append(at)
            self.times.append(piece.start)
            at += len(piece.text)
        self.end = max(self.end, segment.end)
        if segment.note:
            self.notes.append(Comment(clean(segment.note), clean(segment.noted_by)))

    def moment(self, offset: int) -> Moment:
        return Moment(self.times[max(0, bisect_right(self.offsets, offset) - 1)], self.number)

    @property
    def passage(self) -> Passage:
        return Passage(self.moment(0), self.end, self.speaker, self.text, tuple(self.notes))

    @property
    def who(self) -> Cell:
        return self.speaker or ""


def _passages(
    transcript: Transcript, speakers: dict[str, Speaker], edited: bool
) -> Iterator[_PassageBuilder]:
    """Gather segments into passages."""
    now: _PassageBuilder | None = None
    for segment, text in segment_texts(transcript, edited):
        speaker = speakers.get(segment.speaker or "")
        full = now and (
            len(now.text) > _MOST or (len(now.text) > _LONGEST and _SENTENCE_END.search(now.text))
        )
        rests = now and speaker is None and segment.start - now.end >= _PAUSE
        if now is None or speaker != now.speaker or full or rests:
            if now:
                yield now
            now = _PassageBuilder(now.number + 1 if now else 1, speaker)
        now.add(segment, composed(clean(text)))
    if now:
        yield now


def _facts(transcript: Transcript, created: float) -> tuple[tuple[str, str], ...]:
    facts = [
        (_("Added"), date(created)),
        (_("Length"), clock(transcript.duration)),
    ]
    if transcript.speakers:
        facts.append((_("Participants"), decimal(len(transcript.speakers))))
    if transcript.segments:
        name = LANGUAGES.get(transcript.language or "", transcript.language or "")
        facts += [(_("Language"), _(name))] if name else []
        facts.append((_("Model"), clean(transcript.model)))
    return tuple(facts)


def _timeline(
    transcript: Transcript, turns: Sequence[Turn], speakers: dict[str, Speaker]
) -> Timeline:
    own: dict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        own[turn.speaker].append(turn)
    return Timeline(
        _("Who speaks when"),
        _("Timeline with one lane for each participant"),
        max([transcript.duration, *(turn.end for turn in turns)]),
        tuple((speaker, tuple(own[name])) for name, speaker in speakers.items()),
    )


# -- sections ----------------------------------------------------------------------------------


def _participants(
    turns: Sequence[Turn], speakers: dict[str, Speaker], passages: Sequence[_PassageBuilder]
) -> Section:
    seconds = talk_times(turns)
    whole = sum(seconds.values()) or 1.0
    counted: dict[str, int] = defaultdict(int)
    for name, _own in groupby(exclusive(turns), key=lambda turn: turn.speaker):
        counted[name] += 1
    first: dict[Speaker | None, Moment] = {}
    for piece in passages:
        first.setdefault(piece.speaker, piece.moment(0))
    rows = tuple(
        (
            speaker,
            f"{decimal(100 * seconds.get(name, 0.0) / whole)}%",
            clock(seconds.get(name, 0.0)),
            decimal(counted[name]),
            (first[speaker],) if speaker in first else "",
        )
        for name, speaker in speakers.items()
    )
    columns = (_("Name"), _("Share"), _("Talk time"), _("Turns"), _("First words"))
    return Section(_("Participants"), columns, rows)


def _marks(
    transcript: Transcript, speakers: dict[str, Speaker], passages: Sequence[_PassageBuilder]
) -> Section | None:
    """Gather what the user has highlighted or written a note on."""
    begins = [piece.times[0] for piece in passages]
    rows = tuple(
        (
            (Moment(segment.start, max(1, bisect_right(begins, segment.start))),),
            speakers.get(segment.speaker or "", ""),
            clean(text),
            _note(segment),
        )
        for segment, text in segment_texts(transcript, True)
        if segment.highlighted or segment.note
    )
    columns = (_("Time"), _("Who"), _("Said"), _("Note"))
    return Section(_("Highlights and notes"), columns, rows) if rows else None


def _note(segment: Segment) -> str:
    signed = clean(signature(segment.noted_by, segment.noted_at))
    return f"{clean(segment.note)} ({signed})" if segment.note and signed else clean(segment.note)


def _terms(passages: Sequence[_PassageBuilder], others: Iterable[Iterable[str]]) -> Section:
    places: dict[str, list[Moment]] = defaultdict(list)
    forms: dict[str, Counter[str]] = defaultdict(Counter)  # PIB, and not pib
    for piece in passages:
        for term, offset in occurrences(piece.text):
            places[term].append(piece.moment(offset))
            forms[term][piece.text[offset : offset + len(term)]] += 1
    counts = {term: len(found) for term, found in places.items()}
    frequencies, number = document_frequencies(counts, others)
    rows = tuple(
        (
            forms[term].most_common(1)[0][0],
            decimal(counts[term]),
            tuple(places[term][:_MOST_PLACES]),
        )
        for term in key_terms(counts, frequencies, number)
    )
    heading = _("Key terms")
    if number:
        heading = plural(
            "Key terms, against {number} other transcript",
            "Key terms, against {number} other transcripts",
            number,
        )
    return Section(heading, (_("Term"), _("Times"), _("Where")), rows, _("No term was said twice."))


def _around(sentence: str, begin: int, end: int) -> str:
    """Return a part of a sentence with the words around it, and … for what is left out."""
    first = sentence.rfind(" ", 0, max(0, begin - _BESIDE)) + 1
    last = sentence.find(" ", end + _BESIDE)
    cut = last >= 0
    return "…" * bool(first) + sentence[first : last if cut else None] + "…" * cut


def _questions(passages: Sequence[_PassageBuilder]) -> Section:
    rows = tuple(
        ((piece.moment(match.end() - len(said)),), piece.who, said)
        for piece in passages
        for match in _SENTENCE.finditer(piece.text)
        if _QUESTION.search(match[0])
        for end in [len(match[0])]
        for said in [_around(match[0], end - _BESIDE, end)]
    )
    columns = (_("Time"), _("Who"), _("Question"))
    return Section(_("Questions"), columns, rows, _("No question was found."))


def _mentions(passages: Sequence[_PassageBuilder]) -> Section:
    rows = tuple(
        ((piece.moment(match.start() + offset),), piece.who, said, shown)
        for piece in passages
        for match in _SENTENCE.finditer(piece.text)
        for said, offset in mentions(match[0])
        for shown in [_around(match[0], offset, offset + len(said))]
    )
    columns = (_("Time"), _("Who"), _("Said"), _("In the sentence"))
    return Section(_("Numbers and dates"), columns, rows, _("No number or date was found."))
