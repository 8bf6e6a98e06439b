"""One request as the handlers see it, and the table of who answers what."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from starlette.responses import Response

from .problems import Refused, forbidden, not_found, unauthorised
from .records import Actor, Form, Project, Submission
from .store import Store

JSON_LIMIT: Final = 250_000


@dataclass
class Call:
    """A request. `secret` is the part of the path before `/projects` that lets a phone in, with its slashes."""

    store: Store
    method: str
    origin: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    actor: Actor | None = None
    secret: str = ""
    draft_token: str = ""
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def extended(self) -> bool:
        return self.headers.get("x-extended-metadata", "").lower() == "true"

    def need(self, verb: str, project: Project | None = None, form: Form | None = None) -> None:
        """Raises Refused unless the actor may do this."""
        if verb not in self.store.people.verbs(self.actor, project, form):
            raise unauthorised() if self.actor is None else forbidden()

    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        if len(self.body) > JSON_LIMIT:
            raise Refused(400.36, "Request body too large.")
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            size = len(self.body)
            details = {"format": "json", "rawLength": size}
            raise Refused(400.1, f"Could not parse the given data ({size} chars) as json.", details) from None
        return found if isinstance(found, dict) else {}

    def project(self) -> Project:
        text = self.parts["project"]
        if not text.isdigit():
            details = {"value": text, "expected": "type integer"}
            raise Refused(400.11, f'Invalid input data type: expected "{text}" to be (type integer)', details)
        return self.store.project(int(text))

    def form(self, verb: str) -> Form:
        """The form of the path, if the actor has `verb` for it."""
        found = self.project().forms.get(self.parts["form"])
        if found is None:
            raise not_found()
        self.need(verb, form=found)
        return found

    def submission(self, verb: str) -> tuple[Form, Submission]:
        """The live submission of the path, by its first instanceID."""
        form = self.form(verb)
        found = form.table.get(self.parts["instance"])
        if found is None or found.deleted_at:
            raise not_found()
        return form, found


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """Who answers a method on a path; `kind` is how refusals are told: json, odata or openrosa."""

    method: str
    pattern: re.Pattern[str]
    weight: int
    kind: str
    handler: Handler


class Routes:
    """The paths of one concern."""

    def __init__(self, kind: str = "json") -> None:
        self.kind = kind
        self.all: list[Route] = []

    def on(self, method: str, template: str, kind: str = "") -> Callable[[Handler], Handler]:
        """Register a handler; `{name}` stands for one segment or a part of it, `{name*}` for all that is left."""
        pieces = re.split(r"(\{\w+\*?\})", template)
        literal = "".join(each for each in pieces if not each.startswith("{"))
        source = "".join(_source(each) for each in pieces)

        def register(handler: Handler) -> Handler:
            self.all.append(Route(method, re.compile(source), len(literal), kind or self.kind, handler))
            return handler

        return register


class Switchboard:
    """All paths; of two that fit, the one with more fixed letters answers."""

    def __init__(self, *tables: Routes) -> None:
        found = sorted((route for table in tables for route in table.all), key=lambda route: -route.weight)
        self._by_method: dict[str, list[Route]] = {}
        for route in found:
            self._by_method.setdefault(route.method, []).append(route)

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        for route in self._by_method.get(method, ()):
            fits = route.pattern.fullmatch(raw_path)
            if fits is not None:
                return route, {name: unquote(part) for name, part in fits.groupdict().items()}
        return None


def _source(piece: str) -> str:
    if not piece.startswith("{"):
        return re.escape(piece)
    name = piece[1:-1]
    return f"(?P<{name[:-1]}>.+)" if name.endswith("*") else f"(?P<{name}>[^/]+)"
