import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from transcrevai_core import demo
from transcrevai_core.jobs import tasks
from transcrevai_core.memory import forecast
from transcrevai_core.memory.forecast import Shape, transcription_bytes
from transcrevai_core.models.catalogue import MODELS
from transcrevai_core.types import Chunk, Region
from transcrevai_core.workers.worker import Worker

MB = 10**6


def write_model(folder: Path, width: int, vocabulary: int, dims: int, length: int) -> str:
    """Write what a CTranslate2 file begins with, and nothing up to its length."""

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    folder.mkdir()
    with (folder / "model.bin").open("wb") as file:
        file.write(struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, 2))
        file.write(text("decoder/activation") + struct.pack("<BBI", 0, 1, 1) + b"\3")
        file.write(text("decoder/embeddings/weight"))
        file.write(struct.pack("<BIIBI", 2, vocabulary, width, dims, 99))
        file.truncate(length)
    return str(folder)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_by_name_has_a_plausible_forecast(name: Any) -> None:
    expected = transcription_bytes(Shape(name))
    weights = 0.5 * MODELS[name].download_mb * MB  # of the published float16, at int8
    assert weights + 100 * MB < expected < 4 * weights + 350 * MB


@pytest.mark.parametrize("name", [*MODELS, "someone/unknown"])
def test_nothing_more_needs_less(name: Any) -> None:
    shape = Shape(name)
    more = [
        replace(shape, threads=4),
        replace(shape, threads=64),
        replace(shape, beam_size=20),
        replace(shape, compute_type="float32"),
    ]
    least = transcription_bytes(shape)
    assert all(transcription_bytes(other) >= least for other in more)
    assert transcription_bytes(replace(shape, beam_size=1)) <= least
    assert transcription_bytes(replace(shape, chunk_seconds=10.0)) <= least


@pytest.mark.parametrize("compute_type", ["int8", "float32"])
def test_a_larger_model_needs_more(compute_type: str) -> None:
    sizes = ["demo", "tiny", "base", "small", "medium", "large-v3"]
    needs = [transcription_bytes(Shape(name, compute_type)) for name in sizes]
    assert needs == sorted(set(needs))


def test_what_is_unknown_is_taken_for_large(tmp_path: Path) -> None:
    large = transcription_bytes(Shape("large-v3"))
    for name in ("someone/unknown", "", str(tmp_path), "\0", "a/b/c", "~nobody-at-all/model"):
        assert transcription_bytes(Shape(name)) == large
    assert transcription_bytes(Shape("Systran/faster-whisper-small")) < large
    assert transcription_bytes(Shape("tiny", "something")) > transcription_bytes(Shape("tiny"))
    assert transcription_bytes(Shape("tiny", "auto")) == transcription_bytes(Shape("tiny"))
    assert transcription_bytes(Shape("tiny", threads=0, beam_size=0, chunk_seconds=-1.0)) > 0


def test_a_folder_tells_its_layers(tmp_path: Path) -> None:
    published = write_model(tmp_path / "a", 768, 51865, 4, 483_546_977)
    assert transcription_bytes(Shape(published)) == transcription_bytes(Shape("small"))
    smaller = write_model(tmp_path / "b", 768, 51865, 1, 248_203_797)
    assert 400 * MB < transcription_bytes(Shape(smaller)) <= transcription_bytes(Shape("small"))
    turbo = write_model(tmp_path / "c", 1280, 51866, 4, 1_617_824_864)
    named = transcription_bytes(Shape("large-v3-turbo"))
    assert transcription_bytes(Shape(turbo)) == pytest.approx(named, rel=0.01)
    unusual = write_model(tmp_path / "d", 640, 51865, 4, 300 * MB)
    assert 300 * MB < transcription_bytes(Shape(unusual)) < 1000 * MB


@pytest.mark.parametrize("content", [b"", b"weights", bytes(5000), b"\xff" * 5000])
def test_a_file_that_tells_nothing_counts_by_its_length(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    with (tmp_path / "model.bin").open("r+b") as file:
        file.truncate(500 * MB)
    tiny, large = (transcription_bytes(Shape(name)) for name in ("tiny", "large-v3"))
    assert tiny < transcription_bytes(Shape(str(tmp_path))) <= large


def test_diarizing_and_preparing_grow_with_the_recording() -> None:
    for embedding in ("voice", "ivector", "mfcc", "resemblyzer", "someone/unknown"):
        needs = [forecast.diarization_bytes(embedding, hours * 3600) for hours in (0, 1, 4, 12)]
        assert needs == sorted(set(needs))
        assert 90 * MB < needs[0] < needs[-1] < 2000 * MB
        more = forecast.diarization_bytes(embedding, 3600, learns=True) - needs[1]
        assert 100 * MB < more < 200 * MB
    assert forecast.diarization_bytes("voice", -1.0) == forecast.diarization_bytes("voice", 0.0)
    assert forecast.prepare_bytes(60) < forecast.prepare_bytes(12 * 3600) < 200 * MB


def test_the_largest_come_first() -> None:
    weights = [MODELS[name].download_mb for name in forecast.GENERAL]
    assert weights == sorted(weights, reverse=True)


def test_it_is_light() -> None:
    code = (
        "import sys, transcrevai_core.memory.forecast as f; f.transcription_bytes(f.Shape('base'));"
        "assert not {'numpy', 'scipy', 'ctranslate2', 'faster_whisper'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own count of memory")
def test_the_demo_model_needs_what_is_forecast(tmp_path: Path) -> None:
    from transcrevai_core.audio import decode

    wav = tmp_path / "audio.wav"
    decode.decode(demo.sample_path("pt"), wav)
    chunks = [Chunk(i, 8.0 * i, 8.0 * i + 8, (Region(8.0 * i, 8.0 * i + 8),)) for i in range(4)]
    spec = tasks.ModelSpec("demo", demo.MODEL_DIR, "cpu", "int8", 1)
    worker = Worker("transcription")
    try:
        worker.call(tasks.detect_language, spec, wav, chunks)
        for chunk in chunks:
            worker.call(tasks.decode, spec, wav, chunk, {"language": "pt", "beam_size": 5}, 30.0)
        measured = worker.read_peak()
    finally:
        worker.stop()
    shape = Shape("demo", chunk_seconds=8.0)
    assert measured == pytest.approx(transcription_bytes(shape), rel=0.15)


def test_what_is_heard_around_a_chunk_is_counted() -> None:
    from transcrevai_core.audio.speech import EDGE, TAIL, WINDOW

    assert pytest.approx(2 * EDGE + TAIL) == forecast.AROUND
    short, long = (transcription_bytes(Shape("tiny", chunk_seconds=s)) for s in (10.0, 26.0))
    assert short < long == transcription_bytes(Shape("tiny", chunk_seconds=WINDOW))
