"""Relevance and calculations of a whole submission, in the order in which they need each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from dialogkit.logic.answers import Facts, Row, read
from dialogkit.logic.bind_steps import around
from dialogkit.logic.form_logic import FormLogic, Part
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.values import Value
from dialogkit.model.form import Form

#: What could not be decided: (label of the row, path, part) → why.
Undecided = Mapping[tuple[str, str, Part], str]


def settle(logic: FormLogic, root: Row, facts: Facts, *, keep: bool = False) -> Undecided:
    """Say of every node whether it is relevant, and compute every calculation.

    Args:
        logic: of the form.
        facts: what is known beside the answers.
        root: the submission; `hidden`, `typed` and `computed` of its rows are set.
        keep: leave the stored texts of calculations, which the others then read; otherwise they are replaced.

    Returns:
        What could not be decided. Such a node counts as relevant, such a calculation keeps its stored text.
    """
    undecided: dict[tuple[str, str, Part], str] = {}
    for path, part in logic.order:
        for row in root.rows(repeats_to(logic.form, path)):
            try:
                if part == "relevant":
                    _hide(row, path, not logic.true(path, part, row, facts))
                else:
                    _fill(logic, row, path, facts, keep)
            except NotDecidable as refusal:
                undecided[row.label, path, part] = refusal.reason
                row.hidden.discard(path) if part == "relevant" else row.typed.pop(path, None)
    return undecided


def repeats_to(form: Form, path: str) -> list[str]:
    """The repeats that lead to the rows of a node, itself when it is one."""
    return [*around(form, path), *([path] if path in form.repeats else [])]


def _hide(row: Row, path: str, hidden: bool) -> None:
    if hidden:
        row.hidden.add(path)
    else:
        row.hidden.discard(path)


def _fill(logic: FormLogic, row: Row, path: str, facts: Facts, keep: bool) -> None:
    row.typed.pop(path, None)
    text, value = logic.calculated(path, row, facts)
    row.computed[path] = text
    if not keep:
        row.values[path] = text
        row.typed[path] = value
        return
    present = row.values.get(path, "")
    row.typed[path] = value if present == text else _alike(present, value, facts)


def _alike(text: str, model: Value, facts: Facts) -> Value:
    """A stored text as a value of the type that its calculation gives."""
    if isinstance(model, bool):
        return text == "1" if text in ("0", "1") else text
    if isinstance(model, float):
        number = read("decimal", text, facts)
        return number if isinstance(number, float) and not math.isnan(number) else text
    if isinstance(model, datetime):
        return read("datetime", text, facts) or text
    return text
