"""The demo model's training tool and what it shipped, as far as can be checked by hand."""

import itertools
import random
from pathlib import Path

import av
import numpy as np
import pytest

from tools.demo_speech import grammar, heldout, lexicon, samples
from tools.demo_speech.grammar import LANGUAGES
from tools.demo_speech.numbers import say_en, say_pt, say_year_pt
from transcrevai_core.demo import MODEL_DIR, SAMPLES_DIR


@pytest.mark.parametrize(
    ("number", "masculine", "feminine"),
    [
        (1, "um", "uma"),
        (2, "dois", "duas"),
        (14, "quatorze", "quatorze"),
        (21, "vinte e um", "vinte e uma"),
        (40, "quarenta", "quarenta"),
        (72, "setenta e dois", "setenta e duas"),
        (100, "cem", "cem"),
    ],
)
def test_numbers_in_portuguese(number: int, masculine: str, feminine: str) -> None:
    assert say_pt(number) == masculine
    assert say_pt(number, feminine=True) == feminine


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "zero"), (13, "thirteen"), (20, "twenty"), (45, "forty five"), (100, "one hundred")],
)
def test_numbers_in_english(number: int, words: str) -> None:
    assert say_en(number) == words


def test_numbers_beyond_the_grammar_are_refused() -> None:
    for number in (-1, 101):
        with pytest.raises(ValueError, match="0 to 100"):
            say_pt(number)
        with pytest.raises(ValueError, match="0 to 100"):
            say_en(number)
    assert say_year_pt(2026) == "dois mil e vinte e seis"
    with pytest.raises(ValueError, match="2001"):
        say_year_pt(1999)


def test_units_of_a_sentence() -> None:
    sentence = grammar.parse("pt", "As vendas subiram 62% em junho.")
    assert sentence == (
        ("As", "As"),
        ("vendas", "vendas"),
        ("subiram", "subiram"),
        ("62%", "sessenta e dois por cento"),
        ("em", "em"),
        ("junho.", "junho."),
    )
    assert grammar.spoken(grammar.parse("en", "Can we meet at 11 on Friday?")) == (
        "Can we meet at eleven on Friday?"
    )


def test_numbers_agree_in_gender() -> None:
    sentence = grammar.parse("pt", "Temos 22 tarefas pendentes e 2 dias de prazo.")
    assert grammar.spoken(sentence) == (
        "Temos vinte e duas tarefas pendentes e dois dias de prazo."
    )


