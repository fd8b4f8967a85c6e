"""Reports of meetings: what is found in a transcript made by hand, and the files as others read."""

import base64
import io
import re
import threading
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import docx
import pytest
from conftest import ROUTER, known, wait_until
from docx.oxml.ns import qn
from paging import checked, fill_speakers, open_page, press
from PIL import Image
from streamlit.testing.v1 import AppTest
from typer.testing import Result

from tools.serving import CEILING
from transcrevai_core import i18n
from transcrevai_core import report as reporting
from transcrevai_core.cli import app as cli
from transcrevai_core.components import working
from transcrevai_core.components.transcript import report as report_component
from transcrevai_core.components.transcript.report import written
from transcrevai_core.errors import InputError
from transcrevai_core.figures import timeline
from transcrevai_core.library import edits
from transcrevai_core.library.store import Store
from transcrevai_core.report.build import build
from transcrevai_core.report.docx import write_docx
from transcrevai_core.report.html import write_html
from transcrevai_core.report.key_terms import document_frequencies, key_terms, occurrences
from transcrevai_core.report.markdown import write_markdown
from transcrevai_core.report.model import Moment, Report, Speaker
from transcrevai_core.report.numbers import mentions
from transcrevai_core.types import Segment, Transcript, Turn, Word

A, B = "SPEAKER_00", "SPEAKER_01"
PAGE = "http://localhost:8501/transcript"


def spoken(text: str, start: float, speaker: Any = None, **changes: Any) -> Segment:
    """A segment whose words each take a second."""
    words = tuple(
        Word(start + n, start + n + 1, f" {word}", 0.9) for n, word in enumerate(text.split())
    )
    return Segment(start, words[-1].end, f" {text}", words, speaker, **changes)


def meeting(*segments: Any, **changes: Any) -> Transcript:
    values: dict[str, Any] = {
        "title": "Ata <1> & cia.mp3",
        "duration": 100.0,
        "language": "pt",
        "language_probability": 0.98,
        "model": "small",
        "compute_type": "int8",
        "segments": segments,
        "job_id": "ab12",
        "turns": (Turn(0, 10, A), Turn(10, 30, B), Turn(12, 14, A), Turn(40, 50, A)),
        "names": {A: "Ana <b>"},
    }
    return Transcript(**(values | changes))


MEETING = meeting(
    spoken("Bom dia. O orçamento anual é de R$ 1.200,50?", 0, A),
    spoken("Sim.", 10, B),
    spoken("O orçamento anual vence em 3 de março.", 11, B),
    spoken("E o *PIB* | [x]? O PIB subiu 3,5%.", 40, A),
)


def built(transcript: Any = MEETING, **changes: Any) -> Report:
    return build(transcript, **{"created": 0.0, "address": PAGE, **changes})


def section(report: Any, heading: str) -> Any:
    return next(part for part in report.sections if part.heading.startswith(heading))


# -- what is found -----------------------------------------------------------------------------


def test_passages_gather_what_one_speaker_says_in_one_go() -> None:
    passages = built().passages
    assert [(p.moment, known(p.speaker).name) for p in passages] == [
        (Moment(0, 1), "Ana <b>"), (Moment(10, 2), "Speaker 2"), (Moment(40, 3), "Ana <b>"),
    ]  # fmt: skip
    assert passages[1].text == "Sim. O orçamento anual vence em 3 de março."


def test_participants_have_shares_turns_and_their_first_words() -> None:
    first, second = section(built(), "Participants").rows
    assert first == (Speaker(A, "Ana <b>", 1), "52%", "0:22", "2", (Moment(0, 1),))
    assert second == (Speaker(B, "Speaker 2", 2), "48%", "0:20", "1", (Moment(10, 2),))


def test_questions_and_figures_have_the_time_of_their_first_word() -> None:
    report, ana = built(), Speaker(A, "Ana <b>", 1)
    assert section(report, "Questions").rows == (
        ((Moment(2, 1),), ana, "O orçamento anual é de R$ 1.200,50?"),
        ((Moment(40, 3),), ana, "E o *PIB* | [x]?"),
    )
    found = [(row[0][0].start, row[2]) for row in section(report, "Numbers").rows]
    assert found == [(7, "R$ 1.200,50"), (16, "3 de março"), (48, "3,5%")]


