"""Exports, read back by parsers that others wrote: json, csv, srt and webvtt-py."""

import csv
import html
import io
import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import srt
import webvtt
from conftest import known
from helpers import spoken, transcript
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transcrevai_core.errors import InputError, StorageError
from transcrevai_core.export import FORMATS, applicable, as_dict, file_stem, save, text, write
from transcrevai_core.export.cues import LINE_WIDTH, cues
from transcrevai_core.messages import Message
from transcrevai_core.transcript.retiming import timed_pieces
from transcrevai_core.transcript.script import columns
from transcrevai_core.types import Segment, Transcript, Word


def read_srt(text: str) -> list[tuple[int, int, str]]:
    return [
        (
            round(cue.start.total_seconds() * 1000),
            round(cue.end.total_seconds() * 1000),
            cue.content,
        )
        for cue in srt.parse(text)
    ]


def read_vtt(text: str) -> list[tuple[int, int, str]]:
    """Start and end in milliseconds, and the lines as they stand in the file."""

    def milliseconds(time: Any) -> Any:
        hours, minutes, seconds, rest = time.to_tuple()
        return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest

    return [
        (milliseconds(c.start_time), milliseconds(c.end_time), "\n".join(c.lines))
        for c in webvtt.from_string(text).captions
    ]


def read_tsv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))


# A short conversation in every format


TALK = transcript(
    spoken("Olá, bom dia!", speaker="Inês"),
    spoken("Bão dia, João.", start=3.5, edited="Bom dia, João."),
)


def test_txt_has_one_segment_a_line() -> None:
    assert write(TALK, "txt") == "Inês:\N{NO-BREAK SPACE}Olá, bom dia!\nBom dia, João.\n"
    assert (
        write(TALK, "txt", edited=False) == "Inês:\N{NO-BREAK SPACE}Olá, bom dia!\nBão dia, João.\n"
    )


def test_srt_is_read_by_the_srt_package() -> None:
    assert read_srt(write(TALK, "srt")) == [
        (0, 3000, "Inês:\N{NO-BREAK SPACE}Olá, bom dia!"),
        (3500, 6500, "Bom dia, João."),
    ]


def test_vtt_is_read_by_webvtt_py() -> None:
    text = write(TALK, "vtt")
    assert read_vtt(text) == [
        (0, 3000, "<v Inês>Olá, bom dia!"),
        (3500, 6500, "Bom dia, João."),
    ]
    assert [caption.voice for caption in webvtt.from_string(text).captions] == ["Inês", None]


def test_tsv_is_read_by_csv() -> None:
    assert read_tsv(write(TALK, "tsv")) == [
        ["start", "end", "text"],
        ["0", "3000", "Olá, bom dia!"],
        ["3500", "6500", "Bom dia, João."],
    ]


def test_json_has_whispers_shape_and_ours() -> None:
    loop = Segment(7.0, 8.0, " la la", avg_logprob=float("nan"), looping=True, language="pt")
    read = json.loads(
        write(transcript(*TALK.segments, loop, notes=(Message("menos memória"),)), "json")
    )
    assert read["text"] == "Olá, bom dia! Bom dia, João. la la"
    assert (read["language"], read["language_probability"]) == ("pt", 0.98)
    assert (read["duration"], read["model"], read["compute_type"]) == (60.0, "demo", "int8")
    assert read["notes"] == ["menos memória"]
    first, second, third = read["segments"]
    assert [segment["id"] for segment in read["segments"]] == [0, 1, 2]
    assert first["speaker"] == "Inês"
    assert first["words"][0] == {"word": " Olá,", "start": 0.0, "end": 1.0, "probability": 0.9}
    whisper = {"id", "start", "end", "text", "temperature", "avg_logprob", "compression_ratio"}
    assert set(second) - whisper == {"no_speech_prob", "words", "original_text"}
    assert (second["text"], second["original_text"]) == ("Bom dia, João.", " Bão dia, João.")
    assert third["looping"] is True and third["avg_logprob"] is None
    assert third["language"] == "pt" and "uncertain" not in third


def test_json_of_what_the_model_wrote_knows_no_edits() -> None:
    second = as_dict(TALK, edited=False)["segments"][1]
    assert second["text"] == " Bão dia, João." and "original_text" not in second


