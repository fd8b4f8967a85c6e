"""ONNX speaker models by name: a path on this computer, or a file on the Hugging Face hub."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from transcrevai_core.errors import ModelError, SettingError
from transcrevai_core.messages import Message

_ID = re.compile(r"(?P<repo>\w[\w.-]*/\w[\w.-]*)(:(?P<file>.+\.onnx))?")
# what speaker models are called, and what is called so beside them
_SPEAKER = re.compile(r"speaker|embed|voxceleb|campp|cam\+\+|ecapa|titanet|eres|resnet|voice", re.I)
_OTHER = re.compile(r"vad|segment|asr|classif|plda", re.I)
_REDUCED = re.compile(r"int8|quant|q4|uint8|fp16|float16|bnb", re.I)


def is_model_name(name: str) -> bool:
    """Whether `name` can mean an ONNX model: FILE.onnx, owner/name or owner/name:FILE.onnx.

    >>> [is_model_name(n) for n in ("a.onnx", "org/voices", "org/voices:v2/a.onnx", "ivector")]
    [True, True, True, False]
    """
    return name.endswith(".onnx") or _ID.fullmatch(name) is not None


def fetch(name: str) -> Path:
    """Return the .onnx file that `name` means, downloaded once where it is on the hub.

    Raises SettingError or ModelError with one sentence that says what would be right.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return path
    match = _ID.fullmatch(name)
    if path.is_dir() or match is None or (match["file"] is None and name.endswith(".onnx")):
        raise SettingError(
            "There is no file {name}; the path of an .onnx file or a Hugging Face id (owner/name, "
            "or owner/name:FILE.onnx) would be right.",
            name=name,
        )
    # a silent server ends the attempt instead of holding it for ever
    os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", "20")
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", "20")
    repo, file = match["repo"], match["file"]
    return _cached(repo, file) or _download(name, repo, file)


def choose_file(files: Sequence[str], repo: str) -> str:
    """Return the one of a repository's files that is its speaker model.

    Full numbers go before reduced ones, a speaker model's name before others. Raises
    SettingError with one sentence where none or several would do.

    >>> choose_file(["vad.onnx", "campplus.int8.onnx", "campplus.onnx", "README.md"], "org/name")
    'campplus.onnx'
    """
    found = sorted(f for f in files if f.endswith(".onnx") and not _OTHER.search(f))
    found = [f for f in found if not _REDUCED.search(f)] or found
    found = [f for f in found if _SPEAKER.search(Path(f).name)] or found
    found = [f for f in found if Path(f).name == "model.onnx"] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise SettingError(
            "{repo} holds no .onnx file of a speaker model; the id of one that does would be "
            "right.",
            repo=repo,
        )
    raise SettingError(
        "{repo} holds {number} ONNX models ({names}); {repo}:{first} would name one.",
        repo=repo,
        number=len(found),
        names=", ".join([*found[:5], *(["..."] if len(found) > 5 else [])]),
        first=found[0],
    )


def _cached(repo: str, file: str | None) -> Path | None:
    """Return the file where it was downloaded before."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repo, allow_patterns=["*.onnx"], local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    here = [str(path.relative_to(folder)) for path in folder.rglob("*.onnx")]
    if file is None and here:
        file = choose_file(here, repo)
    return folder / file if file in here else None


def _download(name: str, repo: str, file: str | None) -> Path:
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError

    try:
        # weights beside the file, as large models have them, lie in FILE.onnx.data or so
        files = HfApi().list_repo_files(repo)
        file = file or choose_file(files, repo)
        for beside in files:
            if beside.startswith((f"{file}.", f"{file}_")):
                hf_hub_download(repo, beside)
        return Path(hf_hub_download(repo, file))
    except SettingError:
        raise
    except GatedRepoError:
        reason = Message("{repo} asks for a token", {"repo": repo})
    except RepositoryNotFoundError:
        reason = Message("Hugging Face knows no {repo}", {"repo": repo})
    except EntryNotFoundError:
        reason = Message("{repo} has no file {file}", {"repo": repo, "file": file})
    except Exception as error:  # the hub's client lets every kind through
        kind = type(error).__name__
        reason = Message("the hub's client said {kind}", {"kind": kind})
        if "offline" in kind.lower():
            reason = Message("the hub's client is set to work offline")
    raise ModelError(
        "The model {name} is not on this computer and could not be downloaded ({reason}); "
        "the path of an .onnx file would work without a network.",
        name=name,
        reason=reason,
    )
