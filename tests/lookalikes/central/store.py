"""All that the server knows: the clock, numbers, people, projects, keys and the log."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from .people import EVERYWHERE, ROLE_IDS, People
from .problems import not_found
from .records import Actor, Audit, Form, Key, Project, Submission, Version


def iso(moment: datetime) -> str:
    """A time as Central writes it, in UTC with milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class Store:
    """The server's memory. Whoever reads or changes it holds `lock`."""

    def __init__(self, email: str, password: str) -> None:
        self.lock = threading.RLock()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.people = People()
        self.projects: dict[int, Project] = {}
        self.keys: dict[int, Key] = {}
        self.log: list[Audit] = []
        self.numbers: Counter[str] = Counter()
        self.admin = self.people.add("user", email, self.now(), email=email, password=password)
        self.people.grant(self.admin, ROLE_IDS["admin"], EVERYWHERE)

    def now(self) -> str:
        return iso(self.clock())

    def later(self, hours: int) -> str:
        return iso(self.clock() + timedelta(hours=hours))

    def number(self, kind: str) -> int:
        """The next number of its kind, from 1."""
        self.numbers[kind] += 1
        return self.numbers[kind]

    def note(
        self,
        action: str,
        actor: Actor | None,
        *,
        form: Form | None = None,
        submission: Submission | None = None,
        version: Version | None = None,
        more: dict[str, Any] | None = None,
        notes: str | None = None,
    ) -> None:
        """A line in the log; what is done to a submission, but not to its files, is also kept with it."""
        line = Audit(action, actor, self.now(), form, submission, version, more, notes)
        self.log.append(line)
        if submission is not None and action != "submission.attachment.update":
            submission.audits.append(line)

    def add_project(self, name: str, description: str | None = None) -> Project:
        project = Project(self.number("project"), name, description, str(uuid.uuid4()), self.now())
        self.projects[project.id] = project
        return project

    def project(self, number: int) -> Project:
        if number not in self.projects:
            raise not_found()
        return self.projects[number]

    def add_key(self, public: str, **more: Any) -> Key:
        """The key with this public half; a new one where it is not known yet."""
        known = next((key for key in self.keys.values() if key.public == public), None)
        if known is None:
            known = Key(self.number("key"), public, self.now(), **more)
            self.keys[known.id] = known
        return known
