"""Settings that a page changes, kept in `config.toml` beside what the user wrote there."""

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import ValidationError
from pydantic_settings import PydanticBaseSettingsSource
from tomlkit.exceptions import TOMLKitError

from transcrevai_core.errors import SettingError, StorageError, refusal
from transcrevai_core.library.cache import write
from transcrevai_core.settings import SHARED, Settings, config_file, describe, load_settings


class _Alone(Settings):
    """Settings as they are given, wherever else there are some."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: Any, init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class _Overruled(Settings):
    """Settings as they are given, where the environment says nothing else."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: Any,
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        *_: Any,
        **__: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (env_settings, init_settings)


def current(**flags: Any) -> Settings:
    """Return what `load_settings` does; the sources are read anew only where one has changed.

    What is returned is everybody's: copy it to change it.
    """
    file = config_file()
    try:
        found = file.stat()
        state = found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    except OSError:  # there is none, or `load_settings` says what is wrong with it
        state = None
    return _load(file, state, Path.cwd(), tuple(os.environ.items()), tuple(flags.items()))


@lru_cache(maxsize=4)
def _load(file: Path, state: object, folder: str, environment: object, flags: Any) -> Settings:
    return load_settings(**dict(flags))


def overruled(names: Iterable[str]) -> dict[str, str]:
    """Return those settings that the environment fixes, with the variable that does it."""
    set_there = {key.upper() for key, value in os.environ.items() if value}
    found: dict[str, str] = {}
    for name in names:
        own = f"{Settings.model_config['env_prefix']}{name}".upper()
        for variable in (own, SHARED.get(name)):
            if variable in set_there:
                found.setdefault(name, str(variable))
    return found


def save(changes: Mapping[str, Any]) -> None:
    """Write settings to `config.toml`; None takes one away, so that its default counts again.

    What else stands in the file stays as it is, comments too. Raises SettingError with one
    sentence for a value out of its range, or one that does not go with the others, and
    StorageError where the file cannot be written; nothing is written then.
    """
    load_settings()  # a file that is not valid is reported in the same words as everywhere
    path = config_file().resolve()
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(before)
        for name, value in changes.items():
            if value is not None:
                document[name] = value
            elif name in document:
                document.remove(name)
        values = document.unwrap()
        _Alone(**values)
        _Overruled(**values)
        if (after := tomlkit.dumps(document)) != before:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, after.encode())
    except ValidationError as error:
        raise SettingError.of(describe(error)) from None
    except TOMLKitError as error:
        raise SettingError("{path} cannot be read: {error}.", path=path, error=error) from None
    except OSError as error:
        raise StorageError(
            "{path} cannot be written ({reason}); a folder with room, in which you may write, "
            "would be right.",
            path=path,
            reason=refusal(error),
        ) from error
