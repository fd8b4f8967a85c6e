import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import known
from numpy.typing import NDArray

from transcrevai_core import demo
from transcrevai_core.audio import pcm, speech, vad
from transcrevai_core.audio.decode import decode as decode_file
from transcrevai_core.errors import ModelError
from transcrevai_core.transcription import hearing, spoken
from transcrevai_core.transcription.decoding import (
    MAX_PROMPT_TOKENS,
    check_languages,
    decode_chunk,
    fit_prompts,
)
from transcrevai_core.transcription.hearing import Encoded, Heard
from transcrevai_core.transcription.loading import Loaded, load
from transcrevai_core.types import Chunk, Region, Segment, Word

LOOP = " e a ata" * 12


def heard(
    *words: tuple[float, float, str], logprob: float = -0.2, probability: float = 0.9, **values: Any
) -> Heard:
    """What a pass wrote: words as (start, end, text), in s of what was heard."""
    text = "".join(word for _, _, word in words)
    facts = {"no_speech_prob": 0.1, "compression_ratio": 1.2, "temperature": 0.0, **values}
    timed = tuple(Word(start, end, word, probability) for start, end, word in words)
    return Heard(text, timed, logprob, **facts)


class Ear:
    """Stands for the model: `answer` tells what is heard from when on and for how long."""

    def __init__(self, answer: Callable[[float, float], Heard], monkeypatch: Any) -> None:
        self.calls: list[tuple[float, float, str, Any, Any]] = []
        self.answer = answer
        monkeypatch.setattr(hearing, "encode", self.encode)
        monkeypatch.setattr(hearing, "hear", self.hear)

    def encode(self, loaded: Loaded, samples: NDArray[np.float32]) -> Encoded:
        start: Any = float(samples[0])
        return Encoded(start, len(samples) / 16_000)

    def hear(
        self,
        loaded: Loaded,
        encoded: Any,
        language: str,
        options: Any,
        temperatures: Any = (0.0,),
    ) -> Heard:
        self.calls.append((encoded.output, encoded.seconds, language, options, temperatures))
        return self.answer(encoded.output, encoded.seconds)


def sound(start: float, end: float) -> NDArray[np.float32]:
    """Sound that tells by its samples when it is."""
    return np.arange(start, end, 1 / 16_000)[: round((end - start) * 16_000)].astype(np.float32)


def decode(
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[float, float], Heard],
    *regions: tuple[float, float],
    **options: Any,
) -> tuple[list[Segment], int, Ear]:
    ear = Ear(answer, monkeypatch)
    model: Any = SimpleNamespace(
        model=SimpleNamespace(is_multilingual=True),
        feature_extractor=SimpleNamespace(chunk_length=30),
    )
    loaded = Loaded(model, "base", "cpu", "int8", ())
    chunk = Chunk(3, regions[0][0] - 0.5, regions[-1][1] + 0.5, tuple(Region(*r) for r in regions))
    options = {"language": "pt", "languages": ("pt",), "initial_prompt": "Ata", **options}
    segments, dropped = decode_chunk(loaded, sound, chunk, options)
    return segments, dropped, ear


def test_times_are_those_of_the_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    said = heard((1.0, 1.3, " Bom"), (1.3, 1.7, " dia."))
    (segment,), dropped, _ = decode(monkeypatch, lambda *_: said, (100.0, 102.0))
    assert [(w.start, w.end, w.text) for w in segment.words] == [
        (100.55, 100.85, " Bom"), (100.85, 101.25, " dia.")
    ]  # fmt: skip
    assert (segment.start, segment.end, segment.text) == (100.55, 101.25, " Bom dia.")
    assert (segment.model, segment.compute_type, segment.language) == ("base", "int8", "pt")
    assert dropped == 0


def test_long_silences_are_not_heard_and_times_stay_true(monkeypatch: pytest.MonkeyPatch) -> None:
    said = heard((0.5, 1.4, " Começamos."), (4.5, 5.4, " Continuamos."))
    segments, _, ear = decode(monkeypatch, lambda *_: said, (10.0, 11.5), (60.0, 61.5))
    assert [round(s.start, 1) for s in segments] == [10.1, 60.5]
    ((_, seconds, *_),) = ear.calls
    assert seconds == pytest.approx(0.5 + 1.5 + 2.0 + 1.5 + 0.5, abs=0.01)


