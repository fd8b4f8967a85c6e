"""The settings of diarization, gathered for each embedding as they work best together."""

from dataclasses import dataclass
from typing import Literal

from transcrevai_core.diarization.vbx import VbxSettings


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
}
