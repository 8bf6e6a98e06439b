"""The table of submissions in Central's OData, page by page, with its counts checked."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeGuard
from urllib.parse import parse_qs, urlsplit

from dialogkit.servers.central.session import CentralSession
from dialogkit.servers.exchange import Reply

Row = Mapping[str, Any]

#: Central's words for a review state, and ours.
REVIEW_WORDS: Final = {
    None: "",
    "": "",
    "received": "",
    "approved": "approved",
    "rejected": "rejected",
    "hasIssues": "has_issues",
    "edited": "edited",
}

#: Central writes the link to the next page behind the rows.
_NEXT: Final = re.compile(rb'"@odata\.nextLink":"([!#-\[\]-~]+)"')
_TAIL: Final = 4096
#: Seconds in which a request is on its way. Reading a page would hold it up: the interpreter runs one thread at a time.
_SENDING: Final = 0.004


@dataclass(frozen=True, slots=True)
class TablePage:
    """A page of rows. `count` is how many rows the server says there are in all."""

    rows: Sequence[Row]
    count: int


class Table:
    """The submissions of one form as OData gives them. Only `__id` and `__system` are ever asked for.

    Args:
        session: signed in.
        remote_id: the form.
        page_size: rows in memory at a time.
    """

    def __init__(self, session: CentralSession, remote_id: str, page_size: int) -> None:
        self._session, self._page_size = session, page_size
        self._path = session.form(remote_id, ".svc/Submissions")

    def pages(self, select: str, condition: str = "") -> Iterator[TablePage]:
        """All rows that meet a condition.

        Raises:
            UnexpectedReply: SERVER-064 wrong shape, SERVER-066 a page came twice.
            ServerError: no connection, or refused. Whether all rows came is for the caller: see `TablePage.count`.
        """
        asked = {"$select": select, "$top": str(self._page_size), "$count": "true"}
        if condition:
            asked["$filter"] = condition
        before: set[str] = set()
        firsts: set[str] = set()
        with ThreadPoolExecutor(1) as pool:

            def ask(token: str) -> Future[Reply] | None:
                if not token:
                    return None
                coming = pool.submit(self._session.get, self._path, {**asked, "$skiptoken": token})
                time.sleep(_SENDING)
                return coming

            reply = self._session.get(self._path, asked)
            while True:
                # The server makes the next page while this one is read.
                promised = _promised(reply.body)
                coming = ask(promised)
                rows, count, following = self._read(reply)
                ids = {row["__id"] for row in rows}
                if len(ids) != len(rows) or not ids.isdisjoint(before) or (rows and rows[0]["__id"] in firsts):
                    raise self._session.unexpected("SERVER-066", "The server gave a submission twice in one listing.")
                if following != promised:
                    coming = ask(following)
                yield TablePage(rows, count)
                if coming is None:
                    return
                if not rows:
                    raise self._session.unexpected("SERVER-066", "The server gave an empty page that is not the last.")
                firsts.add(rows[0]["__id"])
                before, reply = ids, coming.result()

    def count(self, condition: str) -> int:
        """How many rows meet a condition now.

        Raises:
            ServerError: as `pages`.
        """
        asked = {"$top": "0", "$count": "true", "$filter": condition}
        return self._count(self._session.record(self._session.get(self._path, asked)))

    def _read(self, reply: Reply) -> tuple[list[Row], int, str]:
        page = self._session.record(reply)
        rows = page.get("value")
        if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
            raise self._session.unexpected("SERVER-064", "A row of the listing has no id, or not the facts it should.")
        return rows, self._count(page), self._following(page.get("@odata.nextLink"))

    def _count(self, page: Mapping[str, Any]) -> int:
        count = page.get("@odata.count")
        if not isinstance(count, int):
            raise self._session.unexpected("SERVER-064", "The server does not say how many submissions there are.")
        return count

    def _following(self, link: object) -> str:
        """The mark of the next page. Only this is taken: the server may think that it has another address."""
        found = _token(link) if isinstance(link, str) else ""
        if link is not None and not found:
            raise self._session.unexpected("SERVER-064", "The link to the next page cannot be read.")
        return found


def _promised(body: bytes) -> str:
    """The mark of the next page as it seems to stand at the end of this one, which is not read yet."""
    found = _NEXT.search(body, max(0, len(body) - _TAIL))
    return _token(found[1].decode()) if found else ""


def _token(link: str) -> str:
    try:
        return parse_qs(urlsplit(link).query).get("$skiptoken", [""])[0]
    except ValueError:
        return ""


def read_date(session: CentralSession, reply: Reply) -> str:
    """The time of the server when it gave this answer.

    Raises:
        UnexpectedReply: SERVER-068.
    """
    try:
        at = parsedate_to_datetime(reply.headers.get("Date", ""))
    except (ValueError, OverflowError):
        at = None
    if at is None or at.tzinfo is None or not _can_move(at):
        raise session.unexpected("SERVER-068", "The server does not say what time it is (header Date).")
    return utc(at)


def utc(at: datetime) -> str:
    """A time as Central writes it: ISO 8601 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_time(text: str) -> datetime:
    """A time of Central.

    Raises:
        ValueError: it is something else.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at


def is_time(found: object) -> TypeGuard[str]:
    """Whether it is a time of Central, and one that can be reckoned with."""
    try:
        return isinstance(found, str) and _can_move(read_time(found))
    except ValueError:
        return False


def is_review(found: object) -> bool:
    """Whether it is one of Central's words for a review state."""
    return (found is None or isinstance(found, str)) and found in REVIEW_WORDS


def _can_move(at: datetime) -> bool:
    """Whether the days around it are days as well: the first and the last year have an end."""
    return 1 < at.year < 9999


def _is_row(row: object) -> bool:
    if not isinstance(row, dict):
        return False
    known, system = row.get("__id"), row.get("__system")
    return isinstance(known, str) and bool(known) and isinstance(system, dict)
