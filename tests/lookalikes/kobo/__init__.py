"""KoboToolbox as its recordings show it, in memory: `with lookalike() as place:`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.lookalikes.faults import Faults, FaultyApp
from tests.lookalikes.kobo.app import app_of
from tests.lookalikes.kobo.state import State
from tests.lookalikes.serving import serving


@dataclass
class Place:
    """A running look-alike."""

    url: str
    token: str
    state: State
    faults: Faults

    @property
    def kc_url(self) -> str:
        """The server of phones; another name for the same machine, as on a real installation."""
        return self.state.kc_base

    def user(self, name: str) -> tuple[str, str]:
        """The name and password of one of `organiser`, `collector`, `analyst`, `other`."""
        user = self.state.users[name]
        return user.name, user.password


@contextmanager
def lookalike(port: int = 0) -> Iterator[Place]:
    """A look-alike on a free port of the loopback while the block runs; the organiser's token owns its forms."""
    state, faults = State(), Faults()
    with serving(FaultyApp(app_of(state), faults), port) as url:
        state.base = url
        state.kc_base = url.replace("127.0.0.1", "localhost")
        yield Place(url, state.users["organiser"].token, state, faults)
