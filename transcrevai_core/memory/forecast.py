"""How much memory the workers are going to need, computed from a job's shape before it begins.

A worker's memory is what its libraries take, the weights, and room to work in, which follows from
the model's layers: the attention of the encoder (each position to each, for every head of a
layer), and then what the decoder keeps of the sound and of each beam (keys and values of every
layer), and the chances of every token at the alignment of words. Where a file's weights are
larger than those asked for, loading it can need more than all that. The few constants are fitted
to what `python -m benchmarks.forecast` measures, which also prints how far the forecast is from
each worker's highest resident memory. All of it is about a CPU. Light: nothing heavy is imported.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from transcrevai_core.models.catalogue import DEMO, MODELS, locate

_POSITIONS, _TEXT_POSITIONS = 1500, 448  # of a window of 30 s, and of its text
AROUND = 5.4  # s of silence that are heard around a chunk, in all
_TOKENS, _LOOP_TOKENS = 160, 290  # said in 30 s by someone fast, and the most that a loop writes
_FLOAT = 4  # bytes
_MB = 10**6
# bytes, however large the model is: libraries, ...
_LIBRARIES = 92 * _MB
_ENTRY = 850  # ... the tokenizer's, for each of its tokens, ...
_CONVERTING = 100 * _MB  # ... what is in hand while weights are made smaller, ...
_MADE_UP = 0.13  # ... beside a larger model less, by this share of it, ...
_HEARING = 12 * _MB  # ... what the encoder takes beside its attention, ...
_FEATURES = 20 * _MB  # ... the sound of 30 s and its features, ...
_SAYING = 25 * _MB  # ... what the decoder takes beside its own, ...
_PIECES = 30 * _MB  # ... what is left in the heap where a chunk is heard in pieces, ...
_THREAD = 1 * _MB  # ... and what each further thread takes
# MB of a worker that diarizes: at its beginning, for the first hour, and for each hour after it,
# when only vectors are added
_VOICES = {
    "campplus": (245, 60, 25),
    "voice": (148, 50, 28),
    "ivector": (119, 40, 5),
    "mfcc": (113, 19, 3),
}
_LEARNING = 135 * _MB  # scikit-learn, where it is called for
_OVERLAP = 15 * _MB  # the segmentation
_OTHER_VOICE = (500, 60, 30)  # its own libraries and network: not measured, so a large one
# MB of a worker that prepares: at its beginning, and how much more for 4 hours or longer
_PREPARE = (126, 8)
# MB of a worker that writes a report: at its beginning, and for each hour of speech
_REPORT = (100, 10)
# MB of a worker that scores: at its beginning (turns bring SciPy), for each million characters, and
# at most, so that a reference that holds more than text is no reason to refuse it
_SCORING = (195, 250, 450)
DOWNLOAD_BYTES = 150 * _MB  # of a worker that fetches a model


@dataclass(frozen=True, slots=True)
class Shape:
    """How a model is to work: all that its memory depends on.

    `model` is a name, a Hugging Face id or a folder; `compute_type` as asked for, where "auto"
    counts as int8, as on a CPU; `chunk_seconds` in s.
    """

    model: str
    compute_type: str = "int8"
    threads: int = 1
    beam_size: int = 5
    chunk_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class _Size:
    """The layers of a Whisper model; `stored` is how many bytes a weight takes in its file."""

    width: int
    encoder: int
    decoder: int
    vocabulary: int = 51_865
    head_width: int = 64
    stored: int = 2  # the published files are float16
    window: float = 30.0  # s that it can hear at once

    @property
    def weights(self) -> int:
        """How many numbers the model has learned."""
        layers = (12 * self.encoder + 16 * self.decoder) * self.width**2
        rows = self.vocabulary + _POSITIONS + _TEXT_POSITIONS + 3 * self.width + 3 * 80
        return layers + rows * self.width

    def positions(self, chunk_seconds: float) -> float:
        """How many positions the encoder has of a chunk."""
        return _POSITIONS / 30 * min(self.window, max(0.0, chunk_seconds) + AROUND)

    def scores_bytes(self, chunk_seconds: float) -> float:
        """How large the attention of one layer of the encoder is."""
        return self.width // self.head_width * self.positions(chunk_seconds) ** 2 * _FLOAT

    def heard_bytes(self, chunk_seconds: float) -> float:
        """How large the keys and values are that the decoder has of a chunk."""
        return 2 * self.decoder * self.width * self.positions(chunk_seconds) * _FLOAT


_LARGE = _Size(1280, 32, 32)
_TURBO = _Size(1280, 32, 4)
_SIZES = {
    "tiny": _Size(384, 4, 4),
    "base": _Size(512, 6, 6),
    "distil-small": _Size(768, 12, 4),
    "small": _Size(768, 12, 12),
    "distil-medium": _Size(1024, 24, 2),
    "medium": _Size(1024, 24, 24),
    "distil-large": _Size(1280, 32, 2),
    "large-v3-turbo": _TURBO,
    "turbo": _TURBO,
    "large": _LARGE,
}
_DEMO = _Size(160, 4, 2, vocabulary=1472, head_width=32, stored=1, window=10.0)
# bytes of a number of each kind that CTranslate2 writes, in its order
_STORED = (4, 1, 2, 4, 2, 2)
_VOCABULARIES, _WIDTHS = range(500, 200_000), range(32, 4097, 32)  # what is no garbage
# what may be taken where a lighter model is called for: each knows every language; largest first
GENERAL = ("large-v3", "large-v3-turbo", "medium", "small", "base", "tiny")


def transcription_bytes(shape: Shape) -> int:
    """Return the highest resident memory, in bytes, of a worker that transcribes on a CPU.

    A model that nothing is known of is taken for a large one.
    """
    size = _size(shape.model)
    taken = 1 if shape.compute_type == "auto" or shape.compute_type.startswith("int8") else _FLOAT
    # half precision counts as float32, to which a processor that lacks it falls back
    libraries = _LIBRARIES + _ENTRY * size.vocabulary
    model = libraries + taken * size.weights
    # a file of larger weights is read as a whole before they become smaller, and before the tokens
    file = size.stored * size.weights
    loading = _LIBRARIES + file + max(0.0, _CONVERTING - _MADE_UP * file)
    if size.stored <= taken:
        loading = 0.0
    share = size.positions(shape.chunk_seconds) / _POSITIONS
    said = 2 * size.decoder * size.width * _LOOP_TOKENS * _FLOAT  # keys and values of one beam
    choice = size.vocabulary * _FLOAT  # the chances of each token to come next
    hearing = _HEARING + _FEATURES * share + size.scores_bytes(shape.chunk_seconds)
    saying = (
        _SAYING
        + size.heard_bytes(shape.chunk_seconds)
        + choice * _TOKENS * share  # the alignment takes all tokens at once
        + max(1, shape.beam_size) * (said * share + choice)
    )
    # what the encoder leaves, the decoder takes: there is one heap
    working = model + max(hearing, saying) + _THREAD * max(0, shape.threads - 1)
    if shape.chunk_seconds > size.window:
        working += _PIECES
    return round(max(loading, working))


def weights_bytes(model: str, compute_type: str) -> int:
    """Return about how large a model's weights are in int8 or float32, in bytes."""
    return (1 if compute_type.startswith("int8") else _FLOAT) * _size(model).weights


