"""Subtitles as other programs write them: what is said is read whole, and once."""

from itertools import pairwise

import pytest
from conftest import known

from transcrevai_core.errors import InputError
from transcrevai_core.evaluation.references import parse

HEAD = "WEBVTT\nKind: captions\nLanguage: pt\n\n"
TIMES = "00:00:01.000 --> 00:00:04.000"


def said(text: str, kind: str = "vtt") -> list[str]:
    (spoken,) = parse(f"a.{kind}", text.encode()).values()
    return [utterance.text for utterance in known(spoken.utterances)]


@pytest.mark.parametrize(
    "times",
    [
        "00:00:01,000 --> 00:00:02,500", "00:00:01.000 --> 00:00:02.500", "00:00:01 --> 00:00:02",
        "00:01 --> 00:02", "0:0:1,0 --> 0:0:2,5", "100:00:01,000 --> 100:00:02,500",
        "00:00:01, 000-->00:00:02, 500", "00:00:01,000 -> 00:00:02,500",
        "  00:00:01,000 --> 00:00:02,500  X1:40 X2:600 Y1:20 Y2:50",
        "00:00:01.000 --> 00:00:02.500 align:start position:0%",
        "00:00:01,000000 --> 00:00:02,500000", "00:00:01:000 --> 00:00:02:500",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_times_of_many_forms(times: str, kind: str) -> None:
    head = "WEBVTT\n\n" if kind == "vtt" else ""
    (spoken,) = parse(f"a.{kind}", f"{head}1\n{times}\nBom dia\n".encode()).values()
    (utterance,) = known(spoken.utterances)
    assert utterance.text == "Bom dia"
    assert known(utterance.start) % 3600 == 1.0
    assert (known(utterance.start) >= 360_000) == times.startswith("100")


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (["hello<00:00:01.500><c> w0</c><00:00:02.500><c> w1</c>"], "hello w0 w1"),
        ([" ", "depois de um espaço"], "depois de um espaço"),
        (["", "depois de uma linha vazia"], "depois de uma linha vazia"),
        (["antes", " ", "depois"], "antes depois"),
        (["<i>Bom</i> <b.loud>dia</b>, <c.yellow.bg_blue>olá</c>"], "Bom dia, olá"),
        (["<lang pt>Bom</lang> dia", "{\\an8}a todos"], "Bom dia a todos"),
        (["Tom &amp; Zé &lt;3&nbsp;sim"], "Tom & Zé <3 sim"),
        (["<ruby>漢字<rt>かんじ</rt></ruby>です"], "漢字です"),
        (["a < b e c > d"], "a < b e c > d"),
        (["linha<br>outra"], "linha outra"),
        (["42"], "42"),
    ],
)
def test_what_is_said_is_read_whole(rows: list[str], text: str) -> None:
    body = "\n".join([TIMES, *rows])
    for end in ("\n", "\r\n", "\r"):
        assert said((HEAD + body + "\n").replace("\n", end)) == [text]
    assert said("1\n" + body + "\n\n2\n00:00:05,000 --> 00:00:06,000\nfim\n", "srt") == [
        text,
        "fim",
    ]


def test_srt_takes_for_tags_only_what_players_know() -> None:
    rows = 'x <y and z> w\n<font color="#fff">Oi</font> {\\an8}{y:i}vem {sic}\n'
    assert said(f"1\n{TIMES}\n{rows}", "srt") == ["x <y and z> w Oi vem {sic}"]


@pytest.mark.parametrize(
    "text",
    [
        "1\n00:00:01,0 --> 00:00:02,0\num\n2\n00:00:03,0 --> 00:00:04,0\ndois\n",  # no empty line
        "00:00:01,0 --> 00:00:02,0\num\n\n00:00:03,0 --> 00:00:04,0\ndois\n",  # no numbers
        "1\n\n00:00:01,0 --> 00:00:02,0\n\num\n\n2\n\n00:00:03,0 --> 00:00:04,0\n\ndois\n",
        "\ufeff1\n00:00:01,0 --> 00:00:02,0\num\n\n\n\n7\n00:00:03,0 --> 00:00:04,0\ndois",
        "2\n00:00:03,0 --> 00:00:04,0\ndois\n\n1\n00:00:01,0 --> 00:00:02,0\num\n",  # not in order
    ],
)
def test_numbers_and_empty_lines_may_be_missing(text: str) -> None:
    assert said(text, "srt") == ["um", "dois"]
    assert said(text.replace("\n", "\r\r\n"), "srt") == ["um", "dois"]


