"""What a stretch of a recording looks like in the laboratory: waveform, spectrogram and pitch."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import streamlit as st

from transcrevai_core import ui
from transcrevai_core.audio import acoustics
from transcrevai_core.audio.acoustics import Sound
from transcrevai_core.components.tables import table
from transcrevai_core.components.tuning.player import last_played
from transcrevai_core.components.working import is_running, show_progress, start, take_result
from transcrevai_core.figures import acoustics as acoustic_figures
from transcrevai_core.i18n import _, decimal
from transcrevai_core.library import cache
from transcrevai_core.library.cache import Cache
from transcrevai_core.library.rows import check_sound
from transcrevai_core.memory.levels import limits_of
from transcrevai_core.memory.readings import MB
from transcrevai_core.messages import Message
from transcrevai_core.tuning import tasks
from transcrevai_core.types import Job, Turn
from transcrevai_core.workers.background import Task
from transcrevai_core.workers.oneshot import one_shot_worker

_NEEDED_BYTES = 500 * MB  # 280 MB once librosa is compiled; while it is, half as much again
_HANG_SECONDS = 300.0  # seconds: compiling gives no sign of life
_SHOWN, _ASKED = "sound_shown", "sound_asked"  # in the session


def sound_of(job: Job, turns: Sequence[Turn]) -> None:
    """Draw what was heard last of a job, else its first turn; it is measured where it was not."""
    chosen = last_played(job.id) or (turns[0].start, turns[0].end)
    span = acoustics.stretch(*chosen, job.duration or chosen[1])
    sound = _measured(job, span)
    if sound is None:
        return
    figure = acoustic_figures.draw(sound, ui.palette().ink, ui.palette().calm)
    alt = _("Waveform, spectrogram and pitch of the stretch that was heard last")
    chart = {"displayModeBar": False}
    st.plotly_chart(figure, config=chart, key=f"sound_{job.id}", alt=alt)
    st.caption(acoustic_figures.summary(sound))
    start, end = (decimal(second, 1) for second in span)
    st.caption(
        _(
            "{start} s to {end} s: what was heard last, at most {most} s of it. The brighter, the "
            "louder at that frequency, in dB under the loudest point. A voice that changes its "
            "pitch for good within one turn may be two voices.",
            start=start,
            end=end,
            most=decimal(acoustics.LONGEST),
        )
    )
    head, rows = acoustic_figures.numbers(sound)
    with st.expander(_("In numbers"), icon=":material/table:"):
        table(head, rows, 480)


def _measured(job: Job, span: tuple[float, float]) -> Sound | None:
    """Return what is known of a stretch, else begin to measure it, and draw how far that is."""
    key = cache.key(job.digest, {"sound": span, "revision": acoustics.REVISION})
    work = f"sound_{key}"
    if is_running(work):
        show_progress(work)
        return None
    if found := take_result(work):
        st.session_state[_SHOWN] = key, found
    shown: str
    sound: Sound | None
    shown, sound = st.session_state.get(_SHOWN, ("", None))
    if shown == key or (sound := _kept(key)):
        st.session_state[_SHOWN] = key, sound
        return sound
    # what was ended, or has failed, does not begin again by itself
    if st.session_state.get(_ASKED) != key or st.button(
        _("Measure the sound"), icon=":material/graphic_eq:"
    ):
        st.session_state[_ASKED] = key
        start(work, _work(job, span, key))
    return None


def _kept(key: str) -> Sound | None:
    try:
        file = Cache(ui.store(), ui.settings()).find(key, "sounds")
        return acoustics.read_json(file.read_bytes()) if file else None
    except (OSError, ValueError, KeyError, TypeError):  # someone has touched it
        return None


def _work(job: Job, span: tuple[float, float], key: str) -> Callable[[Task], Sound]:
    """Return the work of measuring a stretch in a process that ends with it, and keeping it."""
    store, kept = ui.store(), Cache(ui.store(), ui.settings())
    wav, limits = store.wav(job.id), limits_of(ui.settings())

    def measure(task: Task) -> Sound:
        check_sound(job, wav)

        def tell(stage: Message) -> None:
            task.report(stage, 0.0)

        stop = task.should_stop
        with one_shot_worker(
            "sound", _NEEDED_BYTES, limits, _HANG_SECONDS, should_stop=stop, on_wait=tell
        ) as worker:
            sound = worker.call(tasks.measure_sound, wav, *span, should_stop=stop, on_event=tell)
        with suppress(OSError):  # a full disk costs the next time only
            cache.write(kept.path(key), sound.as_json())
            kept.keep(key, "sounds", job.digest, job=job.id)
        return sound

    return measure
