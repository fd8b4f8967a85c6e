import hashlib
import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import ctranslate2
import faster_whisper
import pytest
from conftest import known, wait_until

from tools.serving import CEILING
from transcrevai_core import demo, transcribe, wer
from transcrevai_core.codes import Note, Stage
from transcrevai_core.errors import ModelError
from transcrevai_core.jobs import models
from transcrevai_core.jobs.direct import run
from transcrevai_core.jobs.governor import Governor
from transcrevai_core.jobs.runner import Runner
from transcrevai_core.library.store import Store
from transcrevai_core.models import sources
from transcrevai_core.models.catalogue import MODELS, locate, repo_of
from transcrevai_core.settings import load_settings
from transcrevai_core.transcription import loading


def test_the_catalogue_is_faster_whispers_and_the_demo() -> None:
    from faster_whisper.utils import _MODELS

    assert {name: repo_of(name) for name in MODELS if name != "demo"} == _MODELS


def test_int8_is_the_first_rung_and_serves() -> None:
    loaded = loading.load(demo.MODEL_DIR, "demo")
    assert (loaded.device, loaded.compute_type, loaded.notes) == ("cpu", "int8_float32", ())


def test_a_compute_type_that_the_processor_lacks_falls_to_the_next_and_says_so() -> None:
    absent = [
        t for t in loading.CPU_LADDER if t not in ctranslate2.get_supported_compute_types("cpu")
    ]
    if not absent:
        pytest.skip("this processor offers every compute type")
    loaded = loading.load(demo.MODEL_DIR, "demo", compute_type=absent[0])
    assert loaded.compute_type == "float32"
    assert (
        str(loaded.notes[0]) == f"{absent[0]} on cpu was refused: this processor does not offer it."
    )


def test_a_model_that_fails_at_int8_is_tried_down_to_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Fussy(faster_whisper.WhisperModel):
        def __init__(self, *args: Any, compute_type: str, **kwargs: Any) -> None:
            super().__init__(*args, compute_type=compute_type, **kwargs)
            self.type = compute_type

        def encode(self, features: Any) -> Any:
            if self.type == "int8":
                raise RuntimeError("cublas is missing\nand more")
            return super().encode(features)

    monkeypatch.setattr(faster_whisper, "WhisperModel", Fussy)
    loaded = loading.load(demo.MODEL_DIR, "demo")
    assert loaded.compute_type == "float32"
    assert str(loaded.notes[0]) == "int8 on cpu was refused: cublas is missing."


def test_a_gpu_that_is_not_there_is_replaced_by_the_cpu_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)
    loaded = loading.load(demo.MODEL_DIR, "demo", device="cuda")
    assert loaded.device == "cpu"
    assert loaded.notes == (Note.NO_GPU(),)
    assert loading.load(demo.MODEL_DIR, "demo", device="auto").notes == ()


def test_a_gpu_that_cannot_serve_falls_back_to_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoCuda(faster_whisper.WhisperModel):
        def __init__(self, *args: Any, device: str, **kwargs: Any) -> None:
            if device == "cuda":
                raise RuntimeError("CUDA failed with error out of memory")
            super().__init__(*args, device=device, **kwargs)

    types = ctranslate2.get_supported_compute_types("cpu")
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda device: types)
    monkeypatch.setattr(faster_whisper, "WhisperModel", NoCuda)
    loaded = loading.load(demo.MODEL_DIR, "demo")
    assert loaded.device == "cpu"
    assert "int8 on cuda was refused: CUDA failed with error out of memory." in map(
        str, loaded.notes
    )
    assert loaded.notes[-1] == Note.GPU_UNFIT()


