"""Submissions on KoboToolbox as they are mirrored: list all, fetch what differs, fetch attachments."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dialogkit.errors import NotOnServer, ServerRefused, UnexpectedReply
from dialogkit.model.server import Entry, Fetched, FindForm, Listing
from dialogkit.model.submission import Submission
from dialogkit.servers.exchange import Asked, is_page
from dialogkit.servers.kobo.listing import MOST, Lister, data_query, disagreement, get_data
from dialogkit.servers.kobo.page import split_rows
from dialogkit.servers.kobo.reading import Reader, Row
from dialogkit.servers.kobo.rows import files_of
from dialogkit.servers.kobo.session import KoboSession, asset_path, number, objects, remote_id_of, text

#: Ids in one question: more make the address too long for some proxies.
_NAMED: Final = 200
#: About so much comes at a time, also of forms with very wide rows.
_PAGE_BYTES: Final = 8 * 1024 * 1024
#: What a page says first: how many rows meet the question.
_COUNT: Final = re.compile(rb'\s*\{\s*"count"\s*:\s*(\d{1,18})\b')


class KoboServer:
    """The submissions of forms on KoboToolbox. Satisfies `model.server.ListingServer`.

    Args:
        session: the account.
        remote_ids: our form_id → the form there.
        versions: version there → ours; for submissions that do not carry ours.
        page_size: submissions a page of the listing.
    """

    group = MOST
    #: Its project history names deleted submissions, but only to those who manage the project.
    retention_days = 0

    def __init__(
        self,
        session: KoboSession,
        remote_ids: Mapping[str, str],
        versions: Mapping[str, str] = {},
        *,
        page_size: int = MOST,
    ) -> None:
        self.name, self._session = session.name, session
        self._remote_ids, self._versions, self._page_size = remote_ids, versions, page_size
        #: Of the last groups, each submission's addresses of its files: a pull asks for two groups ahead.
        self._files: deque[dict[str, dict[str, str]]] = deque(maxlen=3)
        self._row_bytes = _PAGE_BYTES // _NAMED

    def listing(self, form_id: str, cursor: str) -> Listing:
        """Every submission that the server has now. `cursor` says nothing here: Kobo does not tell what changed.

        Raises:
            ServerRefused: SERVER-002, SERVER-040 the token; SERVER-045 the account sees only a part of them.
            NotOnServer: SERVER-044, SERVER-053.
        """
        del cursor
        remote_id = remote_id_of(self._remote_ids, form_id, self.name)
        where = f"{self.name}, {form_id}"
        self._refuse_partial(remote_id, where, self._session.check())
        return Listing(Lister(self._session, remote_id, where, self._page_size).pages())

    def fetch(self, form_id: str, wanted: Sequence[Entry], find_form: FindForm, total: int) -> Fetched:
        """The submissions of some entries, in the order of the listing.

        Raises:
            UnexpectedReply: SERVER-041, SERVER-052, the answer cannot be read at all.
        """
        remote_id = remote_id_of(self._remote_ids, form_id, self.name)
        rows = self._rows(form_id, remote_id, wanted, dense=total * 4 <= len(wanted) * 5 + 80)
        missing = [entry for entry in wanted if entry.id not in rows]
        if missing:
            rows |= self._rows(form_id, remote_id, missing, dense=False)
        there = [rows[entry.id] for entry in wanted if entry.id in rows]
        fetched = Reader(self._session, remote_id, form_id, find_form, self._versions).read(there)
        read = {one.submission.id for one in fetched.received}
        self._files.append({row.entry.id: _addresses(row.found) for row in there if row.entry.id in read})
        return fetched

    def present(self, form_id: str, ids: Sequence[str]) -> set[str]:
        """Which of these submissions the server has.

        Raises:
            ServerRefused: SERVER-045, the account sees only a part of them by now.
            NotOnServer: SERVER-044.
        """
        remote_id = remote_id_of(self._remote_ids, form_id, self.name)
        where = f"{self.name}, {form_id}"
        self._refuse_partial(remote_id, where, self._session.check())
        found: set[str] = set()
        for first in range(0, len(ids), _NAMED // 2):
            some = list(ids[first : first + _NAMED // 2])
            asked = data_query({"meta/rootUuid": {"$in": some}}, len(some), ["_id"])
            rows = self._session.mapping(get_data(self._session, asset_path(remote_id, "data/"), asked, where))
            found |= {text(row, "meta/rootUuid") for row in objects(rows, "results")}
        return found & set(ids)

    def attachment(self, form_id: str, submission: Submission, name: str) -> Iterator[bytes]:
        """The bytes of one attachment, in pieces; as many as the server says.

        Raises:
            NotOnServer: SERVER-004, SERVER-046, the file or the submission is not there any more.
        """
        known = next((group[submission.id] for group in tuple(self._files) if submission.id in group), None)
        url = (known if known is not None else self._asked_again(form_id, submission.id)).get(name)
        gone = NotOnServer(
            "SERVER-046",
            f"{self.name}, {form_id}, {submission.id}",
            "The submission or its file has gone from the server.",
            "Pull again: what has changed there is noticed.",
        )
        if url is None:
            raise gone

        def heard(_: int, headers: Mapping[str, str]) -> None:
            # Nothing tells what the file must be. One that is not there is asked for again by the next pull.
            if is_page(name, headers):
                raise gone

        asked = Asked("GET", self._session.here(url), headers={"Accept": "*/*"})
        yield from self._session.http.stream_of(asked, heard)

    def _rows(self, form_id: str, remote_id: str, wanted: Sequence[Entry], *, dense: bool) -> dict[str, Row]:
        """Id → row. `dense`: nearly all between the first and the last are wanted, so that a range is cheaper."""
        found: dict[str, Row] = {}
        at = 0
        while at < len(wanted):
            fit = max(1, _PAGE_BYTES // self._row_bytes)
            part = wanted[at : at + min(MOST if dense else _NAMED, fit)]
            try:
                found |= self._part(form_id, remote_id, part, dense=dense)
            except UnexpectedReply as error:
                # Too large to hold: fewer at a time.
                if error.code != "SERVER-008" or len(part) == 1:
                    raise
                self._row_bytes = 2 * max(self._row_bytes, _PAGE_BYTES // len(part))
            else:
                at += len(part)
        return found

    def _part(self, form_id: str, remote_id: str, part: Sequence[Entry], *, dense: bool) -> dict[str, Row]:
        places = [int(entry.place) for entry in part]
        ids = {"$gte": places[0], "$lte": places[-1]} if dense else {"$in": places}
        limit = min(MOST, len(part) * 5 // 4 + 20) if dense else len(part)
        where = f"{self.name}, {form_id}"
        reply = get_data(self._session, asset_path(remote_id, "data/"), data_query({"_id": ids}, limit), where)
        try:
            rows = split_rows(reply.body)
        except (ValueError, RecursionError):
            # Says first whether it is a page for browsers.
            self._session.mapping(reply)
            raise self._session.unexpected("A page of its data has no rows.") from None
        said = _COUNT.match(reply.body)
        # Of a range this is looked at once more, by number: submissions come and go.
        if not dense and said and len(rows) < min(limit, int(said[1])):
            raise disagreement(where)
        if rows:
            self._row_bytes = max(1, len(reply.body) // len(rows))
        return self._matched(part, rows, where)

    def _matched(self, part: Sequence[Entry], rows: Sequence[tuple[Any, bytes]], where: str) -> dict[str, Row]:
        by_place, by_id = {int(entry.place): entry for entry in part}, {entry.id: entry for entry in part}
        found = {}
        for row, raw in rows:
            place, claimed = (number(row, "_id"), text(row, "meta/rootUuid")) if isinstance(row, dict) else (-1, "")
            entry = by_place.get(place) or by_id.get(claimed)
            if entry is not None:
                found[entry.id] = Row(entry, row, raw)
            elif place < 0:
                raise UnexpectedReply(
                    "SERVER-052",
                    where,
                    "The server sent a row that does not say which submission it is.",
                    "Pull again; if it stays so, tell those who run the server. Nothing was lost.",
                )
        return found

    def _asked_again(self, form_id: str, submission_id: str) -> dict[str, str]:
        remote_id = remote_id_of(self._remote_ids, form_id, self.name)
        asked = data_query({"meta/rootUuid": submission_id}, 1)
        reply = get_data(self._session, asset_path(remote_id, "data/"), asked, f"{self.name}, {form_id}")
        found = self._session.mapping(reply).get("results")
        return _addresses(found[0]) if isinstance(found, list) and found else {}

    def _refuse_partial(self, remote_id: str, where: str, user: str) -> None:
        """An account that sees some submissions only would make all others look deleted."""
        path = asset_path(remote_id, "permission-assignments/")
        reply = self._session.http.send(Asked("GET", path, allow=(403, 404)))
        granted = reply.json() if reply.status < 400 else []
        if not isinstance(granted, list):
            raise self._session.unexpected("It does not say who may see the submissions.")
        mine = {
            text(one, "permission").rstrip("/").rpartition("/")[2]
            for one in granted
            if isinstance(one, dict) and text(one, "user").rstrip("/").rpartition("/")[2] in (user, "AnonymousUser")
        }
        if "partial_submissions" in mine and "view_submissions" not in mine:
            raise ServerRefused(
                "SERVER-045",
                where,
                "This account may see only the submissions of some people, so all others would look deleted.",
                "Ask the owner of the project to let it view all submissions. What is here stays.",
            )


def _addresses(row: object) -> dict[str, str]:
    try:
        return {file.name: url for file, url in files_of(row)} if isinstance(row, dict) else {}
    except ValueError:
        return {}
