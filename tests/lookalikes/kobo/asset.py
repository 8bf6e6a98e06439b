"""A form on the server: its content, versions, deployment, media and rights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.lookalikes.kobo import xform
from tests.lookalikes.kobo.content import hash_of
from tests.lookalikes.kobo.marks import new_uuid, now, uid
from tests.lookalikes.kobo.rows import Home, Rows

#: What each right brings with it.
IMPLIED: dict[str, tuple[str, ...]] = {
    "add_submissions": (),
    "change_asset": ("view_asset",),
    "change_submissions": ("view_submissions", "view_asset", "add_submissions"),
    "delete_submissions": ("view_submissions", "view_asset"),
    "discover_asset": ("view_asset",),
    "manage_asset": (
        "view_asset",
        "validate_submissions",
        "view_submissions",
        "discover_asset",
        "change_submissions",
        "change_asset",
        "add_submissions",
        "delete_submissions",
    ),
    "partial_submissions": ("view_asset",),
    "validate_submissions": ("view_submissions", "view_asset"),
    "view_asset": (),
    "view_submissions": ("view_asset",),
}
OWNERS_RIGHTS = (
    "add_submissions",
    "change_asset",
    "change_submissions",
    "delete_submissions",
    "manage_asset",
    "validate_submissions",
    "view_asset",
    "view_submissions",
)
ANONYMOUS = "AnonymousUser"


@dataclass
class Version:
    uid: str
    number: int
    hash: str
    content: dict[str, Any]
    moment: datetime


@dataclass
class Media:
    """A file that goes with a form. `number` is its name on the phones' side, given when it is deployed."""

    uid: str
    name: str
    content: bytes
    mimetype: str
    description: str
    file_type: str
    created: datetime
    number: int = 0

    @property
    def hash(self) -> str:
        return "md5:" + hashlib.md5(self.content).hexdigest()

    @property
    def short_name(self) -> str:
        return f"{self.number}.{self.name.rpartition('.')[2]}"


@dataclass
class Asset:
    name: str
    owner: str
    content: dict[str, Any]
    workbook: bytes | None = None
    uid: str = field(default_factory=lambda: uid("a"))
    asset_type: str = "survey"
    settings: dict[str, Any] = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)
    version_id: str = field(default_factory=lambda: uid("v"))
    version_count: int = 1
    edited_by: str | None = None
    created_by: str | None = None
    rights: dict[tuple[str, str], str] = field(default_factory=dict)
    partial: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: list[Media] = field(default_factory=list)
    on_phones: list[Media] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    deployed: datetime | None = None
    active: bool = False
    number: int = 0
    formhub: str = ""
    phone_version: str = ""
    phone_form: str = ""
    media_count: int = 0
    rows: Rows = field(default_factory=Rows)

    def __post_init__(self) -> None:
        for right in OWNERS_RIGHTS:
            self.rights[self.owner, right] = uid("p")
        self.changed()

    @property
    def hash(self) -> str:
        return hash_of(self.content)

    @property
    def home(self) -> Home:
        return Home(self.uid, self.owner, self.formhub)

    @property
    def encrypted(self) -> bool:
        return "public_key" in self.content.get("settings", {})

    def changed(self) -> None:
        """Read anew which paths are repeats and points."""
        survey = self.content.get("survey", [])
        self.repeats = {row["$xpath"] for row in survey if row["type"] == "begin_repeat"}
        self.asks_for_files = any(row["type"] in {"image", "audio", "video", "file"} for row in survey)
        self.points = [row["$xpath"] for row in survey if row["type"] == "geopoint"]

    def is_repeat(self, path: str) -> bool:
        return path in self.repeats

    def saved(self, by: str | None) -> None:
        """Another version, whether or not the content is another one: that is how the server counts."""
        self.version_id = uid("v")
        self.version_count += 1
        self.modified = now()
        self.edited_by = by
        self.changed()

    def replace(self, name: str, content: dict[str, Any], workbook: bytes) -> None:
        """An import over this form; phones notice only when it is deployed again."""
        self.name = name or self.name
        self.content = content
        self.workbook = workbook
        self.saved(self.edited_by)

    def deploy(self, number: int) -> None:
        """Give what is saved to the phones.

        Raises:
            NotBuilt: the form does not become an XForm.
        """
        preview = xform.preview(self.uid, self.name, self.workbook, self.content)
        self.number = self.number or number
        self.formhub = self.formhub or new_uuid().replace("-", "")
        moment = now()
        if not self.versions or self.versions[0].uid != self.version_id:
            fresh = Version(self.version_id, len(self.versions) + 1, self.hash, self.content, moment)
            self.versions.insert(0, fresh)
        self.phone_version = self._another_version()
        marks = {"__version__": self.version_id, "formhub/uuid": self.formhub}
        self.phone_form = xform.deployed(preview, self.uid, self.phone_version, marks)
        self._send_media()
        self.active = True
        self.deployed = self.modified = moment

    def _another_version(self) -> str:
        moment = self.modified
        while True:
            # The server names the second; two deployments in one second must still differ.
            text = f"{len(self.versions)} ({moment:%Y-%m-%d %H:%M:%S})"
            if text != self.phone_version:
                return text
            moment += timedelta(seconds=1)

    def _send_media(self) -> None:
        for one in self.files:
            if not one.number:
                self.media_count += 1
                one.number = self.media_count
        self.on_phones = [one for one in self.files if one.file_type == "form_media"]

    def can(self, user: str, right: str) -> bool:
        """Whether a user has a right, of their own or because everyone has it."""
        return (user, right) in self.rights or (right.startswith("view_") and (ANONYMOUS, right) in self.rights)

    def grant(self, user: str, right: str) -> str:
        """Give a right and what it brings with it; again changes nothing."""
        for implied in IMPLIED[right]:
            self.rights.setdefault((user, implied), uid("p"))
        return self.rights.setdefault((user, right), uid("p"))
