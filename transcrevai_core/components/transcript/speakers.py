"""Who speaks, above the text: how many, for how long, what they are called, and who is who.

What the user changes reaches the store at once, and from there every page and every export.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.components.fields import fields
from transcrevai_core.components.idle import IdleNotes
from transcrevai_core.components.options import model_fields
from transcrevai_core.components.profiles import warn_of_loss
from transcrevai_core.errors import InputError
from transcrevai_core.figures import timeline
from transcrevai_core.i18n import _, capital, plural, say
from transcrevai_core.library import edits
from transcrevai_core.library.rows import used_names
from transcrevai_core.messages import load
from transcrevai_core.options import JobOptions
from transcrevai_core.transcript.certainty import certainty
from transcrevai_core.transcript.turns import display_name, talk_times
from transcrevai_core.types import ACTIVE_STATES, Job, Transcript

LONGEST_NAME = 60
_SHARE, _SHARE_NAME = 346, 20  # pixels: half a page; characters that leave room for the rest
_OFFERED = 12  # names of other recordings: what a small screen shows without scrolling far
# a dialog takes the focus to itself, at a moment of its own: so until the user does something, and
# for 2 s at most from when the field is there, that has it, with its text selected
_FOCUS = """{
let field, value, end = performance.now() + 30000
for (const act of ['keydown', 'pointerdown'])
  document.addEventListener(act, () => { end = 0 }, { capture: true, once: true })
const look = () => {
  if (performance.now() > end) return
  requestAnimationFrame(look)
  const found = document.querySelector('[role=dialog] input[type=text]')
  if (!found) return
  if (found === field && found === document.activeElement && found.value === value) return
  if (!field) end = performance.now() + 2000
  field = found
  value = found.value  // it comes after the field, and takes the selection away
  field.focus()
  field.select()
}
look()
}"""
_MORE = ("speaker_threshold", "clustering", "embedding", "overlap", "min_speaker_share")


def speakers(job: Job, transcript: Transcript) -> None:
    """Draw who speaks and for how long, with all that can be corrected in it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(counted(transcript), width="stretch", help=_why(transcript))
        if job.state not in ACTIVE_STATES:
            find_again(job, _("Change the number"), _("Find again"))
    _shares(transcript)


def counted(transcript: Transcript) -> str:
    """Write how many speak, and how sure that is, as Markdown."""
    number = len(transcript.speakers)
    text = f"**{plural('{number} speaker', '{number} speakers', number)}**"
    sure = certainty(transcript.diarization, number)
    return f"{text}, {ui.say(sure)}" if sure else text


def _why(transcript: Transcript) -> str | None:
    why = say(load(str(transcript.diarization.get("why") or "")))
    if not why:
        return None
    told = [f"{capital(why).rstrip('.')}."]
    settings = transcript.diarization.get("settings", {})
    if "embedding" in settings:
        name = Path(settings["embedding"]).name
        told.append(_("Voices were told apart by {model}.", model=name))
    if settings.get("overlap"):
        told.append(_("Two at once were listened for."))
    return ui.escape(" ".join(told))


# -- the shares --------------------------------------------------------------------------------


def _shares(transcript: Transcript) -> None:
    seconds = talk_times(transcript.turns)
    whole = sum(seconds.values()) or 1.0
    with st.container(horizontal=True, gap="xsmall"):  # two beside each other where there is room
        for label in transcript.speakers:
            _share(transcript, label, seconds.get(label, 0.0), whole)


def _share(transcript: Transcript, label: str, seconds: float, whole: float) -> None:
    with st.container(
        horizontal=True, wrap=False, vertical_alignment="center", gap="xsmall", width=_SHARE
    ):
        share = f":small[{ui.clock(seconds)} · {seconds / whole:.0%}]"
        chip = ui.chip(label, transcript.names, _SHARE_NAME)
        st.markdown(f"{chip}&ensp;{share}", width="content")
        name = ui.escape(display_name(label, transcript.names))
        said = _("Rename {name}", name=name)
        if ui.icon_button(":material/drive_file_rename_outline:", said, f"rename_{label}"):
            rename(transcript, label)
        if len(transcript.speakers) > 1:
            said = _("Merge {name} into another", name=name)
            if ui.icon_button(":material/merge:", said, f"merge_{label}"):
                merge(transcript, label)


