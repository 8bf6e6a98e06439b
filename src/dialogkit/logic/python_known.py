"""What a function of expressions is to the evaluator in Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.values import Found, Value

ANY = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """A function.

    Args:
        fewest, most: how many arguments it takes.
        run: takes the facts and the arguments.
        nodes: whether it takes sets of nodes whole; otherwise each argument is one value.
    """

    fewest: int
    most: int
    run: Callable[..., Found]
    nodes: bool = False


def plain(count: int, run: Callable[..., Found]) -> Known:
    """A function of its arguments alone."""
    return Known(count, count, lambda _, *values: run(*values))


def only_text(value: Value, function: str) -> str:
    """A value that must be a text already: phones stop at others."""
    if isinstance(value, str):
        return value
    raise NotDecidable(f"{function}() is asked of something that is no text: phones stop there")