def test_key_terms_stand_apart_from_the_rest_of_the_library() -> None:
    rows = section(built(), "Key terms").rows
    assert rows == (
        ("orçamento anual", "2", (Moment(3, 1), Moment(12, 2))),
        ("PIB", "2", (Moment(42, 3), Moment(46, 3))),
    )
    everyday = built(others=[["O orçamento anual"], ["orçamento anual de novo"]])
    assert section(everyday, "Key terms").heading == "Key terms, against 2 other transcripts"
    assert [row[0] for row in section(everyday, "Key terms").rows] == ["PIB", "orçamento anual"]


def test_highlights_and_notes_come_with_what_was_said() -> None:
    first, second, third = MEETING.segments[:3]
    marked = replace(second, highlighted=True)
    noted = replace(third, note="Ask\nagain", noted_by="Ana Sá")
    rows = section(built(replace(MEETING, segments=(first, marked, noted))), "Highlights").rows
    assert [row[2] for row in rows] == [marked.text.strip(), noted.text.strip()]
    assert [row[3] for row in rows] == ["", "Ask again (Ana Sá)"]
    assert rows[0][0][0].start == second.start
    report = built(replace(MEETING, segments=(first, marked, noted)))
    (comment,) = docx.Document(io.BytesIO(write_docx(report))).comments
    assert (comment.text, comment.author, comment.initials) == ("Ask again", "Ana Sá", "AS")
    assert not any(s.heading.startswith("Highlights") for s in built().sections)


def test_a_title_ends_no_sentence() -> None:
    report = built(meeting(spoken("Bem. O Sr. Lima e a Dra. Sá vêm? Às 3.5 sim.", 0, A)))
    assert [row[2] for row in section(report, "Questions").rows] == ["O Sr. Lima e a Dra. Sá vêm?"]


def test_corrections_are_what_is_reported() -> None:
    report = built(meeting(spoken("Vamos lá gente.", 5, A, edited="Quem vem, Bia?")))
    assert section(report, "Questions").rows[0][2] == "Quem vem, Bia?"
    assert report.passages[0].text == "Quem vem, Bia?"


def test_what_is_not_there_is_said() -> None:
    report = built(meeting(spoken("Bom dia.", 0), turns=(), names={}), address="")
    assert report.timeline is None
    assert [part.empty for part in report.sections] == [
        "No term was said twice.", "No question was found.", "No number or date was found.",
    ]  # fmt: skip
    for write in reporting.FORMATS.values():
        assert write(report)


def test_without_speakers_pauses_part_passages() -> None:
    report = built(meeting(spoken("Um.", 0), spoken("Dois.", 2), spoken("Três.", 9), turns=()))
    assert [p.text for p in report.passages] == ["Um. Dois.", "Três."]


def test_a_monologue_is_cut_where_a_sentence_ends() -> None:
    line = "palavra " * 30 + "fim."
    report = built(meeting(*(spoken(line, 100 * n, A) for n in range(6))))
    assert len(report.passages) == 2
    assert {known(p.speaker).label for p in report.passages} == {A}
    assert all(p.text.endswith("fim.") for p in report.passages)


