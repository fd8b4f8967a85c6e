"""The settings of diarization, gathered for each embedding as they work best together.

Light enough for the web process: what a setting does is elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from transcrevai_core.diarization.embeddings.hub import is_model_name
from transcrevai_core.errors import SettingError
from transcrevai_core.models.catalogue import CAMPPLUS, SEGMENTATION, locate

# Part of every key of the cache: raised when the same settings come to other vectors or turns.
REVISION = 4

Clustering = Literal["auto", "agglomerative", "spectral", "k-means", "vbx"]


@dataclass(frozen=True)
class VbxSettings:
    """How VBx weighs what it sees.

    `fa` scales the evidence (windows overlap, so they count less than once), `fb` the price of a
    speaker; `loop` is the chance that a window has the same speaker as the one before;
    `smoothing` is how sure the first labels are taken to be, in nats.
    """

    fa: float = 0.4
    fb: float = 8.0
    loop: float = 0.9
    smoothing: float = 5.0
    rounds: int = 20


@dataclass(frozen=True)
class Recipe:
    """Everything that can be turned; times in seconds."""

    embedding: str
    clustering: Clustering = "auto"
    counting: Literal["likeness", "silhouette", "eigengap", "evidence"] = "likeness"
    vad_threshold: float = 0.4  # Silero is asked twice: a lower one hears what is beside speech
    min_silence: float = 0.2
    min_speech: float = 0.1
    pad: float = 0.05
    alike: float = 0.62  # cosine from which two clusters are one voice
    alike_two: float = 0.5  # the same where the question is whether there are two at all
    evidence: float = 0.0  # nats from which two clusters are one voice
    vbx: VbxSettings = VbxSettings()
    least_seconds: float = 1.0  # of speech that make a speaker, ...
    least_share: float = 0.003  # ... and which share of all speech
    resegment_rounds: int = 0
    switch: float = 50.0  # nats that a change of speaker costs
    min_turn: float = 0.0  # amid speech; a shorter one goes to its longer neighbour
    window: float | None = None  # the embedding's own where it is None, ...
    hop: float | None = None  # ... as is this
    overlap: bool = False  # whether the segmentation tells where two speak, and more of speech


RECIPES = {
    "voice": Recipe("voice", counting="evidence"),
    "campplus": Recipe(
        "campplus",
        counting="evidence",
        alike_two=0.6,
        vbx=VbxSettings(fa=0.6, fb=4.0),
    ),
    "ivector": Recipe("ivector", alike=0.6),
    "mfcc": Recipe("mfcc", counting="eigengap", least_seconds=2.0, resegment_rounds=2),
    # from 0.84 to 0.88 conversations gain what meetings lose
    "resemblyzer": Recipe("resemblyzer", clustering="k-means", alike=0.87, alike_two=0.87),
}
KNOWING = ("campplus", "voice", "ivector")  # embeddings that know how voices vary
AUTO = "auto"
_AGREED = 0.5  # of speech, where two networks are asked
# of a model that nobody has measured: this count has no threshold to tune
ONNX = Recipe("", counting="eigengap")


def recipe_for(embedding: str) -> Recipe:
    """Return what suits an embedding: one of `RECIPES`, or an ONNX model (see `hub.fetch`).

    Raises SettingError with one sentence for an unknown one.
    """
    if embedding in RECIPES:
        return RECIPES[embedding]
    if is_model_name(embedding):
        return replace(ONNX, embedding=embedding)
    raise SettingError(
        "embedding is {embedding!r}; it should be {known}, the path of an .onnx model or its "
        "Hugging Face id (owner/name).",
        embedding=embedding,
        known=", ".join(RECIPES),
    )


def resolved(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of `JobOptions.diarization` with what they come to on this computer.

    The embedding `auto` is the best that is here, and there is overlap where the segmentation is.
    """
    found = dict(options)
    if found["embedding"] == AUTO:
        found["embedding"] = CAMPPLUS if locate(CAMPPLUS) else "voice"
    found["overlap"] = bool(found.get("overlap")) and locate(SEGMENTATION) is not None
    return found


def chosen_recipe(options: Mapping[str, Any]) -> Recipe:
    """Return what suits the embedding, changed as a job's options ask (`JobOptions`)."""
    options = resolved(options)
    recipe = recipe_for(options["embedding"])
    clustering, counting = options["clustering"], options["counting"]
    threshold = options["speaker_threshold"]
    if threshold is not None:  # the two move together
        two = max(0.0, threshold + recipe.alike_two - recipe.alike)
        recipe = replace(recipe, alike=threshold, alike_two=two, counting="likeness")
    rounds = options["resegment_rounds"]
    return replace(
        with_overlap(recipe) if options["overlap"] else recipe,
        clustering=recipe.clustering if clustering == "auto" else clustering,
        counting=recipe.counting if counting == "auto" else counting,
        least_share=options["min_speaker_share"],
        resegment_rounds=recipe.resegment_rounds if rounds is None else rounds,
        min_turn=options["min_turn_seconds"],
        window=options["window_seconds"],
        hop=options["hop_seconds"],
    )


def with_overlap(recipe: Recipe) -> Recipe:
    """Return a recipe that asks the segmentation, too, which says where two speak at once."""
    return replace(recipe, overlap=True, vad_threshold=_AGREED)


def learns(recipe: Recipe) -> bool:
    """Tell whether scikit-learn is called for; the default way does without its 135 MB."""
    understood = recipe.embedding in KNOWING
    merges = recipe.clustering in ("auto", "vbx") and recipe.counting in ("evidence", "likeness")
    return not (understood and merges) or recipe.resegment_rounds > 0
