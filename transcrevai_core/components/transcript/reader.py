"""The reader of a transcript: its sound as a picture, its text, and all that is put right in it.

Plain HTML, CSS and JavaScript beside this file. It asks the routes of `web.transcript_routes` for
what it shows and sends them what the user changes; the page is drawn anew only where who speaks
has changed.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from transcrevai_core import i18n, ui
from transcrevai_core.i18n import _
from transcrevai_core.library import history
from transcrevai_core.transcript import marks
from transcrevai_core.web import transcript_routes
from transcrevai_core.web.origin import TOKEN, TOKEN_HEADER
from transcrevai_core.web.uploads import AUDIO_URL

_HERE = Path(__file__).parent
_SCRIPTS = tuple(
    f"reader{name}"
    for name in ("_text", "_wave", "_sound", "_keys", "_menu", "_search", "_select", "")
)


@cache
def _renderer() -> Any:
    # registered with the first page, not at import: the server's runtime must exist by then
    html, css = ((_HERE / f"reader.{kind}").read_text(encoding="utf-8") for kind in ("html", "css"))
    js = "\n".join((_HERE / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    return st.components.v2.component("transcrevai_reader", html=html, css=css, js=js)


def reader(job_id: str, language: str | None, place: float | None) -> str | None:
    """Draw a job's transcript in a language, at `place` seconds where one first comes to it.

    Returns the label of a speaker whom the user has just asked to rename, else None.
    """
    with ui.store().database.read() as db:
        version = history.version(db, job_id)
    data = {
        "url": f"{transcript_routes.URL}/{job_id}",
        "audio": f"{AUDIO_URL}/{job_id}" if ui.store().wav(job_id).is_file() else "",
        "header": TOKEN_HEADER,
        "token": TOKEN,
        "language": i18n.language(),
        "locale": i18n.language().replace("_", "-"),
        "version": version,
        "place": place,
        "resume": ui.settings().resume_seconds,
        "marks": marks.of(language),
        "author": ui.author(),
        "low": ui.LOW_PROBABILITY,
        # Streamlit would look with pandas into a dict, whether it is a table
        "labels": json.dumps(labels()),
    }
    result = _renderer()(
        key=f"reader_{job_id}",
        data=data,
        on_speakers_change=lambda: None,  # only so that the page is drawn anew
        on_rename_change=lambda: None,
    )
    return str(result.rename) if result.rename else None


def labels() -> dict[str, Any]:
    """Return every text of the reader in the language of the page."""
    return {
        "toolbar": _("Player and tools"),
        "play": _("Play (space)"),
        "pause": _("Pause (space)"),
        "back": _("Back 3 seconds (J)"),
        "speed": _("Speed"),
        "loop": _("Repeat this segment (R)"),
        "doubt": _("Next word that the model was unsure of (N)"),
        "no_doubt": _("There is no doubtful word after this place."),
        "no_doubt_before": _("There is no doubtful word before this place."),
        "only": _("Show only segments with words that the model was unsure of (Q)"),
        "doubtful": _("Doubtful words: {number}", number="{number}"),
        "shade": _("Mark words that the model was unsure of (D)"),
        "find": _("Find and replace (F)"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "undone": _("Undone: {what}", what="{what}"),
        "redone": _("Made again: {what}", what="{what}"),
        "keys": _("Keyboard shortcuts"),
        "keys_hint": _("While you write, press Alt with the letter."),
        "show_wave": _("Show the sound and who speaks when"),
        "wave": _("Sound and speakers; click to hear, drag to zoom in"),
        "zoom": _("Zoom"),
        "closer": _("Zoom in"),
        "wider": _("Zoom out"),
        "whole": _("The whole recording"),
        "text": _("Text"),
        "empty": _("There is no text yet."),
        "emptied": _("(no text)"),
        "hear": _("Play from here"),
        "edit": _("Edit the text"),
        "your_text": _("Your text"),
        "original": _("The model wrote:"),
        "restore": _("Back to the model's text"),
        "looping": _("may repeat itself"),
        "uncertain": _("the model was guessing"),
        "split": _("Split: first click the word that the second part is to begin with"),
        "split_at": _("Split before “{word}”", word="{word}"),
        "merge": _("Merge with the next one"),
        "inaudible": _("Mark as inaudible"),
        "overlap": _("Mark as several voices at once"),
        "select": _("Select several segments"),
        "selected": _("Selected: {number}", number="{number}"),
        "unselect": _("Select nothing"),
        "join": _("Merge"),
        "copy": _("Copy"),
        "copied": _("Copied"),
        "not_copied": _("The browser did not let the text be copied; save it instead."),
        "save": _("Save as"),
        "empty_text": _("Delete the text"),
        "note": _("Note"),
        "add_note": _("Add a note"),
        "edit_note": _("Edit the note"),
        "highlight": _("Highlight"),
        "plain": _("Remove the highlight"),
        "more": _("What to do with the segment at"),
        "speaker": _("Say who speaks"),
        "somebody": _("Somebody else"),
        "rename": _("Rename {name}", name="{name}"),
        "sought": _("Find"),
        "instead": _("Replace with"),
        "earlier": _("The one before"),
        "later": _("The next one"),
        "replace": _("Replace"),
        "everywhere": _("Replace all"),
        "words_only": _("Whole words"),
        "match_case": _("Match case"),
        "found": _("{place} of {all}", place="{place}", all="{all}"),
        "none": _("Not found"),
        "replaced": _("Replaced: {number}", number="{number}"),
        "close": _("Close"),
        "unkept": _("What you wrote could not be kept; copy it from here:"),
        "broken": _("The connection to TranscrevAI broke off; is it still running?"),
        "no_sound": _("The sound cannot be played; is TranscrevAI still running?"),
        "silent": _("The sound of this recording is not kept any more; its text is."),
        "changes": {
            "text": _("a correction"),
            "replace": _("replacements"),
            "split": _("a split"),
            "merge": _("a merge"),
            "speaker": _("who speaks"),
            "speakers": _("merged speakers"),
            "name": _("a speaker's name"),
            "note": _("a note"),
            "highlight": _("a highlight"),
            "empty": _("deleted texts"),
            "version": _("an earlier version"),
        },
        "keys_list": _keys(),
    }


def _keys() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the keys and what they do, group by group."""
    return [
        (
            _("Listening"),
            [
                (f"{_('Space')} K F8", _("Play or pause; Ctrl and the space bar while you write")),
                ("J ← F7", _("Back 3 seconds")),
                ("L → F9", _("On 3 seconds")),
                (", .", _("Slower, faster")),
                ("R", _("Repeat the segment, or no longer")),
            ],
        ),
        (
            _("Moving"),
            [
                ("↑ ↓", _("The segment before, the next one")),
                ("N ⇧+N", _("The next word that the model was unsure of, the one before")),
                ("Q", _("Only segments with such words, or all")),
                ("F", _("Find and replace")),
            ],
        ),
        (
            _("Correcting"),
            [
                ("E Enter", _("Edit the text; Enter keeps it, Escape does not")),
                ("Ctrl+Enter", _("Keep the text and edit the next segment")),
                ("1…9", _("Say who speaks")),
                ("S", _("Split at the word clicked last, or where you write")),
                ("M", _("Merge with the next one")),
                ("I", _("Mark as inaudible")),
                ("V", _("Mark as several voices at once")),
                ("U Ctrl+Z", _("Undo")),
                ("Ctrl+Y", _("Redo")),
            ],
        ),
        (
            _("Marking"),
            [
                ("O", _("Write a note")),
                ("H", _("Highlight, or no longer")),
                ("D", _("Mark doubtful words, or no longer")),
                ("⇧+↑ ⇧+↓", _("Select several segments")),
                ("X", _("All that can be done with the segment")),
                ("?", _("This list")),
            ],
        ),
    ]
