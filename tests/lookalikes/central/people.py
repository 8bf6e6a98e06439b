"""Who there is and what each may do: users, app users, roles, rights, sessions."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any, Final

from .records import Actor, Form, Project

#: The real server's own list of roles, as it was recorded: it is data, and 72 verbs are not worth typing again.
_RECORDED: Final = Path(__file__).parents[2] / "recordings" / "central" / "014-roles-list.json"
ROLES: Final[list[dict[str, Any]]] = json.loads(json.loads(_RECORDED.read_text(encoding="utf-8"))["response"]["body"])
_BY_ID: Final = {role["id"]: role for role in ROLES}
ROLE_IDS: Final = {role["system"]: role["id"] for role in ROLES}

#: Where a right holds: everywhere, in a project, for a form.
Place = tuple[str, int]
EVERYWHERE: Final[Place] = ("*", 0)


class People:
    """Actors, their rights and their sessions."""

    def __init__(self) -> None:
        self.next_id = 5  # the ids below belong to Central's own actors
        self.actors: dict[int, Actor] = {}
        self.sessions: dict[str, tuple[Actor, str, str]] = {}
        self._granted: set[tuple[int, int, Place]] = set()

    def add(self, kind: str, name: str, at: str, **more: Any) -> Actor:
        actor = Actor(self.next_id, kind, name, at, **more)
        self.actors[actor.id] = actor
        self.next_id += 1
        return actor

    def by_email(self, email: str) -> Actor | None:
        found = (actor for actor in self.actors.values() if actor.email and actor.email.lower() == email.lower())
        return next(found, None)

    def by_key(self, token: str) -> Actor | None:
        """The app user or public link with this key, unless it was revoked."""
        found = (actor for actor in self.actors.values() if token and actor.token == token and not actor.deleted_at)
        return next(found, None)

    def start_session(self, actor: Actor, created: str, expires: str) -> str:
        token = new_token()
        self.sessions[token] = (actor, created, expires)
        return token

    def grant(self, actor: Actor, role_id: int, place: Place) -> bool:
        """False when the actor had this right already."""
        right = (actor.id, role_id, place)
        new = right not in self._granted
        self._granted.add(right)
        return new

    def withdraw(self, actor: Actor, role_id: int, place: Place) -> bool:
        right = (actor.id, role_id, place)
        held = right in self._granted
        self._granted.discard(right)
        return held

    def granted_at(self, place: Place) -> list[tuple[int, int]]:
        """Actor and role of each right at a place."""
        return sorted((actor, role) for actor, role, where in self._granted if where == place)

    def verbs(self, actor: Actor | None, project: Project | None = None, form: Form | None = None) -> set[str]:
        if actor is None:
            return set()
        places = {EVERYWHERE}
        if project is not None:
            places.add(("project", project.id))
        if form is not None:
            places |= {("project", form.project.id), ("form", form.number)}
        held = {role for who, role, where in self._granted if who == actor.id and where in places}
        return {verb for role in held for verb in _BY_ID[role]["verbs"]}


def new_token() -> str:
    """64 characters, as Central's."""
    return secrets.token_urlsafe(48)


def well_formed(token: str) -> bool:
    return len(token) == 64
