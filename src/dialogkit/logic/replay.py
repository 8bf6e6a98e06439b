"""The logic of a form over one stored submission: what each node should be, beside what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.form_logic import FormLogic, Part
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.settle import Undecided, repeats_to, settle
from dialogkit.logic.values import BLANKS
from dialogkit.model.form import SELECT_TYPES, Form, Question
from dialogkit.model.submission import Answers


@dataclass(frozen=True, slots=True)
class Judged:
    """What the logic says of one question or section of one row.

    Args:
        path: full path.
        row: the places of the rows around it, `2/1`; of a repeat its own too. Empty outside of repeats.
        relevant: by itself and by what holds it; None where that is not decidable.
        required: None where it is not relevant (nothing is asked then) or not decidable.
        constraint: whether the answer meets it; None where there is none, no answer, or it is not relevant.
        calculated: the text that its calculation gives on the stored answers; None where it has none.
        chosen: whether every chosen code is in the (filtered) list; None where it is no select or has no answer.
        count: for a row that holds a repeat with a count, how many rows that should have; see `counts`.
        undecided: why something of it could not be decided, by part.
    """

    path: str
    row: str
    relevant: bool | None
    required: bool | None = None
    constraint: bool | None = None
    calculated: str | None = None
    chosen: bool | None = None
    count: int | None = None
    undecided: Mapping[Part, str] = field(default_factory=dict)


def replay(
    form: Form, answers: Answers, facts: Facts, logic: FormLogic | None = None, *, recalculate: bool = False
) -> Iterator[Judged]:
    """Judge every question and section of a submission.

    Args:
        form: the version that the submission was made with.
        answers: canonical; not changed.
        facts: what is known beside the answers.
        logic: of the form, to use it again for the next submission.
        recalculate: read calculations as they should be; otherwise as they are stored.

    Returns:
        First the sections, then the questions, both in the order of the form; one for each row.
    """
    logic = logic or FormLogic(form)
    root = Row.of(answers)
    undecided = settle(logic, root, facts, keep=not recalculate)
    judge = _Judge(logic, facts, undecided)
    for section in form.sections:
        own = repeats_to(form, section.path)
        if section.repeat_count:
            yield from (judge.counted(section.path, row) for row in root.rows(own[:-1]))
        yield from (judge.section(section.path, row) for row in root.rows(own))
    for question in form.questions:
        yield from (judge.question(question, row) for row in root.rows(repeats_to(form, question.path)))


@dataclass(frozen=True, slots=True)
class _Judge:
    logic: FormLogic
    facts: Facts
    undecided: Undecided

    def relevance(self, path: str, row: Row) -> tuple[bool | None, dict[Part, str]]:
        """Whether a node is relevant, and why that is not decidable."""
        if self.logic.hidden(path, row):
            return False, {}
        for above in self.around(path):
            reason = self.undecided.get((self.row_of(above, row).label, above, "relevant"))
            if reason:
                return None, {"relevant": reason}
        return True, {}

    def around(self, path: str) -> Iterator[str]:
        while path:
            yield path
            path = path.rpartition("/")[0]

    def row_of(self, path: str, row: Row) -> Row:
        return row.around(path if path in self.logic.form.repeats else self.logic.form.repeat_of(path))

    def counted(self, repeat: str, above: Row) -> Judged:
        """How many rows a repeat should have, in the row that holds it."""
        why: dict[Part, str] = {}
        count = None
        try:
            count = self.logic.count(repeat, above, self.facts)
        except NotDecidable as refusal:
            why["repeat_count"] = refusal.reason
        return Judged(repeat, above.label, None, count=count, undecided=why)

    def section(self, path: str, row: Row) -> Judged:
        relevant, why = self.relevance(path, row)
        return Judged(path, row.label, relevant, undecided=why)

    def question(self, question: Question, row: Row) -> Judged:
        """A question of one row; what is not relevant is asked nothing."""
        path = question.path
        relevant, why = self.relevance(path, row)
        reason = self.undecided.get((row.label, path, "calculation"))
        if reason:
            why["calculation"] = reason
        calculated = row.computed.get(path)
        if not relevant:
            return Judged(path, row.label, relevant, calculated=calculated, undecided=why)
        required = constraint = chosen = None
        try:
            required = self.logic.required(path, row, self.facts)
        except NotDecidable as refusal:
            why["required"] = refusal.reason
        try:
            if question.constraint and self.logic.value(path, row, self.facts) != "":
                constraint = self.logic.constraint(path, row, self.facts)
        except NotDecidable as refusal:
            why["constraint"] = refusal.reason
        try:
            chosen = self.chosen(question, row)
        except NotDecidable as refusal:
            why["choice_filter"] = refusal.reason
        return Judged(path, row.label, relevant, required, constraint, calculated, chosen, undecided=why)

    def chosen(self, question: Question, row: Row) -> bool | None:
        """Whether its list offers every chosen code; None without one."""
        text = row.values.get(question.path, "").strip(BLANKS)
        if question.type not in SELECT_TYPES or not text:
            return None
        codes = {text} if question.type == "select_one" else set(text.split())
        return codes <= set(self.logic.choices(question.path, row, self.facts))
