"""Whisper models of the published shapes with made-up weights, to measure what real ones cost.

    python -m benchmarks.shapes --folder FOLDER base small [--quantization int8 float16]

Memory and time depend on the shape of a model and on how much it says, not on what it says. So
the weights are random, save in two places. The layers add next to nothing to what passes through
them, and each position of the decoder has a strong direction of its own, along which lies the row
of the token that is to follow: for every window the decoder says `TOKENS` tokens of random words
with their times, as sure of each as a model that hears clear speech, and ends. Nothing is
downloaded, and nothing of this is for transcribing.
"""

import argparse
import json
from itertools import chain, islice, product
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
from ctranslate2.converters import utils
from ctranslate2.specs import common_spec, whisper_spec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from transcrevai_core.languages import LANGUAGES

# width, layers on each side, heads that tell the times of words
SHAPES = {
    "tiny": (384, 4, 6),
    "base": (512, 6, 8),
    "small": (768, 12, 10),
    "medium": (1024, 24, 6),
}
QUANTIZATIONS = ("int8", "float16", "float32")
TOKENS = 101  # in a window of 30 s: as many as read speech has
MELS, POSITIONS, TEXT_POSITIONS, TEXT_TOKENS = 80, 1500, 448, 50257
SPECIAL = (
    ["<|endoftext|>", "<|startoftranscript|>"]
    + [f"<|{code}|>" for code in list(LANGUAGES)[:99]]  # Cantonese came with large-v3
    + [
        f"<|{name}|>"
        for name in (
            "translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps",
        )
    ]
    + [f"<|{step * 0.02:.2f}|>" for step in range(1501)]
)  # fmt: skip
_THROUGH = 1e-4  # what the layers add to what passes through them
_ALONG, _STRENGTH = 1.5, 30.0  # of a token's row, and of a position, along the common direction


def make(folder: Path, name: str, quantization: str, seed: int = 0) -> Path:
    """Make the model `name` of `SHAPES` in `folder`/NAME-QUANTIZATION, if not there; return that.

    `quantization`: one of `QUANTIZATIONS`; the published files are float16.
    """
    target = folder / f"{name}-{quantization}"
    if (target / "preprocessor_config.json").is_file():  # written last
        return target
    target.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(target / "tokenizer.json"))
    ids = tokenizer.get_vocab()
    spec = _spec(name, ids, np.random.default_rng(seed))
    spec.register_vocabulary(sorted(ids, key=lambda token: ids[token]))
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(target))
    features = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": MELS,
        "sampling_rate": 16_000,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
    }
    (target / "preprocessor_config.json").write_text(json.dumps(features, indent=1) + "\n")
    return target


def _tokenizer() -> Tokenizer:
    """Return a byte-level tokenizer of Whisper's size; its words have four letters at most."""
    pairs = ["".join(pair) for pair in product(ascii_lowercase, repeat=2)]
    begins = [f"Ġ{letter}" for letter in ascii_lowercase]  # Ġ stands for a space
    every = chain(
        product("Ġ", ascii_lowercase),
        product(ascii_lowercase, repeat=2),
        product(begins, pairs),
        product(pairs, ascii_lowercase),
        product(pairs, pairs),
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [(a, b) for a, b in islice(every, TEXT_TOKENS - len(alphabet) - 1)]
    # CTranslate2 >= 4.7 takes a model for multilingual if the empty token is in its vocabulary
    tokens = [*alphabet, *map("".join, merges), ""]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    return tokenizer


def _script(ids: dict[str, int], rng: np.random.Generator) -> list[int]:
    """Return the token to follow each position: two segments, which fill a window."""
    words = [number for token, number in ids.items() if token.startswith("Ġ") and len(token) == 4]
    chosen = list(map(int, rng.choice(sorted(words), TOKENS - 4, replace=False)))
    half = len(chosen) // 2
    names = ("pt", "transcribe", "0.00", "15.00", "30.00", "endoftext")
    language, task, begin, middle, end, last = (ids[f"<|{name}|>"] for name in names)
    return [language, task, begin, *chosen[:half], middle, middle, *chosen[half:], end, last]


def _spec(name: str, ids: dict[str, int], rng: np.random.Generator) -> whisper_spec.WhisperSpec:
    """Return the weights, float32, in CTranslate2's terms."""
    width, layers, alignment_heads = SHAPES[name]
    heads = width // 64

    def normal(*shape: int, scale: float = 0.02) -> np.ndarray:
        return rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)

    def norm(spec: Any) -> None:
        spec.gamma, spec.beta = 1 + normal(width), normal(width)

    def linear(spec: Any, outputs: int, inputs: int, scale: float = 0.02) -> Any:
        spec.weight, spec.bias = normal(outputs, inputs, scale=scale), normal(outputs, scale=scale)
        return spec

    def attention(spec: Any, split: tuple[int, ...]) -> None:
        norm(spec.layer_norm)
        for part, count in zip(spec.linear, split, strict=False):
            lines = [linear(common_spec.LinearSpec(), width, width) for _ in range(count)]
            utils.fuse_linear(part, lines)
        linear(spec.linear[-1], width, width, _THROUGH)

    def feed_forward(spec: Any) -> None:
        norm(spec.layer_norm)
        linear(spec.linear_0, 4 * width, width)
        linear(spec.linear_1, width, 4 * width, _THROUGH)

    spec = whisper_spec.WhisperSpec(layers, heads, layers, heads)
    for conv, inputs in ((spec.encoder.conv1, MELS), (spec.encoder.conv2, width)):
        conv.weight, conv.bias = normal(width, inputs, 3), normal(width)
    spec.encoder.position_encodings.encodings = normal(POSITIONS, width)
    norm(spec.encoder.layer_norm)
    for layer in spec.encoder.layer:
        attention(layer.self_attention, (3,))
        feed_forward(layer.ffn)
    for layer in spec.decoder.layer:
        attention(layer.self_attention, (3,))
        attention(layer.attention, (1, 2))
        feed_forward(layer.ffn)
    norm(spec.decoder.layer_norm)

    script = _script(ids, rng)
    directions = normal(len(script), width)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    rows = normal(len(ids), width)
    for token, direction in zip(script, directions, strict=True):
        rows[token] += np.float32(_ALONG) * direction
    positions = np.repeat(directions[-1:], TEXT_POSITIONS, axis=0)  # past the script comes its end
    positions[: len(script)] = directions
    spec.decoder.position_encodings.encodings = np.float32(_STRENGTH) * positions
    spec.decoder.embeddings.weight = rows
    spec.decoder.projection.weight = rows
    spec.config.lang_ids = [ids[f"<|{code}|>"] for code in list(LANGUAGES)[:99]]
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [ids["Ġ"], ids["<|endoftext|>"]]
    spec.config.alignment_heads = [(layers - 1, head) for head in range(alignment_heads)]
    return spec


def main() -> None:
    """Make the models asked for and print where they are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="+", choices=SHAPES)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--quantization", nargs="*", choices=QUANTIZATIONS, default=["int8"])
    arguments = parser.parse_args()
    for name in arguments.names:
        for quantization in arguments.quantization:
            print(make(arguments.folder, name, quantization), flush=True)


if __name__ == "__main__":
    main()
