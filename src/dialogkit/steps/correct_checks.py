"""Whether a new correction can stand: its submission, question, row, old and new value. Never quotes an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from dialogkit.correct.questions import Questions
from dialogkit.correct.replay import Cell, find_cell
from dialogkit.correct.running import Running
from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.bind import bind
from dialogkit.logic.evaluate import evaluate
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.values import to_boolean
from dialogkit.model.correction import CHANGE_TYPES, Entry
from dialogkit.model.form import FILE_TYPES, Form, Question
from dialogkit.model.kinds import kind_of
from dialogkit.model.table import Kind
from dialogkit.problem import Problem
from dialogkit.steps.correct_twins import NOTHING
from dialogkit.steps.review_checks import expected

_ID_FIX: Final = "Name a submission that is here and was not deleted or refused."


@dataclass(frozen=True, slots=True)
class About:
    """What a new entry is judged by.

    Args:
        where: how messages name it: a row of a file, or the submission.
        so_far: the submission as the source has it now, with the entries about it that stand in the ledger or above
            this one.
        questions: of the form.
        fits: whether a text is of a kind, as a landing reads it.
    """

    where: str
    so_far: Running
    questions: Questions
    fits: Callable[[Kind, str], bool]

    @property
    def line(self) -> Mapping[str, Any]:
        """Canonical line of the submission as the source has it now."""
        return self.so_far.line

    def problem(self, code: str, message: str, fix: str) -> Problem:
        """Something that is wrong with the new entry."""
        return Problem(code, "error", self.where, message, fix)


def judged(wish: Entry, about: About) -> tuple[Entry, list[Problem]]:
    """The entry as it would stand in the ledger, with its old value, and everything that is wrong with it."""
    line = about.line
    if line["deleted_at"] or line["refused"] or line["sealed"]:
        return wish, [about.problem("CORRECT-010", "Nothing of what this submission said is here.", _ID_FIX)]
    entry = replace(wish, uuid=line["id"])
    if entry.undoes:
        undo = replace(entry, old_value="", new_value="", change_type="no_action")
        return replace(undo, question=_newest(undo, about.questions)), _undoes_nothing(undo, about)
    if entry.change_type not in CHANGE_TYPES:
        message = f"change_type is none of: {', '.join(CHANGE_TYPES)}."
        return entry, [about.problem("CORRECT-016", message, "Write one of them.")]
    if missing := _without_why(entry, about):
        return entry, missing
    if entry.change_type == "remove_survey" or (entry.change_type == "no_action" and not entry.question.strip()):
        return replace(entry, question="", row="", old_value="", new_value=""), []
    return _about_a_question(entry, about)


def breaking(entries: Iterable[tuple[Entry, About]]) -> Iterator[Problem]:
    """Entries that leave an answer which its question's constraint forbids.

    Args:
        entries: of `judged`, without a problem, each with what it was judged by; `so_far` has all entries about the
            submission by now, later ones too: two answers that bind each other may be corrected together.

    Yields:
        CORRECT-018. Nothing where the constraint cannot be decided here: the landing judges it again.
    """
    # Many entries may be about one answer, and what is left of it is the same for all.
    asked: dict[tuple[str, str, str], str] = {}
    for entry, about in entries:
        if entry.change_type != "change_response" or entry.undoes:
            continue
        place = (entry.key, entry.question, entry.row)
        if place not in asked:
            asked[place] = _broken_constraint(entry, about)
        if asked[place]:
            message = "The new value does not meet the question's constraint."
            yield about.problem("CORRECT-018", message, f"The form asks: {asked[place]}")


def _broken_constraint(entry: Entry, about: About) -> str:
    """The constraint that the answer breaks which an entry is about; `""` for none."""
    line = about.so_far.corrected()
    cell = find_cell(line, entry.question, entry.row, about.questions)
    known = cell and about.questions.of(cell.path, line["form_version"])
    if not (cell and known and cell.text and known[1].constraint):
        return ""
    form, question = known
    try:
        row = _row_at(Row.of(line["answers"]), cell.level, entry.row)
        holds = to_boolean(evaluate(bind(question.constraint, form, cell.path), form, row, Facts(), cell.path))
    except NotDecidable:
        return ""
    return "" if holds else question.constraint


def _row_at(row: Row, level: str, places: str) -> Row:
    """The row of a repeat at its places: `2/1`."""
    for place in places.split("/") if places else ():
        rows = next(rows for repeat, rows in row.below.items() if level == repeat or level.startswith(repeat + "/"))
        row = rows[int(place) - 1]
    return row


def _newest(entry: Entry, questions: Questions) -> str:
    return questions.newest(entry.question) if entry.question.strip() else ""


def _undoes_nothing(entry: Entry, about: About) -> list[Problem]:
    if entry.undoes in about.so_far:
        return _without_why(entry, about)
    fix = "Bring the whole log, with the entry that is taken back above this one."
    return [about.problem("CORRECT-005", "It takes back what is not in the ledger.", fix)]


def _without_why(entry: Entry, about: About) -> list[Problem]:
    if entry.why.strip():
        return []
    return [about.problem("CORRECT-017", "It does not say why.", "Give a reason with --why, or an issue.")]


def _about_a_question(entry: Entry, about: About) -> tuple[Entry, list[Problem]]:
    found = about.questions.find(entry.question)
    if len(found) > 1:
        fix = f"Give one of these paths: {', '.join(found)}."
        return entry, [about.problem("CORRECT-011", "Several questions have this name.", fix)]
    if not found:
        near = about.questions.near(entry.question)
        fix = f"Did you mean {near}?" if near else "Give its path, name or column."
        return entry, [about.problem("CORRECT-011", "No known version of the form has this question.", fix)]
    entry = replace(entry, question=found[0])
    cell = about.so_far.cell(entry.question, entry.row)
    if cell is None:
        return entry, [_no_row(entry, about)]
    if about.questions.is_protected(cell.path):
        message = "It is the participant's word on consent, or tells where the record comes from."
        return entry, [about.problem("CORRECT-012", message, "That is never corrected.")]
    present = about.so_far.present(cell)
    problems = [*_old(entry, about, cell, present), *_new(entry, about, cell, present)]
    new = entry.new_value if entry.change_type == "change_response" else ""
    old = entry.old_value if entry.old_value not in NOTHING or entry.old_value == present else present
    return replace(entry, old_value=old, new_value=new), problems


def _no_row(entry: Entry, about: About) -> Problem:
    if entry.row:
        message = "The submission has no such row, or its version of the form does not ask this."
        return about.problem("CORRECT-013", message, "Correct the row: 2, or 2/1 one repeat deeper.")
    message = "The question stands in a repeat and no row is given, or its version of the form does not ask it."
    return about.problem("CORRECT-013", message, "Say which row: --row 2, or the column row of a table.")


def _old(entry: Entry, about: About, cell: Cell, present: str) -> Iterator[Problem]:
    if entry.old_value not in NOTHING and entry.old_value not in (present, cell.text):
        message = "The old value is not what the submission says now."
        yield about.problem("CORRECT-015", message, "Look at the answer again, or leave old_value empty.")


def _new(entry: Entry, about: About, cell: Cell, present: str) -> Iterator[Problem]:
    if entry.change_type == "no_action":
        return
    if entry.change_type == "blank_response":
        if entry.new_value not in NOTHING:
            yield about.problem("CORRECT-016", "blank_response has a new value.", "Leave it empty.")
        return
    if not entry.new_value.strip():
        yield about.problem("CORRECT-016", "change_response has no new value.", "To empty it: blank_response.")
    elif entry.new_value == present:
        yield about.problem("CORRECT-016", "The new value is what the answer is already.", "Leave it out.")
    elif (known := about.questions.of(cell.path, about.line["form_version"])) and (
        fix := _misfit(*known, entry.new_value, about.fits)
    ):
        yield about.problem("CORRECT-014", "The new value does not fit the question.", fix)


def _misfit(form: Form, question: Question, text: str, fits: Callable[[Kind, str], bool]) -> str:
    """What the form expects instead of a new answer that does not fit its type or choices; `""` when it fits."""
    if question.type in FILE_TYPES:
        return "It names a file that came with the submission: it can be emptied, not changed."
    kind = kind_of(question, form)
    return expected(form, question, text) or ("" if fits(kind, text) else f"It must be a {kind}, as phones write it.")


def no_submission(where: str, several: bool) -> Problem:
    """Nothing, or more than one thing, has this id."""
    message = "More than one submission is meant." if several else "No submission of this id is here."
    fix = "Give the whole id, and the form with --form." if several else "Bring it first: dialogkit run"
    return Problem("CORRECT-010", "error", where, message, fix)
