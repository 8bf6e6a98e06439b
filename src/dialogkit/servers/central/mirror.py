"""ODK Central as a server that submissions are mirrored from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dialogkit.model.server import Entry, Fetched, FindForm, Listing
from dialogkit.model.submission import Submission
from dialogkit.servers.central.archive import Archives
from dialogkit.servers.central.fetching import CHUNK, FormFetcher
from dialogkit.servers.central.listing import list_form
from dialogkit.servers.central.media import OpenedMedia
from dialogkit.servers.central.records import Records
from dialogkit.servers.central.session import CentralSession
from dialogkit.servers.exchange import is_page

_MD5: Final = re.compile(r'(?:W/)?"([0-9a-f]{32})"')
_NONE: Final[Mapping[str, str]] = {}


class CentralServer:
    """One project of ODK Central. Satisfies `model.server.ListingServer`.

    Args:
        session: of the project.
        remote_ids: our form_id → the server's xmlFormId; a form that is not in it has the same name there.
        passphrase: of the keys that the server manages for encrypted forms; empty when nobody gave one.
        page_size: rows of a listing in memory at a time.
    """

    group: int = CHUNK
    #: Central purges deleted submissions after 30 days.
    retention_days: int = 30

    def __init__(
        self,
        session: CentralSession,
        remote_ids: Mapping[str, str] = _NONE,
        *,
        passphrase: str = "",
        page_size: int = 10_000,
    ) -> None:
        self.name = session.name
        self._session, self._remote_ids, self._page_size = session, dict(remote_ids), page_size
        self._passphrase = passphrase
        self._fetchers: dict[str, FormFetcher] = {}
        self._media: dict[str, OpenedMedia] = {}
        self._archives: dict[str, Archives] = {}

    def close(self) -> None:
        """Close every connection and temporary file."""
        for media in self._media.values():
            media.close()
        self._session.close()

    def listing(self, form_id: str, cursor: str) -> Listing:
        """Every submission that the form has now.

        Raises:
            ServerError: no connection, refused, or not what Central answers; the pages raise UnexpectedReply
                SERVER-065 where the count of the server does not agree with what came.
        """
        # The form may have another version than at the last listing.
        self._fetchers.pop(form_id, None)
        return list_form(self._session, self._remote(form_id), cursor, self._page_size)

    def fetch(self, form_id: str, wanted: Sequence[Entry], find_form: FindForm, total: int) -> Fetched:
        """The submissions of some entries.

        Raises:
            ServerError: no connection, refused, or not what Central answers.
        """
        if form_id not in self._fetchers:
            remote_id = self._remote(form_id)
            self._fetchers[form_id] = FormFetcher(self._session, form_id, remote_id, self._archives_of(remote_id))
        return self._fetchers[form_id].fetch(wanted, find_form, total)

    def present(self, form_id: str, ids: Sequence[str]) -> set[str]:
        """Which of these submissions the form has.

        Raises:
            ServerError: no connection, refused, or not what Central answers.
        """
        return set(Records(self._session, self._remote(form_id)).known(ids))

    def attachment(self, form_id: str, submission: Submission, name: str) -> Iterator[bytes]:
        """The bytes of one attachment, in pieces; checked against the hash that the server gives.

        Raises:
            NotOnServer: the server lists the file but does not have it.
            UnexpectedReply: SERVER-067, other bytes came than the server had announced.
        """
        remote_id = self._remote(form_id)
        archives = self._archives_of(remote_id)
        if archives.opens:
            media = self._media.setdefault(remote_id, OpenedMedia(self._session, remote_id, archives))
            if media.has(submission, name):
                yield from media.pieces(submission, name)
                return
        asked = Records(self._session, remote_id).file(submission.id, name)
        expected, digest = "", hashlib.md5(usedforsecurity=False)

        def heard(_: int, headers: Mapping[str, str]) -> None:
            nonlocal expected
            found = _MD5.fullmatch(headers.get("ETag", ""))
            expected = found[1] if found else ""
            if not expected and is_page(name, headers):
                # Nothing tells what the file must be. One that is not there is asked for again by the next pull.
                raise self._session.no_file()

        for piece in self._session.stream(asked, heard):
            digest.update(piece)
            yield piece
        if expected and digest.hexdigest() != expected:
            raise self._session.unexpected(
                "SERVER-067", "An attachment came with other bytes than the server had announced."
            )

    def _remote(self, form_id: str) -> str:
        return self._remote_ids.get(form_id, form_id)

    def _archives_of(self, remote_id: str) -> Archives:
        return self._archives.setdefault(remote_id, Archives(self._session, remote_id, self._passphrase))
