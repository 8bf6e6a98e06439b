"""One connection to a form server: timeouts, repeats where they are safe, and failures in the words of our errors."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from dialogkit import xml
from dialogkit.errors import NotOnServer, ServerError, ServerRefused, ServerUnreachable, UnexpectedReply
from dialogkit.servers.again import Again, busy, go_on, repeatable
from dialogkit.servers.exchange import Asked, Reply

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


class _Session(requests.Session):
    """Even when it is told not to follow a redirect, requests reads its whole body and where it leads."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: that is for `Http`."""


class Http:
    """Requests below one address.

    Args:
        where: the name of the server in messages. The address itself is never shown: its path may hold a key.
        base: the address, without a slash at its end.
        auth: for `requests`, such as `HTTPDigestAuth`. Never sent to another host.
        embedded: it is our own server of this workspace, which somebody has to start.
        headers: sent with every request.
        again: how often and how long to wait for a server that is down or busy.
    """

    def __init__(
        self,
        where: str,
        base: str,
        auth: AuthBase | None = None,
        *,
        embedded: bool = False,
        headers: Mapping[str, str] | None = None,
        again: Again | None = None,
    ) -> None:
        self.where, self._base, self._embedded = where, base.rstrip("/"), embedded
        self._again = again or Again()
        # Parts of the path that are long enough to be a key, and so must not be shown or kept.
        self._secrets = [part for part in urlsplit(base).path.split("/") if len(part) > 15]
        self._session = _Session()
        # The environment could name a proxy or a .netrc that the person did not think of for this server.
        self._session.trust_env = urlsplit(base).hostname not in _THIS_COMPUTER
        self._session.auth = auth
        self._session.headers.update(headers if headers is not None else {"X-OpenRosa-Version": "1.0"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def sign(self, auth: AuthBase | None) -> None:
        """Use other credentials from now on. Cookies that the server set are dropped: they are not ours to send."""
        self._session.cookies.clear()
        self._session.auth = auth

    def get(self, path: str, params: Mapping[str, str] | None = None, *, allow: Collection[int] = ()) -> Reply:
        """A whole answer.

        Raises:
            ServerError: see `send`.
        """
        return self.send(Asked("GET", path, params, allow=allow))

    def send(self, asked: Asked) -> Reply:
        """The whole answer to any request.

        Raises:
            ServerUnreachable: SERVER-001 no connection or none in time, SERVER-005 a fault of the server, SERVER-011
                its certificate is not trusted, SERVER-015 it is busy and stays so.
            ServerRefused: SERVER-002, SERVER-003, SERVER-006.
            NotOnServer: SERVER-004.
            UnexpectedReply: SERVER-007 it sends to another address, SERVER-008 the answer is too large.
        """
        for wait in self._again.waits(asked.again or repeatable(asked.method)):
            try:
                with self._open(asked) as response:
                    return Reply(response.status_code, response.headers, self._whole(response), self.where)
            except ServerUnreachable as error:
                wait.or_raise(error)
        raise AssertionError  # the last wait raises

    def stream(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[bytes]:
        """A file, in pieces; as many bytes as the server said.

        Raises:
            ServerError: as `send`; what came before a cut connection has been given out.
        """
        yield from self.stream_of(Asked("GET", path, params))

    def stream_of(self, asked: Asked, heard: Callable[[int, Mapping[str, str]], None] | None = None) -> Iterator[bytes]:
        """As `stream`, for any request. `heard` is told status and headers before the first piece."""
        begun = False
        for wait in self._again.waits(asked.again or repeatable(asked.method)):
            try:
                with self._open(asked) as response, self._failures():
                    if heard is not None:
                        heard(response.status_code, response.headers)
                    for piece in response.iter_content(_PIECE):
                        begun = True
                        go_on()
                        yield piece
                    return
            except ServerUnreachable as error:
                if begun:
                    raise
                wait.or_raise(error)

    def head(self, path: str) -> None:
        """Ask whether the server would take a request here; also lets it ask for a password before a long one.

        Raises:
            ServerError: as `send`.
        """
        self.send(Asked("HEAD", path))

    def post(self, path: str, body: object, content_type: str) -> Reply:
        """Send a body: bytes, or something that can be read over again and has a length. Sent once.

        Raises:
            ServerError: as `send`.
        """
        return self.send(Asked("POST", path, body=body, content_type=content_type))

    @contextmanager
    def _open(self, asked: Asked) -> Iterator[requests.Response]:
        url, params = self._address(asked.path), asked.params
        for _ in range(_REDIRECTS):
            response = self._sent(asked, url, params)
            with response:
                if not response.is_redirect or not repeatable(asked.method):
                    if response.status_code not in asked.allow:
                        self._refuse(response)
                    yield response
                    return
                url, params = self._address(response.headers["Location"], url), None
        raise self._unexpected("SERVER-007", "The server sends from one address to the next without an end.")

    def _sent(self, asked: Asked, url: str, params: Mapping[str, str] | None) -> requests.Response:
        with self._failures():
            return self._session.request(
                asked.method,
                url,
                params=params,
                data=asked.body,  # type: ignore[arg-type] # requests takes any iterable that has a length
                json=asked.json,
                headers=dict(asked.headers) | ({"Content-Type": asked.content_type} if asked.content_type else {}),
                timeout=_TIMEOUT,
                allow_redirects=False,
                stream=True,
            )

    def _address(self, path: str, sent_from: str = "") -> str:
        """The whole address. `sent_from`: the one that a redirect came from, which `path` may be relative to."""
        if not sent_from and "://" not in path:
            return f"{self._base}/{path}"
        try:
            address = urljoin(sent_from, path)
            asked, ours = urlsplit(address), urlsplit(self._base)
        except ValueError:
            raise self._elsewhere() from None
        if (asked.scheme, asked.netloc) != (ours.scheme, ours.netloc):
            raise self._elsewhere()
        return address

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except requests.RequestException as error:
            # The text of the exception holds the address, and with it the key: only its kind is told.
            if isinstance(error, requests.exceptions.SSLError):
                raise ServerUnreachable(
                    "SERVER-011",
                    self.where,
                    "The certificate of the server is not trusted, so nothing was sent.",
                    "Check the address and the clock of this computer; ask those who run the server for a valid one.",
                ) from None
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
                go_on()
                held += piece
                if len(held) > _MAX_REPLY:
                    raise self._unexpected("SERVER-008", "The answer of the server is too large to be a submission.")
        return bytes(held)

    def _refuse(self, response: requests.Response) -> None:
        status = response.status_code
        if status < 300:
            return
        if status < 400:
            raise self._elsewhere()
        if status in (429, 503):
            raise busy(self.where, response.headers.get("Retry-After", ""))
        said = self._message(response)
        if status == 404:
            raise NotOnServer(
                "SERVER-004", self.where, f"It is not on the server. {said}".strip(), "Check the form and the address."
            )
        if status in (401, 403):
            code, text = ("SERVER-002", "The server does not know this key or password.")
            if status == 403:
                code, text = ("SERVER-003", "This key may not do that on the server.")
            fix = (
                "Check what dialogkit.toml names for this server: the token, key or password, and whether it may do so."
            )
            raise ServerRefused(code, self.where, f"{text} {said}".strip(), fix)
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

    def _elsewhere(self) -> UnexpectedReply:
        return UnexpectedReply(
            "SERVER-007",
            self.where,
            "The server sends to another address. It was not followed, and nothing was sent there.",
            "If that is the same server, write url in dialogkit.toml as it does: often https:// in place of http://.",
        )

    def _unexpected(self, code: str, message: str) -> UnexpectedReply:
        return UnexpectedReply(code, self.where, message, "Check that the address is that of a form server.")


def message_of(root: Element) -> str:
    """The text of an `OpenRosaResponse`, or `""` when it is something else."""
    found = next((child for child in root if xml.local(child) == "message"), None)
    return (found.text or "") if found is not None and xml.local(root) == "OpenRosaResponse" else ""
