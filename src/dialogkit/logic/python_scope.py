"""What an expression in Python needs to know of the place where it is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.values import Found


@dataclass(slots=True)
class Scope:
    """What an expression is computed over.

    Args:
        row: of the innermost repeat that holds the question of the expression.
        inner: the row that a condition judges.
        place: its place, from 1, among those that are judged.
        item: the row of a list or file that a condition judges.
    """

    row: Row
    facts: Facts
    inner: Row | None = None
    place: int = 0
    item: Mapping[str, str] | None = None


#: A compiled expression.
Run = Callable[[Scope], Found]
