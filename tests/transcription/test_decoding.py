from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import known

from transcrevai_core import demo
from transcrevai_core.errors import ModelError
from transcrevai_core.transcription.decoding import (
    MAX_PROMPT_TOKENS,
    check_language,
    decode_chunk,
    fit_prompts,
    repeats,
)
from transcrevai_core.transcription.loading import Loaded, load
from transcrevai_core.types import Chunk, Region, Segment

LOOP = " e a ata" * 12


class FakeWhisper:
    """Answers like faster_whisper.WhisperModel: one list of (start, end, text) for each call."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[Any] = []
        self.model = SimpleNamespace(is_multilingual=True)
        self.hf_tokenizer = SimpleNamespace(
            token_to_id={"<|pt|>": 1, "<|en|>": 2}.get,
        )

    def transcribe(self, samples: Any, **options: Any) -> tuple[list[Any], None]:
        self.calls.append((len(samples) / 16_000, options))
        return [self.segment(*segment) for segment in self.answers.pop(0)], None

    @staticmethod
    def segment(
        start: float, end: float, text: str, avg_logprob: float = -0.3, probability: float = 0.9
    ) -> SimpleNamespace:
        pieces = text.split()
        step = (end - start) / max(1, len(pieces))
        words = [
            SimpleNamespace(
                start=start + i * step,
                end=start + (i + 1) * step,
                word=f" {w}",
                probability=probability,
            )
            for i, w in enumerate(pieces)
        ]
        return SimpleNamespace(
            start=0.0, end=end, text=text, words=words, avg_logprob=avg_logprob, no_speech_prob=0.1,
            compression_ratio=1.2, temperature=0.0,
        )  # fmt: skip


def decode(
    *answers: Any, speech: tuple[tuple[float, float]] = ((100.0, 110.0),), **options: Any
) -> tuple[list[Segment], int, list[Any]]:
    whisper = FakeWhisper(*answers)
    chunk = Chunk(3, 100.0, 110.0, tuple(Region(*r) for r in speech))
    loaded = Loaded(whisper, "demo", "cpu", "int8_float32", ())
    segments, dropped = decode_chunk(
        loaded,
        np.zeros(160_000, np.float32),
        chunk,
        {"beam_size": 5, "initial_prompt": "Ata", **options},
    )
    return segments, dropped, whisper.calls


def test_times_are_those_of_the_recording_and_begin_with_the_first_word() -> None:
    (segment,), dropped, _ = decode([(1.0, 3.0, " Bom dia")])
    assert (segment.start, segment.end, dropped) == (101.0, 103.0, 0)
    assert [(w.start, w.end, w.text) for w in segment.words] == [
        (101.0, 102.0, " Bom"), (102.0, 103.0, " dia")
    ]  # fmt: skip
    assert (segment.model, segment.compute_type) == ("demo", "int8_float32")


def test_what_oversteps_the_chunk_is_cut_at_its_edge() -> None:
    (segment,), _, _ = decode([(8.0, 12.0, " Bom dia")])
    assert segment.end == segment.words[-1].end == 110.0


def test_a_loop_is_decoded_again_on_its_own_stretch_with_other_settings() -> None:
    segments, _, calls = decode([(2.0, 6.0, LOOP)], [(0.5, 3.5, " A ata ficou pronta.")])
    assert [s.text for s in segments] == [" A ata ficou pronta."]
    assert (segments[0].start, segments[0].looping) == (102.5, False)
    assert calls[0][1]["beam_size"] == 5
    assert calls[1][0] == pytest.approx(4.0)
    assert calls[1][1]["no_repeat_ngram_size"] > 0
    assert calls[1][1]["initial_prompt"] is None


def test_a_loop_that_stays_is_kept_and_marked() -> None:
    segments, dropped, _ = decode([(2.0, 6.0, LOOP)], [(0.0, 4.0, LOOP)])
    assert [(s.text, s.looping) for s in segments] == [(LOOP, True)]
    assert dropped == 0


def test_text_over_silence_is_dropped_and_counted() -> None:
    segments, dropped, _ = decode(
        [(0.0, 2.0, " Bom dia."), (5.0, 9.0, " Legendas pela comunidade.")],
        speech=((100.0, 102.0),),
    )
    assert ([s.text for s in segments], dropped) == ([" Bom dia."], 1)


def test_where_nothing_is_too_silent_a_guess_is_dropped() -> None:
    heard = [
        (0.0, 2.0, " Bom dia.", -0.9), (3.0, 4.0, " Ana", -0.3, 0.5),
        (5.0, 9.0, " Obrigado por assistir.", -1.3),
    ]  # fmt: skip
    assert len(decode(heard)[0]) == 3
    segments, dropped, _ = decode(heard, no_speech_threshold=None)
    assert ([s.text for s in segments], dropped) == ([" Bom dia."], 2)


def test_blank_segments_are_nothing() -> None:
    assert decode([(0.0, 2.0, "  ")])[:2] == ([], 0)


def test_long_hotwords_and_prompts_leave_room_for_the_text() -> None:
    loaded = load(demo.MODEL_DIR, "demo")
    names, minutes = "Carlos, Renata, orçamento, " * 60, "reunião de segunda " * 60 + "terminou"
    short = fit_prompts(loaded, {"hotwords": "Renata", "initial_prompt": None})
    assert short == {"hotwords": "Renata", "initial_prompt": None}
    cut = fit_prompts(loaded, {"hotwords": names, "initial_prompt": minutes})
    assert names.startswith(known(cut["hotwords"])) and minutes.endswith(
        known(cut["initial_prompt"])
    )
    for text in cut.values():
        count = len(loaded.model.hf_tokenizer.encode(text, add_special_tokens=False).ids)
        assert MAX_PROMPT_TOKENS - 5 < count <= MAX_PROMPT_TOKENS + 1


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("não " * 8, True),
        ("não " * 4, False),
        ("muito obrigado " * 4, True),
        ("Vamos revisar o contrato, depois vamos revisar a ata.", False),
        ("um dois três quatro cinco seis sete oito " * 4, True),
        ("", False),
    ],
)
def test_repeats(text: str, answer: bool) -> None:
    assert repeats(text.split()) is answer


def test_a_language_that_the_model_lacks_gets_one_sentence() -> None:
    loaded = Loaded(FakeWhisper(), "demo", "cpu", "int8", ())
    check_language(loaded, "pt", "transcribe")
    check_language(loaded, None, "transcribe")
    with pytest.raises(
        ModelError, match="demo does not know Spanish; it knows English, Portuguese"
    ):
        check_language(loaded, "es", "transcribe")
    loaded.model.model.is_multilingual = False
    check_language(loaded, "en", "transcribe")
    with pytest.raises(ModelError, match="understands English only"):
        check_language(loaded, "pt", "transcribe")
