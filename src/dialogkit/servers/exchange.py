"""One request to a form server and its whole answer."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from dialogkit.errors import UnexpectedReply


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of the server. `where` names the server in messages."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    where: str = ""

    def json(self) -> Any:
        """The answer as JSON.

        Raises:
            UnexpectedReply: SERVER-014, it is something else, cut off, or nested too deep.
        """
        try:
            found = json.loads(self.body)
            if b"\\ud" in self.body.lower():
                # Half a character, which only an escape can hold: no file and no address could.
                json.dumps(found, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            page = self.body.lstrip()[:1] == b"<"
            said = "a page for browsers" if page else "something that is not whole JSON"
            raise UnexpectedReply(
                "SERVER-014",
                self.where,
                f"The server answered {said}.",
                "Check that url in dialogkit.toml is the address of the server itself, without a path; try again.",
            ) from None
        return found


@dataclass(frozen=True)
class Asked:
    """One request.

    Args:
        method: of HTTP.
        path: below the address of the server, or an absolute address on the same server.
        params: of the query.
        body: bytes, or something that can be read over again and has a length.
        json: sent as JSON, in place of `body`.
        content_type: of `body`.
        headers: further ones.
        again: it may be sent twice without harm although its method does not say so.
        allow: statuses of 400 and more that are given back rather than raised.
    """

    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: object = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    again: bool = False
    allow: Collection[int] = ()


def is_page(name: str, headers: Mapping[str, str]) -> bool:
    """Whether a page for browsers came (to sign in, or of a proxy) in the place of a file of this name."""
    page = headers.get("Content-Type", "").lower().startswith(("text/html", "application/xhtml"))
    return page and not name.lower().endswith((".html", ".htm", ".xhtml"))
