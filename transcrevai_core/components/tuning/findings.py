"""What settings come to: turns before and after, the map, likeness, evidence, and the export."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.fields import choice_name
from transcrevai_core.components.profiles import (
    origin,
    profile_form,
    profile_list,
    use_button,
)
from transcrevai_core.components.tables import numeric, table
from transcrevai_core.components.tuning.player import clicked, play, player
from transcrevai_core.components.tuning.scoring import score_of
from transcrevai_core.components.tuning.sound import sound_of
from transcrevai_core.components.tuning.trials import trials
from transcrevai_core.export import file_stem
from transcrevai_core.figures import tuning_charts, tuning_words
from transcrevai_core.i18n import _, decimal, plural
from transcrevai_core.library.rows import read_names, read_turns
from transcrevai_core.messages import load
from transcrevai_core.transcript.certainty import certainty
from transcrevai_core.transcript.turns import display_name, label_number, match_speakers
from transcrevai_core.tuning import laboratory, parameters, sweeps, tasks
from transcrevai_core.tuning.tasks import Trial
from transcrevai_core.types import Job, Turn

_CHART: dict[str, Any] = {"displayModeBar": False, "doubleClick": "reset"}


@dataclass(frozen=True)
class LabResult:
    """The turns that settings come to, beside what the library has of the recording."""

    job: Job
    trial: Trial
    answer: Mapping[str, Any]

    @cached_property
    def before(self) -> list[Turn]:
        """The turns in the library."""
        with ui.store().database.read() as db:
            return read_turns(db, self.job.id)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What the user calls the speakers."""
        with ui.store().database.read() as db:
            return read_names(db, self.job.id)

    @cached_property
    def same(self) -> Mapping[str, str]:
        """What each speaker of the answer is called in the library, else a label of its own."""
        return relabelled(self.before, parameters.turns_of(self.answer))

    def run(self, function: Any) -> Any:
        """Return what else a function of `tuning.tasks` finds by the same settings."""
        return laboratory.for_store(ui.store()).run(self.job, function, self.trial)


def relabelled(before: Sequence[Turn], after: Sequence[Turn]) -> dict[str, str]:
    """Return what to call each speaker of `after`, so that who is the same keeps the colour.

    >>> relabelled([Turn(0, 9, "SPEAKER_01")], [Turn(0, 8, "SPEAKER_00"), Turn(8, 9, "SPEAKER_01")])
    {'SPEAKER_00': 'SPEAKER_01', 'SPEAKER_01': 'SPEAKER_00'}
    """
    same = match_speakers(after, before)
    taken = {*same.values(), *(turn.speaker for turn in before)}
    free = (name for name in map("SPEAKER_{:02d}".format, range(100)) if name not in taken)
    for label in sorted({turn.speaker for turn in after}, key=lambda x: label_number(x) or 0):
        if label not in same:
            same[label] = next(free)
    return same


def findings(found: LabResult) -> None:
    """Draw a result: the turns at once, the rest in tabs that cost nothing while closed."""
    turns = parameters.turns_of(found.answer)
    after = [Turn(turn.start, turn.end, found.same[turn.speaker]) for turn in turns]
    _headline(found, after)
    job_id = found.job.id
    key = f"lab_lanes_{job_id}"
    duration = found.job.duration or 0.0
    st.plotly_chart(
        tuning_charts.before_and_after(found.before, after, found.names, duration, ui.palette()),
        key=key,
        config=_CHART,
        selection_mode="points",
        on_select=lambda: clicked(job_id, key),
        alt=_("Who speaks when, before and after: one lane for each speaker"),
    )
    player(job_id, after, found.names)
    sections = {
        ":material/scatter_plot: " + _("Map"): _map,
        ":material/grid_on: " + _("Likeness"): _likeness,
        ":material/bar_chart: " + _("How many"): _evidence,
        ":material/graphic_eq: " + _("Sound"): _sound,
        ":material/rule: " + _("Reference and sweep"): _trials,
        ":material/output: " + _("Use and export"): _result,
    }
    tabs = st.tabs(list(sections), key=f"lab_tabs_{job_id}", on_change="rerun")
    for tab, draw in zip(tabs, sections.values(), strict=True):
        if tab.open:
            with tab:
                draw(found)


def _headline(found: LabResult, after: Sequence[Turn]) -> None:
    """Say how many speak and how sure that is; how it was found is for who asks."""
    facts = found.answer["facts"]
    number = len({turn.speaker for turn in after})
    text = "**" + plural("{number} speaker", "{number} speakers", number) + "**"
    sure = certainty(facts, number)
    if sure:
        text += f", {ui.say(sure)}"
    st.markdown(f"{text} · {plural('{number} turn', '{number} turns', len(after))}")
    with st.expander(_("How it was found"), icon=":material/info:"):
        said = [_("by {by}", by=choice_name(facts["by"]).lower())] if sure else []
        said.append(_("found in {seconds} s", seconds=decimal(found.answer["seconds"], 2)))
        st.caption(" · ".join(said))
        if facts["why"]:
            st.caption(ui.say(load(facts["why"])))
        origin(found.job, found.trial.settings)


# -- the tabs ----------------------------------------------------------------------------------


def _no_speech() -> None:
    st.caption(_("No speech was found in this recording, so there is nothing to show here."))


