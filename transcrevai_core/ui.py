"""What the pages share: the library, how values read on screen, and the options of a job.

Pages draw what the store says; none of them ever holds a worker or a recording.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from pydantic import ValidationError
from streamlit.runtime.scriptrunner import get_script_run_ctx

from transcrevai_core import demo, i18n
from transcrevai_core.codes import Note
from transcrevai_core.errors import InputError, SettingError, TranscrevaiError
from transcrevai_core.figures import timeline
from transcrevai_core.figures.memory_meters import Palette
from transcrevai_core.i18n import _, mark
from transcrevai_core.jobs import planning
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.library import preferences
from transcrevai_core.library.store import Store
from transcrevai_core.memory.plan import Plan
from transcrevai_core.messages import Code, Message
from transcrevai_core.models.catalogue import DEMO
from transcrevai_core.options import JobOptions
from transcrevai_core.settings import Settings, describe
from transcrevai_core.transcript import turns
from transcrevai_core.transcript.turns import display_name
from transcrevai_core.types import ACTIVE_STATES, Job, JobState, Segment
from transcrevai_core.web import transcript_routes, uploads

TRANSCRIBE, TRANSCRIPT, LIBRARY = "transcribe.py", "transcript.py", "library.py"
TUNING = "tuning.py"
EVALUATION, MEMORY, SETTINGS = "evaluation.py", "memory.py", "settings.py"
START = mark("Transcribe a recording or try a sample")
LOW_PROBABILITY = 0.5
CHIP_NAME = 30  # characters: a line of a narrow screen
LANGUAGE = "language"  # in the session
clock = turns.clock

Color = Literal["red", "orange", "blue", "green", "gray", "primary"]
STATES: dict[JobState, tuple[str, str, Color]] = {
    "queued": (mark("Waiting"), ":material/schedule:", "gray"),
    "preparing": (mark("Preparing"), ":material/graphic_eq:", "blue"),
    "transcribing": (mark("Transcribing"), ":material/edit_note:", "blue"),
    "done": (mark("Done"), ":material/check:", "green"),
    "failed": (mark("Failed"), ":material/error:", "red"),
    "cancelled": (mark("Cancelled"), ":material/block:", "orange"),
}


def _language() -> str:
    """Return the language of the page being drawn, or of who asks beside it."""
    if get_script_run_ctx(suppress_warning=True):
        return str(st.session_state.get(LANGUAGE, i18n.SOURCE))
    return transcript_routes.LANGUAGE.get()


i18n.use(_language)


def settings() -> Settings:
    """Read the settings; raises SettingError, which app.py draws."""
    return preferences.current()


@cache
def _open(home: Path) -> Store:
    return Store(home)


def store() -> Store:
    """Return the library of the data directory."""
    return _open(settings().home)


def job_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a job from what a form gave; None there means automatic.

    Raises SettingError with one sentence for a value out of its range.
    """
    return _checked(values).model_dump()


def _checked(values: Mapping[str, Any]) -> JobOptions:
    try:
        return JobOptions(**{**settings().job_options().model_dump(), **values})
    except ValidationError as error:
        raise SettingError.of(describe(error)) from None


def plan(values: Mapping[str, Any], duration: float | None = None) -> Plan:
    """Return how a job with these options would be done, and what it would need.

    `duration` in s, None where it is not known. Raises InputError where it can never fit the
    budget, with the nearest that does.
    """
    return planning.plan_for(store(), settings(), _checked(values), duration)


def session() -> str:
    """Name this browser session, whose jobs share a place in the queue."""
    return str(st.session_state.setdefault("session", uuid.uuid4().hex))


def author() -> str:
    """Return the name of who works in this browser session, or else on this computer."""
    return str(st.session_state.get("author") or settings().author)


def name_author(name: str) -> None:
    """Keep for this session who works here."""
    st.session_state["author"] = name


def add_job(source: Path, values: Mapping[str, Any], *, title: str = "") -> Job:
    """Queue a recording for this session; raises InputError where it does not fit the budget."""
    plan(values)
    return store().add_job(source, job_options(values), title=title, session=session())


@contextmanager
def show_errors() -> Iterator[None]:
    """Draw the sentence of a TranscrevaiError where it happens, and let the page go on."""
    try:
        yield
    except TranscrevaiError as error:
        st.error(say(error), icon=":material/error:")


def say(what: Message | Code | TranscrevaiError) -> str:
    """Return a message, or what an error says, in the reader's language, as Markdown."""
    return escape(i18n.say(what.message if isinstance(what, TranscrevaiError) else what))


# -- how values read ---------------------------------------------------------------------------


def date(unix: float) -> str:
    """Write a moment in local time."""
    return i18n.date(unix)


def number(text: str | None) -> float | None:
    """Read a number from an address, which anyone can have typed.

    >>> number("12.5"), number("soon"), number(None)
    (12.5, None, None)
    """
    try:
        return float(text or "")
    except ValueError:
        return None