@pytest.mark.parametrize("format", ["txt", "srt", "vtt", "tsv", "json"])
@pytest.mark.parametrize(
    "segments", [(), (Segment(0.0, 1.0, " "),), (Segment(0, 1, "a", edited=""),)]
)
def test_a_transcript_without_text_gives_a_valid_file(
    format: str, segments: tuple[Any, ...]
) -> None:
    text = write(transcript(*segments), format)
    read: dict[str, Callable[[str], Any]] = {
        "txt": str.splitlines,
        "srt": read_srt,
        "vtt": read_vtt,
        "tsv": lambda text: read_tsv(text)[1:],
        "json": lambda text: [s for s in json.loads(text)["segments"] if s["text"].strip()],
    }
    assert read[format](text) == []
    assert format != "vtt" or text.startswith("WEBVTT\n")


# Lines and cues


def test_a_line_holds_42_characters_and_no_more() -> None:
    full = "abcdefghi " * 4 + "ab"  # 4 x 10 + 2
    assert [cue.lines for cue in cues(transcript(spoken(full)), True)] == [(full,)]
    assert [cue.lines for cue in cues(transcript(spoken(full + "c")), True)] == [
        ("abcdefghi abcdefghi", "abcdefghi abcdefghi abc")
    ]


def test_a_long_segment_is_cut_between_words_and_timed_by_them() -> None:
    """Twenty words of 9 letters: 4 to a line of 42, so 5 lines, so 3 cues."""
    found = read_srt(write(transcript(spoken(" ".join(["abcdefghi"] * 20), start=10.0)), "srt"))
    line = " ".join(["abcdefghi"] * 4)
    assert found == [
        (10_000, 18_000, f"{line}\n{line}"),
        (18_000, 26_000, f"{line}\n{line}"),
        (26_000, 30_000, line),
    ]


def test_no_single_word_is_left_for_a_last_cue() -> None:
    """Nine words need two cues at 42; of lines just wide enough for that, each has 3 words."""
    found = cues(transcript(spoken(" ".join(["abcdefghi"] * 9))), True)
    three = " ".join(["abcdefghi"] * 3)
    assert [cue.lines for cue in found] == [(three, three), (three,)]
    assert [(cue.start, cue.end) for cue in found] == [(0, 6000), (6000, 9000)]


def test_a_pause_between_words_is_a_pause_between_cues() -> None:
    first = [Word(i, i + 1, " abcdefghi", 1.0) for i in range(8)]
    second = [Word(i + 5, i + 6, " abcdefghi", 1.0) for i in range(8, 16)]
    text = " abcdefghi" * 16
    found = cues(transcript(Segment(0.0, 21.0, text, (*first, *second))), True)
    assert [(cue.start, cue.end) for cue in found] == [(0, 8000), (13_000, 21_000)]


def test_a_word_longer_than_a_line_is_left_whole() -> None:
    long = "x" * 50
    assert [cue.lines for cue in cues(transcript(spoken(f"um {long} dois")), True)] == [
        ("um", long),
        ("dois",),
    ]


def test_chinese_is_broken_between_characters_and_marks_stay() -> None:
    text = "我们今天开会。" * 5  # 35 characters of two columns each, no spaces
    (cue,) = cues(transcript(Segment(0.0, 56.0, text)), True)
    assert "".join(cue.lines) == text
    assert len(cue.lines) == 2 and not cue.lines[1].startswith("。")


