"""Exports that tell who speaks, read back by parsers that others wrote: praatio and pympi."""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import webvtt
from conftest import known
from helpers import spoken, transcript
from hypothesis import example, given, settings
from hypothesis import strategies as st
from praatio import textgrid
from pympi.Elan import Eaf
from pympi.Praat import TextGrid

from tools.serving import CEILING
from transcrevai_core.errors import InputError, StorageError
from transcrevai_core.export import FORMATS, applicable, as_dict, file_name, mime_type, save, write
from transcrevai_core.export.nist import timed_words
from transcrevai_core.messages import Message, dump
from transcrevai_core.transcript.rttm import parse_rttm
from transcrevai_core.types import Chunk, Segment, Transcript, Turn, Word


def read_ctm(text: str) -> list[tuple[float, float, str, str]]:
    rows = [line.split(" ") for line in text.splitlines()]
    assert all(len(row) == 6 and row[1] == "1" for row in rows)
    return [(float(row[2]), float(row[3]), row[4], row[5]) for row in rows]


def read_textgrid(text: str) -> dict[str, list[tuple[Any, ...]]]:
    """What praatio reads: the names of tiers, each with its intervals that have text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.TextGrid")
        path.write_text(text, encoding="utf-8", newline="")
        grid = textgrid.openTextgrid(str(path), True, reportingMode="error")
        ours = TextGrid(str(path))
    for tier in grid.tiers:
        edges = [time for entry in tier.entries for time in entry[:2]]
        assert edges[0] == 0 and edges[-1] == grid.maxTimestamp
        assert all(start < end for start, end, _ in tier.entries)
        assert edges[1:-1:2] == edges[2::2], "gaps or overlaps"
    read = {tier.name: [tuple(e) for e in tier.entries if e.label] for tier in grid.tiers}
    assert [tier.name for tier in ours.tiers] == list(read)
    for tier in ours.tiers:
        assert [i for i in tier.get_all_intervals() if i[2].strip()] == read[tier.name]
    return read


def read_eaf(text: str) -> dict[str, Any]:
    """What pympi reads: by tier the participant, and start, end (ms) and value of annotations."""
    ElementTree.fromstring(text.encode())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.eaf")
        path.write_text(text, encoding="utf-8", newline="")
        eaf = Eaf(path)
    read = {}
    for name in eaf.get_tier_names():
        found = [row[:3] for row in eaf.get_annotation_data_for_tier(name)]
        assert all(0 <= start < end for start, end, _ in found)
        assert all(end <= start for (_, end, _), (start, _, _) in pairwise(found))
        read[name] = (eaf.get_parameters_for_tier(name).get("PARTICIPANT"), found)
    return read


# Two speakers, the second of whom interrupts the first, and a sentence that was corrected

TALK = transcript(
    spoken("Olá, bom dia!", speaker="SPEAKER_00"),
    spoken("Bão dia, João.", 2.5, speaker="SPEAKER_01", edited="Bom dia, <João> & cia."),
    turns=(Turn(0.0, 3.0, "SPEAKER_00"), Turn(2.5, 5.5, "SPEAKER_01")),
    names={"SPEAKER_00": 'Dona "Inês"\n<&>', "SPEAKER_01": "João 🎤"},
)
INES = 'Dona "Inês" <&>'


def test_rttm_has_names_without_spaces() -> None:
    text = write(TALK, "rttm")
    assert text == (
        'SPEAKER reunião_de_equipe 1 0.000 3.000 <NA> <NA> Dona_"Inês"_<&> <NA> <NA>\n'
        "SPEAKER reunião_de_equipe 1 2.500 3.000 <NA> <NA> João_🎤 <NA> <NA>\n"
    )
    assert parse_rttm(text, "reunião_de_equipe") == [
        Turn(0.0, 3.0, 'Dona_"Inês"_<&>'),
        Turn(2.5, 5.5, "João_🎤"),
    ]


def test_rttm_makes_turns_of_segments_where_there_are_none() -> None:
    talk = transcript(
        spoken("um dois", speaker="A"), spoken("três", 2.0, speaker="A"),
        spoken("quatro", 9.0), spoken("cinco", 10.0, speaker="B"),
    )  # fmt: skip
    assert parse_rttm(write(talk, "rttm")) == [Turn(0.0, 3.0, "A"), Turn(10.0, 11.0, "B")]


@pytest.mark.parametrize(
    "changes", [{}, {"turns": (Turn(1.0, 1.0, "A"),)}, {"turns": (Turn(0.0, 1.0, " \x00"),)}]
)
def test_rttm_without_speakers_is_one_sentence_and_all_does_without(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    talk = transcript(spoken("um dois"), **changes)
    with pytest.raises(InputError, match=r"^reunião de equipe\.mp3 has no speakers.* right\.$"):
        write(talk, "rttm")
    with pytest.raises(InputError):
        save(talk, tmp_path, "rttm")
    assert not [*tmp_path.iterdir()]
    assert applicable(talk) == [format for format in FORMATS if format != "rttm"]
    written = {path.suffix for path in save(talk, tmp_path, "all")}
    assert written == {".txt", ".srt", ".vtt", ".tsv", ".json", ".ctm", ".TextGrid", ".eaf"}


def test_ctm_has_a_line_a_word_and_is_sure_of_what_the_user_wrote() -> None:
    """ "<João>", "&" and "cia." share the second of "João." by their 6, 1 and 4 characters."""
    assert write(TALK, "ctm") == (
        "reunião_de_equipe 1 0.000 1.000 Olá, 0.90\n"
        "reunião_de_equipe 1 1.000 1.000 bom 0.90\n"
        "reunião_de_equipe 1 2.000 1.000 dia! 0.90\n"
        "reunião_de_equipe 1 2.500 1.000 Bom 1.00\n"
        "reunião_de_equipe 1 3.500 1.000 dia, 1.00\n"
        "reunião_de_equipe 1 4.500 0.545 <João> 1.00\n"
        "reunião_de_equipe 1 5.045 0.091 & 1.00\n"
        "reunião_de_equipe 1 5.136 0.364 cia. 1.00\n"
    )
    heard = read_ctm(write(TALK, "ctm", edited=False))
    assert heard[3:] == [
        (2.5, 1, "Bão", "0.90"),
        (3.5, 1, "dia,", "0.90"),
        (4.5, 1, "João.", "0.90"),
    ]


def test_ctm_is_in_order_of_time_where_segments_overlap() -> None:
    talk = transcript(spoken("um dois três"), spoken("sim não", 0.5))
    assert [row[2] for row in read_ctm(write(talk, "ctm"))] == ["um", "sim", "dois", "não", "três"]


def test_a_word_that_was_timed_in_two_parts_is_one_as_sure_as_the_lesser() -> None:
    words = (Word(0, 1, " segunda", 0.9), Word(1, 2, "-feira", 0.4), Word(2, 3, " não", 0.8))
    talk = transcript(Segment(0.0, 3.0, " segunda-feira não", words))
    assert timed_words(talk, True) == [
        Word(0, 2, "segunda-feira", 0.4),
        Word(2, 3, "não", 0.8),
    ]


def test_words_stored_without_their_spaces_stay_words() -> None:
    words = (Word(0, 1, "bom", 0.9), Word(1, 2, "dia", 0.8))
    assert timed_words(transcript(Segment(0.0, 2.0, "bom dia", words)), True) == [
        Word(0, 1, "bom", 0.9),
        Word(1, 2, "dia", 0.8),
    ]


def test_ctm_of_a_segment_without_words_shares_its_time_and_certainty() -> None:
    """3 + 3 letters in 6 s; a mean log probability of -0.6931 is one of a half."""
    talk = transcript(Segment(1.0, 7.0, " bom dia", avg_logprob=-0.6931))
    assert read_ctm(write(talk, "ctm")) == [(1, 3, "bom", "0.50"), (4, 3, "dia", "0.50")]


@pytest.mark.parametrize(
    ("probability", "written"), [(1.2, "1.00"), (-0.1, "0.00"), (float("nan"), "0.00")]
)
def test_ctm_confidence_is_from_0_to_1(probability: float, written: str) -> None:
    assert (
        read_ctm(write(transcript(spoken("um", probability=probability)), "ctm"))[0][3] == written
    )


def test_ctm_has_no_line_that_would_be_a_comment() -> None:
    assert write(transcript(spoken("um"), title=";; ata.mp3"), "ctm").startswith("_;_ata 1 ")


def test_textgrid_has_a_tier_a_speaker_and_one_of_words() -> None:
    read = read_textgrid(write(TALK, "textgrid"))
    assert list(read) == [INES, "João 🎤", "words"]
    assert read[INES] == [(0, 3, "Olá, bom dia!")]
    assert read["João 🎤"] == [(2.5, 5.5, "Bom dia, <João> & cia.")]
    assert read["words"][:4] == [
        (0, 1, "Olá,"),
        (1, 2, "bom"),
        (2, 2.5, "dia!"),  # cut where the other's words begin
        (2.5, 3.5, "Bom"),
    ]


def test_textgrid_keeps_quotes_of_texts_and_names() -> None:
    talk = transcript(spoken('disse "sim"', speaker='"A"'))
    read = read_textgrid(write(talk, "textgrid"))
    assert read['"A"'] == [(0, 2, 'disse "sim"')]
    assert [label for _, _, label in read["words"]] == ["disse", '"sim"']


@pytest.mark.parametrize("format", ["textgrid", "eaf"])
def test_text_of_nobody_has_a_tier_of_its_own(format: str) -> None:
    read = {"textgrid": read_textgrid, "eaf": read_eaf}[format]
    words = ["words"] if format == "textgrid" else []
    for talk in (transcript(spoken("um")), transcript(), transcript(duration=0.0)):
        assert list(read(write(talk, format))) == ["text", *words]
    talk = transcript(
        spoken("um", speaker="text"), spoken("dois", 5.0), spoken("três", 8.0, speaker="words")
    )
    assert list(read(write(talk, format))) == ["text", "words", "text_", *(f"{w}_" for w in words)]


def test_intervals_of_one_speaker_that_overlap_end_early_and_none_is_empty() -> None:
    talk = transcript(
        Segment(0.0, 5.0, "um"), Segment(4.0, 6.0, "dois"), Segment(6.0, 6.0, "três"),
        Segment(70.0, 71.5, "depois do fim"),
    )  # fmt: skip
    expected = [
        (0, 4000, "um"),
        (4000, 6000, "dois"),
        (6000, 6001, "três"),
        (70_000, 71_500, "depois do fim"),
    ]
    assert read_eaf(write(talk, "eaf"))["text"] == (None, expected)
    read = read_textgrid(write(talk, "textgrid"))["text"]
    assert [(round(start * 1000), round(end * 1000), text) for start, end, text in read] == expected


def test_eaf_has_a_tier_a_speaker_who_is_its_participant() -> None:
    text = write(TALK, "eaf")
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    assert read_eaf(text) == {
        INES: (INES, [(0, 3000, "Olá, bom dia!")]),
        "João 🎤": ("João 🎤", [(2500, 5500, "Bom dia, <João> & cia.")]),
    }
    header = ElementTree.fromstring(text.encode()).find("HEADER")
    media = known(known(header).find("MEDIA_DESCRIPTOR")).attrib
    assert media["RELATIVE_MEDIA_URL"] == "./reunião de equipe.mp3"
    assert media["MIME_TYPE"] == "audio/x-wav"
    assert known(known(header).find("PROPERTY")).text == "3"  # pympi counts from 2


def test_eaf_drops_what_xml_cannot_hold() -> None:
    talk = transcript(
        Segment(0.0, 1.0, "a\x00b\x0bc\ufffed\ud800e", speaker="x\x01\uffffy"),
        title="../a\x02\\b.wav",
    )
    text = write(talk, "eaf")
    assert read_eaf(text) == {"xy": ("xy", [(0, 1000, "ab cd?e")])}
    assert 'MEDIA_URL="./.._a_b.wav"' in text


def test_a_full_disk_is_a_storage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any, path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TextGrid, "to_file", full)
    with pytest.raises(StorageError, match="the disk is full"):
        write(TALK, "textgrid")


# Names


def test_a_new_name_reaches_every_export() -> None:
    talk = transcript(spoken("Olá!", speaker="SPEAKER_00"), names={"SPEAKER_00": "Inês Sá"})
    for format in FORMATS:
        text = write(talk, format)
        assert "SPEAKER_00" not in text or format == "json"
        # by openai/whisper's and NIST's word these two have no speakers
        assert ("Inês" in text) == (format not in ("tsv", "ctm"))
    assert write(TALK, "txt").splitlines()[0] == f"{INES}:\N{NO-BREAK SPACE}Olá, bom dia!"
    assert webvtt.from_string(write(TALK, "vtt"))[1].voice == "João 🎤"
    as_json = json.loads(write(TALK, "json"))
    assert [segment["speaker"] for segment in as_json["segments"]] == [INES, "João 🎤"]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({}, ["A", "B", "C"]),
        ({"A": "Ana", "B": "Ana"}, ["Ana", "Ana 2", "C"]),
        ({"A": "Ana", "B": "Ana", "C": "Ana 2"}, ["Ana", "Ana 3", "Ana 2"]),
        ({"A": "Ana Lu", "B": "Ana_Lu", "C": " Ana\tLu "}, ["Ana Lu", "Ana_Lu 2", "Ana Lu 3"]),
        ({"A": "José", "B": "Jose\u0301"}, ["José", "Jose\u0301 2", "C"]),
        ({"A": "B"}, ["B", "B 2", "C"]),
        ({"A": " ", "B": "\x00"}, ["A", "B", "C"]),
        ({"A": "x\ud800", "B": "x\ud801", "C": "x?"}, ["x?", "x? 2", "x? 3"]),
    ],
)
def test_two_speakers_stay_two(names: dict[str, Any], shown: list[str]) -> None:
    segments = [spoken("sim", float(i), speaker=label) for i, label in enumerate("ABC")]
    talk = transcript(*segments, names=names)
    told = as_dict(talk)["speakers"]
    assert [(speaker["label"], speaker["name"]) for speaker in told] == [
        *zip("ABC", shown, strict=True)
    ]
    assert [segment["speaker"] for segment in as_dict(talk)["segments"]] == shown
    in_rttm = [turn.speaker for turn in parse_rttm(write(talk, "rttm"))]
    assert in_rttm == [name.replace(" ", "_") for name in shown]
    assert list(read_eaf(write(talk, "eaf"))) == shown
    assert list(read_textgrid(write(talk, "textgrid"))) == [*shown, "words"]


def test_json_tells_who_spoke_how_long() -> None:
    """A speaks 3 s and B 1 s in turns; C has a name only in the segments' speakers."""
    talk = transcript(
        spoken("um", 8.0, speaker="C"),
        turns=(Turn(4.0, 5.0, "B"), Turn(0.0, 2.0, "A"), Turn(4.5, 5.5, "A")),
        names={"A": "Ana", "Z": "ninguém"},
    )
    read = json.loads(write(talk, "json"))
    assert read == as_dict(talk)
    assert read["speakers"] == [
        {"label": "A", "name": "Ana", "seconds": 3.0, "share": 0.75},
        {"label": "B", "name": "B", "seconds": 1.0, "share": 0.25},
        {"label": "C", "name": "C", "seconds": 0.0, "share": 0.0},
    ]
    assert read["turns"] == [
        {"start": 0.0, "end": 2.0, "speaker": "Ana"},
        {"start": 4.0, "end": 5.0, "speaker": "B"},
        {"start": 4.5, "end": 5.5, "speaker": "Ana"},
    ]
    nobody = as_dict(transcript(spoken("um")))
    assert nobody["speakers"] == nobody["turns"] == []