def escape(text: str) -> str:
    r"""Make text safe to stand in Markdown: what was said is never formatting.

    >>> print(escape("5*3 [x] :smile:"))
    5\*3 \[x\] \:smile\:
    """
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~:$<>&])", r"\\\1", text)


def marked_text(segment: Segment) -> str:
    """Write a segment's text as Markdown, with the words that the model was unsure of marked."""
    if segment.edited is not None or not segment.words:
        return escape(segment.final_text.strip())
    return "".join(
        " " + f":orange-background[{escape(word.text.strip())}]"
        if word.probability < LOW_PROBABILITY and word.text.strip()
        else escape(word.text)
        for word in segment.words
    ).strip()


def ink() -> str:
    """Return the colour of text in figures, which know no theme."""
    return "#c3cdc9" if st.context.theme.type == "dark" else "#46524d"


def palette() -> Palette:
    """Return the theme's colours for figures; the default ones are for an app without a theme."""
    theme = st.context.theme.type or "light"
    names = {"calm": "link", "good": "green", "orange": "orange", "red": "red"}
    own = {role: st.get_option(f"theme.{theme}.{name}Color") for role, name in names.items()}
    plain = {"calm": "#0b6e5f", "good": "#1a7f4b", "orange": "#b45f06", "red": "#b3261e"}
    return Palette(ink(), **{role: str(own[role] or plain[role]) for role in names})


def chip(label: str, names: Mapping[str, str], most: int = CHIP_NAME) -> str:
    """Write a speaker's name, in at most so many characters, as Markdown in the own colour."""
    look = timeline.colour(label)
    name = escape(timeline.shortened(display_name(label, names), most))
    return f':color[**{name}**]{{foreground="{look.text}" background="{look.fill}"}}'


def language_name(code: str | None) -> str:
    """Return what a language is called in the reader's."""
    return _(LANGUAGES.get(code or "", code or mark("unknown")))


def importance(main: bool) -> Literal["primary", "secondary"]:
    """Return the type of a button that may be the main one of its page."""
    return "primary" if main else "secondary"


def badge(job: Job) -> None:
    """Draw a job's state."""
    label, icon, color = STATES[job.state]
    if job.cancel_requested and job.state in ACTIVE_STATES:
        label = mark("Cancelling")
    st.badge(_(label), icon=icon, color=color)


def notes(job: Job) -> None:
    """Draw what a job's making calls for saying, the demo model's limits above all."""
    kept = list(job.notes)
    if job.model == DEMO.name and Note.DEMO() not in kept:
        kept.append(Note.DEMO())
    if job.dropped_segments:
        kept.append(Note.DROPPED(number=job.dropped_segments))
    for note in kept:
        if note.code is Note.DEMO and demo.SAMPLES_DIR not in job.source.parents:
            advice = _("This recording needs another model.")
            st.warning(f"{say(note)} {advice}", icon=":material/warning:")
        else:
            st.caption(f":material/info: {say(note)}")


def icon_button(icon: str, said: str, key: str, **more: Any) -> bool:
    """Draw a button that shows its icon alone; what it does is its name and its tooltip."""
    with st.container(width="content", key=f"icon_{key}"):  # whose label the router's style hides
        return st.button(said, key=key, type="tertiary", icon=icon, help=said, **more)


def local_file(text: str) -> Path:
    """Return the file that a user's text names; raises InputError with what would be right."""
    named = text.strip().strip("\"'")
    if not named:
        raise InputError("No path is given; the full path of a recording would be right.")
    path = Path(named).expanduser()
    if path.is_dir():
        raise InputError("{path} is a folder; give the path of one recording.", path=str(path))
    if not path.is_absolute() or not path.is_file():
        raise InputError(
            "There is no file {path}; give the full path of a recording.", path=str(path)
        )
    return path


def add_uploads(sources: Sequence[Path], options: Mapping[str, Any]) -> list[Job]:
    """Queue recordings; what `web` put into folders of their own is taken from there."""
    plan(options)
    added = []
    for source in sources:
        take = bool(uploads.upload_of(store().home, source))
        added.append(store().add_job(source, options, take=take, session=session()))
        if take:
            source.parent.rmdir()
    return added


def run_again(job: Job, options: Mapping[str, Any]) -> Job:
    """Queue a job's recording once more; each of the two can be deleted without the other."""
    if not job.source.is_file():
        raise InputError(
            "The recording {path} is gone; transcribe another copy of it.", path=str(job.source)
        )
    if store().job_dir(job.id) not in job.source.parents:
        return add_job(job.source, options, title=job.title)
    again = add_uploads([uploads.keep(store().home, job.source.name, job.source)], options)[0]
    store().update_job(again.id, title=job.title)
    return again
