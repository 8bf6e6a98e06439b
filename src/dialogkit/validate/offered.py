"""Which choices a question offers: those of its list or file that its choice filter lets through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dialogkit import sql
from dialogkit.logic.bind_steps import source_of
from dialogkit.logic.compile import Place
from dialogkit.logic.lists import code_column
from dialogkit.logic.sql_choices import offered
from dialogkit.logic.terms import boolean
from dialogkit.logic.tree import Column, Position, Tree, trees_in
from dialogkit.model.form import Question
from dialogkit.validate.resolve import Rows

#: Written out for each kind of choice, a filter is a plain condition; with more kinds, the list is asked in each row.
_MOST: Final = 64


def not_offered(rows: Rows, question: Question, tree: Tree, cell: str) -> str:
    """SQL for whether a code that stands in a cell is one that the filter does not let through; never NULL.

    A code that is in no list at all is told by FORM-CHOICE.

    Args:
        rows: of the question.
        question: a select with a choice filter.
        tree: the filter.
        cell: SQL of one code; NULL where there is none.

    Raises:
        NotDecidable: the list is not here, or what the filter reads is not stored.
    """
    kind, source = source_of(rows.form, question.list_name)
    choices = rows.items(kind, source)
    code = code_column(question)
    place = Place(rows, question.path)
    known = f"{cell} IN ({sql.texts(dict.fromkeys(choice.get(code, '') for choice in choices)) or 'NULL'})"
    groups = _alike(choices, tree, code)
    if groups is None or len(groups) > _MOST:
        return f"coalesce({known} AND NOT list_contains({offered(place, tree, kind, source)}, {cell}), false)"
    let_through = []
    for values, names in groups.items():
        literal = {column: sql.text(value) for column, value in values}
        passes = boolean(Place(rows, question.path, item=literal).term(tree))
        let_through.append(f"{cell} IN ({sql.texts(dict.fromkeys(names))}) AND {passes}")
    return f"coalesce({known} AND NOT ({' OR '.join(let_through)}), false)" if let_through else "false"


def _alike(
    choices: Sequence[Mapping[str, str]], tree: Tree, code: str
) -> dict[tuple[tuple[str, str], ...], list[str]] | None:
    """Names of choices that the filter cannot tell apart, by the columns that it reads; None where it counts places."""
    parts = list(trees_in(tree))
    if any(isinstance(part, Position) and not part.repeat for part in parts):
        return None
    columns = sorted({part.name for part in parts if isinstance(part, Column)})
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for choice in choices:
        groups.setdefault(tuple((column, choice.get(column, "")) for column in columns), []).append(
            choice.get(code, "")
        )
    return groups
