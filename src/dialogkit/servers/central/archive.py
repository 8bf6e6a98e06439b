"""Fetches Central's csv.zip into a temporary file, opened by the server where a passphrase is known."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import IO, Final, cast
from urllib.parse import urlencode

from dialogkit.errors import ServerRefused, ServerUnreachable, UnexpectedReply
from dialogkit.servers.central.odata import read_time, utc
from dialogkit.servers.central.session import CentralSession
from dialogkit.servers.exchange import Asked

_IN_MEMORY: Final = 16 * 1024 * 1024
MAX_PACKED: Final = 512 * 1024 * 1024
_TRIES: Final = 3
#: The server cuts the parts of a second off after three digits.
_MOMENT: Final = timedelta(milliseconds=1)
_LOSSLESS: Final = {"deletedFields": "true", "groupPaths": "true", "splitSelectMultiples": "false"}


class CutOffError(Exception):
    """The server is there, and the archive that it opens ends in the middle.

    That is how Central meets a submission that it cannot open: it has begun to answer by then.
    """


class Archives:
    """The csv.zip of one form.

    Args:
        session: signed in.
        remote_id: the form.
        passphrase: of the keys that the server manages; empty when nobody gave one.
    """

    def __init__(self, session: CentralSession, remote_id: str, passphrase: str) -> None:
        self._session, self._remote_id, self._passphrase = session, remote_id, passphrase
        self._keys: tuple[str, ...] | None = None
        #: The server could not open anything with the passphrase.
        self.wrong_key = False

    @property
    def opens(self) -> bool:
        """Whether the server opens encrypted submissions for us.

        Raises:
            ServerError: no connection, refused, or an answer of another shape.
        """
        if not self._passphrase or self.wrong_key:
            return False
        if self._keys is None:
            listed = self._session.records(self._session.get(self._session.form(self._remote_id, "/submissions/keys")))
            self._keys = tuple(str(one.get("id")) for one in listed if one.get("managed") is True)
        return bool(self._keys)

    def fetch(self, condition: str, *, media: bool = False, alone: bool = True) -> IO[bytes]:
        """The archive of the submissions that meet a condition.

        Args:
            condition: a filter of the server.
            media: with their files.
            alone: it is a single submission, so that it is worth to try again.

        Raises:
            CutOffError: one of them cannot be opened by the server.
            UnexpectedReply: SERVER-069, it is larger than submissions are.
            ServerError: no connection, or refused.
        """
        if self.opens:
            try:
                return self._kept(self._asked(condition, media=media, opened=True), _TRIES if alone else 1)
            except ServerUnreachable as error:
                if error.code != "SERVER-001":
                    raise
                # Nothing but the connection may be at fault: then this fails too.
                self._session.get(self._session.form(self._remote_id))
                raise CutOffError from None
            except ServerRefused as error:
                # The only refusal that a request without the passphrase does not meet too (400.12).
                if error.code != "SERVER-063":
                    raise
                self.wrong_key = True
        return self._kept(self._asked(condition, media=media, opened=False), _TRIES)

    def _asked(self, condition: str, *, media: bool, opened: bool) -> Asked:
        params: Mapping[str, str] = {
            **_LOSSLESS,
            "attachments": "true" if media else "false",
            **({"$filter": condition} if condition else {}),
        }
        path = self._session.form(self._remote_id, "/submissions.csv.zip")
        if not opened:
            return Asked("GET", path, params)
        # Never in the address: addresses are written into logs.
        body = urlencode([(key, self._passphrase) for key in self._keys or ()]).encode()
        return Asked("POST", path, params, body=body, content_type="application/x-www-form-urlencoded", again=True)

    def _kept(self, asked: Asked, tries: int) -> IO[bytes]:
        for left in reversed(range(tries)):
            file = cast(IO[bytes], tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - given to the caller
            try:
                self._fill(file, asked)
            except ServerUnreachable:
                # Cut off in the middle: what came is of no use. Before that, it has been tried again already.
                begun = file.tell() > 0
                file.close()
                if not left or not begun:
                    raise
            except BaseException:
                file.close()
                raise
            else:
                return file
        raise AssertionError  # the last try returns or raises

    def _fill(self, file: IO[bytes], asked: Asked) -> None:
        for piece in self._session.stream(asked):
            if file.tell() + len(piece) > MAX_PACKED:
                raise self.too_large()
            file.write(piece)
        file.seek(0)

    def too_large(self) -> UnexpectedReply:
        """The error for an archive that is larger than submissions are."""
        return self._session.unexpected("SERVER-069", "The archive of submissions is larger than it can be.")


def sent_between(times: Sequence[str]) -> str:
    """A filter for all that was sent from the first to the last of these times, both included."""
    sent = [read_time(one) for one in times]
    first, last = utc(min(sent) - _MOMENT), utc(max(sent) + _MOMENT)
    return f"__system/submissionDate ge {first} and __system/submissionDate le {last}"
