"""Keys of the embedded server: who may send, and who may also send imports and pull."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from filelock import FileLock

from dialogkit.errors import NotOnServer, ServerRefused, UnexpectedReply
from dialogkit.files import write_whole

Role = Literal["phone", "staff"]
REALM: Final = "dialogkit"
_WHERE: Final = "server/keys.json"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. Its secrets are not part of its `repr`, so that no message or log can show them.

    Args:
        label: plain text chosen by staff, such as `phones Lusaka`; not the name of a person.
        role: `phone` lists forms and sends; `staff` also sends imports and pulls.
        token: 64 characters that stand in the path of the address.
        created, revoked: ISO 8601 in UTC; `revoked` is empty while the key works.
        user, ha1: for HTTP digest, the alternative to the path: the name, and MD5(user:realm:password).
    """

    label: str
    role: Role
    token: str = field(repr=False)
    created: str
    revoked: str = ""
    user: str = ""
    ha1: str = field(default="", repr=False)


class Access:
    """The keys in one file. A change of the file, such as a revoked key, holds from the next request on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    def list_keys(self) -> tuple[Key, ...]:
        """Every key that was ever made, the revoked ones too.

        Raises:
            UnexpectedReply: SERVER-022, the file is not readable or not ours.
        """
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return ()
        signature = (found.st_mtime_ns, found.st_size, found.st_ino)
        if signature != self._seen:
            self._keys, self._seen = self._read(), signature
        return self._keys

    def add_key(self, label: str, role: Role, *, user: str = "", password: str = "") -> Key:
        """A new key, safe on disk.

        Raises:
            ServerRefused: SERVER-020, the label or the user name cannot be used or is in use.
        """
        label, user = label.strip(), user.strip()
        with self._lock():
            keys = self.list_keys()
            _check_new(label, user, password, [key for key in keys if not key.revoked])
            key = Key(
                label,
                role,
                secrets.token_hex(32),
                datetime.now(UTC).isoformat(timespec="seconds"),
                user=user,
                ha1=digest_secret(user, password) if user else "",
            )
            self._write((*keys, key))
        return key

    def revoke_key(self, label: str) -> Key:
        """Stop a key for good.

        Raises:
            NotOnServer: SERVER-021, no working key has this label.
        """
        with self._lock():
            keys = self.list_keys()
            found = next((key for key in keys if key.label == label.strip() and not key.revoked), None)
            if found is None:
                raise _no_such_key(keys)
            gone = replace(found, revoked=datetime.now(UTC).isoformat(timespec="seconds"))
            self._write(tuple(gone if key is found else key for key in keys))
        return gone

    def labelled(self, label: str) -> Key:
        """The working key of this label.

        Raises:
            NotOnServer: SERVER-021, no working key has this label.
        """
        for key in self.list_keys():
            if key.label == label.strip() and not key.revoked:
                return key
        raise _no_such_key(self.list_keys())

    def key_of(self, token: str) -> Key | None:
        """The working key of this token. Every key is compared, in constant time."""
        return self._find(token, lambda key: key.token)

    def role_of(self, token: str) -> Role | None:
        """What the bearer of this token may do; None for a wrong or revoked one."""
        key = self.key_of(token)
        return key.role if key else None

    def user(self, name: str) -> Key | None:
        """The working key that carries this user name for digest."""
        return self._find(name, lambda key: key.user) if name else None

    def token(self, role: Role) -> str:
        """The token of the first working key of this role: what dialogkit itself uses to pull, or to show a QR code.

        Raises:
            NotOnServer: SERVER-021, there is none yet.
        """
        for key in self.list_keys():
            if key.role == role and not key.revoked:
                return key.token
        raise NotOnServer(
            "SERVER-021", _WHERE, f"There is no working {role} key.", f"Make one: dialogkit key add LABEL --role {role}"
        )

    def _lock(self) -> FileLock:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return FileLock(self._path.with_name(".keys.lock"), mode=0o600)

    def _find(self, given: str, secret_of: Callable[[Key], str]) -> Key | None:
        asked, found = _hash(given), None
        for key in self.list_keys():
            same = hmac.compare_digest(asked, _hash(secret_of(key)))
            if same and not key.revoked:
                found = key
        return found

    def _read(self) -> tuple[Key, ...]:
        try:
            listed = json.loads(self._path.read_text(encoding="utf-8"))["keys"]
            return tuple(Key(**entry) for entry in listed)
        except (OSError, ValueError, TypeError, KeyError):
            raise UnexpectedReply(
                "SERVER-022",
                _WHERE,
                "The file of keys cannot be read, so no key works.",
                "Put a copy of it back, or delete it and make new keys with: dialogkit key add LABEL --role phone",
            ) from None

    def _write(self, keys: tuple[Key, ...]) -> None:
        text = json.dumps({"keys": [asdict(key) for key in keys]}, ensure_ascii=False, indent=1)
        write_whole(self._path, text.encode(), mode=0o600)
        self._seen = None


def digest_secret(user: str, password: str) -> str:
    """HA1 of RFC 7616: all that a server has to keep of a password."""
    return hashlib.md5(f"{user}:{REALM}:{password}".encode(), usedforsecurity=False).hexdigest()


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _check_new(label: str, user: str, password: str, working: list[Key]) -> None:
    if not label or len(label) > 60 or not label.isprintable():
        raise _not_added("The label of a key is 1 to 60 printable characters.", "Choose another label.")
    if any(key.label == label for key in working):
        raise _not_added("A working key has this label.", "Choose another label, or revoke that key first.")
    if not user:
        return
    if ":" in user or '"' in user or "\\" in user or not user.isprintable():
        raise _not_added("A user name cannot hold a colon, a quote or a backslash.", "Choose another user name.")
    if any(key.user == user for key in working):
        raise _not_added("A working key has this user name.", "Choose another, or revoke that key first.")
    if len(password) < 8:
        raise _not_added("A password has at least 8 characters.", "Choose a longer password.")


def _not_added(message: str, fix: str) -> ServerRefused:
    return ServerRefused("SERVER-020", _WHERE, message, fix)


def _no_such_key(keys: tuple[Key, ...]) -> NotOnServer:
    labels = ", ".join(key.label for key in keys if not key.revoked) or "none yet"
    return NotOnServer(
        "SERVER-021", _WHERE, f"No working key has this label. Labels: {labels}.", "Correct the label, or add a key."
    )
