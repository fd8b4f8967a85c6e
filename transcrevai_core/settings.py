"""The settings of the program, and where they come from; those of a job are in `options`.

Sources, strongest first: flags, `TRANSCREVAI_*` in the environment, `WHISPER_MODEL` and
`WHISPER_PRELOAD`, then `config.toml` in the data directory.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from transcrevai_core.errors import SettingError, refusal
from transcrevai_core.i18n import mark
from transcrevai_core.messages import Message
from transcrevai_core.options import JobOptions
from transcrevai_core.rules import complaint, unfit


def default_home() -> Path:
    """The data directory: `TRANSCREVAI_HOME`, else the platform's own place."""
    named = os.environ.get("TRANSCREVAI_HOME")
    return Path(named or platformdirs.user_data_path("transcrevai")).expanduser().absolute()


def config_file() -> Path:
    """The file in which settings can be kept."""
    return default_home() / "config.toml"


SHARED = {"model": "WHISPER_MODEL", "preload": "WHISPER_PRELOAD"}  # with other Whisper programs

# what belongs together on the pages
_MEMORY: dict[str, Any] = {"group": "memory"}
_STORAGE: dict[str, Any] = {"group": "storage"}
_RETENTION: dict[str, Any] = {"group": "retention", "unit": "days"}


def _percent(default: float, description: str) -> Any:
    return Field(
        default,
        ge=10,
        le=99,
        allow_inf_nan=False,
        description=description,
        validate_default=True,  # one that was raised may overtake the next one's default
        json_schema_extra=_MEMORY | {"unit": "%"},
    )


def _days(description: str) -> Any:
    return Field(None, ge=1, le=36_500, description=description, json_schema_extra=_RETENTION)


