"""Gather what people read from the sources into gettext catalogues: `python -m tools.catalogues`.

Babel finds the texts: what `_`, `plural`, `mark` and `Message` are called with, and the templates
of errors. They are literals, so that nothing has to be guessed; a test says where one is not.
"""

import ast
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from transcrevai_core import errors
from transcrevai_core.i18n import LANGUAGES, SOURCE
from transcrevai_core.languages import LANGUAGES as SPOKEN

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "transcrevai_core" / "locale"
DOMAIN = "transcrevai"
# what takes a text, and which of its arguments that is (the first one, where nothing is said)
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "mark": None,
    "Message": None,
    "plural": (1, 2),
    "Refused": None,
    **{name: None for name, kind in vars(errors).items() if isinstance(kind, type)},
}
_BEGUN = datetime(2026, 1, 1, tzinfo=UTC)  # a date that moved would change files for nothing

Text = str | tuple[str, ...]


def sources() -> list[Path]:
    """Return the files that hold texts for pages; the command line speaks English."""
    folders = (ROOT / "pages", ROOT / "transcrevai_core")
    found = [path for folder in folders for path in folder.rglob("*.py") if "cli" not in path.parts]
    return sorted([ROOT / "app.py", *found])


def texts_of(path: Path) -> Iterator[Text]:
    """Yield the texts of a file: a string, or the two forms of a plural."""
    source = path.read_text(encoding="utf-8")
    # Babel's extractor does not look into f-strings
    inside = [
        ast.unparse(call)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.JoinedStr)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
    ]
    whole = io.BytesIO("\n".join([source, *inside]).encode())
    for _line, text, *_more in extract("python", whole, KEYWORDS):
        yield text


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
