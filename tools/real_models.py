"""Fetch a real Whisper and print its folder: `python -m tools.real_models base`.

For tests marked `real` and for benchmarks. Exits with 1, and one sentence, where it cannot be had.
"""

import argparse
import sys

from transcrevai_core.errors import TranscrevaiError
from transcrevai_core.jobs.models import fetch_model
from transcrevai_core.models.catalogue import locate
from transcrevai_core.settings import load_settings


def main() -> int:
    """Fetch the models that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="+", metavar="NAME", help="a model's name, such as base")
    for name in parser.parse_args().names:
        try:
            print(fetch_model(name, load_settings()))
        except TranscrevaiError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def why_absent(name: str) -> str:
    """Say why a test that needs a model cannot run; empty where it can."""
    if locate(name):
        return ""
    return f"the model {name} is not on this computer; python -m tools.real_models {name} gets it"


if __name__ == "__main__":
    sys.exit(main())
