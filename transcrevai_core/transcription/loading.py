"""A Whisper model on this computer, loaded by a ladder of compute types. Runs inside a worker."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from transcrevai_core.codes import Note
from transcrevai_core.errors import ModelError, reason
from transcrevai_core.messages import Message
from transcrevai_core.models.folders import problems

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

CPU_LADDER = ("int8", "int8_bfloat16", "int8_float16", "bfloat16", "float16", "float32")
CUDA_LADDER = ("int8_float16", "int8_bfloat16", "float16", "bfloat16", "int8", "float32")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that is ready, where it runs, and a note for each step that was refused."""

    model: "WhisperModel"
    name: str
    device: str
    compute_type: str
    notes: tuple[Message, ...]


def load(
    folder: Path,
    name: str,
    *,
    device: str = "auto",
    compute_type: str = "auto",
    threads: int = 1,
    disagreeing: Mapping[str, float] = MappingProxyType({}),
) -> Loaded:
    """Load the model in `folder`: on a GPU where asked and able, by the first type that works.

    `compute_type` "auto" begins at the top of the ladder, any other at its own rung; each rung
    is tried by encoding a second of sound, and one that the processor lacks is noted only where
    it was asked for. `disagreeing` has those whose words a check found to agree too little with
    float32's, with the share that does: they are passed over, unless one of them was asked for.
    Raises ModelError where none works.
    """
    import ctranslate2

    # without a tokenizer.json faster-whisper would try to fetch one, which hangs without a network
    if wrong := problems(folder):
        raise ModelError.of(wrong[0])
    notes: list[Message] = []
    devices = ["cpu"]
    if device != "cpu":
        if ctranslate2.get_cuda_device_count() > 0:
            devices = ["cuda", "cpu"]
        elif device == "cuda":
            notes.append(Note.NO_GPU())
    for place in devices:
        offered = ctranslate2.get_supported_compute_types(place)
        for rung in _rungs(CUDA_LADDER if place == "cuda" else CPU_LADDER, compute_type):
            if rung not in offered and rung != compute_type:
                continue  # nobody asked for it
            # on a CPU int8 is int8_float32
            agreed = disagreeing.get("int8" if rung == "int8_float32" else rung)
            if agreed is not None and rung != compute_type:
                notes.append(Note.TYPE_PASSED_OVER(type=rung, model=name, share=agreed))
                continue
            try:
                model = _try(folder, place, rung, threads)
            except (RuntimeError, ValueError, OSError, ModelError) as error:
                notes.append(Note.TYPE_REFUSED(type=rung, device=place, reason=reason(error)))
                continue
            if agreed is not None:
                notes.append(Note.TYPE_USED_AS_ASKED(type=rung, share=agreed))
            return Loaded(model, name, place, model.model.compute_type, tuple(notes))
        if place == "cuda":
            notes.append(Note.GPU_UNFIT())
    raise ModelError(
        "The model {name} could not be loaded ({reason:part}); a complete CTranslate2 Whisper "
        "model would be right.",
        name=name,
        reason=notes[-1],
    )


def _rungs(ladder: tuple[str, ...], compute_type: str) -> tuple[str, ...]:
    if compute_type == "auto":
        return ladder
    if compute_type not in ladder:  # int8_float32: what int8 means on a CPU
        return (compute_type, *ladder)
    return ladder[ladder.index(compute_type) :]


def _try(folder: Path, device: str, compute_type: str, threads: int) -> "WhisperModel":
    import ctranslate2
    import numpy as np
    from faster_whisper import WhisperModel

    if compute_type not in ctranslate2.get_supported_compute_types(device):
        raise ModelError("this processor does not offer it")
    model = WhisperModel(
        str(folder), device=device, compute_type=compute_type, cpu_threads=threads, num_workers=1
    )
    features = np.zeros((1, model.model.n_mels, 100), np.float32)  # (batch, mels, 1 s of frames)
    encoded = model.encode(features).to_device(ctranslate2.Device.cpu)
    if not np.isfinite(np.asarray(encoded, dtype=np.float32)).all():
        raise ModelError("its numbers overflow")
    return model
