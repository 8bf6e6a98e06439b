"""Which rules of its form a submission breaks, by the codes that landing gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dialogkit.forms.simulating.places import rows_in
from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.form_logic import FormLogic
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.replay import Judged, replay
from dialogkit.logic.values import same_value
from dialogkit.model.form import Form, Question
from dialogkit.model.submission import Answers


@dataclass(frozen=True, slots=True, order=True)
class Offence:
    """A broken rule.

    Args:
        rule: its kind, `FORM-REQUIRED`.
        path: of the question or repeat.
        row: the row, `2/1`; empty in the submission itself.
    """

    rule: str
    path: str
    row: str = ""


def offences(form: Form, answers: Answers, facts: Facts, logic: FormLogic) -> list[Offence]:
    """Every rule that a replay of the form's logic finds broken; what cannot be decided is no offence."""
    root = Row.of(answers)
    rows = {(row.repeat, row.label): row for row in rows_in(root)}
    found: list[Offence] = []
    hidden: set[tuple[str, str]] = set()
    for one in replay(form, answers, facts, logic):
        question = form.by_path.get(one.path)
        if question is None:
            if one.relevant is False:
                hidden.add((one.path, one.row))
                found += _rows_too_much(form, one, found)
            above = rows[form.repeat_of(one.path), one.row] if one.count is not None else None
            broken = above is not None and _miscounted(logic, one, above, facts, hidden)
            found += [Offence("FORM-COUNT", one.path, one.row)] if broken else []
        elif question.has_answer:
            repeat = form.repeat_of(one.path)
            if (repeat, one.row) in hidden:
                continue
            text = rows[repeat, one.row].values.get(one.path, "")
            found += [Offence(f"FORM-{rule}", one.path, one.row) for rule in _broken(form, question, one, text)]
    return found


def _rows_too_much(form: Form, one: Judged, found: list[Offence]) -> list[Offence]:
    """A row of a repeat that is not relevant is told once, in the row that holds it."""
    told = Offence("FORM-RELEVANT", one.path, one.row.rpartition("/")[0])
    return [told] if one.path in form.repeats and told not in found else []


def _broken(form: Form, question: Question, one: Judged, text: str) -> Iterator[str]:
    calculated = one.calculated is not None
    if one.relevant is False:
        if text and not calculated:
            yield "RELEVANT"
        return
    if one.required and not text and not question.calculation:
        yield "REQUIRED"
    if one.constraint is False:
        yield "CONSTRAINT"
    if one.chosen is False:
        codes = {choice.name for choice in form.choice_lists.get(question.list_name, ())}
        chosen = {text} if question.type == "select_one" else set(text.split())
        yield "FILTER" if chosen <= codes else "CHOICE"
    if one.calculated is not None and not same_value(text, one.calculated):
        yield "CALCULATION"


def _miscounted(logic: FormLogic, one: Judged, above: Row, facts: Facts, hidden: set[tuple[str, str]]) -> bool:
    """Whether a relevant repeat has other than the rows that it should have."""
    if len(above.below.get(one.path, ())) == one.count:
        return False
    for section in logic.form.sections_above(one.path):
        inside = section.path if section.kind == "repeat" else logic.form.repeat_of(section.path)
        if (section.path, above.around(inside).label) in hidden:
            return False
    try:
        return logic.relevant(one.path, Row(one.path, 1, above), facts)
    except NotDecidable:
        return False
