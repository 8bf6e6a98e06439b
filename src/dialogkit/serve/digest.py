"""The server's side of HTTP digest (RFC 7616, MD5, qop=auth), for clients that cannot carry a key in the path."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final
from urllib.request import parse_http_list, parse_keqv_list

from dialogkit.serve.access import REALM, Access, Key

NONCE_SECONDS: Final = 300
_NEEDED: Final = ("username", "realm", "nonce", "uri", "response", "nc", "cnonce", "qop")


class StaleNonce(Exception):  # noqa: N818 - named by what happened
    """The nonce is too old or not ours: the client shall ask again with a new one."""


class Digest:
    """Challenges, and checks what comes back.

    A nonce is signed and expires, so nothing is kept of challenges that nobody answers. A counter (`nc`) works
    once within a nonce, so a recorded request cannot be sent again.
    """

    def __init__(self, access: Access, clock: Callable[[], float] = time.time) -> None:
        self._access, self._clock = access, clock
        self._secret = secrets.token_bytes(32)
        self._used: dict[str, set[int]] = {}
        self._guard = threading.Lock()

    def challenge(self, *, stale: bool = False) -> str:
        """The value of `WWW-Authenticate`."""
        issued = f"{int(self._clock()):x}-{secrets.token_hex(8)}"
        nonce = f"{issued}-{self._signed(issued)}"
        tail = ", stale=true" if stale else ""
        return f'Digest realm="{REALM}", qop="auth", algorithm=MD5, nonce="{nonce}"{tail}'

    def key_of(self, header: str, method: str, target: str) -> Key | None:
        """The key that the `Authorization` header proves, or None.

        Args:
            header: as sent.
            method: of the request.
            target: path and query, exactly as in the request line.

        Raises:
            StaleNonce: the rest may be right, but the nonce has expired.
        """
        said = _parse(header)
        if said is None or said["realm"] != REALM or said["qop"] != "auth" or said["uri"] != target:
            return None
        self._check_nonce(said["nonce"])
        key = self._access.user(said["username"])
        # An unknown user costs the same as a wrong password.
        expected = _response(key.ha1 if key else secrets.token_hex(16), method, said)
        same = hmac.compare_digest(expected.encode(), said["response"].lower().encode())
        if not (same and key):
            return None
        return key if self._first_use(said["nonce"], said["nc"]) else None

    def _check_nonce(self, nonce: str) -> None:
        issued, _, signature = nonce.rpartition("-")
        if not hmac.compare_digest(self._signed(issued).encode(), signature.encode()):
            raise StaleNonce
        if self._clock() - int(issued.split("-")[0], 16) > NONCE_SECONDS:
            raise StaleNonce

    def _first_use(self, nonce: str, count: str) -> bool:
        try:
            number = int(count, 16)
        except ValueError:
            return False
        with self._guard:
            self._forget_old()
            used = self._used.setdefault(nonce, set())
            if number in used:
                return False
            used.add(number)
        return True

    def _forget_old(self) -> None:
        oldest = self._clock() - NONCE_SECONDS
        for nonce in [nonce for nonce in self._used if int(nonce.split("-")[0], 16) < oldest]:
            del self._used[nonce]

    def _signed(self, issued: str) -> str:
        return hmac.new(self._secret, issued.encode(), hashlib.sha256).hexdigest()[:32]


def _parse(header: str) -> dict[str, str] | None:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "digest":
        return None
    try:
        said = {name.lower(): value for name, value in parse_keqv_list(parse_http_list(rest)).items()}
    except (ValueError, IndexError):
        return None
    return said if all(said.get(name) for name in _NEEDED) else None


def _response(ha1: str, method: str, said: dict[str, str]) -> str:
    ha2 = _md5(f"{method}:{said['uri']}")
    return _md5(f"{ha1}:{said['nonce']}:{said['nc']}:{said['cnonce']}:{said['qop']}:{ha2}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
