"""The rows of choice lists and media files, and how conditions pick some of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dialogkit.logic.answers import Facts
from dialogkit.logic.media import Entry
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.tree import Column, Operation, Position, Tree, trees_in
from dialogkit.model.form import Choice, Form, Question

#: How many columns are kept ready to be looked up.
_KEPT: Final = 64
_VALUE: Final = re.compile(r"(?:^|[\s,;])value\s*=\s*(?P<column>[^\s,;]+)")
_YES_OR_NO: Final = frozenset({"=", "!=", "<", "<=", ">", ">=", "and", "or"})


class Lists:
    """The lists and files of one form; rows and columns that were looked up are kept ready."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._lists: dict[str, Sequence[Entry]] = {}
        self._index: dict[tuple[int, str], tuple[Sequence[Entry], dict[str, list[Entry]]]] = {}

    def rows(self, kind: str, source: str, facts: Facts) -> Sequence[Entry]:
        """The rows of a list or file."""
        if kind == "list":
            if source not in self._lists:
                self._lists[source] = list_rows(self._form.choice_lists.get(source, ()))
            return self._lists[source]
        found = facts.media.get(source)
        if found is None:
            raise NotDecidable(f"the file {source} is not with the form, or cannot be read")
        return found

    def having(self, rows: Sequence[Entry], column: str, value: str) -> Sequence[Entry]:
        """The rows whose column holds exactly this text."""
        key = (id(rows), column)
        known = self._index.get(key)
        if known is None or known[0] is not rows:
            index: dict[str, list[Entry]] = {}
            for row in rows:
                index.setdefault(row.get(column, ""), []).append(row)
            if len(self._index) >= _KEPT:
                self._index.clear()
            known = self._index[key] = (rows, index)
        return known[1].get(value, ())


def list_rows(choices: Sequence[Choice]) -> Sequence[Entry]:
    """Rows of a choice list as the XForm has them.

    Where a label is in a language or holds an answer, pyxform keeps all labels of the list elsewhere: no row has one.
    """
    spoken = any(choice.labels.keys() - {""} or "${" in "".join(choice.labels.values()) for choice in choices)
    return [
        {**choice.extra, **({} if spoken else {"label": choice.labels.get("", "")}), "name": choice.name}
        for choice in choices
    ]


def code_column(question: Question) -> str:
    """The column of a list or file that holds the codes: `name`, unless the sheet says another (`value=code`)."""
    found = _VALUE.search(question.parameters)
    if found:
        return found["column"]
    return "id" if question.list_name.endswith(".geojson") else "name"


@dataclass(frozen=True, slots=True)
class Sought:
    """A condition that rows have a text in a column: `column = value`."""

    column: str
    value: Tree


def conditions(filters: Iterable[Tree]) -> list[Tree | Sought]:
    """The conditions one by one; those that can be looked up first are `Sought`."""
    found: list[Tree | Sought] = []
    for part in filters:
        for one in _split(part):
            sought = None if found and not all(isinstance(done, Sought) for done in found) else _sought(one)
            found.append(sought or one)
    return found


def _split(tree: Tree) -> list[Tree]:
    """`a and b` → a, b: the same rows, where no place of a row is asked for."""
    if isinstance(tree, Operation) and tree.operator == "and":
        sides = (tree.left, tree.right)
        plain = all(isinstance(side, Operation) and side.operator in _YES_OR_NO for side in sides)
        if plain and not any(isinstance(part, Position) for part in trees_in(tree)):
            return [part for side in sides for part in _split(side)]
    return [tree]


def _sought(tree: Tree) -> Sought | None:
    if not isinstance(tree, Operation) or tree.operator != "=":
        return None
    for column, other in ((tree.left, tree.right), (tree.right, tree.left)):
        if isinstance(column, Column) and not any(isinstance(part, (Column, Position)) for part in trees_in(other)):
            return Sought(column.name, other)
    return None