def test_a_monologue_without_a_full_stop_is_cut_all_the_same() -> None:
    line = "então foram 30 mil reais " * 4
    report = built(meeting(*(spoken(line, 30 * n, A) for n in range(400)), spoken("e?", 12_000, A)))
    assert len(report.passages) > 15 and max(len(p.text) for p in report.passages) < 2_200
    numbers = section(report, "Numbers").rows
    assert len(numbers) == 1600 and max(len(row[3]) for row in numbers) < 250
    assert numbers[500][3].startswith("…30 mil reais ")
    (question,) = section(report, "Questions").rows
    assert len(question[2]) < 250 and question[2].endswith(" e?")
    assert 11_900 < question[0][0].start < 12_000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("R$ 1.200,50 e US$ 5 million, 3,5% ou 62 por cento", 4),
        ("em 2024, em fevereiro de 2023, R$45 mil", 3),
        ("cento e vinte e três dias, na segunda-feira, 12/03/2024, 2024-03-12", 4),
        ("at 3 pm, 3:30 p.m., two hundred and five, on March 3rd", 4),
        ("um milhão de reais, uma hora, 14h30, às 15 horas", 4),
        ("It may 3 times march. Um dia, uma casa. One by one. A4, v3, mp3", 1),
    ],
)
def test_numbers_and_dates_of_both_languages(text: str, found: int) -> None:
    assert len([*mentions(text)]) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("São 5km, 3 mil km e 100kg.", ["5km", "3 mil km", "100kg"]),
        ("Fez -5 graus, de 10-15 dias.", ["-5", "10", "15 dias"]),
        ("Ligue (11) 98765-4321 ou +55 11 3456-7890.", ["(11) 98765-4321", "+55 11 3456-7890"]),
        ("CPF 123.456.789-09, CEP 01310-100", ["123.456.789-09", "01310-100"]),
        ("CNPJ 12.345.678/0001-95 de 2019-2023", ["12.345.678/0001-95", "2019-2023"]),
    ],
)
def test_measures_and_codes_are_whole(text: str, found: list[str]) -> None:
    assert [said for said, _ in mentions(text)] == found


def test_terms_and_numbers_are_whole_with_their_marks() -> None:
    assert [term for term, _ in occurrences("मैं, दिल्ली.")] == ["मैं", "दिल्ली"]
    assert [term for term, _ in occurrences("reunia\u0303o")] == ["reunião"]
    talk = Transcript(
        title="a", duration=4.0, language="pt", language_probability=1.0, model="demo",
        compute_type="int8", segments=(
            Segment(0, 2, " Reunia\u0303o em marc\u0327o.",
                    (Word(0, 1, " Reunia\u0303o", 0.9), Word(1, 1.5, " em", 0.9),
                     Word(1.5, 2, " marc\u0327o.", 0.9))),
            Segment(2, 4, " Reunião de tre\u0302s horas."),
        ),
    )  # fmt: skip
    terms, _questions, numbers = build(talk, created=0.0).sections
    assert [row[0] for row in terms.rows] == ["Reunião"]
    assert [row[2] for row in numbers.rows] == ["março", "três horas"]
    assert numbers.rows[0][0] == (Moment(1.5, 1),)


def test_a_term_of_every_document_weighs_least() -> None:
    counts = dict.fromkeys(("comum", "rara"), 2)
    others, number = document_frequencies(counts, [["comum"], ["Comum!", "comum"], ["outra"]])
    assert (dict(others), number) == ({"comum": 2}, 3)
    assert key_terms(counts, others, number) == ("rara", "comum")
    assert [*occurrences("e os das the and")] == []


def test_headings_are_in_the_language_of_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"Participants": "Participantes", "Transcript": "Transcrição"}
    catalogue = type("C", (), {"gettext": lambda self, text: words.get(text, text),
                               "ngettext": lambda self, one, many, n: many})()  # fmt: skip
    monkeypatch.setattr(i18n, "_catalogue", lambda code: catalogue)
    monkeypatch.setattr(i18n, "_find", lambda: "pt_BR")
    report = built()
    assert (report.sections[0].heading, report.heading) == ("Participantes", "Transcrição")
    assert report.language == "pt-BR" and '<html lang="pt-BR">' in write_html(report).decode()


# -- the files ---------------------------------------------------------------------------------


