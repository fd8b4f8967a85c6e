"""The laboratory of a recording: settings tried at once, turns before and after, evidence."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.fields import field, label_of, meaning
from transcrevai_core.components.idle import IdleNotes
from transcrevai_core.components.tuning.findings import LabResult, findings
from transcrevai_core.components.working import show_task
from transcrevai_core.diarization.recipes import chosen_recipe
from transcrevai_core.i18n import _, decimal
from transcrevai_core.library.rows import read_turns
from transcrevai_core.options import JobOptions
from transcrevai_core.transcript.turns import talk_times
from transcrevai_core.tuning import laboratory, parameters, tasks
from transcrevai_core.tuning.parameters import Values
from transcrevai_core.types import Job

_MOST = 10  # speakers that the slider goes to
_WINDOW = ("window_seconds", "hop_seconds")


@st.fragment
def laboratory_of(job: Job) -> None:
    """Draw the settings of a job's speakers and what comes of them; only this is drawn again."""
    base = parameters.job_settings(job)
    settings, answers = st.columns([2, 5], gap="medium")  # a change and its answer in one view
    with settings:
        values = parameters.checked({**base, **_controls(job, JobOptions(**base))})
    with answers:
        _answer(job, values)


def _answer(job: Job, values: Values) -> None:
    lab = laboratory.for_store(ui.store())
    trial = lab.trial(job, values)
    if trial is None:
        _offer_voices(job, values)
        return
    slow = "" if lab.warm else _("Loading the voices")
    if lab.warm and chosen_recipe(values).resegment_rounds:
        slow = _("Seeking the boundaries of turns in the sound")
    wait = st.spinner(slow, show_time=True) if slow else nullcontext()
    with ui.show_errors():
        with wait:  # a change that is answered at once must not move the page
            answer = lab.run(job, tasks.diarize, trial)
        findings(LabResult(job, trial, answer))


# -- settings ----------------------------------------------------------------------------------


def _controls(job: Job, now: JobOptions) -> Values:
    """Draw the settings, each with what it comes to here, and return what they are set to."""
    key, values, notes = f"lab_{job.id}", Values(), IdleNotes()
    with st.container(border=True):
        numbers = [None, *range(1, max(_MOST, now.speakers or 0) + 1)]
        values["speakers"] = _slider("speakers", key, now, numbers)
        steps = [None, *_with([n / 100 for n in range(5, 96)], now.speaker_threshold)]
        with st.container(gap=None):
            values["speaker_threshold"] = _slider("speaker_threshold", key, now, steps)
            st.caption(
                _(
                    "Lower: voices that are much alike become one speaker. Higher: one who speaks "
                    "now loud, now low may become two."
                )
            )
            notes.below("speaker_threshold")
        with st.container(gap=None):
            values["min_speaker_share"] = share = _share(key, now)
            if least := share * _spoken_seconds(job):
                st.caption(
                    _(
                        "Whoever speaks for less than {n} s in all is taken for one of the others.",
                        n=decimal(least, 1),
                    )
                )
        lengths = _with([n / 10 for n in range(31)], now.min_turn_seconds)
        with st.container(gap=None):
            values["min_turn_seconds"] = _slider("min_turn_seconds", key, now, lengths, _("{n} s"))
            if least := values["min_turn_seconds"]:
                st.caption(
                    _(
                        "A “yes” or an “uh-huh” of less than {n} s amid others' speech goes to one "
                        "of them.",
                        n=decimal(least, 1),
                    )
                )
        values["clustering"] = field("clustering", key, now)
        notes.below("clustering")
        values["counting"] = field("counting", key, now)
        notes.below("counting")
        with st.expander(_("More settings"), icon=":material/tune:"):
            most = range(now.min_speakers, 21)
            values["max_speakers"] = _slider("max_speakers", key, now, [*most])
            notes.below("max_speakers")
            rounds = [None, *range(6)]
            values["resegment_rounds"] = _slider("resegment_rounds", key, now, rounds)
            values |= _voice_fields(key, now)
    notes.tell({**now.model_dump(), **values})
    return values


def _spoken_seconds(job: Job) -> float:
    """Return how long people speak in a recording, by the turns that the library has."""
    with ui.store().database.read() as db:
        return sum(talk_times(read_turns(db, job.id)).values())


def _voice_fields(key: str, now: JobOptions) -> Values:
    st.caption(_("These ask for other voices: the recording is heard again, once for each choice."))
    return {name: field(name, key, now) for name in ("embedding", "overlap", *_WINDOW)}


def _with(steps: Sequence[float], value: float | None) -> list[float]:
    """Return a slider's steps with the value that it begins with."""
    return sorted({*steps, *([] if value is None else [value])})


def _slider(name: str, key: str, now: JobOptions, steps: Sequence[Any], unit: str = "{n}") -> Any:
    """Draw a slider over steps, of which None stands for automatic."""

    def written(step: Any) -> str:
        if step is None:
            return _("Automatic")
        digits = 0 if isinstance(step, int) else 1 if name == "min_turn_seconds" else 2
        return unit.format(n=decimal(step, digits))

    return st.select_slider(
        label_of(name),
        steps,
        value=getattr(now, name),
        format_func=written,
        key=f"{key}_{name}",
        help=meaning(JobOptions.model_fields[name]),
    )


def _share(key: str, now: JobOptions) -> float:
    steps = _with([n / 1000 for n in (*range(11), *range(15, 105, 5))], now.min_speaker_share)
    name = "min_speaker_share"
    return float(
        st.select_slider(
            label_of(name),
            steps,
            value=now.min_speaker_share,
            format_func=lambda share: f"{decimal(100 * share, 1)}%",
            key=f"{key}_{name}",
            help=meaning(JobOptions.model_fields[name]),
        )
    )


# -- voices that have to be found --------------------------------------------------------------


def _offer_voices(job: Job, values: Values) -> None:
    """Say that voices are not kept, offer to find them, and show how far that is."""
    lab = laboratory.for_store(ui.store())
    task = lab.voice_task(job, values)
    if task and task.is_alive():
        show_task(task, "voices_cancel")
        return
    if task and task.error:
        st.error(ui.say(task.error), icon=":material/error:")
    st.info(
        _(
            "The voices of this recording are not kept with these settings. They are found once, "
            "in about half a minute for each hour; after that every change is answered at once."
        ),
        icon=":material/hearing:",
    )
    st.button(
        _("Find the voices"),
        type="primary",
        icon=":material/hearing:",
        on_click=_begin,
        args=(job, values),
    )


def _begin(job: Job, values: Values) -> None:
    laboratory.for_store(ui.store()).find_voices(job, values)
