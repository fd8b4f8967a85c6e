"""Gather what people read from the sources into gettext catalogues: `python -m tools.catalogues`.

Texts are what `_`, `plural` and `mark` are called with. What the core says in plain English is
found where it is said: errors, notes, events, stages, the returns of functions that say causes,
and what settings declare; an f-string becomes a text with places (`{name}`, or `{a}`, `{b}` for
what has no name), which `texts.told` matches as a pattern.
"""

import ast
import re
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from transcrevai_core import errors
from transcrevai_core.i18n import LANGUAGES, SOURCE
from transcrevai_core.languages import LANGUAGES as SPOKEN

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "transcrevai_core" / "locale"
DOMAIN = "transcrevai"
MARKS = {"_": 1, "mark": 1, "plural": 2}  # how many of the first arguments are one text
# which argument of a call is read by people
SAYS = {name: 0 for name, kind in vars(errors).items() if isinstance(kind, type)}
SAYS |= {"Refused": 1, "event": 1, "add_event": 2, "note": 0, "ValueError": 0, "_percent": 1}
SAYS |= {"Grouping": 3, "Diarization": 3, "tell": 0, "on_progress": 0}
# a worker's name stands in what is told of it
SAYS |= {"Worker": 0, "worker": 0, "careful_worker": 0, "errand": 0}
NAMED = {
    "update": {"stage"},
    "update_job": {"stage", "error"},
    "end_job": {"error"},
    "Field": {"description"},
}  # by name
# functions whose answer, or what they append to it, is read by people, by module
ANSWERS = {
    "jobs/attempt": ("reason", "sentence"),
    "memory/plan": ("differences", "_nearest"),
    "library/precision": ("verdict",),
    "doctor/costs": ("_sentence",),
    "diarization/grouping": ("choose",),
    "errors": ("refusal",),
    "memory/levels": ("_cause",),
    "library/journal": ("degrading",),
    "jobs/pipeline": ("_about",),
    "jobs/governor": ("admit", "_act"),
    "library/rows": ("sound_gone", "_in_vain"),
    "evaluation/scoring": ("der_policy",),
    "settings": ("describe",),
    "transcription/loading": ("_network_reason", "load"),
}
_BEGUN = datetime(2026, 1, 1, tzinfo=UTC)  # a date that moved would change files for nothing

Text = str | tuple[str, str]


def sources() -> list[Path]:
    """Return the files that hold texts."""
    folders = (ROOT / "pages", ROOT / "transcrevai_core")
    found = [path for folder in folders for path in folder.rglob("*.py") if "cli" not in path.parts]
    return sorted([ROOT / "app.py", *found])


def texts_of(path: Path) -> Iterator[Text]:
    """Yield the texts of a file: a string, or the two forms of a plural.

    Raises LookupError where a function of `ANSWERS` is gone.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    whole = _assigned(tree.body)
    module = path.relative_to(ROOT).with_suffix("").as_posix().removeprefix("transcrevai_core/")
    missing = set(ANSWERS.get(module, ()))
    yield from _inside(tree, {}, whole, missing)
    if missing:
        raise LookupError(f"{path.name} has no function {', '.join(sorted(missing))} any more.")


Names = dict[str, list[ast.expr]]


def _assigned(body: list[ast.stmt]) -> Names:
    """Return what is assigned to each name in a block, at any depth but in inner functions."""
    found: Names = {}
    for node in _walk(body):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for one, value in zip(target.elts, node.value.elts, strict=False):
                        if isinstance(one, ast.Name):
                            found.setdefault(one.id, []).append(value)
    return found


def _walk(body: list[ast.stmt]) -> Iterator[ast.AST]:
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    waiting: list[ast.AST] = [*body]
    while waiting:
        node = waiting.pop(0)
        if not isinstance(node, inner):
            yield node
            waiting[:0] = ast.iter_child_nodes(node)


def _inside(node: ast.AST, local: Names, whole: Names, missing: set[str]) -> Iterator[Text]:
    for child in ast.iter_child_nodes(node):
        names = local
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            names = local | _assigned(child.body)
            if child.name in missing:
                missing.discard(child.name)
                yield from _answers(child, names, whole)
        if isinstance(child, ast.Call):
            yield from _call(child, names, whole)
        yield from _inside(child, names, whole, missing)


def _answers(function: ast.AST, local: Names, whole: Names) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value:
            yield from _said(node.value, local, whole)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "append":
            yield from _said(node.args[0], local, whole)


def _call(call: ast.Call, local: Names, whole: Names) -> Iterator[Text]:
    name = str(getattr(call.func, "id", None) or getattr(call.func, "attr", ""))
    if number := MARKS.get(name):
        forms = [str(arg.value) for arg in call.args[:number] if isinstance(arg, ast.Constant)]
        if len(forms) == number:
            yield forms[0] if number == 1 else (forms[0], forms[1])
    elif name in SAYS:
        last = None if name == "note" else SAYS[name] + 1
        for argument in call.args[SAYS[name] : last]:
            yield from _said(argument, local, whole)
    for keyword in call.keywords:
        if (keyword.arg or "") in NAMED.get(name, ()):
            yield from _said(keyword.value, local, whole)


def _said(node: ast.expr, local: Names, whole: Names) -> Iterator[str]:
    """Yield what an expression can say, and what the names in it can."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and any(char.isalpha() for char in node.value):
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        text = _with_places(node, local, whole)
        if any(char.isalpha() for char in re.sub(r"\{\w+\}", "", text)):
            yield text
        for piece in node.values:
            if isinstance(piece, ast.FormattedValue) and not isinstance(piece.value, ast.Call):
                yield from _said(piece.value, local, {})
    elif isinstance(node, ast.Name):
        known = {name: values for name, values in local.items() if name != node.id}
        for value in local.get(node.id, whole.get(node.id, ())):
            yield from _said(value, known, whole)
    elif isinstance(node, ast.IfExp):
        yield from (*_said(node.body, local, whole), *_said(node.orelse, local, whole))
    elif isinstance(node, ast.BoolOp | ast.List | ast.Tuple):
        for value in node.values if isinstance(node, ast.BoolOp) else node.elts:
            yield from _said(value, local, whole)
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format":
        assert isinstance(node.func, ast.Attribute)
        yield from _said(node.func.value, local, whole)
    elif isinstance(node, ast.Starred):
        yield from _said(node.value, local, whole)


