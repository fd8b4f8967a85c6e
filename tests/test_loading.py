import socket
import threading
import time

import ctranslate2
import faster_whisper
import pytest

from transcrevai_core import demo, models
from transcrevai_core.errors import ModelError
from transcrevai_core.transcription import loading
from transcrevai_core.transcription.catalogue import MODELS, locate, repo_of


def test_the_catalogue_is_faster_whispers_and_the_demo():
    from faster_whisper.utils import _MODELS

    assert {name: repo_of(name) for name in MODELS if name != "demo"} == _MODELS


def test_int8_is_the_first_rung_and_serves():
    loaded = loading.load(demo.MODEL_DIR, "demo")
    assert (loaded.device, loaded.compute_type, loaded.notes) == ("cpu", "int8_float32", ())


def test_a_compute_type_that_the_processor_lacks_falls_to_the_next_and_says_so():
    absent = [
        t for t in loading.CPU_LADDER if t not in ctranslate2.get_supported_compute_types("cpu")
    ]
    if not absent:
        pytest.skip("this processor offers every compute type")
    loaded = loading.load(demo.MODEL_DIR, "demo", compute_type=absent[0])
    assert loaded.compute_type == "float32"
    assert loaded.notes[0] == f"{absent[0]} on cpu was refused: this processor does not offer it."


def test_a_model_that_fails_at_int8_is_tried_down_to_float32(monkeypatch):
    class Fussy(faster_whisper.WhisperModel):
        def __init__(self, *args, compute_type, **kwargs):
            super().__init__(*args, compute_type=compute_type, **kwargs)
            self.type = compute_type

        def encode(self, features):
            if self.type == "int8":
                raise RuntimeError("cublas is missing\nand more")
            return super().encode(features)

    monkeypatch.setattr(faster_whisper, "WhisperModel", Fussy)
    loaded = loading.load(demo.MODEL_DIR, "demo")
    assert loaded.compute_type == "float32"
    assert loaded.notes[0] == "int8 on cpu was refused: cublas is missing."


def test_a_gpu_that_is_not_there_is_replaced_by_the_cpu_and_named(monkeypatch):
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)
    loaded = loading.load(demo.MODEL_DIR, "demo", device="cuda")
    assert loaded.device == "cpu"
    assert loaded.notes == ("No GPU that CUDA can use was found; the CPU is used instead.",)
    assert loading.load(demo.MODEL_DIR, "demo", device="auto").notes == ()


def test_a_gpu_that_cannot_serve_falls_back_to_the_cpu(monkeypatch):
    class NoCuda(faster_whisper.WhisperModel):
        def __init__(self, *args, device, **kwargs):
            if device == "cuda":
                raise RuntimeError("CUDA failed with error out of memory")
            super().__init__(*args, device=device, **kwargs)

    types = ctranslate2.get_supported_compute_types("cpu")
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda device: types)
    monkeypatch.setattr(faster_whisper, "WhisperModel", NoCuda)
    loaded = loading.load(demo.MODEL_DIR, "demo")
    assert loaded.device == "cpu"
    assert "int8 on cuda was refused: CUDA failed with error out of memory." in loaded.notes
    assert loaded.notes[-1] == "The GPU cannot serve this model; the CPU is used instead."


def test_broken_model_files_get_one_sentence(tmp_path):
    for file in demo.MODEL_DIR.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.bin").write_bytes(b"\0" * 100)
    with pytest.raises(ModelError, match=r"The model mine could not be loaded"):
        loading.load(tmp_path, "mine")
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"holds no tokenizer.json"):
        loading.load(tmp_path, "mine")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("bse", "There is no model bse; a folder"),
        ("/no/such/folder", "There is no model /no/such/folder"),
    ],
)
def test_a_model_that_cannot_exist_is_refused_without_asking_the_network(name, sentence):
    with pytest.raises(ModelError, match=sentence):
        loading.fetch(name)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"holds no model.bin"):
        loading.fetch(str(tmp_path))


def test_local_folders_and_the_hubs_cache_are_found(tmp_path, monkeypatch):
    import huggingface_hub.constants

    assert locate("demo") == demo.MODEL_DIR == locate(str(demo.MODEL_DIR))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert locate("tiny") is None
    repo = tmp_path / "models--Systran--faster-whisper-tiny"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text("abc")
    snapshot = repo / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    assert locate("tiny") is None  # a download that broke off
    (snapshot / "model.bin").write_bytes(b"x")
    assert locate("tiny") == locate("Systran/faster-whisper-tiny") == snapshot


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub at 127.0.0.1 that takes connections and says nothing, or is not there at all."""
    server = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for name in ("HF_HUB_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield server
    server.close()


def test_a_silent_hub_never_hangs(hub):
    accepted = []

    def accept():
        try:
            while True:
                accepted.append(hub.accept())
        except OSError:
            pass

    threading.Thread(target=accept, daemon=True).start()
    begun = time.monotonic()
    with pytest.raises(ModelError, match=r"The model tiny could not .*nothing came for 3 s"):
        models.fetch_model("tiny", stall_seconds=3)
    assert time.monotonic() - begun < 20
    assert accepted


def test_no_hub_at_all_names_the_model_the_reason_and_the_ways_out(hub):
    hub.close()
    with pytest.raises(ModelError) as caught:
        models.fetch_model("owner/some-model", stall_seconds=60)
    sentence = str(caught.value)
    assert "owner/some-model" in sentence and "could not be reached" in sentence
    assert "a folder with a CTranslate2 model on this computer" in sentence
    assert "the model demo (synthesized demo speech only)" in sentence
