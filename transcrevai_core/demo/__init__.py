"""The bundled demonstration: a small Whisper of our own, and sample conversations.

The model was trained by the project on synthesized speech and understands nothing else.
"""

from pathlib import Path

from transcrevai_core.errors import InputError
from transcrevai_core.i18n import mark

MODEL_DIR = Path(__file__).parent / "model"
SAMPLES_DIR = Path(__file__).parent / "samples"
SAMPLES = {
    "pt": mark("Reunião de exemplo (português)"),
    "en": mark("Sample meeting (English)"),
}
NOTE = mark("The demo model understands synthesized demo speech only.")


def sample_path(name: str) -> Path:
    """Return the recording of a sample conversation, `pt` or `en`."""
    if name not in SAMPLES:
        raise InputError(
            "There is no sample {name!r}; the samples are {samples}.",
            name=name,
            samples=", ".join(SAMPLES),
        )
    return SAMPLES_DIR / f"{name}.flac"


def reference_text(name: str) -> str:
    """Return what is really said in a sample, one sentence-turn a line."""
    return sample_path(name).with_suffix(".txt").read_text(encoding="utf-8")
