"""Single submissions: what the server knows of them, their XML as the phone sent it, and their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dialogkit.servers.central.listing import any_of, can_filter, in_groups
from dialogkit.servers.central.odata import REVIEW_WORDS, Table, is_review, is_time
from dialogkit.servers.central.session import CentralSession, quoted
from dialogkit.servers.exchange import Asked

_NOT_THERE: Final = (404.1,)


@dataclass(frozen=True, slots=True)
class Known:
    """What the server knows of a submission beside its answers. `review` is in our words."""

    submitted_at: str
    submitter: str
    review: str
    edited: bool


class Records:
    """The submissions of one form, one at a time. Safe to use from several threads."""

    def __init__(self, session: CentralSession, remote_id: str) -> None:
        self._session, self._remote_id = session, remote_id
        self._table = Table(session, remote_id, 1000)

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What the server knows of those of `ids` that it still has.

        Raises:
            ServerError: no connection, refused, or an answer of another shape.
        """
        found: dict[str, Known] = {}
        for some in in_groups([one for one in ids if can_filter(one)]):
            for page in self._table.pages("__id,__system", any_of(some)):
                for row in page.rows:
                    found[row["__id"]] = self._known(row["__system"], "submissionDate", "submitterName")
        for one in ids:
            if not can_filter(one) and (alone := self._alone(one)) is not None:
                found[one] = alone
        return found

    def xml(self, submission_id: str) -> bytes | None:
        """The submission as it was sent; None when it is not there (any more)."""
        reply = self._session.get(self._path(submission_id, ".xml"), accept=_NOT_THERE)
        return None if reply.status == 404 else reply.body

    def files(self, submission_id: str) -> list[str]:
        """Names of the files that are there; none when the submission is not."""
        reply = self._session.get(self._path(submission_id, "/attachments"), accept=_NOT_THERE)
        if reply.status == 404:
            return []
        listed = self._session.records(reply)
        names = [one.get("name") for one in listed if one.get("exists") is True]
        if not all(isinstance(name, str) and name for name in names):
            raise self._session.unexpected("SERVER-064", "A file of a submission has no name.")
        return [str(name) for name in names]

    def file(self, submission_id: str, name: str) -> Asked:
        """The request for a file.

        Raises:
            NotOnServer: SERVER-062, no address can be written for it.
        """
        if not in_a_path(name):
            raise self._session.no_file()
        return Asked("GET", self._path(submission_id, f"/attachments/{quoted(name)}"))

    def _alone(self, submission_id: str) -> Known | None:
        """As `known`, for an id that no filter can name."""
        if not in_a_path(submission_id):
            return None
        asked = Asked("GET", self._path(submission_id), headers={"X-Extended-Metadata": "true"})
        reply = self._session.send(asked, accept=_NOT_THERE)
        if reply.status == 404:
            return None
        found = self._session.record(reply)
        submitter, now = found.get("submitter"), found.get("currentVersion")
        name = submitter.get("displayName") if isinstance(submitter, dict) else ""
        edition = now.get("instanceId") if isinstance(now, dict) else submission_id
        return self._known(
            {**found, "submitter": name, "edits": int(edition != submission_id)}, "createdAt", "submitter"
        )

    def _known(self, facts: Mapping[str, Any], sent: str, submitter: str) -> Known:
        at, review, edits = facts.get(sent), facts.get("reviewState"), facts.get("edits")
        if not is_time(at) or not is_review(review) or not isinstance(edits, int):
            raise self._session.unexpected("SERVER-064", "A row of the listing has no id, or not the facts it should.")
        return Known(at, str(facts.get(submitter) or ""), REVIEW_WORDS[review], edits > 0)

    def _path(self, submission_id: str, rest: str = "") -> str:
        return self._session.form(self._remote_id, f"/submissions/{quoted(submission_id)}{rest}")


def in_a_path(part: str) -> bool:
    """Whether it can stand alone between two slashes: these are taken as steps in the tree."""
    return part not in ("", ".", "..")
