"""SubRip and WebVTT, written through pysubs2."""

import html
import re
from collections.abc import Callable

from transcrevai_core.export.cues import Cue, cues
from transcrevai_core.types import Transcript

# SubRip has no escapes, and readers take this for the arrow between two times, spaces included.
_ARROW = re.compile(r"-[- ] *>")
# pysubs2 reads backslashes as codes of another format ("C:\new" would gain a line). Cues hold no
# control characters, so this one can stand for them on the way through.
_BACKSLASH = "\0"


def write_srt(transcript: Transcript, edited: bool) -> str:
    """Write SubRip; each cue of a segment with a speaker begins with `Name: `."""
    return _through_pysubs2("srt", cues(transcript, edited, label=True), _srt_text)


def write_vtt(transcript: Transcript, edited: bool) -> str:
    """Write WebVTT; each cue of a segment with a speaker is a voice span, `<v Name>`."""
    return _through_pysubs2("vtt", cues(transcript, edited), _vtt_text)


def _srt_text(cue: Cue) -> str:
    return "\n".join(_ARROW.sub("→", line) for line in cue.lines)


def _vtt_text(cue: Cue) -> str:
    text = html.escape("\n".join(cue.lines), quote=False)
    # Players draw no voice tag, so it takes no room in the line.
    return f"<v {html.escape(cue.speaker, quote=False)}>{text}" if cue.speaker else text


def _through_pysubs2(format: str, found: list[Cue], text_of: Callable[[Cue], str]) -> str:
    from pysubs2 import SSAEvent, SSAFile  # here, because only subtitles need it

    subtitles = SSAFile()
    for cue in found:
        text = text_of(cue).replace("\\", _BACKSLASH).replace("\n", r"\N")
        subtitles.append(SSAEvent(start=cue.start, end=cue.end, text=text))
    # Braces are the speaker's own here, not style tags to be taken out.
    return subtitles.to_string(format, keep_ssa_tags=True).replace(_BACKSLASH, "\\")
