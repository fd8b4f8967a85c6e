"""A report as a Word document: headings, tables, the picture, and links to bookmarked turns."""

import io
from typing import TYPE_CHECKING, Any

from transcrevai_core.figures.timeline import colour
from transcrevai_core.report.model import Cell, Moment, Passage, Report, Section, Speaker
from transcrevai_core.report.picture import png
from transcrevai_core.transcript.turns import clock

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph

_LINK = "0B6E5F"
_WIDTH = 17  # cm between the margins
_PROOFED = {"en": "en-US"}  # Word proofs no language without its region


def write_docx(report: Report) -> bytes:
    """Write a report for Word, LibreOffice and others; links stay inside the document."""
    import docx
    from docx.oxml.ns import qn
    from docx.shared import Cm

    document = docx.Document()
    document.core_properties.title = report.title
    document.core_properties.author = ""
    document.core_properties.comments = ""
    document.core_properties.language = report.language
    for proofed in document.styles.element.iter(qn("w:lang")):
        proofed.set(qn("w:val"), _PROOFED.get(report.language, report.language))
    for section in document.sections:
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2)
    document.add_heading(report.title, 0)
    facts = document.add_paragraph()
    for number, (name, value) in enumerate(report.facts):
        run = facts.add_run(f"{name}: ")
        run.bold = True
        run = facts.add_run(value)
        if number < len(report.facts) - 1:
            run.add_break()
    if report.timeline:
        document.add_heading(report.timeline.heading, 1)
        picture = document.add_picture(io.BytesIO(png(report.timeline)), width=Cm(_WIDTH))
        picture._inline.docPr.set("descr", report.timeline.alt)
    for part in report.sections:
        _section(document, part)
    document.add_heading(report.heading, 1)
    for passage in report.passages:
        _passage(document, passage)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _section(document: "Document", section: Section) -> None:
    document.add_heading(section.heading, 1)
    from docx.shared import Cm

    if not section.rows:
        document.add_paragraph(section.empty)
        return
    table = document.add_table(1 + len(section.rows), len(section.columns), "Table Grid")
    # one look at the cells of a row: asking for each by its place takes quadratic time
    rows = [row.cells for row in table.rows]
    for place, name in zip(rows[0], section.columns, strict=True):
        place.paragraphs[0].add_run(name).bold = True
    for places, cells in zip(rows[1:], section.rows, strict=True):
        for place, cell in zip(places, cells, strict=True):
            _cell(place.paragraphs[0], cell)
    # a long column takes what the short ones leave; LibreOffice would make all of them equal
    longest = [max(len(place.text) for place in column) for column in zip(*rows, strict=True)]
    shares = [min(max(length, 6), 40) for length in longest]
    for column, share in zip(zip(*rows, strict=True), shares, strict=True):
        for place in column:
            place.width = Cm(_WIDTH * share / sum(shares))


def _cell(paragraph: "Paragraph", cell: Cell) -> None:
    if isinstance(cell, Speaker):
        paragraph.add_run(f"{cell.number}. ")
        _speaker(paragraph, cell)
    elif isinstance(cell, tuple):
        for number, moment in enumerate(cell):
            if number:
                paragraph.add_run(", ")
            _link(paragraph, moment)
    else:
        paragraph.add_run(cell)


def _speaker(paragraph: "Paragraph", speaker: Speaker) -> None:
    look = colour(speaker.label)
    run = paragraph.add_run(f" {speaker.name} ")
    run.bold = True
    run.font.color.rgb = _rgb(look.text)
    shade = _element("w:shd", **{"w:val": "clear", "w:color": "auto", "w:fill": look.fill[1:]})
    # the schema wants what describes a run in order
    run._r.get_or_add_rPr().insert_element_before(shade, "w:fitText", "w:vertAlign", "w:lang")


def _link(paragraph: "Paragraph", moment: Moment) -> None:
    """Add a time that leads to the bookmark of its turn."""
    link = _element("w:hyperlink", **{"w:anchor": f"turn_{moment.passage}", "w:history": "1"})
    run = paragraph.add_run(clock(moment.start))
    run.font.color.rgb = _rgb(f"#{_LINK}")
    run.font.underline = True
    link.append(run._r)
    paragraph._p.append(link)


def _passage(document: "Document", passage: Passage) -> None:
    from docx.shared import Pt

    head = _paragraph(document)
    head.paragraph_format.keep_with_next = True
    head.paragraph_format.space_after = Pt(0)
    number = str(passage.moment.passage)
    head._p.append(_element("w:bookmarkStart", **{"w:id": number, "w:name": f"turn_{number}"}))
    head.add_run(f"{clock(passage.moment.start)}  ")
    if passage.speaker:
        _speaker(head, passage.speaker)
    head._p.append(_element("w:bookmarkEnd", **{"w:id": number}))
    said = _paragraph(document).add_run(passage.text)
    for note in passage.notes:
        initials = "".join(part[0] for part in note.author.split())
        document.add_comment(said, note.text, note.author, initials)


def _paragraph(document: "Document") -> "Paragraph":
    """Add a paragraph at once; python-docx looks through the whole document for the place."""
    from docx.text.paragraph import Paragraph

    element = _element("w:p")
    document.element.body[-1].addprevious(element)
    return Paragraph(element, document._body)


def _element(name: str, **attributes: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(name)
    for key, value in attributes.items():
        element.set(qn(key), value)
    return element


def _rgb(colour: str) -> Any:
    from docx.shared import RGBColor

    return RGBColor.from_string(colour[1:].upper())
