"""The catalogues hold what the sources say, and the pages say nothing that is not in them."""

import ast
import errno
import gettext
import io
import re
import string
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from paging import bars, fill, open_page
from streamlit.testing.v1 import AppTest

from tools import catalogues
from tools.serving import CEILING
from transcrevai_core import demo, ui
from transcrevai_core import i18n as texts
from transcrevai_core.codes import Cause, Note, Stage, WorkerName, worker_name
from transcrevai_core.components import fields
from transcrevai_core.components.search import fold
from transcrevai_core.errors import InputError, SettingError, refusal
from transcrevai_core.evaluation import scoring
from transcrevai_core.evaluation.annotation import Annotation, Utterance
from transcrevai_core.languages import LANGUAGES
from transcrevai_core.library import precision
from transcrevai_core.library.journal import Journal
from transcrevai_core.library.precision import Check, Measure
from transcrevai_core.library.store import Store
from transcrevai_core.messages import Message
from transcrevai_core.settings import Settings
from transcrevai_core.types import Turn

ROOT = catalogues.ROOT
ROUTER = ROOT / "pages" / "_router.py"
PORTUGUESE = catalogues.LOCALE / "pt_BR" / "LC_MESSAGES"
PLACE = re.compile(r"\{\w+[^}]*\}")
AGAIN = "run `python -m tools.catalogues`"


def forms(text: Any) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, tuple | list) else (text,)


def places(text: str) -> set[str]:
    return {name for _before, name, *_rest in string.Formatter().parse(text) if name}


@pytest.fixture(scope="module")
def template() -> Any:
    return catalogues.template()


@pytest.fixture(scope="module")
def portuguese() -> Any:
    with (PORTUGUESE / "transcrevai.po").open("rb") as file:
        return read_po(file, locale="pt_BR")


@pytest.fixture
def in_portuguese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_find", lambda: "pt_BR")


def test_every_text_is_translated_with_its_places(template: Any, portuguese: Any) -> None:
    assert {m.id for m in portuguese} == {m.id for m in template}, AGAIN
    assert not catalogues.untranslated(portuguese) and not portuguese.obsolete
    for message in portuguese:
        wanted = set().union(*(places(form) for form in forms(message.id)))
        for form in forms(message.string) if message.id else ():
            assert places(form) | {"number"} == wanted | {"number"}, form
            assert not re.search(r"[,;:]\.", PLACE.sub("", form)), form
            assert form.strip("., :") and form[:1].isspace() == forms(message.id)[0][:1].isspace()


def test_the_files_are_those_that_the_sources_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {path.relative_to(catalogues.LOCALE): path.read_bytes() for path in
            catalogues.LOCALE.rglob("*.*o*")}  # fmt: skip
    assert len(kept) == 3
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path / "locale")
    for path, content in kept.items():
        (tmp_path / "locale" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "locale" / path).write_bytes(content)
    catalogues.main()
    for path, content in kept.items():
        made = (tmp_path / "locale" / path).read_bytes()
        assert meaning(made) == meaning(content), f"{path}: {AGAIN}"


def meaning(content: bytes) -> Any:
    """Return what a catalogue says, but for the version of Babel that wrote it."""
    if content.startswith(b"#"):
        return [line for line in content.splitlines() if b"Generated-By" not in line]
    texts = dict(gettext.GNUTranslations(io.BytesIO(content))._catalog)  # type: ignore[attr-defined]
    return {source: text for source, text in texts.items() if source}


def test_texts_are_found_in_sources_also_inside_of_f_strings(tmp_path: Path) -> None:
    file = tmp_path / "said.py"
    file.write_text(
        "raise InputError('There is no file {path}; a recording '\n"
        "    'would be right.', path=path)\n"
        "raise WorkerDied('The {name} worker died.', 'memory', name='x')\n"
        "plural('{number} job', '{number} jobs', 2)\n"
        """st.write(f"**{_('Together')}** {_('in all', n=1)}")\n"""
        "WAITS = 'waits', mark('waiting')\n"
        "log.info('not for people')\n"
    )
    assert sorted(map(str, catalogues.texts_of(file))) == sorted(
        [
            "There is no file {path}; a recording would be right.", "The {name} worker died.",
            "('{number} job', '{number} jobs')", "Together", "in all", "waiting",
        ]
    )  # fmt: skip


