"""What is to be clean before a change is handed on: `python -m tools.check [--all]`.

Linters for Python, JavaScript and CSS, the type checker, and the quick tests; with `--all` every
test. Goes on after what fails, so that one run says everything.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LINTERS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("biome", "lint", "--error-on-warnings"),
    ("mypy",),
)


def main() -> int:
    """Run all checks; return 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--all", action="store_true", help="run every test, not the quick ones")
    parser.add_argument("--no-tests", action="store_true", help="linters and types alone")
    arguments = parser.parse_args()
    checks = list(LINTERS)
    if not arguments.no_tests:
        checks.append(("pytest",) if arguments.all else ("pytest", "-m", "not slow"))
    failed = []
    for check in checks:
        print("+", *check, flush=True)
        if check[0] == "biome" and not (BIN / "biome").exists():
            print("biome has no wheel for this platform; CI runs it")
            continue
        if subprocess.run([BIN / check[0], *check[1:]], cwd=ROOT, check=False).returncode:
            failed.append(" ".join(check))
    print("clean" if not failed else f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
