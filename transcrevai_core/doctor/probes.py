"""Tasks that show what the program's parts cost in memory; all but `probes` run inside a worker.

They use the program's own functions on the bundled English sample, which every model understands.
"""

import functools
import gc
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transcrevai_core import demo
from transcrevai_core.errors import InputError
from transcrevai_core.jobs import tasks
from transcrevai_core.memory import readings
from transcrevai_core.types import Chunk, Region

EMPTY = "worker"  # the part that is a process without any task
_CHUNK = Chunk(0, 0.0, 30.0, (Region(0.0, 30.0),))
# what libraries and the program keep by themselves once it was asked for
_CACHED = {
    "faster_whisper.vad": "get_vad_model",
    "transcrevai_core.diarization.embeddings.ivector": "shipped_model",
    "transcrevai_core.diarization.embeddings.voicenet": "shipped_network",
}

_loaded: Any = None  # what was loaded for the task


@dataclass(frozen=True, slots=True)
class Probe:
    """How a part is measured: what it imports, what loads it, and what is its task.

    `load` may return a sentence for the component's note.
    """

    name: str
    modules: tuple[str, ...] = ()
    load: Callable[..., str | None] | None = None
    load_args: tuple[Any, ...] = ()
    run: Callable[..., None] | None = None
    run_args: tuple[Any, ...] = ()


def probes(spec: tasks.ModelSpec, decoding: Mapping[str, Any], folder: Path) -> list[Probe]:
    """Return how every part is measured; `folder` is for the sample's sound.

    `decoding`: arguments of `faster_whisper.WhisperModel.transcribe`. The order matters: the
    first to read the sample leaves its sound to the others.
    """
    wav = folder / "sample.wav"
    return [
        Probe(EMPTY, run=do_nothing),
        Probe("audio", ("transcrevai_core.audio.decode",), run=read_sample, run_args=(wav,)),
        Probe(
            "speech",
            (
                "transcrevai_core.audio.decode",
                "transcrevai_core.audio.speech",
                "transcrevai_core.audio.vad",
                "onnxruntime",
                "faster_whisper",
            ),
            load=load_speech,
            run=find_speech,
            run_args=(wav,),
        ),
        Probe(
            "transcription",
            (
                "transcrevai_core.audio.decode",
                "transcrevai_core.transcription.decoding",
                "faster_whisper",
            ),
            load=load_whisper,
            load_args=(spec,),
            run=transcribe_sample,
            run_args=(wav, decoding),
        ),
        Probe(
            "diarization",
            ("transcrevai_core.diarization.pipeline", "onnxruntime"),
            load=load_embedding,
            run=diarize_sample,
            run_args=(wav,),
        ),
        # the pages run in a process of their own; what they need first is this
        Probe("web", ("streamlit",)),
    ]


def run_and_collect(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a function and give back what it freed, so that only what is kept is measured."""
    try:
        return function(*args)
    finally:
        gc.collect()
        readings.trim()


def do_nothing() -> None:
    """Do nothing."""


def import_all(modules: Sequence[str]) -> None:
    """Import modules by their names."""
    for name in modules:
        importlib.import_module(name)


def read_sample(wav: Path) -> None:
    """Decode the sample."""
    from transcrevai_core.audio import decode

    decode.decode(demo.sample_path("en"), wav)


def load_speech() -> None:
    """Open the network that tells speech from silence."""
    from faster_whisper.vad import get_vad_model

    get_vad_model()  # which keeps it


def find_speech(wav: Path) -> None:
    """Find the speech in the sample; the probabilities stay beside it, as in a job."""
    import numpy as np

    from transcrevai_core.audio import pcm, speech, vad

    found = list(vad.speech_probabilities(pcm.blocks(_sound(wav), vad.BLOCK_SECONDS)))
    speech.plan_chunks(speech.find_regions(found), _CHUNK.end, _CHUNK.end)
    np.concatenate(found).tofile(wav.with_name(tasks.SPEECH))


def load_whisper(spec: tasks.ModelSpec) -> str:
    """Load a Whisper model."""
    global _loaded
    from transcrevai_core.transcription import loading

    loaded = _loaded = loading.load(
        spec.folder,
        spec.name,
        device=spec.device,
        compute_type=spec.compute_type,
        threads=spec.threads,
    )
    beside = "; the memory of the GPU is not counted" if loaded.device == "cuda" else ""
    return f"{spec.name} runs as {loaded.compute_type} on {loaded.device}{beside}."


def transcribe_sample(wav: Path, decoding_options: Mapping[str, Any]) -> None:
    """Transcribe the first 30 s of the sample."""
    from transcrevai_core.audio import pcm
    from transcrevai_core.transcription import decoding

    read = functools.partial(pcm.read, _sound(wav))
    decoding.decode_chunk(_loaded, read, _CHUNK, decoding_options)


def load_embedding() -> None:
    """Open the models that tell voices apart, those that come with the program."""
    global _loaded
    from transcrevai_core.diarization.embeddings import extractors

    _loaded = extractors.load("voice")


def diarize_sample(wav: Path) -> None:
    """Find who speaks when in the sample; where its speech is, `hear_speech` has left."""
    import numpy as np

    from transcrevai_core.audio import pcm, vad
    from transcrevai_core.diarization import pipeline
    from transcrevai_core.diarization.recipes import RECIPES

    recipe, read = RECIPES["voice"], pipeline.reader(_sound(wav))
    left = wav.with_name(tasks.SPEECH)
    if left.is_file():
        regions = pipeline.find_regions([np.fromfile(left, np.float32)], recipe)
    else:
        blocks = pcm.blocks(wav, vad.BLOCK_SECONDS)
        regions = pipeline.find_regions(vad.speech_probabilities(blocks), recipe)
    pipeline.cluster(pipeline.embed_regions(read, regions, _loaded), (1, 6), recipe, read)


def _sound(wav: Path) -> Path:
    """Return the sample's sound where `read_sample` has left it."""
    if not wav.is_file():
        raise InputError("There is no sound to work on, because the sample was not decoded.")
    return wav


def unload() -> None:
    """Drop what was loaded."""
    global _loaded
    _loaded = None
    for name, function in _CACHED.items():
        if module := sys.modules.get(name):
            getattr(module, function).cache_clear()


def compute_types() -> dict[str, list[str]]:
    """Return what numbers CTranslate2 can work with, by device; the GPU's where there is one."""
    import ctranslate2

    devices = ["cpu", "cuda"] if ctranslate2.get_cuda_device_count() else ["cpu"]
    return {name: sorted(ctranslate2.get_supported_compute_types(name)) for name in devices}