class Page(HTMLParser):
    """What is in a page: ids, links, tags and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: Any, attrs: Any) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if "href" in values else []

    def handle_data(self, data: Any) -> None:
        self.text += data


def test_html_stands_alone_and_every_link_arrives() -> None:
    page = Page(write_html(built()).decode())
    assert page.ids == ["turn-1", "turn-2", "turn-3"]
    inside = [link[1:] for link in page.links if link.startswith("#")]
    assert set(inside) == set(page.ids)
    outside = [link for link in page.links if not link.startswith("#")]
    assert outside and all(link.startswith(f"{PAGE}?job=ab12&t=") for link in outside)
    assert not {"script", "link", "img", "b"} & set(page.tags)
    assert "Ata <1> & cia.mp3" in page.text and "Ana <b>" in page.text
    assert page.tags.count("rect") >= 4 and timeline.colour(A).fill in write_html(built()).decode()
    assert not [link for link in Page(write_html(built(address="")).decode()).links
                if not link.startswith("#")]  # fmt: skip


def test_markdown_is_escaped_and_carries_its_picture() -> None:
    text = write_markdown(built()).decode()
    assert text.startswith("# Ata \\<1\\> \\& cia.mp3\n")
    assert "E o \\*PIB\\* \\| \\[x\\]?" in text and "R\\$ 1.200,50" in text
    anchors = re.findall(r'<a id="(turn-\d+)">', text)
    assert set(re.findall(r"\]\(#(turn-\d+)\)", text)) == set(anchors) and len(anchors) == 3
    assert f"[▶]({PAGE}?job=ab12&t=2.00)" in text
    picture = base64.b64decode(known(re.search(r"base64,([^)]+)\)", text))[1])
    assert Image.open(io.BytesIO(picture)).format == "PNG"
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) in (4, 5, 6) for row in rows)


def test_word_opens_it_with_bookmarks_links_and_the_picture() -> None:
    document = docx.Document(io.BytesIO(write_docx(built())))
    headings = [
        p.text for p in document.paragraphs if known(p.style).name in ("Title", "Heading 1")
    ]
    assert headings == [
        "Ata <1> & cia.mp3", "Who speaks when", "Participants", "Key terms", "Questions",
        "Numbers and dates", "Transcript",
    ]  # fmt: skip
    body = document.element.body
    marks = [mark.get(qn("w:name")) for mark in body.iter(qn("w:bookmarkStart"))]
    links = [link.get(qn("w:anchor")) for link in body.iter(qn("w:hyperlink"))]
    assert marks == ["turn_1", "turn_2", "turn_3"] and set(links) == set(marks)
    assert len(links) == 2 + 4 + 2 + 3
    assert len(document.inline_shapes) == 1
    assert document.tables[0].cell(1, 0).text == "1.  Ana <b> "
    shades = {shade.get(qn("w:fill")) for shade in body.iter(qn("w:shd"))}
    assert timeline.colour(A).fill[1:] in shades
    said = [p.text for p in document.paragraphs]
    assert "Sim. O orçamento anual vence em 3 de março." in said


@pytest.mark.parametrize(("language", "tag"), [("en", "en-US"), ("pt_BR", "pt-BR")])
def test_word_proofs_it_in_its_language(
    monkeypatch: pytest.MonkeyPatch, language: str, tag: str
) -> None:
    monkeypatch.setattr(i18n, "_find", lambda: language)
    document = docx.Document(io.BytesIO(write_docx(built())))
    found = [lang.get(qn("w:val")) for lang in document.styles.element.iter(qn("w:lang"))]
    assert found and set(found) == {tag}


def test_a_long_meeting_has_a_picture_no_larger_than_it_is_wide() -> None:
    turns = tuple(Turn(n, n + 0.9, (A, B)[n % 2]) for n in range(20_000))
    report = built(meeting(spoken("Bom dia.", 0, A), turns=turns, duration=20_000.0))
    assert len(write_html(report)) < 300_000


def test_characters_that_xml_has_not_are_left_out() -> None:
    report = built(meeting(spoken("a \x00\x0b\ufffe\ud800 b", 0, A), title="t\x01\ud800"))
    for write in (write_docx, write_html, write_markdown):
        assert write(report)


# -- command line and page ---------------------------------------------------------------------


def run(*arguments: Any) -> Result:
    from typer.testing import CliRunner

    return CliRunner().invoke(cli, ["report", *arguments])


def test_the_command_writes_what_is_asked_for(store: Store, tmp_path: Path) -> None:
    job = fill_speakers(store)
    edits.rename_speaker(store, job.id, A, "Ana")
    path = tmp_path / "ata.html"
    assert run(job.id[:8], "--output", str(path), "--address", PAGE).exit_code == 0
    assert "Ana" in path.read_text() and f"{PAGE}?job={job.id}&amp;t=" in path.read_text()
    assert run(job.id, "--format", "md", "-o", str(tmp_path / "x")).exit_code == 0
    assert (tmp_path / "x").read_text().startswith("# Reunião\n")
    wrong = run(job.id, "--format", "pdf")
    assert isinstance(wrong.exception, InputError) and "docx, html, md" in str(wrong.exception)
    empty = run(fill_speakers(store, text=False).id)
    assert isinstance(empty.exception, InputError) and "no text" in str(empty.exception)


def test_its_file_is_named_in_its_language(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(i18n, "_find", lambda: i18n.SOURCE)  # which the command changes
    job = fill_speakers(store)
    for arguments in ((), ("--language", "pt")):
        assert run(job.id, "--format", "md", *arguments).exit_code == 0
    names = {"Reunião-report.md", "Reunião-relatorio.md"}
    assert {path.name for path in tmp_path.glob("*.md")} == names


@pytest.mark.slow
def test_the_page_offers_it_and_a_worker_writes_it(app: AppTest, store: Store) -> None:
    job = fill_speakers(store)
    open_page(app, "transcript.py", job=job.id)
    assert "Write the report" in [b.label for b in app.button]
    choice = next(c for c in app.get("button_group") if c.proto.label == "File")
    format: Any = choice
    checked(format.set_value("html").run())
    checked(
        next(t for t in app.toggle if t.label == "Links that play the sound").set_value(True).run()
    )
    content = written(store.home, job.id, "html", "en", PAGE)
    assert f"{PAGE}?job={job.id}" in content.decode()
    with pytest.raises(InputError, match="unknown"):
        written(store.home, job.id, "pdf")
    open_page(app, "transcript.py", job=fill_speakers(store, text=False).id)
    assert "Write the report" not in [b.label for b in app.button]


def test_a_report_that_cannot_be_written_says_why(
    app: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*asked: Any, **more: Any) -> None:
        raise InputError("There is no job.")

    job = fill_speakers(store)
    open_page(app, "transcript.py", job=job.id)
    monkeypatch.setattr(report_component, "written", refuses)
    press(app, "Write the report")
    wait_until(lambda: app.error or checked(app.run()).error)
    assert [e.value for e in app.error] == ["There is no job\\."]
    monkeypatch.setattr(report_component, "written", lambda *asked, **more: b"made")
    press(app, "Write the report")

    def offered() -> list[str]:
        return [b.proto.label for b in checked(app.run()).get("download_button")]

    wait_until(lambda: "Download the report" in offered())
    edits.edit_text(store, known(store.segments(job.id)[0].id), "Outra coisa.")
    checked(app.run())
    assert "Write the report" in [b.label for b in app.button]


def test_a_report_is_offered_to_whoever_asked_for_it(
    app: AppTest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    made = lambda *asked, **more: done.wait() and b"made"  # noqa: E731
    monkeypatch.setattr(report_component, "written", made)
    job = fill_speakers(store)
    other = AppTest.from_file(str(ROUTER), default_timeout=CEILING)
    for session in (app, other):
        open_page(session, "transcript.py", job=job.id)
    press(app, "Write the report")
    (task,) = (task for place, task in working._begun.items() if place[0] == store.home)
    done.set()
    task.join()

    def offered(page: AppTest) -> list[str]:
        return [button.proto.label for button in page.get("download_button")]

    assert "Download the report" not in offered(checked(other.run()))
    assert "Download the report" in offered(checked(app.run()))


def test_word_can_have_the_text_alone() -> None:
    whole, alone = built(), built(alone=True)
    assert alone.passages == whole.passages and not alone.sections and not alone.timeline
    document = docx.Document(io.BytesIO(write_docx(alone)))
    assert not document.tables and "vence em 3 de março" in document.paragraphs[-3].text
    corrected = replace(MEETING.segments[1], edited="Não.")
    changed = replace(MEETING, segments=(MEETING.segments[0], corrected))
    assert built(changed, alone=True).passages[1].text == "Não."
    assert built(changed, alone=True, edited=False).passages[1].text == "Sim."