def test_notes_styles_and_names_of_cues_are_not_said() -> None:
    assert said(
        "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000\n\nREGION\nid:a\n\nSTYLE\n::cue { color: red }"
        "\n\nintro\n00:01.000 --> 00:02.000\num\n\nNOTE\nde\nmim\n\nnome\n"
        "00:03.000 --> 00:04.000\ndois\n"
    ) == ["um", "dois"]


def rolled(*rows: str) -> str:
    """Write captions as YouTube does: each row comes word by word, then stays above the next."""
    cues = []
    for time, (before, now) in enumerate(pairwise(("", *rows))):
        first, *words = now.split()
        timed = first + "".join(f"<00:00:{time:02}.500><c> {word}</c>" for word in words)
        cues.append(
            f"00:00:{time:02}.000 --> 00:00:{time:02}.990 align:start\n{before or ' '}\n{timed}"
        )
        cues.append(f"00:00:{time:02}.990 --> 00:00:{time + 1:02}.000 align:start\n{now}\n ")
    return HEAD + "\n\n".join(cues) + "\n"


def test_rows_that_roll_up_count_once() -> None:
    rows = ["e assim meus", "amigos não perguntem", "não perguntem", "o que"]
    text = rolled(*rows)
    assert said(text) == rows
    later = text.replace("00:00:02.000 -->", "00:00:02.700 -->")  # a pause before the third row
    assert later != text and said(later) == rows
    plain = "".join(text.split("<c>")).replace("</c>", "").replace("\n ", "")
    assert said(plain.removeprefix(HEAD), "srt") == rows  # as converters leave it
    three = "".join(
        f"{n}\n00:00:0{n},000 --> 00:00:0{n + 1},000\n"
        + "\n".join(rows[max(0, n - 2) : n + 1])
        + "\n\n"
        for n in range(len(rows))
    )
    assert " ".join(said(three, "srt")) == " ".join(rows)


def test_what_is_said_twice_counts_twice() -> None:
    times = [f"00:00:0{n},000 --> 00:00:0{n + 1},000" for n in range(8)]
    rows = ["não", "não", "não\nquero", "vem\ncá", "sim\nsim", "sim\nsim", "ai\nui", "ora\nora"]
    text = "".join(
        f"{n}\n{time}\n{row}\n\n" for n, (time, row) in enumerate(zip(times, rows, strict=True))
    )
    assert said(text, "srt") == [row.replace("\n", " ") for row in rows]


def test_names_before_colons_are_speakers_where_there_are_no_voices() -> None:
    text = f"{HEAD}{TIMES}\nAna Paula: bom dia\n\n00:00:05.000 --> 00:00:06.000\nZé: olá\n"
    (spoken,) = parse("a.vtt", text.encode()).values()
    assert spoken.speakers == {"Ana Paula": "bom dia", "Zé": "olá"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{HEAD}{TIMES}\n \n", "a.vtt: The file's cues hold no word;"),
        (f"{HEAD}{TIMES}\n<i></i>\n", "a.vtt: The file's cues hold no word;"),
        (f"{HEAD}00:00:01.000 --> 2 s\num\n", "a.vtt: Line 5 is no time of a cue;"),
        (
            f"{HEAD}{TIMES}\num\n\n00:00:05 --> 00:00:x\ndois\n",
            "a.vtt: Line 8 is no time of a cue;",
        ),
        (f"{HEAD}{'9' * 5000}:00:01 --> 00:02\num\n", "a.vtt: Line 5 is no time of a cue;"),
        (f"{HEAD}um dois\n", "a.vtt: The file holds no cue;"),
    ],
)
def test_a_file_that_ends_empty_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        said(text)
    assert str(caught.value).startswith(sentence) and str(caught.value).endswith(".")
