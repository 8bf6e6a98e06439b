"""A small ODK Central in memory: every answer is proved against recordings of a real one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.lookalikes.faults import Faults, FaultyApp
from tests.lookalikes.serving import serving

from .app import Application
from .state import State
from .store import Store

__all__ = ["Place", "State", "lookalike"]

EMAIL = "admin@example.org"
PASSWORD = "correct horse battery"


@dataclass
class Place:
    """A running look-alike: its address, who may sign in, what it has, and what goes wrong."""

    url: str
    email: str
    password: str
    project_id: int
    state: State
    faults: Faults = field(default_factory=Faults)


@contextmanager
def lookalike(*, project: str = "Local dialogues", port: int = 0) -> Iterator[Place]:
    """A server with one project, without forms, while the block runs."""
    store = Store(EMAIL, PASSWORD)
    state = State(store, store.add_project(project))
    faults = Faults()
    with serving(FaultyApp(Application(store), faults), port) as url:
        yield Place(url, EMAIL, PASSWORD, state.project.id, state, faults)
