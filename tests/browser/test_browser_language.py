"""The language of the pages as a browser brings it, and a person changes it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import expect, visitor

from tools.serving import Server, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("language") / "home") as running:
        yield running


def test_the_browsers_language_until_another_is_chosen(
    browser: Any,
    server: Server,
    tmp_path: Path,
) -> None:
    context = visitor(browser, locale="pt-BR")
    page = context.new_page()
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Transcrever")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "pt-BR")
    expect(page.get_by_role("button", name="Escolher arquivos")).to_be_enabled()
    (tmp_path / "nada.mp3").write_bytes(b"")
    page.locator("input[type=file]").set_input_files(tmp_path / "nada.mp3")
    expect(
        page.get_by_text("nada.mp3 está vazio; escolha um arquivo com áudio.").last
    ).to_be_visible()

    # what lists show is another text too, and means the same
    languages = page.get_by_role("combobox", name="Idioma")
    expect(languages).to_have_attribute("placeholder", "Detectar")
    page.get_by_role("radio", name="English").click()
    languages = page.get_by_role("combobox", name="Language")
    expect(languages).to_have_attribute("placeholder", "Detect")
    page.get_by_role("radio", name="Português").click()
    languages = page.get_by_role("combobox", name="Idioma")
    expect(languages).to_have_attribute("placeholder", "Detectar")

    page.get_by_role("link", name="Biblioteca").click()
    expect(page.get_by_role("heading", name="Biblioteca")).to_be_visible()
    page.get_by_role("radio", name="English").click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.reload()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Memory"))).to_be_visible()
    other = visitor(browser, locale="pt-BR").new_page()
    other.goto(server.url)
    expect(other.get_by_role("heading", name="Transcribe")).to_be_visible()
    expect(other.get_by_role("radio", name="English")).to_be_checked()
    other.context.close()
    context.close()
