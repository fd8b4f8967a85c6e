"""A recording against its reference: figures with their policies, and the errors in the text."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.codes import Stage
from transcrevai_core.components.tables import table, unbroken
from transcrevai_core.evaluation import scoring
from transcrevai_core.evaluation.annotation import from_transcript
from transcrevai_core.evaluation.metrics import Piece
from transcrevai_core.evaluation.normalisation import Policy
from transcrevai_core.evaluation.number_words import LANGUAGES
from transcrevai_core.evaluation.scoring import Line, Score
from transcrevai_core.figures import memory_meters
from transcrevai_core.i18n import _, decimal, plural
from transcrevai_core.library.journal import KEPT_RUNS, Journal, Run
from transcrevai_core.library.rows import read_names
from transcrevai_core.memory.forecast import scoring_bytes
from transcrevai_core.memory.levels import limits_of
from transcrevai_core.types import Job
from transcrevai_core.workers.background import Task
from transcrevai_core.workers.oneshot import one_shot_worker

PAGE_WORDS = 300  # words of the reference on screen at once
_PATIENCE = 900.0  # seconds: ten hours of text are one long call, which gives no sign of life


def scoring_work(
    job: Job,
    file: str,
    content: bytes,
    edited: bool,
    collar: float,
    skip_overlap: bool,
    policy: Policy,
) -> Callable[[Task], Score]:
    """Return the work of scoring a job by a reference's file, in a process that ends with it.

    With `edited` the text is what the user made of it, else what the model wrote.
    """
    hypothesis = from_transcript(ui.store().transcript(job.id), edited=edited)
    limits, hang = limits_of(ui.settings()), max(_PATIENCE, ui.settings().hang_seconds)
    needed = scoring_bytes(max(len(content), len(hypothesis.text)))

    def score(task: Task) -> Score:
        with one_shot_worker(
            "scoring",
            needed,
            limits,
            hang,
            should_stop=task.should_stop,
            on_wait=lambda reason: task.report(reason, 0.0),
        ) as worker:
            task.report(Stage.COMPARING, 0.0)
            return worker.call(
                scoring.score_file, file, content, job.title, hypothesis, collar, skip_overlap,
                policy, should_stop=task.should_stop,
            )  # fmt: skip

    return score


def policy_fields(language: str | None) -> Policy:
    """Draw what else may count as equal in the words of a recording in `language`."""
    numbers = language in LANGUAGES and st.toggle(
        _("Numbers in words count as digits"),
        help=_("As “vinte e três” and 23, “dez por cento” and 10%, “cinco reais” and R$ 5"),
    )
    ignores_accents = st.toggle(
        _("Accents do not count"), help=_("“avó” and “avo” are then the same word")
    )
    ignores_hyphens = st.toggle(
        _("Hyphens count as spaces"), help=_("As in “segunda-feira” and “segunda feira”")
    )
    return Policy(language or "" if numbers else "", not ignores_accents, not ignores_hyphens)


# -- figures -----------------------------------------------------------------------------------


def run_of(job: Job) -> Run | None:
    """Return what the last run of a job needed, where that was kept."""
    runs = Journal(ui.store().database, "").runs(stage="job", last=KEPT_RUNS)
    return next((run for run in reversed(runs) if run.job == job.id), None)


def as_json(job: Job, file: str, edited: bool, found: Score) -> str:
    """Write a score with what it is of, and what the job needed."""
    run = run_of(job)
    shape: dict[str, Any] = {
        "recording": job.title,
        "job": job.id,
        "model": job.model,
        "compute_type": job.compute_type,
        "reference": file,
        "with_corrections": edited,
        "rtf": run and round(run.rtf, 4),
        "peak_bytes": run and run.peak_bytes,
    }
    return json.dumps(shape | scoring.as_dict(found), ensure_ascii=False, indent=2) + "\n"


def figures(job: Job, found: Score) -> None:
    """Draw the figures, each with its policy in words."""
    run = run_of(job)
    shown: list[tuple[str, str, str]] = []
    if found.words is not None:
        characters = scoring.character_rate(*found.characters)
        shown.append((_("WER"), percent(found.words.rate), _("Word error rate")))
        shown.append(
            (
                _("CER"),
                percent(characters),
                _("Character error rate; the spaces between words count too"),
            )
        )
    if found.pairs:
        rate = scoring.sum_pairs(found.pairs).rate
        shown.append((_("cpWER"), percent(rate), _("Word error rate with speakers")))
    if found.turns is not None:
        shown.append((_("DER"), percent(found.turns.rate), _("Diarization error rate")))
    if run is not None:
        speed = _("Seconds of work for each second of sound, of the whole job")
        memory = _("The most memory that the program and the job's workers took at once")
        shown.append((_("RTF"), decimal(run.rtf, 2), speed))
        shown.append((_("Peak memory"), unbroken(memory_meters.size(run.peak_bytes)), memory))
    with st.grid(3, min_column_width=140):
        for label, value, meaning in shown:
            st.metric(label, value, help=meaning, border=True)
    if run is None:
        st.caption(_("RTF and peak memory were not kept for this recording."))
    if found.words is not None:
        st.caption(" ".join(ui.say(sentence) for sentence in found.policy.sentences()))
    for sentence in found.missing:
        st.caption(f":material/info: {ui.say(sentence)}")


def percent(share: float) -> str:
    """Write a share in percent."""
    return unbroken(f"{decimal(100 * share, 1)}%")


def turns(found: Score) -> None:
    """Draw the parts of the diarization error."""
    if found.turns is None:
        return
    errors = found.turns
    st.subheader(_("Who speaks when"), anchor=False)
    parts = [
        (_("Missed speech"), errors.missed),
        (_("False alarm"), errors.false_alarm),
        (_("Wrong speaker"), errors.confusion),
        (_("DER"), errors.missed + errors.false_alarm + errors.confusion),
    ]
    rows = [
        [name, unbroken(f"{decimal(seconds, 1)} s"), percent(errors.share(seconds))]
        for name, seconds in parts
    ]
    table([_("Part"), _("Time") + " ", _("Of the speech") + " "], rows, 320)
    st.caption(
        _(
            "{speech} s of speech in the reference. Speakers: {reference} in the reference, "
            "{hypothesis} found. Jaccard error rate: {jer}.",
            speech=decimal(errors.total, 1),
            reference=found.speakers[0],
            hypothesis=found.speakers[1],
            jer=percent(errors.jer),
        )
    )
    st.caption(ui.say(scoring.der_policy(found.collar, found.skip_overlap)))


def speakers(job: Job, found: Score) -> None:
    """Draw who was taken for whom, and the word errors of each."""
    if not found.pairs:
        return
    st.subheader(_("Who says what"), anchor=False)
    with ui.store().database.read() as db:
        names = read_names(db, job.id)
    nobody, unknown = f":gray[{_('nobody')}]", f":gray[{_('unknown')}]"
    rows = [
        [
            nobody if pair.reference is None else ui.escape(pair.reference) or unknown,
            nobody
            if pair.hypothesis is None
            else ui.chip(pair.hypothesis, names)
            if pair.hypothesis
            else unknown,
            decimal(pair.errors.words),
            decimal(pair.errors.errors),
            percent(pair.errors.rate),
        ]
        for pair in found.pairs
    ]
    head = [_("Reference"), _("Found"), *(f"{name} " for name in (_("Words"), _("Errors"), "WER"))]
    table(head, rows, 440)
    st.caption(ui.escape(_(scoring.CPWER)))


# -- the text with its errors ------------------------------------------------------------------


def alignment(found: Score, key: str) -> None:
    """Draw the reference with what was written instead, a page of it."""
    if found.words is None:
        return
    st.subheader(_("Word by word"), anchor=False)
    errors = found.words
    legend = [
        (_marked(Piece("substitute", _("said"), _("written"))), errors.substitutions),
        (_marked(Piece("delete", _("left out"), "")), errors.deletions),
        (_marked(Piece("insert", "", _("added"))), errors.insertions),
    ]
    st.markdown(
        " &emsp; ".join(f"{mark} {decimal(count)}" for mark, count in legend)
        + " &emsp; "
        + plural("of {number} word", "of {number} words", errors.words)
    )
    rows = scoring.rows(found)
    if errors.errors and st.toggle(_("Only lines with errors"), key=f"{key}_only"):
        rows = [row for row in rows if any(piece.kind != "equal" for piece in row[1])]
    pages = paged(rows)
    number = st.pagination(len(pages), key=f"{key}_page") if len(pages) > 1 else 1
    number = min(number, len(pages))
    with st.container(border=True):
        st.markdown("\n\n".join(_line(line, pieces) for line, pieces in pages[number - 1]))


def paged(
    rows: Sequence[tuple[Line, list[Piece]]], most: int = PAGE_WORDS
) -> list[list[tuple[Line, list[Piece]]]]:
    """Gather rows into pages of about so many words."""
    pages: list[list[tuple[Line, list[Piece]]]] = [[]]
    words = 0
    for row in rows:
        length = sum(max(1, len(piece.reference.split())) for piece in row[1])
        if pages[-1] and words + length > most:
            pages.append([])
            words = 0
        pages[-1].append(row)
        words += length
    return pages


def _line(line: Line, pieces: Sequence[Piece]) -> str:
    head = f"`{ui.clock(line.start)}` " if line.start is not None else ""
    head += f"**{ui.escape(line.speaker)}** " if line.speaker else ""
    return head + " ".join(_marked(piece) for piece in pieces)


def _marked(piece: Piece) -> str:
    """Write a piece as Markdown: what is wrong struck through, in bold what stands there."""
    said, written = ui.escape(piece.reference), ui.escape(piece.hypothesis)
    if piece.kind == "substitute":
        return f":orange-background[~~{said}~~ **{written}**]"
    if piece.kind == "delete":
        return f":red-background[~~{said}~~]"
    return f":blue-background[**+{written}**]" if piece.kind == "insert" else said