def test_broken_model_files_get_one_sentence(tmp_path: Path) -> None:
    for file in demo.MODEL_DIR.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    whole = (tmp_path / "model.bin").read_bytes()
    (tmp_path / "model.bin").write_bytes(whole[:1_000])
    with pytest.raises(ModelError, match=r"The model mine could not be loaded"):
        loading.load(tmp_path, "mine")
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"holds no tokenizer.json"):
        loading.load(tmp_path, "mine")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("bse", "There is no model bse; a folder"),
        ("/no/such/folder", "There is no folder /no/such/folder"),
    ],
)
def test_a_model_that_cannot_exist_is_refused_without_asking_the_network(
    name: str, sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        sources.fetch(name)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no model.bin"):
        sources.fetch(str(tmp_path))


def test_local_folders_and_the_hubs_cache_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
def set_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], None]:
    """Return a function that makes a port of this computer the hub, with an empty cache."""
    import huggingface_hub.constants

    def set_port(port: int) -> None:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
        for name in ("HF_HUB_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)

    return set_port


@pytest.fixture
def hub(set_hub: Callable[[int], None]) -> Iterator[Any]:
    """A hub that takes connections and says nothing, or is not there at all."""
    server = socket.create_server(("127.0.0.1", 0))
    set_hub(server.getsockname()[1])
    yield server
    server.close()


class SmallHub(http.server.BaseHTTPRequestHandler):
    """Serves the demo model as owner/small the way the hub does; owner/torch lacks model.bin."""

    commit = "0123456789abcdef" * 2 + "01234567"
    spoilt = ""  # a file of which it gives other bytes than it lists
    files: ClassVar = {p.name: p.read_bytes() for p in demo.MODEL_DIR.iterdir()}

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def answer(self, with_body: Any) -> None:
        repo, name = self.path.rsplit("/", 1)
        if self.path.startswith(("/api/models/owner/small", "/api/models/owner/torch")):
            names = [n for n in self.files if n != "model.bin" or "small" in self.path]
            content: Any = {
                "id": "owner/small",
                "sha": self.commit,
                "siblings": [{"rfilename": n} for n in names],
            }
            if "/tree/" in self.path:
                content = [
                    {"type": "file", "path": n, "size": len(self.files[n]), "oid": "0" * 40}
                    for n in names
                ]
            body, headers = json.dumps(content).encode(), {"Content-Type": "application/json"}
        elif "/resolve/" in repo and name in self.files:
            body = self.files[name]
            etag = hashlib.sha256(body).hexdigest()
            if name == self.spoilt:
                body = bytes(len(body))
            headers = {"ETag": f'"{etag}"', "X-Repo-Commit": self.commit}
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        for header, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(header, value)
        self.end_headers()
        if with_body:
            for first in range(0, len(body), 1_000_000):
                self.wfile.write(body[first : first + 1_000_000])
                time.sleep(0.2)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def small_hub(set_hub: Callable[[int], None]) -> Iterator[Any]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SmallHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    set_hub(server.server_address[1])
    yield server
    server.shutdown()


@pytest.mark.slow
def test_a_model_of_the_hub_is_downloaded_once_and_transcribes(small_hub: Any) -> None:
    seen: list[Any] = []
    folder = models.fetch_model("owner/small", load_settings(), on_progress=seen.append)
    assert locate("owner/small") == folder
    assert seen  # the size of an unknown model is not known, but that it moves is
    small_hub.shutdown()
    small_hub.server_close()
    transcript = transcribe(demo.sample_path("pt"), model="owner/small", diarize=False)
    assert wer(demo.reference_text("pt"), transcript.text) <= 0.05


def test_what_came_otherwise_than_the_hub_lists_it_is_not_kept(
    small_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SmallHub, "spoilt", "model.bin")
    with pytest.raises(ModelError, match=r"owner/small is not what was .*\(model.bin differs\)"):
        models.fetch_model("owner/small", load_settings())
    assert locate("owner/small") is None and not [*tmp_path.glob("models--*/blobs/*")]


def test_what_the_hub_lacks_is_named(small_hub: Any) -> None:
    with pytest.raises(ModelError, match="Hugging Face knows no owner/nothing"):
        models.fetch_model("owner/nothing", load_settings())
    with pytest.raises(ModelError, match="owner/torch is not a CTranslate2 model"):
        models.fetch_model("owner/torch", load_settings())


@pytest.mark.slow
def test_a_silent_hub_never_hangs(hub: Any) -> None:
    accepted = []

    def accept() -> None:
        try:
            while True:
                accepted.append(hub.accept())
        except OSError:
            pass

    threading.Thread(target=accept, daemon=True).start()
    for patience in (3, 30, CEILING):  # a busy machine may need longer than that to ask at all
        why = f"nothing came for {patience:.0f} s|the hub could not be reached"
        with pytest.raises(ModelError, match=rf"model tiny could not .*({why})"):
            models.fetch_model("tiny", load_settings(download_stall_seconds=patience))
        if accepted:
            break
    assert accepted


def test_no_hub_at_all_names_the_model_the_reason_and_the_ways_out(hub: Any) -> None:
    hub.close()
    with pytest.raises(ModelError) as caught:
        models.fetch_model("owner/some-model", load_settings())
    sentence = str(caught.value)
    assert "owner/some-model" in sentence and "(the hub could not be reached)" in sentence
    assert "a folder with a CTranslate2 model on this computer" in sentence
    assert "the model demo (synthesized demo speech only)" in sentence


@pytest.mark.slow
def test_a_job_whose_model_cannot_be_had_waits_for_it_before_all_else(
    hub: Any, store: Store
) -> None:
    hub.close()
    job = store.add_job(demo.sample_path("pt"), {"model": "small", "language": "pt"})
    runner = Runner(store, load_settings())
    runner.start()
    wait_until(lambda: store.job(job.id).stage.code is Stage.WAITING_FOR_MODEL)
    waits = store.job(job.id)
    assert waits.state == "queued" and waits.owner is None
    assert str(waits.stage) == "waiting for the model small: the hub could not be reached"
    assert "The model small could not be downloaded (the hub could not be" in str(waits.error)
    assert "base (148 MB), which a package index has too, a folder" in str(waits.error)
    assert not waits.digest and not waits.diarization and not store.wav(job.id).exists()
    store.requeue(job.id, {**job.options, "model": "demo"})  # as its page offers
    wait_until(lambda: store.job(job.id).state == "done")
    runner.stop()
    assert store.segments(job.id) and store.job(job.id).diarization


@pytest.mark.slow
def test_a_prepared_job_goes_on_with_another_model_from_where_it_was(
    hub: Any, store: Store, governor: Governor
) -> None:
    hub.close()
    job = run(governor, store.add_job(demo.sample_path("pt"), {"model": "none"}, claim=True))
    sound, turns = store.wav(job.id).stat().st_mtime_ns, store.transcript(job.id).turns
    for name, state in (("small", "failed"), ("demo", "done")):
        store.requeue(job.id, {**job.options, "model": name, "language": "pt"})
        assert run(governor, known(store.claim(job.id))).state == state
        assert store.wav(job.id).stat().st_mtime_ns == sound
        assert store.transcript(job.id).turns == turns
    assert store.segments(job.id)