def test_what_the_grammar_cannot_make_is_refused() -> None:
    for text in ("Bom dia, Xavier, obrigado por vir.", "As vendas subiram 101% em junho.", ""):
        with pytest.raises(ValueError, match="no template"):
            grammar.parse("pt", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_drawn_sentences_are_recognised(language: str) -> None:
    rng = random.Random(1)
    for _ in range(300):
        sentence = grammar.draw_sentence(language, rng)
        assert grammar.parse(language, grammar.written(sentence)) == sentence
        assert sentence[0].written[0].isupper()
        assert sentence[-1].written[-1] in ".?"
        assert not any(character.isdigit() for character in grammar.spoken(sentence))


def test_every_slot_is_known_and_used() -> None:
    for language in LANGUAGES:
        used = {s for t in lexicon.TEMPLATES[language] for s in grammar._SLOT.findall(t)}
        assert used == set(lexicon.SLOTS[language])


def test_variants_are_counted() -> None:
    assert grammar.variants("pt", "Vamos começar a reunião.") == 1
    assert grammar.variants("pt", "Muito obrigado a todos e até {dia}.") == 7
    assert grammar.variants("en", "Can we meet at {hour} on {day}?") == 12 * 7


@pytest.mark.parametrize("language", LANGUAGES)
def test_random_words_hold_no_two_numbers_in_a_row(language: str) -> None:
    rng = random.Random(2)
    for _ in range(300):
        sentence = grammar.draw_words(language, rng)
        numbers = [unit.written[0].isdigit() for unit in sentence]
        assert 2 <= len(sentence) <= 8
        assert not any(a and b for a, b in itertools.pairwise(numbers))


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_out_sentences_leave_every_template_to_training(language: str) -> None:
    excluded = heldout.excluded_from_training()
    assert samples.script_sentences(language) <= excluded
    held: dict[str, int] = {}
    for sentence in heldout.test_sentences(language):
        text = grammar.written(sentence)
        assert text in excluded
        template = grammar.template_of(language, text)
        held[template] = held.get(template, 0) + 1
    for template, count in held.items():
        assert count <= grammar.variants(language, template) / 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_scripts_are_of_the_grammar_and_hold_one_to_three_sentences_a_turn(language: str) -> None:
    for turn in samples.SCRIPTS[language]:
        assert 1 <= len(turn.sentences) <= 3
        for text in turn.sentences:
            assert grammar.written(grammar.parse(language, text)) == text


def _duration(path: Path) -> float:
    """Seconds of a recording, which must be 16 kHz, mono, 16 bits."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert (stream.rate, stream.channels, stream.format.name) == (16_000, 1, "s16")
        return sum(frame.samples for frame in container.decode(stream)) / stream.rate


@pytest.mark.parametrize(("language", "speakers"), [("pt", 3), ("en", 2)])
def test_sample_files_agree(language: str, speakers: int) -> None:
    duration = _duration(SAMPLES_DIR / f"{language}.flac")
    assert 45 <= duration <= 90
    text = (SAMPLES_DIR / f"{language}.txt").read_text(encoding="utf-8")
    rttm = (SAMPLES_DIR / f"{language}.rttm").read_text(encoding="utf-8")
    ctm = (SAMPLES_DIR / f"{language}.ctm").read_text(encoding="utf-8")

    script = [" ".join(turn.sentences) for turn in samples.SCRIPTS[language]]
    assert text.splitlines() == script

    rows = [line.split() for line in ctm.splitlines()]
    assert [row[4] for row in rows] == text.split()
    words = [(float(row[2]), float(row[2]) + float(row[3])) for row in rows]
    assert all(row[:2] == [language, "1"] for row in rows)
    assert all(start < end for start, end in words)
    assert all(a[1] <= b[0] + 0.035 for a, b in itertools.pairwise(words))
    assert words[-1][1] <= duration

    turns = [line.split() for line in rttm.splitlines()]
    assert {turn[7] for turn in turns} == {f"SPEAKER_{n:02d}" for n in range(speakers)}
    assert len(turns) == len(script)
    spoken = 0
    for turn, line in zip(turns, script, strict=True):
        start, end = float(turn[3]), float(turn[3]) + float(turn[4])
        count = len(line.split())
        assert start == pytest.approx(words[spoken][0], abs=0.002)
        assert end == pytest.approx(words[spoken + count - 1][1], abs=0.002)
        spoken += count


def test_labels_are_written_as_nist_has_them(tmp_path: Path) -> None:
    word = samples.LabelledWord
    turns = [
        samples.LabelledTurn(0, [word("Bom", 0.5, 0.75), word("dia.", 0.75, 1.25)]),
        samples.LabelledTurn(1, [word("Olá.", 2.0, 2.5)]),
    ]
    samples.write_labels(tmp_path, "x", turns)
    assert (tmp_path / "x.txt").read_text() == "Bom dia.\nOlá.\n"
    assert (tmp_path / "x.rttm").read_text() == (
        "SPEAKER x 1 0.500 0.750 <NA> <NA> SPEAKER_00 <NA> <NA>\n"
        "SPEAKER x 1 2.000 0.500 <NA> <NA> SPEAKER_01 <NA> <NA>\n"
    )
    assert (tmp_path / "x.ctm").read_text() == (
        "x 1 0.500 0.250 Bom\nx 1 0.750 0.500 dia.\nx 1 2.000 0.500 Olá.\n"
    )


def test_the_model_folder_is_small_and_whole() -> None:
    files = {path.name: path.stat().st_size for path in MODEL_DIR.iterdir()}
    assert set(files) == {
        "config.json",
        "model.bin",
        "preprocessor_config.json",
        "tokenizer.json",
        "vocabulary.json",
    }
    assert sum(files.values()) <= 5_000_000


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_model_writes_a_sample_down(language: str) -> None:
    from faster_whisper import WhisperModel

    from transcrevai_core.evaluation.metrics import wer

    model = WhisperModel(str(MODEL_DIR), device="cpu", compute_type="int8", cpu_threads=1)
    path = SAMPLES_DIR / f"{language}.flac"
    segments, info = model.transcribe(str(path), vad_filter=True)
    text = " ".join(segment.text.strip() for segment in segments)
    assert info.language == language
    # 5 % at most here; INT8 arithmetic differs between processors, and beams fork.
    assert wer(path.with_suffix(".txt").read_text(encoding="utf-8"), text) <= 0.1


def test_features_are_those_of_faster_whisper() -> None:
    from faster_whisper.feature_extractor import FeatureExtractor

    from tools.demo_speech.features import raw_log_mel, scaled

    audio = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    expected = FeatureExtractor(chunk_length=10)(audio, padding=0)
    np.testing.assert_array_equal(scaled(raw_log_mel(audio)).T, expected)


def test_word_times_of_a_spoken_sentence() -> None:
    from tools.demo_speech.espeak import SAMPLE_RATE, Espeak

    try:
        espeak = Espeak()
    except OSError as error:
        pytest.skip(f"espeak-ng: {error}")
    sentence = grammar.parse("pt", "Temos 45 tarefas pendentes e 30 dias de prazo.")
    speech = espeak.say(sentence, "pt-br+m4")
    assert len(speech.words) == len(sentence)
    assert speech.words[0].start == 0
    assert speech.words[-1].end == pytest.approx(speech.end, abs=0.05)
    assert speech.end <= len(speech.audio) / SAMPLE_RATE
    # "quarenta e cinco" is one unit: its span covers three words, pauses between them included.
    assert speech.words[1].end - speech.words[1].start > 0.8
    for word, following in itertools.pairwise(speech.words):
        assert word.start < word.end
        assert word.start < following.start


def test_resampling_keeps_a_tone() -> None:
    from tools.demo_speech.espeak import resample

    time = np.arange(22_050) / 22_050
    tone = (np.sin(2 * np.pi * 1000 * time) * np.hanning(22_050)).astype(np.float32)
    out = resample(tone, 22_050, 16_000)
    expected = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    assert len(out) == 16_000
    np.testing.assert_allclose(
        out[4000:12_000],
        (expected * np.interp(np.arange(16_000) / 16_000, time, np.hanning(22_050)))[4000:12_000],
        atol=0.002,
    )


def test_padding_folded_into_one_key_changes_nothing() -> None:
    torch = pytest.importorskip("torch")
    from tools.demo_model.model import Encoder, Shape

    torch.manual_seed(0)
    encoder = Encoder(Shape(vocabulary=10, phonemes=4, width=20, heads=5)).eval()
    content = 30
    mel = torch.zeros(1, 80, 2 * content + 4)
    mel[:, :, : 2 * content] = torch.randn(1, 80, 2 * content)
    whole = torch.zeros(1, 80, 3000)
    whole[:, :, : 2 * content] = mel[:, :, : 2 * content]
    with torch.no_grad():
        folded = encoder(mel, None).states[:, :content]
        x = torch.nn.functional.gelu(encoder.conv1(whole))
        x = torch.nn.functional.gelu(encoder.conv2(x)).transpose(1, 2) + encoder.positions
        for layer in encoder.layers:
            x = layer(x, torch.zeros(1, x.shape[1]))
        full = encoder.norm(x)[:, :content]
    torch.testing.assert_close(folded, full, rtol=1e-4, atol=1e-4)


def test_guide_loss_is_zero_where_all_attention_lies_within() -> None:
    torch = pytest.importorskip("torch")
    from tools.demo_model.train import guide_loss

    logits = torch.full((1, 1, 2, 8), -50.0)
    logits[0, 0, 0, 3] = 0.0
    spans = torch.tensor([[[2, 4], [-1, -1]]])
    assert guide_loss(logits, spans).item() == pytest.approx(0, abs=1e-5)
    assert guide_loss(logits, torch.tensor([[[5, 6], [-1, -1]]])).item() > 40


def test_stages_lengthen_the_windows() -> None:
    from tools.demo_model.batches import stage_seconds

    assert [stage_seconds(p) for p in (0, 0.2, 0.3, 0.36, 1)] == [3, 5, 7, 10, 10]


def test_what_is_exported_computes_what_torch_does(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    import ctranslate2

    from tools.demo_model.export import export, load_average
    from tools.demo_model.model import Shape
    from tools.demo_model.train import Trainer
    from tools.demo_speech.tokenizer import Vocabulary

    tokenizer = MODEL_DIR / "tokenizer.json"
    vocabulary = Vocabulary.load(tokenizer)
    shape = Shape(vocabulary.size, phonemes=4, width=40, heads=5, encoder_layers=1)
    Trainer(shape, steps=1, seed=0).save(tmp_path / "checkpoint.pt")
    export(tmp_path / "checkpoint.pt", tokenizer, tmp_path / "model", quantization=None)
    model = load_average(tmp_path / "checkpoint.pt")
    exported = ctranslate2.models.Whisper(str(tmp_path / "model"), compute_type="float32")
    assert exported.is_multilingual

    frames = 200
    mel = np.random.default_rng(0).normal(0, 0.5, (1, 80, frames)).astype(np.float32)
    features = ctranslate2.StorageView.from_array(np.pad(mel, ((0, 0), (0, 0), (0, 3000 - frames))))
    prompt = [
        vocabulary.start_of_transcript,
        vocabulary.languages["pt"],
        vocabulary.transcribe,
        vocabulary.no_timestamps,
    ]
    with torch.no_grad():
        padded = torch.from_numpy(np.pad(mel, ((0, 0), (0, 0), (0, 4))))
        expected = model(padded, torch.tensor([prompt]), None).logits[0, -1].numpy()
    result = exported.generate(
        features,
        [prompt],
        max_length=5,
        beam_size=1,
        suppress_blank=False,
        return_logits_vocab=True,
    )
    found = np.array(result[0].logits[0])[0]
    allowed = found > -1e30  # CTranslate2 rules some tokens out
    assert allowed.sum() > vocabulary.size / 2
    np.testing.assert_allclose(found[allowed], expected[allowed], atol=1e-4)


def test_batches_depend_on_their_step_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.demo_model import batches
    from tools.demo_speech import pool, synthesis
    from tools.demo_speech.tokenizer import Vocabulary

    monkeypatch.setattr(synthesis, "SHARD_SIZE", 30)
    try:
        synthesis.make_shard(tmp_path, 0, seed=1)
    except OSError as error:
        pytest.skip(f"espeak-ng: {error}")
    synthesis.write_inventory(tmp_path, 1)
    vocabulary = Vocabulary.load(MODEL_DIR / "tokenizer.json")
    utterances = pool.Pool(tmp_path, 1, vocabulary)
    first = batches.Composer(utterances, vocabulary, seed=3)
    second = batches.Composer(utterances, vocabulary, seed=3)
    second.batch(5, 10)
    for step in (0, 9):
        one, other = first.batch(step, 10), second.batch(step, 10)
        for left, right in zip(one, other, strict=True):
            np.testing.assert_array_equal(left, right)
        positions = one.phonemes.shape[1]
        assert one.mel.shape[2] == 2 * positions + 4
        assert (one.mel[:, :, -4:] == 0).all()
        assert one.spans.max() < positions
        assert set(one.inputs[:, 0]) <= {
            vocabulary.start_of_transcript,
            vocabulary.start_of_previous,
        }
        learned = one.targets != batches.IGNORED
        # What is to be predicted is what is read next.
        following = one.inputs[:, 1:][learned[:, :-1]] == one.targets[:, :-1][learned[:, :-1]]
        assert following.mean() > 0.95
