"""All recordings: search in what was said, open, run again, delete for good."""

from typing import Any

import streamlit as st

from transcrevai_core import i18n, ui
from transcrevai_core.components.options import options_form
from transcrevai_core.components.recording import invite, open_page
from transcrevai_core.components.search import matches, snippet
from transcrevai_core.i18n import _, mark
from transcrevai_core.library.search import search
from transcrevai_core.options import JobOptions
from transcrevai_core.types import ACTIVE_STATES, Job

PAGE_SIZE = 20
FILTERS = {
    mark("Running"): ACTIVE_STATES,
    mark("Done"): ("done",),
    mark("Failed"): ("failed",),
    mark("Cancelled"): ("cancelled",),
}

library = ui.store()


def hits(query: str) -> None:
    found = search(library, query)
    head = _("Said in recordings ({number})", number=i18n.decimal(len(found)))
    st.subheader(head, anchor=False)
    if not found:
        st.caption(_("No transcript holds all these words; fewer words find more."))
    for job, segment in found:
        with st.container(border=True, gap="xxsmall"):
            st.markdown(snippet(segment.final_text, query))
            st.page_link(
                ui.TRANSCRIPT,
                label=_(
                    "{title} at {time}", title=ui.escape(job.title), time=ui.clock(segment.start)
                ),
                icon=":material/play_circle:",
                query_params={"job": job.id, "t": f"{segment.start:.2f}"},
            )


def card(job: Job) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{ui.escape(job.title)}**", width="stretch")
            ui.badge(job)
        facts = [ui.date(job.created)]
        facts += [ui.clock(job.duration)] if job.duration else []
        facts += [ui.language_name(job.language)] if job.language else []
        facts += [ui.escape(str(job.model or job.options.get("model", "")))]
        st.caption(" · ".join(facts))
        if job.error and job.state == "failed":
            st.markdown(f":small[:red[{ui.say(job.error)}]]")
        with st.container(horizontal=True):
            actions(job)


def actions(job: Job) -> None:
    if job.state == "done":
        if st.button(_("Open"), key=f"open_{job.id}", icon=":material/article:", type="primary"):
            open_page(ui.TRANSCRIPT, job.id)
    elif st.button(_("Show"), key=f"show_{job.id}", icon=":material/visibility:"):
        open_page(ui.TRANSCRIBE, job.id)
    if job.state in ACTIVE_STATES:
        if st.button(_("Cancel"), key=f"cancel_{job.id}", icon=":material/close:"):
            library.cancel(job.id)
            st.rerun()
        return
    if job.state in ("failed", "cancelled"):
        label = _("Retry") if job.state == "failed" else _("Resume")
        if st.button(label, key=f"requeue_{job.id}", icon=":material/refresh:"):
            library.requeue(job.id)
            open_page(ui.TRANSCRIBE, job.id)
    if st.button(_("Run again"), key=f"again_{job.id}", icon=":material/replay:"):
        st.dialog(_("Run again"))(run_again)(job)
    if st.button(_("Delete"), key=f"delete_{job.id}", icon=":material/delete:"):
        st.dialog(_("Delete for good?"))(delete)(job)


def run_again(job: Job) -> None:
    st.markdown(
        _("**{title}** is transcribed anew; the transcript you have stays.",
          title=ui.escape(job.title))
    )  # fmt: skip
    options: dict[str, Any] = options_form(f"again_{job.id}", JobOptions(**job.options))
    if st.button(_("Transcribe"), type="primary", icon=":material/play_arrow:"):
        with ui.show_errors():
            chosen = ui.job_options(options)
            again = ui.run_again(job, chosen)
            open_page(ui.TRANSCRIBE, again.id)


def delete(job: Job) -> None:
    kept = library.job_dir(job.id)
    st.markdown(
        _(
            "**{title}**, its transcript, your corrections and the sound that TranscrevAI keeps "
            "will be gone. This cannot be undone.",
            title=ui.escape(job.title),
        )
    )
    if kept not in job.source.parents:
        st.caption(_("The original stays: {path}", path=ui.escape(str(job.source))))
    with st.container(horizontal=True):
        if st.button(_("Delete for good"), type="primary", icon=":material/delete:"):
            with ui.show_errors():
                library.delete_job(job.id)
                st.rerun()
        if st.button(_("Keep it")):
            st.rerun()


st.title(_("Library"), anchor=False)
jobs = library.jobs()
if not jobs:
    invite(
        _("Nothing here yet: recordings appear as soon as you transcribe one."),
        ":material/folder_open:",
    )
    st.stop()
query = st.text_input(
    _("Search in titles and in what was said"), type="search", live=True, key="query",
    placeholder=_("budget meeting"),
)  # fmt: skip
state = st.pills(_("State"), list(FILTERS), format_func=_, key="state")
if query:
    hits(query)
shown = [
    job
    for job in jobs
    if (not state or job.state in FILTERS[state]) and matches(job.title, query or "")
]
if query and shown:
    head = _("Titles ({number})", number=i18n.decimal(len(shown)))
    st.subheader(head, anchor=False)
elif not shown and not query:
    st.caption(_("No recording is in this state."))
pages = -(-len(shown) // PAGE_SIZE)
page = st.pagination(pages, key="library_page") if pages > 1 else 1
for job in shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]:
    card(job)
