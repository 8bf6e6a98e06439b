"""The typed tree of an expression at its place in a form: every name and path stands for nodes that are known.

`bind` makes it; `compile` says it in DuckDB SQL, `evaluate` computes it in Python. Both have the semantics of JavaRosa,
the engine of ODK Collect, against which they are tested (`tests/oracle`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dialogkit.logic.parse import Number, Text

Operator = Literal["or", "and", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod"]


@dataclass(frozen=True, slots=True)
class Nodes:
    """Answers or rows of the submission, in the order of the document.

    Args:
        path: of a question, or of a repeat (its rows); a group or the whole instance only in `count` and as a text.
        within: the innermost repeat whose present row is kept; `""` is the whole submission. When `path` is that
            repeat itself, the present row is meant.
        repeats: the repeats below `within` that are stepped into, outermost first (`path` itself where it is a
            repeat): all their rows are meant, so it is a set of nodes. Empty: one node.
        filters: conditions on the rows of such repeats, `(path of the repeat, condition)`, in the order in which they
            are written; each counts positions in what the one before left.
        inner: inside a condition: the present row is the one that the condition judges. Otherwise the rows around the
            question that the whole expression belongs to (`current()`).
    """

    path: str
    within: str
    repeats: tuple[str, ...] = ()
    filters: tuple[tuple[str, Tree], ...] = ()
    inner: bool = False

    @property
    def is_single(self) -> bool:
        """Whether it is one node: a bare set of nodes is an error of type wherever one value is needed."""
        return not self.repeats


@dataclass(frozen=True, slots=True)
class Items:
    """A column of the rows of a choice list or of a media file that meet all conditions.

    Args:
        source: the choice list (`kind` is `list`) or the file (`kind` is `file`): `fruits`, `districts.csv`. A file
            that is named by its stem only (`pulldata('districts', …)`, `instance('districts')`) is named so here.
        column: `name`, `label` (of a list: the label in the language of the phone) or another column; `""` for the
            rows themselves (`count`).
        filters: conditions, in which `Column` is a column of the row.
    """

    kind: Literal["list", "file"]
    source: str
    column: str
    filters: tuple[Tree, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """Inside a condition on `Items`, and in a choice filter: a column of the row that is judged; `""` without it."""

    name: str


@dataclass(frozen=True, slots=True)
class Position:
    """The place of a row, from 1: of the row that a condition judges (`repeat` is `""`), or of the present row."""

    repeat: str = ""
    inner: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceName:
    """`jr:choice-name`: the label of a choice of the question at `path`."""

    value: Tree
    path: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function with its arguments."""

    name: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator between two values."""

    operator: Operator
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Minus:
    """A minus before a value."""

    of: Tree


Tree = Number | Text | Nodes | Items | Column | Position | ChoiceName | Function | Operation | Minus


def trees_in(tree: Tree) -> Iterator[Tree]:
    """The tree and every tree within it, conditions too."""
    waiting = [tree]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(reversed(_parts(found)))


def _parts(tree: Tree) -> tuple[Tree, ...]:
    match tree:
        case Nodes(filters=filters):
            return tuple(condition for _, condition in filters)
        case Items(filters=filters):
            return filters
        case ChoiceName(value=value) | Minus(of=value):
            return (value,)
        case Function(arguments=arguments):
            return arguments
        case Operation(left=left, right=right):
            return (left, right)
        case _:
            return ()


def paths_in(tree: Tree) -> frozenset[str]:
    """The paths of every question, group and repeat that the tree reads, those in conditions too."""
    return frozenset(part.path for part in trees_in(tree) if isinstance(part, Nodes)) | frozenset(
        part.repeat for part in trees_in(tree) if isinstance(part, Position) and part.repeat
    )
