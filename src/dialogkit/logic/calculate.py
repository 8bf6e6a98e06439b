"""The calculations of a form over the answers of one submission, as a phone would have filled them in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Final, cast

import duckdb

from dialogkit import sql
from dialogkit.logic.compile import Context
from dialogkit.logic.parse import NotDecidable, names_in, parse
from dialogkit.logic.terms import Reference, Term, boolean, text
from dialogkit.model.form import Form, Question, Section
from dialogkit.model.submission import Answers
from dialogkit.model.table import Kind

#: How the text of an answer is read back, by type of question; every other type is text as typed.
_READ: Final[Mapping[str, tuple[Kind, str]]] = {
    **dict.fromkeys(("integer", "decimal", "range"), ("decimal", "DOUBLE")),
    **dict.fromkeys(("date", "today"), ("date", "DATE")),
    **dict.fromkeys(("time", "datetime", "start", "end", "geopoint"), ("geopoint", "VARCHAR")),
}
_Row = dict[str, "str | list[_Row]"]


def calculated(form: Form, answers: Answers, *, today: date) -> Answers:
    """The answers with every calculation of the form filled in, in the main table and in the rows of repeats.

    Args:
        form: the version that the answers are of.
        answers: the canonical answers; they are not changed.
        today: the day that `today()` gives.

    Returns:
        New answers. What a calculation gives replaces what stood there; one that is not decidable (made by chance,
        made once) leaves it. A calculation that is not relevant is left out.
    """
    filled = _copy(answers)
    with duckdb.connect() as engine:
        for question in _in_order(form):
            for rows in _places(form, filled, form.repeat_of(question.path)):
                _fill(_Place(form, rows, today, engine), question)
    return cast("Answers", filled)


def _copy(answers: Answers) -> _Row:
    return {path: value if isinstance(value, str) else [_copy(row) for row in value] for path, value in answers.items()}


def _in_order(form: Form) -> list[Question]:
    """Calculations, each after those that it (or its relevance) refers to."""
    calculations = {question.path: question for question in form.questions if question.calculation}
    graph: TopologicalSorter[str] = TopologicalSorter()
    for path, question in calculations.items():
        names = frozenset().union(*(_names(logic) for logic in [question.calculation, *_relevance(form, question)]))
        above = {other.path for name in names for other in form.named(name)}
        graph.add(path, *sorted(above & calculations.keys() - {path}))
    try:
        return [calculations[path] for path in graph.static_order()]
    except CycleError:  # pyxform lets it pass; a phone would refuse the form
        return list(calculations.values())


def _names(expression: str) -> frozenset[str]:
    try:
        return names_in(parse(expression))
    except NotDecidable:
        return frozenset()


def _relevance(form: Form, question: Question) -> list[str]:
    """Its own relevance and that of every section above it."""
    parts: tuple[Section | Question, ...] = (*form.sections_above(question.path), question)
    return [part.relevant for part in parts if part.relevant]


def _places(form: Form, answers: _Row, repeat: str) -> Iterator[dict[str, _Row]]:
    """Every row of a repeat and the rows above it, outermost first, by path of the repeat (`""`: the submission)."""
    if not repeat:
        yield {"": answers}
        return
    outer = form.repeat_of(repeat)
    for above in _places(form, answers, outer):
        for row in _rows(above[outer], repeat):
            yield {**above, repeat: row}


def _rows(row: _Row, repeat: str) -> list[_Row]:
    value = row.get(repeat, [])
    return value if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a calculation is made: its row and those above it (see `_places`), and an engine without tables."""

    form: Form
    rows: Mapping[str, _Row]
    today: date
    engine: duckdb.DuckDBPyConnection

    def evaluate(self, expression: str) -> Term:
        day = f"DATE '{self.today.isoformat()}'"
        return Context(self.resolve, day, self.decide).compile(parse(expression))

    def decide(self, condition: str) -> bool:
        return bool(self.value(condition))

    def value(self, expression: str) -> object:
        found = self.engine.execute(f"SELECT {expression}").fetchone()
        return found[0] if found else None

    def resolve(self, name: str) -> Reference:
        """A literal: the answer of this row or one above it; a list of them for a repeat that is not above."""
        named = self.form.named(name)
        if len(named) != 1:
            raise NotDecidable(f"{name} is not the name of one question")
        path = named[0].path
        kind, read = _READ.get(named[0].type, ("text", "VARCHAR"))
        steps = ["", *(part.path for part in self.form.sections_above(path) if part.kind == "repeat")]
        shared = max(place for place, step in enumerate(steps) if step in self.rows)
        values = _values(self.rows[steps[shared]], steps[shared + 1 :], path)
        literals = [f"TRY_CAST({sql.text(value)} AS {read})" if value else f"CAST(NULL AS {read})" for value in values]
        if steps[shared] == steps[-1]:
            return Reference(literals[0], kind)
        return Reference(f"CAST([{', '.join(literals)}] AS {read}[])", kind, repeated=True)


def _values(row: _Row, steps: list[str], path: str) -> Iterator[str]:
    if not steps:
        value = row.get(path, "")
        yield value if isinstance(value, str) else ""
        return
    for below in _rows(row, steps[0]):
        yield from _values(below, steps[1:], path)


def _fill(place: _Place, question: Question) -> None:
    """Change the innermost row: its calculation is set, or taken out where it gives nothing."""
    row = list(place.rows.values())[-1]
    try:
        relevant = all(place.decide(boolean(place.evaluate(logic))) for logic in _relevance(place.form, question))
        value = _stored(place, place.evaluate(question.calculation), question.type) if relevant else ""
    except (NotDecidable, duckdb.Error):
        return
    row.pop(question.path, None)
    if value:
        row[question.path] = value


def _stored(place: _Place, term: Term, kind: str) -> str:
    """The text that a phone stores: a yes or no as 1 or 0, no number as nothing, a date with its midnight."""
    if term.type == "boolean":
        return str(place.value(f"CAST({term.sql} AS INTEGER)"))
    if term.type == "number" and place.value(term.sql) is None:
        return ""
    value = str(place.value(text(term)))
    with_time = value and term.type == "date" and kind not in ("date", "today")
    return f"{value}T00:00:00.000Z" if with_time else value
