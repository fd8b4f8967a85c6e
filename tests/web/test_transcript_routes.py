"""The routes of a transcript, on a real server: what is read, what is changed, who may."""

import gzip
import json
import threading
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import ask

from transcrevai_core import i18n, ui
from transcrevai_core.audio import waveform
from transcrevai_core.library import edits
from transcrevai_core.library.store import Store
from transcrevai_core.types import Chunk, Job, Segment, Turn, Word
from transcrevai_core.web import origin, transcript_routes

A, B, C = "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"
SHOWN = " Bom dia."  # the first segment


@pytest.fixture
def job(store: Store, tmp_path: Path) -> Job:
    job = store.add_job(tmp_path / "a.mp3", {})
    store.save_plan(job.id, [Chunk(0, 0, 4)])
    words = [Word(n, n + 1, f" {text}", 0.9 - 0.2 * n) for n, text in enumerate(("Bom", "dia."))]
    segments = [
        Segment(0, 2, " Bom dia.", tuple(words)),
        Segment(
            2, 4, " Até <b>logo.", looping=True, temperature=1.0, avg_logprob=-1.4, language="en"
        ),
    ]
    store.save_chunk(job.id, 0, segments, dropped=0, seconds=1)
    store.save_diarization(job.id, [Turn(0, 2, A), Turn(2, 4, B)], {"speakers": 2})
    store.update_job(job.id, state="done", duration=4.0)
    return store.job(job.id)


def read(port: int, path: str) -> tuple[Any, bytes]:
    answer, content = ask(port, "GET", f"{transcript_routes.URL}/{path}")
    zipped = answer.headers["content-encoding"] == "gzip"
    return answer, gzip.decompress(content) if zipped else content


def change(port: int, job: Job, body: Any, **headers: str) -> tuple[int, Any]:
    known = {"Origin": f"http://localhost:{port}"}
    known |= {origin.TOKEN_HEADER.replace("-", "_"): origin.TOKEN}
    text = body if isinstance(body, str) else json.dumps(body)
    answer, content = ask(
        port, "POST", f"{transcript_routes.URL}/{job.id}", text, **known | headers
    )
    zipped = answer.headers["content-encoding"] == "gzip"
    return answer.status, json.loads(gzip.decompress(content) if zipped else content)


def test_all_that_is_shown_comes_at_once(port: int, store: Store, job: Job) -> None:
    first, second = store.segments(job.id)
    edits.edit_text(store, second.id or 0, "Até já.")
    edits.set_note(store, first.id or 0, "ask", author="Ana")
    edits.rename_speaker(store, job.id, B, "Bia")
    answer, content = read(port, job.id)
    found = json.loads(content)
    assert answer.status == 200 and found["duration"] == 4
    assert found["segments"][0].pop("noted").startswith("Ana · ")
    assert found["segments"][0] == {
        "id": first.id, "start": 0, "end": 2, "speaker": A, "note": "ask",
        "words": [[0, 1, " Bom", 0.9], [1, 2, " dia.", 0.7]],
    }  # fmt: skip
    assert found["segments"][1]["original"] == "Até <b>logo." and found["segments"][1]["looping"]
    assert found["segments"][1]["uncertain"] and found["segments"][1]["language"] == "en"
    assert not {"uncertain", "language"} & set(found["segments"][0])
    assert [word[2] for word in found["segments"][1]["words"]] == ["Até", " já."]
    assert [person["name"] for person in found["people"]] == ["Speaker 1", "Bia"]
    assert found["turns"] == [[0, 2, 0], [2, 4, 1]]
    assert (found["undo"], found["redo"]) == ("name", "")


def test_the_text_to_be_copied_is_as_it_is_wanted(port: int, store: Store, job: Job) -> None:
    edits.edit_text(store, store.segments(job.id)[0].id or 0, "Boa noite.")
    answer, content = read(port, f"{job.id}/text?times=1&speakers=1&edited=1")
    assert answer.headers["content-type"].startswith("text/plain")
    assert content.decode() == "[0:00] Speaker 1: Boa noite.\n\n[0:02] Speaker 2: Até <b>logo."
    assert read(port, f"{job.id}/text")[1].decode() == "Bom dia.\n\nAté <b>logo."
    assert read(port, "nothing/text")[0].status == 400


