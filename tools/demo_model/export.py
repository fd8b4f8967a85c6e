"""Writes a trained model as CTranslate2 files that faster-whisper loads.

The layout of the weights is that of CTranslate2's own converter for Whisper
(``ctranslate2.converters.transformers.WhisperLoader``).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from ctranslate2.converters import utils
from ctranslate2.specs import common_spec, whisper_spec
from torch import Tensor, nn

from tools.demo_model.model import GUIDED_HEADS, Attention, FeedForward, Shape, Whisper
from tools.demo_speech.espeak import SAMPLE_RATE
from tools.demo_speech.features import FRAME_RATE, MELS, WINDOW_SECONDS
from tools.demo_speech.tokenizer import Vocabulary


def load_average(checkpoint: Path) -> Whisper:
    """The averaged weights of a checkpoint, ready to infer."""
    state = torch.load(checkpoint, weights_only=True)
    model = Whisper(Shape(**state["shape"]))
    model.load_state_dict(state["average"])
    model.eval()
    return model


def _array(tensor: Tensor) -> Any:
    return tensor.detach().float().contiguous().numpy()


def _set_linear(spec: Any, linear: Any) -> None:
    spec.weight = _array(linear.weight)
    if linear.bias is not None:
        spec.bias = _array(linear.bias)


def _set_norm(spec: Any, norm: nn.LayerNorm) -> None:
    spec.gamma, spec.beta = _array(norm.weight), _array(norm.bias)


def _set_attention(spec: Any, attention: Attention, of_itself: bool) -> None:
    parts = [common_spec.LinearSpec() for _ in range(3)]
    for part, linear in zip(parts, (attention.query, attention.key, attention.value), strict=True):
        _set_linear(part, linear)
    if of_itself:
        utils.fuse_linear(spec.linear[0], parts)
    else:
        utils.fuse_linear(spec.linear[0], parts[:1])
        utils.fuse_linear(spec.linear[1], parts[1:])
    _set_linear(spec.linear[-1], attention.out)


def _set_feed_forward(spec: Any, norm: nn.LayerNorm, layers: FeedForward) -> None:
    _set_norm(spec.layer_norm, norm)
    _set_linear(spec.linear_0, layers[0])
    _set_linear(spec.linear_1, layers[2])


def make_spec(model: Whisper) -> whisper_spec.WhisperSpec:
    """The model's weights in CTranslate2's terms."""
    shape = model.shape
    spec = whisper_spec.WhisperSpec(
        shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads
    )
    # Any, as torch's containers do not tell mypy what they hold.
    encoder: Any = model.encoder
    decoder: Any = model.decoder
    for conv_spec, conv in (
        (spec.encoder.conv1, encoder.conv1),
        (spec.encoder.conv2, encoder.conv2),
    ):
        conv_spec.weight, conv_spec.bias = _array(conv.weight), _array(conv.bias)
    spec.encoder.position_encodings.encodings = _array(encoder.positions)
    _set_norm(spec.encoder.layer_norm, encoder.norm)
    for layer_spec, layer in zip(spec.encoder.layer, encoder.layers, strict=True):
        _set_attention(layer_spec.self_attention, layer.attention, of_itself=True)
        _set_norm(layer_spec.self_attention.layer_norm, layer.attention_norm)
        _set_feed_forward(layer_spec.ffn, layer.feed_forward_norm, layer.feed_forward)
    spec.decoder.embeddings.weight = _array(decoder.tokens.weight)
    spec.decoder.position_encodings.encodings = _array(decoder.positions)
    _set_norm(spec.decoder.layer_norm, decoder.norm)
    for layer_spec, layer in zip(spec.decoder.layer, decoder.layers, strict=True):
        _set_attention(layer_spec.self_attention, layer.attention, of_itself=True)
        _set_norm(layer_spec.self_attention.layer_norm, layer.attention_norm)
        _set_attention(layer_spec.attention, layer.cross, of_itself=False)
        _set_norm(layer_spec.attention.layer_norm, layer.cross_norm)
        _set_feed_forward(layer_spec.ffn, layer.feed_forward_norm, layer.feed_forward)
    spec.decoder.projection.weight = _array(decoder.tokens.weight)
    return spec


def export(
    checkpoint: Path, tokenizer: Path, folder: Path, quantization: str | None = "int8"
) -> None:
    """Writes config.json, model.bin, preprocessor_config.json, tokenizer.json, vocabulary.json."""
    model = load_average(checkpoint)
    vocabulary = Vocabulary.load(tokenizer)
    spec = make_spec(model)
    spec.register_vocabulary(vocabulary.tokens())
    spec.config.lang_ids = sorted(vocabulary.languages.values())
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [vocabulary.bare_space, vocabulary.end_of_text]
    # Of the last layer, whose guided heads look at the token to come: faster-whisper's word times.
    spec.config.alignment_heads = [(model.shape.decoder_layers - 1, head) for head in GUIDED_HEADS]
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    preprocessor = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": MELS,
        "sampling_rate": SAMPLE_RATE,
        "hop_length": SAMPLE_RATE // FRAME_RATE,
        "chunk_length": WINDOW_SECONDS,
        "n_fft": 400,
        "n_samples": WINDOW_SECONDS * SAMPLE_RATE,
        "nb_max_frames": WINDOW_SECONDS * FRAME_RATE,
        "padding_value": 0.0,
        "return_attention_mask": False,
    }
    text = json.dumps(preprocessor, indent=1) + "\n"
    (folder / "preprocessor_config.json").write_text(text, encoding="utf-8")
