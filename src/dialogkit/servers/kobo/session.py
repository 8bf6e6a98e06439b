"""One account on a KoboToolbox server: its token, its rights, and answers that have the shape they must have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase

from dialogkit.errors import NotOnServer, ServerRefused, UnexpectedReply
from dialogkit.servers.again import Again
from dialogkit.servers.exchange import Asked, Reply
from dialogkit.servers.http import Http

_LIST: Final = 100


class KoboSession:
    """Requests as one account.

    Args:
        name: of the server as in `dialogkit.toml`; stands in messages.
        url: of KPI (`https://kf.kobotoolbox.org`).
        token: of the account (Account settings, Security).
        again: how often and how long to wait for a server that is down or busy.
    """

    def __init__(self, name: str, url: str, token: str, *, again: Again | None = None) -> None:
        self.name, self.again = name, again or Again()
        # Never `?format=json`: it would come back inside every link.
        self.http = Http(name, url, _Token(name, token), headers={"Accept": "application/json"}, again=self.again)
        self._user = self._phones = ""

    def close(self) -> None:
        """Close every connection."""
        self.http.close()

    def check(self) -> str:
        """The user name of the account. Asked once: a list without credentials is empty, not refused.

        Raises:
            ServerRefused: SERVER-002, the server does not know the token.
        """
        if not self._user:
            self._user = text(self.ask("me/"), "username")
            if not self._user:
                raise self.unexpected("It does not say whose token this is.")
        return self._user

    def phone_url(self) -> str:
        """The address for phones, without a slash at its end: it is another host on most servers."""
        if not self._phones:
            self._phones = text(self.ask("api/v2/environment/"), "open_rosa_server").rstrip("/")
            if not self._phones.startswith(("https://", "http://")):
                self._phones = ""
                raise self.unexpected("It does not say which address phones use.")
        return self._phones

    def ask(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """An answer that is a JSON object.

        Raises:
            UnexpectedReply: SERVER-041, it is something else.
        """
        return self.mapping(self.http.get(path, params))

    def mapping(self, reply: Reply) -> dict[str, Any]:
        """The JSON object in an answer."""
        found = reply.json()
        if not isinstance(found, dict):
            raise self.unexpected("It answered something else than an object.")
        return found

    def results(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Every object of a list that comes in pages."""
        start = 0
        while True:
            page = self.ask(path, {**(params or {}), "start": str(start), "limit": str(_LIST)})
            rows = objects(page, "results")
            yield from rows
            start += len(rows)
            if not rows or start >= number(page, "count"):
                return

    def asset(self, remote_id: str) -> dict[str, Any] | None:
        """A form with all that the server says of it; None when this account cannot see it."""
        try:
            return self.ask(asset_path(remote_id))
        except NotOnServer:
            return None

    def send_json(
        self, method: str, path: str, body: object, *, again: bool = False, allow: tuple[int, ...] = ()
    ) -> Reply:
        """Send a JSON object. `again`: sending it twice does what sending it once does."""
        return self.http.send(Asked(method, path, json=body, again=again, allow=allow))

    def send_form(self, path: str, fields: Mapping[str, str], file: tuple[str, str, bytes], allow: int) -> Reply:
        """Send fields and a file (field, file name, content), as a browser would."""
        field, file_name, content = file
        # requests writes the body; the address is not used.
        made = requests.Request("POST", "http://localhost/", data=fields, files={field: (file_name, content)}).prepare()
        kind = str(made.headers["Content-Type"])
        return self.http.send(Asked("POST", path, body=made.body, content_type=kind, allow=(allow,)))

    def reason(self, reply: Reply) -> str:
        """What the server says about a workbook, on one line. For workbooks only: other errors may quote answers."""
        try:
            said = reply.json()
        except UnexpectedReply:
            return ""
        parts = [said[key] for key in ("error", "detail") if key in said] if isinstance(said, dict) else []
        return self.http.shown(" ".join(part if isinstance(part, str) else json.dumps(part) for part in parts))

    def here(self, url: str) -> str:
        """Path and query of an address that the server gave: it may name itself by another name than we do."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise self.unexpected("It gave an address that is none.") from None
        return parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")

    def unexpected(self, message: str) -> UnexpectedReply:
        """The error for an answer of another shape than KoboToolbox's."""
        return UnexpectedReply(
            "SERVER-041",
            self.name,
            f"The server does not answer as KoboToolbox does. {message}",
            "Check that url in dialogkit.toml is the address where you sign in to KoboToolbox, then try again.",
        )


class _Token(AuthBase):
    def __init__(self, where: str, token: str) -> None:
        self._where, self._token = where, token.strip()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if not self._token or not self._token.isascii() or not self._token.isalnum():
            raise ServerRefused(
                "SERVER-040",
                self._where,
                "The token is empty, or has signs in it that no token of KoboToolbox has.",
                "Copy it again from KoboToolbox (Account settings, Security) into the environment variable.",
            )
        request.headers["Authorization"] = f"Token {self._token}"
        return request


def asset_path(remote_id: str, inside: str = "") -> str:
    """The path of a form, or of something inside it."""
    return f"api/v2/assets/{quote(remote_id, safe='')}/{inside}"


def remote_id_of(remote_ids: Mapping[str, str], form_id: str, name: str) -> str:
    """The form there of a form of ours.

    Raises:
        NotOnServer: SERVER-053, this workspace has not placed it there.
    """
    if remote_id := remote_ids.get(form_id):
        return remote_id
    raise NotOnServer(
        "SERVER-053",
        f"{name}, {form_id}",
        "This workspace does not know which form on the server that is.",
        f"Place it there first: dialogkit deploy {form_id}",
    )


def text(found: Mapping[str, Any], key: str) -> str:
    """A text in an object; `""` when it is missing or something else."""
    value = found.get(key)
    return value if isinstance(value, str) else ""


def number(found: Mapping[str, Any], key: str) -> int:
    """A whole number in an object; -1 when it is missing or something else."""
    value = found.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def objects(found: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of a list in an object; empty when it is missing or something else."""
    value = found.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
