"""What holds for every request before any page sees it, and for every answer.

Foreign hosts, requests that another site had the browser make, and too large ones are refused; every answer says what a
browser may do with it. Sources: CSP Level 3, Fetch Metadata (W3C); RFC 6797 (HSTS); OWASP, Cross-Site Request Forgery
Prevention Cheat Sheet.
"""

import logging
from collections.abc import Callable, Collection
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ami_bridge.core.faults import fault

log = logging.getLogger(__name__)

MOST_BYTES = 1 << 20
"""Of a request's body; a long transcript is a tenth of it."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
          "form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
    "Cache-Control": "no-store",
}
FOR_A_YEAR = "max-age=31536000"

REFUSALS = {403: "another site had your browser send this", 413: "too large",
            421: "this is not the console's name; see [console] names", 500: "something went wrong here; the log says where"}
"""What programs are told, by the status; everybody is told so where there is no page for it."""

Pages = Callable[[int, str], str | None]
"""Makes the page of a status for an ``Accept-Language`` header; None where there is none."""


class TooLarge(Exception):
    """A body was longer than it may be."""


class BrokenOff(Exception):
    """An answer that had begun goes no further. The connection ends before its last byte, so nobody takes it for whole."""


class Guard:
    """Wraps the console.

    ``hosts``: the names by which it is known; ``tls``: whether browsers reach it only so; ``programs``: how the paths begin
    at which programs ask; ``pages``: what makes the pages for everybody else.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], *, tls: bool, programs: str, pages: Pages) -> None:
        self._app, self._hosts, self._programs, self._pages = app, frozenset(hosts), programs, pages
        self._headers = HEADERS | ({"Strict-Transport-Security": FOR_A_YEAR} if tls else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._mark(MutableHeaders(scope=message))
            await send(message)

        body = _Body(receive)

        async def answer_to_whole(message: Message) -> None:
            """Answer for the console, unless it was kept from reading the request: then it would tell of another mistake."""
            if body.too_large and not begun:
                raise TooLarge
            await answer(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        try:
            await (self._answer(refusal, scope)(scope, receive, answer) if refusal
                   else self._app(scope, body.receive, answer_to_whole))
        except TooLarge:
            await self._answer(413, scope)(scope, receive, answer)
        except BrokenOff:
            return
        except Exception as error:  # whatever it is, nobody outside gets to read it
            log.error("A request could not be answered: %s", fault(error), extra={"action": "console_fault"})
            if begun:
                raise
            await self._answer(500, scope)(scope, receive, answer)

    def _refusal(self, method: str, headers: Headers) -> int | None:
        if host_of(headers.get("host", "")) not in self._hosts:
            return 421
        if method not in SAFE and is_foreign(headers):
            return 403
        length = headers.get("content-length", "0")
        return 413 if not length.isdecimal() or int(length) > MOST_BYTES else None

    def _answer(self, status: int, scope: Scope) -> Response:
        of_program = scope["path"].startswith(self._programs)
        page = None if of_program else self._pages(status, Headers(scope=scope).get("accept-language", ""))
        return HTMLResponse(page, status) if page else PlainTextResponse(REFUSALS[status], status)

    def _mark(self, headers: MutableHeaders) -> None:
        for name, value in self._headers.items():
            headers.setdefault(name, value)


def host_of(host: str) -> str:
    """Return a ``Host`` header without the port, in small letters; empty for what cannot be one."""
    return (_parts(f"//{host}").hostname or "") if host.isascii() and "/" not in host and "@" not in host else ""


def is_foreign(headers: Headers) -> bool:
    """Tell whether a page of another origin had the browser send a request."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and _parts(origin).netloc != headers.get("host", "")


def _parts(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # a bracket without its other
        return urlsplit("")


class _Body:
    """What comes of a request; TooLarge while it is read, and it is remembered: not everybody lets that pass."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._size = receive, 0

    @property
    def too_large(self) -> bool:
        return self._size > MOST_BYTES

    async def receive(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self.too_large:
            raise TooLarge
        return message