@pytest.mark.parametrize(
    "text",
    [
        "今天我们要讨论的是关于中国教育改革的问题" * 3,
        "こんにちはナンバラです「今回も」前回に引き続いて" * 3,
        "ＡＢＣ 一二三、" * 9,
        "ＡＢＣＤ１２３４、" * 8,
        "Ｗ" * 60,
        "한국어띄어쓰기없는" * 8,
        "ㄅㄆㄇ㈱㍿ꀀꀁ" * 9,
        "🎤" * 50,
        "วันนี้เราจะมาพูดคุยกันเกี่ยวกับเรื่องของการศึกษาที่สำคัญ" * 3,
        "ມື້ນີ້ພວກເຮົາຈະມາເວົ້າກ່ຽວກັບເລື່ອງການສຶກສາ" * 3,
        "ថ្ងៃនេះយើងនឹងនិយាយអំពីការអប់រំនៅក្នុងប្រទេសកម្ពុជា" * 3,
        "ကျွန်တော်တို့ဒီနေ့ပညာရေးအကြောင်းကိုဆွေးနွေးကြမယ်" * 3,
        "ความหมายของ COVID-19 ในปี ๒๕๖๓ " * 4,
        "བོད་ཡིག་གི་སློབ་གསོ་" * 6,
    ],
)
@pytest.mark.parametrize("speaker", [None, "Ana", "黒柳徹子さん" * 6])
def test_lines_have_42_columns_at_most_in_every_script(text: str, speaker: str | None) -> None:
    found = cues(transcript(Segment(0.0, 60.0, text, speaker=speaker)), True, label=True)
    lines = [line for cue in found for line in cue.lines]
    assert max(columns(line) for line in lines) <= LINE_WIDTH and len(lines) > 2
    said = [line.rpartition("\N{NO-BREAK SPACE}")[2] for line in lines]
    assert "".join("".join(said).split()) == "".join(text.split())
    for line in said:  # letters and syllables are whole
        assert not unicodedata.category(line[:1] or "a").startswith("M")
        assert not line.startswith(("。", "、", "」", "ー", "っ", "ะ", "า", "ำ", "າ", "န်"))
        assert not line.endswith(("「", "เ", "แ", "ໃ", "\u17d2", "\u1039"))


def test_lines_end_between_the_words_that_were_heard() -> None:
    heard = ("วันนี้", "เรา", "จะมา", "พูดคุย", "กัน", "เกี่ยวกับ", "เรื่อง", "การศึกษา")
    words = tuple(Word(float(n), n + 1.0, text, 0.9) for n, text in enumerate(heard))
    text = "".join(heard)
    assert [p.text for p in timed_pieces(Segment(0.0, 8.0, text, words), text)] == list(heard)
    found = cues(transcript(Segment(0.0, 8.0, text, words)), True)
    assert [line for cue in found for line in cue.lines] == ["".join(heard[:5]), "".join(heard[5:])]
    parted = "ថ្ងៃនេះ\u200bយើង\u200bនិយាយ"
    pieces = timed_pieces(Segment(0.0, 8.0, parted), parted)
    assert [piece.text.strip("\u200b") for piece in pieces] == parted.split("\u200b")


def test_a_hyphenated_word_in_two_tokens_stays_one_word() -> None:
    words = (Word(0, 1, " segunda", 1.0), Word(1, 2, "-feira", 1.0), Word(2, 3, " não", 1.0))
    pieces = timed_pieces(Segment(0.0, 3.0, " segunda-feira não", words), "segunda-feira não")
    assert [(p.text.strip(), p.start, p.end) for p in pieces] == [
        ("segunda-feira", 0.0, 2.0),
        ("não", 2.0, 3.0),
    ]


def test_the_speakers_name_is_inside_the_line_and_on_every_cue() -> None:
    found = cues(transcript(spoken(" ".join(["abcdefghi"] * 9), speaker="Ana")), True, label=True)
    assert len(found) == 2
    assert all(cue.lines[0].startswith("Ana:\N{NO-BREAK SPACE}abc") for cue in found)
    assert all(len(line) <= LINE_WIDTH for cue in found for line in cue.lines)


def test_a_very_long_name_is_cut_in_srt_and_whole_in_vtt() -> None:
    talk = transcript(spoken("Bom dia", speaker="Dona " + "Maria " * 10))
    first, second = read_srt(write(talk, "srt"))[0][2].split("\n")
    assert (
        len(first) == LINE_WIDTH and first.endswith("…:\N{NO-BREAK SPACE}") and second == "Bom dia"
    )
    assert webvtt.from_string(write(talk, "vtt"))[0].voice == ("Dona " + "Maria " * 10).strip()


# Times


