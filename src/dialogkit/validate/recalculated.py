"""Whether a calculation is what the form makes of the other answers: as text, number, day or yes and no.

One value is written in several ways (Collect stores `1` for yes and `5` for 5.0, Enketo `true`; a date has its midnight
or not): another way is no other value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from dialogkit.logic.bind import bind
from dialogkit.logic.compile import compile_tree
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.sql_let import let
from dialogkit.logic.terms import Term, boolean, day, is_told, number, number_of, text
from dialogkit.logic.tree import ChoiceName, Function, Items, Tree, trees_in
from dialogkit.logic.values import NEAR
from dialogkit.model.form import Form, Question
from dialogkit.validate.conditions import stored_text
from dialogkit.validate.resolve import Rows

#: What these gave on the phone is gone: the day and the hour at which the calculation ran last.
_OF_THE_MOMENT: Final = frozenset({"today", "now"})


def differs(rows: Rows, question: Question) -> tuple[str, str]:
    """SQL for whether stored data tell what a calculation gives in a row, and whether its stored value is another one.

    Neither is ever NULL. A row is not told where the phone makes something by chance, once, and has kept nothing.

    Raises:
        NotDecidable: what it was made of is not stored.
    """
    tree = bind(question.calculation, rows.form, question.path)
    if any(isinstance(part, Function) and part.name in _OF_THE_MOMENT for part in trees_in(tree)):
        raise NotDecidable("it depends on the day or hour at which the phone calculated it")
    stored = stored_text(rows, question.path)
    made = [
        compile_tree(tree, replace(rows, language=language), question.path) for language in languages(rows.form, tree)
    ]
    broken = " AND ".join(dict.fromkeys(_other(term, stored) for term in made))
    return " AND ".join(dict.fromkeys(map(is_told, made))), f"({broken})"


def languages(form: Form, tree: Tree) -> Iterator[str]:
    """The languages that the phone may have shown, where a label is part of the value."""
    labels = any(
        isinstance(part, ChoiceName) or (isinstance(part, Items) and part.column == "label") for part in trees_in(tree)
    )
    yield from (form.languages if labels and form.languages else ("",))


def _other(term: Term, stored: str) -> str:
    """Whether a stored text (never NULL) is something else than a term."""
    if term.type == "cases":
        *some, (_, last) = term.cases
        whens = " ".join(f"WHEN {condition} THEN {_other(one, stored)}" for condition, one in some)
        return f"CASE {whens} ELSE {_other(last, stored)} END"
    if term.type == "untold":
        return "false"
    if term.type == "boolean":
        return f"({boolean(term)} <> (lower({stored}) IN ('1', 'true')))"
    if term.type in ("date", "moment", "time"):
        return f"(coalesce(CAST({day(term)} AS VARCHAR), '') <> {stored}[:10])"
    if term.type == "number":
        return let(number(term), lambda made: _other_number(made, stored))
    return let(text(term), lambda made: f"({stored} <> trim({made}) AND NOT {_same_number(stored, made)})")


def _other_number(made: str, stored: str) -> str:
    kept = number_of(stored, computed=True)
    near = f"coalesce(abs({made} - {kept}) <= {NEAR} * greatest(1, abs({made})), {made} IS NULL AND {stored} = '')"
    endless = f"(coalesce(isinf({made}), false) AND {stored} IN ('Infinity', '-Infinity'))"
    return f"(NOT ({near} OR {endless}))"


def _same_number(stored: str, made: str) -> str:
    one, other = number_of(stored, computed=True), number_of(made, computed=True)
    return f"coalesce(abs({one} - {other}) <= {NEAR} * greatest(1, abs({other})), false)"
