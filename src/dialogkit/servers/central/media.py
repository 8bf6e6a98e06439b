"""Files of encrypted submissions that the server opens: they come only inside the archive of one submission."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import IO, Final

from dialogkit.errors import NotOnServer, UnexpectedReply
from dialogkit.model.submission import Submission
from dialogkit.servers.central.archive import Archives, CutOffError, sent_between
from dialogkit.servers.central.csvzip import MAX_UNPACKED
from dialogkit.servers.central.fetching import opened_names
from dialogkit.servers.central.listing import any_of, can_filter
from dialogkit.servers.central.records import Records
from dialogkit.servers.central.session import CentralSession
from dialogkit.servers.central.unzip import BROKEN, open_zip

_PIECE: Final = 256 * 1024


class OpenedMedia:
    """The files of one submission at a time, so that no two have one name; kept until another one is asked for."""

    def __init__(self, session: CentralSession, remote_id: str, archives: Archives) -> None:
        self._session, self._archives = session, archives
        self._records = Records(session, remote_id)
        self._names: tuple[str, frozenset[str]] = ("", frozenset())
        self._kept: tuple[str, IO[bytes]] | None = None
        # A pull asks for files from several threads.
        self._one = threading.Lock()

    def close(self) -> None:
        """Remove the temporary file."""
        if self._kept is not None:
            self._kept[1].close()
            self._kept = None

    def has(self, submission: Submission, name: str) -> bool:
        """Whether this file is kept encrypted on the server."""
        with self._one:
            if self._names[0] != submission.id:
                self._names = (submission.id, frozenset(self._records.files(submission.id)))
            names = self._names[1]
        return name not in names and name in opened_names(tuple(names))

    def pieces(self, submission: Submission, name: str) -> Iterator[bytes]:
        """The file as it was before it was encrypted.

        Raises:
            NotOnServer: SERVER-062, the server cannot open the files of the submission.
            UnexpectedReply: SERVER-067, it is not whole, SERVER-069, it is too large.
        """
        try:
            with self._one, open_zip(self._archive(submission)) as archive:
                found = [one for one in archive.infolist() if one.filename == f"media/{name}"]
                if len(found) != 1:
                    raise self._not_whole()
                if found[0].file_size > MAX_UNPACKED:
                    raise self._archives.too_large()
                with archive.open(found[0]) as file:
                    while piece := file.read(_PIECE):
                        yield piece
        except BROKEN:
            raise self._not_whole() from None

    def _archive(self, submission: Submission) -> IO[bytes]:
        if self._kept is None or self._kept[0] != submission.id:
            self.close()
            condition = any_of([submission.id])
            if not can_filter(submission.id):
                condition = sent_between([submission.submitted_at])
            try:
                self._kept = (submission.id, self._archives.fetch(condition, media=True))
            except CutOffError:
                raise NotOnServer(
                    "SERVER-062", self._session.name, "The server cannot open a file of an encrypted submission.",
                    "Ask for it to be sent again, and delete this one on the server.",
                ) from None  # fmt: skip
        return self._kept[1]

    def _not_whole(self) -> UnexpectedReply:
        return self._session.unexpected(
            "SERVER-067", "The server did not give a file of an encrypted submission, or not whole."
        )
