"""A Whisper model on this computer, loaded by a ladder of compute types. Runs inside a worker."""

import errno
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from transcrevai_core.codes import Note
from transcrevai_core.errors import ModelError, reason, refusal
from transcrevai_core.messages import Message
from transcrevai_core.transcription.catalogue import check_name, hub_cache, locate, repo_of

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

log = logging.getLogger(__name__)

CPU_LADDER = ("int8", "int8_bfloat16", "int8_float16", "bfloat16", "float16", "float32")
CUDA_LADDER = ("int8_float16", "int8_bfloat16", "float16", "bfloat16", "int8", "float32")
_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that is ready, where it runs, and a note for each step that was refused."""

    model: "WhisperModel"
    name: str
    device: str
    compute_type: str
    notes: tuple[Message, ...]


def fetch(name: str, *, on_bytes: Callable[[int], None] = lambda count: None) -> Path:
    """Return the folder of a model, downloaded to the hub's cache where it is not there yet.

    `on_bytes` receives the bytes on disk, only while they grow, so that silence means a stall.
    Raises ModelError with one sentence that names the model, the reason and the ways out.
    """
    if folder := locate(name):
        return folder
    check_name(name)
    # a silent server ends the attempt instead of holding it for ever
    os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", "20")
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", "20")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    repo = repo_of(name)
    with _watch_growth(hub_cache() / f"models--{repo.replace('/', '--')}", on_bytes):
        try:
            folder = Path(snapshot_download(repo, allow_patterns=list(_FILES)))
        except GatedRepoError:
            why = Message("{repo} asks for a token", {"repo": repo})
        except RepositoryNotFoundError:
            why = Message("Hugging Face knows no {repo}", {"repo": repo})
        except Exception as error:  # the hub's client lets every kind through
            why = _network_reason(error)
        else:
            if (folder / "model.bin").exists():
                return folder
            why = Message("{repo} is not a CTranslate2 model, it has no model.bin", {"repo": repo})
    raise _not_downloaded(name, why)


def stalled(name: str, seconds: float) -> ModelError:
    """Return the error for a download that brought nothing for `seconds`."""
    return _not_downloaded(name, Message("nothing came for {seconds:.0f} s", {"seconds": seconds}))


def _not_downloaded(name: str, why: Message) -> ModelError:
    return ModelError(
        "The model {name} could not be downloaded ({reason}); a folder with a CTranslate2 model on "
        "this computer, or the model demo (synthesized demo speech only), would work without a "
        "network.",
        name=name,
        reason=why,
    )


def _network_reason(error: BaseException | None) -> Message:
    causes = []
    while error and error not in causes:  # the hub's client wraps what really happened
        causes.append(error)
        error = error.__cause__ or error.__context__
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS):
            return Message("the folder for models refused: {reason}", {"reason": refusal(cause)})
    if any("offline" in type(cause).__name__.lower() for cause in causes):
        return Message("the hub's client is set to work offline")
    log.warning("the hub gave nothing: %r", causes[-1])
    if any(isinstance(cause, OSError) for cause in causes):
        return Message("the hub could not be reached")
    return Message("the hub's answer was of no use")


@contextmanager
def _watch_growth(folder: Path, on_bytes: Callable[[int], None]) -> Iterator[None]:
    """Report the size of a hub folder's files from a thread, whenever it has grown."""
    end = threading.Event()

    def watch() -> None:
        largest = -1
        while not end.wait(0.5):
            size = sum(_sizes(folder / "blobs"))
            if size > largest:
                largest = size
                on_bytes(size)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _sizes(folder: Path) -> Iterator[int]:
    try:
        for entry in os.scandir(folder):
            yield entry.stat().st_size
    except OSError:  # not made yet, or a part was renamed under our hands
        return


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

    if not (folder / "tokenizer.json").is_file():
        # faster-whisper would try to fetch one, which hangs without a network
        raise ModelError(
            "The folder of the model {name} holds no tokenizer.json; a copy of it from the "
            "model that was converted would be right.",
            name=name,
        )
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