def test_every_setting_has_a_name() -> None:
    assert set(fields._LABELS) == set(Settings.model_fields)


# -- the lint ----------------------------------------------------------------------------------

SHOWN = {"label", "help", "placeholder", "text", "value", "alt", "title", "body"}
CALLS = {
    "badge", "button", "caption", "checkbox", "dialog", "download_button", "error", "expander",
    "form_submit_button", "header", "info", "markdown", "metric", "multiselect", "number_input",
    "page_link", "pills", "popover", "progress", "radio", "segmented_control", "select_slider",
    "selectbox", "slider", "spinner", "status", "subheader", "success", "tabs", "text", "text_area",
    "text_input", "title", "toast", "toggle", "warning", "write", "audio_input", "file_uploader",
    "invite", "Page",
}  # fmt: skip
WORDS = re.compile(r"[^\W\d_]{2,}")
FREE = {
    "TranscrevAI",
    "GB",
    "MB",
    "min",
    "RTF",
    "WER",
    "CER",
    "DER",
    "cpWER",
}  # the same in every language
MARKUP = re.compile(
    r":material/\w+:|:[a-z]+-badge\[|:[a-z]+\[|-badge\[|&\w+;|`[^`]*`|<[^>]*>|\{\w+\}"
)


def literals(node: ast.expr) -> list[str]:
    """Return the words that an expression shows as they stand, but for what `_` translates."""
    if isinstance(node, ast.Constant):
        text = MARKUP.sub(" ", node.value) if isinstance(node.value, str) else ""
        return [word for word in WORDS.findall(text) if word not in FREE]
    if isinstance(node, ast.JoinedStr | ast.BoolOp):
        return [word for value in node.values for word in literals(value)]
    if isinstance(node, ast.FormattedValue):
        return literals(node.value) if isinstance(node.value, ast.IfExp) else []
    if isinstance(node, ast.IfExp):
        return literals(node.body) + literals(node.orelse)
    if isinstance(node, ast.BinOp):
        return literals(node.left) + literals(node.right)
    if isinstance(node, ast.List | ast.Tuple):
        return [word for value in node.elts for word in literals(value)]
    return []


