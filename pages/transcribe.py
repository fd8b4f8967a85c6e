"""Begin a transcription, from a sample, files, the microphone or a path, and watch it grow."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from transcrevai_core import demo, ui
from transcrevai_core.components.options import defaults, options_form
from transcrevai_core.components.transcribe.arrived import leave_out, take_in, waiting, waiting_list
from transcrevai_core.components.transcribe.plan import forecast, recovered
from transcrevai_core.components.transcribe.uploader import uploader
from transcrevai_core.components.transcribe.watch import watch_job, watch_jobs
from transcrevai_core.i18n import _
from transcrevai_core.types import Job, Media
from transcrevai_core.web import arrivals, uploads

library = ui.store()
begun: list[str] = st.session_state.setdefault("begun", [])


def begin(sources: Sequence[Path], options: dict[str, Any], *, alone: bool = True) -> None:
    """Queue recordings and show what becomes of them."""
    known = [arrivals.seen(source) for source in sources]
    jobs = ui.add_uploads(sources, ui.job_options(options))
    for job, media in zip(jobs, known, strict=True):
        if isinstance(media, Media) and media.duration:  # so that its time is known from the start
            library.update_job(job.id, duration=media.duration)
    leave_out(sources)
    follow(jobs, show=alone and len(sources) == 1)


def follow(jobs: Sequence[Job], *, show: bool = True) -> None:
    """Remember what this tab has begun; the address keeps the job over a reload."""
    begun.extend(job.id for job in jobs)
    if show:
        st.query_params["job"] = begun[-1]
    st.rerun()


def samples(newcomer: bool) -> None:
    with st.container(border=True):
        st.markdown(_("**New here? Try a sample.**") if newcomer else _("**Try a sample**"))
        st.caption(
            _("About a minute of synthesized conversation and the small demo model that comes with "
              "TranscrevAI: nothing to download, done in seconds.")
        )  # fmt: skip
        with st.container(horizontal=True):
            for language, name in demo.SAMPLES.items():
                title = _(name)
                kind, icon = ui.importance(newcomer), ":material/play_arrow:"
                if st.button(title, key=f"sample_{language}", type=kind, icon=icon):
                    chosen = {"model": "demo", "language": language, "task": "transcribe"}
                    with ui.show_errors():
                        follow([ui.add_job(demo.sample_path(language), chosen, title=title)])


def sources(options: dict[str, Any]) -> int:
    """Draw where recordings come from, and return how many are on their way."""
    names = {"upload_file": _("Files"), "mic": _("Microphone"), "folder": _("Path")}
    files, microphone, path = st.tabs([f":material/{icon}: {name}" for icon, name in names.items()])
    with files:
        dropped = uploader(key="uploads", max_bytes=uploads.max_upload_bytes())
        found = (uploads.find_upload(library.home, upload) for upload in dropped.finished)
        take_in(file for file in found if file)  # the others are jobs already
    with microphone:
        # a new key for each recording lets go of the sound of the last one
        recording = st.audio_input(_("Record from the microphone"), key=f"recording_{len(begun)}")
        if recording and st.button(_("Transcribe the recording"), type="primary"):
            name = f"{_('Recording')} {time.strftime('%Y-%m-%d %H.%M.%S')}.wav"
            with ui.show_errors():
                begin([uploads.keep(library.home, name, recording.getbuffer())], options)
    with path, st.form("path", border=False):
        text = st.text_input(
            _("Full path of a recording on this computer"),
            placeholder=_("/home/maria/interviews/2026-05-12.mp3"),
        )
        if st.form_submit_button(_("Take it in")):
            with ui.show_errors():
                take_in([ui.local_file(text)])
    return dropped.pending


if "job" in st.query_params:
    watch_job(st.query_params["job"])
    if st.button(_("Transcribe another"), icon=":material/add:", type="tertiary"):
        st.query_params.clear()
        st.rerun()
else:
    st.title(_("Transcribe"), anchor=False)
    st.markdown(_("Recordings become text on this computer; they never leave it."))
    # what comes and goes has slots of its own: an uploader that moved would be drawn anew
    progress_slot, sources_slot, waiting_slot, welcome_slot = (st.container() for _slot in range(4))
    newcomer = not library.jobs()
    with progress_slot:
        recovered()
        watch_jobs(begun)
    options_slot, samples_slot = st.container(), st.container()
    with options_slot:
        options = options_form("new", defaults())
    with sources_slot:
        coming = sources(options)
    with waiting_slot:
        planned = waiting_list(options, lambda files: begin(files, options, alone=not coming))
    if not planned:
        with options_slot:
            forecast(options)
    newcomer = newcomer and not waiting()
    with welcome_slot if newcomer else samples_slot:
        samples(newcomer)
