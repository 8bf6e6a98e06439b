"""A submission as it is written into a batch, whatever server it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Union

#: `{full path: text}` and `{path of a repeat: [answers of each row]}`; rows use full paths too.
Answers = Mapping[str, Union[str, "list[Answers]"]]

#: How a submission came. Set by the way it came, never by an answer in it.
Origin = Literal["server", "import"]

#: Why encrypted answers could not be opened (`Submission.sealed`).
NO_KEY: Final = "no key"
WRONG_KEY: Final = "wrong key"
DAMAGED: Final = "damaged"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to a submission.

    Args:
        name: as the answer names it.
        size: in bytes.
        sha256: empty while the file has not been fetched.
        mark: what the server calls exactly these bytes (Kobo's uid, an MD5), so that they need not be fetched twice;
            empty when it has no such word.
    """

    name: str
    size: int = 0
    sha256: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """One instance, every answer as the text that was typed.

    Args:
        id: survives edits (the first instanceID; Central `__id`, Kobo `meta/rootUuid`), with its `uuid:`.
        instance_id: of this edition.
        form_version: the version that it was made with; empty when it names none.
        submitted_at: when the server received it first, ISO 8601 in UTC.
        submitter: label of the key or account that sent it, never a person's device.
        review_state: the server's word on it; empty when it has none.
        edited: whether this replaces an earlier edition.
        deleted_at: ISO 8601 when the server has deleted it; `answers` is then empty.
        refused: why its answers must not land (see `model.consent`); `answers` is then empty.
        answers: see `Answers`.
        attachments: files that belong to it.
        signature: as the server's listing gave it (`model.server.Entry`); empty for servers without listings.
        sealed: why encrypted answers could not be opened (`NO_KEY`, `WRONG_KEY`, `DAMAGED`); empty otherwise.
    """

    id: str
    instance_id: str
    form_id: str
    form_version: str
    submitted_at: str
    submitter: str = ""
    review_state: str = ""
    edited: bool = False
    deleted_at: str = ""
    refused: str = ""
    answers: Answers = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    signature: str = ""
    sealed: str = ""

    def to_json(self) -> dict[str, Any]:
        """The canonical line of `submissions.ndjson.zst`."""
        return {
            "id": self.id,
            "instance_id": self.instance_id,
            "form_version": self.form_version,
            "submitted_at": self.submitted_at,
            "submitter": self.submitter,
            "review_state": self.review_state,
            "edited": self.edited,
            "deleted_at": self.deleted_at,
            "refused": self.refused,
            "attachments": [
                {"name": file.name, "size": file.size, "sha256": file.sha256, "mark": file.mark}
                for file in self.attachments
            ],
            "signature": self.signature,
            "sealed": self.sealed,
            "answers": self.answers,
        }