def _with_places(node: ast.JoinedStr, local: Names, whole: Names) -> str:
    """Write an f-string with named places; a constant of the module is written out."""
    used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    letters = (letter for letter in string.ascii_lowercase if letter not in used)
    text = ""
    for piece in node.values:
        if isinstance(piece, ast.Constant):
            text += str(piece.value).replace("{", "{{").replace("}", "}}")
        elif isinstance(piece, ast.FormattedValue) and isinstance(piece.value, ast.Name):
            name = piece.value.id
            fixed = [] if name in local else whole.get(name, [])
            value = fixed[0].value if fixed and isinstance(fixed[0], ast.Constant) else None
            text += value if isinstance(value, str) else f"{{{name}}}"
        else:
            text += f"{{{next(letters)}}}"
    return text


def template() -> Catalog:
    """Return the catalogue of all texts and the files that they are in."""
    catalog = Catalog(project="TranscrevAI", charset="utf-8", fuzzy=False, creation_date=_BEGUN)
    catalog.header_comment = "# What people read in TranscrevAI; made by tools/catalogues.py."
    for path in sources():
        place = [(str(path.relative_to(ROOT)), 0)]
        for text in texts_of(path):
            catalog.add(text, locations=place)
    for name in SPOKEN.values():
        catalog.add(name, locations=[("transcrevai_core/languages.py", 0)])
    return catalog


def translated(code: str, texts: Catalog) -> Catalog:
    """Return a language's catalogue with exactly the texts that there are now."""
    file = _file(code, "po")
    catalog = Catalog(locale=code)
    if file.exists():
        with file.open("rb") as old:
            catalog = read_po(old, locale=code)
    catalog.update(texts, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.header_comment = texts.header_comment
    catalog.project, catalog.version, catalog.revision_date = texts.project, "", _BEGUN
    catalog.fuzzy = False
    return catalog


def untranslated(catalog: Catalog) -> list[Text]:
    """Return the texts of a catalogue that have no translation."""
    empty: list[Any] = []  # Babel knows a message by its text, or by both its forms
    for message in catalog:
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and (message.fuzzy or not all(forms)):
            empty.append(message.id)
    return empty


def _file(code: str, kind: str) -> Path:
    return LOCALE / code / "LC_MESSAGES" / f"{DOMAIN}.{kind}"


def main() -> None:
    """Write all catalogues anew, and say what is still to be translated."""
    texts = template()
    LOCALE.mkdir(exist_ok=True)
    with (LOCALE / f"{DOMAIN}.pot").open("wb") as file:
        write_po(file, texts, sort_output=True, include_lineno=False, width=100)
    for code in LANGUAGES:
        if code == SOURCE:
            continue
        catalog = translated(code, texts)
        _file(code, "po").parent.mkdir(parents=True, exist_ok=True)
        with _file(code, "po").open("wb") as file:
            write_po(file, catalog, sort_output=True, include_lineno=False, width=100)
        with _file(code, "mo").open("wb") as file:
            write_mo(file, catalog)
        missing = untranslated(catalog)
        print(f"{code}: {len(catalog)} texts, {len(missing)} untranslated")
        for text in missing:
            print(f"  {text}")


if __name__ == "__main__":
    main()
