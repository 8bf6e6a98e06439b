"""Faults on demand for the look-alikes: an ASGI middleware that spoils chosen answers, and notes what was asked."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Final

#: Answers that take the place of the server's own: status, type, body, headers by option.
_ANSWERS: Final[dict[str, tuple[int, str, bytes]]] = {
    "error500": (500, "application/json", b'{"message":"Internal Server Error"}'),
    "busy503": (503, "text/html", b"<html><body>Service Unavailable</body></html>"),
    "html": (200, "text/html; charset=utf-8", b"<!doctype html><html><body>Please sign in.</body></html>"),
    "redirect": (302, "text/plain", b"Found"),
    "unauthorised401": (401, "application/json", b'{"message":"Could not authenticate.","code":401.2}'),
    "forbidden403": (403, "application/json", b'{"message":"Not allowed.","code":403.1}'),
}
_CHANGES: Final = frozenset({"cut", "slow", "hook", "rewrite", "skew"})

Send = Callable[[dict[str, Any]], Any]


@dataclass
class Fault:
    """One thing that goes wrong: where, how often, and how."""

    kind: str
    path: str
    method: str
    times: int
    after: int
    options: dict[str, Any]
    met: int = 0

    def strikes(self, method: str, target: str) -> bool:
        """Whether it spoils this request; counts it."""
        if self.method and self.method != method:
            return False
        if self.path and self.path not in target and not re.search(self.path, target):
            return False
        self.met += 1
        late = self.times and self.met > self.after + self.times
        return self.met > self.after and not late


@dataclass
class Seen:
    """A request as it came, and the size of what was answered. `target` is the path with its query."""

    method: str
    target: str
    headers: dict[str, str]
    status: int = 0
    sent: int = 0


@dataclass
class Faults:
    """What goes wrong from now on. `seen` holds every request since the start or the last `forget()`.

    Kinds and their options:
        error500, html (`status`, `body`), unauthorised401, forbidden403: that answer instead of the right one.
        busy503: `retry_after` (seconds, default 0; None leaves the header out).
        redirect: `to`, the Location; default another host.
        cut: the connection is closed in the middle of the body; `keep` (bytes, default half).
        slow: `seconds` between the headers and the body.
        hook: `function()` is called before the request is answered.
        rewrite: `function(body) -> body`.
        skew: `seconds` added to the header Date of every answer, from now on.

    `pace` slows every answer that is not spoilt down, when there is one.
    """

    seen: list[Seen] = field(default_factory=list)
    skew: float = 0.0
    pace: Pace | None = None
    _waiting: list[Fault] = field(default_factory=list)

    def add(
        self, kind: str, *, path: str = "", times: int = 1, method: str = "", after: int = 0, **options: Any
    ) -> None:
        """Make requests go wrong.

        Args:
            kind: see above.
            path: part of the path with its query, or a regular expression that is searched in it; empty: all.
            times: how many requests it spoils; 0: all of them.
            method: of those requests; empty: any.
            after: how many matching requests go well first.
            **options: of the kind.
        """
        if kind not in _ANSWERS and kind not in _CHANGES:
            raise ValueError(f"no fault is called {kind}")
        if kind == "skew":
            self.skew = float(options["seconds"])
            return
        self._waiting.append(Fault(kind, path, method, times, after, options))

    def clear(self) -> None:
        """All is well again."""
        self._waiting.clear()
        self.skew = 0.0

    def forget(self) -> None:
        """Empty `seen`."""
        self.seen.clear()

    def striking(self, method: str, target: str) -> list[Fault]:
        """The faults that spoil this request, in the order they were added."""
        return [fault for fault in self._waiting if fault.strikes(method, target)]


class FaultyApp:
    """An ASGI app with its faults in front of it."""

    def __init__(self, app: Any, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        noted = _seen(scope)
        self._faults.seen.append(noted)
        outwards = _noting(noted, _dated(send, self._faults))
        striking = self._faults.striking(noted.method, noted.target)
        if not striking and self._faults.pace:
            await self._faults.pace.answer(self._app, scope, receive, outwards)
            return
        if not striking:
            await self._app(scope, receive, outwards)
            return
        for fault in striking:
            if fault.kind == "hook":
                fault.options["function"]()
        answer = next((fault for fault in striking if fault.kind in _ANSWERS), None)
        collected = _Collected()
        if answer is None:
            await self._app(scope, receive, collected)
        else:
            collected.replace(answer)
        await _send_spoilt(collected, striking, outwards)


class _Collected:
    """An answer that is held back until it is whole."""

    def __init__(self) -> None:
        self.start: dict[str, Any] = {}
        self.body = b""

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    def replace(self, fault: Fault) -> None:
        status, content_type, body = _ANSWERS[fault.kind]
        self.body = fault.options.get("body", body)
        headers = [(b"content-type", content_type.encode())]
        if fault.kind == "redirect":
            headers.append((b"location", fault.options.get("to", "http://elsewhere.invalid/").encode()))
        if fault.kind == "busy503" and fault.options.get("retry_after", 0) is not None:
            headers.append((b"retry-after", str(fault.options.get("retry_after", 0)).encode()))
        self.start = {
            "type": "http.response.start",
            "status": fault.options.get("status", status),
            "headers": headers,
        }


class Pace:
    """Makes a look-alike as slow as a real server: one answer at a time, each takes a while for each row in it.

    Args:
        seconds: for 1,000 rows.
        rows: how many rows the body of an answer holds.
    """

    def __init__(self, seconds: float, rows: Callable[[bytes], float]) -> None:
        self._seconds, self._rows = seconds, rows
        self._turn = asyncio.Lock()

    async def answer(self, app: Any, scope: dict[str, Any], receive: Any, send: Send) -> None:
        """The answer of `app`, no sooner than the real server would give it."""
        collected = _Collected()
        # A server that waits for its own processor gets nothing ready side by side.
        async with self._turn:
            begun = time.monotonic()
            await app(scope, receive, collected)
            due = begun + self._seconds * self._rows(collected.body) / 1000
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await send(collected.start)
        await send({"type": "http.response.body", "body": collected.body})


async def _send_spoilt(collected: _Collected, striking: list[Fault], send: Send) -> None:
    body = collected.body
    for fault in striking:
        if fault.kind == "rewrite":
            body = fault.options["function"](body)
    kept = [pair for pair in collected.start["headers"] if pair[0].lower() != b"content-length"]
    length = (b"content-length", str(len(body)).encode())
    await send({**collected.start, "headers": [*kept, length]})
    for fault in striking:
        if fault.kind == "slow":
            await asyncio.sleep(fault.options["seconds"])
    cut = next((fault for fault in striking if fault.kind == "cut"), None)
    if cut is None:
        await send({"type": "http.response.body", "body": body})
        return
    keep = cut.options.get("keep", len(body) // 2)
    # More was promised: when this returns, uvicorn closes the connection.
    await send({"type": "http.response.body", "body": body[:keep], "more_body": True})


def _dated(send: Send, faults: Faults) -> Send:
    async def dated(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            date = formatdate(time.time() + faults.skew, usegmt=True).encode()
            message = {**message, "headers": [*message.get("headers", ()), (b"date", date)]}
        await send(message)

    return dated


def _noting(noted: Seen, send: Send) -> Send:
    async def noting(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            noted.status = message["status"]
        else:
            noted.sent += len(message.get("body", b""))
        await send(message)

    return noting


def _seen(scope: dict[str, Any]) -> Seen:
    query = scope.get("query_string", b"").decode("latin-1")
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Seen(scope["method"], f"{path}?{query}" if query else path, headers)
