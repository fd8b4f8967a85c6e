"""Fetch a real Whisper and print its folder: `python -m tools.real_models base`.

`voices` makes the voice models in the folder that TRANSCREVAI_VOICE_MODELS names.

For tests marked `real` and for benchmarks. Exits with 1, and one sentence, where it cannot be had.
"""

import argparse
import os
import sys
from pathlib import Path

from transcrevai_core.errors import SettingError, TranscrevaiError
from transcrevai_core.jobs.models import fetch_model
from transcrevai_core.models.catalogue import VOICE_FOLDER, locate
from transcrevai_core.settings import load_settings


def main() -> int:
    """Fetch the models that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="+", metavar="NAME", help="a model's name, such as base")
    for name in parser.parse_args().names:
        try:
            if name == "voices":
                print(make_voices())
                continue
            print(fetch_model(name, load_settings()))
        except TranscrevaiError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def make_voices() -> Path:
    """Make the voice models and return their folder; raises SettingError where none is named."""
    from tools import voice_models  # torch

    if not (folder := os.environ.get(VOICE_FOLDER)):
        raise SettingError("{name} names no folder for the voice models.", name=VOICE_FOLDER)
    voice_models.make(Path(folder).expanduser())
    return Path(folder).expanduser()


def why_absent(name: str) -> str:
    """Say why a test that needs a model cannot run; empty where it can."""
    if locate(name):
        return ""
    return f"the model {name} is not on this computer; python -m tools.real_models {name} gets it"


if __name__ == "__main__":
    sys.exit(main())