def test_words_that_the_user_kept_keep_their_times() -> None:
    """Words of one second; "três" becomes "três ou quatro", 4 + 2 + 6 letters in 2 s to 3 s."""
    segment = spoken("um dois treis cinco", edited="um dois três ou quatro cinco")
    pieces = timed_pieces(segment, known(segment.edited))
    assert [(p.text.strip(), round(p.start, 3), round(p.end, 3)) for p in pieces] == [
        ("um", 0.0, 1.0),
        ("dois", 1.0, 2.0),
        ("três", 2.0, 2.333),
        ("ou", 2.333, 2.5),
        ("quatro", 2.5, 3.0),
        ("cinco", 3.0, 4.0),
    ]


def test_a_word_added_in_a_pause_is_in_the_pause() -> None:
    words = (Word(0, 1, " sim", 1.0), Word(3, 4, " não", 1.0))
    pieces = timed_pieces(Segment(0.0, 4.0, " sim não", words), "sim talvez não")
    assert [(p.start, p.end) for p in pieces] == [(0, 1), (1, 3), (3, 4)]


def test_a_word_added_without_a_pause_shares_its_neighbours_time() -> None:
    """3 + 2 + 5 letters share 0 s to 2 s; the third word keeps its own."""
    pieces = timed_pieces(spoken("sim claro depois"), "sim eu claro depois")
    assert [(round(p.start, 3), round(p.end, 3)) for p in pieces] == [
        (0.0, 0.6),
        (0.6, 1.0),
        (1.0, 2.0),
        (2.0, 3.0),
    ]


def test_a_sentence_added_at_the_end_is_seen() -> None:
    added = " ".join(["acrescentado"] * 8)
    talk = transcript(
        spoken("um dois três quatro cinco", edited=f"um dois três quatro cinco {added}")
    )
    found = cues(talk, True)
    assert found[0].start == 0 and found[-1].end == 5000
    assert all(cue.end - cue.start > 500 for cue in found)


def test_a_case_or_comma_changed_moves_nothing() -> None:
    pieces = timed_pieces(spoken("sim claro depois"), "Sim, claro. Depois")
    assert [(p.start, p.end) for p in pieces] == [(0, 1), (1, 2), (2, 3)]


def test_a_segment_without_words_is_shared_by_characters() -> None:
    """90 letters in 90 s, so that a letter is a second; a word to a line, two lines to a cue."""
    words = ["abcdefghij" * 3] * 3
    found = cues(transcript(Segment(0.0, 90.0, " ".join(words))), True)
    assert [(cue.start, cue.end, cue.lines) for cue in found] == [
        (0, 60_000, (words[0], words[1])),
        (60_000, 90_000, (words[2],)),
    ]


def test_words_without_a_length_still_give_cues_with_one() -> None:
    words = tuple(Word(2.0, 2.0, " abcdefghi", 1.0) for _ in range(9))
    found = read_srt(write(transcript(Segment(2.0, 2.0, " abcdefghi" * 9, words)), "srt"))
    assert [(start, end) for start, end, _ in found] == [(2000, 2001), (2001, 2002)]


def test_overlapping_segments_give_cues_that_do_not() -> None:
    found = cues(transcript(Segment(0.0, 5.0, "um"), Segment(4.0, 6.0, "dois")), True)
    assert [(cue.start, cue.end) for cue in found] == [(0, 4000), (4000, 6000)]


# Text that means something to a format


def test_markup_is_text() -> None:
    talk = transcript(spoken(r"a < b && c > d {\an8} C:\new\Nome <i>x</i>", speaker="A&B <x>"))
    ((_, _, content),) = read_srt(write(talk, "srt"))
    assert content == "A&B <x>:\N{NO-BREAK SPACE}a < b && c > d\n" + r"{\an8} C:\new\Nome <i>x</i>"
    ((_, _, raw),) = read_vtt(write(talk, "vtt"))
    assert raw.startswith("<v A&amp;B &lt;x&gt;>a &lt; b &amp;&amp; c &gt; d")
    assert html.unescape(raw.partition(">")[2]).replace("\n", " ") == talk.text


