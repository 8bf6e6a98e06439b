"""Every submission of a form on KoboToolbox, by key set: times and offsets miss some."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dialogkit.errors import NotOnServer, UnexpectedReply
from dialogkit.model.server import Entry
from dialogkit.servers.exchange import Asked, Reply
from dialogkit.servers.kobo.rows import entry_of
from dialogkit.servers.kobo.session import KoboSession, asset_path, number

#: The server adds `meta/rootUuid`, the id, of its own accord.
_FIELDS: Final = ["_id", "_uuid", "_validation_status", "_attachments"]
#: The server cuts what is more, silently.
MOST: Final = 1000
#: What is wrong with a page may be gone when it is asked for once more.
_LOOK_AGAIN: Final = frozenset({"SERVER-042", "SERVER-043"})


@dataclass(frozen=True, slots=True)
class _Look:
    """One page: where it begins, its entries, the number of the last one, how many the server says come after it."""

    after: int
    entries: Sequence[Entry]
    last: int
    remaining: int


class Lister:
    """Lists one form.

    Args:
        session: the account.
        remote_id: the form.
        where: names server and form in messages.
        page_size: submissions a page.
    """

    def __init__(self, session: KoboSession, remote_id: str, where: str, page_size: int) -> None:
        self._session, self._where = session, where
        self._path, self._size = asset_path(remote_id, "data/"), min(page_size, MOST)

    def pages(self) -> Iterator[Sequence[Entry]]:
        """The pages.

        A page is given out when the one after it agrees with it. Submissions may come and go meanwhile.

        Raises:
            UnexpectedReply: SERVER-042, SERVER-043, rows or counts are wrong and stay so.
        """
        page = self._look(-1)
        while True:
            following = self._look(page.last) if self._may_have_more(page) else None
            if following is not None and _announced(following) < page.remaining:
                page, following = self._again(page)
            if page.entries:
                yield page.entries
            if following is None:
                return
            page = following

    def _again(self, page: _Look) -> tuple[_Look, _Look | None]:
        """Fewer follow than were announced: some were deleted just now, or this page is not whole. Look once more."""
        second = self._look(page.after)
        following = self._look(second.last) if self._may_have_more(second) else None
        if following is not None and _announced(following) < second.remaining:
            raise disagreement(self._where)
        return second, following

    def _may_have_more(self, page: _Look) -> bool:
        """Whether more may follow. A full page is not believed to be the last: what is left out would be buried."""
        return page.remaining > 0 or len(page.entries) >= self._size

    def _look(self, after: int) -> _Look:
        try:
            return self._ask(after)
        except UnexpectedReply as error:
            if error.code not in _LOOK_AGAIN:
                raise
            return self._ask(after)

    def _ask(self, after: int) -> _Look:
        asked = data_query({"_id": {"$gt": after}}, self._size, _FIELDS)
        found = self._session.mapping(get_data(self._session, self._path, asked, self._where))
        rows, count, last = found.get("results"), number(found, "count"), after
        if not isinstance(rows, list) or count < 0:
            raise self._session.unexpected("A page of its data has no rows or no count.")
        entries = []
        for row in rows:
            try:
                place, entry = entry_of(row)
            except ValueError:
                raise self._unread("holds a row that cannot be read") from None
            if place <= last:
                raise self._unread("names a submission twice, or out of order")
            entries.append(entry)
            last = place
        if len(rows) > count or (count and not rows):
            raise disagreement(self._where)
        return _Look(after, entries, last, count - len(rows))

    def _unread(self, what: str) -> UnexpectedReply:
        return UnexpectedReply(
            "SERVER-042",
            self._where,
            f"The server's list of submissions {what}, also at a second look.",
            "Pull again later; if it stays so, tell those who run the server. Nothing here was changed.",
        )


def _announced(look: _Look) -> int:
    return len(look.entries) + look.remaining


def disagreement(where: str) -> UnexpectedReply:
    """The error for rows that are not as many as the server says."""
    return UnexpectedReply(
        "SERVER-043",
        where,
        "The server lists more or fewer submissions than it says it has, also at a second look.",
        "Pull again later; if it stays so, tell those who run the server. Nothing here was changed.",
    )


def data_query(query: Mapping[str, Any], limit: int, fields: Sequence[str] = ()) -> dict[str, str]:
    """The parameters of a question for rows, in the order of their numbers."""
    asked = {"query": _json(query), "sort": _json({"_id": 1}), "limit": str(limit)}
    return asked | ({"fields": _json(list(fields))} if fields else {})


def get_data(session: KoboSession, path: str, params: Mapping[str, str], where: str) -> Reply:
    """Rows of a form.

    Raises:
        NotOnServer: SERVER-044, the server shows no data of this form to this account.
    """
    reply = session.http.send(Asked("GET", path, params, allow=(400, 404)))
    if reply.status < 400:
        return reply
    raise NotOnServer(
        "SERVER-044",
        where,
        "The server shows no submissions of this form: it was deleted there, was never deployed, or this account may "
        "not see its submissions (KoboToolbox does not tell these apart).",
        "Ask the owner to share it with this account (View submissions), or deploy it again. What is here stays.",
    )


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
