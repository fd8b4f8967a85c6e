"""A newcomer's whole way, in Portuguese: from the sample to a corrected, named, exported report."""

import io
import json
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import docx
import pytest
from browsing import choose_format, choose_name, expect, opened

from tools.serving import Server
from transcrevai_core import demo
from transcrevai_core.library.store import Store

pytestmark = pytest.mark.slow


def test_from_the_sample_to_a_corrected_report(
    browser: Any, server: Server, library: Store
) -> None:
    with opened(browser, server.url, locale="pt-BR") as page:
        page.get_by_role("button", name=demo.SAMPLES["pt"]).click()
        expect(page.get_by_role("progressbar").first).to_be_visible()
        expect(page.locator(".row").first).to_be_visible()  # it opens by itself
        expect(page).to_have_url(re.compile(r"/transcript\?job=[0-9a-f]{32}$"))
        expect(page.get_by_text("só entende a fala sintetizada dos exemplos")).to_be_visible()
        job = library.jobs(["done"])[0]
        found = library.transcript(job.id)
        first, second, third = found.segments[:3]

        def row(segment: Any) -> Any:
            return page.locator(f'.row[data-id="{segment.id}"]')

        # a name, which goes wherever this speaker speaks
        row(first).locator(".who").click()
        page.get_by_role("menuitem", name="Renomear").click()
        choose_name(page, "Renata Sá", "Nome")
        page.get_by_role("dialog").get_by_role("button", name="Salvar").click()
        said_by = [name for name, _run in groupby(s.speaker for s in found.segments)]
        named = page.locator(".who", has_text="Renata Sá")
        expect(named).to_have_count(said_by.count(first.speaker))

        def name_of(label: str | None) -> str:
            names = library.transcript(job.id).names
            return names.get(label or "") or f"Falante {int((label or '')[-2:]) + 1}"

        # a word
        said = third.text.strip()
        word = third.words[1]
        corrected = said.replace(word.text.strip(), "Ñandu-ç", 1)
        row(third).locator(".words > span").nth(1).dblclick()
        page.get_by_label("Seu texto").fill(corrected)
        page.keyboard.press("Enter")
        expect(row(third).get_by_text("O modelo escreveu:")).to_contain_text(said)

        # a segment that somebody else spoke
        other = next(place for place, name in enumerate(found.speakers) if name != second.speaker)
        row(second).locator(".time").click()
        page.locator("audio").evaluate("a => a.pause()")
        page.keyboard.press(str(other + 1))
        expect(page.locator("[data-do=undo]")).to_have_attribute("title", "Desfazer: quem fala")

        page.get_by_role("button", name="Copiar ou exportar").click()
        choose_format(page, "JSON", "Mais formatos")
        segments = json.loads(saved(page, "Baixar JSON"))["segments"]
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Relatório").click()
        word_file = io.BytesIO(report(page, "Word"))
        web_file = report(page, "HTML").decode()

        assert segments[2]["text"] == corrected
        assert segments[1]["speaker"] == found.speakers[other] != second.speaker
        document = docx.Document(word_file)
        paragraphs = [paragraph.text for paragraph in document.paragraphs]
        assert paragraphs[0] == demo.SAMPLES["pt"] and len(document.inline_shapes) == 1
        people = [row.cells[0].text for row in document.tables[0].rows]
        assert people[0] == "Nome" and any("Renata Sá" in name for name in people[1:])
        assert len(people) == 1 + len(found.speakers)
        assert said not in "\n".join(paragraphs)
        (place,) = (n for n, text in enumerate(paragraphs) if "Ñandu-ç" in text)
        assert name_of(third.speaker) in paragraphs[place - 1]
        (place,) = (n for n, text in enumerate(paragraphs) if second.text.strip() in text)
        assert name_of(found.speakers[other]) in paragraphs[place - 1]

        page.set_content(web_file)
        expect(page.get_by_role("heading", name=demo.SAMPLES["pt"])).to_be_visible()
        expect(page.get_by_role("cell", name="Renata Sá").first).to_be_visible()
        expect(page.locator("article", has_text=corrected)).to_be_visible()


def saved(page: Any, button: str) -> bytes:
    with page.expect_download() as event:
        page.get_by_role("button", name=button).click()
    return Path(event.value.path()).read_bytes()


def report(page: Any, choice: str) -> bytes:
    page.get_by_role("radio", name=choice).click()
    page.get_by_role("button", name="Escrever o relatório").click()
    expect(page.get_by_role("button", name="Baixar o relatório")).to_be_visible()
    return saved(page, "Baixar o relatório")