def test_json_shares_are_of_what_segments_tell_where_there_are_no_turns() -> None:
    talk = transcript(spoken("um dois três", speaker="A"), spoken("sim", 5.0, speaker="B"))
    assert [s["share"] for s in as_dict(talk)["speakers"]] == [0.75, 0.25]


# Any transcript

TEXTS = st.text(st.characters() | st.sampled_from(' \n"<&>;_\\中文é🎤'), max_size=30)
TIMES = st.floats(0.0, 40.0) | st.sampled_from([0.0, 0.0004, 1.0, 40.0])


@st.composite
def talks(draw: Any) -> Transcript:
    def period() -> tuple[float, float]:
        start, end = sorted((draw(TIMES), draw(TIMES)))
        return start, end

    labels = draw(st.lists(TEXTS, min_size=1, max_size=4, unique=True))
    segments = []
    for _ in range(draw(st.integers(0, 4))):
        start, end = period()
        words = [
            Word(*period(), draw(TEXTS), draw(st.floats())) for _ in range(draw(st.integers(0, 3)))
        ]
        text = draw(st.just("".join(word.text for word in words)) | TEXTS)
        segments.append(
            Segment(
                start,
                end,
                text,
                tuple(words),
                draw(st.none() | st.sampled_from(labels)),
                avg_logprob=draw(st.floats()),
                edited=draw(st.none() | TEXTS),
            )
        )
    turns = [Turn(*period(), draw(st.sampled_from(labels))) for _ in range(draw(st.integers(0, 4)))]
    names = draw(st.dictionaries(st.sampled_from(labels), TEXTS))
    duration = draw(TIMES)
    return transcript(
        *segments, title=draw(TEXTS), duration=duration, turns=tuple(turns), names=names
    )