def test_a_change_brings_back_what_is_different(port: int, store: Store, job: Job) -> None:
    first, second = (segment.id for segment in store.segments(job.id))
    asked = {"do": "text", "segment": first, "text": "Boa noite.", "shown": " Bom dia."}
    status, told = change(port, job, asked)
    assert status == 200 and [segment["id"] for segment in told["segments"]] == [first]
    assert "people" not in told and told["undo"] == "text"
    status, told = change(port, job, {"do": "merge", "segment": first})
    assert told["gone"] == [second] and told["turns"] == [[0, 4, 0]]
    assert store.segments(job.id)[0].final_text == "Boa noite. Até <b>logo."
    status, told = change(port, job, {"do": "undo"})
    assert {segment["id"] for segment in told["segments"]} == {first, second}
    assert (told["what"], told["undo"], told["redo"]) == ("merge", "text", "merge")
    status, told = change(port, job, {"do": "redo"})
    assert told["gone"] == [second]


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"do": "split", "word": 1, "shown": SHOWN}, lambda s: s.text == " Bom"),
        (
            {"do": "note", "text": " ask ", "shown": "", "author": "Ana"},
            lambda s: (s.note, s.noted_by) == ("ask", "Ana") and s.noted_at,
        ),
        ({"do": "highlight", "on": True}, lambda s: s.highlighted),
        ({"do": "speaker", "speaker": B}, lambda s: s.speaker == B),
        ({"do": "speaker", "speaker": ""}, lambda s: s.speaker == C),  # somebody else
        ({"do": "text", "text": "x", "shown": SHOWN}, lambda s: s.edited == "x"),
        (
            {"do": "replace", "find": "bom", "text": "Belo", "words": True, "case": False},
            lambda s: s.edited == "Belo dia.",
        ),
    ],
)
def test_each_change_reaches_the_store(
    port: int, store: Store, job: Job, asked: Any, kept: Any
) -> None:
    first = store.segments(job.id)[0]
    status, told = change(port, job, asked | {"segment": first.id})
    assert status == 200 and first.id in [segment["id"] for segment in told["segments"]]
    assert kept(store.segments(job.id)[0])
    change(port, job, {"do": "undo"})
    assert store.segments(job.id)[0] == first


def test_a_turn_without_text_is_given_to_another(port: int, store: Store, job: Job) -> None:
    asked = {"do": "turn", "start": 2, "end": 4.0, "from": B, "speaker": A}
    status, told = change(port, job, asked)
    assert status == 200 and told["turns"] == [[0, 4, 0]] and not told["segments"]
    assert change(port, job, asked)[0] == 409


@pytest.mark.parametrize(
    "asked",
    [
        {"do": "text", "text": "mine"},
        {"do": "restore"},
        {"do": "split", "word": 1},
        {"do": "note", "text": "mine", "shown": ""},
    ],
)
def test_what_was_shown_otherwise_is_not_changed(
    port: int, store: Store, job: Job, asked: Any
) -> None:
    first = store.segments(job.id)[0].id
    edits.edit_text(store, first or 0, "Boa noite.")  # in another tab
    edits.set_note(store, first or 0, "theirs")
    before = store.transcript(job.id)
    status, told = change(port, job, {"segment": first, "shown": SHOWN} | asked)
    now = "theirs" if asked["do"] == "note" else "Boa noite."
    assert status == 409 and f"reads now: “{now}”." in told["error"]
    assert store.transcript(job.id) == before
    again = {"segment": first} | asked | {"shown": now}
    assert change(port, job, again)[0] == 200


def test_a_change_tells_which_states_it_came_between(port: int, store: Store, job: Job) -> None:
    first = store.segments(job.id)[0].id
    asked = {"do": "highlight", "segment": first}
    shown = json.loads(read(port, job.id)[1])["version"]
    told = change(port, job, asked | {"on": True})[1]
    assert told["before"] == shown != told["version"]
    edits.set_note(store, first or 0, "theirs")
    version = told["version"]
    told = change(port, job, asked | {"on": False})[1]
    assert told["before"] not in (shown, version)
    assert told["version"] == json.loads(read(port, job.id)[1])["version"]
    for do in ("undo", "undo", "undo", "undo", "redo"):  # the fourth has nothing to take back
        version = told["version"]
        told = change(port, job, {"do": do})[1]
        assert told["before"] == version and (told["version"] == version) == (not told["what"])


