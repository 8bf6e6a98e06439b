"""The progress bar on a terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text


class Rate(ProgressColumn):
    """How many parts are done in a second."""

    def render(self, task: Task) -> Text:
        """Such as `1,250/s`; nothing before there is something to count."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed and speed >= 1 else "", style="dim")


class Bar:
    """Shows each piece of work on a line of its own, with its count. Satisfies `progress.Progress`."""

    def __init__(self) -> None:
        self._rich = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            Rate(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Bar:
        self._rich.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._rich.stop()

    def step(self, name: str, total: int | None = None) -> None:
        """A new line."""
        self._task = self._rich.add_task(name, total=total)

    def advance(self, count: int = 1) -> None:
        """The bar of the current line moves."""
        if self._task is not None:
            self._rich.advance(self._task, count)

    def say(self, line: str) -> None:
        """A line above the bars."""
        self._rich.console.print(line, markup=False, highlight=False)