PAGES = [*(ROOT / "pages").glob("*.py"), *(ROOT / "transcrevai_core/components").rglob("*.py"),
         ROOT / "app.py", ROOT / "transcrevai_core/ui.py"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_no_page_shows_a_text_that_is_not_translated(path: Path) -> None:
    bare = []
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = getattr(getattr(call, "func", None), "attr", "")
        if isinstance(call, ast.Call) and name in CALLS:
            shown = [*call.args[:1], *(k.value for k in call.keywords if k.arg in SHOWN)]
            shown = shown if name != "Page" else shown[1:]
            bare += [f"line {call.lineno}: {w}" for node in shown for w in literals(node)]
    assert not bare


# -- what a reader of Portuguese sees ----------------------------------------------------------


def all_texts(app: AppTest) -> str:
    """Return everything that a page says, with labels, helps and choices."""
    found: list[str] = []
    for element in app.main:
        proto = getattr(element, "proto", None)
        for name in ("label", "help", "placeholder", "body", "text", "alt", "options"):
            said = getattr(proto, name, "")
            found += [said] if isinstance(said, str) else [str(value) for value in said]
        found += [tab.label for tab in getattr(element, "children", {}).values()
                  if isinstance(getattr(tab, "label", None), str)]  # fmt: skip
    return "\n".join(found).replace("\\", "")


def english(page: str) -> list[str]:
    """Return the texts that have a translation and are shown in English all the same."""
    catalogue: dict[Any, str] = texts._catalogue("pt_BR")._catalog  # type: ignore[attr-defined]
    left = []
    page = re.sub(r":material/\w+:|<script>.*?</script>", "", page, flags=re.DOTALL)
    for source, text in catalogue.items():
        source = source[0] if isinstance(source, tuple) else source
        words = PLACE.split(source)
        letters = sum(char.isalpha() for word in words for char in word)
        known = letters > (3 if len(words) < 2 else 8)
        pattern = r"(?<!\w)" + ".+".join(map(re.escape, words)) + r"(?!\w)"
        known = known and source not in texts.LANGUAGES.values()  # the switch names them so
        if known and source != text and re.search(pattern, page):
            left.append(source)
    return left


@pytest.fixture
def portuguese_app(store: Store, in_portuguese: None) -> AppTest:
    gone = Message("The model {model} is gone; run the job again to fetch it.", {"model": "small"})
    waits = Stage.WAITING_FOR_MEMORY(cause=Cause.MACHINE(share=0.8))
    fill(store, "Reunião")
    fill(store, "Entrevista", state="failed", error=gone)
    fill(store, "Aula", state="queued", stage=waits)
    journal = Journal(store.database, "")
    journal.add_event("recovered", "normal", Cause.JOBS_RECOVERED(number=2))
    over = Cause.BUDGET(taken=900, budget=600)
    ended = Cause.WORKER_ENDED(worker=worker_name("transcription"), cause=over)
    journal.add_event("action", "kill", ended)
    app = AppTest.from_file(str(ROUTER), default_timeout=CEILING)
    app.session_state[ui.LANGUAGE] = "pt_BR"
    return app


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("transcribe.py", "2 tarefas recuperadas: o que estava pronto foi mantido"),
        ("library.py", "Buscar nos títulos e no que foi dito"),
        ("memory.py", "O processo de transcrição foi encerrado: o programa ocupa 900 MB do seu"),
        ("settings.py", "metade da memória deste computador"),
        ("transcript.py", "Toda a fala virou texto"),
        ("tuning.py", "Ainda não há gravação pronta."),
        ("evaluation.py", "Referência: o que é realmente dito, ou quem realmente fala e quando"),
    ],
)
def test_a_reader_of_portuguese_is_told_everything_in_it(
    portuguese_app: AppTest, name: str, said: str
) -> None:
    page = all_texts(open_page(portuguese_app, name))
    assert said in page
    assert not english(page)


def test_a_check_of_a_model_is_told_in_portuguese(portuguese_app: AppTest, store: Store) -> None:
    measures = Measure("int8", "int8", 0.997, None, 0, 0.1), Measure("float32", "", 1, None, 0, 0.1)
    check = precision.new_check("demo", {demo.SAMPLES["en"]: 6}, demo.MODEL_DIR, measures)
    precision.save(store.database, check, demo.MODEL_DIR)
    app = open_page(portuguese_app, "evaluation.py")
    numbers = next(tab for tab in app.tabs if "INT8" in tab.label)
    app.session_state["evaluation_section"] = numbers.label
    app.run()
    assert app.success[0].value.startswith("99,7% das palavras")
    assert any(
        "6 trechos de Reunião de exemplo (inglês)" in c.value.replace("\\", "") for c in app.caption
    )


def test_waiting_and_refusals_are_told_in_portuguese(portuguese_app: AppTest) -> None:
    app = open_page(portuguese_app, "transcribe.py")
    assert "Aguardando memória: 80% da memória deste computador está em uso" in bars(app)
    next(t for t in app.text_input if "Caminho" in t.label).set_value("/nowhere/a.mp3")
    next(b for b in app.button if b.label == "Adicionar").click().run()
    said = "O arquivo /nowhere/a.mp3 não existe; informe o caminho completo de uma gravação."
    assert [error.value.replace("\\", "") for error in app.error] == [said]