@pytest.mark.parametrize("arrow", ["-->", "- >", "-- >"])
def test_an_arrow_between_times_in_the_text_starts_no_cue(arrow: str) -> None:
    text = f"2\n00:00:01,000 {arrow} 00:00:02,000\n\nfim"
    talk = transcript(Segment(5.0, 9.0, text), Segment(9.0, 9.5, "depois"))
    assert [cue[:2] for cue in read_srt(write(talk, "srt"))] == [(5000, 9000), (9000, 9500)]
    assert [cue[:2] for cue in read_vtt(write(talk, "vtt"))] == [(5000, 9000), (9000, 9500)]


def test_tabs_line_breaks_and_quotes_leave_tsv_whole() -> None:
    talk = transcript(
        Segment(0.0004, 1.2345, ' "um\tdois\r\ntrês\u2028quatro'), Segment(2, 3, 'e "')
    )
    assert read_tsv(write(talk, "tsv"))[1:] == [
        ["0", "1234", '"um dois três quatro'],
        ["2000", "3000", 'e "'],
    ]


# Any text


LETTERS = st.characters(exclude_categories=["Cs"])
# Control characters are dropped and `>` may be part of an arrow: both have tests of their own.
PLAIN = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=">")


@st.composite
def conversations(draw: Any, letters: Any = PLAIN) -> Transcript:
    segments, now = [], 0.0
    for _ in range(draw(st.integers(1, 4))):
        heard = draw(st.lists(st.text(letters, min_size=1, max_size=50), max_size=25))
        words, start = [], now
        for word in heard:
            now += draw(st.sampled_from([0.0, 0.3, 2.0]))
            end = now + draw(st.sampled_from([0.0, 0.0004, 0.25, 1.0]))
            words.append(Word(now, end, f" {word}", 0.5))
            now = end
        now += draw(st.sampled_from([0.0, 1.0]))
        kept = draw(st.sampled_from([words, []]))
        edited = draw(st.none() | st.lists(st.sampled_from([*heard, "novo", "Ação"])).map(" ".join))
        speaker = draw(st.none() | st.text(letters, max_size=60))
        text = "".join(word.text for word in words)
        segments.append(Segment(start, now, text, tuple(kept), speaker, edited=edited))
        now += 1.0  # time enough for cues of a millisecond each
    return transcript(*segments)


def check_cues(found: Any, talk: Any) -> None:
    for (_, end, _), (start, _, _) in pairwise(found):
        assert end <= start
    for start, end, content in found:
        assert start < end
        # A cue is inside a segment, but for the milliseconds that keep cues apart.
        assert any(
            round(s.start * 1000) <= start and end <= round(s.end * 1000) + len(found)
            for s in talk.segments
        )
        assert 1 <= len(content.split("\n")) <= 2


def check_width(lines: Any) -> None:
    for line in lines:
        assert len(line) <= LINE_WIDTH or " " not in line


@settings(deadline=None)
@given(conversations())
def test_any_text_survives_srt(talk: Any) -> None:
    anonymous = transcript(*(s for s in talk.segments if not (s.speaker or "").strip()))
    found = read_srt(write(anonymous, "srt"))
    check_cues(found, anonymous)
    lines = [line for _, _, content in found for line in content.split("\n")]
    check_width(lines)
    assert "".join("".join(lines).split()) == "".join(anonymous.text.split())


@settings(deadline=None)
@given(conversations())
def test_any_speaker_fits_in_srt(talk: Any) -> None:
    found = read_srt(write(talk, "srt"))
    check_cues(found, talk)
    for _, _, content in found:
        for line in content.split("\n"):
            # A label is a line's own, or shares it with words that fit.
            assert len(line) <= LINE_WIDTH or " " not in line


@settings(deadline=None)
@given(conversations())
def test_any_text_survives_vtt(talk: Any) -> None:
    found = read_vtt(write(talk, "vtt"))
    check_cues(found, talk)
    shown = [html.unescape(re.sub("^<v [^>]*>", "", content)) for _, _, content in found]
    check_width(line for content in shown for line in content.split("\n"))
    assert "".join("".join(shown).split()) == "".join(talk.text.split())


