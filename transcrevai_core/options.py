"""The settings of one job, each once: default, range, unit and meaning."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from transcrevai_core.i18n import mark
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.rules import unfit

ComputeType = Literal[
    "auto", "int8", "int8_float16", "int8_bfloat16", "int8_float32", "float16", "bfloat16",
    "float32",
]  # fmt: skip


_SPEAKERS: dict[str, Any] = {"group": "speakers"}  # what is about who speaks when


class JobOptions(BaseModel):
    """What one job is done with; stored beside its result."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(
        "small",
        min_length=1,
        description=mark(
            "Whisper model: a name such as tiny, base, small, medium, large-v3-turbo; a "
            "Hugging Face id; a folder with a CTranslate2 model; demo, which understands "
            "synthesized demo speech only; auto, the largest that fits the memory budget; or "
            "none, to find only who speaks when"
        ),
    )
    language: str | None = Field(
        None,
        description=mark(
            "language code such as pt or en; several, such as pt,en, where each stretch is in one "
            "of them; auto lets the model detect it"
        ),
    )
    task: Literal["transcribe", "translate"] = Field(
        "transcribe",
        description=mark("transcribe in the spoken language, or translate into English"),
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description=mark("where the model runs; a GPU that cannot serve falls back to the CPU"),
    )
    compute_type: ComputeType = Field(
        "auto", description=mark("numeric type; auto tries int8 first and float32 last")
    )
    threads: int | None = Field(
        None,
        ge=1,
        le=64,
        description=mark("processor threads that decode; shared out where it is not given"),
        json_schema_extra={"unit": "threads"},
    )
    beam_size: int = Field(
        5,
        ge=1,
        le=20,
        description=mark("beams searched at once; 1 is fastest"),
        json_schema_extra={"unit": "beams"},
    )
    chunk_seconds: float = Field(
        30.0,
        ge=5,
        le=30,
        allow_inf_nan=False,
        description=mark("longest stretch decoded at once, cut at silences"),
        json_schema_extra={"unit": "s"},
    )
    vad_threshold: float = Field(
        0.4,
        ge=0.05,
        le=0.95,
        allow_inf_nan=False,
        description=mark("speech probability from which sound counts as speech; lower finds more"),
    )
    track: int | None = Field(
        None,
        ge=1,
        le=99,
        description=mark(
            "which sound track is heard, from 1, where a file has several; its default one, or one "
            "with speech, where it is not given"
        ),
    )
    initial_prompt: str | None = Field(
        None,
        description=mark("text given to the model before each chunk, to set spelling and style"),
    )
    hotwords: str | None = Field(
        None, description=mark("names and terms that are likely to be spoken, separated by commas")
    )
    condition_on_previous_text: bool = Field(
        False, description=mark("give each chunk the text before it; can carry a mistake onwards")
    )
    diarize: bool = Field(
        True, description=mark("find who speaks when"), json_schema_extra=_SPEAKERS
    )
    speakers: int | None = Field(
        None,
        ge=1,
        le=20,
        description=mark("how many speak, where that is known; found from the voices otherwise"),
        json_schema_extra=_SPEAKERS,
    )
    min_speakers: int = Field(
        1,
        ge=1,
        le=20,
        description=mark("the fewest speakers there may be"),
        json_schema_extra=_SPEAKERS,
    )
    max_speakers: int = Field(
        6,
        ge=1,
        le=20,
        description=mark("the most speakers there may be"),
        validate_default=True,  # a raised minimum may overtake it
        json_schema_extra=_SPEAKERS,
    )
    embedding: str = Field(
        "auto",
        min_length=1,
        description=mark(
            "how voices are told apart: auto is campplus where it is on this computer, else voice; "
            "voice, ivector and mfcc come with the program; resemblyzer, or an ONNX speaker model "
            "by path or Hugging Face id, with an extra"
        ),
        json_schema_extra=_SPEAKERS,
    )
    overlap: bool = Field(
        True,
        description=mark(
            "find who speaks at once, and speech far from the microphone, where the model "
            "segmentation is on this computer"
        ),
        json_schema_extra=_SPEAKERS,
    )
    clustering: Literal["auto", "agglomerative", "spectral", "k-means", "vbx"] = Field(
        "auto",
        description=mark(
            "how voices are gathered into speakers; auto chooses by length and clarity"
        ),
        json_schema_extra=_SPEAKERS,
    )
    counting: Literal["auto", "likeness", "silhouette", "eigengap", "evidence"] = Field(
        "auto",
        description=mark("what tells the number of speakers where it is not given"),
        json_schema_extra=_SPEAKERS,
    )
    speaker_threshold: float | None = Field(
        None,
        ge=0.05,
        le=0.95,
        allow_inf_nan=False,
        description=mark(
            "cosine from which two voices count as one speaker; lower merges more; the "
            "embedding's own where it is not given"
        ),
        json_schema_extra=_SPEAKERS,
    )
    min_speaker_share: float = Field(
        0.003,
        ge=0,
        le=0.2,
        allow_inf_nan=False,
        description=mark("share of all speech below which a speaker is merged into the others"),
        json_schema_extra=_SPEAKERS,
    )
    window_seconds: float | None = Field(
        None,
        ge=0.5,
        le=6,
        allow_inf_nan=False,
        description=mark(
            "how much sound a voice is judged by at once; the embedding's own where it is not given"
        ),
        json_schema_extra=_SPEAKERS | {"unit": "s"},
    )
    hop_seconds: float | None = Field(
        None,
        ge=0.1,
        le=3,
        allow_inf_nan=False,
        description=mark(
            "from the start of one such window to the next, at most half of it; the "
            "embedding's own where it is not given"
        ),
        json_schema_extra=_SPEAKERS | {"unit": "s"},
    )
    resegment_rounds: int | None = Field(
        None,
        ge=0,
        le=5,
        description=mark(
            "how often turns' boundaries are sought again from the sound itself; the "
            "embedding's own where it is not given"
        ),
        json_schema_extra=_SPEAKERS,
    )
    min_turn_seconds: float = Field(
        0.0,
        ge=0,
        le=5,
        allow_inf_nan=False,
        description=mark("a shorter turn amid speech goes to the longer of its neighbours"),
        json_schema_extra=_SPEAKERS | {"unit": "s"},
    )
    channels: Literal["mix", "speakers"] = Field(
        "mix",
        description=mark("mix them, or take each channel as one speaker, as in recorded calls"),
        json_schema_extra=_SPEAKERS,
    )

    @field_validator("max_speakers")
    @classmethod
    def _range(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("min_speakers", 1):
            raise unfit("other_setting", other="min_speakers")
        return value

    @field_validator("embedding")
    @classmethod
    def _file_from_anywhere(cls, value: str) -> str:
        file = Path(value).expanduser()
        return str(file.absolute()) if file.suffix == ".onnx" else value

    @field_validator("language", "initial_prompt", "hotwords", mode="before")
    @classmethod
    def _blank_is_none(cls, value: Any) -> Any:
        return value.strip() or None if isinstance(value, str) else value

    @field_validator("model")
    @classmethod
    def _folder_from_anywhere(cls, value: str) -> str:
        # a job may go on in a program that was started elsewhere
        folder = Path(value).expanduser()
        return str(folder.absolute()) if (folder / "model.bin").is_file() else value

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str | None) -> str | None:
        if value is None or value.lower() == "auto":
            return None
        names = {name.lower(): code for code, name in LANGUAGES.items()}
        codes = []
        for said in filter(None, map(str.strip, value.lower().split(","))):
            code = names.get(said, said.replace("_", "-"))
            codes.append(code if code in LANGUAGES else code.split("-")[0])  # pt-BR is pt
        if not codes or not set(codes) <= set(LANGUAGES):
            raise unfit("unknown_language")
        return ",".join(dict.fromkeys(codes))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that may be spoken; none where any may."""
        return tuple(self.language.split(",")) if self.language else ()

    def diarization(self) -> dict[str, Any]:
        """Return what the turns depend on; jobs with the same sound and these agree on them."""
        return {
            name: getattr(self, name)
            for name, field in JobOptions.model_fields.items()
            if isinstance(extra := field.json_schema_extra, Mapping)
            and extra.get("group") == "speakers"
            and name != "diarize"
        }


# what an older version, which did not know a setting, worked with
DEFAULTS: dict[str, Any] = {name: field.default for name, field in JobOptions.model_fields.items()}
