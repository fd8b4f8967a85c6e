"""The house as it stands: rooms, import arrows between them, and circles.

`python -m tools.structure` prints it; `tests/test_structure.py` holds it to `LAYERS`.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = "transcrevai_core"
MOST_MODULES = 15  # in a folder
MOST_LINES = {"pages": 150, "": 300}
# from the top down: a room may use its own and what stands on a line below its own
LAYERS = (
    ("app", "pages"),
    ("cli", "components"),
    ("ui",),
    ("web",),
    ("doctor", "tuning"),
    ("jobs", "notebook", "report"),
    ("figures",),
    ("library",),
    ("workers",),
    ("evaluation", "export", "memory"),
    ("diarization", "transcription"),
    ("models",),
    ("audio", "demo", "transcript"),
    ("codes", "errors", "i18n", "languages", "messages", "options", "rules", "settings", "types"),
)
RANK = {room: rank for rank, rooms in enumerate(reversed(LAYERS)) for room in rooms}
# what a Transcript shows in a notebook is imported when a notebook asks for it
LAZY = {("types", "notebook")}


def modules() -> list[Path]:
    """Return the files of the program, without those of its tests and tools."""
    found = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / CORE).rglob("*.py")]
    ways_in = {ROOT / CORE / "__init__.py", ROOT / CORE / "__main__.py"}
    return sorted(path for path in found if path not in ways_in)


def folder(path: Path) -> str:
    """Return the folder that a module lies in, as dotted names below the package.

    >>> folder(ROOT / "transcrevai_core" / "memory" / "plan.py"), folder(ROOT / "app.py")
    ('memory', 'app')
    """
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[1:] if parts[0] == CORE else parts
    return ".".join(parts[:-1]) or parts[0]


def imported(path: Path) -> Iterator[str]:
    """Yield the absolute names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def target(name: str) -> str | None:
    """Return the folder of an imported name of ours; None for a name of others."""
    parts = name.split(".")
    if parts[0] != CORE or len(parts) == 1:
        return None
    for end in range(len(parts), 1, -1):
        place = ROOT.joinpath(*parts[:end])
        if place.is_dir():
            return ".".join(parts[1:end])
        if place.with_suffix(".py").is_file():
            return folder(place.with_suffix(".py"))
    return None


def arrows() -> dict[tuple[str, str], list[str]]:
    """Return which folder imports from which, and the imports as `file: name`."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in modules():
        for name in imported(path):
            there = target(name)
            if there is not None and there != folder(path):
                found[folder(path), there].append(f"{path.relative_to(ROOT)}: {name}")
    return dict(found)


def upward() -> list[str]:
    """Return the imports that point up, or aside."""
    found = []
    for (here, there), names in arrows().items():
        one, other = here.split(".")[0], there.split(".")[0]
        if one != other and (one, other) not in LAZY and RANK[other] >= RANK[one]:
            down_there = RANK[other] == RANK[one] == 0  # the bottom is one room without a folder
            found += [] if down_there else names
    return found


def circles() -> list[set[str]]:
    """Return the sets of folders that import each other, directly or by way of others."""
    leads: dict[str, set[str]] = defaultdict(set)
    for here, there in arrows():
        bottom = RANK.get(here) == RANK.get(there) == 0
        if (here, there) not in LAZY and not bottom:
            leads[here].add(there)

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for there in leads[waiting.pop()] - seen:
                seen.add(there)
                waiting.append(there)
        return seen

    reached = {place: reach(place) for place in list(leads)}
    groups = {
        frozenset(b for b in reached if b in reached[a] and a in reached[b])
        for a in reached
        if a in reached[a]
    }
    return [set(group) for group in groups]


def _beside() -> list[Path]:
    """Return the files of tools and benchmarks."""
    return [path for room in ("tools", "benchmarks") for path in (ROOT / room).rglob("*.py")]


def crowded() -> dict[str, int]:
    """Return the folders with too many modules, `__init__` left aside, and how many they have."""
    count: dict[Path, int] = defaultdict(int)
    for path in [*modules(), *_beside(), *(ROOT / "tests").rglob("*.py")]:
        count[path.parent] += path.name != "__init__.py"
    return {str(p.relative_to(ROOT)): n for p, n in count.items() if n > MOST_MODULES}


def long() -> dict[str, int]:
    """Return the modules with too many lines, and how many they have."""
    found = {}
    for path in [*modules(), *_beside()]:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        most = MOST_LINES.get(path.parent.name, MOST_LINES[""])
        if lines > most:
            found[str(path.relative_to(ROOT))] = lines
    return found


def main() -> None:
    """Print the layers with their rooms, then what is wrong with them."""
    size: dict[str, list[int]] = defaultdict(list)
    for path in modules():
        size[folder(path)].append(len(path.read_text(encoding="utf-8").splitlines()))
    between = arrows()
    for rooms in LAYERS:
        for room in sorted(place for place in size if place.split(".")[0] in rooms):
            used = sorted(there for here, there in between if here == room)
            print(
                f"{room:24} {len(size[room]):3} files {sum(size[room]):6} lines -> {' '.join(used)}"
            )
        print()
    print(f"{len(size)} rooms, {len(LAYERS)} floors, {len(between)} arrows between rooms")
    print("imports that point up:", upward() or "none")
    print("circles:", [sorted(circle) for circle in circles()] or "none")
    print("crowded folders:", crowded() or "none")
    print("long modules:", long() or "none")


if __name__ == "__main__":
    main()
