"""The settings of diarization, gathered for each embedding as they work best together."""

from dataclasses import dataclass, replace
from typing import Literal

from transcrevai_core.diarization.hub import is_model_name
from transcrevai_core.diarization.vbx import VbxSettings
from transcrevai_core.errors import SettingError


@dataclass(frozen=True)
class Recipe:
    """Everything that can be turned; times in seconds."""

    embedding: str
    clustering: Literal["k-means", "agglomerative", "spectral"] = "k-means"
    counting: Literal["likeness", "silhouette", "eigengap"] = "likeness"
    vad_threshold: float = 0.2  # eager: speech that is missed has no speaker
    min_silence: float = 0.2
    min_speech: float = 0.1
    pad: float = 0.05
    alike: float = 0.62  # cosine from which two clusters are one voice
    alike_two: float = 0.5  # the same where the question is whether there are two at all
    vbx: VbxSettings | None = None  # refine with it; i-vectors only
    least_seconds: float = 1.0  # of speech that make a speaker, ...
    least_share: float = 0.003  # ... and which share of all speech
    resegment_rounds: int = 0
    switch: float = 50.0  # nats that a change of speaker costs


RECIPES = {
    "ivector": Recipe("ivector", vbx=VbxSettings()),
    "mfcc": Recipe("mfcc", "spectral", "eigengap", least_seconds=2.0, resegment_rounds=2),
    "resemblyzer": Recipe("resemblyzer", alike=0.87, alike_two=0.87),
}
# of a model that nobody has measured; these stages have no threshold to tune
ONNX = Recipe("", "spectral", "eigengap")


def recipe_for(embedding: str) -> Recipe:
    """Return the settings that work best with an embedding, by its name.

    Beside those of `RECIPES` it may be the path of an ONNX model or its Hugging Face id. Raises
    SettingError with one sentence for another.
    """
    if embedding in RECIPES:
        return RECIPES[embedding]
    if is_model_name(embedding):
        return replace(ONNX, embedding=embedding)
    raise SettingError(
        f"embedding is {embedding!r}; it should be {', '.join(RECIPES)}, the path of an .onnx "
        "model or its Hugging Face id (owner/name)."
    )