def test_a_loop_is_heard_in_halves_and_a_short_one_with_some_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(start: float, seconds: float) -> Heard:
        if seconds > 3 or (start > 12 and len(ear) < 4):
            return heard((0.5, 3.0, LOOP))
        return heard((0.6, 1.4, " Pronta."))

    ear: list[Any] = []
    original = Ear.hear

    def counted(self: Ear, *args: Any, **kwargs: Any) -> Heard:
        ear.append(args)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Ear, "hear", counted)
    segments, _, model = decode(monkeypatch, answer, (10.0, 11.5), (13.0, 14.5))
    assert [(s.text, s.looping) for s in segments] == [(" Pronta.", False)] * 2
    starts = [(round(start, 1), temperatures) for start, *_, temperatures in model.calls]
    assert starts[:2] == [(9.5, (0.0,)), (9.5, (0.0,))]
    assert starts[2:] == [(12.3, (0.0,)), (12.3, hearing.TEMPERATURES)]
    assert model.calls[-1][3]["initial_prompt"] is None  # a loop may come from it


def test_a_loop_over_several_sentences_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    said = heard(*((i * 0.5, i * 0.5 + 0.4, " ou.") for i in range(9)))
    _, _, ear = decode(monkeypatch, lambda *_: said, (10.0, 16.0))
    assert len(ear.calls) > 1


def test_a_loop_that_stays_is_kept_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [(i * 0.2, i * 0.2 + 0.2, word) for i, word in enumerate(LOOP.split())]
    said = heard(*((a, b, f" {word}") for a, b, word in words))
    segments, dropped, _ = decode(monkeypatch, lambda *_: said, (10.0, 17.0))
    assert "".join(s.text for s in segments) == LOOP
    assert all(s.looping for s in segments) and dropped == 0


def test_speech_that_was_skipped_is_heard_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(start: float, seconds: float) -> Heard:
        if seconds > 5:
            return heard((0.5, 1.5, " Primeiro."), (7.6, 8.4, " Terceiro."))
        return heard((0.7, 1.6, " Segundo."))

    regions = (10.0, 11.5), (14.0, 15.5), (18.0, 19.5)
    segments, dropped, ear = decode(monkeypatch, answer, *regions)
    assert [s.text for s in segments] == [" Primeiro.", " Segundo.", " Terceiro."]
    assert [(14.0 < s.start < 15.5) for s in segments] == [False, True, False]
    assert len(ear.calls) == 2 and dropped == 0
    # what fills a gap is no guess
    unsure = heard((0.7, 1.6, " Obrigado."), probability=0.3)
    segments, dropped, _ = decode(
        monkeypatch, lambda start, s: answer(start, s) if s > 5 else unsure, *regions
    )
    assert [s.text for s in segments] == [" Primeiro.", " Terceiro."]
    assert dropped == 1


def test_a_word_that_swallowed_a_sentence_gives_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(start: float, seconds: float) -> Heard:
        if seconds > 5:  # "Este" lies before the pause, and all that was said before it is missing
            return heard((0.5, 4.5, " Este"), (4.5, 5.2, " teste."))
        return heard((0.7, 2.5, " Eu quero uma coxinha."))

    segments, _, _ = decode(monkeypatch, answer, (10.0, 12.5), (14.0, 15.5))
    assert [s.text for s in segments] == [" Eu quero uma coxinha.", " Este teste."]
    assert segments[0].start < 13 < segments[1].start


def test_text_over_silence_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    said = heard((0.5, 1.5, " Bom dia."), (2.0, 2.4, " Legendas."))
    segments, dropped, _ = decode(monkeypatch, lambda *_: said, (100.0, 101.0), (104.0, 104.8))
    assert [s.text for s in segments] == [" Bom dia."]
    assert dropped == 1


def test_a_gap_tried_again_takes_no_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    guess = heard((0.5, 1.5, " Obrigado."), logprob=-0.4, probability=0.4)
    assert len(decode(monkeypatch, lambda *_: guess, (100.0, 101.2))[0]) == 1
    segments, dropped, _ = decode(monkeypatch, lambda *_: guess, (100.0, 101.2), eager=True)
    assert (segments, dropped) == ([], 1)


def test_what_is_silence_to_the_model_has_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = heard(logprob=-1.5, no_speech_prob=0.9)
    segments, dropped, ear = decode(monkeypatch, lambda *_: silent, (100.0, 101.2))
    assert (segments, dropped, len(ear.calls)) == ([], 0, 1)


