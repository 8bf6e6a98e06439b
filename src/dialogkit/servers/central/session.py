"""One signed-in connection to a project of ODK Central; what it refuses, in the words of our errors."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from requests import PreparedRequest
from requests.auth import AuthBase

from dialogkit.errors import NotOnServer, ServerRefused, UnexpectedReply
from dialogkit.servers.again import Again
from dialogkit.servers.exchange import Asked, Reply
from dialogkit.servers.http import Http

#: Every refusal but 429, for which `Http` waits.
_REFUSALS: Final = frozenset({*range(400, 429), *range(430, 500)})
#: Called with status and headers of an answer before the first piece of its body.
Heard = Callable[[int, Mapping[str, str]], None]


class CentralSession:
    """Signs in once, and again when the token has run out (24 hours).

    Args:
        name: as in `dialogkit.toml`; stands in messages.
        url: the address of the server, without `/v1`.
        project_id: the project on the server.
        email: of the account.
        password: of the account.
        again: how often and how long to wait for a server that is down or busy.
    """

    def __init__(
        self, name: str, url: str, project_id: int | str, email: str, password: str, *, again: Again | None = None
    ) -> None:
        self.name, self.url, self.project_id = name, url.rstrip("/"), project_id
        self._http = Http(name, f"{self.url}/v1", headers={}, again=again)
        self._account = {"email": email, "password": password}
        self._token = ""
        self._signing = threading.Lock()

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def project(self, rest: str = "") -> str:
        """The path of something in the project."""
        return f"projects/{quote(str(self.project_id), safe='')}{rest}"

    def form(self, remote_id: str, rest: str = "") -> str:
        """The path of a form, or of something below it."""
        return self.project(f"/forms/{quoted(remote_id)}{rest}")

    def get(self, path: str, params: Mapping[str, str] | None = None, *, accept: Collection[float] = ()) -> Reply:
        """A whole answer.

        Raises:
            ServerError: see `send`.
        """
        return self.send(Asked("GET", path, params), accept=accept)

    def send(self, asked: Asked, *, accept: Collection[float] = ()) -> Reply:
        """The whole answer to any request.

        Args:
            asked: the request.
            accept: codes of refusals (`404.1`) that are given back rather than raised; see `refusal`.

        Raises:
            ServerError: as `Http.send`; further ServerRefused SERVER-060 e-mail or password, SERVER-061 no right,
                SERVER-063 another refusal, and NotOnServer SERVER-062.
        """
        asked = replace(asked, allow=_REFUSALS)
        token = self._signed_in()
        reply = self._http.send(asked)
        if reply.status == 401:
            self._signed_in(instead_of=token)
            reply = self._http.send(asked)
        if reply.status >= 400 and refusal(reply) not in accept:
            raise self._refused(reply.status, refusal(reply))
        return reply

    def stream(self, asked: Asked, heard: Heard | None = None) -> Iterator[bytes]:
        """The body of an answer in pieces; as many bytes as the server said.

        Raises:
            ServerError: as `send`; without the code of the server.
        """
        asked = replace(asked, allow=_REFUSALS)
        for last in (False, True):
            token = self._signed_in()
            expired = False

            def listen(status: int, headers: Mapping[str, str], last: bool = last) -> None:
                nonlocal expired
                expired = status == 401 and not last
                if status >= 400 and not expired:
                    raise self._refused(status, 0)
                if heard is not None and not expired:
                    heard(status, headers)

            pieces = self._http.stream_of(asked, listen)
            for piece in pieces:
                if expired:
                    break
                yield piece
            if not expired:
                return
            self._signed_in(instead_of=token)

    def records(self, reply: Reply) -> list[dict[str, Any]]:
        """The answer as a JSON list of objects.

        Raises:
            UnexpectedReply: SERVER-014 or SERVER-064, it is something else.
        """
        found = reply.json()
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self.unexpected("SERVER-064", "An answer of the server does not have the shape that it should have.")
        return found

    def record(self, reply: Reply) -> dict[str, Any]:
        """The answer as a JSON object.

        Raises:
            UnexpectedReply: as `records`.
        """
        found = reply.json()
        if not isinstance(found, dict):
            raise self.unexpected("SERVER-064", "An answer of the server does not have the shape that it should have.")
        return found

    def shown(self, text: str) -> str:
        """A text of the server as it may be shown: one short line."""
        return self._http.shown(text)

    def unexpected(self, code: str, message: str) -> UnexpectedReply:
        """The error for an answer that ODK Central does not give."""
        return UnexpectedReply(code, self.name, message, "Run it again; if it stays so, tell who runs the server.")

    def no_file(self) -> NotOnServer:
        """The error for a file that the server lists and does not give."""
        return NotOnServer(
            "SERVER-062",
            self.name,
            "The server does not give a file of a submission, or no address can name it.",
            "Look at the submission on the server. The next pull asks again.",
        )

    def _signed_in(self, instead_of: str = "") -> str:
        """The token; a new one when there is none, or when `instead_of` is still the one in use."""
        with self._signing:
            if self._token == instead_of:
                self._token = self._sign_in()
                self._http.sign(_Bearer(self._token))
            return self._token

    def _sign_in(self) -> str:
        self._http.sign(None)
        asked = Asked("POST", "sessions", json=self._account, again=True, allow=_REFUSALS)
        reply = self._http.send(asked)
        if reply.status in (400, 401):
            raise ServerRefused(
                "SERVER-060",
                self.name,
                f"The server does not know this e-mail address with this password ({_number(reply)}).",
                "Check the environment variables that email_env and password_env in dialogkit.toml name.",
            )
        if reply.status >= 400:
            raise self._refused(reply.status, refusal(reply))
        token = self.record(reply).get("token")
        if not isinstance(token, str) or not token.isprintable() or not token:
            raise self.unexpected("SERVER-064", "The server gave no token when signing in.")
        return token

    def _refused(self, status: int, code: float) -> ServerRefused | NotOnServer:
        number = f"{code:g}" if code else str(status)
        if status == 404:
            return NotOnServer(
                "SERVER-062",
                self.name,
                f"The project, the form or the submission is not on the server ({number}).",
                "Check url and project_id in dialogkit.toml. A form that is not there yet: dialogkit deploy FORM. "
                "Or was it deleted on the server?",
            )
        if status in (401, 403):
            return ServerRefused(
                "SERVER-061",
                self.name,
                f"This account may not do that in project {self.project_id} ({number}).",
                "Ask a manager of the project on the server to give it the right.",
            )
        return ServerRefused(
            "SERVER-063",
            self.name,
            f"The server said no ({number}).",
            "The number is explained in the API pages of ODK Central; tell who runs the server.",
        )


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def quoted(part: str) -> str:
    """One part of a path."""
    return quote(part, safe="")


def refusal(reply: Reply) -> float:
    """The code of Central in a refusal, such as 409.3; 0 when it is not one, or gives none."""
    if reply.status < 400:
        return 0
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        return 0
    code = said.get("code") if isinstance(said, dict) else None
    return code if isinstance(code, int | float) and reply.status <= code < reply.status + 1 else 0


def _number(reply: Reply) -> str:
    return f"{refusal(reply) or reply.status:g}"
