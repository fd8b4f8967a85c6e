"""Voice vectors by neural networks, on models of one layer that can be computed by hand."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import error_rate
from huggingface_hub import constants
from numpy.typing import NDArray

from transcrevai_core import demo
from transcrevai_core.audio import decode
from transcrevai_core.diarization.embeddings import hub
from transcrevai_core.diarization.embeddings.extractors import Embedding, load
from transcrevai_core.diarization.embeddings.windows import in_batches
from transcrevai_core.diarization.pipeline import diarize
from transcrevai_core.diarization.recipes import RECIPES, recipe_for
from transcrevai_core.errors import ModelError, SettingError, TranscrevaiError
from transcrevai_core.transcript.rttm import read_rttm
from transcrevai_core.types import Region

knf = pytest.importorskip("kaldi_native_fbank", reason="needs the extra onnx")
onnx = pytest.importorskip("onnx", reason="models are made with the package onnx")
from onnx import TensorProto, helper  # noqa: E402

SOUND = np.random.default_rng(0).standard_normal(16_000 * 70).astype(np.float32) * 0.1
REGIONS = [Region(0, 70)]
# of several lengths, not in order of length; the last two are widened, or end with the recording
WINDOWS = np.array([[0, 1.5], [0.25, 1.75], [1, 2.2], [2, 3.5], [61, 62.5], [65, 65.5], [69.9, 70]])
WIDENED = [*WINDOWS[:5].tolist(), [64.75, 65.75], [69.45, 70]]


def read(start: float, end: float) -> NDArray[Any]:
    assert end - start < 65, "a recording is heard stretch by stretch"
    return SOUND[round(start * 16_000) : round(end * 16_000)]


def save(
    tmp_path: Path,
    nodes: Any,
    inputs: Any,
    outputs: Sequence[str] = ("out",),
    says: Any = None,
    name: str = "voice.onnx",
) -> str:
    """Write an ONNX model; `inputs`: name -> (type, shape)."""
    graph = helper.make_graph(
        nodes,
        "voice",
        [helper.make_tensor_value_info(n, kind, shape) for n, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, says or {})
    path = tmp_path / name
    onnx.save(model, path)
    return str(path)


def reduce(tmp_path: Path, shape: Any, way: str = "ReduceMax", axis: int = 1, **more: Any) -> str:
    """A model that takes the maximum (or so) of each window over an axis."""
    node = helper.make_node(way, ["in"], ["out"], axes=[axis], keepdims=0)
    return save(tmp_path, [node], {"in": (TensorProto.FLOAT, shape)}, **more)


def bank(span: Any, scale: float = 32768.0, nemo: bool = False) -> NDArray[Any]:
    """Log energies of a window alone, (frames, 80)."""
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 80
    if nemo:
        options.frame_opts.window_type = "hann"
        options.frame_opts.remove_dc_offset = False
        options.mel_opts.low_freq = 0
        options.mel_opts.is_librosa = True
    online = knf.OnlineFbank(options)
    online.accept_waveform(16_000, (read(*span) * scale).tolist())
    online.input_finished()
    return np.stack([online.get_frame(i) for i in range(online.num_frames_ready)])


def test_frames_are_kaldis_and_their_mean_is_the_models(tmp_path: Path) -> None:
    model = reduce(tmp_path, ["B", "T", 80], "ReduceMean", says={"feature_normalize_type": ""})
    vectors = load(model).embed(read, REGIONS, WINDOWS)
    assert vectors.dtype == np.float32 and vectors.shape == (7, 80)
    expected = [bank(span).mean(axis=0) for span in WIDENED]
    assert vectors == pytest.approx(np.array(expected), abs=1e-3)


def test_the_mean_over_the_window_is_removed_where_the_model_says_nothing(tmp_path: Path) -> None:
    vectors = load(reduce(tmp_path, ["B", "T", 80])).embed(read, REGIONS, WINDOWS)
    expected = [bank(span).max(axis=0) - bank(span).mean(axis=0) for span in WIDENED]
    assert vectors == pytest.approx(np.array(expected), abs=1e-3)


def test_samples_stay_below_one_where_the_model_says_so(tmp_path: Path) -> None:
    says = {"feature_normalize_type": "", "normalize_samples": "1", "sample_rate": "16000"}
    model = reduce(tmp_path, ["B", "T", "F"], "ReduceMean", says=says)
    vectors = load(model).embed(read, REGIONS, WINDOWS)
    expected = [bank(span, scale=1.0).mean(axis=0) for span in WIDENED]
    assert vectors == pytest.approx(np.array(expected), abs=1e-3)


@pytest.mark.parametrize("bins", [80, "F"])
def test_nemo_has_bins_first_z_scored_and_is_told_the_length(
    tmp_path: Path, bins: int | str
) -> None:
    nodes = [
        helper.make_node("ReduceMax", ["audio_signal"], ["top"], axes=[2], keepdims=0),
        helper.make_node("Cast", ["length"], ["long"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["long", "one"], ["column"]),
        helper.make_node("Concat", ["top", "column"], ["embs"], axis=1),
        helper.make_node("Identity", ["column"], ["logits"]),
    ]
    nodes.insert(0, helper.make_node("Constant", [], ["one"], value_ints=[1]))
    model = save(
        tmp_path,
        nodes,
        {
            "audio_signal": (TensorProto.FLOAT, ["B", bins, "T"]),
            "length": (TensorProto.INT64, ["B"]),
        },
        ["logits", "embs"],
    )
    vectors = load(model).embed(read, REGIONS, WINDOWS)
    for vector, span in zip(vectors, WIDENED, strict=True):
        frames = bank(span, scale=1.0, nemo=True)
        top = (frames.max(axis=0) - frames.mean(axis=0)) / (frames.std(axis=0) + 1e-5)
        assert vector[:80] == pytest.approx(top, abs=1e-3)
        assert vector[80] == len(frames)


@pytest.mark.parametrize(("shape", "axis"), [(["B", "N"], 1), (["B", 1, "N"], 2)])
def test_a_model_may_hear_the_sound_itself(tmp_path: Path, shape: list[Any], axis: int) -> None:
    vectors = load(reduce(tmp_path, shape, axis=axis)).embed(read, REGIONS, WINDOWS)
    assert vectors[:, 0].tolist() == [float(read(*span).max()) for span in WIDENED]


def test_speechbrain_is_told_shares_of_the_longest(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Constant", [], ["one"], value_ints=[1]),
        helper.make_node("Unsqueeze", ["lens", "one"], ["out"]),
        helper.make_node("Identity", ["wavs"], ["unused"]),
    ]
    inputs = {"wavs": (TensorProto.FLOAT, ["B", "N"]), "lens": (TensorProto.FLOAT, ["B"])}
    vectors = load(save(tmp_path, nodes, inputs)).embed(read, REGIONS, WINDOWS)
    assert vectors.tolist() == [[1.0]] * 7


def test_a_window_is_repeated_for_a_model_of_one_length_and_one_window_at_once(
    tmp_path: Path,
) -> None:
    model = load(reduce(tmp_path, [1, 20_000], "ReduceMean"))
    (vector, *_) = model.embed(read, REGIONS, np.array([[1.0, 2.0], [3.0, 4.0]]))
    sound = read(1.0, 2.0)
    assert vector[0] == pytest.approx((sound.sum() + sound[:4_000].sum()) / 20_000, abs=1e-6)


def test_many_windows_at_once_are_as_one_by_one(tmp_path: Path) -> None:
    model = load(reduce(tmp_path, ["B", "T", 80], "ReduceSumSquare"))
    starts = np.arange(0, 68, 0.5)
    windows = np.stack([starts, starts + 1.5 - 0.2 * (np.arange(len(starts)) % 3)], axis=1)
    together = model.embed(read, REGIONS, windows)
    alone = [model.embed(read, REGIONS, window[None])[0] for window in windows[::20]]
    assert together[::20] == pytest.approx(np.array(alone), rel=1e-4)


def test_batches_are_of_one_length_and_bounded() -> None:
    shapes = []

    def run(batch: Any) -> Any:
        shapes.append(batch.shape)
        return batch[:, :1]

    pieces = [np.full(length, number) for number, length in enumerate([3, 2, 3, 3, 2, 3])]
    assert in_batches(pieces, run, 3)[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert shapes == [(2, 2), (3, 3), (1, 3)]


def test_a_recording_shorter_than_a_frame_has_a_vector(tmp_path: Path) -> None:
    model = load(reduce(tmp_path, ["B", "T", 80]))
    sound = SOUND[:200]
    found = model.embed(lambda a, b: sound, [Region(0, 0.0125)], np.array([[0.0, 0.0125]]))
    assert found.shape == (1, 80)


def test_turns_come_of_an_onnx_model_too(tmp_path: Path) -> None:
    says = {"feature_normalize_type": ""}
    model = reduce(tmp_path, ["B", "T", 80], "ReduceMean", says=says)
    decode.decode(demo.sample_path("pt"), tmp_path / "pt.wav")
    found = diarize(tmp_path / "pt.wav", speakers=3, recipe=recipe_for(model))
    assert len({turn.speaker for turn in found.turns}) == 3


# --- what cannot be


def refuse(model: str, error: type[Exception] = SettingError) -> str:
    with pytest.raises(error) as caught:
        load(model).embed(read, REGIONS, WINDOWS)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


def test_what_is_wrong_with_a_model_is_one_sentence(tmp_path: Path) -> None:
    missing = str(tmp_path / "gone.onnx")
    assert refuse(missing).startswith(f"There is no file {missing}; the path of an .onnx file")
    broken = tmp_path / "text.onnx"
    broken.write_text("this is no model")
    assert "cannot be read as an ONNX model" in refuse(str(broken), ModelError)
    slow = reduce(tmp_path, ["B", "T", 80], says={"sample_rate": "8000"})
    assert "hears sound of 8000 Hz; a model for 16000 Hz would be right" in refuse(slow)
    many = reduce(tmp_path, ["B", 3, 40, "T"])
    assert "has the inputs in tensor(float) ['B', 3, 40, 'T']; a float (batch" in refuse(many)
    cast = [helper.make_node("Cast", ["ids"], ["out"], to=TensorProto.FLOAT)]
    tokens = save(tmp_path, cast, {"ids": (TensorProto.INT64, ["B", "T"])})
    assert "has the inputs ids tensor(int64)" in refuse(tokens)
    root = [helper.make_node("Log", ["in"], ["out"])]
    numberless = save(tmp_path, root, {"in": (TensorProto.FLOAT, ["B", "T"])})
    assert "gives vectors that are not numbers" in refuse(numberless, ModelError)


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(SettingError) as caught:
        recipe_for("x-vector")
    sentence = str(caught.value)
    assert sentence.startswith(
        "embedding is 'x-vector'; it should be voice, campplus, ivector, mfcc, resemblyzer,"
    )
    assert "path of an .onnx model or its Hugging Face id (owner/name)" in sentence
    assert recipe_for("org/name").embedding == "org/name"
    assert all(recipe_for(name) is RECIPES[name] for name in RECIPES)


@pytest.mark.parametrize(
    ("module", "extra"), [("kaldi_native_fbank", "onnx"), ("resemblyzer", "resemblyzer")]
)
def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    name = reduce(tmp_path, ["B", "T", 80]) if extra == "onnx" else extra
    assert f"{name} needs `pip install transcrevai[{extra}]`" in refuse(name)


def test_neural_networks_are_imported_only_when_asked_for() -> None:
    code = (
        "import sys; from transcrevai_core.diarization import pipeline; "
        "from transcrevai_core.diarization.embeddings import extractors; "
        "extractors.load('ivector'); "
        "bad = {'torch', 'librosa', 'onnxruntime', 'kaldi_native_fbank', 'resemblyzer', "
        "'huggingface_hub', 'transcrevai_core.diarization.embeddings.neural'} & set(sys.modules); "
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- the hub


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.mark.parametrize("name", ["org/voices", "org/voices:v2/big.onnx"])
def test_offline_and_not_downloaded(cache: Path, name: str) -> None:
    sentence = refuse(name, ModelError)
    assert sentence.startswith(f"The model {name} is not on this computer")
    assert "set to work offline" in sentence
    assert "the path of an .onnx file would work without a network" in sentence


def test_what_was_downloaded_is_found_offline(cache: Path) -> None:
    snapshot = cache / "models--org--voices" / "snapshots" / "abc"
    (snapshot / "v2").mkdir(parents=True)
    (cache / "models--org--voices" / "refs").mkdir()
    (cache / "models--org--voices" / "refs" / "main").write_text("abc")
    (snapshot / "campplus.onnx").touch()
    assert hub.fetch("org/voices") == snapshot / "campplus.onnx"
    (snapshot / "v2" / "resnet34.onnx").touch()
    assert hub.fetch("org/voices:v2/resnet34.onnx") == snapshot / "v2" / "resnet34.onnx"


def test_the_speaker_model_of_a_repository_is_chosen() -> None:
    assert hub.choose_file(["vad.onnx", "speaker-embedding.onnx", "other.onnx"], "o/n") == (
        "speaker-embedding.onnx"
    )
    assert hub.choose_file(["model_quantized.onnx", "onnx/model.onnx"], "o/n") == "onnx/model.onnx"
    assert hub.choose_file(["model.int8.onnx"], "o/n") == "model.int8.onnx"
    with pytest.raises(SettingError, match=r"o/n holds 2 ONNX models .*; o/n:a_eres\.onnx would"):
        hub.choose_file(["a_eres.onnx", "b_eres.onnx"], "o/n")
    with pytest.raises(SettingError, match=r"holds no \.onnx file"):
        hub.choose_file(["pytorch_model.bin", "vad.onnx"], "o/n")


# --- resemblyzer


@pytest.fixture(scope="module")
def resemblyzer() -> Embedding:
    try:
        return load("resemblyzer")
    except TranscrevaiError as error:
        pytest.skip(str(error))


def test_resemblyzer_tells_the_speakers_of_the_sample(
    resemblyzer: Embedding, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:

    decode.decode(demo.sample_path("pt"), tmp_path / "pt.wav")
    reference = read_rttm(demo.sample_path("pt").with_suffix(".rttm"))
    found = diarize(tmp_path / "pt.wav", speakers=3, recipe=recipe_for("resemblyzer"))
    assert error_rate(reference, found.turns) < 0.10
    assert capfd.readouterr() == ("", "")


def test_resemblyzer_hears_quiet_speech_as_if_it_were_loud(resemblyzer: Embedding) -> None:
    def at(gain: Any, windows: Any = WINDOWS) -> Any:
        return resemblyzer.embed(lambda a, b: read(a, b) * gain, REGIONS, windows)

    vectors = at(1e-2)
    assert vectors == pytest.approx(at(1e-3), abs=1e-3)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-4)
    alone = np.concatenate([at(1e-2, window[None]) for window in WINDOWS])
    assert (vectors * alone).sum(axis=1).min() > 0.98  # frames at the edges hear other sound