def diarization_bytes(
    embedding: str, duration: float, *, learns: bool = False, overlap: bool = False
) -> int:
    """Return the highest resident memory, in bytes, of finding who speaks in `duration` s.

    `learns` tells whether scikit-learn is called for (`recipes.learns`), `overlap` whether the
    segmentation is.
    """
    begin, first, later = _VOICES.get(embedding, _OTHER_VOICE)
    hours = max(0.0, duration) / 3600
    taken = (begin + first * min(1.0, hours) + later * max(0.0, hours - 1)) * _MB
    return round(taken + _LEARNING * learns + _OVERLAP * overlap)


def prepare_bytes(duration: float) -> int:
    """Return the highest resident memory, in bytes, of preparing a recording of `duration` s."""
    begin, more = _PREPARE
    return round((begin + more * min(1.0, max(0.0, duration) / 14_400)) * _MB)


def report_bytes(duration: float) -> int:
    """Return the highest resident memory, in bytes, of writing a report on `duration` s."""
    begin, hour = _REPORT
    return round((begin + hour * max(0.0, duration) / 3600) * _MB)


def scoring_bytes(characters: int) -> int:
    """Return the highest resident memory, in bytes, of scoring a text of so many characters."""
    begin, million, most = _SCORING
    return round(min(most, begin + million * characters / 1e6) * _MB)


def _size(model: str) -> _Size:
    """Return the layers of a model, by its name or by its file."""
    if model == DEMO.name:
        return _DEMO
    known = next((m.name for m in MODELS.values() if model in {m.name, m.repo or m.name}), None)
    if known:
        return next(size for name, size in _SIZES.items() if known.startswith(name))
    try:
        folder = locate(model)
        return _read_size(folder / "model.bin") if folder else _LARGE
    except (OSError, ValueError, RuntimeError):  # not to be read, or no path at all
        return _LARGE


def _read_size(file: Path) -> _Size:
    """Return what the beginning of a CTranslate2 file tells, or else its length."""
    length = file.stat().st_size
    try:
        with file.open("rb") as stream:
            (vocabulary, width), stored = _first_table(stream)
    except (struct.error, ValueError):
        # whatever it is, it has no more weights than bytes
        known = sorted(_SIZES.values(), key=lambda size: size.weights)
        return next((size for size in known if size.weights >= length), _LARGE)
    encoder = next((size.encoder for size in _SIZES.values() if size.width == width), 0)
    bare = _Size(width, encoder, 0, vocabulary, stored=stored)
    # positions stay float32 among bytes
    exact = 3 * (_POSITIONS + _TEXT_POSITIONS) * width if stored == 1 else 0
    left = max(0, (length - exact) // stored - bare.weights) / width**2
    if encoder:
        return _Size(width, encoder, round(left / 16), vocabulary, stored=stored)
    layers = round(left / 28)
    return _Size(width, layers, layers, vocabulary, stored=stored)


def _first_table(stream: BinaryIO) -> tuple[tuple[int, int], int]:
    """Return the shape of a file's first table, the rows of the tokens, and bytes per number."""

    def number(code: str) -> int:
        data = stream.read(struct.calcsize(code))
        return int(struct.unpack(code, data)[0])

    def skip_text() -> None:
        stream.seek(number("<H"), 1)

    number("<I")  # version of the format
    skip_text()  # name of the architecture
    number("<I")  # its revision
    for _ in range(min(100, number("<I"))):
        skip_text()
        shape = [number("<I") for _ in range(number("<B"))]
        kind, length = number("<B"), number("<I")
        if len(shape) == 2 and shape[0] in _VOCABULARIES and shape[1] in _WIDTHS and kind < 6:
            return (shape[0], shape[1]), _STORED[kind]
        stream.seek(length, 1)
    raise ValueError("no table")
