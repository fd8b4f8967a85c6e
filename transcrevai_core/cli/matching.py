"""What `transcrevai score` compares: references and hypotheses, matched by name."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from transcrevai_core.cli.screen import open_library
from transcrevai_core.errors import InputError
from transcrevai_core.evaluation.annotation import Annotation, from_transcript
from transcrevai_core.evaluation.references import read, recording_name

_JOB = re.compile("[0-9a-f]{4,32}")


@dataclass(frozen=True, slots=True)
class MatchedRecordings:
    """References with their hypotheses by name, those without one, and those too many."""

    pairs: dict[str, tuple[Annotation, Annotation | None]]
    missing: list[str]
    extra: list[str]


def missing_text(spoken: Annotation) -> str:
    """Say that a recording has no text; empty where it has."""
    return "" if spoken.utterances is not None else "holds no text"


def missing_speakers(spoken: Annotation) -> str:
    """Say that nobody is known to say its text; empty where somebody is."""
    return missing_text(spoken) or (
        "" if spoken.speakers or not spoken.text else "names no speakers"
    )


def missing_turns(spoken: Annotation) -> str:
    """Say that it does not tell who speaks when; empty where it does."""
    return "" if spoken.turns is not None else "does not say who speaks when"


def match(
    reference: Path, hypothesis: Path, kinds: Sequence[str], lacks: Callable[[Annotation], str]
) -> MatchedRecordings:
    """Pair what both places hold by name; `lacks` says what a recording should tell and does not.

    A file or a job with one recording each are a pair whatever their names.
    """
    references, alone = load_recordings(reference, kinds), not reference.is_dir()
    if not hypothesis.exists() and _JOB.fullmatch(str(hypothesis)):
        hypotheses = _job(str(hypothesis))
    else:
        hypotheses, alone = load_recordings(hypothesis, kinds), alone and not hypothesis.is_dir()
    if alone and len(references) == len(hypotheses) == 1:
        hypotheses = dict(zip(references, hypotheses.values(), strict=True))
    for place, side in ((reference, references), (hypothesis, hypotheses)):
        for name in references.keys() & side.keys():
            if lack := lacks(side[name]):
                where = f"{name} in {place}" if place.is_dir() else place
                raise InputError(
                    "{where} {lack}; one that does would be right.", where=where, lack=lack
                )
    return MatchedRecordings(
        {name: (references[name], hypotheses.get(name)) for name in sorted(references)},
        sorted(references.keys() - hypotheses.keys()),
        sorted(hypotheses.keys() - references.keys()),
    )


def load_recordings(path: Path, kinds: Sequence[str]) -> dict[str, Annotation]:
    """Return what a file or a folder holds, by recording; of two formats the first that tells."""
    if not path.exists():
        raise InputError(
            "There is no {path}; a file or a folder of them would be right.", path=path
        )
    if not path.is_dir():
        return read(path)
    found: dict[str, Annotation] = {}
    for kind in kinds:
        of_kind: dict[str, Annotation] = {}
        for file in sorted(path.iterdir()):
            if file.suffix.lower() != f".{kind}" or recording_name(file.name) in found:
                continue
            for name, spoken in read(file).items():
                if name in of_kind:
                    raise InputError(
                        "{path} holds {name} twice; once would be right.", path=path, name=name
                    )
                of_kind[name] = spoken
        found = of_kind | found
    if not found:
        *others, last = (f".{kind}" for kind in kinds)
        raise InputError(
            "The folder {path} holds no {kinds} or {last} file; one for each recording would "
            "be right.",
            path=path,
            kinds=", ".join(others),
            last=last,
        )
    return found


def _job(beginning: str) -> dict[str, Annotation]:
    _, store = open_library()
    transcript = store.transcript(store.find(beginning).id)
    return {recording_name(transcript.title): from_transcript(transcript)}
