"""One connection to a form server: timeouts, no strange redirects, and failures in the words of our errors."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from dialogkit import xml
from dialogkit.errors import NotOnServer, ServerError, ServerRefused, ServerUnreachable, UnexpectedReply

CONNECTIONS: Final = 8
_TIMEOUT: Final = (10.0, 120.0)
_REDIRECTS: Final = 5
_MAX_REPLY: Final = xml.MAX_BYTES
_PIECE: Final = 256 * 1024
_THIS_COMPUTER: Final = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound to
_START_OURS: Final = (
    "Start dialogkit serve in another window, then try again. "
    "It is looked for at the address in dialogkit.toml (listen)."
)
_CHECK_THEIRS: Final = "Check the address in dialogkit.toml, the network, and that the server runs. Then try again."

# urllib3 writes the path of a request into its log, and a path may hold a key.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of the server."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """Requests below one address.

    Args:
        where: the name of the server in messages. The address itself is never shown: its path may hold a key.
        base: the address, without a slash at its end.
        auth: for `requests`, such as `HTTPDigestAuth`.
        embedded: it is our own server of this workspace, which somebody has to start.
    """

    def __init__(self, where: str, base: str, auth: AuthBase | None = None, *, embedded: bool = False) -> None:
        self.where, self._base, self._embedded = where, base.rstrip("/"), embedded
        # Parts of the path that are long enough to be a key, and so must not be shown or kept.
        self._secrets = [part for part in urlsplit(base).path.split("/") if len(part) > 15]
        self._session = requests.Session()
        # The environment could name a proxy or a .netrc that the person did not think of for this server.
        self._session.trust_env = urlsplit(base).hostname not in _THIS_COMPUTER
        self._session.auth = auth
        self._session.headers["X-OpenRosa-Version"] = "1.0"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Reply:
        """A whole answer.

        Args:
            path: below the address, or an absolute address on the same server.
            params: of the query.

        Raises:
            ServerError: see `_refuse` and `_send`.
        """
        with self._send("GET", path, params=params) as response:
            return Reply(response.status_code, response.headers, self._whole(response))

    def stream(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[bytes]:
        """A file, in pieces.

        Raises:
            ServerError: as `get`.
        """
        with self._send("GET", path, params=params) as response, self._failures():
            yield from response.iter_content(_PIECE)

    def head(self, path: str) -> None:
        """Ask whether the server would take a request here; also lets it ask for a password before a long one.

        Raises:
            ServerError: as `get`.
        """
        with self._send("HEAD", path):
            return

    def post(self, path: str, body: object, content_type: str) -> Reply:
        """Send a body: bytes, or something that can be read over again and has a length.

        Raises:
            ServerError: as `get`.
        """
        with self._send("POST", path, body=body, content_type=content_type) as response:
            return Reply(response.status_code, response.headers, self._whole(response))

    @contextmanager
    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "",
    ) -> Iterator[requests.Response]:
        url = self._address(path)
        headers = {"Content-Type": content_type} if content_type else None
        for _ in range(_REDIRECTS):
            with self._failures():
                response = self._session.request(
                    method,
                    url,
                    params=params,
                    data=body,  # type: ignore[arg-type] # requests takes any iterable that has a length
                    headers=headers,
                    timeout=_TIMEOUT,
                    allow_redirects=False,
                    stream=True,
                )
            with response:
                if not response.is_redirect or method == "POST":
                    self._refuse(response)
                    yield response
                    return
                url, params = self._address(urljoin(url, response.headers["Location"])), None
        raise self._unexpected("SERVER-007", "The server sends from one address to the next without an end.")

    def _address(self, path: str) -> str:
        if "://" not in path:
            return f"{self._base}/{path}"
        asked, ours = urlsplit(path), urlsplit(self._base)
        if (asked.scheme, asked.netloc) != (ours.scheme, ours.netloc):
            raise self._unexpected("SERVER-007", "The server sends to another address. It was not followed.")
        return path

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except requests.RequestException as error:
            # The text of the exception holds the address, and with it the key: only its kind is told.
            slow = isinstance(error, requests.Timeout)
            raise ServerUnreachable(
                "SERVER-001",
                self.where,
                "The server did not answer in time." if slow else "There is no connection to the server.",
                _START_OURS if self._embedded else _CHECK_THEIRS,
            ) from None

    def _whole(self, response: requests.Response) -> bytes:
        held = bytearray()
        with self._failures():
            for piece in response.iter_content(_PIECE):
                held += piece
                if len(held) > _MAX_REPLY:
                    raise self._unexpected("SERVER-008", "The answer of the server is too large to be a submission.")
        return bytes(held)

    def _refuse(self, response: requests.Response) -> None:
        status = response.status_code
        if status < 300:
            return
        said = self._message(response)
        if status == 404:
            raise NotOnServer(
                "SERVER-004", self.where, f"It is not on the server. {said}".strip(), "Check the form and the address."
            )
        if status in (401, 403):
            code, text = ("SERVER-002", "The server does not know this key or password.")
            if status == 403:
                code, text = ("SERVER-003", "This key may not do that on the server.")
            raise ServerRefused(code, self.where, f"{text} {said}".strip(), "Use a key that may, and is not revoked.")
        if status >= 500:
            raise ServerUnreachable(
                "SERVER-005", self.where, f"The server has a fault ({status}). {said}".strip(), "Try again later."
            )
        message = f"The server said no ({status}). {said}".strip()
        raise ServerRefused("SERVER-006", self.where, message, "Do what it says, then try again.")

    def _message(self, response: requests.Response) -> str:
        """What the server says to people, when it says it as OpenRosa servers do."""
        try:
            root = xml.parse(self._whole(response))
        except (xml.UnsafeXml, ServerError):
            return ""
        return self.shown(message_of(root))

    def shown(self, text: str) -> str:
        """A text from the server as it may be shown: one short line, without the address that holds a key."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return re.sub(r"\s+", " ", "".join(sign for sign in text if sign.isprintable() or sign.isspace())).strip()[:300]

    def without_key(self, body: bytes) -> bytes:
        """Bytes from the server as they may be kept: addresses in them hold the key of whoever asked."""
        for secret in self._secrets:
            body = body.replace(secret.encode(), b"KEY")
        return body

    def _unexpected(self, code: str, message: str) -> UnexpectedReply:
        return UnexpectedReply(code, self.where, message, "Check that the address is that of a form server.")


def message_of(root: Element) -> str:
    """The text of an `OpenRosaResponse`, or `""` when it is something else."""
    found = next((child for child in root if xml.local(child) == "message"), None)
    return (found.text or "") if found is not None and xml.local(root) == "OpenRosaResponse" else ""