def rename(transcript: Transcript, label: str) -> None:
    """Ask for a speaker's name, in a dialog; offer those of the library's other recordings."""
    st.dialog(_("Rename a speaker"))(_rename)(transcript, label)


def _rename(transcript: Transcript, label: str) -> None:
    own = transcript.names.get(label) or ""
    with ui.store().database.read() as db:
        known = [name for name in used_names(db, transcript.job_id) if name != own]
    st.markdown(ui.chip(label, transcript.names, LONGEST_NAME))
    with st.form("rename", border=False):
        # a text field, which keeps what is typed however it is left
        name = st.text_input(
            _("Name"),
            own,
            key=f"name_{transcript.job_id}_{label}",
            help=_("It stands in the text and in every export; an empty field removes it."),
        )
        save = st.form_submit_button(_("Save"), type="primary")  # first: Enter presses it
        chosen = _known_names(known[:_OFFERED]) if known else None
    st.html(f"<script>{_FOCUS}</script>", unsafe_allow_javascript=True, width="content")
    if save or chosen:
        with ui.show_errors():
            name = check_name(transcript, label, chosen or name)
            edits.rename_speaker(ui.store(), transcript.job_id, label, name)
            st.rerun()


def _known_names(known: Sequence[str]) -> str | None:
    """Draw names of other recordings, each of which is taken at once."""
    st.caption(_("Or take a name from another recording:"))
    chosen = None
    with st.container(horizontal=True, gap="xsmall"):
        for name in known:
            shown = ui.escape(timeline.shortened(name, ui.CHIP_NAME))
            if st.form_submit_button(shown, key=f"known_{name}"):
                chosen = name
    return chosen


def check_name(transcript: Transcript, label: str, name: str) -> str:
    """Return a name as it is kept; raise InputError where another speaker is shown under it."""
    name = " ".join(name.split())[:LONGEST_NAME].strip()
    wanted = name.casefold()
    others = (display_name(o, transcript.names) for o in transcript.speakers if o != label)
    if wanted in (other.casefold() for other in others):
        raise InputError("Another speaker has this name; merge the two if they are one.")
    return name


def merge(transcript: Transcript, label: str) -> None:
    """Ask who a speaker really is, in a dialog."""
    st.dialog(_("Merge two speakers"))(_merge)(transcript, label)


def _merge(transcript: Transcript, label: str) -> None:
    others = [other for other in transcript.speakers if other != label]
    into = st.selectbox(
        _("{name} is really", name=ui.escape(display_name(label, transcript.names))),
        others,
        format_func=lambda other: display_name(other, transcript.names),
    )
    st.caption(_("All that both have said becomes one speaker's; undoing parts them again."))
    if st.button(_("Merge"), type="primary", icon=":material/merge:"):
        edits.merge_speakers(ui.store(), transcript.job_id, label, into)
        st.rerun()


# -- what lets a job go on ---------------------------------------------------------------------


def find_again(job: Job, label: str, action: str) -> None:
    """Offer to find the speakers of a finished job, as many as the user says."""
    options = JobOptions(**job.options)
    with st.popover(label, icon=":material/group:"):
        numbers: Sequence[int | None] = [None, *range(1, max(10, options.speakers or 0) + 1)]
        number = st.selectbox(
            _("How many speak"),
            numbers,
            index=numbers.index(options.speakers),
            format_func=lambda n: str(n or _("Automatic")),
            key=f"number_{job.id}",
        )
        with st.expander(_("More")):
            notes = IdleNotes()
            values = fields(_MORE, f"find_{job.id}", options, below=notes.below)
            notes.tell({**options.model_dump(), **values, "speakers": number})
        warn_of_loss(job)
        if st.button(action, type="primary", icon=":material/search:"):
            requeue(job, {**values, "diarize": True, "speakers": number})


def add_text(job: Job) -> None:
    """Offer to transcribe a recording of which only the speakers are known."""
    with st.container(border=True):
        st.markdown(_("**There is no text yet.** A model can write it; the speakers stay."))
        options = JobOptions(**{**job.options, "model": ui.settings().model})
        values = model_fields(f"text_{job.id}", options, text=True)
        if st.button(_("Transcribe"), type="primary", icon=":material/play_arrow:"):
            requeue(job, values)


def requeue(job: Job, changes: dict[str, Any]) -> None:
    """Let a job go on with some other options, and show it at work."""
    with ui.show_errors():
        ui.store().requeue(job.id, ui.job_options({**job.options, **changes}))
        st.rerun()
