"""The places of a submission: its rows, and each question in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.form_logic import FormLogic
from dialogkit.logic.parse import NotDecidable
from dialogkit.model.form import Form, Question


@dataclass(frozen=True, slots=True)
class Place:
    """A question in one row."""

    row: Row
    question: Question

    @property
    def text(self) -> str:
        """Its answer."""
        return self.row.values.get(self.question.path, "")


def rows_in(row: Row) -> Iterator[Row]:
    """A row and every row below it."""
    yield row
    for rows in row.below.values():
        for one in rows:
            yield from rows_in(one)


def places(form: Form, root: Row) -> Iterator[Place]:
    """Every question in every row, those without an answer too."""
    by_repeat: dict[str, list[Question]] = {}
    for question in form.questions:
        if question.has_answer:
            by_repeat.setdefault(form.repeat_of(question.path), []).append(question)
    for row in rows_in(root):
        for question in by_repeat.get(row.repeat, ()):
            yield Place(row, question)


def opens(logic: FormLogic, above: Row, repeat: str, facts: Facts) -> bool:
    """Whether a repeat is relevant in the row that holds it, also where it has no rows; after `settle`.

    What cannot be decided counts as relevant.
    """
    first = Row(repeat, 1, above)
    try:
        if not logic.relevant(repeat, first, facts):
            return False
    except NotDecidable:
        pass
    return not logic.hidden(repeat, first)
