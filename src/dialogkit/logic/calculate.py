"""The calculations of a form over the answers of one submission, as a phone would have filled them in."""

from __future__ import annotations

from datetime import date

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.form_logic import FormLogic
from dialogkit.logic.settle import repeats_to, settle
from dialogkit.model.form import Form
from dialogkit.model.submission import Answers


def calculated(form: Form, answers: Answers, *, today: date, logic: FormLogic | None = None) -> Answers:
    """The answers with every calculation of the form filled in, in the main table and in the rows of repeats.

    Args:
        form: the version that the answers are of.
        answers: the canonical answers; they are not changed.
        today: the day that `today()` gives.
        logic: of the form, to use it again for the next answers.

    Returns:
        New answers. What a calculation gives replaces what stood there; one that is not decidable (made by chance,
        made once) leaves it. A calculation that is not relevant is left out.
    """
    logic = logic or FormLogic(form)
    root = Row.of(answers)
    settle(logic, root, Facts(today=today))
    for question in form.questions:
        if logic.expression(question.path, "calculation"):
            for row in root.rows(repeats_to(form, question.path)):
                if logic.hidden(question.path, row):
                    row.values.pop(question.path, None)
    return root.answers()