def test_the_language_follows_the_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {0: {"pt": 0.98}, 1: {"en": 0.97, "pt": 0.02}, 2: {"es": 0.6, "en": 0.4}}

    def probabilities(loaded: Any, encoded: Any, start: float, end: float) -> dict[str, float]:
        return told[min(2, int(start // 5))]

    monkeypatch.setattr(hearing, "language_probabilities", probabilities)
    said = heard((0.7, 1.5, " Sim."), (1.5, 4.0, " e daí em diante"))
    regions = (10.0, 14.0), (15.0, 19.0), (20.0, 24.0)
    _, _, ear = decode(monkeypatch, lambda *_: said, *regions, languages=(), language="pt")
    first = {language for start, _, language, *_ in ear.calls if start < 14}
    later = {language for start, _, language, *_ in ear.calls if start > 14}
    # Spanish is not sure enough to be believed
    assert (first, later) == ({"pt"}, {"en"})
    # a set of languages leaves the others out
    monkeypatch.setattr(spoken, "SURE", 0.5)
    _, _, ear = decode(
        monkeypatch, lambda *_: said, *regions, languages=("pt", "en"), language="pt"
    )
    assert {language for _, _, language, *_ in ear.calls} == {"pt", "en"}
    # and what is asked for is absolute
    _, _, ear = decode(monkeypatch, lambda *_: said, *regions, languages=("pt",), language="pt")
    assert {language for _, _, language, *_ in ear.calls} == {"pt"}


@pytest.fixture(scope="module")
def model() -> Loaded:
    return load(demo.MODEL_DIR, "demo")


def test_the_same_sound_gives_the_same_text_and_all_of_it(model: Loaded, tmp_path: Any) -> None:
    wav = tmp_path / "pt.wav"
    info = decode_file(demo.sample_path("pt"), wav)
    blocks = pcm.blocks(wav, vad.BLOCK_SECONDS)
    regions = speech.find_regions(vad.speech_probabilities(blocks), max_region=7)
    options = {"language": "pt", "languages": ("pt",), "task": "transcribe", "beam_size": 5}
    chunk = speech.plan_chunks(regions, 7, info.duration)[1]
    read = functools.partial(pcm.read, wav)
    first, second = (decode_chunk(model, read, chunk, options)[0] for _ in range(2))
    assert first == second
    assert not speech.without_words(
        chunk.speech, [(w.start, w.end) for s in first for w in s.words]
    )
    text = " ".join(s.text.strip() for s in first)
    assert text and text in " ".join(demo.reference_text("pt").split())


def test_long_hotwords_and_prompts_leave_room_for_the_text(model: Loaded) -> None:
    names, minutes = "Carlos, Renata, orçamento, " * 60, "reunião de segunda " * 60 + "terminou"
    short = fit_prompts(model, {"hotwords": "Renata", "initial_prompt": None})
    assert short == {"hotwords": "Renata", "initial_prompt": None}
    cut = fit_prompts(model, {"hotwords": names, "initial_prompt": minutes})
    assert names.startswith(known(cut["hotwords"])) and minutes.endswith(
        known(cut["initial_prompt"])
    )
    for text in cut.values():
        count = len(model.model.hf_tokenizer.encode(text, add_special_tokens=False).ids)
        assert MAX_PROMPT_TOKENS - 5 < count <= MAX_PROMPT_TOKENS + 1


def test_a_language_that_the_model_lacks_gets_one_sentence() -> None:
    whisper: Any = SimpleNamespace(
        model=SimpleNamespace(is_multilingual=True),
        hf_tokenizer=SimpleNamespace(token_to_id={"<|pt|>": 1, "<|en|>": 2}.get),
    )
    loaded = Loaded(whisper, "demo", "cpu", "int8", ())
    check_languages(loaded, ["pt", "en"], "transcribe")
    check_languages(loaded, [], "transcribe")
    with pytest.raises(
        ModelError, match="demo does not know Spanish; it knows English, Portuguese"
    ):
        check_languages(loaded, ["pt", "es"], "transcribe")
    whisper.model.is_multilingual = False
    check_languages(loaded, ["en"], "transcribe")
    with pytest.raises(ModelError, match="understands English only"):
        check_languages(loaded, ["pt"], "transcribe")
