"""Who may send something to the program: only a page that this process served."""

import secrets
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from transcrevai_core.errors import TranscrevaiError

TOKEN = secrets.token_urlsafe(32)  # only a page that this process served can know it
TOKEN_HEADER = "X-Transcrevai-Token"


class Refused(TranscrevaiError):
    """A request is turned away with an HTTP status and one sentence."""

    def __init__(self, text: str, status: int, **values: Any):
        super().__init__(text, **values)
        self.status = status


def check_sender(request: Request) -> None:
    """Raise Refused for a request that does not come from the program's own page."""
    # a page of another site can neither read the token nor send this header unasked
    token = request.headers.get(TOKEN_HEADER, "")
    origin = urlsplit(request.headers.get("origin", "")).netloc
    if not origin or origin != request.headers.get("host"):
        raise Refused("Only TranscrevAI's own page may send something here.", 403)
    if not secrets.compare_digest(token.encode(), TOKEN.encode()):
        raise Refused("The program was restarted since this page was opened; reload the page.", 403)
