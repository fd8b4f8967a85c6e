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
from transcrevai_core.web import transcript_routes
from transcrevai_core.web.origin import TOKEN, TOKEN_HEADER
from transcrevai_core.web.uploads import AUDIO_URL

_HERE = Path(__file__).parent
_SCRIPTS = ("reader_text", "reader_wave", "reader_menu", "reader_search", "reader")


@cache
def _renderer() -> Any:
    # registered with the first page, not at import: the server's runtime must exist by then
    html, css = ((_HERE / f"reader.{kind}").read_text(encoding="utf-8") for kind in ("html", "css"))
    js = "\n".join((_HERE / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    return st.components.v2.component("transcrevai_reader", html=html, css=css, js=js)


def reader(job_id: str, place: float | None) -> str | None:
    """Draw a job's transcript, at `place` seconds where one comes to it for the first time.

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
        "doubt": _("Next word that the model was unsure of (N)"),
        "no_doubt": _("There is no doubtful word after this place."),
        "shade": _("Mark words that the model was unsure of (D)"),
        "find": _("Find and replace (F)"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "undone": _("Undone: {what}", what="{what}"),
        "redone": _("Made again: {what}", what="{what}"),
        "keys": _("Keys"),
        "wave": _("Sound and speakers; click to hear, drag to look closer"),
        "zoom": _("Zoom"),
        "closer": _("Look closer"),
        "wider": _("Look from farther away"),
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
            "version": _("an earlier version"),
        },
        "keys_list": [
            [_("Space"), _("Play or pause")],
            ["J ←", _("Back 3 seconds")],
            ["L →", _("On 3 seconds")],
            ["↑ ↓", _("The segment before, the next one")],
            ["N", _("Next word that the model was unsure of")],
            ["E Enter", _("Edit the text; Enter keeps it, Escape does not")],
            ["S", _("Split at the word clicked last")],
            ["M", _("Merge with the next one")],
            ["1…9", _("Say who speaks")],
            ["O", _("Write a note")],
            ["H", _("Highlight, or no longer")],
            ["X", _("All that can be done with the segment")],
            ["F", _("Find and replace")],
            ["D", _("Mark doubtful words, or no longer")],
            ["U Ctrl+Z", _("Undo")],
            ["Ctrl+Y", _("Redo")],
            ["?", _("This list")],
        ],
    }
