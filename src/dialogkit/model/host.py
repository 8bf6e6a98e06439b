"""What a form server can do for staff: take forms, let phones in, take reviews and corrections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dialogkit.model.form import Form

#: Our words for a review state, in any server's words (Kobo: approved, not approved, on hold).
REVIEW_STATES = ("approved", "rejected", "has_issues")


@dataclass(frozen=True, slots=True)
class Upload:
    """A form that is to be placed.

    Args:
        form: its `form_id`, `version` and `title` among others.
        workbook: the XLSForm (.xlsx) as it goes to this kind of server, team constants filled in.
        media: file name → file.
    """

    form: Form
    workbook: bytes
    media: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placed:
    """A form as it is on a server now.

    Args:
        remote_id: Kobo's asset uid, Central's xmlFormId.
        remote_version: what the server calls the published version.
        active: whether phones can load it and send.
        content: changes when the published questions do, on KoboToolbox also when the same workbook is placed again;
            empty when the server does not tell.
        media: file name → MD5 in hexadecimal of what phones are given, `""` when the file is missing there.
    """

    remote_id: str
    remote_version: str
    active: bool
    content: str = ""
    media: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhoneAccess:
    """How a phone reaches the forms.

    Args:
        url: the server address for ODK Collect or KoboCollect. It may hold a key.
        username: to be typed on the phone, or empty.
        label: of the key or account, for people.
    """

    url: str = field(repr=False)
    username: str = ""
    label: str = ""


class FormHost(Protocol):
    """A server that forms are placed on."""

    name: str

    def find(self, form_id: str, title: str) -> str:
        """The remote id of a form that was placed earlier, or `""`."""
        ...

    def placed(self, remote_id: str) -> Placed | None:
        """The form as it is there; None when it is not, or never was published."""
        ...

    def place(self, upload: Upload, remote_id: str) -> Placed:
        """Create (`remote_id` empty) or replace a form with its media, and publish it.

        Safe to run again after a stop.
        """
        ...

    def set_active(self, remote_id: str, *, active: bool) -> None:
        """Open a form to phones, or archive it. Its submissions stay."""
        ...

    def let_in(self, remote_id: str, label: str) -> PhoneAccess:
        """Give phones the right to load and send this form.

        Args:
            remote_id: the form.
            label: Central: of the app user. Kobo: the user name of a collector, or `anonymous`.
        """
        ...


class ReviewServer(Protocol):
    """A server that takes reviews and corrections of single submissions."""

    name: str

    def check(self, state: str, comment: str) -> None:
        """Say no before anything is sent.

        Raises:
            ServerRefused: this kind of server keeps no review states, or no comments.
        """
        ...

    def review(self, form_id: str, submission_id: str, state: str, comment: str) -> None:
        """Set the review state (one of `REVIEW_STATES`; `""` leaves it) and add a comment (`""`: none)."""
        ...

    def correct(self, form: Form, submission_id: str, changes: Mapping[str, str], comment: str) -> str:
        """Change answers as an edit: full path → new text. Returns the new instanceID.

        Raises:
            ServerRefused: somebody else has edited it meanwhile.
        """
        ...
