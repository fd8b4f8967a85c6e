"""Which models there are, of words and of voices, where from, and which are on this computer.

Light enough for the web process: it imports neither faster-whisper nor the hub's client.
"""

import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from transcrevai_core import demo
from transcrevai_core.errors import ModelError, StorageError, refusal
from transcrevai_core.i18n import mark
from transcrevai_core.models.folders import problems
from transcrevai_core.models.pins import PINS


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be asked for by name; `download_mb` in units of 10^6 bytes.

    `file` is the one of the hub's `repo` that it cannot do without; one of voices lies under
    `alias` in a folder that `VOICE_FOLDER` names. `use` says what it is good for.
    """

    name: str
    repo: str
    download_mb: int
    languages: str = "all"
    licence: str = "MIT"
    file: str = "model.bin"
    alias: str = ""
    use: str = ""


_BUNDLED = Path(__file__).parents[1] / "diarization" / "embeddings"
VOICE_FOLDER = "TRANSCREVAI_VOICE_MODELS"  # in the environment
DEMO = Model("demo", "", 0, "pt, en")
NONE = "none"  # asks for no words: only who speaks when
AUTO = "auto"  # asks for the largest that fits the memory budget
SPARE = "base"  # what can be had where no hub can be reached, as a package index has it too

MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        DEMO,
        Model("tiny", "Systran/faster-whisper-tiny", 78),
        Model("tiny.en", "Systran/faster-whisper-tiny.en", 78, "en"),
        Model("base", "Systran/faster-whisper-base", 148),
        Model("base.en", "Systran/faster-whisper-base.en", 148, "en"),
        Model("small", "Systran/faster-whisper-small", 486),
        Model("small.en", "Systran/faster-whisper-small.en", 486, "en"),
        Model("distil-small.en", "Systran/faster-distil-whisper-small.en", 336, "en"),
        Model("medium", "Systran/faster-whisper-medium", 1530),
        Model("medium.en", "Systran/faster-whisper-medium.en", 1530, "en"),
        Model("distil-medium.en", "Systran/faster-distil-whisper-medium.en", 792, "en"),
        Model("large-v1", "Systran/faster-whisper-large-v1", 3090),
        Model("large-v2", "Systran/faster-whisper-large-v2", 3090),
        Model("large-v3", "Systran/faster-whisper-large-v3", 3090),
        Model("large", "Systran/faster-whisper-large-v3", 3090),
        Model("distil-large-v2", "Systran/faster-distil-whisper-large-v2", 1520, "en"),
        Model("distil-large-v3", "Systran/faster-distil-whisper-large-v3", 1520, "en"),
        Model("distil-large-v3.5", "distil-whisper/distil-large-v3.5-ct2", 1520, "en"),
        Model("large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1620),
        Model("turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1620),
    )
}


CAMPPLUS, SEGMENTATION = "campplus", "segmentation"
VOICES: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            CAMPPLUS,
            "csukuangfj/speaker-embedding-models",
            28,
            licence="Apache-2.0",  # as far as is known
            file="3dspeaker_speech_campplus_sv_zh_en_16k-common_advanced.onnx",
            alias="campplus_zh_en_common_advanced.onnx",
            use=mark("tells voices apart, on the telephone too"),
        ),
        Model(
            SEGMENTATION,
            "csukuangfj/sherpa-onnx-pyannote-segmentation-3-0",
            6,
            file="model.onnx",
            alias="segmentation-3.0.onnx",
            use=mark("hears two at once, and speech far from the microphone"),
        ),
        Model("voice", "", 0, use=mark("tells voices apart; small, and always here")),
        Model("ivector", "", 0, use=mark("tells voices apart; the quickest that was trained")),
        Model("mfcc", "", 0, use=mark("tells voices apart by their sound alone, untrained")),
    )
}


def known(name: str) -> Model | None:
    """Return the model of a name; None for an id, a folder, or nothing of the kind."""
    return MODELS.get(name) or VOICES.get(name)


def repo_of(name: str) -> str:
    """Return the Hugging Face id behind a model's name; an id stands for itself."""
    model = known(name)
    return model.repo if model else name


def locate(name: str) -> Path | None:
    """Return the folder of a model that is on this computer, or the file of one of voices.

    `name`: a name of `MODELS` or of `VOICES` that is fetched, a Hugging Face id, or a folder with
    `model.bin`. None where it is not here.
    """
    if name == DEMO.name:
        return demo.MODEL_DIR
    model = VOICES.get(name)
    if model and not model.repo:
        return _BUNDLED
    if model and (given := os.environ.get(VOICE_FOLDER)):
        file = Path(given).expanduser() / model.alias
        if file.is_file():
            return file
    folder = Path(name).expanduser()
    if (folder / "model.bin").is_file() and model is None:
        return folder
    # the hub's cache: models--OWNER--NAME/refs/main names the folder under snapshots
    cached = folder_of(name)
    try:
        snapshot = cached / "snapshots" / (cached / "refs" / "main").read_text().strip()
    except OSError:
        return None
    if model:
        return snapshot / model.file if (snapshot / model.file).exists() else None
    return snapshot if (snapshot / "model.bin").exists() else None


def check_name(name: str) -> None:
    """Raise ModelError for what can be no model: no name of one, no id, no folder with one."""
    if known(name):
        return
    if (folder := Path(name).expanduser()).is_dir():
        if wrong := problems(folder):
            raise ModelError.of(wrong[0])
    elif name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1:
        raise ModelError(
            "There is no folder {name}; a folder with a model.bin, or a Hugging Face id "
            "(owner/name), would be right.",
            name=name,
        )
    elif name.count("/") != 1:
        raise ModelError(
            "There is no model {name}; a folder on this computer, a Hugging Face id "
            "(owner/name) or one of {models} would be right.",
            name=name,
            models=", ".join(MODELS),
        )


def folder_of(name: str) -> Path:
    """Return where the hub's cache keeps a model and what came of interrupted downloads."""
    return hub_cache() / f"models--{repo_of(name).replace('/', '--')}"


def cached() -> list[str]:
    """Return the models in the hub's cache: by their names, else by their ids."""
    every = MODELS | VOICES
    names = {model.repo: name for name, model in reversed(every.items()) if model.repo}
    ids = [folder.name.removeprefix("models--").replace("--", "/") for folder in
           sorted(hub_cache().glob("models--*--*"))]  # fmt: skip
    return [names.get(repo, repo) for repo in ids if repo in names or locate(repo)]


def usable() -> list[str]:
    """Return the models on this computer that write text of any recording, the smallest first."""
    names = [name for name in cached() if locate(name) and name not in VOICES]
    return sorted(names, key=lambda name: MODELS[name].download_mb if name in MODELS else math.inf)


def in_index(name: str) -> bool:
    """Tell whether a package index has a model as well."""
    pin = PINS.get(repo_of(name))
    return pin is not None and bool(pin.wheels)


def remove(name: str) -> None:
    """Delete a model from the hub's cache; raises StorageError where the disk refuses."""
    try:
        shutil.rmtree(folder_of(name))
    except OSError as error:
        raise StorageError(
            "The model {name} cannot be deleted: {reason}.", name=name, reason=refusal(error)
        ) from error


def hub_cache() -> Path:
    """Return where huggingface_hub keeps what it downloads."""
    from huggingface_hub import constants

    return Path(os.path.expandvars(constants.HF_HUB_CACHE)).expanduser()