def test_the_states_are_those_of_the_change_alone(
    store: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.segments(job.id)[0].id or 0
    find = transcript_routes._find

    def slowly(*arguments: Any) -> Any:  # somebody else comes between the change and its answer
        monkeypatch.setattr(transcript_routes, "_find", find)
        theirs = threading.Thread(target=edits.set_note, args=(store, first, "theirs"))
        theirs.start()
        theirs.join()
        return find(*arguments)

    change = edits.set_highlight

    def changing(*arguments: Any) -> Any:
        done = change(*arguments)
        monkeypatch.setattr(transcript_routes, "_find", slowly)
        return done

    monkeypatch.setattr(edits, "set_highlight", changing)
    told = transcript_routes.changed(
        store, job.id, {"do": "highlight", "segment": first, "on": True}
    )
    assert told["version"] != transcript_routes.shown(store, job.id)["version"]
    assert store.segments(job.id)[0].note == "theirs"


@pytest.mark.parametrize(
    ("asked", "refused", "sentence"),
    [
        ({"do": "text", "segment": 10**6, "text": "x", "shown": "y"}, 409, "gone"),
        ({"do": "text", "text": "x"}, 400, "needs segment"),
        ({"do": "text", "segment": 1, "text": "x"}, 400, "needs shown"),
        ({"do": "split", "segment": 1, "word": 0, "shown": SHOWN}, 400, "between two words"),
        ({"do": "dance"}, 400, "unknown"),
        ({}, 400, "needs do"),
        ([], 400, "JSON object"),
        ("no json", 400, "JSON object"),
        ('{"do": "note", "segment": 1, "text": "\\ud83d", "shown": ""}', 400, "whole characters"),
        ("[" * 100_000, 400, "JSON object"),
    ],
    ids=range(10),
)
def test_what_cannot_be_done_is_one_sentence(
    port: int, store: Store, job: Job, asked: Any, refused: int, sentence: str
) -> None:
    before = store.transcript(job.id)
    status, told = change(port, job, asked)
    assert status == refused and sentence in told["error"] and told["error"].endswith(".")
    assert store.transcript(job.id) == before


def test_refusals_are_in_the_language_of_who_asks(
    port: int, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcript_routes, "say", lambda message: f"{i18n.language()}: {message}")
    monkeypatch.setattr(i18n, "_find", ui._language)
    for language, expected in (("pt_BR", "pt_BR: "), ("xx", "en: ")):
        path = f"{transcript_routes.URL}/{'0' * 32}?language={language}"
        told = json.loads(ask(port, "GET", path)[1])["error"]
        assert told.startswith(f"{expected}There is no job")
        told = json.loads(ask(port, "POST", path, "{}")[1])["error"]
        assert told.startswith(f"{expected}Only TranscrevAI's own page")


def test_a_segment_of_another_job_is_out_of_reach(port: int, store: Store, job: Job) -> None:
    other = store.add_job(Path("b.mp3"), {})
    first = store.segments(job.id)[0].id
    asked = {"do": "text", "segment": first, "text": "x", "shown": SHOWN}
    status, told = change(port, other, asked)
    assert status == 409 and "gone" in told["error"]
    assert store.segments(job.id)[0].edited is None


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": ""}, {"X_Transcrevai_Token": "guess"}],
)
def test_changes_of_others_are_refused(
    port: int, store: Store, job: Job, headers: dict[str, str]
) -> None:
    first = store.segments(job.id)[0]
    asked = {"do": "text", "segment": first.id, "text": "x"}
    assert change(port, job, asked, **headers)[0] == 403
    assert store.segments(job.id)[0] == first


def test_too_much_at_once_is_refused(port: int, job: Job) -> None:
    status, told = change(port, job, {"do": "text", "segment": 1, "text": "x" * 2_000_000})
    assert status == 413 and told["error"].endswith(".")


@pytest.mark.parametrize("path", ["0" * 32, "..", "x", "0" * 32 + "/waveform", "../waveform"])
def test_nothing_but_a_known_job_is_read(port: int, path: str) -> None:
    assert ask(port, "GET", f"{transcript_routes.URL}/{path}")[0].status in (400, 404)


# -- the waveform ------------------------------------------------------------------------------


def sound(path: Path, samples: Any) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.asarray(samples, "<i2").tobytes())
    return path


def test_the_waveform_tells_the_highest_of_each_twentieth(
    port: int, store: Store, job: Job
) -> None:
    sound(store.wav(job.id), [0] * 800 + [0, 16_384] * 400 + [-32_768] * 800 + [256] * 10)
    for _ in range(2):  # the second time as it was kept
        answer, content = read(port, f"{job.id}/waveform")
        assert answer.status == 200 and [*content] == [0, 128, 255, 2]
    assert store.wav(job.id).with_suffix(".peaks").read_bytes() == content


def test_the_waveform_of_another_sound_is_made_anew(tmp_path: Path) -> None:
    wav = sound(tmp_path / "audio.wav", [0] * 1600)
    assert waveform.peaks(wav) == b"\0\0"
    wav.with_suffix(".peaks").write_bytes(b"old")
    sound(wav, [32_767] * 800)
    assert waveform.peaks(wav) == b"\xff"


def test_a_long_sound_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wav = sound(tmp_path / "audio.wav", [0] * 1600 + [32_767] * 1000)
    whole = waveform.peaks(wav)
    wav.with_suffix(".peaks").unlink()
    monkeypatch.setattr(waveform, "_BLOCK", 800)
    assert waveform.peaks(wav) == whole == b"\0\0\xff\xff"


def test_a_job_without_sound_says_so(port: int, job: Job) -> None:
    answer, content = ask(port, "GET", f"{transcript_routes.URL}/{job.id}/waveform")
    assert answer.status == 404 and b"no sound" in content