@settings(deadline=None)
@given(conversations())
def test_words_between_spaces_are_never_cut(talk: Any) -> None:
    spaced = "".join(" ".join(" ".join(cue.lines) for cue in cues(talk, True)).split(" "))
    assert spaced == "".join(talk.text.split())
    for segment in talk.segments:
        pieces = timed_pieces(segment, " ".join(segment.final_text.split()))
        assert "".join(piece.text for piece in pieces).split() == segment.final_text.split()
        times = [piece.start for piece in pieces]
        assert times == sorted(times)


@settings(deadline=None)
@given(conversations(LETTERS))
@example(transcript(Segment(0.0, 1.0, "meio \ud800 par")))
def test_any_text_gives_files_that_are_read(talk: Any) -> None:
    for format in applicable(talk):
        write(talk, format).encode()
    read_srt(write(talk, "srt"))
    read_vtt(write(talk, "vtt"))
    assert json.loads(write(talk, "json"))["segments"][0]["id"] == 0
    texts = [" ".join(s.final_text.split()) for s in talk.segments]
    assert all(len(row) == 3 for row in read_tsv(write(talk, "tsv")))
    assert len(write(talk, "txt").split("\n")) - 1 <= len(texts)


# Files


def test_all_formats_are_saved_in_utf8(tmp_path: Path) -> None:
    paths = save(TALK, tmp_path / "saída", "all")
    suffixes = ["txt", "srt", "vtt", "tsv", "json", "rttm", "ctm", "TextGrid", "eaf"]
    assert [path.name for path in paths] == [f"reunião de equipe.{suffix}" for suffix in suffixes]

    def undated(text: str) -> Any:
        return re.sub(r' DATE="[^"]*"', "", text)

    for path, format in zip(paths, FORMATS, strict=True):
        text = path.read_bytes().decode("utf-8")
        assert undated(text) == undated(write(TALK, format))
        assert ("Inês" if format == "rttm" else "João") in text
    assert sorted(paths) == sorted((tmp_path / "saída").iterdir())


def test_a_file_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "ata.txt").write_text("velha")
    (path,) = save(TALK, tmp_path, "txt", stem="ata", edited=False)
    assert path.read_text(encoding="utf-8").endswith("Bão dia, João.\n")


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ata.txt").write_text("velha")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(StorageError, match=r"ata\.txt could not be written: the disk is full"):
        save(TALK, tmp_path, "txt", stem="ata")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["velha"]


def test_a_folder_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(StorageError, match="could not be written"):
        save(TALK, tmp_path / "x", "txt")


def test_an_unknown_format_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'doc' is unknown; one of txt, .*, eaf is right"):
        write(TALK, "doc")
    with pytest.raises(InputError, match="eaf or all is right"):
        save(TALK, tmp_path / "nowhere", "doc")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("reunião.m4a", "reunião"),
        ("Ata 12.05", "Ata 12.05"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\dados\nsecretos", "C__dados secretos"),
        ("CON.mp3", "_CON"),
        ("...", "transcript"),
        ("\x00\u202e", "transcript"),
        ("ã" * 300, "ã" * 100),
    ],
)
def test_file_names_are_safe(title: str, stem: str) -> None:
    assert file_stem(title) == stem


def test_a_stem_cannot_leave_the_folder(tmp_path: Path) -> None:
    (path,) = save(TALK, tmp_path / "a", "txt", stem="../fora")
    assert path.parent == tmp_path / "a" and path.exists()


def test_importing_export_loads_nothing_heavy() -> None:
    code = (
        "import sys, transcrevai_core.export;"
        "print({'pysubs2', 'pympi', 'numpy', 'streamlit', 'ctranslate2', 'av'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_text_to_be_pasted_has_a_paragraph_for_each_turn() -> None:
    whole = transcript(
        spoken("Bom dia.", speaker="SPEAKER_00"),
        spoken("Vamos?", 2, speaker="SPEAKER_00"),
        spoken("Sim.", 65, speaker="SPEAKER_01", edited="Não."),
        spoken("Ninguém.", 70),
    )
    assert text(whole, times=True, speakers=True) == (
        "[0:00] Falante 1: Bom dia. Vamos?\n\n[1:05] Falante 2: Não.\n\n[1:10] Ninguém."
    )
    plain = text(whole, times=False, speakers=False, edited=False)
    assert plain == "Bom dia. Vamos?\n\nSim.\n\nNinguém."
