"""The app on a free port and a browser to look at it: for tests, benchmarks and screenshots."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# seconds that a start, or anything in a test, is waited for: far more than the busiest machine
# needs, as it only bounds a run that fails
CEILING = 300.0
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@dataclass(frozen=True)
class Server:
    """A running app: its address, process, log, and how long its first health answer took."""

    url: str
    pid: int
    log: Path
    seconds: float


@contextmanager
def serving(home: Path, script: str = "app.py", **environment: str) -> Iterator[Server]:
    """Run `streamlit run` over the data directory `home`, and end it with its workers."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    log = home.parent / f"server-{port}.log"
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)],
        cwd=ROOT,
        env=os.environ | {"TRANSCREVAI_HOME": str(home)} | environment,
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
    )
    url = f"http://localhost:{port}"
    try:
        while not _healthy(url):
            if process.poll() is not None or time.monotonic() - begun > CEILING:
                raise RuntimeError(f"the server did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield Server(url, process.pid, log, time.monotonic() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(CEILING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=CEILING) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def find_chromium() -> str | None:
    """Return the Chromium of the variable CHROMIUM, else the one on the path."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@contextmanager
def browsing() -> Iterator[Any]:
    """Run a headless Chromium and give Playwright's Browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