@settings(deadline=None)
@given(talks(), st.booleans())
@example(transcript(title="", duration=0.0), True)
@example(transcript(turns=(Turn(0, 1, ""), Turn(0, 1, "0")), names={"": "1"}), True)
def test_any_transcript_gives_files_that_are_read_or_the_one_sentence(
    talk: Any, edited: bool
) -> None:
    possible = applicable(talk)
    told = as_dict(talk, edited=edited)
    shown = [speaker["name"] for speaker in told["speakers"]]
    assert len(set(shown)) == len(shown)
    if "rttm" in possible:
        read = parse_rttm(write(talk, "rttm", edited=edited))
        assert len(read) == len(told["turns"])
        assert read or not talk.segments
        assert {t.speaker for t in read} == {t["speaker"].replace(" ", "_") for t in told["turns"]}
    else:
        with pytest.raises(InputError, match="has no speakers"):
            write(talk, "rttm", edited=edited)
    starts = [row[0] for row in read_ctm(write(talk, "ctm", edited=edited))]
    assert starts == sorted(starts)
    assert list(read_eaf(write(talk, "eaf", edited=edited)))[: len(shown)] == shown
    assert list(read_textgrid(write(talk, "textgrid", edited=edited)))[: len(shown)] == shown
    for format in set(possible) - {"rttm", "ctm", "eaf", "textgrid"}:
        write(talk, format, edited=edited).encode()


