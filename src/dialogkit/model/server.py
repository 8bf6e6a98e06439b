"""What every form server can do for a pull, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from dialogkit.model.form import Form
from dialogkit.model.submission import Origin, Submission

#: The form of a version, or None when this workspace does not know the version.
FindForm = Callable[[str], Form | None]


@dataclass(frozen=True, slots=True)
class Received:
    """A submission with the bytes that the server sent and the way it had come to the server."""

    submission: Submission
    body: bytes
    origin: Origin = "server"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a pull. `cursor` is where the next pull starts when this page is safe on disk."""

    received: tuple[Received, ...]
    cursor: str


class FormServer(Protocol):
    """A server that submissions are pulled from: a `FeedServer` or a `ListingServer`."""

    name: str

    def attachment(self, form_id: str, submission: Submission, name: str) -> Iterator[bytes]:
        """The bytes of one attachment, in pieces; checked against size and hash where the server tells them.

        Raises:
            NotOnServer: the server lists the file but does not have it.
        """
        ...


@runtime_checkable
class FeedServer(FormServer, Protocol):
    """A server that tells what came after a cursor: OpenRosa."""

    def pages(self, form_id: str, cursor: str, find_form: FindForm) -> Iterator[Page]:
        """Submissions that came after `cursor` (`""`: from the first), one page at a time."""
        ...

    def refusals(self, form_id: str) -> Mapping[str, int]:
        """How many submissions the server itself refused, by reason, since it began; empty when it cannot tell."""
        ...

    def ids(self, form_id: str) -> Iterator[Sequence[str]] | None:
        """Ids of all submissions that it keeps, by pages, as `Submission.id`; None when it cannot tell."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a server's complete listing.

    Args:
        id: as `Submission.id`: survives edits.
        signature: a short text that changes when anything of the submission does: answers, review state, attachments.
            Never an answer.
        place: what the client needs to fetch it (Kobo: the number `_id`; Central: the submissionDate).
    """

    id: str
    signature: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch of some entries brought: those that could be read, and ids of those that could not.

    An entry that is in neither has gone from the server since it was listed.
    """

    received: tuple[Received, ...]
    unreadable: tuple[str, ...] = ()


@dataclass
class Listing:
    """A complete listing of a form's submissions, page by page. What stands after `pages` is known when it is used up.

    Args:
        pages: the entries. Raises UnexpectedReply where the count of the server does not agree with what came.
        everything: the form was changed on the server so that every submission is fetched again.
        cursor: where the next pull starts when this one succeeds.
        tombstones: id → time of deletion (ISO 8601, UTC), where the server tells.
    """

    pages: Iterator[Sequence[Entry]]
    everything: bool = False
    cursor: str = ""
    tombstones: dict[str, str] = field(default_factory=dict)


@runtime_checkable
class ListingServer(FormServer, Protocol):
    """A server whose submissions are mirrored: list all, compare, fetch what differs (Kobo, Central, a folder).

    Args:
        group: how many entries the server likes to be asked for at a time.
        retention_days: after so many days without a pull the server has forgotten what was deleted; 0: it never tells.
    """

    group: int
    retention_days: int

    def listing(self, form_id: str, cursor: str) -> Listing:
        """Every submission that the server has now."""
        ...

    def fetch(self, form_id: str, wanted: Sequence[Entry], find_form: FindForm, total: int) -> Fetched:
        """The submissions of up to `group` entries, in the order of the listing. Called from two threads at a time.

        Args:
            form_id: the form.
            wanted: entries of one listing that are next to each other among those that differ.
            find_form: the form of a version.
            total: how many submissions the listing had between the first and the last of `wanted`, both counted:
                where that is about `len(wanted)`, a range is cheaper than a list of ids.
        """
        ...

    def present(self, form_id: str, ids: Sequence[str]) -> set[str]:
        """Which of these submissions the server has, asked for by id: a listing that left them out was not whole.

        Raises:
            ServerError: as `listing`, also when the account may not see all submissions any more.
        """
        ...
