"""What pyxform says when it refuses a form, as Problems with sheet, row, column and a way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from pyxform.errors import PyXFormError

from dialogkit.errors import FormError
from dialogkit.forms import places
from dialogkit.forms.columns import rows_of
from dialogkit.forms.workbook import Workbook
from dialogkit.problem import Problem

_ROW: Final = re.compile(r"\[row : (?P<row>\d+)\]")
_SHEET: Final = re.compile(r"On the '(?P<sheet>\w+)' sheet|for sheet: '(?P<other>\w+)'")
_NAMED: Final = re.compile(r"element named '(?P<name>[^']+)'")
_COLUMN: Final = re.compile(r"the '(?P<column>[^']+)' value")
#: What `where` and `fix` say already.
_REPEATED: Final = re.compile(
    r"\[row : \d+\]|\s*Learn more: \S+|If this is intentional, use the setting 'allow_choice_duplicates'\.|"
    r"On the '\w+' sheet, the '[^']+' value is invalid\.|Invalid headers provided for sheet: '\w+'\."
)


#: Headers that pyxform takes for parts of its own structure.
_OWN_WORDS: Final = frozenset(
    {"bind", "control", "body", "media", "instance", "jr", "children", "choices", "fields", "itemset", "parent"}
)


@dataclass(frozen=True)
class _Class:
    """A kind of refusal: how pyxform says it, our code, and what to do. `every` finds all places of the kind."""

    said: re.Pattern[str]
    code: str
    fix: str
    every: Callable[[Workbook], Iterable[Problem]] | None = None


def _kind(said: str, code: str, fix: str, every: Callable[[Workbook], Iterable[Problem]] | None = None) -> _Class:
    return _Class(re.compile(said), code, fix, every)


_CLASSES: Final = (
    _kind(
        r"You must have a sheet named|headers were not found",
        "FORM-008",
        "A form needs a sheet named survey with the columns type and name. Rename the sheet or add the columns.",
    ),
    _kind(
        r"Unknown question type|This section has not been included",
        "FORM-011",
        "Use a type of XLSForm: https://xlsform.org/en/#question-types",
        places.unknown_types,
    ),
    _kind(
        r"Could not find the name|appears more than once|Reference variable|problem trying to replace",
        "FORM-012",
        "Write ${name} with the name of one question of this form, and give the question a name of its own.",
        places.bad_references,
    ),
    _kind(
        r"must be unique within|Repeat names must|'meta' is invalid|survey root",
        "FORM-013",
        "Give one of the two another name, and correct the references to it.",
    ),
    _kind(
        r"Choice names must be unique",
        "FORM-014",
        "Give the choice another name, or, if it is meant, write allow_choice_duplicates = yes in the settings sheet.",
    ),
    _kind(
        r"List name not in|There should be an? (external_)?choices sheet|specify choices for this",
        "FORM-015",
        "Add the list to the sheet choices (columns list_name, name, label), or correct its name in the type.",
        places.missing_lists,
    ),
    _kind(
        r"Names must begin|with no name|Names used here|value is invalid\. Names",
        "FORM-016",
        "A name begins with a letter or underscore; after it come letters, digits, underscores, hyphens or dots.",
    ),
    _kind(
        r"Duplicate column header|different names for the same column",
        "FORM-017",
        "Rename or remove one of the two columns; keep the one that is filled.",
    ),
    _kind(r"Unmatched '", "FORM-018", "Each begin_group or begin_repeat needs one end_group or end_repeat of its own."),
    _kind(r"Choices must have a name", "FORM-020", "Give the choice a name, or empty the whole row."),
    _kind(
        r"Missing calculation|Question with no type|has no label or hint",
        "FORM-021",
        "Fill the empty cell, or empty the whole row.",
    ),
    _kind(
        r"Choice names with spaces",
        "FORM-035",
        "Put an underscore where the space is: answers of select_multiple are separated by spaces.",
    ),
)


def refusal(workbook: Workbook, error: Exception) -> FormError:
    """The error to raise when pyxform does not build the form of `workbook`; `.problems` say what and where."""
    problems = _problems(workbook, error)
    many = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return FormError(
        "FORM-010",
        workbook.path.as_posix(),
        f"The form cannot be built: {many}.",
        "Correct what is named, and check again with: dialogkit form check",
        problems,
    )


def _problems(workbook: Workbook, error: Exception) -> tuple[Problem, ...]:
    file = workbook.path.as_posix()
    if not isinstance(error, PyXFormError):
        return (_broke(workbook, error),)
    said = _text(error)
    kind = next((kind for kind in _CLASSES if kind.said.search(said)), None)
    if kind is None:
        fix = "Correct the cell, or see https://xlsform.org/en/"
        return tuple(_problem(file, "FORM-019", line, fix) for line in _each(said))
    found = tuple(kind.every(workbook)) if kind.every else ()
    return found or tuple(_problem(file, kind.code, _with_row(workbook, line), kind.fix) for line in _each(said))


def _broke(workbook: Workbook, error: Exception) -> Problem:
    """A failure inside pyxform, most often over a column that is called like something inside it."""
    message = f"pyxform, which builds the form, stopped without saying why ({type(error).__name__})."
    where = workbook.path.as_posix()
    for sheet in ("survey", "settings"):
        for header in workbook.sheet(sheet).headers:
            if header.lower() in _OWN_WORDS:
                fix = f"Rename the column {header}, a word of pyxform's own, or add its second part (bind::relevant)."
                return Problem("FORM-022", "error", f"{where}, {sheet}, row 1, {header}", message, fix)
    fix = "Look for a cell in the wrong column, or take rows out until it builds; then tell us about the row."
    return Problem("FORM-022", "error", where, message, fix)


def _text(error: PyXFormError) -> str:
    try:
        return str(error)
    except (TypeError, IndexError, KeyError):
        # Some are raised without a text, and their own __str__ fails.
        return ""


def _each(said: str) -> list[str]:
    """One text a problem: pyxform joins those of duplicate choices by line breaks."""
    lines = said.split("\n")
    return lines if all(_ROW.match(line) for line in lines) else [" ".join(said.split())]


def _with_row(workbook: Workbook, said: str) -> str:
    """The text with its row, where pyxform says a name only."""
    named = _NAMED.search(said)
    if named is None or _ROW.search(said):
        return said
    row = next((row for row in rows_of(workbook, "survey") if row.logic("name") == named["name"]), None)
    return f"[row : {row.number}] {said}" if row else said


def _problem(file: str, code: str, said: str, fix: str) -> Problem:
    row, sheet, column = _ROW.search(said), _SHEET.search(said), _COLUMN.search(said)
    where = [file]
    if sheet:
        where.append(sheet["sheet"] or sheet["other"])
    elif row:
        where.append("survey")
    if row:
        where.append(f"row {row['row']}")
    if column:
        where.append(column["column"])
    message = _REPEATED.sub("", said).strip() or "pyxform does not accept the form."
    return Problem(code, "error", ", ".join(where), message, fix)


def warning(file: str, said: str) -> Problem:
    """A warning of pyxform as a Problem."""
    problem = _problem(file, "FORM-024", " ".join(said.split()), "The form works; correct it if it is not meant so.")
    return Problem(problem.code, "warning", problem.where, problem.message, problem.fix)