# Files


def test_only_textgrid_has_a_suffix_unlike_its_name() -> None:
    suffixes = {format: file_name("ata", format) for format in FORMATS}
    assert suffixes.pop("textgrid") == "ata.TextGrid"
    assert suffixes == {format: f"ata.{format}" for format in suffixes}


def test_browsers_are_told_json_and_xml() -> None:
    assert mime_type("json") == "application/json" and mime_type("eaf") == "application/xml"
    assert mime_type("rttm") == mime_type("txt") == "text/plain"


@pytest.mark.slow
def test_the_command_line_exports_speakers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transcrevai_core.library.store import Store

    monkeypatch.setenv("TRANSCREVAI_HOME", str(tmp_path / "home"))
    store = Store(tmp_path / "home")
    (tmp_path / "ata.wav").write_bytes(b"sound")
    job = store.add_job(tmp_path / "ata.wav", {})

    def export(format: str | None = None) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "transcrevai_core", "jobs", "export", job.id,
             *(["-f", format] if format else []), "-o", str(tmp_path / "out")],
            capture_output=True, text=True, timeout=CEILING, encoding="utf-8",
        )  # fmt: skip

    store.save_diarization(job.id, [Turn(0, 1, "SPEAKER_00")], {"speakers": 1})
    assert export().returncode == 0  # without a word, who spoke is what there is to say
    assert "SPEAKER_00" in (tmp_path / "out" / "ata.rttm").read_text(encoding="utf-8")
    store.save_diarization(job.id, [], {"speakers": 0})
    assert export("rttm").returncode == 0  # nobody speaks, and that is what it says
    assert (tmp_path / "out" / "ata.rttm").read_text(encoding="utf-8") == ""
    store.save_plan(job.id, [Chunk(0, 0, 1)])
    store.save_chunk(job.id, 0, [Segment(0, 1, " Bom dia.")], dropped=0, seconds=1)
    without = export("rttm")
    assert without.returncode == 2 and "ata.wav has no speakers" in without.stderr
    assert export("textgrid").returncode == 0
    assert "IntervalTier" in (tmp_path / "out" / "ata.TextGrid").read_text(encoding="utf-8")


