"""References of every format, and what is wrong with a bad one in one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import known

from transcrevai_core import demo, export
from transcrevai_core.errors import InputError
from transcrevai_core.evaluation.annotation import Annotation, Utterance, from_transcript
from transcrevai_core.evaluation.references import parse, read
from transcrevai_core.types import Region, Segment, Transcript, Turn, Word

SRT = (
    "1\n00:00:01,000 --> 00:00:02,500\n<i>Bom</i> dia\na todos\n\n"
    "2\n00:00:03,000 --> 00:00:04,000\nOlá\n"
)
VTT = (
    "WEBVTT\n\n00:01.000 --> 00:02.500 align:start\n<v Ana>Bom dia &amp; olá\n\n"
    "00:03.000 --> 00:04.000\n<v.loud Zé>Olá\n"
)
STM = (
    ';; LABEL "o" comes first\n'
    "talk 1 Ana 3.0 4.0 <o,f0,female> E hoje?\n"
    "talk 1 Ana 0.0 2.0 <o,f0,female> Bom dia\n"
    "\n"
    "talk 1 inter_segment_gap 4.0 5.0 <o,,unknown> ignore_time_segment_in_scoring\n"
    "talk 1 Zé 5.0 7.0 Tudo bem\n"
)


def only(name: str, content: Any) -> Annotation:
    (spoken,) = parse(name, content.encode()).values()
    return spoken


def test_plain_text_is_one_utterance_a_line() -> None:
    spoken = only("a talk.txt", "\ufeffBom dia.\n\nOlá: como vai?\n")
    assert [said.text for said in known(spoken.utterances)] == ["Bom dia.", "Olá: como vai?"]
    assert spoken.turns is None and spoken.speakers == {}


def test_names_are_speakers_where_every_line_begins_with_one() -> None:
    spoken = only("a.txt", "Ana: Bom dia.\nDr. João Silva: Olá.\nAna: São 10:30.\n")
    assert spoken.speakers == {"Ana": "Bom dia.\nSão 10:30.", "Dr. João Silva": "Olá."}
    assert only("a.txt", "Nota: uma linha só\n").speakers == {}


NAMES = (
    "Ana Paula", "DR. SILVA (juiz)", "Speaker 1", "SPEAKER_00", "1ª testemunha", "Ana: mãe", "[Zé]",
    "João d’Ávila", "7", "réu nº 2?", "ana", "ela disse", "अनीता", "A" * 80,
)  # fmt: skip


def told_by(name: str, *texts: str) -> Transcript:
    segments = (Segment(n, n + 1, f" {text}", speaker=None if n % 2 else "X")
                for n, text in enumerate(texts))  # fmt: skip
    return Transcript(
        title="talk", duration=9.0, language="pt", language_probability=1.0, model="demo",
        compute_type="int8", segments=tuple(segments), turns=(), names={"X": name},
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("format", ["txt", "srt", "vtt"])
def test_any_name_in_an_export_is_a_speaker_and_no_word(name: str, format: str) -> None:
    for texts in (["Ele disse: vem"], ["Ele disse: vem", "Nota: fica", "sim"]):
        written = export.write(told_by(name, *texts), format)
        spoken = only(f"a.{format}", written)
        assert spoken.text.split() == " ".join(texts).split()
        if format != "srt":  # where a very long name is cut
            assert known(spoken.utterances)[0].speaker == name


@pytest.mark.parametrize(
    "text",
    [
        "Ele disse: vem\n", "Nota: uma linha só\n", "Ele disse: vem\nEla disse: não\n",
        "Ana: oi\nE ele disse: vem\n", "Às 10: 30\n", "O resultado é este: nada\nFim.\n",
        "São Paulo: chuva\n", "Il a dit\u00a0: viens\n",
    ],
)  # fmt: skip
def test_a_colon_in_what_is_said_loses_no_word(text: str) -> None:
    assert only("a.txt", text).text.split() == text.split()
    cues = "".join(f"{n}\n00:00:0{n},0 --> 00:00:0{n},9\n{line}\n\n"
                   for n, line in enumerate(text.splitlines(), 1))  # fmt: skip
    assert only("a.srt", cues).text.split() == text.split()


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        ("Speaker 1: Then you go\n", ["Speaker 1"]),
        ("SPEAKER_00: oi\nsem nome\nFalante 2: olá\n", ["SPEAKER_00", None, "Falante 2"]),
        ("DR. SILVA (juiz): oi\n[Ana]: olá\n1: sim\nMaria da Luz: é\n",
         ["DR. SILVA (juiz)", "[Ana]", "1", "Maria da Luz"]),
        ("Ana:\u00a0oi\nAna: de novo\nEle disse: vem\n", ["Ana", "Ana", None]),
        ("अनीता: हाँ\nराम: नहीं\n", ["अनीता", "राम"]),
    ],
)  # fmt: skip
def test_names_of_any_form_are_speakers(text: str, speakers: list[str | None]) -> None:
    assert [said.speaker for said in known(only("a.txt", text).utterances)] == speakers


def test_utf_16_is_read() -> None:
    (spoken,) = parse("a.txt", "olá".encode("utf-16")).values()
    assert spoken.text == "olá"


def test_subtitles() -> None:
    spoken = only("a.srt", SRT)
    assert spoken.utterances == (Utterance("Bom dia a todos", 1.0, 2.5), Utterance("Olá", 3.0, 4.0))
    assert spoken.turns is None  # the end of a cue is for reading
    spoken = only("a.vtt", VTT)
    assert spoken.speakers == {"Ana": "Bom dia & olá", "Zé": "Olá"}
    assert only("a.srt", "").utterances == ()


def test_only_what_is_said_in_subtitles_counts() -> None:
    spoken = only(
        "a.vtt",
        "WEBVTT - title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\n"
        "NOTE written\r\nby hand\r\n\r\n1 - opening\r\n00:01.000 --> 00:02.000\r\n"
        "<v Ana>Bom dia <v.loud Zé>Olá\r\na todos</v>\r\n\r\nNOTE the end\r\n\r\nouter\r\n"
        "00:03.000 --> 00:04.000\nSim\n",
    )
    assert [(said.speaker, said.text.strip(), said.start) for said in known(spoken.utterances)] == [
        ("Ana", "Bom dia", 1.0), ("Zé", "Olá a todos", 1.0), (None, "Sim", 3.0),
    ]  # fmt: skip


def test_segment_time_marks() -> None:
    spoken = only("other name.stm", STM)
    assert spoken.text == "Bom dia\nE hoje?\nTudo bem"
    assert spoken.turns == (Turn(0, 2, "Ana"), Turn(3, 4, "Ana"), Turn(5, 7, "Zé"))
    assert spoken.unscored == (Region(4, 5),)
    assert list(parse("other name.stm", STM.encode())) == ["other_name"]
    two = parse("x.stm", (STM + "more 1 Ana 0 1 Sim\n").encode())
    assert {name: spoken.text.count("\n") for name, spoken in two.items()} == {"talk": 2, "more": 0}


def test_rttm_tells_turns_only() -> None:
    spoken = only("a.rttm", "SPEAKER a 1 0.5 1.0 <NA> <NA> Ana <NA> <NA>\n")
    assert (spoken.utterances, spoken.turns) == (None, (Turn(0.5, 1.5, "Ana"),))
    assert only("a.rttm", "").turns == ()


TRANSCRIPT = Transcript(
    title="talk", duration=9.0, language="pt", language_probability=1.0, model="demo",
    compute_type="int8", segments=(
        Segment(0, 2, " bom dia", (Word(0, 1, " bom", 0.9), Word(1, 2, " dia", 0.9)), "SPEAKER_00"),
        Segment(2, 4, " olá", (Word(2, 4, " olá", 0.9),), "SPEAKER_01", edited="Olá a todos"),
    ), turns=(Turn(0, 2, "SPEAKER_00"), Turn(2, 4, "SPEAKER_01")),
)  # fmt: skip


@pytest.mark.parametrize("format", ["txt", "srt", "vtt", "json"])
def test_what_was_exported_here_is_read_with_its_speakers(format: str) -> None:
    said = {name: " ".join(text.split()) for name, text in
            only(f"a.{format}", export.write(TRANSCRIPT, format)).speakers.items()}  # fmt: skip
    assert list(said.values()) == ["bom dia", "Olá a todos"]


def test_the_library_tells_as_much_as_its_export() -> None:
    assert from_transcript(TRANSCRIPT).text.split() == ["bom", "dia", "olá"]
    mine = from_transcript(TRANSCRIPT, edited=True)
    theirs = only("a.json", export.write(TRANSCRIPT, "json"))
    assert theirs.turns == mine.turns
    assert [said.text for said in known(theirs.utterances)] == [
        said.text for said in known(mine.utterances)
    ]
    assert (
        known(mine.utterances)[0].words and not known(mine.utterances)[1].words
    )  # they say what was corrected


def test_what_is_not_scored_is_left_out_word_by_word() -> None:
    kept = from_transcript(TRANSCRIPT, edited=True).without([Region(0, 1), Region(2.5, 3.5)])
    assert kept.text.split() == ["dia"]
    untimed = only("a.txt", "bom dia\n")
    assert untimed.without([Region(0, 9)]) == untimed


def test_the_samples_references_are_read() -> None:
    for kind, said in (("txt", 12), ("rttm", None)):
        (spoken,) = read(demo.sample_path("pt").with_suffix(f".{kind}")).values()
        assert (spoken.utterances and len(spoken.utterances)) == said


JSON = b'{"segments": [{"text": "b", "start": 2, "end": %s}, {"text": "a", "start": 1, "end": 2}]}'


def test_a_transcript_in_json_is_read_in_order_of_time() -> None:
    assert only("a.json", (JSON % b"3").decode()).text == "a\nb"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.docx", b"", "a.docx is in no format that is read here; txt, srt, vtt, stm, rttm or"),
        ("a.txt", b"\xff\xfe\x00", "a.txt is no text in UTF-8; the same file saved as UTF"),
        ("a.txt", "olá".encode("utf-16-le"), "a.txt is no text in UTF-8; the same file saved as"),
        ("a.txt", "olá".encode("latin-1"), "a.txt is no text in UTF-8; the same file saved as"),
        ("a.stm", b"talk 1 Ana 2 0.0 1.0 <o> hi\n", "a.stm: Line 1 of the STM is broken;"),
        ("a.srt", b"nothing\n", "a.srt: The file holds no cue; a line 00:00:01,000 --> "),
        ("a.vtt", b"WEBVTT\n\nnothing\n", "a.vtt: The file holds no cue; a line 00:00:01.000 -->"),
        ("a.stm", b";; x\ntalk 1 Ana 0\n", "a.stm: Line 2 of the STM is broken; recording channel"),
        ("a.stm", b"talk 1 Ana 2 1 <o> hi\n", "a.stm: Line 1 of the STM is broken;"),
        ("a.stm", b"talk 1 Ana 0 nan hi\n", "a.stm: Line 1 of the STM is broken;"),
        ("a.stm", b"talk 1 Ana 0 1 { uh / @ } hi\n", "a.stm: Line 1 of the STM offers alternat"),
        ("a.stm", b";; nothing\n", "a.stm: The STM holds comments only;"),
        ("a.rttm", b"SPEAKER a 1 x\n", "a.rttm: Line 1 of the RTTM is broken;"),
        ("a.rttm", b"hello\n", "a.rttm: The file holds no turn; SPEAKER name 1 start"),
        ("a.json", b"[" * 100_000, "a.json: The file is no transcript in JSON;"),
        ("a.json", JSON % (b"9" * 400), "a.json: The file is no transcript in JSON;"),
        ("a.json", JSON % b"NaN", "a.json: The file is no transcript in JSON;"),
        ("a.json", b"[1]", "a.json: The file is no transcript in JSON;"),
        ("a.json", json.dumps({"segments": [{"text": "a"}]}).encode(), "a.json: The file is no"),
    ],
)  # fmt: skip
def test_a_bad_file_gets_one_sentence(name: str, content: bytes, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(name, content)
    said = str(caught.value)
    assert said.startswith(sentence) and said.endswith(".") and "\n" not in said


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("SPEAKER a 1 0 1 <NA> <NA> Ana Lu <NA> <NA>", 11),
        ("SPEAKER a 1 0 1 <NA> <NA> Ana Lu <NA>", 10),
        ("SPEAKER a 1 0 1 <NA> <NA> Ana Lu", 9),
        ("SPEAKER a b 1 0.5 1 <NA> <NA> x <NA> <NA>", 11),
        ("SPEAKER a b 1 0.5 1 <NA> <NA> x <NA>", 10),
        ("SPEAKER a b 1 0.5 1 <NA> <NA> x", 9),
        ("SPEAKER a 1 0 1 <NA> <NA> <NA> <NA> <NA>", 10),
        ("speaker\ta\t1\t0\t1\t<NA>\t<NA>\tAna Lu\t<NA>\t<NA>", 11),
    ],
)
def test_spaces_in_names_are_refused_in_rttm(line: str, fields: int) -> None:
    with pytest.raises(InputError) as caught:
        parse("a.rttm", f"SPKR-INFO a 1 <NA> <NA> <NA> unknown Ana Lu <NA>\n{line}\n".encode())
    assert str(caught.value) == (
        f"a.rttm: Line 2 of the RTTM has {fields} fields that do not fit, as with a space in a "
        "name; SPEAKER name 1 start duration <NA> <NA> speaker <NA> <NA>, with _ for spaces in "
        "names, would be right."
    )


@pytest.mark.parametrize("ends", ["", " <NA>", " 0.9 <NA>", " <NA> 0.25", " <NA> <NA>"])
def test_rttm_of_other_programs(ends: str) -> None:
    spoken = only("a.rttm", f"speaker a 1 0.5 1.0 <NA> <NA> <NA>_1{ends}\r\n")
    assert spoken.turns == (Turn(0.5, 1.5, "<NA>_1"),)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path)
