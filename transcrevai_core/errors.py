"""Everything that can end a job, as one tree. Each message is one sentence for the user.

An error carries a template and values (`messages.Message`), so that the page says it in the
reader's language: `raise InputError("There is no file {path}.", path=path)`.

TranscrevaiError
├── InputError          the recording or the request cannot be used as it is
│   ├── AudioError          no sound can be read from the file
│   ├── SettingError        a setting is outside its range
│   └── Outdated            what was to be changed is no longer as it was shown
├── ModelError          the model cannot be had or loaded
│   └── ModelAbsent         it is not on this computer, and no source gives it now
├── WorkerDied          a worker process ended before its answer
├── StorageError        the disk or the database refused
└── Cancelled           the user asked for the end
"""

import errno
from typing import Any, Literal, Self

from transcrevai_core.messages import Code, Message

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class TranscrevaiError(Exception):
    """Base of all errors that a user may read: what was wrong and what would be right."""

    def __init__(self, text: str, **values: Any):
        super().__init__(text)
        plain = (int, float, str, Message, Code)
        kept = {name: v if isinstance(v, plain) else str(v) for name, v in values.items()}
        self.message = Message(text, kept)

    @classmethod
    def of(cls, message: Message) -> Self:
        """Return an error that says a message."""
        return cls(message.text, **message.values)

    def __str__(self) -> str:
        return str(self.message)

    def __reduce__(self) -> tuple[Any, ...]:  # from a worker to whoever called it
        return _again, (type(self), self.__dict__)


class InputError(TranscrevaiError):
    """The recording or the request cannot be used as it is."""


class AudioError(InputError):
    """No sound can be read from the file."""


class SettingError(InputError):
    """A setting is unknown or outside its range."""


class Outdated(InputError):
    """What was to be changed is no longer as it was shown to who changes it."""


class ModelError(TranscrevaiError):
    """The model cannot be had or loaded."""


class ModelAbsent(ModelError):
    """The model is not on this computer, and no source gives it now."""

    @property
    def why(self) -> Message:
        """What the sources said, as part of a sentence where they said so."""
        why = self.message.values.get("reason")
        return why if isinstance(why, Message) else self.message


class WorkerDied(TranscrevaiError):
    """A worker process ended before it gave its answer.

    `cause` says why: it needed more memory than it may have, it was silent, or it just ended.
    """

    def __init__(
        self, text: str, cause: Literal["memory", "silence", "end"] = "end", **values: Any
    ):
        super().__init__(text, **values)
        self.cause = cause


class StorageError(TranscrevaiError):
    """The disk or the database refused."""


class Cancelled(TranscrevaiError):
    """The user asked for the end of the job."""


def _again(kind: type[TranscrevaiError], state: dict[str, Any]) -> TranscrevaiError:
    error = kind(state["message"].text)
    error.__dict__.update(state)
    return error


def refusal(error: OSError) -> Message:
    """Say why the system refused, for use inside a sentence: in words of ours where it is usual."""
    if error.errno in _FULL:
        return Message("the disk is full")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Message("permission is missing")
    if error.errno == errno.ENOENT:
        return Message("it is not there")
    return Message(error.strerror or str(error))


def reason(error: BaseException) -> Message:
    """Return what an error says; of one that is not ours its first line, for use in a sentence."""
    if isinstance(error, TranscrevaiError):
        return error.message
    return Message(str(error).splitlines()[0] if str(error) else type(error).__name__)
