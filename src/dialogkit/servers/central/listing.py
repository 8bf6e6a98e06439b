"""The complete listing of a form's submissions, and what was deleted: the algorithm that was right in every trial."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from dialogkit.errors import UnexpectedReply
from dialogkit.model.server import Entry, Listing
from dialogkit.servers.central.odata import Row, Table, is_review, is_time, read_date, read_time, utc
from dialogkit.servers.central.session import CentralSession

#: Rows are stamped before they are committed: one was seen 1.7 seconds behind later ones.
OVERLAP: Final = timedelta(minutes=10)
#: What changes when anything of a submission does. The first one tells one that was purged and sent anew.
_FACTS: Final = ("submissionDate", "updatedAt", "attachmentsPresent", "attachmentsExpected", "reviewState", "edits")
_EVERY: Final = ",".join(("__id", *(f"__system/{name}" for name in _FACTS)))
_CAME: Final = "__system/submissionDate ge {0} or __system/deletedAt ge {0}"
_CHANGED: Final = "__system/updatedAt ge {0}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a pull stood: the form as it was, and the server's clock when the listing began.

    The text of a cursor that is something else reads as one of no form, so that all is fetched again.
    """

    version: str
    fields: str
    watermark: str

    @classmethod
    def read(cls, text: str) -> Cursor:
        """The cursor in a text that `text` wrote."""
        try:
            found = json.loads(text)
            read_time(found["watermark"])
            return cls(str(found["version"]), str(found["fields"]), str(found["watermark"]))
        except (ValueError, KeyError, TypeError):
            return cls("", "", "")

    def text(self) -> str:
        """As it is kept."""
        return json.dumps({"version": self.version, "fields": self.fields, "watermark": self.watermark})


def signature(system: Mapping[str, Any]) -> str:
    """What changes when anything of a submission does."""
    return "|".join(["" if (found := system.get(name)) is None else str(found) for name in _FACTS])


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature says."""

    has_files: bool
    edited: bool

    @classmethod
    def read(cls, text: str) -> Signed:
        """The facts in a text that `signature` wrote; the careful ones when it is another text."""
        parts = text.split("|")
        if len(parts) != 6:
            return cls(has_files=True, edited=True)
        return cls(has_files=parts[2] not in ("", "0") or parts[3] not in ("", "0"), edited=parts[5] != "0")


def list_form(session: CentralSession, remote_id: str, cursor: str, page_size: int) -> Listing:
    """Every submission that the form has now.

    Raises:
        ServerError: no connection, refused, or not what Central answers. The pages raise UnexpectedReply SERVER-065
            where the count of the server does not agree with what came.
    """
    told = session.get(session.form(remote_id))
    form, began = session.record(told), read_date(session, told)
    fields = session.get(session.form(remote_id, "/fields"), {"odata": "true"})
    session.records(fields)
    was = Cursor.read(cursor)
    now = Cursor(str(form.get("version") or ""), hashlib.sha256(fields.body).hexdigest(), began)
    listing = Listing(iter(()))
    listing.everything = bool(cursor) and (was.version, was.fields) != (now.version, now.fields)
    table = Table(session, remote_id, page_size)
    listing.pages = _Listed(session, table, was, now).pages(listing)
    return listing


class _Listed:
    """One run of the algorithm, steps 2 to 5 of the facts on Central."""

    def __init__(self, session: CentralSession, table: Table, was: Cursor, now: Cursor) -> None:
        self._session, self._table, self._now = session, table, now
        self._since = utc(read_time(was.watermark) - OVERLAP) if was.watermark else ""
        # The header Date has no parts of a second.
        self._began = utc(read_time(now.watermark) - timedelta(seconds=1))

    def pages(self, listing: Listing) -> Iterator[Sequence[Entry]]:
        """The entries; fills the rest of `listing`."""
        received, first, recently = 0, -1, 0
        with ThreadPoolExecutor(1) as pool:
            # Beside the pages: it decides nothing that they decide.
            recent = pool.submit(self._take_changes, listing)
            for page in self._table.pages(_EVERY):
                first = page.count if first < 0 else first
                received += len(page.rows)
                recently += sum(self._is_recent(row["__system"]) for row in page.rows)
                yield [self._entry(row) for row in page.rows]
            self._explain(received, first, _CAME)
            # Each submission that came or changed since the last pull stands in the listing, or was deleted meanwhile,
            # or came or changed when its page had been read.
            if recently < recent.result():
                self._explain(recently, recent.result(), f"{_CAME} or {_CHANGED}")
        listing.cursor = self._now.text()

    def _take_changes(self, listing: Listing) -> int:
        """What was deleted since the watermark; gives how many submissions came or changed.

        Those are only counted: the rows stand in the listing, and after a busy ten minutes they are many.
        """
        if not self._since:
            return 0
        received, first = 0, -1
        for page in self._table.pages("__id,__system/deletedAt", f"__system/deletedAt ge {self._since}"):
            first = page.count if first < 0 else first
            received += len(page.rows)
            for row in page.rows:
                deleted = row["__system"].get("deletedAt")
                if not is_time(deleted):
                    raise self._wrong_row()
                listing.tombstones[row["__id"]] = deleted
        self._explain(received, first, _CAME)
        return self._table.count(f"__system/submissionDate ge {self._since} or __system/updatedAt ge {self._since}")

    def _is_recent(self, system: Mapping[str, Any]) -> bool:
        return bool(self._since) and max(str(system.get("updatedAt") or ""), str(system.get("submissionDate"))) >= (
            self._since
        )

    def _entry(self, row: Row) -> Entry:
        system = row["__system"]
        sent = system.get("submissionDate")
        if not is_time(sent) or not is_review(system.get("reviewState")):
            raise self._wrong_row()
        return Entry(row["__id"], signature(system), sent)

    def _explain(self, received: int, counted: int, condition: str) -> None:
        """Rows that moved so while the pages were read explain a difference; nothing else does.

        Raises:
            UnexpectedReply: SERVER-065.
        """
        if received == counted:
            return
        if abs(received - counted) > self._table.count(condition.format(self._began)):
            raise self._session.unexpected(
                "SERVER-065",
                f"The server counted {counted} submissions and gave {received}. Nothing was taken as deleted.",
            )

    def _wrong_row(self) -> UnexpectedReply:
        return self._session.unexpected(
            "SERVER-064", "A row of the listing has no id, or not the facts it should have."
        )


def in_groups(ids: Sequence[str], size: int = 30) -> Iterator[Sequence[str]]:
    """Ids in groups that fit into one address."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def any_of(ids: Sequence[str]) -> str:
    """The condition for some submissions; those whose id the server's filter cannot read are left out."""
    return " or ".join(f"__id eq '{one}'" for one in ids if can_filter(one))


def can_filter(submission_id: str) -> bool:
    """Whether a filter of Central can name this id: it reads no spaces, slashes and quotes."""
    return submission_id.replace("-", "").replace(":", "").replace("_", "").replace(".", "").isalnum() and (
        submission_id.isascii()
    )