@pytest.mark.parametrize(
    ("message", "portuguese"),
    [
        (
            Note.LIGHTER_FROM(time="1:02", change=Message("the model {model}", {"model": "tiny"})),
            "Faltou memória: a partir de 1:02, o texto é feito com o modelo tiny.",
        ),
        (
            Note.NO_SPEAKERS(reason=Message("The disk is full.")),
            "Não foi possível descobrir quem falou quando: ",
        ),
        (Stage.WAITING_FOR_PROCESSOR(), "aguardando um processador"),
        (Cause.MACHINE(share=0.8), "80% da memória deste computador está em uso"),
        (
            InputError("{name} could not be written: {reason}.", name="ata.txt",
                       reason=refusal(OSError(errno.ENOSPC, ""))).message,
            "Não foi possível gravar ata.txt: o disco está cheio.",
        ),
    ],
)  # fmt: skip
def test_what_the_core_says_is_said_in_portuguese(
    in_portuguese: None, message: Message, portuguese: str
) -> None:
    assert texts.say(message).startswith(portuguese)


def test_what_evaluation_says_is_told_in_portuguese(in_portuguese: None) -> None:
    text, turns = Annotation((Utterance("oi"),)), Annotation(turns=(Turn(0, 1, "a"),))
    named = Annotation((Utterance("oi", 0, 1, "a"),), turns.turns)
    missing = [
        sentence
        for pair in ((text, turns), (turns, text), (named, text), (text, named))
        for sentence in scoring.score(*pair).missing
    ]
    assert len({*missing}) == 6
    measure = Measure("int8", "int8_float32", 0.95, None, 0, 0.1)
    check = Check(0.0, "base", {"a.wav": 3}, 0, (measure,))
    policies = [scoring.der_policy(collar, skip) for collar in (0, 0.25) for skip in (True, False)]
    verdicts = [precision.verdict(check, percent) for percent in (90, 99)]
    assert all(texts.say(verdict).startswith("95,0% das") for verdict in verdicts)
    for sentence in (*missing, *policies, *verdicts, Message(scoring.CPWER)):
        words = {*re.findall(r"[a-z]{3,}", texts.say(sentence))}
        assert not words & {"the", "not", "scored", "words", "left", "boundary", "agree", "goes"}


def test_what_a_setting_may_be_is_told_in_portuguese(in_portuguese: None) -> None:
    with pytest.raises(SettingError) as caught:
        Settings().job_options({"clustering": "x"})
    told = texts.say(caught.value.message)
    assert "um destes: 'auto', 'agglomerative', 'spectral', 'k-means', 'vbx' (" in told


def test_each_worker_is_named_in_portuguese(in_portuguese: None) -> None:
    same = {"download"}  # as Brazilians say it
    assert {name.value for name in WorkerName if texts.say(name) == name.text} == same


def test_languages_are_sorted_by_their_own_names(in_portuguese: None) -> None:
    names = [ui.language_name(code) for code in LANGUAGES]
    assert len(set(names)) == len({*LANGUAGES.values()})
    assert ui.language_name("de") == "Alemão" and ui.language_name(None) == "desconhecido"
    assert fold("Árabe") < fold("Azerbaijano")


def test_dates_and_numbers_are_those_of_brazil(in_portuguese: None) -> None:
    assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d", ui.date(1_700_000_000))
    assert ui.date(1_700_000_000).startswith(("14/11/2023", "15/11/2023"))


def test_what_was_chosen_is_kept(store: Store) -> None:
    app = AppTest.from_file(str(ROUTER), default_timeout=CEILING).run()
    assert app.title[0].value == "Transcribe"
    language: Any = app.get("button_group")[-1]
    language.set_value("pt_BR").run()
    assert app.title[0].value == "Transcrever"
    assert ui.settings().interface_language == "pt_BR"
    other = AppTest.from_file(str(ROUTER), default_timeout=CEILING).run()
    assert other.title[0].value == "Transcrever"
