"""Progress as an object that is handed in: a bar on a terminal, or nothing at all."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What a long step tells while it works. Counts and names of things, never answers."""

    def step(self, name: str, total: int | None = None) -> None:
        """A new piece of work begins; `total` is how many parts it has, when that is known."""

    def advance(self, count: int = 1) -> None:
        """So many more parts of the piece are done."""

    def say(self, line: str) -> None:
        """A line worth keeping on the screen."""


class Silent:
    """Tells nobody: for tests, libraries and `--quiet`."""

    def step(self, name: str, total: int | None = None) -> None:
        """Nothing happens."""

    def advance(self, count: int = 1) -> None:
        """Nothing happens."""

    def say(self, line: str) -> None:
        """Nothing happens."""


SILENT: Progress = Silent()