def _map(found: LabResult) -> None:
    answer = found.run(tasks.voice_map)
    if not answer["dots"]:
        _no_speech()
        return
    dots = [[*dot[:4], found.same[dot[4]]] for dot in answer["dots"]]
    key = f"lab_map_{found.job.id}"
    st.plotly_chart(
        tuning_charts.voice_map(dots, found.names, ui.palette()),
        key=key,
        config=_CHART,
        selection_mode="points",
        on_select=lambda: clicked(found.job.id, key),
        alt=_("A map of the voices: each dot is a window of the recording"),
    )
    st.caption(
        _(
            "Each dot is a stretch of a second and a half or so: near ones sound alike. What looks "
            "mixed here may still be apart."
        ),
        help=_(
            "The map has the two principal components of what is grouped, which hold {share}% of "
            "it.",
            share=decimal(100 * answer["share"]),
        ),
    )
    _windows(found, dots)


def _windows(found: LabResult, dots: Sequence[Sequence[Any]]) -> None:
    """Draw the windows of the map as a list, of which one can be heard."""
    key = f"lab_window_{found.job.id}"
    listed = {(dot[2], dot[3]): dot[4] for dot in tuning_words.farthest(dots)}

    def written(span: tuple[float, float]) -> str:
        start, end = (decimal(seconds, 2) for seconds in span)
        times = _("{start} s to {end} s", start=start, end=end)
        return f"{ui.clock(span[0])} · {display_name(listed[span], found.names)} · {times}"

    def chosen() -> None:
        # a page that shows windows of an earlier answer sends one back as its text
        if isinstance(span := st.session_state[key], tuple):
            play(found.job.id, *span)

    st.selectbox(
        _("Hear a window"),
        list(listed),
        index=None,
        placeholder=_("Those farthest from the middle of their own speaker come first"),
        format_func=written,
        key=key,
        on_change=chosen,
    )


def _likeness(found: LabResult) -> None:
    answer = found.run(tasks.affinity)
    if not answer["labels"]:
        _no_speech()
        return
    labels = [found.same[label] for label in answer["labels"]]
    figure = tuning_charts.affinity(
        answer["matrix"], labels, answer["spans"], found.names, ui.palette()
    )
    alt = _("How alike the windows of each pair of speakers are")
    st.plotly_chart(figure, config=_CHART, key=f"lab_alike_{found.job.id}", alt=alt)
    st.caption(
        _(
            "Good groups are bright squares along the diagonal; a bright patch beside it joins two "
            "speakers who may be one, and a dark cross inside a square is somebody else."
        ),
        help=_("Cosines of pairs of windows, speaker by speaker, each in order of time."),
    )
    _pairs(tuning_words.likeness(answer["matrix"], labels), found.names)


def _pairs(means: Mapping[tuple[str, str], float], names: Mapping[str, str]) -> None:
    """Draw how alike speakers are on average as a table, which says what the picture shows."""
    labels = sorted({label for pair in means for label in pair})
    called = [ui.escape(display_name(label, names)) for label in labels]
    rows = [
        [f"**{name}**", *(decimal(means[a, b], 2) if (a, b) in means else "" for b in labels)]
        for a, name in zip(labels, called, strict=True)
    ]
    with st.expander(_("In numbers"), icon=":material/table:"):
        table([_("Mean cosine"), *map(numeric, called)], rows, 120 + 90 * len(labels))


def _evidence(found: LabResult) -> None:
    answer = found.run(tasks.evidence)
    if not answer["rows"]:
        _no_speech()
        return
    figure = tuning_charts.evidence(answer["rows"], answer["chosen"], ui.palette())
    alt = _("What speaks for each number of speakers")
    st.plotly_chart(figure, config=_CHART, key=f"lab_many_{found.job.id}", alt=alt)
    st.caption(
        _(
            "What speaks for each number of speakers; the band marks the one that was taken. Where "
            "the lines disagree, listen: how many speak is yours to say."
        ),
        help=_(
            "Silhouette: how clearly windows are nearest to their own speaker. Eigengap: how "
            "sharply the spectrum of likeness breaks off there. Likeness: the cosine of the two "
            "most alike speakers. Nats: log odds that those two are one voice."
        ),
    )
    head, rows = tuning_words.evidence(answer["rows"], answer["chosen"])
    with st.expander(_("In numbers"), icon=":material/table:"):
        table(head, rows, 480)


def _sound(found: LabResult) -> None:
    if turns := parameters.turns_of(found.answer):
        sound_of(found.job, turns)
    else:
        _no_speech()


def _trials(found: LabResult) -> None:
    trials(found.job, found.trial)


def _result(found: LabResult) -> None:
    values = dict(found.trial.settings)
    kept = sweeps.kept_reference(ui.store(), found.job.id)
    score = score_of(found.job, found.trial, kept) if kept else None
    exported = parameters.export(found.job, values, found.answer, score)
    with st.container(horizontal=True):
        use_button(found.job, values, "lab")
        st.download_button(
            _("Export as JSON"),
            json.dumps(exported, ensure_ascii=False, indent=2),
            f"{file_stem(found.job.title)}.tuning.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
    profile_form(found.job, values, {}, "lab")
    profile_list()
    st.caption(_("The same turns come from the exported file on the command line:"))
    st.code(
        "transcrevai tune RECORDING --from FILE.tuning.json --json", language=None, wrap_lines=True
    )
