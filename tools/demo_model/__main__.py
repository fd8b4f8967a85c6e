"""Command line: ``python -m tools.demo_model build|evaluate|samples``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.demo_model.build import Settings, build
from tools.demo_speech.samples import write_samples
from transcrevai_core.demo import MODEL_DIR


def _parser() -> argparse.ArgumentParser:
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="python -m tools.demo_model", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build_ = commands.add_parser("build", help="make the model and the samples from nothing")
    build_.add_argument("--out", type=Path, required=True, help="folder for all that is made")
    build_.add_argument("--steps", type=int, default=defaults.steps, help="training steps")
    build_.add_argument("--shards", type=int, default=defaults.shards, help="of 2,000 utterances")
    build_.add_argument("--seed", type=int, default=defaults.seed)
    build_.add_argument("--processes", type=int, default=defaults.processes)
    evaluate_ = commands.add_parser("evaluate", help="print the figures of a model")
    evaluate_.add_argument("model", type=Path, nargs="?", default=MODEL_DIR)
    evaluate_.add_argument("--clips", type=int, default=150, help="of each language")
    samples_ = commands.add_parser("samples", help="make the sample conversations")
    samples_.add_argument("--out", type=Path, required=True)
    return parser


def main() -> None:
    """Runs the command that the arguments name."""
    arguments = _parser().parse_args()
    if arguments.command == "build":
        settings = Settings(arguments.seed, arguments.shards, arguments.steps, arguments.processes)
        print(f"made {build(arguments.out, settings)}")
    elif arguments.command == "evaluate":
        from tools.demo_model.evaluate import evaluate

        evaluate(arguments.model, arguments.clips)
    else:
        write_samples(arguments.out)


if __name__ == "__main__":
    main()
