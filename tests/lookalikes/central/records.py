"""What the server keeps: projects, forms with their editions, people, submissions."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .definition import Definition


@dataclass(eq=False)
class Actor:
    """Somebody with an id: a user, an app user (`field_key`), a public link, or one of Central's own."""

    id: int
    type: str
    name: str
    created_at: str
    email: str = ""
    password: str = ""
    token: str = ""
    project_id: int = 0
    creator: Actor | None = None
    last_login: str | None = None
    deleted_at: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": self.type,
            "displayName": self.name,
            "createdAt": self.created_at,
            "updatedAt": None,
            "deletedAt": self.deleted_at,
        }


@dataclass
class Blob:
    """Bytes with a content type."""

    content: bytes
    content_type: str
    md5: str
    at: str


@dataclass(eq=False)
class Key:
    """A public key that forms are encrypted for; managed keys are opened by a passphrase."""

    id: int
    public: str
    created_at: str
    managed: bool = False
    hint: str | None = None
    passphrase: str = ""
    private: Any = None

    def to_json(self) -> dict[str, Any]:
        said = {"id": self.id, "public": self.public, "managed": self.managed, "hint": self.hint}
        return {**said, "createdAt": self.created_at}


@dataclass(eq=False)
class Project:
    """A project with its forms by xmlFormId."""

    id: int
    name: str
    description: str | None
    actee: str
    created_at: str
    updated_at: str | None = None
    archived: bool | None = None
    key: Key | None = None
    forms: dict[str, Form] = field(default_factory=dict)
    deleted_forms: list[Form] = field(default_factory=list)


@dataclass(eq=False)
class Edition:
    """A draft or a published version of a form, with its files: None where one is missing."""

    number: int
    definition: Definition
    workbook: Blob | None
    media: dict[str, Blob | None]
    key: Key | None = None
    draft_token: str | None = None
    published_at: str | None = None


@dataclass(eq=False, slots=True)
class Version:
    """One edition of a submission. `sealed` is the base64 of its key when it is encrypted."""

    number: int
    instance_id: str
    xml: bytes
    name: str | None
    form: Edition
    submitter: Actor | None
    device: str | None
    agent: str | None
    created_at: str
    sealed: str = ""
    sealed_files: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class Audit:
    """A line of the log: what somebody did, to what."""

    action: str
    actor: Actor | None
    at: str
    form: Form | None = None
    submission: Submission | None = None
    version: Version | None = None
    more: dict[str, Any] | None = None
    notes: str | None = None

    def to_json(self) -> dict[str, Any]:
        details = dict(self.more or {})
        if self.submission is not None:
            if self.action != "submission.update":
                version = self.version or self.submission.first
                details["instanceId"] = version.instance_id
            details["submissionId"] = self.submission.number
            if self.version is not None:
                details["submissionDefId"] = self.version.number
        return {
            "actorId": self.actor.id if self.actor else None,
            "action": self.action,
            "acteeId": self.form.actee if self.form else None,
            "details": details or None,
            "loggedAt": self.at,
            "notes": self.notes,
        }


@dataclass(eq=False, slots=True)
class Submission:
    """A submission with all its editions. `event` grows with whatever changes its ETag."""

    number: int
    versions: list[Version]
    attachments: dict[str, Blob | None]
    event: int = 0
    updated_at: str | None = None
    deleted_at: str | None = None
    review: str | None = None
    comments: list[dict[str, Any]] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    cache: dict[Any, Any] = field(default_factory=dict)

    @property
    def first(self) -> Version:
        return self.versions[0]

    @property
    def current(self) -> Version:
        return self.versions[-1]

    @property
    def id(self) -> str:
        return self.versions[0].instance_id

    @property
    def created_at(self) -> str:
        return self.versions[0].created_at

    @property
    def status(self) -> str | None:
        if not self.current.sealed:
            return None
        held = self.attachments.get("submission.xml.enc")
        return "missingEncryptedFormData" if held is None else "notDecrypted"


class Table:
    """The submissions of a form, oldest first, found by any instanceID they ever had."""

    def __init__(self) -> None:
        self._sorted: list[Submission] = []
        self._by_id: dict[str, Submission] = {}
        self.by_instance: dict[str, tuple[Submission, Version]] = {}

    def add(self, submission: Submission) -> None:
        if self._sorted and _age(self._sorted[-1]) > _age(submission):
            insort(self._sorted, submission, key=_age)
        else:
            self._sorted.append(submission)
        self._by_id[submission.id] = submission
        self.by_instance[submission.id] = (submission, submission.first)

    def edit(self, submission: Submission, version: Version) -> None:
        submission.versions.append(version)
        self.by_instance[version.instance_id] = (submission, version)

    def remove(self, submission: Submission) -> None:
        self._sorted.remove(submission)
        del self._by_id[submission.id]
        for version in submission.versions:
            del self.by_instance[version.instance_id]

    def get(self, instance_id: str) -> Submission | None:
        return self._by_id.get(instance_id)

    def newest_first(self) -> Iterator[Submission]:
        return reversed(self._sorted)

    def __len__(self) -> int:
        return len(self._sorted)


def _age(submission: Submission) -> tuple[str, int]:
    return submission.created_at, submission.number


@dataclass(eq=False)
class Form:
    """A form: its published editions, oldest first, perhaps a draft, and what was sent."""

    number: int
    project: Project
    form_id: str
    actee: str
    created_at: str
    creator: Actor
    state: str = "open"
    updated_at: str | None = None
    deleted_at: str | None = None
    draft: Edition | None = None
    published: list[Edition] = field(default_factory=list)
    table: Table = field(default_factory=Table)
    draft_table: Table = field(default_factory=Table)

    @property
    def shown(self) -> Edition:
        """The latest published edition, or the draft of a form that never was published."""
        edition = self.published[-1] if self.published else self.draft
        assert edition is not None
        return edition

    def edition(self, version: str) -> Edition | None:
        return next((each for each in reversed(self.published) if each.definition.version == version), None)
