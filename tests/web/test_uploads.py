"""The routes beside the pages, on a real server: what breaks a connection breaks it here too."""

import errno
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import UPLOAD_LIMIT, wait_until
from helpers import ask

from transcrevai_core.library.store import Store
from transcrevai_core.web import origin, uploads

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def upload(port: int, body: Any, name: str = "reuni%C3%A3o.mp3", **headers: str) -> tuple[int, Any]:
    known = {
        "Origin": f"http://localhost:{port}",
        origin.TOKEN_HEADER.replace("-", "_"): origin.TOKEN,
    }
    answer, content = ask(port, "PUT", f"{uploads.UPLOAD_URL}?name={name}", body, **known | headers)
    return answer.status, json.loads(content)


def left_behind(home: Path) -> list[Path]:
    return [*(home / "uploads").glob("*")]


def test_upload_arrives_whole_and_is_found_once(port: int, store: Store) -> None:
    body = os.urandom(300_000)
    status, answer = upload(port, body)
    assert (status, answer["size"], answer["name"]) == (200, len(body), "reunião.mp3")
    file = uploads.find_upload(store.home, answer["upload"])
    assert file and file.read_bytes() == body and file.name == "reunião.mp3"
    job = store.add_job(file, {}, take=True)
    assert uploads.find_upload(store.home, answer["upload"]) is None
    assert job.source.read_bytes() == body
    store.delete_job(job.id)
    assert not job.source.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"X_Transcrevai_Token": "guess"},
        {"X_Transcrevai_Token": ""},
    ],
)
def test_upload_of_others_is_refused(port: int, store: Store, headers: dict[str, str]) -> None:
    status, answer = upload(port, b"sound", **headers)
    assert status == 403 and answer["error"].endswith(".")
    assert not left_behind(store.home)


def test_too_large_is_refused_however_it_comes(port: int, store: Store) -> None:
    status, answer = upload(port, b"x" * (UPLOAD_LIMIT + 1))
    assert status == 413 and "larger than 1 MB" in answer["error"]
    # without an announced size the limit is met in mid-stream
    status, _ = upload(port, (b"x" * 65_536 for _ in range(20)))
    assert status == 413
    assert not left_behind(store.home)


def test_who_asks_first_hears_the_same(port: int, store: Store) -> None:
    known = {
        "Origin": f"http://localhost:{port}",
        origin.TOKEN_HEADER.replace("-", "_"): origin.TOKEN,
    }
    path = f"{uploads.UPLOAD_URL}?name=a.mp3&size="
    assert ask(port, "POST", path + "1000", **known)[0].status == 200
    answer, content = ask(port, "POST", f"{path}{UPLOAD_LIMIT + 1}", **known)
    assert answer.status == 413 and "larger than 1 MB" in json.loads(content)["error"]
    assert ask(port, "POST", path + "1000")[0].status == 403
    assert not left_behind(store.home)


def test_empty_is_refused(port: int, store: Store) -> None:
    status, answer = upload(port, b"")
    assert (status, answer["error"]) == (
        400,
        "reunião.mp3 is empty; choose a file with sound in it.",
    )
    assert not left_behind(store.home)


def test_broken_upload_leaves_nothing(port: int, store: Store) -> None:
    head = (
        f"PUT {uploads.UPLOAD_URL}?name=a.mp3 HTTP/1.1\r\nHost: localhost:{port}\r\n"
        f"Origin: http://localhost:{port}\r\n{origin.TOKEN_HEADER}: {origin.TOKEN}\r\n"
        "Content-Length: 500000\r\n\r\n"
    )
    with socket.create_connection(("localhost", port)) as connection:
        connection.sendall(head.encode() + b"x" * 200_000)
        wait_until(lambda: left_behind(store.home))
    wait_until(lambda: not left_behind(store.home))


def test_full_disk_is_one_sentence(
    port: int, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any) -> None:
        raise FULL

    monkeypatch.setattr("anyio.to_thread.run_sync", refuse)
    status, answer = upload(port, b"x" * 1000)
    assert status == 507 and answer["error"].startswith("The disk is full")
    assert not left_behind(store.home)