def test_files_for_people_name_the_unnamed_in_the_language_of_the_speech() -> None:
    talk = transcript(spoken("Olá!", speaker="SPEAKER_00"), turns=(Turn(0.0, 1.0, "SPEAKER_00"),))
    for format in ("txt", "srt", "vtt", "textgrid", "eaf"):
        assert "Falante 1" in write(talk, format) and "SPEAKER_00" not in write(talk, format)
    for format in ("rttm", "json"):  # programs know the label
        assert "SPEAKER_00" in write(talk, format) and "Falante 1" not in write(talk, format)
    assert "Speaker 1" in write(replace(talk, language="en"), "txt")
    # a name that looks like another's number is told from it
    both = transcript(
        spoken("Olá!", speaker="SPEAKER_00"),
        spoken("Oi!", 2.0, speaker="SPEAKER_01"),
        names={"SPEAKER_01": "Falante 1"},
    )
    assert (
        write(both, "txt")
        == "Falante 1:\N{NO-BREAK SPACE}Olá!\nFalante 1 2:\N{NO-BREAK SPACE}Oi!\n"
    )


def test_why_speakers_were_found_is_written_in_words() -> None:
    talk = replace(transcript(), diarization={"why": dump(Message("{n} windows", {"n": 3}))})
    assert as_dict(talk)["diarization"]["why"] == "3 windows"
    assert as_dict(replace(talk, diarization={"why": "as set"}))["diarization"]["why"] == "as set"
