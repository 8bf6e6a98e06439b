"""What the rules of a form say of one submission, by the evaluator in Python: for what SQL cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.form_logic import FormLogic
from dialogkit.logic.lists import code_column
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.settle import repeats_to, settle
from dialogkit.logic.values import BLANKS, same_value
from dialogkit.model.form import Question
from dialogkit.model.submission import Answers
from dialogkit.validate.logic_rules import compared_with
from dialogkit.validate.recalculated import languages


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule says of one row that it looks at.

    Args:
        row: its place in the submission.
        broken: whether it breaks the rule.
        reason: why that could not be decided; empty when it was.
    """

    row: str
    broken: bool
    reason: str = ""


#: Whether a row breaks a rule; None where the rule is not about it.
_Verdict = Callable[["OneSubmission", str, Row], "bool | None"]


class OneSubmission:
    """One submission with its logic settled on the stored answers.

    Args:
        logic: of its version.
        answers: canonical.
        facts: what is known beside them.
        imported: whether a blank of it is "not stated in the source".
    """

    def __init__(self, logic: FormLogic, answers: Answers, facts: Facts, *, imported: bool) -> None:
        self.logic, self.form, self.facts, self.imported = logic, logic.form, facts, imported
        self.root = Row.of(answers)
        self._undecided = settle(logic, self.root, facts, keep=True)

    def said(self, kind: str, path: str) -> Iterator[Said]:
        """What the rule of a kind (`FORM-COUNT`) and path says, row by row.

        In a row that is not relevant nothing is asked: of it, only its repeat is told.
        """
        repeats = repeats_to(self.form, path)
        for row in self.root.rows(repeats[:-1] if path in self.form.repeats else repeats):
            if row.repeat and self.logic.hidden(row.repeat, row):
                continue
            try:
                broken = _VERDICTS[kind](self, path, row)
            except NotDecidable as refusal:
                yield Said(row.label, broken=False, reason=refusal.reason)
            else:
                if broken is not None:
                    yield Said(row.label, broken=broken)

    def relevant(self, path: str, row: Row) -> bool:
        """Whether a question, or a repeat in the row that holds it, is relevant by itself and by what holds it."""
        if path not in self.form.repeats:
            return self._settled(path, row)
        rows = row.below.get(path)
        if rows:
            return all(self._settled(path, one) for one in rows)
        above = path.rpartition("/")[0]
        if above and not self._settled(above, row):
            return False
        return self.logic.relevant(path, Row(path, 1, row), self.facts)

    def _settled(self, path: str, row: Row) -> bool:
        if self.logic.hidden(path, row):
            return False
        while path:
            place = row.around(path if path in self.form.repeats else self.form.repeat_of(path))
            reason = self._undecided.get((place.label, path, "relevant"))
            if reason:
                raise NotDecidable(reason)
            path = path.rpartition("/")[0]
        return True

    def answered(self, path: str, row: Row) -> bool:
        """Whether a question holds something that a phone reads."""
        if not self.text(path, row):
            return False
        try:
            return self.logic.value(path, row, self.facts) != ""
        except NotDecidable:
            return True

    @staticmethod
    def text(path: str, row: Row) -> str:
        """The answer as it was typed, without blanks around it."""
        return row.values.get(path, "").strip(BLANKS)

    def stated(self, path: str, row: Row) -> bool:
        """Whether an import states every answer that a constraint compares with; what is not relevant is none."""
        tree = self.logic.tree(path, "constraint")
        others = compared_with(tree) - {path} if tree else frozenset[str]()
        places = [(other, row.around(self.form.repeat_of(other))) for other in others if other in self.form.by_path]
        return all(self.answered(*place) and not self.logic.hidden(*place) for place in places)

    def known(self, question: Question) -> frozenset[str]:
        """The codes of all choices of a question, whatever its filter."""
        if question.list_name in self.form.choice_lists:
            return frozenset(choice.name for choice in self.form.choice_lists[question.list_name])
        column = code_column(question)
        return frozenset(entry.get(column, "") for entry in self.facts.media.get(question.list_name, ()))

    def made(self, path: str, row: Row) -> Iterator[str]:
        """What a calculation gives, in each language that the phone may have shown."""
        reason = self._undecided.get((row.label, path, "calculation"))
        if reason:
            raise NotDecidable(reason)
        tree = self.logic.tree(path, "calculation")
        for language in languages(self.form, tree) if tree else ():
            text, _ = self.logic.calculated(path, row, replace(self.facts, language=language))
            yield text


def _irrelevant(one: OneSubmission, path: str, row: Row) -> bool | None:
    there = bool(row.below.get(path)) if path in one.form.repeats else one.answered(path, row)
    return not one.relevant(path, row) if there else None


def _missing(one: OneSubmission, path: str, row: Row) -> bool | None:
    if not one.relevant(path, row) or not one.logic.required(path, row, one.facts):
        return None
    return not row.values.get(path)


def _constraint(one: OneSubmission, path: str, row: Row) -> bool | None:
    if not one.answered(path, row) or not one.relevant(path, row) or (one.imported and not one.stated(path, row)):
        return None
    return not one.logic.constraint(path, row, one.facts)


def _filtered_out(one: OneSubmission, path: str, row: Row) -> bool | None:
    if not one.text(path, row) or not one.relevant(path, row):
        return None
    question = one.form.by_path[path]
    text = one.text(path, row)
    codes = {text} if question.type == "select_one" else set(text.split())
    return bool((codes & one.known(question)) - set(one.logic.choices(path, row, one.facts)))


def _stale(one: OneSubmission, path: str, row: Row) -> bool | None:
    if not one.relevant(path, row):
        return None
    stored = one.text(path, row)
    return not any(same_value(stored, made) for made in one.made(path, row))


def _no_rows(one: OneSubmission, path: str, row: Row) -> bool | None:
    return not row.below.get(path) if one.relevant(path, row) else None


def _other_count(one: OneSubmission, path: str, row: Row) -> bool | None:
    count = one.logic.count(path, row, one.facts) if one.relevant(path, row) else None
    return None if count is None else len(row.below.get(path, ())) != max(count, 0)


_VERDICTS: Final[Mapping[str, _Verdict]] = {
    "FORM-RELEVANT": _irrelevant,
    "FORM-REQUIRED": _missing,
    "FORM-CONSTRAINT": _constraint,
    "FORM-FILTER": _filtered_out,
    "FORM-CALCULATION": _stale,
    "FORM-ROWS": _no_rows,
    "FORM-COUNT": _other_count,
}
