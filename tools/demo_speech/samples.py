"""The sample conversations: small scripted meetings by held-out voices, with exact labels.

Every sentence of the scripts is one that the grammar can make and is kept out of training.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from tools.demo_speech.espeak import SAMPLE_RATE, Audio, Espeak
from tools.demo_speech.grammar import parse
from tools.demo_speech.voices import held_out_voice


class Speaker(NamedTuple):
    """A held-out voice variant with its own pitch (espeak-ng's 0-99) and rate (words a minute)."""

    variant: str
    pitch: int
    rate: int


class Turn(NamedTuple):
    """One to three sentences by one speaker."""

    speaker: int
    sentences: tuple[str, ...]


SPEAKERS: dict[str, tuple[Speaker, ...]] = {
    "pt": (Speaker("m4", 35, 160), Speaker("linda", 65, 160), Speaker("antonio", 70, 150)),
    "en": (Speaker("Diogo", 45, 140), Speaker("linda", 55, 140)),
}

SCRIPTS: dict[str, tuple[Turn, ...]] = {
    "pt": (
        Turn(
            0,
            (
                "Vamos começar a reunião de segunda-feira.",
                "A pauta de hoje tem 3 itens.",
                "Renata, qual é o status do aplicativo?",
            ),
        ),
        Turn(1, ("Já concluímos 75% do aplicativo.", "Faltam 12 tarefas para terminar.")),
        Turn(2, ("O teste do aplicativo encontrou 8 erros.", "Encontramos uma falha no servidor.")),
        Turn(
            0,
            (
                "Isso é muito importante para a equipe de suporte.",
                "João, você pode corrigir o servidor?",
            ),
        ),
        Turn(
            2,
            (
                "Eu vou corrigir o servidor ainda hoje.",
                "Precisamos falar com o time de desenvolvimento depois do almoço.",
            ),
        ),
        Turn(
            1,
            (
                "O próximo assunto é o orçamento do trimestre.",
                "O orçamento do aplicativo é de 45 mil reais.",
            ),
        ),
        Turn(0, ("Gastamos 30 mil reais em fevereiro.",)),
        Turn(
            1,
            (
                "As vendas subiram 15% em fevereiro.",
                "Recebemos 25 mensagens do cliente esta semana.",
            ),
        ),
        Turn(2, ("Eu acho que isso é interessante.", "Alguma pergunta sobre as metas do ano?")),
        Turn(
            0,
            (
                "Ficou decidido que Renata vai enviar a proposta.",
                "A próxima reunião será na quinta-feira às 14 horas.",
            ),
        ),
        Turn(1, ("Eu concordo com Carlos.",)),
        Turn(0, ("Muito obrigado a todos e até quinta-feira.",)),
    ),
    "en": (
        Turn(
            0,
            (
                "Hello, Laura, how are you?",
                "Today we have 4 items on the agenda.",
                "The first topic is the new release.",
            ),
        ),
        Turn(1, ("We have finished 80% of the mobile app.", "There are 15 tasks left.")),
        Turn(
            0,
            (
                "Michael found an error in the system this morning.",
                "The test of the mobile app found 18 errors.",
            ),
        ),
        Turn(
            1,
            ("This is very urgent for the support team.", "Michael will check the code today."),
        ),
        Turn(
            0,
            (
                "Now let's talk about the monthly results.",
                "The budget for the mobile app is 40 thousand dollars.",
            ),
        ),
        Turn(1, ("We spent 25 thousand dollars in April.", "Sales went up 20% in April.")),
        Turn(0, ("I think this is interesting.", "We hired 10 people in Boston.")),
        Turn(
            1,
            (
                "The client in Chicago asked for the schedule.",
                "I will send the schedule tomorrow.",
            ),
        ),
        Turn(0, ("Laura, could you please prepare the presentation before Friday?",)),
        Turn(
            1,
            (
                "I will prepare the presentation this week.",
                "We need to discuss the hiring plan next week.",
            ),
        ),
        Turn(
            0,
            (
                "We decided that Susan will update the test plan.",
                "The next meeting is on Tuesday at 10.",
            ),
        ),
        Turn(1, ("I agree with Mark.", "Version 5 will be released in June.")),
        Turn(0, ("Thank you, Laura, that was very clear.",)),
    ),
}


class LabelledWord(NamedTuple):
    """A written word with its start and end in seconds of the recording."""

    text: str
    start: float
    end: float


class LabelledTurn(NamedTuple):
    """What one speaker says before another does."""

    speaker: int
    words: list[LabelledWord]


def script_sentences(language: str) -> set[str]:
    """The written sentences of a script, which training must not hear."""
    return {text for turn in SCRIPTS[language] for text in turn.sentences}


def compose(
    espeak: Espeak,
    language: str,
    script: tuple[Turn, ...],
    speakers: tuple[Speaker, ...],
    seed: int,
) -> tuple[Audio, list[LabelledTurn]]:
    """Speaks a script with natural pauses over a faint noise floor."""
    rng = random.Random(seed)
    parts: list[Audio] = [_silence(0.5)]
    time = 0.5
    labels = []
    for turn in script:
        speaker = speakers[turn.speaker]
        words: list[LabelledWord] = []
        for index, text in enumerate(turn.sentences):
            sentence = parse(language, text)
            speech = espeak.say(
                sentence, held_out_voice(language, speaker.variant), speaker.rate, speaker.pitch
            )
            words += [
                LabelledWord(unit.written, time + span.start, time + span.end)
                for unit, span in zip(sentence, speech.words, strict=True)
            ]
            last = index + 1 == len(turn.sentences)
            pause = _silence(rng.uniform(0.55, 1.0) if last else rng.uniform(0.3, 0.5))
            parts += [speech.audio * (0.5 / np.abs(speech.audio).max()), pause]
            time += (len(speech.audio) + len(pause)) / SAMPLE_RATE
        labels.append(LabelledTurn(turn.speaker, words))
    audio = np.concatenate(parts)
    # Real rooms are never digitally silent, and voice activity detectors expect that.
    audio += np.random.default_rng(seed).normal(0, 3e-4, len(audio)).astype(np.float32)
    return audio, labels


def _silence(seconds: float) -> Audio:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def write_labels(folder: Path, name: str, turns: list[LabelledTurn]) -> None:
    """Writes .txt (a turn a line), .rttm (turns) and .ctm (words) in NIST's formats."""
    text, rttm, ctm = [], [], []
    for turn in turns:
        start, end = turn.words[0].start, turn.words[-1].end
        text.append(" ".join(word.text for word in turn.words))
        rttm.append(
            f"SPEAKER {name} 1 {start:.3f} {end - start:.3f} <NA> <NA> "
            f"SPEAKER_{turn.speaker:02d} <NA> <NA>"
        )
        ctm += [f"{name} 1 {w.start:.3f} {w.end - w.start:.3f} {w.text}" for w in turn.words]
    for suffix, lines in (("txt", text), ("rttm", rttm), ("ctm", ctm)):
        (folder / f"{name}.{suffix}").write_text("\n".join(lines) + "\n", encoding="utf-8")


#: Draws the pauses and the noise floor.
SEEDS = {"pt": 105, "en": 101}


def write_samples(folder: Path) -> None:
    """Writes every sample conversation: 16 kHz mono 16-bit FLAC and its labels."""
    folder.mkdir(parents=True, exist_ok=True)
    espeak = Espeak()
    for language, script in SCRIPTS.items():
        audio, turns = compose(espeak, language, script, SPEAKERS[language], SEEDS[language])
        soundfile.write(folder / f"{language}.flac", audio, SAMPLE_RATE, subtype="PCM_16")
        write_labels(folder, language, turns)
        seconds = len(audio) / SAMPLE_RATE
        print(f"{folder / language}.flac: {seconds:.1f} s, {len(turns)} turns")
