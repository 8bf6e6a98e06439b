"""What every form server can do for a pull, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

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
    counts: Mapping[str, int] = field(default_factory=dict)


class FormServer(Protocol):
    """A server that submissions are pulled from."""

    name: str

    def pages(self, form_id: str, cursor: str, find_form: FindForm) -> Iterator[Page]:
        """Submissions that came after `cursor` (`""`: from the first), one page at a time."""
        ...

    def attachment(self, form_id: str, submission: Submission, name: str) -> Iterator[bytes]:
        """The bytes of one attachment, in pieces."""
        ...

    def refusals(self, form_id: str) -> Mapping[str, int]:
        """How many submissions the server itself refused, by reason, since it began; empty when it cannot tell."""
        ...