def test_too_little_room_is_known_beforehand(
    port: int, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    status, answer = upload(port, b"x" * 1000)
    assert status == 507 and "0 MB are free" in answer["error"]
    assert not left_behind(store.home)


def test_audio_plays_by_ranges(port: int, store: Store, tmp_path: Path) -> None:
    job = store.add_job(tmp_path / "a.mp3", {})
    sound = os.urandom(10_000)
    store.wav(job.id).write_bytes(sound)
    answer, content = ask(port, "GET", f"{uploads.AUDIO_URL}/{job.id}")
    assert (answer.status, content) == (200, sound)
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    answer, content = ask(port, "GET", f"{uploads.AUDIO_URL}/{job.id}", Range="bytes=100-199")
    assert (answer.status, content) == (206, sound[100:200])
    assert answer.headers["content-range"] == "bytes 100-199/10000"
    answer, content = ask(port, "GET", f"{uploads.AUDIO_URL}/{job.id}", Range="bytes=9000-")
    assert (answer.status, content) == (206, sound[9000:])
    assert ask(port, "GET", f"{uploads.AUDIO_URL}/{job.id}", Range="bytes=90000-")[0].status == 416


@pytest.mark.parametrize(
    "route", ["/api/audio/{}", "/api/transcript/{}", "/api/transcript/{}/waveform"]
)
def test_nothing_is_told_to_an_address_of_others(
    port: int, store: Store, route: str, make_sound: Callable[..., Path]
) -> None:
    job = store.add_job(make_sound(), {})
    store.wav(job.id).write_bytes(job.source.read_bytes())
    path = route.format(job.id)
    assert ask(port, "GET", path)[0].status == 200
    answer, content = ask(port, "GET", path, Host=f"evil.example:{port}")
    assert answer.status == 403 and "does not answer to this address" in content.decode()


@pytest.mark.parametrize(
    ("host", "allowed", "ours"),
    [
        ("localhost", ["localhost"], True),
        ("LOCALHOST.", ["localhost"], True),
        ("::1", ["localhost", "[::1]"], True),
        ("evil.example", ["localhost", "[::1]"], False),
        ("evil-localhost", ["localhost"], False),
        ("", ["localhost"], False),
        ("a.example.org", ["*.example.org"], True),
        ("example.org", ["*.example.org"], False),
        ("any.where", ["*"], True),
        ("any.where", [], True),
    ],
)
def test_which_addresses_are_ours(host: str, allowed: list[str], ours: bool) -> None:
    assert uploads.is_ours(host, allowed) == ours


@pytest.mark.parametrize("job", ["0" * 32, "..", "..%2f..%2flibrary", "x"])
def test_no_sound_but_a_jobs_own(port: int, job: str) -> None:
    assert ask(port, "GET", f"{uploads.AUDIO_URL}/{job}")[0].status == 404


@pytest.mark.parametrize("upload", ["..", "../jobs", "", "0" * 32])
def test_no_upload_but_a_known_one(store: Store, upload: str) -> None:
    assert uploads.find_upload(store.home, upload) is None


def test_abandoned_uploads_are_removed(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    old, new = (uploads.keep(store.home, "a.wav", tmp_path / "a.wav") for _ in range(2))
    os.utime(old.parent, (0, 0))
    assert uploads.remove_abandoned(store.home) == 1
    assert new.exists() and not old.exists() and (tmp_path / "a.wav").exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.mp3", "a.mp3"),
        ("../../a.mp3", "a.mp3"),
        ("C:\\b\\a.mp3", "a.mp3"),
        ("a\n\x00b.mp3", "a__b.mp3"),
        (".part", "part"),
        ("", "recording"),
        (" .. ", "recording"),
    ],
)
def test_safe_names(given: str, kept: str) -> None:
    assert uploads.safe_name(given) == kept


def test_long_names_keep_their_extension() -> None:
    name = uploads.safe_name("ã" * 500 + ".mp3")
    assert name.endswith("ã.mp3") and len(name.encode()) <= 120
