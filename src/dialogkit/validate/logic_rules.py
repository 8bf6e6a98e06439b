"""The rules that the logic of a form makes: relevant, required, constraint, choice filter, calculation, repeat count.

Required, constraint, filter and calculation are judged where the question is relevant only. A blank of an import is
"not stated in the source" and breaks none of them (instruments.md 3.6): there is no rule of required answers, and a
constraint that compares with a blank is not judged. A choice filter is: the consent of imports rests on one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dialogkit.logic import parse as written
from dialogkit.logic.bind import bind, bind_filter
from dialogkit.logic.compile import condition
from dialogkit.logic.parse import NotDecidable, parse
from dialogkit.logic.tree import Nodes, Tree, trees_in
from dialogkit.model.form import SELECT_TYPES, Form, Question, Section
from dialogkit.model.report import Action
from dialogkit.model.staged import Staged
from dialogkit.validate.by_version import Judged, Versions
from dialogkit.validate.conditions import answered, asked_count, part_at, relevance, rows_in
from dialogkit.validate.offered import not_offered
from dialogkit.validate.phone_day import tells_day
from dialogkit.validate.recalculated import differs
from dialogkit.validate.resolve import Rows
from dialogkit.validate.rule import Rule

_YES: Final = frozenset({"yes", "true", "true()"})
_DAY: Final = re.compile(r"\b(?:today|now)\s*\(")
_NO: Final = frozenset({"", "no", "false", "false()"})
#: The rules whose verdict depends on which answers are relevant.
KINDS: Final = (
    "FORM-RELEVANT",
    "FORM-REQUIRED",
    "FORM-CONSTRAINT",
    "FORM-FILTER",
    "FORM-CALCULATION",
    "FORM-ROWS",
    "FORM-COUNT",
)


def logic_rules(versions: Versions) -> Iterator[Rule]:
    """The rules of the logic of every version, in the order of the sheets."""
    staged = versions.staged
    imported = staged.origin == "import"
    deciding = frozenset().union(*(_deciding(form) for form in staged.forms.values()))
    constraint = _constraint_of_import if imported else _constraint
    for path in paths_of(staged):
        holds = _action(staged, path)
        yield from versions.rule("FORM-RELEVANT", holds, path, _irrelevant)
        if not imported:
            yield from versions.rule("FORM-REQUIRED", holds, path, _missing)
        yield from versions.rule("FORM-CONSTRAINT", holds, path, constraint)
        yield from versions.rule("FORM-FILTER", holds, path, _filtered_out)
        yield from versions.rule("FORM-CALCULATION", "hold" if path in deciding else "note", path, _stale)
    action: Action = "note" if imported else "hold"
    for repeat in dict.fromkeys(path for form in staged.forms.values() for path in sorted(form.repeats)):
        yield from versions.rule("FORM-RELEVANT", _action(staged, repeat), repeat, _irrelevant)
        # A yes that opens a repeat needs a row: an error on a phone, a note where a page says no more.
        yield from versions.rule("FORM-ROWS", action, repeat, _no_rows, _gate_question)
        yield from versions.rule("FORM-COUNT", "note", repeat, _other_count)


def _action(staged: Staged, path: str) -> Action:
    """Hold, but for what rests on the day on the phone where the form asks nothing that tells it."""
    for form in staged.forms.values():
        part = part_at(form, path)
        parts = [*form.sections_above(path), *([part] if part else [])]
        rests = [text for one in parts for text in _expressions(one) if _DAY.search(text)]
        if rests and not tells_day(form):
            return "note"
    return "hold"


def _expressions(part: Question | Section) -> tuple[str, ...]:
    if isinstance(part, Section):
        return (part.relevant,)
    return (part.relevant, part.required, part.constraint, part.choice_filter)


def paths_of(staged: Staged) -> list[str]:
    """Paths of questions over all versions, in the order of the sheets."""
    return list(dict.fromkeys(question.path for form in staged.forms.values() for question in form.questions))


def _irrelevant(rows: Rows, path: str) -> Judged | None:
    """Answered though not relevant. Rows of a repeat are told once, in the row that holds them."""
    question = rows.form.by_path.get(path)
    if path in rows.form.repeats:
        there = f"NOT {rows.no_row(path)}"
    elif question and question.has_answer:
        there = answered(rows, path)
    else:
        return None
    relevant = relevance(rows, path)
    return Judged(there, f"NOT ({' AND '.join(relevant)})") if relevant else None


def _missing(rows: Rows, path: str) -> Judged | None:
    question = rows.form.by_path.get(path)
    if question is None or question.required.strip().lower() in _NO:
        return None
    if question.type == "calculate" or not question.has_answer:
        return None
    looked_at = relevance(rows, path)
    if question.required.strip().lower() not in _YES:
        looked_at.append(condition(bind(question.required, rows.form, path), rows, path))
    return Judged(_all(looked_at), rows.is_blank(path))


def _constraint(rows: Rows, path: str) -> Judged | None:
    question = rows.form.by_path.get(path)
    if question is None or not question.constraint.strip() or not question.has_answer:
        return None
    holds = condition(bind(question.constraint, rows.form, path), rows, path)
    return Judged(_all([answered(rows, path), *relevance(rows, path)]), f"NOT {holds}")


def _constraint_of_import(rows: Rows, path: str) -> Judged | None:
    """What a page does not state can break no constraint."""
    judged = _constraint(rows, path)
    if judged is None:
        return None
    tree = bind(rows.form.by_path[path].constraint, rows.form, path)
    stated = [answered(rows, other) for other in sorted(compared_with(tree) - {path}) if other in rows.form.by_path]
    return Judged(_all([judged.looked_at, *stated]), judged.broken)


def compared_with(tree: Tree) -> frozenset[str]:
    """Single answers that an expression reads."""
    return frozenset(part.path for part in trees_in(tree) if isinstance(part, Nodes) and part.is_single)


def _filtered_out(rows: Rows, path: str) -> Judged | None:
    question = rows.form.by_path.get(path)
    if question is None or question.type not in SELECT_TYPES or not question.choice_filter.strip():
        return None
    filtered = bind_filter(question, rows.form)
    reference = rows.reference(path, rows.own)
    if reference.kind == "select_one":
        broken = not_offered(rows, question, filtered, reference.sql)
    else:
        each = not_offered(rows, question, filtered, "x")
        broken = f"coalesce(len(list_filter({reference.sql}, lambda x: {each})) > 0, false)"
    return Judged(_all([answered(rows, path), *relevance(rows, path)]), broken)


def _stale(rows: Rows, path: str) -> Judged | None:
    question = rows.form.by_path.get(path)
    if question is None or question.type != "calculate" or not question.calculation.strip():
        return None
    if question.trigger:
        raise NotDecidable("it was calculated when another answer was given, and not again")
    told, broken = differs(rows, question)
    return Judged(_all([*relevance(rows, path), told]), broken)


def _no_rows(rows: Rows, path: str) -> Judged | None:
    section = part_at(rows.form, path)
    if not isinstance(section, Section) or path not in rows.form.repeats or not gate_of(section):
        return None
    return Judged(_all(relevance(rows, path)), rows.no_row(path))


def _other_count(rows: Rows, path: str) -> Judged | None:
    section = part_at(rows.form, path)
    if not isinstance(section, Section) or path not in rows.form.repeats or not section.repeat_count.strip():
        return None
    asked = asked_count(rows, section)
    looked_at = _all([*relevance(rows, path), f"{asked} IS NOT NULL"])
    return Judged(looked_at, f"{rows_in(rows, path)} <> greatest({asked}, 0)")


def gate_of(section: Section) -> str:
    """The name in a relevance that is exactly `${name} = 'yes'`."""
    try:
        tree = parse(section.relevant) if section.relevant.strip() else None
    except NotDecidable:
        return ""
    match tree:
        case written.Binary("=", written.Name(name), written.Text("yes")):
            return name
    return ""


def _gate_question(form: Form, repeat: str) -> Question | Section | None:
    """The question whose yes opens a repeat."""
    section = part_at(form, repeat)
    return next(iter(form.named(gate_of(section))), section) if isinstance(section, Section) else section


def _all(conditions: list[str]) -> str:
    return " AND ".join(conditions) or "true"


def _deciding(form: Form) -> frozenset[str]:
    """Calculations on which something else rests: what is shown, required, allowed, or offered."""
    reads = {question.path: _read(form, question.path, [question.calculation]) for question in form.questions}
    found: set[str] = set()
    todo: set[str] = set()
    for section in form.sections:
        todo |= _read(form, section.path, [section.relevant, section.repeat_count])
    for one in form.questions:
        todo |= _read(form, one.path, [one.relevant, one.constraint, one.required, one.choice_filter]) - {one.path}
    while todo:
        path = todo.pop()
        if path in reads and path not in found:
            found.add(path)
            todo |= reads[path]
    return frozenset(found)


def _read(form: Form, path: str, expressions: list[str]) -> set[str]:
    """Questions that expressions name; what cannot be read names none."""
    found: set[str] = set()
    for expression in expressions:
        try:
            names = written.names_in(parse(expression)) if "$" in expression else frozenset[str]()
        except NotDecidable:
            continue
        found |= {question.path for name in names for question in form.named(name)}
    return found
