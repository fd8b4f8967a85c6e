"""What settings come to: turns before and after, the map, likeness, evidence, and the export."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import streamlit as st

from transcrevai_core import bench, experiments, lab_figures, laboratory, ui
from transcrevai_core.components.clip import clip
from transcrevai_core.components.fields import choice_name
from transcrevai_core.components.profiles import facts_of, keep_as_profile, kept_profiles, use_on
from transcrevai_core.components.trials import trials
from transcrevai_core.export import file_stem
from transcrevai_core.laboratory import Question
from transcrevai_core.records import read_names, read_turns
from transcrevai_core.texts import _, decimal, plural
from transcrevai_core.texts import told as said
from transcrevai_core.turns import label_number, same_speakers
from transcrevai_core.types import Job, Turn

_CHART: dict[str, Any] = {"displayModeBar": False, "doubleClick": "reset"}


@dataclass(frozen=True)
class Found:
    """An answer of the laboratory, beside what the library has of the recording."""

    job: Job
    question: Question
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
        return relabelled(self.before, experiments.turns_of(self.answer))

    def ask(self, function: Any) -> Any:
        """Ask more of the same voices with the same settings."""
        return bench.of(ui.store()).ask(self.job, function, self.question)


def relabelled(before: Sequence[Turn], after: Sequence[Turn]) -> dict[str, str]:
    """Return what to call each speaker of `after`, so that who is the same keeps the colour.

    >>> relabelled([Turn(0, 9, "SPEAKER_01")], [Turn(0, 8, "SPEAKER_00"), Turn(8, 9, "SPEAKER_01")])
    {'SPEAKER_00': 'SPEAKER_01', 'SPEAKER_01': 'SPEAKER_00'}
    """
    same = same_speakers(after, before)
    taken = {*same.values(), *(turn.speaker for turn in before)}
    free = (name for name in map("SPEAKER_{:02d}".format, range(100)) if name not in taken)
    for label in sorted({turn.speaker for turn in after}, key=lambda x: label_number(x) or 0):
        if label not in same:
            same[label] = next(free)
    return same


def findings(found: Found) -> None:
    """Draw an answer: the turns at once, the rest in tabs that cost nothing while closed."""
    turns = experiments.turns_of(found.answer)
    after = [Turn(turn.start, turn.end, found.same[turn.speaker]) for turn in turns]
    _headline(found.answer, after)
    facts_of(found.job, found.question.settings)
    job_id = found.job.id
    key = f"lab_lanes_{job_id}"
    duration = found.job.duration or 0.0
    st.plotly_chart(
        lab_figures.both(found.before, after, found.names, duration, ui.palette()),
        key=key,
        config=_CHART,
        selection_mode="points",
        on_select=lambda: _clicked(job_id, key),
        alt=_("Who speaks when, before and after: one lane for each speaker"),
    )
    if stretch := st.session_state.get(_clip_key(job_id)):
        start, end, clicks = stretch
        clip(job_id, start, end, clicks=clicks, key=f"lab_play_{job_id}")
    else:
        st.caption(_("Click a turn, or a dot of the map, to hear it; drag to zoom."))
    sections = {
        ":material/scatter_plot: " + _("Map"): _map,
        ":material/grid_on: " + _("Likeness"): _likeness,
        ":material/bar_chart: " + _("How many"): _evidence,
        ":material/rule: " + _("Reference and sweep"): _trials,
        ":material/output: " + _("Use and export"): _result,
    }
    tabs = st.tabs(list(sections), key=f"lab_tabs_{job_id}", on_change="rerun")
    for tab, draw in zip(tabs, sections.values(), strict=True):
        if tab.open:
            with tab:
                draw(found)


def _headline(answer: Mapping[str, Any], after: Sequence[Turn]) -> None:
    facts = answer["facts"]
    number = len({turn.speaker for turn in after})
    text = "**" + plural("{number} speaker", "{number} speakers", number) + "**"
    if facts["by"] != "given":
        sure = decimal(100 * facts["confidence"])
        text += (
            " (" + _("{sure}% sure, by {by}", sure=sure, by=choice_name(facts["by"]).lower()) + ")"
        )
    many = plural("{number} turn", "{number} turns", len(after))
    took = _("found in {seconds} s", seconds=decimal(answer["seconds"], 2))
    st.markdown(f"{text} · {many} · {took}")
    if facts["why"]:
        st.caption(ui.escape(said(str(facts["why"]))))


def _clip_key(job_id: str) -> str:
    return f"lab_clip_{job_id}"


def _clicked(job_id: str, key: str) -> None:
    """Play what was clicked."""
    points = st.session_state[key]["selection"]["points"]
    data = points[-1].get("customdata") if points else None
    if isinstance(data, Mapping):  # arrays can arrive with their places as names
        data = [data.get("0"), data.get("1")]
    if isinstance(data, list) and len(data) == 2:
        clicks = (st.session_state.get(_clip_key(job_id)) or (0, 0, 0))[2]
        st.session_state[_clip_key(job_id)] = float(data[0]), float(data[1]), clicks + 1


def _map(found: Found) -> None:
    answer = found.ask(laboratory.survey)
    dots = [[*dot[:4], found.same[dot[4]]] for dot in answer["dots"]]
    key = f"lab_map_{found.job.id}"
    st.plotly_chart(
        lab_figures.survey(dots, found.names, ui.palette()),
        key=key,
        config=_CHART,
        selection_mode="points",
        on_select=lambda: _clicked(found.job.id, key),
        alt=_("A map of the voices: each dot is a window of the recording"),
    )
    st.caption(
        _(
            "Each dot is a stretch of a second and a half or so: near ones sound alike. The map "
            "has the two principal components of what is grouped, which hold {share}% of it; "
            "what looks mixed here may be apart in the others.",
            share=decimal(100 * answer["share"]),
        )
    )


def _likeness(found: Found) -> None:
    answer = found.ask(laboratory.affinity)
    labels = [found.same[label] for label in answer["labels"]]
    figure = lab_figures.affinity(
        answer["matrix"], labels, answer["spans"], found.names, ui.palette()
    )
    alt = _("How alike the windows of each pair of speakers are")
    st.plotly_chart(figure, config=_CHART, key=f"lab_alike_{found.job.id}", alt=alt)
    st.caption(
        _(
            "Cosines of pairs of windows, speaker by speaker, each in order of time. Good groups "
            "are bright squares along the diagonal; a bright patch beside it joins two speakers "
            "who may be one, and a dark cross inside a square is somebody else."
        )
    )


def _evidence(found: Found) -> None:
    answer = found.ask(laboratory.evidence)
    if not answer["rows"]:
        st.caption(_("There is no speech to weigh."))
        return
    figure = lab_figures.evidence(answer["rows"], answer["chosen"], ui.palette())
    alt = _("What speaks for each number of speakers")
    st.plotly_chart(figure, config=_CHART, key=f"lab_many_{found.job.id}", alt=alt)
    st.caption(
        _(
            "What speaks for each number of speakers; the band marks the one that was taken. "
            "Silhouette: how clearly windows are nearest to their own speaker. Eigengap: how "
            "sharply the spectrum of likeness breaks off there. Likeness: the cosine of the two "
            "most alike speakers. Nats: log odds that those two are one voice."
        )
    )


def _trials(found: Found) -> None:
    trials(found.job, found.question)


def _result(found: Found) -> None:
    values = dict(found.question.settings)
    exported = experiments.export(found.job, values, found.answer)
    with st.container(horizontal=True):
        use_on(found.job, values, "lab")
        st.download_button(
            _("Export as JSON"),
            json.dumps(exported, ensure_ascii=False, indent=2),
            f"{file_stem(found.job.title)}.tuning.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
    keep_as_profile(found.job, values, {}, "lab")
    kept_profiles()
    st.caption(_("The same turns come from the exported file on the command line:"))
    st.code("transcrevai tune RECORDING --from FILE.tuning.json --json", language=None)
