"""Whisper (Radford et al., 2022) in torch, small, with what training it cheaply needs.

Two things differ from the published model, and neither is seen by whoever runs it:

- All encoder positions from 10 s on carry one and the same position vector. The padding to 30 s
  that every Whisper runtime feeds is then a thousand equal keys; training computes one of them
  and adds the logarithm of their number to its attention logits, which gives the same result at
  the price of a short window.
- A linear layer tells the phoneme of every encoder position, and the cross-attention logits of
  some heads are returned, so that both can be guided. Neither is exported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

POSITIONS = 1500
#: Positions from here on (10 s) hold padding only.
CONTENT_POSITIONS = 500
TEXT_POSITIONS = 448
MELS = 80
#: Heads whose cross-attention is guided, in every decoder layer.
GUIDED_HEADS = (0, 1)


@dataclass(frozen=True)
class Shape:
    """Sizes of a model."""

    vocabulary: int
    phonemes: int
    width: int = 160
    heads: int = 5
    encoder_layers: int = 4
    decoder_layers: int = 2


class Output(NamedTuple):
    """B windows, L tokens, S encoder positions of content, K keys (S and padding)."""

    logits: Tensor  # (B, L, vocabulary)
    phonemes: Tensor  # (B, S, phonemes)
    #: Cross-attention logits of the guided heads, one (B, heads, L, K) a decoder layer.
    attention: list[Tensor]


class Memory(NamedTuple):
    """What the encoder tells the decoder."""

    states: Tensor  # (B, K, width)
    key_bias: Tensor  # (1, K): logarithm of how many positions each key stands for
    content: int  # S


def sinusoids(length: int, channels: int) -> Tensor:
    """Whisper's sinusoidal positions, (length, channels)."""
    rates = torch.exp(-math.log(10_000) / (channels // 2 - 1) * torch.arange(channels // 2))
    angles = torch.arange(length)[:, None] * rates[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al., 2017); as in Whisper, keys have no bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        # Contiguous: on a CPU, torch multiplies strided bfloat16 batches far slower.
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2).contiguous()

    def forward(
        self, x: Tensor, bias: Tensor, memory: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """x (B, L, width) attends to memory (B, K, width) or to itself.

        bias, (1, K) or (L, K), is added to the attention logits. Returns (B, L, width) and the
        logits (B, heads, L, K). Written out because torch's fused attention is slower here, and
        does not tell its logits.
        """
        source = x if memory is None else memory
        query = self._split(self.query(x) * self.scale)
        key, value = self._split(self.key(source)), self._split(self.value(source))
        logits = query @ key.transpose(-1, -2) + bias.to(query.dtype)
        mixed = logits.softmax(-1) @ value
        return self.out(mixed.transpose(1, 2).flatten(2)), logits


class FeedForward(nn.Sequential):
    """Two linear layers with a GELU between."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))


class EncoderLayer(nn.Module):
    """Pre-norm self-attention and feed-forward."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.feed_forward_norm, self.feed_forward = nn.LayerNorm(width), FeedForward(width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x (B, K, width), with the logarithm of how often each key counts, (1, K)."""
        x = x + self.attention(self.attention_norm(x), bias)[0]
        return x + self.feed_forward(self.feed_forward_norm(x))


class DecoderLayer(nn.Module):
    """Pre-norm causal self-attention, cross-attention and feed-forward."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.cross_norm, self.cross = nn.LayerNorm(width), Attention(width, heads)
        self.feed_forward_norm, self.feed_forward = nn.LayerNorm(width), FeedForward(width)

    def forward(
        self, x: Tensor, causal: Tensor, memory: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """x (B, L, width); causal (L, L), minus infinity at tokens to come; memory (B, K, width).

        Also returns the cross-attention logits of the guided heads, (B, heads, L, K).
        """
        x = x + self.attention(self.attention_norm(x), causal)[0]
        mixed, logits = self.cross(self.cross_norm(x), bias, memory)
        x = x + mixed
        guided = logits[:, list(GUIDED_HEADS)].float()
        return x + self.feed_forward(self.feed_forward_norm(x)), guided


class Encoder(nn.Module):
    """Two convolutions (the second halves the frame rate) and transformer layers."""

    positions: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(MELS, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        # Smaller than Whisper's, so that at first they do not drown so narrow a signal.
        positions = 0.4 * sinusoids(POSITIONS, shape.width)
        positions[CONTENT_POSITIONS:] = positions[CONTENT_POSITIONS].clone()
        self.register_buffer("positions", positions)
        self.layers = nn.ModuleList(
            EncoderLayer(shape.width, shape.heads) for _ in range(shape.encoder_layers)
        )
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, mel: Tensor, padding_keys: int | None = 6) -> Memory:
        """mel (B, 80, 2 S + 4), its last four frames zero, S at most CONTENT_POSITIONS.

        Of the padding up to 10 s only ``padding_keys`` random positions are computed, each
        standing for its share (an approximation that is good enough to learn from); None computes
        all of them, which is exact.
        """
        content = mel.shape[2] // 2 - 2
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel)))).transpose(1, 2)
        # The first padding position still sees the last content frame; all later ones are equal.
        places = [torch.arange(content + 1).clamp(max=CONTENT_POSITIONS)]
        bias = [torch.zeros(content + 1)]
        rest = CONTENT_POSITIONS - 1 - content
        if rest > 0:
            count = rest if padding_keys is None else min(padding_keys, rest)
            places.append(torch.randperm(rest)[:count] + content + 1)
            bias.append(torch.full((count,), math.log(rest / count)))
        places.append(torch.tensor([CONTENT_POSITIONS]))
        tail = POSITIONS - max(CONTENT_POSITIONS, content + 1)
        bias.append(torch.tensor([math.log(tail)]))
        index, key_bias = torch.cat(places), torch.cat(bias)
        padding = x[:, content + 1 : content + 2].expand(-1, len(index) - content - 1, -1)
        x = torch.cat([x[:, : content + 1], padding], 1)
        x = x + self.positions[index].to(x.dtype)
        key_bias = key_bias[None]
        for layer in self.layers:
            x = layer(x, key_bias)
        return Memory(self.norm(x), key_bias, content)


class Decoder(nn.Module):
    """Token and learned position embeddings, transformer layers, and tied output weights."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.tokens = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.tokens.weight, std=0.05)
        self.positions = nn.Parameter(0.05 * sinusoids(TEXT_POSITIONS, shape.width))
        self.layers = nn.ModuleList(
            DecoderLayer(shape.width, shape.heads) for _ in range(shape.decoder_layers)
        )
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, tokens: Tensor, memory: Memory) -> tuple[Tensor, list[Tensor]]:
        """tokens (B, L) -> logits (B, L, vocabulary) and guided attention logits."""
        x = self.tokens(tokens) + self.positions[: tokens.shape[1]]
        x = x.to(memory.states.dtype)
        length = tokens.shape[1]
        causal = torch.full((length, length), -math.inf).triu(1)
        attention = []
        for layer in self.layers:
            x, logits = layer(x, causal, memory.states, memory.key_bias)
            attention.append(logits)
        return functional.linear(self.norm(x), self.tokens.weight), attention


class Whisper(nn.Module):
    """The model and its phoneme layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)
        self.phonemes = nn.Linear(shape.width, shape.phonemes)
        for name, parameter in self.named_parameters():
            # Residual branches begin at half weight, so that the sum of them starts out tame.
            if name.endswith(("attention.out.weight", "cross.out.weight", "feed_forward.2.weight")):
                parameter.data *= 0.5
        with torch.no_grad():
            self.decoder.tokens.weight[:, 0] = 0
        self.pin_bias()

    def pin_bias(self) -> None:
        """Keeps dimension 0 of the decoder's output at 1.

        Whisper's output layer has no bias; column 0 of the tied embedding becomes one this way.
        """
        with torch.no_grad():
            self.decoder.norm.weight[0] = 0
            self.decoder.norm.bias[0] = 1

    def forward(self, mel: Tensor, tokens: Tensor, padding_keys: int | None = 6) -> Output:
        """mel (B, 80, 2 S + 4) and tokens (B, L); padding_keys as in Encoder."""
        memory = self.encoder(mel, padding_keys)
        logits, attention = self.decoder(tokens, memory)
        return Output(logits, self.phonemes(memory.states[:, : memory.content]), attention)
