import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcrevai_core.transcription.loops import repeats
from transcrevai_core.transcription.segmenting import MAX_CHARACTERS, MAX_SECONDS, split_words
from transcrevai_core.types import Word


def words(text: str, seconds: float = 0.5, start: float = 0.0) -> list[Word]:
    said = enumerate(text.split())
    return [Word(start + i * seconds, start + (i + 1) * seconds, f" {w}", 0.9) for i, w in said]


def texts(said: list[Word]) -> list[str]:
    return ["".join(word.text for word in part).strip() for part in split_words(said)]


def test_a_segment_is_a_sentence() -> None:
    said = "Bom dia a todos. Vamos logo começar? O Dr. Souza está aqui."
    told = ["Bom dia a todos.", "Vamos logo começar?", "O Dr. Souza está aqui."]
    assert texts(words(said)) == told
    # a very short one stays with what follows it at once
    assert texts(words("Sim. Vamos começar agora.")) == ["Sim. Vamos começar agora."]


def test_a_pause_ends_one_whatever_its_words() -> None:
    said = words("isso foi tudo") + words("e depois", start=4.0)
    assert texts(said) == ["isso foi tudo", "e depois"]
    short = words("Sim.") + words("Não.", start=1.2)
    assert texts(short) == ["Sim.", "Não."]


def test_run_on_speech_is_cut_at_clauses() -> None:
    said = "palavra " * 19 + "fim, " + "palavra " * 22
    first, second = texts(words(said))
    assert first.endswith("fim,") and second.startswith("palavra")


@given(st.lists(st.tuples(st.text("ab.,?", min_size=1, max_size=30), st.floats(0, 3)), max_size=80))
def test_no_word_is_lost_and_no_segment_too_long(said: list[tuple[str, float]]) -> None:
    clock, all_words = 0.0, []
    for text, seconds in said:
        all_words.append(Word(clock, clock + seconds, f" {text}", 0.9))
        clock += seconds
    parts = split_words(all_words)
    assert [word for part in parts for word in part] == all_words
    for part in parts:
        length = sum(len(word.text) for word in part)
        fits = length <= MAX_CHARACTERS and part[-1].end - part[0].start <= MAX_SECONDS
        assert fits or len(part) == 1


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("não " * 8, True),
        ("não " * 4, False),
        ("muito obrigado " * 4, True),
        ("Vamos revisar o contrato, depois vamos revisar a ata.", False),
        ("um dois três quatro cinco seis sete oito " * 4, True),
        ("में मे मैं में मे मैं में मे मैं", False),  # words that differ in their marks only
        ("", False),
    ],
)
def test_repeats(text: str, answer: bool) -> None:
    assert repeats(text.split()) is answer
