"""All recordings: found by what was said, sorted, kept in projects, and worked on many at once."""

from datetime import date, datetime

import streamlit as st

from transcrevai_core import i18n, ui
from transcrevai_core.components.library import acts
from transcrevai_core.components.library.hits import hits
from transcrevai_core.components.library.listing import COLUMNS, listing, sorted_by
from transcrevai_core.components.recording import invite, open_page
from transcrevai_core.components.search import matches
from transcrevai_core.i18n import _, mark
from transcrevai_core.library import shelf
from transcrevai_core.library.shelf import Labels
from transcrevai_core.types import ACTIVE_STATES, Job

PAGE_SIZE = 20
EVERY = 2.0  # seconds between two looks while something runs
STATES = {
    "running": (mark("Running"), ACTIVE_STATES),
    "done": (mark("Done"), ("done",)),
    "failed": (mark("Failed"), ("failed",)),
    "cancelled": (mark("Cancelled"), ("cancelled",)),
}
FILTERS = ("q", "state", "project", "tag", "since", "until")  # in the address, as is the order
ASKED = "library_asked"  # in the session: an act, and whom it is about

library = ui.store()


def choose(kept: dict[str, Labels]) -> None:
    """Draw what the list can be narrowed by; it stays in the address."""
    search = _("Search in titles and in what was said")
    st.text_input(
        search, type="search", live=True, key="q", placeholder=search, bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    projects = sorted({labels.project for labels in kept.values()} - {""})
    tags = sorted({tag for labels in kept.values() for tag in labels.tags})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.pills(
            _("State"), list(STATES), format_func=lambda name: _(STATES[name][0]), key="state",
            bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
        for key, label, known in (
            ("project", _("Project"), projects),
            ("tag", _("Tag"), tags),
        ):
            if known:
                st.selectbox(
                    label, known, index=None, key=key, bind="query-params", width=180,
                    placeholder=label, label_visibility="collapsed",
                )  # fmt: skip
        with st.popover(_("Date"), icon=":material/calendar_month:"):
            for key, label in (("since", _("From")), ("until", _("To"))):
                st.date_input(label, None, key=key, format="DD/MM/YYYY", bind="query-params")


def fits(job: Job, labels: Labels) -> bool:
    """Tell whether a recording is among those that are asked for."""
    asked = st.session_state
    day = datetime.fromtimestamp(job.created).date()
    since, until = asked.get("since") or date.min, asked.get("until") or date.max
    state = asked.get("state")
    return (
        matches(job.title, asked.get("q") or "")
        and (not state or job.state in STATES[state][1])
        and asked.get("project") in (None, labels.project)
        and (asked.get("tag") is None or asked["tag"] in labels.tags)
        and since <= day <= until
    )


def clear() -> None:
    for name in FILTERS:
        st.session_state[name] = "" if name == "q" else None
    st.session_state["page"] = 1


def order() -> tuple[str, bool]:
    """Return by which column the list is sorted, and whether the highest comes first."""
    name = st.query_params.get("sort", "-date")
    column = name.removeprefix("-")
    return (column, name.startswith("-")) if column in COLUMNS else ("date", True)


def draw(shown: int) -> None:
    """Draw the list, and do what is asked for in it."""
    kept = shelf.labels(library)
    jobs = [job for job in library.jobs() if fits(job, kept.get(job.id, Labels()))]
    sort, down = order()
    jobs = sorted_by(jobs, kept, sort, down)
    if not jobs:
        st.caption(_("No recording matches."))
        st.button(_("Show all recordings"), icon=":material/filter_alt_off:", on_click=clear)
        return
    pages = -(-len(jobs) // PAGE_SIZE)
    first = (min(shown, pages) - 1) * PAGE_SIZE
    asked = listing(jobs[first : first + PAGE_SIZE], kept, sort, down)
    if not asked:
        return
    if asked["do"] == "sort":
        st.query_params["sort"] = ("-" if asked["down"] else "") + asked["name"]
        st.rerun()
    st.session_state[ASKED] = (asked["do"], asked["ids"])
    st.rerun()  # of the whole page: what follows is more than the list


st.title(_("Library"), anchor=False)
every = library.jobs()
if not every:
    invite(
        _("Nothing here yet: recordings appear as soon as you transcribe one."),
        ":material/folder_open:",
    )
    st.stop()
kept = shelf.labels(library)
choose(kept)
asked = st.session_state.pop(ASKED, None)
known = {job.id: job for job in every}
about = [known[job_id] for job_id in (asked[1] if asked else ()) if job_id in known]
if asked and asked[0] == "open" and about:
    done = about[0].state == "done"
    open_page(ui.TRANSCRIPT if done else ui.TRANSCRIBE, about[0].id)
acts.tell()
found = [job for job in every if fits(job, kept.get(job.id, Labels()))]
if st.session_state.get("q"):
    hits(st.session_state["q"])
    head = _("Titles ({number})", number=i18n.decimal(len(found)))
    st.subheader(head, anchor=False)
pages = max(1, -(-len(found) // PAGE_SIZE))
place = st.container()  # above the numbers of its pages
page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
with place:
    if any(job.state in ACTIVE_STATES for job in found):
        st.fragment(draw, run_every=EVERY)(page)
    else:
        draw(page)
if asked and asked[0] != "open":
    acts.act(asked[0], about)
