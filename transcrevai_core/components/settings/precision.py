"""INT8 and float32 of a model side by side, measured here on the same clips."""

from collections.abc import Callable

import streamlit as st

from transcrevai_core import demo, ui
from transcrevai_core.codes import Stage
from transcrevai_core.components.evaluation import percent
from transcrevai_core.components.fields import written
from transcrevai_core.components.tables import table, unbroken
from transcrevai_core.components.working import is_running, show_progress, start, take_result
from transcrevai_core.figures import memory_meters
from transcrevai_core.i18n import _, decimal, plural
from transcrevai_core.jobs.measure_precision import check_model, running_governor
from transcrevai_core.library import precision
from transcrevai_core.library.precision import Check, Recording, samples
from transcrevai_core.memory.forecast import weights_bytes
from transcrevai_core.models.catalogue import MODELS
from transcrevai_core.types import Job
from transcrevai_core.workers.background import Task

_WORK = "numbers"


def numbers() -> None:
    """Offer to check a model, and show what checks have found."""
    st.caption(
        _(
            "Models work in INT8, which is smaller than float32, mostly faster, and nearly as "
            "exact. How nearly is measured here: the same clips are decoded by both, and the share "
            "of words that agree is 1 minus the WER of one text against the other, in lower case "
            "and without punctuation. Below {percent}% the model works in the next compute type "
            "from then on.",
            percent=written(ui.settings().agreement_percent),
        )
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = st.selectbox(_("Model"), models(), key="numbers_model")
        library = ui.store()
        done = library.jobs(["done"])
        jobs = {job.id: job for job in done if library.wav(job.id).is_file()}
        chosen = st.multiselect(
            _("Clips"),
            list(jobs),
            format_func=lambda job_id: jobs[job_id].title,
            placeholder=_("The bundled samples"),
            select_all=False,
            key="numbers_clips",
        )
    place = st.container()
    take_result(_WORK)  # before the button is drawn: it may end at any moment
    with place:
        asked = st.button(
            _("Check"),
            type="primary",
            icon=":material/compare_arrows:",
            disabled=is_running(_WORK, anybody=True),  # two at once would measure each other
        )
    if asked:
        start(_WORK, _check(model, [jobs[job_id] for job_id in chosen]), alone=True)
    show_progress(_WORK, anybody=True)
    found = precision.latest(ui.store().database)
    if not found:
        st.caption(_("No model was checked yet."))
    for check in found:
        side_by_side(check)


def models() -> list[str]:
    """Return the models on this computer, the one of the settings first."""
    usual = ui.settings().model
    return [name for name in dict.fromkeys([usual, *MODELS]) if precision.here(name)]


def _check(model: str, jobs: list[Job]) -> Callable[[Task], Check]:
    """Return the work of checking a model, on what is said in jobs, or on the samples."""
    library, settings = ui.store(), ui.settings()
    clips = [Recording(library.wav(job.id), job.language, title=job.title) for job in jobs]

    def check(task: Task) -> Check:
        task.report(Stage.STARTING, 0.0)
        with running_governor(library, settings) as program:
            return check_model(
                program,
                model,
                clips or samples(model),
                on_progress=task.report,
                should_stop=task.should_stop,
            )

    return check


def side_by_side(check: Check) -> None:
    """Draw a check: a row for each compute type, and what follows from it."""
    st.subheader(ui.escape(check.model), anchor=False)
    rows = [
        [
            one.compute_type,
            percent(one.agreement),
            "" if one.wer is None else percent(one.wer),
            unbroken(memory_meters.size(check.model_bytes)),
            unbroken(memory_meters.size(weights_bytes(check.model, one.compute_type))),
            unbroken(memory_meters.size(one.peak_bytes)),
            decimal(one.rtf, 2),
        ]
        for one in check.measures
    ]
    heads = (_("Agreement"), "WER", _("On disk"), _("Weights"), _("Peak memory"), "RTF")
    table([_("Numbers"), *(f"{head} " for head in heads)], rows, 620)
    least = ui.settings().agreement_percent
    verdict = ui.say(precision.verdict(check, least))
    if any(100 * one.agreement < least for one in check.measures):
        st.warning(verdict, icon=":material/warning:")
    else:
        st.success(verdict, icon=":material/check:")
    number = sum(check.clips.values())
    clips = plural("{number} clip", "{number} clips", number)
    bundled = demo.SAMPLES.values()
    titles = [_(title) if title in bundled else title for title in check.clips]
    st.caption(
        _(
            "{date}: {clips} of {names}. One file on disk serves both; weights are what they take "
            "in memory, peak is the whole worker.",
            date=ui.date(check.time),
            clips=clips,
            names=ui.escape(", ".join(titles)),
        )
    )
