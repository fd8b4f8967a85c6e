"""What was said, found in all recordings: who said it and when, recording by recording."""

from itertools import groupby

import streamlit as st

from transcrevai_core import i18n, ui
from transcrevai_core.components.search import snippet
from transcrevai_core.i18n import _
from transcrevai_core.library import shelf
from transcrevai_core.library.rows import read_names
from transcrevai_core.transcript.turns import display_name

MOST = 200  # hits that are looked for
_SHOWN = 20  # that are drawn before more are asked for


def hits(query: str) -> None:
    """Draw where every word of a query was said; a click opens the place."""
    store = ui.store()
    found = shelf.search(store, query, MOST)
    number = i18n.decimal(len(found)) + ("+" if len(found) == MOST else "")
    st.subheader(_("Said in recordings ({number})", number=number), anchor=False)
    if not found:
        st.caption(_("No transcript holds all these words; fewer words find more."))
        return
    every = len(found) <= _SHOWN or st.toggle(_("Show all of them"), key="all_hits")
    shown = sorted(found if every else found[:_SHOWN], key=lambda hit: (hit[0].id, hit[1].start))
    order = list(dict.fromkeys(job.id for job, _segment in found))
    shown.sort(key=lambda hit: order.index(hit[0].id))
    for _job_id, of_job in groupby(shown, key=lambda hit: hit[0].id):
        mine = list(of_job)
        job = mine[0][0]
        with store.database.read() as db:
            names = read_names(db, job.id)
        st.markdown(f"**{ui.escape(job.title)}** :small[{ui.date(job.created)}]")
        for job, segment in mine:
            who = f"{display_name(segment.speaker, names)}: " if segment.speaker else ""
            with st.container(horizontal=True, vertical_alignment="top", gap="xsmall"):
                st.page_link(
                    ui.TRANSCRIPT,
                    label=ui.clock(segment.start),
                    icon=":material/play_circle:",
                    query_params={"job": job.id, "t": f"{segment.start:.2f}"},
                )
                st.markdown(
                    f"{ui.escape(who)}{snippet(segment.final_text, query)}", width="stretch"
                )