class Settings(BaseSettings, JobOptions):
    """Everything that can be set: the defaults of new jobs, and how the program itself runs."""

    model_config = SettingsConfigDict(
        env_prefix="TRANSCREVAI_", env_ignore_empty=True, extra="forbid", validate_default=False
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("emergency_percent", "kill_percent")
    @classmethod
    def _rising(cls, value: float, info: ValidationInfo) -> float:
        first = info.field_name == "emergency_percent"
        below = "degraded_percent" if first else "emergency_percent"
        if value < info.data.get(below, 0.0):
            raise unfit("other_setting", other=below)
        return value

    home: Path = Field(
        default_factory=default_home, description=mark("where recordings and transcripts are kept")
    )
    preload: bool = Field(
        False,
        description=mark("load the model when the program starts, before the first job"),
        json_schema_extra={"group": "models"},
    )
    interface_language: Literal["auto", "en", "pt_BR"] = Field(
        "auto",
        description=mark("the language of the pages; auto takes the browser's"),
        json_schema_extra={"group": "interface"},
    )
    author: str = Field(
        "",
        max_length=80,
        description=mark("your name, which notes and versions bear"),
        json_schema_extra={"group": "interface"},
    )
    begin_at_once: bool = Field(
        False,
        description=mark("transcribe what is dropped without asking"),
        json_schema_extra={"group": "interface"},
    )
    resume_seconds: float = Field(
        1.5,
        ge=0,
        le=10,
        allow_inf_nan=False,
        description=mark("how far back the sound goes on after a pause"),
        json_schema_extra={"group": "interface", "unit": "s"},
    )
    download_stall_seconds: float = Field(
        60.0,
        ge=1,
        le=3_600,
        allow_inf_nan=False,
        description=mark("a download that brings nothing for so long is given up"),
        json_schema_extra={"group": "models", "unit": "s"},
    )

    memory_budget_mb: int | None = Field(
        None,
        ge=200,
        le=10_000_000,
        description=mark(
            "how much memory the program may take, with its workers; half of this "
            "computer's where it is not given"
        ),
        json_schema_extra=_MEMORY | {"unit": "MB"},
    )
    degraded_percent: float = _percent(
        75, mark("from this share of the memory in use no job begins, and idle models leave")
    )
    emergency_percent: float = _percent(
        80, mark("from this share jobs go on with the smallest model and short chunks")
    )
    kill_percent: float = _percent(
        85, mark("from this share the largest worker is ended and waits")
    )
    prepare_limit_mb: int = Field(
        256,
        ge=150,
        le=100_000,
        description=mark("how much memory the worker that reads recordings may take"),
        json_schema_extra=_MEMORY | {"unit": "MB"},
    )
    diarization_limit_mb: int = Field(
        512,
        ge=200,
        le=100_000,
        description=mark(
            "how much memory the worker that tells speakers apart may take; of very long "
            "recordings, what is forecast"
        ),
        json_schema_extra=_MEMORY | {"unit": "MB"},
    )
    work_cores: int | None = Field(
        None,
        ge=1,
        le=1_024,
        description=mark(
            "how many processors work on recordings; all but two where it is not given"
        ),
        json_schema_extra=_MEMORY | {"unit": "cores"},
    )
    restart_seconds: float = Field(
        2.0,
        ge=0,
        le=30,
        allow_inf_nan=False,
        description=mark(
            "pause before a worker that died is started again; it doubles each time, up to 30 s"
        ),
        json_schema_extra=_MEMORY | {"unit": "s"},
    )
    hang_seconds: float = Field(
        30.0,
        ge=2,
        le=3_600,
        allow_inf_nan=False,
        description=mark("a worker that gives no sign of life for so long is replaced"),
        json_schema_extra=_MEMORY | {"unit": "s"},
    )
    model_idle_seconds: float = Field(
        300.0,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description=mark("how long an idle model stays in memory"),
        json_schema_extra=_MEMORY | {"unit": "s"},
    )

    agreement_percent: float = Field(
        90.0,
        ge=0,
        le=100,
        allow_inf_nan=False,
        description=mark(
            "a compute type whose words agree less with float32's, as a check found, is "
            "passed over for its model"
        ),
        json_schema_extra={"group": "models", "unit": "%"},
    )

    cache_hours: float = Field(
        24.0,
        ge=0,
        le=8_760,
        allow_inf_nan=False,
        description=mark("how long voices and turns can be found again without hearing the sound"),
        json_schema_extra=_STORAGE | {"unit": "h"},
    )
    cache_entries: int = Field(
        100,
        ge=0,
        le=100_000,
        description=mark("how many of them are kept at most"),
        json_schema_extra=_STORAGE,
    )
    cache_mb: int = Field(
        500,
        ge=0,
        le=1_000_000,
        description=mark("how much room they may take on disk"),
        json_schema_extra=_STORAGE | {"unit": "MB"},
    )
    sound_days: int | None = _days(
        mark(
            "days after which the sound of a recording that nobody works on is deleted; "
            "its text and speakers stay"
        )
    )
    job_days: int | None = _days(
        mark(
            "days after which a recording that nobody works on is deleted for good, with "
            "all that was made of it"
        )
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        *_: Any,
        **__: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the sources in the order that this module's head states."""
        shared = {name: os.environ[key] for name, key in SHARED.items() if os.environ.get(key)}
        return (
            init_settings,
            env_settings,
            InitSettingsSource(settings_cls, shared),
            TomlConfigSettingsSource(settings_cls, config_file()),
        )

    def job_options(self, overrides: Mapping[str, Any] | None = None) -> JobOptions:
        """Return the options of a new job: these settings, with `overrides` that are not None.

        Raises SettingError with one sentence for a value out of its range.
        """
        values = {name: getattr(self, name) for name in JobOptions.model_fields}
        values |= {k: v for k, v in (overrides or {}).items() if v is not None}
        try:
            return JobOptions(**values)
        except ValidationError as error:
            raise SettingError.of(describe(error)) from None


def load_settings(**flags: Any) -> Settings:
    """Read all sources; `flags` that are not None win.

    Raises SettingError with one sentence for an unknown name or a value out of its range.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingError.of(describe(error)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(
            "{file} is not valid TOML in UTF-8: {error}.", file=str(config_file()), error=str(error)
        ) from None
    except OSError as error:
        raise SettingError(
            "{file} cannot be read: {reason}.", file=str(config_file()), reason=refusal(error)
        ) from None


def describe(error: ValidationError) -> Message:
    """Say pydantic's first complaint about a setting, as `rules.complaint` does."""
    return complaint(error, Settings.model_fields)
