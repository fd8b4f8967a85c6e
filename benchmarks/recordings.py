"""What the benchmarks share: long recordings, made of samples or others, and recipes by name."""

import itertools
import tempfile
import wave
from pathlib import Path

import av

from transcrevai_core import demo
from transcrevai_core.audio import decode, pcm
from transcrevai_core.diarization.recipes import Recipe, recipe_for, with_overlap
from transcrevai_core.types import SAMPLE_RATE


def repeat_sample(target: Path, seconds: float, name: str = "pt") -> Path:
    """Write FLAC of the given length; block by block, so that 12 hours cost no memory."""
    with av.open(str(demo.sample_path(name))) as source:
        frames = [frame.to_ndarray() for frame in source.decode(audio=0)]
    wanted = round(seconds * 16_000)
    with av.open(str(target), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=16_000, layout="mono", format="s16")
        size = stream.codec_context.frame_size or 4096
        fifo = av.AudioFifo()
        written = 0
        for samples in itertools.cycle(frames):
            if written >= wanted:
                break
            piece = samples[:, : wanted - written]
            frame = av.AudioFrame.from_ndarray(piece.astype("<i2"), format="s16", layout="mono")
            frame.rate, frame.pts = 16_000, written
            written += piece.shape[1]
            fifo.write(frame)
            for full in fifo.read_many(size):
                container.mux(stream.encode(full))
        rest = fifo.read()
        if rest is not None:
            container.mux(stream.encode(rest))
        container.mux(stream.encode(None))
    return target


def join(target: Path, folder: Path, seconds: float) -> Path:
    """Write 16 kHz WAV of a folder's recordings one after another, from the first again at need."""
    sounds = {".flac", ".wav", ".mp3", ".ogg", ".m4a", ".opus"}
    sources = [file for file in sorted(folder.iterdir()) if file.suffix in sounds]
    left = seconds
    with wave.open(str(target), "wb") as out, tempfile.TemporaryDirectory() as work:
        out.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        for source in itertools.cycle(sources):
            wav = Path(work) / "audio.wav"
            decode.decode(source, wav)
            taken = min(left, pcm.samples_in(wav) / SAMPLE_RATE)
            with wave.open(str(wav)) as part:
                out.writeframes(part.readframes(round(taken * SAMPLE_RATE)))
            if (left := left - taken) <= 0:
                return target
    raise ValueError(f"no recordings in {folder}")


def recipe_of(name: str) -> Recipe:
    """Return what suits an embedding; NAME+overlap asks the segmentation as well."""
    embedding, plus, _ = name.partition("+overlap")
    return with_overlap(recipe_for(embedding)) if plus else recipe_for(embedding)
